"""The rules that hold after any fault: a comparison of stores before, after a clean run, and now."""

import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fault_stacks_kit import Seen

from jammi_dagster.artifacts import sidecar_path
from jammi_dagster.contract import MaterializationManifest
from jammi_dagster.errors import JammiError

Name = tuple[str, str, str]
Label = tuple[Any, ...] | None

_CONTROL = ("jammi-root.json", "jammi-maintenance.json")
_TOMBSTONES = (".dropped.json", ".collected.json")
_ON_THE_WAY = {"collected": ("collecting",)}


@dataclass(frozen=True)
class Expected:
    """A store before a pass, after a clean run of it, and after the runs that follow."""

    before: Seen
    after: Seen
    final: Seen


def current(seen: Seen) -> dict[Name, Label]:
    """Give the definition and digest that each name resolves to."""
    return {
        name: (row.definition_hash, row.artifact_digest)
        for name, one in seen.pointers.items()
        if one is not None and (row := seen.rows.get(one)) is not None
    }


def after_a_fault(expected: Expected, now: Seen, *, acknowledged: bool, may_change: bool) -> Iterator[str]:
    """Yield each rule that the store breaks right after the fault."""
    yield from _pointers(expected, now, acknowledged=acknowledged, may_change=may_change)
    yield from _rows(expected, now)
    yield from _objects(expected.before, expected.after, now)
    yield from torn(now, but=set(_torn_ids(expected.before)))
    if acknowledged:
        yield from _differences(expected.after, now, "acknowledged, and not there")


def after_the_next_run(expected: Expected, now: Seen) -> Iterator[str]:
    """Yield each rule that the store breaks after the next run of the same pass: it is as after a clean run."""
    yield from _pointers(expected, now, acknowledged=True, may_change=True)
    yield from _rows(expected, now)
    yield from _objects(expected.before, expected.final, now)  # recovery may have run before
    yield from torn(now, but=set(_torn_ids(expected.after)))
    yield from _differences(expected.after, now, "not there after the next run")


def in_the_end(expected: Expected, now: Seen) -> Iterator[str]:
    """Yield what is left over after recovery, and would not be after clean runs."""
    yield from torn(now, but=set(_torn_ids(expected.final)))
    for path in sorted(_litter(now) - _litter(expected.final)):
        yield f"litter: {path}"
    for row in now.rows.values():
        if row.status == "building":
            yield f"still building: {row.table_name}"
    if current(now) != current(expected.final):
        yield f"current in the end: {_changed(current(expected.final), current(now))}"


def _pointers(expected: Expected, now: Seen, *, acknowledged: bool, may_change: bool) -> Iterator[str]:
    before, after, found = current(expected.before), current(expected.after), current(now)
    groups: dict[Any, list[Name]] = defaultdict(list)
    for name in before.keys() | after.keys() | found.keys():
        if before.get(name) == after.get(name):
            if found.get(name) != before.get(name):
                yield f"current changed: {name}"
        else:
            groups[_attempt(expected, name)].append(name)
    for names in groups.values():
        is_before = all(found.get(name) == before.get(name) for name in names)
        is_after = all(found.get(name) == after.get(name) for name in names)
        if acknowledged and not is_after:
            yield f"acknowledged, and not current: {names}"
        elif is_after and not may_change:
            yield f"current before its commit: {names}"
        elif not (is_before or is_after or _is_earlier(expected, now, names)):
            yield f"half a range is current: {names}"
    for name, one in now.pointers.items():
        if one is not None and (one not in now.rows or now.rows[one].status != "ready"):
            yield f"current and not ready: {name}"
        if now.told.get(name) != one:
            yield f"current, and not the last in its history: {name}"


def _is_earlier(expected: Expected, now: Seen, names: list[Name]) -> bool:
    """Tell if a table without name got its history back without the last one, which could not be read this time."""
    if any(name in current(expected.before) for name in names):
        return False
    rows = [expected.after.rows.get(now.pointers.get(name) or "") for name in names]
    return all(row is not None and row.status == "ready" for row in rows)


def _attempt(expected: Expected, name: Name) -> Any:
    for seen in (expected.after, expected.before):
        one = seen.pointers.get(name)
        if one is not None and one in seen.rows:
            return seen.rows[one].attempt_id or one
    return name


def _rows(expected: Expected, now: Seen) -> Iterator[str]:
    for identity, row in expected.before.rows.items():
        found, later = now.rows.get(identity), expected.after.rows.get(identity)
        if row.status != "ready":
            continue
        if found is None or later is None:
            yield f"a ready row is gone: {row.table_name}"
        elif found.status not in (row.status, *_ON_THE_WAY.get(later.status, ()), later.status):
            yield f"a ready row is {found.status}: {row.table_name}"
        elif (found.artifact_path, found.artifact_digest) != (row.artifact_path, row.artifact_digest):
            yield f"a ready row was changed: {row.table_name}"


def _objects(before: Seen, after: Seen, now: Seen) -> Iterator[str]:
    for path, digest in before.objects.items():
        if path in _CONTROL or path not in after.objects:
            continue
        if path not in now.objects:
            yield f"an object is gone: {path}"
        elif now.objects[path] != digest:
            yield f"an object was changed: {path}"


def torn(now: Seen, *, but: set[str]) -> Iterator[str]:
    """Yield ready rows without whole bytes and an agreeing sidecar."""
    for identity in _torn_ids(now):
        if identity not in but:
            yield f"torn: {now.rows[identity].table_name}"


def _torn_ids(seen: Seen) -> Iterator[str]:
    return (
        identity for identity, row in seen.rows.items() if row.status == "ready" and not is_whole(seen, row)
    )


def is_whole(seen: Seen, row: Any) -> bool:
    """Tell if the bytes of a row, and a sidecar that says the same, are there."""
    sidecar = seen.sidecars.get(sidecar_path(row.artifact_path))
    digest = seen.objects.get(row.artifact_path)
    if sidecar is None or digest is None:
        return False
    recorded = digest if row.artifact_digest is None else row.artifact_digest
    return (*_named(sidecar), digest) == (row.id, row.table_name, recorded, recorded)


@functools.cache
def _named(sidecar: bytes) -> tuple[Any, ...]:
    """Give the materialization, table and digest that a sidecar names."""
    try:
        manifest = MaterializationManifest.from_bytes(sidecar, where="a sidecar")
    except JammiError:
        return ()
    own = manifest.own or {}
    return own.get("materialization"), own.get("table"), str(manifest.artifact)


def whole_attempts(seen: Seen) -> set[str]:
    """Give the ids of the `building` rows whose whole attempt is there: recovery publishes them."""
    attempts: dict[str, list[Any]] = defaultdict(list)
    for row in seen.rows.values():
        if row.status == "building":
            attempts[row.attempt_id].append(row)
    return {
        row.id
        for rows in attempts.values()
        if len(rows) == rows[0].attempt_size and all(is_whole(seen, row) for row in rows)
        for row in rows
    }


def _differences(wanted: Seen, now: Seen, what: str) -> Iterator[str]:
    there = {_described(row) for row in now.rows.values()}
    for row in wanted.rows.values():
        if row.status == "ready" and _described(row) not in there:
            yield f"{what}: {row.table_name}"


def _described(row: Any) -> tuple[Any, ...]:
    return row.tenant, row.deployment, row.table_name, row.status, row.definition_hash, row.artifact_digest


def _litter(seen: Seen) -> set[str]:
    named = {row.artifact_path for row in seen.rows.values() if row.status == "ready"}
    named |= {sidecar_path(path) for path in named}
    return {
        path
        for path in seen.objects
        if path not in named and path not in _CONTROL and not path.endswith(_TOMBSTONES)
    }


def _changed(wanted: Mapping[Name, Label], found: Mapping[Name, Label]) -> list[Name]:
    return [name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)]
