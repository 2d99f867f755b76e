"""Recovery: finishes or clears away the rows and objects of crashed writers. Never touches a live one.

A live writer's row has a lease that it renews by the database's clock, and a row names its objects from before they
exist; so nothing that is taken or removed here is in use. Each step is a compare-and-swap on one row: recovery is
idempotent, and may run beside writers and beside itself.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from jammi_dagster.artifacts import ArtifactRoot, sidecar_path, tables_folder
from jammi_dagster.catalog import (
    LEASE_SECONDS,
    AbandonedRow,
    BuildingRow,
    CatalogWriter,
    Database,
    Lease,
    ReadyRow,
    RecoveryRows,
    Scope,
)
from jammi_dagster.contract import MaterializationManifest, canonical_json
from jammi_dagster.contract.fields import Fields
from jammi_dagster.errors import (
    ArtifactMissing,
    ArtifactOutsideRoot,
    InvalidManifest,
    JammiError,
    LeaseLost,
    ObjectsMissing,
    StorageFailed,
    UnknownManifestVersion,
)

GRACE_SECONDS = 24 * 3600.0
_AT_ONCE = 5_000
_MOST_MISSING, _MOST_MISSING_SHARE = 10, 0.05
# the funnel's objects, below the tenant's folder: anything else there (an engine's tables) is not ours to remove
_OURS = re.compile(r"/[^/]+/[0-9a-f]{32}\.(parquet|materialization\.json)")


@dataclass(slots=True, kw_only=True)
class RecoveryReport:
    """The changes that recovery made, or with `dry_run` would make.

    Ids of materializations that were `promoted` (complete, now ready), `failed` (incomplete) and `lost` (ready, but
    without sidecar); paths below the root that were `reclaimed` (objects that no row names); keys of anchor sets
    whose edges were `reindexed`. `damaged` are ids of ready ones that are only told: their sidecar says another
    digest, or nothing, or their bytes are gone or of another length; a probe passes over those without bytes.
    """

    dry_run: bool
    promoted: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    reclaimed: list[str] = field(default_factory=list)
    reindexed: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Give the report as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """One pass of recovery over the rows and objects of one tenant, in all of its deployments.

    `grace_seconds` is for how long an object without a row is kept: longer than anybody reads through a reference.
    """

    database: Database
    root: ArtifactRoot
    scope: Scope
    random_hex: Callable[[int], str]
    grace_seconds: float = GRACE_SECONDS
    dry_run: bool = False
    clock: Callable[[], float] = time.time

    def run(self) -> RecoveryReport:
        """Make the pass. An error of catalog or storage ends it; changes made until then stand.

        Raises `ObjectsMissing`, before anything is done, where so much is missing that the root must be the cause.
        """
        if self.database.is_foreign or not self.dry_run:
            self.database.check_writable()
        report = RecoveryReport(dry_run=self.dry_run)
        rows = RecoveryRows(self.database, self.scope)
        lost, report.damaged = self._look(rows)
        for abandoned in rows.abandoned():
            self._settle(rows, abandoned, report)
        report.lost = [one for one in lost if self.dry_run or rows.lose(one)]
        self._reclaim(rows, report)
        for set_key in rows.sets_with_wrong_edges():
            report.reindexed.append(set_key)
            if not self.dry_run:
                rows.rebuild_edges(set_key)
        return report

    def _look(self, rows: RecoveryRows) -> tuple[list[str], list[str]]:
        """List the ready rows that are lost, for want of a sidecar, and the damaged ones. Raises `ObjectsMissing`."""
        lost, damaged, incomplete = list[str](), list[str](), list[str]()
        total, is_root_there = 0, False
        for kept in rows.ready_with_manifest():
            total += 1
            has_sidecar, agrees = True, False
            try:
                size = self.root.size(kept.artifact_path)
                found = self._manifest(kept.artifact_path).artifact, size
                agrees = found == (kept.artifact_digest, kept.size_bytes)
            except ArtifactMissing:
                has_sidecar = False
                lost.append(kept.materialization_id)
            except (InvalidManifest, UnknownManifestVersion):
                pass
            except ArtifactOutsideRoot:  # which tells nothing of the root
                damaged.append(kept.materialization_id)
                continue
            if has_sidecar and not agrees:
                damaged.append(kept.materialization_id)
            if not has_sidecar or size is None:
                incomplete.append(kept.materialization_id)
            is_root_there = is_root_there or has_sidecar or size is not None
        allowed = max(_MOST_MISSING, _MOST_MISSING_SHARE * total) if is_root_there else 0
        if len(incomplete) > allowed:
            # a table that was dropped, and reclaimed by another recovery, since it was listed is not missing
            missing = sum(
                rows.count_ready(incomplete[i : i + _AT_ONCE]) for i in range(0, len(incomplete), _AT_ONCE)
            )
            if missing > allowed:
                raise ObjectsMissing(root=self.root.name, missing=missing, total=total)
        return lost, damaged

    def _manifest(self, artifact: str) -> MaterializationManifest:
        path = sidecar_path(artifact)
        return MaterializationManifest.from_bytes(self.root.read_bytes(path), where=self.root.uri(path))

    def _settle(self, rows: RecoveryRows, abandoned: AbandonedRow, report: RecoveryReport) -> None:
        """Publish a row with bytes and sidecar that are whole and agree; fail any other, and remove its bytes."""
        lease = Lease(token=self.random_hex(16), owner="recovery", seconds=LEASE_SECONDS)
        if not self.dry_run and not rows.take(abandoned.materialization_id, lease):
            return
        finished = self._complete(abandoned)
        if self.dry_run:
            (report.failed if finished is None else report.promoted).append(abandoned.materialization_id)
            return
        writer = CatalogWriter(
            self.database, Scope(tenant=self.scope.tenant, deployment=abandoned.deployment)
        )
        try:
            if finished is not None:
                writer.finish([finished[0]], lease=lease, run_id=finished[1])
                report.promoted.append(abandoned.materialization_id)
            elif writer.fail([_building(abandoned)], lease=lease):
                report.failed.append(abandoned.materialization_id)
                self._remove(rows, abandoned.artifact_path)
        except LeaseLost:  # another recovery was at it while this one read for longer than a lease
            return

    def _remove(self, rows: RecoveryRows, artifact: str) -> None:
        """Remove the objects of a failed row; never anything outside the root, whatever path the row holds."""
        with contextlib.suppress(ArtifactOutsideRoot):
            paths = [artifact, sidecar_path(artifact)]
            for path in sorted({*paths} - rows.named(paths, grace_seconds=self.grace_seconds)):
                self.root.delete(path)

    def _complete(self, abandoned: AbandonedRow) -> tuple[ReadyRow, str | None] | None:
        """Read the flip that the writer did not come to, with its run; None if anything for it is missing."""
        try:
            finished, run_id = _of_manifest(abandoned, self._manifest(abandoned.artifact_path))
            size, digest = self.root.size(abandoned.artifact_path), self.root.digest(abandoned.artifact_path)
        except (StorageFailed, UnknownManifestVersion):
            raise  # it may be whole: that is for another pass to find out
        except JammiError:  # nothing there, or no manifest of ours: the row was never complete
            return None
        return (
            (finished, run_id) if (size, digest) == (finished.size_bytes, finished.artifact_digest) else None
        )

    def _reclaim(self, rows: RecoveryRows, report: RecoveryReport) -> None:
        """Remove objects of ours that are older than the grace period and that no row names."""
        oldest = self.clock() - self.grace_seconds
        folder = tables_folder(self.scope.tenant or None)
        old = (
            path
            for path, _, written in self.root.objects(folder)
            if written is not None and written < oldest and _OURS.fullmatch(path.removeprefix(folder))
        )
        while some := list(itertools.islice(old, _AT_ONCE)):
            named = rows.named(some, grace_seconds=self.grace_seconds)
            for path in some:
                if path not in named:
                    report.reclaimed.append(path)
                    if not self.dry_run:
                        self.root.delete(path)


def _building(abandoned: AbandonedRow) -> BuildingRow:
    return BuildingRow(
        materialization_id=abandoned.materialization_id,
        table=abandoned.table,
        artifact_path=abandoned.artifact_path,
        start_sequence=abandoned.start_sequence,
        created_at=abandoned.created_at,
    )


def _of_manifest(abandoned: AbandonedRow, manifest: MaterializationManifest) -> tuple[ReadyRow, str | None]:
    """Read the row's new values from its sidecar. Raises `InvalidField` for a sidecar of another row."""
    own = Fields(manifest.own, "manifest", "jammi_dagster")
    for name, expected in (("table", abandoned.table), ("materialization", abandoned.materialization_id)):
        if own.take(name, str) != expected:
            raise own.bad(name, expected)
    if "\0" in manifest.produced_at:  # which no database holds
        raise Fields(manifest.to_dict(), "manifest").bad("produced_at", "an instant")
    own_fields = dict(manifest.own or {})
    seconds, annotation, run_id = (
        own_fields.get(name) for name in ("compute_seconds", "annotation", "run_id")
    )
    finished = ReadyRow(
        building=_building(abandoned),
        definition_hash=manifest.definition_hash,
        input_anchors=manifest.input_anchors,
        artifact_digest=manifest.artifact,
        size_bytes=own.take_natural("size_bytes"),
        row_count=own.take_natural("row_count"),
        writer_profile=canonical_json(own.take("writer_profile", dict)).decode(),
        compute_seconds=seconds if isinstance(seconds, float) else None,
        completed_at=manifest.produced_at,
        annotation_json=None if annotation is None else canonical_json(annotation).decode(),
    )
    return finished, run_id if isinstance(run_id, str) and "\0" not in run_id else None
