"""The inputs of a running step: the references that it was handed, and the present that it sees (DESIGN 4.2).

The rule is that of `recipe.inputs`; here are the answers of a step, the errors for inputs that are not there, and the
comparison of two snapshots around the body.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.declaration import Dependency
from jammi_dagster.adapters.assets.spec import TableSpec
from jammi_dagster.adapters.execution.step import Step
from jammi_dagster.adapters.handoff.references import (
    NoReference,
    PartitionReferences,
    ResultReference,
    references_in,
)
from jammi_dagster.adapters.handoff.store_resource import open_store
from jammi_dagster.adapters.recipe.inputs import (
    DeclaredInput,
    Inputs,
    InputSnapshot,
    Tables,
    resolve,
    role_of,
)
from jammi_dagster.catalog import Answer, MaterializationRecord
from jammi_dagster.contract import InputAnchor
from jammi_dagster.contract.anchors import is_written
from jammi_dagster.errors import InputMissing, MissingUpstream
from jammi_dagster.recording import utc_now
from jammi_dagster.store import ResultStore
from jammi_dagster.surfaces import VersionSurface


class StepPresent:
    """The present of a running step: the references it was handed, and tables of its own run before current ones.

    `is_plain`: the step's body ran before the first snapshot, so a table that moved since the step began pins nothing.
    `siblings` are the digests of tables that the same step makes or reuses.
    Implements the protocol of `recipe.inputs`.
    """

    def __init__(
        self,
        step: Step,
        store: ResultStore,
        loaded: Mapping[str, Any],
        *,
        is_plain: bool = False,
        siblings: Mapping[str, str] | None = None,
    ) -> None:
        self._step, self._store, self._loaded, self._is_plain = step, store, loaded, is_plain
        self._siblings = siblings or {}
        self.identity = store.identity
        self._answers: dict[str, Answer] = {}

    def inputs(self, spec: TableSpec, *, allow_missing: bool) -> Inputs:
        """Resolve everything that the step declares, as of now."""
        surfaces = spec.surfaces(self._step.partition_keys)
        declared = [self._declared(dependency, spec) for dependency in self._step.dependencies]
        written = spec.written(self._step.partition_keys)
        found = resolve(declared, surfaces, self, allow_missing=allow_missing, written=written)
        found.answers = self._answers
        return found

    def references(self, declared: DeclaredInput, tables: Tables) -> Mapping[str, str]:
        """Map the tables that the step was handed references to, to the digests that these pin."""
        handed = self._handed(declared.dependency) or ()
        self._answers.update((r.table, r.answer) for r in handed if r.store == self.identity)
        return {r.table: r.artifact_digest for r in handed}

    def listed(self, declared: DeclaredInput, tables: Tables) -> Mapping[str, str | None]:
        """Map listed tables to the digest that this run made of them, or to the current one.

        An asset may at times store nothing: then Dagster has a later version than the catalog, or the only one.
        """
        dependency = declared.dependency
        if made := {table: self._siblings[table] for _, table in tables if table in self._siblings}:
            return made
        names = [table for _, table in tables]
        of_run = self._store.reader.of_run(self._step.run_id, names)
        found = self._store.reader.current_of(names) | of_run
        if dependency.partitions is None and not of_run:
            found = {t: record for t, record in found.items() if not self._is_outdated(dependency, record)}
        self._answers.update(
            (table, Answer(record.answered_by or self.identity.deployment, record.materialization_id))
            for table, record in found.items()
        )
        moved = self._step.made_since_start(dependency) if self._is_plain else frozenset[str | None]()
        return {
            table: None if key in moved and table not in of_run else found[table].artifact_digest
            for key, table in tables
            if table in found
        }

    def events(self, declared: DeclaredInput, tables: Tables) -> Mapping[str | None, str | None]:
        """Map each partition with an event to its supplied data version.

        A version that came after the step began may not be the one that was read, so it pins nothing that was.
        """
        dependency = declared.dependency
        was_read = self._is_plain or dependency.input_name in self._loaded
        if dependency.partitions is not None:
            dependency = replace(dependency, partitions=tuple(str(key) for key, _ in tables))
        versions = zip(dependency.keys, self._step.data_versions(dependency), strict=True)
        return {
            key: None if was_read and version.after_start else version.supplied
            for key, version in versions
            if version is not None
        }

    def observe(self, surface: VersionSurface) -> str | None:
        """Ask a surface for its version."""
        return surface.observe()

    def _declared(self, dependency: Dependency, spec: TableSpec) -> tuple[DeclaredInput, Tables]:
        """Return a dependency in its role, with its tables, and any other that the step was handed."""
        handed = self._handed(dependency)
        role = role_of(
            dependency,
            self._step.io_manager_key,
            has_references=handed is not None,
            is_handed_over=dependency.input_name in self._loaded,
        )
        tables = list(zip(dependency.keys, dependency.tables, strict=True))
        store = None
        if handed:
            known = set(dependency.tables)
            tables += [(None, r.table) for r in handed if r.table not in known]
            store = self._store if handed[0].store == self.identity else open_store(handed[0].store)
        parameter = dependency.input_name if dependency.input_name in spec.shape.inputs else None
        may_miss = self._step.may_miss(dependency)
        declared = DeclaredInput(
            dependency=dependency, role=role, store=store, parameter=parameter, may_miss=may_miss
        )
        return declared, tables

    def _handed(self, dependency: Dependency) -> tuple[ResultReference, ...] | None:
        """Return the references that the step was handed for a dependency; None where it got no reference of ours."""
        value = self._loaded.get(dependency.input_name or "")
        is_ours = isinstance(value, (PartitionReferences, ResultReference, NoReference))
        return references_in(value) if is_ours else None

    def _is_outdated(self, dependency: Dependency, record: MaterializationRecord) -> bool:
        version = self._step.data_version_at_start(dependency.asset_key)
        if version is None or version == record.artifact_digest:
            return False
        last = self._step.data_versions(dependency)[0]
        return last is not None and last.stored_nothing


def require(inputs: Inputs, step: Step, store: ResultStore) -> None:
    """Raise `MissingUpstream`, `InputMissing` or a surface's own error for inputs that a step cannot begin without."""
    for upstream, tables in inputs.missing_tables.items():
        raise missing_upstream(f"asset {step.asset_key.to_user_string()}", upstream, tables, store)
    for error in inputs.failed.values():
        raise error
    for source in inputs.gone:
        way_out = "make it, or take it out of reads="
        raise InputMissing(source=source, table=step.tables[0], way_out=way_out)


def settle(
    before: InputSnapshot, after: InputSnapshot, *, moved: Collection[str] = frozenset()
) -> InputSnapshot:
    """Return the anchors to record for a body that ran between two snapshots: an input that moved is unpinned.

    `moved` are sources that changed while the body ran, although their versions are the same again. A surface that the
    body writes has its version after the body.
    """
    now = {anchor.source: anchor for anchor in after.anchors}
    reasons = list(before.reasons)
    anchors = []
    for anchor in before.anchors:
        if is_written(anchor.source):
            continue
        is_same = now.get(anchor.source) == anchor and anchor.source not in moved
        if anchor.is_unpinned or is_same:
            anchors.append(anchor)
            continue
        anchors.append(InputAnchor.unpinned_at_instant(anchor.source, utc_now()))
        reasons.append(f"{anchor.source} changed while it was read; the next run sees it settled")
    written = {source for source in now if is_written(source)}
    anchors.extend([now[source] for source in written])
    for source in sorted(set(now) - written - {anchor.source for anchor in before.anchors}):
        anchors.append(InputAnchor.unpinned_at_instant(source, utc_now()))
        reasons.append(f"{source} came while the body ran; the next run sees it")
    anchors.sort(key=lambda anchor: anchor.source)
    return replace(before, anchors=tuple(anchors), reasons=tuple(reasons))


def missing_upstream(
    asset: str, upstream: dg.AssetKey, missing: Sequence[str], store: ResultStore
) -> MissingUpstream:
    """Return the error for upstream tables that are not there."""
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
