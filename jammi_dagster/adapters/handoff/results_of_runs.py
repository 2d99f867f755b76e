"""Results of runs in this process: `output_for_node` and its like give tables, read when they are asked for.

A step hands Dagster a reference, and Dagster keeps it in memory as the step's output. Dagster has no public way to turn
the kept value into another one on access. So two readers of kept values are replaced here, once per process:
`ExecuteInProcessResult._get_output_for_handle`, behind `output_for_node`, `asset_value` and `output_value`, and
`HookContext.op_output_values`. Values that are no reference of ours pass as they are.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from jammi_dagster.adapters.handoff.kinds import loaded
from jammi_dagster.adapters.handoff.references import PartitionReferences, ResultReference
from jammi_dagster.artifacts import VerifiedReads

_MARK = "_jammi_resolves_references"


def resolve_references() -> None:
    """Let results of runs and hooks give the tables behind references. Does nothing when called again."""
    _replace(dg.ExecuteInProcessResult, "_get_output_for_handle", resolved)
    _replace(dg.HookContext, "op_output_values", LazyValues)


def resolved(value: Any) -> Any:
    """Return the table of a reference in its declared kind, or of several by partition; any other value as it is."""
    if isinstance(value, (ResultReference, PartitionReferences)):
        with VerifiedReads() as reads:
            return loaded(value, reads=reads)
    return value


class LazyValues(Mapping[str, Any]):
    """Output values by name. Each table is read when its value is asked for."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Any:
        return resolved(self._values[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)


def _replace(owner: type, name: str, convert: Any) -> None:
    """Wrap a method or property of a class of Dagster's, so that its result is converted."""
    given = vars(owner)[name]
    read: Any = given.fget if isinstance(given, property) else given
    if hasattr(read, _MARK):
        return

    @functools.wraps(read)
    def converted(*args: Any, **kwargs: Any) -> Any:
        return convert(read(*args, **kwargs))

    setattr(converted, _MARK, True)
    setattr(owner, name, property(converted) if isinstance(given, property) else converted)
