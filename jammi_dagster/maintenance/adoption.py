"""Adoption: rows for materializations that the root has whole, with their sidecars, and the catalog does not know.

A catalog that was lost, or restored from a backup, gets its tables, anchors, edges and history back.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from jammi_dagster.artifacts import ArtifactRoot, sidecar_path
from jammi_dagster.catalog import AdoptedRow, AdoptionRows, Database, RecoveryRows, Scope
from jammi_dagster.catalog.records import id_of
from jammi_dagster.errors import (
    CatalogUnavailable,
    InvalidField,
    InvalidManifest,
    InvalidTableName,
    JammiError,
    NotCanonical,
)
from jammi_dagster.maintenance.bulk import Progress, each
from jammi_dagster.maintenance.objects import ListedObjects
from jammi_dagster.maintenance.sidecars import SidecarRow, fetch_sidecar, parse_manifest, row_of
from jammi_dagster.maintenance.tombstones import (
    Drops,
    Tombstone,
    attempt_of_collected,
    folder_of,
    read_tombstone,
)

_AT_ONCE = 1_000
_ALL_FOLDERS = ("tables", "tenants")


@dataclass(slots=True, kw_only=True)
class AdoptionReport:
    """The changes that an adoption made, or with `dry_run` would make.

    Ids of materializations that were `adopted`, and of rows that were `collected`, as their tombstones say; those of
    attempts that were never finished, or of which a table is gone, stay out as `incomplete`. `unreadable` says of a
    path why it was passed over. `taken_over` is where the catalog lies that the root belonged to before.
    """

    dry_run: bool
    adopted: list[str] = field(default_factory=list)
    collected: list[str] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    taken_over: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the report as JSON."""
        return asdict(self)


@dataclass(slots=True, kw_only=True)
class Adoption:
    """Adoption of the objects below one tenant's folder, or below `tenants/` those of all tenants.

    `tenant` owns the sidecars that name none. After `run`, `kept` holds the artifacts that have no row and must not
    be removed for that: they are whole, or cannot be read.
    """

    database: Database
    root: ArtifactRoot
    tenant: str
    dry_run: bool = False
    progress: Progress = field(default_factory=Progress)
    kept: set[str] = field(default_factory=set)

    def run(self, objects: ListedObjects, report: AdoptionReport) -> None:
        """Add the rows of all whole materializations without one; put down the rows of collected ones."""
        rows = AdoptionRows(self.database)
        collected = RecoveryRows(self.database, Scope(tenant=self.tenant))
        report.collected = collected.bury(list(map(id_of, objects.collected)), dry_run=self.dry_run)
        found = self._found(rows, objects, report)
        if not found:
            return
        drops, unread = self._drops(objects, report)
        self.kept.update(row.ready.building.artifact_path for row in found if _folder(row) in unread)
        left = [row for row in found if _folder(row) not in unread]
        self.kept.update(row.ready.building.artifact_path for row in left)
        whole = self._whole(rows, left, objects, report)
        report.incomplete += [_id(row) for row in left if row.ready.building.attempt_id not in whole]
        adopted = [_adopted(row, drops) for row in left if row.ready.building.attempt_id in whole]
        for start in range(0, len(adopted), _AT_ONCE):
            batch = adopted[start : start + _AT_ONCE]
            self.progress.step("materializations adopted", len(batch))
            report.adopted += _ids(batch) if self.dry_run else self._add(rows, batch, report)

    def _whole(
        self, rows: AdoptionRows, left: Sequence[SidecarRow], objects: ListedObjects, report: AdoptionReport
    ) -> set[str | None]:
        """Find the attempts of which every table is there, or was collected since: the others may never have ended."""
        there = Counter(row.ready.building.attempt_id for row in left)
        sizes = {row.ready.building.attempt_id: row.attempt_size for row in left}
        short = [one for one, size in sizes.items() if there[one] < size and one is not None]
        there.update(rows.ready_of_attempts(short))
        if any(there[one] < size for one, size in sizes.items()):
            there.update(self._collected_of(rows, objects, report))
        return {one for one, size in sizes.items() if there[one] >= size}

    def _collected_of(
        self, rows: AdoptionRows, objects: ListedObjects, report: AdoptionReport
    ) -> Iterator[str]:
        """Yield the attempt of each collected materialization that has no row."""
        collected, ask = iter(objects.collected), lambda path: attempt_of_collected(self.root, path)
        while some := list(itertools.islice(collected, _AT_ONCE * 5)):
            known = rows.known([id_of(path) for path in some])
            for path, attempt in each(self.root, [one for one in some if id_of(one) not in known], ask):
                if isinstance(attempt, JammiError):
                    report.unreadable[path] = str(attempt)
                else:
                    yield attempt

    def _found(self, rows: AdoptionRows, objects: ListedObjects, report: AdoptionReport) -> list[SidecarRow]:
        """Read the sidecars of all artifacts without a row."""
        pairs, found = objects.pairs(), list[SidecarRow]()
        while some := list(itertools.islice(pairs, _AT_ONCE * 5)):
            ids = {id_of(path): path for path in some}
            known = rows.known(ids)
            unknown = [
                path for one, path in ids.items() if one not in known and path not in objects.collected
            ]
            # parsing is not for the threads: they would only wait for each other
            for path, data in each(self.root, unknown, lambda path: self._fetch(path, objects)):
                self.progress.step("sidecars read")
                try:
                    if isinstance(data, JammiError):
                        raise data
                    row = row_of(parse_manifest(self.root, path, data), path, tenant=self.tenant)
                except JammiError as error:
                    self._pass_over(path, error, report)
                    continue
                if row.ready.size_bytes == objects.size(path):
                    found.append(row)
        return found

    def _fetch(self, path: str, objects: ListedObjects) -> bytes:
        return fetch_sidecar(self.root, path, listed=objects.size(sidecar_path(path)))

    def _pass_over(self, path: str, error: JammiError, report: AdoptionReport) -> None:
        """Keep an object that may be right; one whose sidecar is no manifest of it is not."""
        if not isinstance(error, InvalidManifest | NotCanonical):
            self.kept.add(path)
            report.unreadable[path] = str(error)

    def _drops(self, objects: ListedObjects, report: AdoptionReport) -> tuple[Drops, set[str]]:
        """Read the tombstones; give the folders of tables of which one cannot be read now: their names may be gone."""
        tombstones, unread = list[tuple[str, Tombstone]](), set[str]()
        for path, one in each(self.root, objects.tombstones, lambda path: read_tombstone(self.root, path)):
            if not isinstance(one, JammiError):
                tombstones.append((path, one))
                continue
            report.unreadable[path] = str(one)
            if not isinstance(one, InvalidField):  # a damaged one will say no more
                unread.add(folder_of(path))
        return Drops.of(tombstones), unread

    def _add(self, rows: AdoptionRows, batch: Sequence[AdoptedRow], report: AdoptionReport) -> list[str]:
        """Add the rows; where the database refuses one of them, the others nevertheless."""
        try:
            return rows.add(batch)
        except (CatalogUnavailable, InvalidField, InvalidTableName) as error:
            if len(batch) == 1:
                report.unreadable[batch[0].ready.building.artifact_path] = str(error)
                return []
        return [one for row in batch for one in self._add(rows, [row], report)]


def restore_all(database: Database, root: ArtifactRoot) -> AdoptionReport:
    """Adopt the materializations of all tenants, for a catalog that was lost."""
    report, progress = AdoptionReport(dry_run=False), Progress()
    for folder in _ALL_FOLDERS:
        adoption = Adoption(database=database, root=root, tenant="", progress=progress)
        adoption.run(ListedObjects.below(root, folder, progress), report)
    return report


def _id(row: SidecarRow) -> str:
    return row.ready.building.materialization_id


def _folder(row: SidecarRow) -> str:
    return folder_of(row.ready.building.artifact_path)


def _ids(rows: Iterable[AdoptedRow]) -> list[str]:
    return [row.ready.building.materialization_id for row in rows]


def _adopted(row: SidecarRow, drops: Drops) -> AdoptedRow:
    building = row.ready.building
    taken_away = drops.took_away(building.artifact_path, row.deployment, building.start_sequence)
    return AdoptedRow(
        ready=row.ready,
        tenant=row.tenant,
        deployment=row.deployment,
        produced_by=row.produced_by,
        run_id=row.run_id,
        attempt_size=row.attempt_size,
        is_pointed_at=not taken_away,
    )
