"""State that earlier steps of this process changed: a function that reads it depends on the order of the steps."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from jammi_dagster.fingerprint.reach.effects import Name
from jammi_dagster.fingerprint.reach.run_changes import LIBRARY
from jammi_dagster.fingerprint.reading import Reading
from jammi_dagster.fingerprint.reasons import reason
from jammi_dagster.fingerprint.sources.modules import shown

_changed: dict[Name, str] = {}  # with the step that changed it


def note_step(step: str, changes: Collection[Name]) -> None:
    """Note that a step has begun in this process, with the names that its code changes (`CodeIdentity.changes`)."""
    _changed.update(dict.fromkeys(changes, step))


def changed_before(code: Reading, ignored: Collection[str], beside: Mapping[Name, str]) -> Iterator[str]:
    """Yield the reasons why the function may read values that other code changed before.

    Other code means earlier steps of this process, and functions `beside` it: the names that those change, each with
    its function.
    """
    for changed, when in ((_changed, "ran before in this process"), (beside, "may run in another process")):
        for (path, name), step in changed.items():
            if name in ignored or not ((path, name) in code.read or (path == LIBRARY and name in code.tops)):
                continue
            place = f"{shown(path)}: {name}" if path else name
            yield reason(f"{place} was changed by {step}, which {when}", ignore=name)
