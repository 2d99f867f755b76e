"""Recovery: finishes or clears away the rows and objects of crashed writers. Never touches a live one.

A live writer's row has a lease that it renews by the database's clock, and a row names its objects from before they
exist; so nothing that is taken or removed here is in use. Each step is a compare-and-swap: recovery is idempotent,
and may run beside writers and beside itself. A "not found" is only noted at first, and an object that cannot be
looked at ends nothing but its own part of the pass.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from jammi_dagster.artifacts import ArtifactRoot, check_relative, sidecar_path, tables_folder
from jammi_dagster.catalog import (
    LEASE_SECONDS,
    AbandonedRow,
    CatalogWriter,
    CollectionRows,
    Database,
    Lease,
    ReadyRow,
    RecordedArtifact,
    RecoveryRows,
    Scope,
)
from jammi_dagster.catalog.records import artifact_of
from jammi_dagster.errors import (
    ArtifactMissing,
    ArtifactOutsideRoot,
    ArtifactTooLarge,
    InvalidManifest,
    JammiError,
    LeaseLost,
    ObjectsMissing,
    StorageFailed,
    UnknownManifestVersion,
)
from jammi_dagster.maintenance import GRACE_SECONDS
from jammi_dagster.maintenance.adoption import Adoption, AdoptionReport
from jammi_dagster.maintenance.bulk import Progress, delete_all, each
from jammi_dagster.maintenance.lineage_index import mend_index
from jammi_dagster.maintenance.objects import ListedObjects
from jammi_dagster.maintenance.root_binding import RootBinding
from jammi_dagster.maintenance.run_folders import RunFolders
from jammi_dagster.maintenance.sidecars import (
    building_row,
    fetch_manifest,
    fetch_sidecar,
    parse_manifest,
    row_of_abandoned,
)
from jammi_dagster.maintenance.tombstones import read_tombstone
from jammi_dagster.recording import RENEW_SECONDS
from jammi_dagster.recording.leases import Heart

_AT_ONCE = 5_000
_MOST_MISSING, _MOST_MISSING_SHARE = 10, 0.05


@dataclass(slots=True, kw_only=True)
class RecoveryReport:
    """The changes that recovery made, or with `dry_run` would make.

    Ids of materializations that were `promoted` (complete, now ready), `failed` (incomplete, with their whole
    attempt), `adopted` (complete, with a new row), `lost` (ready, but an object was missing for longer than the grace
    period) and `returned` (lost, and whole again). `collected` (their tombstone says that
    a collection had taken them, and the catalog, restored from a backup, did not). Paths below the root that were
    `reclaimed` (objects that were never of a ready row, tombstones of drops that were never committed, values of runs
    that are over) and of uploads that were `aborted`. Keys of anchor sets
    whose edges were `reindexed`, and of those that were `restored` from a sidecar, since they could not be read.

    Only told, and left as they are: ids of ready ones with an object `missing`, and of `damaged` ones, whose sidecar
    says another digest, or nothing, or whose bytes have another length; of `incomplete` ones, without row, whose
    attempt lacks a table; and as `unreadable` ids and paths that could not be looked at, each with the reason.
    """

    dry_run: bool
    promoted: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    collected: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    reclaimed: list[str] = field(default_factory=list)
    aborted: list[str] = field(default_factory=list)
    reindexed: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Give the report as JSON."""
        return asdict(self)


@dataclass(slots=True)
class _Inventory:
    """The ready rows of a pass by the state of their objects."""

    whole: list[RecordedArtifact] = field(default_factory=list)
    damaged: list[RecordedArtifact] = field(default_factory=list)
    missing: list[RecordedArtifact] = field(default_factory=list)
    collected: list[RecordedArtifact] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    is_root_there: bool = False

    @property
    def total(self) -> int:
        """The number of rows."""
        return sum(len(rows) for rows in (self.whole, self.damaged, self.missing, self.unreadable))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """One pass of recovery over the rows and objects of one tenant, in all of its deployments.

    `grace_seconds` is for how long an object without a row is kept: longer than anybody writes.
    It is also for how long an object must be missing before its row is lost.
    """

    database: Database
    root: ArtifactRoot
    scope: Scope
    binding: RootBinding
    random_hex: Callable[[int], str]
    grace_seconds: float = GRACE_SECONDS
    dry_run: bool = False
    progress: Progress = field(default_factory=Progress)
    clock: Callable[[], float] = time.time

    def run(self) -> RecoveryReport:
        """Make the pass. An error of the catalog ends it; changes made until then stand.

        Before anything is changed, raises `RootNotThere`, `RootOfAnotherCatalog` and `MaintainedElsewhere` where the
        root is not this catalog's alone, and `ObjectsMissing` where so much is missing that the root must be the cause.
        """
        if self.database.is_foreign or not self.dry_run:
            self.database.check_writable()
        self.binding.check(dry_run=self.dry_run or self.database.read_only)
        self.binding.check_stamp()
        report = RecoveryReport(dry_run=self.dry_run)
        rows = RecoveryRows(self.database, self.scope)
        folder = tables_folder(self.scope.tenant or None)
        objects = ListedObjects.below(self.root, folder, self.progress)
        inventory = self._look(rows, objects)
        self._check_missing(rows, inventory)
        if not self.dry_run:
            self.binding.stamp()
        for attempt in rows.abandoned():
            self._settle(rows, objects, attempt, report)
        self._note(rows, inventory, report)
        self._bring_back(rows, objects, report)
        self._withdraw(rows, objects, report)
        self._reclaim(rows, objects, self._adopt(objects, report), report)
        self._sweep_runs(report)
        self._abort_uploads(folder, report)
        report.reindexed, report.restored = mend_index(rows, self.root, dry_run=self.dry_run)
        return report

    # --- ready rows ------------------------------------------------------------------------------------

    def _look(self, rows: RecoveryRows, objects: ListedObjects) -> _Inventory:
        """Compare every ready row with its objects."""
        inventory = _Inventory()
        for kept, found in each(
            self.root, rows.ready_with_manifest(), lambda kept: self._found(kept, objects)
        ):
            self.progress.step("materializations looked at")
            if kept.artifact_path in objects.collected:
                inventory.collected.append(kept)
                continue
            if isinstance(found, ArtifactOutsideRoot | ArtifactTooLarge):  # which tells nothing of the root
                inventory.damaged.append(kept)
                continue
            if isinstance(found, JammiError):
                inventory.unreadable[kept.materialization_id] = str(found)
                continue
            size, sidecar = found
            if size is None or sidecar is None:
                inventory.missing.append(kept)
            else:
                (inventory.whole if self._agrees(kept, size, sidecar) else inventory.damaged).append(kept)
            inventory.is_root_there = inventory.is_root_there or (size, sidecar) != (None, None)
        return inventory

    def _found(self, kept: RecordedArtifact, objects: ListedObjects) -> tuple[int | None, bytes | None]:
        """Find the objects of a row: the size of the artifact and the bytes of the sidecar; None: missing.

        An object may have been listed while it was written: before a row counts as damaged, its objects are asked for.
        """
        size, sidecar = self._listed(kept, objects)
        if size is None or sidecar is None or self._agrees(kept, size, sidecar):
            return size, sidecar
        asked = self.root.size(sidecar_path(kept.artifact_path))
        sidecar = None if asked is None else fetch_sidecar(self.root, kept.artifact_path)
        return self.root.size(kept.artifact_path), sidecar

    def _listed(self, kept: RecordedArtifact, objects: ListedObjects) -> tuple[int | None, bytes | None]:
        size, path = self._size(kept.artifact_path, objects), sidecar_path(kept.artifact_path)
        if self._size(path, objects) is None:
            return size, None
        try:
            return size, fetch_sidecar(self.root, kept.artifact_path, listed=objects.size(path))
        except ArtifactMissing:  # listed, and not found: asked once more
            return size, None if self.root.size(path) is None else fetch_sidecar(
                self.root, kept.artifact_path
            )

    def _agrees(self, kept: RecordedArtifact, size: int, sidecar: bytes) -> bool:
        try:
            manifest = parse_manifest(self.root, kept.artifact_path, sidecar)
        except (InvalidManifest, UnknownManifestVersion):
            return False
        return (manifest.artifact, size) == (kept.artifact_digest, kept.size_bytes)

    def _size(self, path: str, objects: ListedObjects) -> int | None:
        """Give an object's size; one that was not listed is asked for by itself before it counts as missing."""
        listed = objects.size(path)
        return self.root.size(path) if listed is None else listed

    def _check_missing(self, rows: RecoveryRows, inventory: _Inventory) -> None:
        """Raise `ObjectsMissing` where more is missing than can be lost by itself."""
        share = _MOST_MISSING_SHARE * inventory.total
        allowed = max(_MOST_MISSING, share) if inventory.is_root_there else 0
        if len(inventory.missing) <= allowed:
            return
        # a materialization that was collected since it was listed is not missing
        missing = rows.count_ready([kept.materialization_id for kept in inventory.missing])
        if missing > allowed:
            raise ObjectsMissing(root=self.root.name, missing=missing, total=inventory.total)

    def _note(self, rows: RecoveryRows, inventory: _Inventory, report: RecoveryReport) -> None:
        """Note missing objects on their rows; lose rows whose objects were missing for longer than the grace period."""
        report.damaged = _ids(inventory.damaged)
        report.unreadable.update(inventory.unreadable)
        until = rows.now() - self.grace_seconds
        new, back = list[str](), list[str]()
        for kept in inventory.missing:
            if kept.missing_since is not None and kept.missing_since <= until:
                if self.dry_run or rows.lose(kept.materialization_id):
                    report.lost.append(kept.materialization_id)
                continue
            report.missing.append(kept.materialization_id)
            if kept.missing_since is None:
                new.append(kept.materialization_id)
        for kept in itertools.chain(inventory.whole, inventory.damaged):
            if kept.missing_since is not None:
                back.append(kept.materialization_id)
        if not self.dry_run:
            rows.note_missing(new, missing=True)
            rows.note_missing(back, missing=False)

    def _bring_back(self, rows: RecoveryRows, objects: ListedObjects, report: RecoveryReport) -> None:
        """Make lost rows ready again whose bytes and sidecar are whole."""
        for kept, is_whole in each(self.root, rows.lost(), lambda kept: self._is_whole(kept, objects)):
            if isinstance(is_whole, JammiError):
                report.unreadable[kept.materialization_id] = str(is_whole)
            elif is_whole and (self.dry_run or rows.bring_back(kept.materialization_id)):
                report.returned.append(kept.materialization_id)

    def _is_whole(self, kept: RecordedArtifact, objects: ListedObjects) -> bool:
        if kept.artifact_path in objects.collected or objects.size(kept.artifact_path) != kept.size_bytes:
            return False
        size, sidecar = self._found(kept, objects)
        if size is None or sidecar is None or not self._agrees(kept, size, sidecar):
            return False
        return self.root.digest(kept.artifact_path) == kept.artifact_digest

    # --- building rows ---------------------------------------------------------------------------------

    def _settle(
        self,
        rows: RecoveryRows,
        objects: ListedObjects,
        attempt: Sequence[AbandonedRow],
        report: RecoveryReport,
    ) -> None:
        """Publish an attempt of which every row's bytes and sidecar are whole; fail any other, and remove its bytes."""
        lease = Lease(token=self.random_hex(16), owner="recovery", seconds=LEASE_SECONDS)
        ids = [row.materialization_id for row in attempt]
        if not self.dry_run and not rows.take(ids, lease):
            return
        scope = Scope(tenant=self.scope.tenant, deployment=attempt[0].deployment)
        writer = CatalogWriter(self.database, scope)
        heart = Heart(lambda: writer.renew(lease), every=RENEW_SECONDS)
        if not self.dry_run:
            heart.start()
        try:
            is_buried = any(row.artifact_path in objects.collected for row in attempt)
            complete = [] if is_buried else self._complete(attempt)
            if self.dry_run:
                (report.promoted if complete else report.failed).extend(ids)
            elif complete:
                # its name went with a branch that ended since
                moves = not rows.has_ended(scope.deployment, attempt[0].start_sequence)
                ready = [one for one, _ in complete]
                writer.finish(ready, lease=lease, run_id=complete[0][1], moves=moves)
                report.promoted += ids
            else:
                failed = writer.fail([building_row(row) for row in attempt], lease=lease)
                report.failed += [one for one in ids if one in failed]
                unfinished = [row for row in attempt if row.materialization_id in failed]
                self._remove(rows, objects, unfinished, report)
        except LeaseLost:  # another recovery was at it while this one read for longer than a lease
            return
        except (StorageFailed, UnknownManifestVersion, ArtifactMissing) as error:
            # it may be whole: that is for another pass to find out, once this one's lease has run out
            report.unreadable.update(dict.fromkeys(ids, str(error)))
        finally:
            heart.stop()

    def _complete(self, attempt: Sequence[AbandonedRow]) -> list[tuple[ReadyRow, str | None]]:
        """Read the flips that the writer did not come to, each with its run; none if one is missing."""
        if attempt[0].attempt_size not in (None, len(attempt)):
            return []  # another of its rows was failed
        complete = []
        for _, found in each(self.root, attempt, self._flip):
            if isinstance(found, StorageFailed | UnknownManifestVersion | ArtifactMissing):
                raise found
            if found is None or isinstance(found, JammiError):  # nothing there, or no manifest of ours
                return []
            complete.append(found)
        return complete

    def _flip(self, row: AbandonedRow) -> tuple[ReadyRow, str | None] | None:
        """Read a row's flip; None where an object is missing or another one.

        Raises `ArtifactMissing` where an object is not found, and is there when asked for once more.
        """
        path = row.artifact_path
        try:
            ready, run_id = row_of_abandoned(row, fetch_manifest(self.root, path))
            size, digest = self.root.size(path), self.root.digest(path)
            if size is None:
                raise ArtifactMissing(uri=self.root.uri(path))
        except ArtifactMissing:
            if any(self.root.size(one) is None for one in (path, sidecar_path(path))):
                return None
            raise
        return (ready, run_id) if (size, digest) == (ready.size_bytes, ready.artifact_digest) else None

    def _remove(
        self,
        rows: RecoveryRows,
        objects: ListedObjects,
        failed: Sequence[AbandonedRow],
        report: RecoveryReport,
    ) -> None:
        """Remove the objects of failed rows; never anything outside the root, whatever path a row holds."""
        paths = list[str]()
        for row in failed:
            try:
                check_relative(row.artifact_path)
                paths += [row.artifact_path, sidecar_path(row.artifact_path)]
            except ArtifactOutsideRoot:
                continue
        named = rows.named(paths)
        going = (path for path in {*paths} - named if artifact_of(path) not in objects.collected)
        for path, error in delete_all(self.root, sorted(going)):
            objects.sizes.pop(path, None)
            if error is not None:
                report.unreadable[path] = str(error)

    # --- objects without row ---------------------------------------------------------------------------

    def _adopt(self, objects: ListedObjects, report: RecoveryReport) -> set[str]:
        """Add rows for whole materializations without one; give the artifacts without row that must stay."""
        adoption = Adoption(
            database=self.database,
            root=self.root,
            tenant=self.scope.tenant,
            dry_run=self.dry_run,
            progress=self.progress,
        )
        adopted = AdoptionReport(dry_run=self.dry_run)
        adoption.run(objects, adopted)
        report.adopted, report.incomplete = self.binding.take_restored() + adopted.adopted, adopted.incomplete
        report.collected = adopted.collected
        report.unreadable.update(adopted.unreadable)
        return adoption.kept

    def _reclaim(
        self, rows: RecoveryRows, objects: ListedObjects, kept: set[str], report: RecoveryReport
    ) -> None:
        """Remove objects of ours that are older than the grace period, and that were never those of a ready row."""
        old = objects.older(self.clock() - self.grace_seconds)
        kept = kept | {sidecar_path(path) for path in kept}
        while some := list(itertools.islice(old, _AT_ONCE)):
            stay = kept | rows.named(some)
            unnamed = [
                path for path in some if path not in stay and artifact_of(path) not in objects.collected
            ]
            alone = each(self.root, unnamed, lambda path: self._is_of_a_pair(path, objects))
            going = list[str]()
            for path, is_of_a_pair in alone:
                if isinstance(is_of_a_pair, JammiError):
                    report.unreadable[path] = str(is_of_a_pair)
                elif not is_of_a_pair:
                    going.append(path)
            self._delete(going, report)

    def _delete(self, going: Sequence[str], report: RecoveryReport) -> None:
        if self.dry_run:
            report.reclaimed += going
            return
        for path, error in delete_all(self.root, going):
            self.progress.step("objects removed")
            if error is None:
                report.reclaimed.append(path)
            else:
                report.unreadable[path] = str(error)

    def _sweep_runs(self, report: RecoveryReport) -> None:
        rows = CollectionRows(self.database, self.scope)
        folders = RunFolders(self.root, self.scope.tenant or None)
        removed, failed = folders.sweep(rows, dry_run=self.dry_run)
        report.reclaimed += removed
        report.unreadable |= failed

    def _withdraw(self, rows: RecoveryRows, objects: ListedObjects, report: RecoveryReport) -> None:
        """Remove the tombstones of drops that were never committed: the table would be lost with its catalog."""
        before = self.clock() - self.grace_seconds
        old = [path for path, at in objects.tombstones.items() if at is not None and at < before]
        going = list[str]()
        for path, drop in each(self.root, old, lambda path: read_tombstone(self.root, path)):
            if isinstance(drop, JammiError):
                report.unreadable[path] = str(drop)
            elif drop.is_contradicted(rows):
                going.append(path)
        self._delete(going, report)
        for path in going:
            del objects.tombstones[path]

    def _is_of_a_pair(self, path: str, objects: ListedObjects) -> bool:
        """Look for the other object of a pair that the listing may have missed: then they may be whole."""
        other = sidecar_path(path) if path.endswith(".parquet") else artifact_of(path)
        return objects.size(other) is None and self.root.size(other) is not None

    def _abort_uploads(self, folder: str, report: RecoveryReport) -> None:
        try:
            before = self.clock() - self.grace_seconds
            report.aborted = self.root.abort_uploads(folder, before=before, dry_run=self.dry_run)
        except StorageFailed as error:  # a server without them, or without the right to list them
            report.unreadable[folder] = str(error)


def _ids(rows: Iterable[RecordedArtifact]) -> list[str]:
    return [row.materialization_id for row in rows]
