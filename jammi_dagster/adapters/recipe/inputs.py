"""The input rule: which inputs an asset's tables have, and which state each of them is in (DESIGN 4.2).

Role: `resolve` is the only place that decides this. It asks a `Present`, of which there are two: that of a step that
runs (`execution.inputs.StepPresent`) and that of a code location where nothing runs (`code_location.present.Present`).
Both therefore give the same names, orders, missing inputs and anchors at the same moment.

1. A parameter that gets references reads each of their tables at the digest that the reference pins.
2. A dependency that is declared and not loaded, under the asset's own IO manager, is a *listed* table: it is read at
   its current digest. A table that the catalog lacks falls to rule 3, and so does one whose asset stored nothing at its
   last materialization.
3. Any other asset is known by its last Dagster event. A data version that a user or an observation supplied pins it; a
   model of dbt is pinned by the event itself, with a digest of its code. An asset without such a version is unpinned; a
   partition without any event is missing.
4. A surface of `reads=` is read at the version that it observes. An input that is gone is missing; a surface that
   cannot be observed leaves a name without an anchor.
5. An upstream table that is missing is left out where missing partitions are allowed, and where no parameter gets it;
   otherwise it is in `missing`.
6. A surface of `writes=` is a state of the table itself, not an input: its present version stands among the anchors,
   so that a stored one matches, and is fresh, where it is the version that the function left. It may be gone.
7. The order of the tables behind a parameter counts as far as they are there.

Not done here: undeclared reads (`InputSnapshot.with_unpinned`), the comparison of two snapshots, and errors: a step
raises them, a code location reports them.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import dagster as dg

from jammi_dagster.adapters.assets.declaration import Dependency, is_result_table
from jammi_dagster.catalog import Answer
from jammi_dagster.contract import AnchorKind, InputAnchor
from jammi_dagster.contract.anchors import check_distinct, written_source
from jammi_dagster.errors import JammiError
from jammi_dagster.recording import utc_now
from jammi_dagster.store import ResultStore, StoreIdentity
from jammi_dagster.surfaces import VersionSurface

Tables = Sequence[tuple[str | None, str]]
"""Upstream tables by partition (None for the whole), in the order of the partitions."""

Pin = tuple[str, str | None, AnchorKind]
"""Source, state and kind of one input: an anchor before it is made. The state of an unpinned input is None."""

MADE_ALONG = "made by the same step: "
"""The beginning of a digest that is not known yet: of a table that the step makes beside."""

_DIGEST, _VERSION, _UNPINNED = (
    AnchorKind.RESULT_DIGEST,
    AnchorKind.SOURCE_VERSION,
    AnchorKind.UNPINNED_AT_INSTANT,
)


class Role(enum.Enum):
    """The way in which a dependency is an input: by references, as a listed table, or by Dagster's events."""

    REFERENCES = "references"
    LISTED = "listed"
    EVENTS = "events"


def role_of(
    dependency: Dependency, io_manager_key: str, *, has_references: bool, is_handed_over: bool
) -> Role:
    """Return the role of a dependency of an asset under `io_manager_key`.

    `has_references`: a parameter gets references of ours. `is_handed_over`: the function gets a value of any kind.
    """
    if has_references:
        return Role.REFERENCES
    if not is_handed_over and is_result_table(io_manager_key, dependency):
        return Role.LISTED
    return Role.EVENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredInput:
    """One dependency in its role.

    `store` is the store that references come from. `parameter` is the parameter that gets the tables, if there is one.
    `may_miss`: the author allows missing partitions for it.
    """

    dependency: Dependency
    role: Role
    store: ResultStore | None = None
    parameter: str | None = None
    may_miss: bool = False


class Present(Protocol):
    """The state of everything that tables are made of, at one moment."""

    @property
    def identity(self) -> StoreIdentity:
        """The identity of the store that the asset's tables are in."""

    def references(self, declared: DeclaredInput, tables: Tables) -> Mapping[str, str]:
        """Map each table that a parameter gets a reference to, to its digest."""

    def listed(self, declared: DeclaredInput, tables: Tables) -> Mapping[str, str | None]:
        """Map each listed table that is there to its digest; None for a digest that may not be the one read."""

    def events(self, declared: DeclaredInput, tables: Tables) -> Mapping[str | None, str | None]:
        """Map each partition with a Dagster event to the data version that pins it; None where none does."""

    def observe(self, surface: VersionSurface) -> str | None:
        """Return the version of an external input; None where it is gone. Raises a `JammiError`."""


@dataclass(slots=True, kw_only=True)
class Inputs:
    """The inputs of one table, or of tables that are made together.

    `names` are the sources that exist, sorted. `orders` are the tables behind each parameter that gets several, in
    their order. `missing` are the inputs without which a step refuses to begin: `missing_tables` by upstream asset, and
    the `gone` sources of surfaces. `upstream` are all upstream tables, there or not. `failed` are the errors of
    surfaces that could not be observed. `pins` are the states of the inputs; None in an answer that is kept, because
    states age. `answers` are the materializations that a running step was told of, by table. `unpinned` are reasons for
    sources without a version that need other words than most.

    Example: a table over `a[1]` and `a[2]`, of which the second is not there, has `names=("a[1]",)` and
    `missing=("a[2]",)`.
    """

    names: tuple[str, ...] = ()
    orders: dict[str, Sequence[str]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    upstream: tuple[str, ...] = ()
    missing_tables: Mapping[dg.AssetKey, Sequence[str]] = field(default_factory=dict)
    gone: tuple[str, ...] = ()
    failed: Mapping[str, JammiError] = field(default_factory=dict)
    pins: Sequence[Pin] | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict, compare=False)
    unpinned: dict[str, str] = field(default_factory=dict, compare=False)

    def snapshot(self) -> InputSnapshot:
        """Return the inputs with the anchors to record for them. Raises `DuplicateInput`."""
        assert self.pins is not None, "a kept answer has no states"
        if not (self.pins or self.names or self.orders):
            return _NO_INPUTS
        pins = self.pins
        if len(pins) > 1:
            pins = sorted(dict.fromkeys(pins), key=lambda pin: pin[0])
        anchors = tuple(map(_anchor, pins))
        if len(pins) > 1:
            check_distinct(anchors)
        reasons = tuple(
            self.unpinned.get(anchor.source, _UNPINNED_INPUT).format(source=anchor.source)
            for anchor in anchors
            if anchor.is_unpinned
        )
        return InputSnapshot(
            anchors=anchors, names=self.names, orders=self.orders, reasons=reasons, answers=self.answers
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSnapshot:
    """The anchors of all inputs at one moment, sorted by source, and the reasons why some are not pinned.

    `names` and `orders` are those of the declared inputs that exist; an undeclared read has an anchor and no name.
    """

    anchors: tuple[InputAnchor, ...]
    names: tuple[str, ...]
    orders: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    answers: Mapping[str, Answer] = field(default_factory=dict, compare=False)

    def with_unpinned(self, source: str, reasons: Sequence[str]) -> InputSnapshot:
        """Add one undeclared read, which makes the tables unpinned."""
        anchor = InputAnchor.unpinned_at_instant(source, utc_now())
        anchors = sorted((*self.anchors, anchor), key=lambda a: a.source)
        return replace(self, anchors=tuple(anchors), reasons=(*self.reasons, *reasons))

    def with_digests(self, digests: Mapping[str, str], answers: Mapping[str, Answer]) -> InputSnapshot:
        """Pin some inputs to these digests: tables that were written since."""
        anchors = tuple(
            InputAnchor.result_digest(one.source, digests[one.source]) if one.source in digests else one
            for one in self.anchors
        )
        return replace(self, anchors=anchors, answers={**self.answers, **answers})

    def without_pin(self, source: str, reason: str) -> InputSnapshot:
        """Take one input for unpinned, which makes the tables unpinned."""
        others = tuple(anchor for anchor in self.anchors if anchor.source != source)
        return replace(self, anchors=others).with_unpinned(source, [reason])


_UNPINNED_INPUT = "{source} has no version from before it was read: give it a data version, or observe it"
_UNPINNED_MODEL = (
    "{{source}}: {name} has no materialization from before it was read: "
    "run it in Dagster, or give it a data version"
)
_NO_INPUTS = InputSnapshot(anchors=(), names=())


def resolve(
    declared: Iterable[tuple[DeclaredInput, Tables]],
    surfaces: Sequence[VersionSurface],
    present: Present,
    *,
    allow_missing: bool,
    written: Sequence[VersionSurface] = (),
) -> Inputs:
    """Resolve declared inputs, surfaces and `written` ones against the present.

    Raises nothing for an input that is not there.
    """
    pins: list[Pin] = []
    upstream: list[str] = []
    missing: dict[dg.AssetKey, Sequence[str]] = {}
    orders: dict[str, Sequence[str]] = {}
    unpinned: dict[str, str] = {}
    for one, tables in declared:
        if one.dependency.dbt is not None:
            why = _UNPINNED_MODEL.format(name=one.dependency.dbt.name)
            unpinned |= {_dagster_source(present, table): why for _, table in tables}
        upstream.extend([table for _, table in tables])
        absent = _pin_tables(one, tables, present, pins)
        if absent and one.parameter is not None and not one.may_miss:
            missing[one.dependency.asset_key] = absent
        if one.parameter is not None and len(tables) > 1:
            there = set(absent) if absent else ()
            orders[one.parameter] = [table for _, table in tables if table not in there]
    inputs = Inputs(orders=orders, upstream=tuple(upstream), pins=pins, unpinned=unpinned)
    names = {pin[0] for pin in pins}
    if surfaces:
        names |= _pin_surfaces(surfaces, present, pins, inputs)
    if written:
        names |= _pin_written(written, present, pins, inputs)
    inputs.names = tuple(sorted(names))
    if missing and not allow_missing:
        inputs.missing_tables = missing
        inputs.missing = tuple(table for absent in missing.values() for table in absent)
    if inputs.gone:
        inputs.missing += inputs.gone
    return inputs


def _pin_tables(declared: DeclaredInput, tables: Tables, present: Present, pins: list[Pin]) -> list[str]:
    """Append a pin for each table that is there; return the others."""
    if declared.role is Role.REFERENCES:
        prefix, kind = _foreign(declared.store, present)
        digests: Mapping[str, str | None] = present.references(declared, tables)
        pins.extend([(prefix + table, digests[table], kind) for _, table in tables if table in digests])
        return [table for _, table in tables if table not in digests]
    rest = tables
    if declared.role is Role.LISTED:
        digests = present.listed(declared, tables)
        for _, table in tables:
            if table in digests:
                digest = digests[table]
                pins.append((table, digest, _UNPINNED if digest is None else _DIGEST))
        rest = [pair for pair in tables if pair[1] not in digests]
    return _pin_events(declared, rest, present, pins) if rest else []


def _pin_events(declared: DeclaredInput, tables: Tables, present: Present, pins: list[Pin]) -> list[str]:
    """Append a pin for each table that Dagster has an event of, and for an unpartitioned one in any case."""
    versions = present.events(declared, tables)
    missing = []
    for partition, table in tables:
        if partition is None or partition in versions:
            version = versions.get(partition)
            source = _dagster_source(present, table)
            pins.append((source, version, _UNPINNED if version is None else _VERSION))
        else:
            missing.append(table)
    return missing


def _dagster_source(present: Present, table: str) -> str:
    return f"dagster:{present.identity.home}/{table}"


def _pin_surfaces(
    surfaces: Sequence[VersionSurface], present: Present, pins: list[Pin], inputs: Inputs
) -> set[str]:
    """Append a pin for each surface that gives a version; return the names of all that are taken to be there."""
    names: set[str] = set()
    gone: list[str] = []
    failed: dict[str, JammiError] = {}
    for surface in _distinct(surfaces):
        source = surface.source
        try:
            version = present.observe(surface)
        except JammiError as error:
            failed[source] = error
            names.add(source)
            continue
        if version is None:
            gone.append(source)
        else:
            pins.append((source, version, _VERSION))
            names.add(source)
    inputs.gone, inputs.failed = tuple(gone), failed
    return names


def _pin_written(
    surfaces: Sequence[VersionSurface], present: Present, pins: list[Pin], inputs: Inputs
) -> set[str]:
    """Append a pin for each surface that the function has written, at the version that it has now; return all names."""
    failed: dict[str, JammiError] = {}
    for surface in surfaces:
        try:
            version = present.observe(surface)
        except JammiError as error:
            failed[surface.source] = error
        else:
            if version is not None:
                pins.append((written_source(surface.source), version, _VERSION))
    inputs.failed = {**inputs.failed, **failed}
    return {written_source(surface.source) for surface in surfaces}


def _distinct(surfaces: Sequence[VersionSurface]) -> list[VersionSurface]:
    """Return the surfaces without repeats: one may be declared twice, or for several partitions of a range."""
    by_source: dict[str, list[VersionSurface]] = {}
    for surface in surfaces:
        alike = by_source.setdefault(surface.source, [])
        if surface not in alike:
            alike.append(surface)
    return [surface for alike in by_source.values() for surface in alike]


def _foreign(store: ResultStore | None, present: Present) -> tuple[str, AnchorKind]:
    """Return the prefix and kind of the anchors of a store's tables: names resolve in the asset's own store alone."""
    if store is None or store.identity == present.identity:
        return "", _DIGEST
    return f"dagster:{store.scope.home}/", _VERSION


def _anchor(pin: Pin) -> InputAnchor:
    source, state, kind = pin
    if state is None:
        return InputAnchor.unpinned_at_instant(source, utc_now())
    if kind is _DIGEST:
        return InputAnchor.result_digest(source, state)
    return InputAnchor.source_version(source, state)
