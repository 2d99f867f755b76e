"""Kinds of value: what annotations ask for, and how a reference becomes it.

A kind is a name in the descriptor. Whoever changes what a conversion means raises `IO_SEMANTICS`, which moves
every definition.
"""

from __future__ import annotations

import functools
import sys
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pyarrow as pa

from jammi_dagster.adapters.handoff.references import AnyReference, NoReference, ResultReference
from jammi_dagster.adapters.handoff.store_resource import open_store
from jammi_dagster.artifacts import Recorded, VerifiedReads
from jammi_dagster.errors import UnsupportedInput

IO_SEMANTICS = 1

_TABLE = "pyarrow.Table"


@dataclass(frozen=True, slots=True)
class ValueKind:
    """What a parameter's annotation asks for: a kind of table, or a dict of them by partition."""

    name: str
    by_partition: bool = False
    any_shape: bool = False

    def __str__(self) -> str:
        return f"dict[str, {self.name}]" if self.by_partition else self.name


def kind_of(annotation: Any) -> ValueKind:
    """The kind that an annotation asks for; none, and `Any`, ask for a `pa.Table` (or a dict of them)."""
    if annotation is Any or annotation is None or annotation in (object, dict, typing.Dict):  # noqa: UP006
        # the deprecated alias is what a user may have written
        return ValueKind(_TABLE, by_partition=annotation in (dict, typing.Dict), any_shape=True)  # noqa: UP006
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Annotated, dg.Output, dg.MaterializeResult):
        return kind_of(arguments[0])
    if annotation in (dg.Output, dg.MaterializeResult):
        return kind_of(Any)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        inner = kind_of(arguments[1] if len(arguments) == 2 else Any)
        return ValueKind(inner.name, by_partition=True)
    if origin is not None and type(None) in arguments and len(arguments) == 2:
        return kind_of(next(a for a in arguments if a is not type(None)))
    return ValueKind((isinstance(annotation, type) and _known_name(annotation)) or _name(annotation))


def _name(annotation: Any) -> str:
    """An annotation by names alone: the `repr` of what stands in one may hold an address, which is never the same."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _name(arguments[0])
    if origin is not None:
        return f"{_name(origin)}[{', '.join(map(_name, arguments))}]"
    if isinstance(annotation, (str, int, bytes, type(None), type(...))):
        return repr(annotation)
    named = annotation if hasattr(annotation, "__qualname__") else type(annotation)
    return f"{named.__module__}.{named.__qualname__}"


def convert(value: AnyReference, kind: ValueKind, *, parameter: str, reads: VerifiedReads) -> Any:
    """What the parameter gets for a reference. Raises `UnsupportedInput` where its annotation cannot be met."""
    read = _READERS.get(kind.name)
    if read is None:
        raise UnsupportedInput(parameter=parameter, annotation=kind.name, kinds=", ".join(_READERS))
    if isinstance(value, NoReference):
        return {} if kind.by_partition else None
    if isinstance(value, ResultReference):
        return read(reads, value)
    if not kind.by_partition and not kind.any_shape:
        raise UnsupportedInput(
            parameter=parameter,
            annotation=f"{kind.name}, but there are {len(value.by_partition)} upstream partitions",
            kinds=f"dict[str, {kind.name}]",
        )
    return {key: read(reads, reference) for key, reference in value.by_partition.items()}


def lenient_type(annotation: Any) -> dg.DagsterType:
    """A Dagster type that lets a reference through where `annotation` stands; other IO managers still see it."""
    if typing.get_origin(annotation) is typing.Annotated:  # what else it holds need not be hashable
        annotation = typing.get_args(annotation)[0]
    return _lenient_type(annotation)


@functools.cache
def _lenient_type(annotation: Any) -> dg.DagsterType:
    # Dagster wants names of types to be unique
    name = f"JammiResult[{len(_named)}:{getattr(annotation, '__name__', annotation)}]"
    _named.append(name)
    return dg.DagsterType(
        type_check_fn=lambda context, value: True,
        name=name,
        typing_type=annotation,
        metadata={_LENIENT: True},
    )


def is_lenient(dagster_type: dg.DagsterType) -> bool:
    """Whether the type is one of ours, so that its input may be a reference."""
    return _LENIENT in dagster_type.metadata


_LENIENT = "jammi/reference"
_named: list[str] = []


def _known_name(annotation: type) -> str | None:
    if annotation is pa.Table:
        return _TABLE
    for name, (module, attribute) in _OPTIONAL.items():
        loaded = sys.modules.get(module)  # an annotation of a module that is not loaded cannot be
        if loaded is not None and annotation is getattr(loaded, attribute, None):
            return name
    return None


def _recorded(reference: ResultReference) -> Recorded:
    return Recorded(
        root=open_store(reference.store).artifacts,
        table=reference.table,
        path=reference.artifact_path,
        digest=reference.artifact_digest,
    )


def _table(reads: VerifiedReads, reference: ResultReference) -> pa.Table:
    return reads.read_table(_recorded(reference))


def _polars(reads: VerifiedReads, reference: ResultReference) -> Any:
    import polars

    return polars.DataFrame(_table(reads, reference))


_READERS: dict[str, Callable[[VerifiedReads, ResultReference], Any]] = {
    _TABLE: _table,
    "pyarrow.RecordBatchReader": lambda reads, reference: _table(reads, reference).to_reader(),
    "pyarrow.dataset.Dataset": lambda reads, reference: reads.dataset(_recorded(reference)),
    "pandas.DataFrame": lambda reads, reference: _table(reads, reference).to_pandas(),
    "polars.DataFrame": _polars,
    "polars.LazyFrame": lambda reads, reference: _polars(reads, reference).lazy(),
}
_OPTIONAL = {
    "pyarrow.RecordBatchReader": ("pyarrow", "RecordBatchReader"),
    "pyarrow.dataset.Dataset": ("pyarrow.dataset", "Dataset"),
    "pandas.DataFrame": ("pandas", "DataFrame"),
    "polars.DataFrame": ("polars", "DataFrame"),
    "polars.LazyFrame": ("polars", "LazyFrame"),
}
