"""Over what a Dagster step makes its tables: the anchor of each declared input (DESIGN 4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.declaration import Dependency, is_result_table
from jammi_dagster.adapters.execution.step import Step
from jammi_dagster.adapters.handoff.references import NoReference, PartitionReferences, ResultReference
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import InputAnchor
from jammi_dagster.contract.anchors import check_distinct
from jammi_dagster.errors import InputMissing, MissingUpstream, SurfaceUnavailable
from jammi_dagster.recording import utc_now
from jammi_dagster.store import ResultStore
from jammi_dagster.surfaces import VersionSurface


@dataclass(frozen=True, slots=True, kw_only=True)
class StepInputs:
    """The anchors of a step's inputs, sorted by source, and the reasons why some are not pinned.

    `names` are the declared inputs that exist; an undeclared read has an anchor, but no name among them.
    """

    anchors: tuple[InputAnchor, ...]
    names: tuple[str, ...]
    reasons: tuple[str, ...] = ()

    def with_unpinned(self, source: str, reasons: Sequence[str]) -> StepInputs:
        """The same, and one undeclared read that makes the tables unpinned; as it is where there are no reasons."""
        if not reasons:
            return self
        anchor = InputAnchor.unpinned_at_instant(source, utc_now())
        anchors = sorted((*self.anchors, anchor), key=lambda a: a.source)
        return replace(self, anchors=tuple(anchors), reasons=(*self.reasons, *reasons))


def resolve_inputs(
    step: Step,
    store: ResultStore,
    loaded: Mapping[str, Any],
    surfaces: Iterable[VersionSurface],
    *,
    allow_missing: bool,
    required: bool,
    unwatched: bool = False,
) -> StepInputs:
    """The anchors of everything that the step declares, as of now.

    `loaded` holds, by input name, the references that the step got; what is not there was loaded by another IO
    manager, or not at all. `unwatched`: the body ran before the first look, so what moved since the step began
    pins nothing. Raises `MissingUpstream`, `DuplicateInput`, and for a surface that is `required` `InputMissing` and
    `SurfaceUnavailable`.
    """
    anchors: list[InputAnchor] = []
    for dependency in step.dependencies:
        references = _references(loaded.get(dependency.input_name or ""))
        if references is not None:
            _check_partitions(step, store, dependency, {r.table for r in references}, allow_missing)
            anchors.extend(reference.anchor(store) for reference in references)
        elif dependency.input_name not in loaded and is_result_table(step.io_manager_key, dependency):
            anchors.extend(_current_anchors(step, store, dependency, allow_missing, unwatched=unwatched))
        else:
            was_read = unwatched or dependency.input_name in loaded
            anchors.extend(_dagster_anchors(step, store, dependency, allow_missing, was_read=was_read))
    for surface in _distinct(surfaces):
        version = _observed(surface, table=step.tables[0], required=required)
        if version is not None:
            anchors.append(InputAnchor.source_version(surface.source, version))
    ordered = tuple(sorted(dict.fromkeys(anchors), key=lambda anchor: anchor.source))
    check_distinct(ordered)
    unpinned = [anchor.source for anchor in ordered if anchor.is_unpinned]
    reasons = [
        f"{source} has no version from before it was read: give it a data version, or observe it"
        for source in unpinned
    ]
    return StepInputs(
        anchors=ordered, names=tuple(anchor.source for anchor in ordered), reasons=tuple(reasons)
    )


def settle(before: StepInputs, after: StepInputs) -> StepInputs:
    """The anchors to record for a body that ran between two looks: what moved meanwhile is unpinned (DESIGN 4.2)."""
    now = {anchor.source: anchor for anchor in after.anchors}
    reasons = list(before.reasons)
    anchors = []
    for anchor in before.anchors:
        if anchor.is_unpinned or now.get(anchor.source) == anchor:
            anchors.append(anchor)
            continue
        anchors.append(InputAnchor.unpinned_at_instant(anchor.source, utc_now()))
        reasons.append(f"{anchor.source} changed while it was read; the next run sees it settled")
    for source in sorted(set(now) - {anchor.source for anchor in before.anchors}):
        anchors.append(InputAnchor.unpinned_at_instant(source, utc_now()))
        reasons.append(f"{source} came while the body ran; the next run sees it")
    anchors.sort(key=lambda anchor: anchor.source)
    return replace(before, anchors=tuple(anchors), reasons=tuple(reasons))


def _observed(surface: VersionSurface, *, table: str, required: bool) -> str | None:
    """The surface's version; where it is not `required`, None for an input that is gone or cannot be observed."""
    try:
        version = surface.observe()
    except SurfaceUnavailable:
        if required:
            raise
        return None
    if version is None and required:
        way_out = "make it, or take it out of reads="
        raise InputMissing(source=surface.source, table=table, way_out=way_out)
    return version


def _distinct(surfaces: Iterable[VersionSurface]) -> list[VersionSurface]:
    """The surfaces without repeats: one may be declared twice, or for several partitions of a range."""
    by_source: dict[str, list[VersionSurface]] = {}
    for surface in surfaces:
        alike = by_source.setdefault(surface.source, [])
        if surface not in alike:
            alike.append(surface)
    return [surface for alike in by_source.values() for surface in alike]


def _references(value: Any) -> tuple[ResultReference, ...] | None:
    """The references of an input, or None where another IO manager loaded it."""
    if isinstance(value, PartitionReferences):
        return tuple(value.by_partition.values())
    if isinstance(value, NoReference):
        return ()
    return (value,) if isinstance(value, ResultReference) else None


def _check_partitions(
    step: Step, store: ResultStore, dependency: Dependency, found: set[str], allow_missing: bool
) -> None:
    missing = [table for table in dependency.tables if table not in found]
    if missing and not allow_missing:
        raise missing_upstream(
            f"asset {step.asset_key.to_user_string()}", dependency.asset_key, missing, store
        )


def missing_upstream(
    asset: str, upstream: dg.AssetKey, missing: Sequence[str], store: ResultStore
) -> MissingUpstream:
    """The error for upstream tables that are not there."""
    shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
    partial = "" if len(missing) == 1 and "[" not in missing[0] else ", or set allow_missing_partitions=True"
    return MissingUpstream(
        asset=asset,
        missing=shown,
        upstream=upstream.to_user_string(),
        verb="is" if len(missing) == 1 else "are",
        deployment=store.scope.deployment,
        partial=partial,
    )


def _current_anchors(
    step: Step, store: ResultStore, dependency: Dependency, allow_missing: bool, *, unwatched: bool
) -> list[InputAnchor]:
    """A dependency that is declared and not loaded, by what this run made of it, otherwise by what is current.

    An asset may at times store nothing: then Dagster has a later version than the catalog, or the only one.
    """
    of_run = store.reader.of_run(step.run_id, dependency.tables)
    found = store.reader.current_of(dependency.tables) | of_run
    if dependency.partitions is None and not of_run:
        found = {name: record for name, record in found.items() if not _is_outdated(step, dependency, record)}
    moved = step.made_since_start(dependency) if unwatched else frozenset[str | None]()
    anchors: list[InputAnchor] = []
    elsewhere: list[str] = []
    for key, table in zip(dependency.keys, dependency.tables, strict=True):
        if table not in found:
            elsewhere.append(str(key))
        elif key in moved and table not in of_run:
            anchors.append(InputAnchor.unpinned_at_instant(table, utc_now()))
        else:
            anchors.append(ResultReference.of(store, found[table]).anchor(store))
    if elsewhere:
        rest = (
            dependency if dependency.partitions is None else replace(dependency, partitions=tuple(elsewhere))
        )
        anchors.extend(_dagster_anchors(step, store, rest, allow_missing, was_read=unwatched))
    return anchors


def _is_outdated(step: Step, dependency: Dependency, record: MaterializationRecord) -> bool:
    version = step.data_version_at_start(dependency.asset_key)
    if version is None or version == record.artifact_digest:
        return False
    last = step.data_versions(dependency)[0]
    return last is not None and last.stored_nothing


def _dagster_anchors(
    step: Step, store: ResultStore, dependency: Dependency, allow_missing: bool, *, was_read: bool
) -> list[InputAnchor]:
    """Any other asset, by Dagster's latest data version where a user or an observation supplied it.

    Where the asset `was_read` before this look, a version that came after the step began may not be the one that
    was read, so it pins nothing.
    """
    versions = step.data_versions(dependency)
    anchors, missing = [], []
    for table, version in zip(dependency.tables, versions, strict=True):
        source = f"dagster:{store.scope.deployment}/{table}"
        if version is not None and version.supplied is not None and not (was_read and version.after_start):
            anchors.append(InputAnchor.source_version(source, version.supplied))
        elif version is not None or dependency.partitions is None:
            anchors.append(InputAnchor.unpinned_at_instant(source, utc_now()))
        else:
            missing.append(table)
    if missing and not allow_missing:
        raise missing_upstream(
            f"asset {step.asset_key.to_user_string()}", dependency.asset_key, missing, store
        )
    return anchors
