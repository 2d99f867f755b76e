"""A collection: mark, wait, delete. The only code that deletes objects of a materialization that was ever ready.

1. A row that nothing keeps is marked; one that something keeps is unmarked.
2. A row that was marked for the grace period becomes `collecting`, by a compare-and-swap that looks for roots again.
   Nothing resolves to it or hits it from then on.
3. Its tombstone is written, then the Parquet object goes, then the sidecar, and the row becomes `collected`. A crash
   in between is made good by the next pass; two passes at once do the same work, once or twice.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from jammi_dagster.artifacts import ArtifactRoot, artifact_path, sidecar_path, tables_folder
from jammi_dagster.catalog import (
    LEASE_SECONDS,
    BranchRows,
    Candidate,
    ClockReading,
    CollectionRows,
    Database,
    Doomed,
    Moment,
    Scope,
)
from jammi_dagster.catalog.records import artifact_of, id_of
from jammi_dagster.errors import ArtifactMissing, ArtifactTooLarge, JammiError
from jammi_dagster.maintenance.bulk import Progress, delete_all, each
from jammi_dagster.maintenance.collection.clock import machine_clock, moment_of, set_since
from jammi_dagster.maintenance.collection.judge import Judge, Judged
from jammi_dagster.maintenance.collection.old_tombstones import remove_old_tombstones
from jammi_dagster.maintenance.collection.policy import DAY_SECONDS, RetentionPolicy
from jammi_dagster.maintenance.collection.report import CollectionReport, Kept
from jammi_dagster.maintenance.objects import our_objects
from jammi_dagster.maintenance.root_binding import RootBinding
from jammi_dagster.maintenance.run_folders import RunFolders
from jammi_dagster.maintenance.sidecars import fetch_sidecar
from jammi_dagster.maintenance.tombstones import collected_bytes, collected_path

_AT_ONCE, _PAGE = 1_000, 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionPass:
    """One pass over the materializations of one tenant, in all of its deployments.

    `clock` reads the machine's clock, and names it.
    """

    database: Database
    root: ArtifactRoot
    scope: Scope
    binding: RootBinding
    policy: RetentionPolicy
    plan_id: str
    dry_run: bool = True
    progress: Progress = field(default_factory=Progress)
    clock: Callable[[], tuple[str, float]] = machine_clock

    def run(self) -> CollectionReport:
        """Make the pass. An error of the catalog ends it; changes made until then stand.

        Before anything is changed, raises `RootNotThere`, `RootOfAnotherCatalog` and `MaintainedElsewhere` where the
        root is not this catalog's alone.
        """
        if self.database.is_foreign or not self.dry_run:
            self.database.check_writable()
        self.binding.check(dry_run=self.dry_run or self.database.read_only)
        self.binding.check_stamp()
        if not self.dry_run:
            self.binding.stamp()
        rows = CollectionRows(self.database, self.scope)
        report = CollectionReport(plan_id=self.plan_id, dry_run=self.dry_run, policy=self.policy)
        judge = Judge(rows=rows, policy=self.policy, moment=self._moment(rows, report))
        if not self.dry_run:
            for doomed in rows.doomed():  # a pass before this one was ended by a crash
                self._delete(rows, doomed, report)
        count = 0
        for page in judge.judged():
            self.progress.step("materializations judged", len(page))
            count += sum(one.stays for one in page)
            self._settle(judge, page, report)
        report.kept = Kept(judge, count)
        self._look_for_unknown(judge, report)
        if not self.dry_run:
            _, failed = RunFolders(self.root, self.scope.tenant or None).sweep(rows)
            report.unreadable |= failed
            report.ended = BranchRows(self.database, self.scope).expire(judge.moment.alive)
        keep_runs = self.policy.keep_runs_for_days * DAY_SECONDS
        report.pruned = rows.prune(judge.moment, keep_runs_seconds=keep_runs, dry_run=self.dry_run)
        return report

    def _moment(self, rows: CollectionRows, report: CollectionReport) -> Moment:
        clock, seconds = self.clock()
        now, earlier = rows.clocks()
        reading = ClockReading(clock, seconds, now)
        since = set_since(earlier, reading)
        if since is not None:
            report.clock_was_set = True
            reading = reading._replace(alive_since=since, suspect_until=now + LEASE_SECONDS)
        if not self.dry_run:
            rows.note_clock(reading)
        return moment_of(earlier, reading)

    # --- marks -----------------------------------------------------------------------------------------

    def _settle(self, judge: Judge, page: Sequence[Judged], report: CollectionReport) -> None:
        """Mark or unmark the rows of a page, and delete those whose grace is over."""
        unmarked = [one.row.materialization_id for one in page if one.stays and one.row.marked_at is not None]
        going = [one.row for one in page if not one.stays]
        report.unmarked += unmarked
        for row in going:
            report.bytes_by_table[row.table] = report.bytes_by_table.get(row.table, 0) + (row.size_bytes or 0)
        due = {row.materialization_id for row in going if self._is_due(row, judge.moment.now, report)}
        gone = due
        if not self.dry_run:
            judge.rows.unmark(unmarked)
            new = [row.materialization_id for row in going if row.marked_at is None]
            judge.rows.mark(new, judge.moment, plan=self.plan_id)
            gone = self._take(judge, sorted(due), report)
        else:
            report.collected += sorted(due)
        left = [row for row in going if row.materialization_id not in gone]
        report.marked += [row.materialization_id for row in left if row.marked_at is None]
        report.waiting += [row.materialization_id for row in left if row.marked_at is not None]

    def _is_due(self, row: Candidate, now: float, report: CollectionReport) -> bool:
        since = now if row.marked_at is None or report.clock_was_set else row.marked_at
        return since + self.policy.grace_seconds <= now

    def _take(self, judge: Judge, due: Sequence[str], report: CollectionReport) -> set[str]:
        taken = set[str]()
        for start in range(0, len(due), _AT_ONCE):
            doomed = judge.rows.take(
                due[start : start + _AT_ONCE],
                judge.moment,
                grace_seconds=self.policy.grace_seconds,
                keep_inputs=self.policy.keep_inputs,
            )
            taken.update(row.materialization_id for row in doomed)
            self._delete(judge.rows, doomed, report)
        return taken

    # --- objects ---------------------------------------------------------------------------------------

    def _delete(self, rows: CollectionRows, doomed: Sequence[Doomed], report: CollectionReport) -> None:
        """Remove the objects of `collecting` rows; a row of which one stays is left for the next pass."""
        for start in range(0, len(doomed), _AT_ONCE):
            left = {row.artifact_path: row for row in doomed[start : start + _AT_ONCE]}
            for row, error in each(self.root, list(left.values()), self._bury):
                if isinstance(error, JammiError):
                    report.unreadable[row.materialization_id] = str(error)
                    del left[row.artifact_path]
            for name in (str, sidecar_path):
                paths = {name(path): path for path in left if self._is_own(left[path])}
                for path, error in delete_all(self.root, list(paths)):
                    if error is not None:
                        report.unreadable[path] = str(error)
                        del left[paths[path]]
            self.progress.step("materializations collected", len(left))
            report.collected += rows.finish([row.materialization_id for row in left.values()])

    def _bury(self, row: Doomed) -> None:
        """Write the tombstone, which keeps the manifest, before anything is removed."""
        if not self._is_own(row):
            return
        try:
            sidecar = fetch_sidecar(self.root, row.artifact_path)
        except (ArtifactMissing, ArtifactTooLarge):
            sidecar = None
        tombstone = collected_bytes(row, sidecar, plan=self.plan_id)
        self.root.create(collected_path(row.artifact_path), tombstone)

    def _is_own(self, row: Doomed) -> bool:
        """Tell if the path is the one that the row's objects have: a damaged row must not take another one's."""
        tenant = self.scope.tenant or None
        return artifact_path(tenant, row.table, row.materialization_id) == row.artifact_path

    def _look_for_unknown(self, judge: Judge, report: CollectionReport) -> None:
        """Report objects that the catalog does not know; remove the leavings of collected ones, and old tombstones."""
        rows, folder = judge.rows, tables_folder(self.scope.tenant or None)
        old: dict[str, list[str]] = {"collected": [], "drop": []}
        objects = self._objects(folder, self._old_before(judge, report), old)
        while some := list(itertools.islice(objects, _PAGE)):
            self._look_at(rows, some, report)
        count, failed = remove_old_tombstones(
            self.root, rows, collected=old["collected"], drops=old["drop"], dry_run=self.dry_run
        )
        report.old_tombstones = count
        report.unreadable |= failed

    def _old_before(self, judge: Judge, report: CollectionReport) -> float:
        """Tell before when tombstones are old, by the database's clock; none is while that is not to be trusted."""
        days = self.policy.keep_tombstones_for_days
        if days is None or report.clock_was_set:
            return -math.inf
        return judge.moment.alive - days * DAY_SECONDS

    def _objects(self, folder: str, before: float, old: Mapping[str, list[str]]) -> Iterator[str]:
        """Yield the paths of materializations' objects; gather the tombstones that were written before that time."""
        for kind, one in our_objects(self.root, folder, self.progress):
            if kind == "object":
                yield one.path
            elif kind in old and one.written is not None and one.written < before:
                old[kind].append(one.path)

    def _look_at(self, rows: CollectionRows, some: Sequence[str], report: CollectionReport) -> None:
        statuses = rows.statuses([id_of(path) for path in some])
        strange = [path for path in some if statuses.get(id_of(path), "collected") == "collected"]
        collected = list[str]()
        for path, size in each(
            self.root, strange, lambda path: self.root.size(collected_path(artifact_of(path)))
        ):
            if isinstance(size, JammiError):
                report.unreadable[path] = str(size)
            elif size is None:
                report.unknown.append(path)
            else:
                collected.append(path)
        if not self.dry_run:
            for path, error in delete_all(self.root, sorted(collected, key=_parquet_first)):
                if error is not None:
                    report.unreadable[path] = str(error)


def _parquet_first(path: str) -> bool:
    return path != artifact_of(path)
