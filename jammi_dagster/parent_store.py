"""A parent that is another store: a branch reads its rows and objects through its own, and never writes them.

Rules:

1. The rule of `catalog.seen` holds over two catalogs: a table is the parent's where the branch has no pointer of that
   name, be it an empty one.
2. A materialization of the parent has a path of its own below the branch's root (`@parent/…`), through which its bytes
   are read from the parent's root.
3. A hit is the branch's own materialization, or the parent's current one of a table that the branch reads from it. That
   one is reused where it is: the name leads to it already, so no pointer moves. No other materialization of the parent
   is a hit, since a pointer leads to rows of its own catalog.
"""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.catalog import (
    CatalogMark,
    CatalogReader,
    CatalogWriter,
    CurrentMatch,
    CurrentRow,
    Hold,
    MaterializationRecord,
    Move,
    PointerMove,
)
from jammi_dagster.contract import Acceptance, DerivesFromEdge
from jammi_dagster.sensing import Rows

_BELOW = "@parent/"
_Key = tuple[str, str]


def is_of_parent(record: MaterializationRecord) -> bool:
    """Tell a materialization of a parent's own catalog and root."""
    return record.artifact_path.startswith(_BELOW)


def _routed(name: str) -> Any:
    def read(self: RootOverParent, path: str, *given: Any, **options: Any) -> Any:
        if isinstance(path, str) and path.startswith(_BELOW):
            return getattr(self.parent, name)(path.removeprefix(_BELOW), *given, **options)
        return getattr(self.own, name)(path, *given, **options)

    read.__name__, read.__doc__ = name, getattr(ArtifactRoot, name).__doc__
    return read


class RootOverParent(ArtifactRoot):
    """The root of a branch, below which the objects of the parent's root are read, too. Writes are the own root's."""

    def __init__(self, own: ArtifactRoot, parent: ArtifactRoot) -> None:
        self.__dict__.update(own.__dict__)
        self.own, self.parent = own, parent

    def __reduce__(self) -> tuple[Any, ...]:
        return RootOverParent, (self.own, self.parent)

    uri, size, version = _routed("uri"), _routed("size"), _routed("version")
    read_bytes, fetch, blocks, read_from = map(_routed, ("read_bytes", "fetch", "blocks", "read_from"))
    open_native, dataset = _routed("open_native"), _routed("dataset")


class WriterOverParent(CatalogWriter):
    """The write side of a branch, for which a reuse of the parent's current table moves nothing."""

    def __init__(self, writer: CatalogWriter, rows: RowsOverParent) -> None:
        self.__dict__.update(writer.__dict__)
        self._rows = rows

    def point(
        self, tables: Sequence[_Key], *, events: Mapping[str, str] | None = None, **given: Any
    ) -> list[PointerMove]:
        """Move pointers as `CatalogWriter.point` does; the parent's own materializations stay where they are."""
        records = self._rows.records(materialization for _, materialization in tables)
        stay = {one for one, record in records.items() if is_of_parent(record)}
        own = [pair for pair in tables if pair[1] not in stay]
        events = {table: text for table, text in (events or {}).items() if table in dict(own)}
        moves = iter(super().point(own, events=events, **given) if own else ())
        return [PointerMove(is_current=True) if pair[1] in stay else next(moves) for pair in tables]


class RowsOverParent:
    """The rows of a branch over those of its parent, as `sensing.Rows`; `name` is the parent's deployment."""

    def __init__(self, own: CatalogReader, parent: Rows, name: str) -> None:
        self._own, self._parent, self._name = own, parent, name

    @contextlib.contextmanager
    def frozen(self) -> Iterator[RowsOverParent]:
        """Open a reader for which both catalogs stand still."""
        with self._own.frozen() as own, self._parent.frozen() as parent:
            yield RowsOverParent(own, parent, self._name)

    def for_tenant(self, tenant: str) -> RowsOverParent:
        """Return the reader in whose scope the anchors of a row of `tenant` resolve."""
        own, parent = self._own.for_tenant(tenant), self._parent.for_tenant(tenant)
        is_same = own is self._own and parent is self._parent
        return self if is_same else RowsOverParent(own, parent, self._name)

    def state(self) -> CatalogMark:
        """Return the branch's id, with a revision and a mark that change when either catalog does."""
        own, parent = self._own.state(), self._parent.state()
        revision = -1 if parent.revision < 0 else own.revision + parent.revision
        return CatalogMark(own.catalog_id, revision, f"{own.mark}/{parent.catalog_id}/{parent.mark}")

    # --- single materializations --------------------------------------------------------------------------

    def get(self, materialization_id: str) -> MaterializationRecord | None:
        """Return the materialization with this id, of either catalog."""
        return self._own.get(materialization_id) or self._below(self._parent.get(materialization_id))

    def records(self, materialization_ids: Iterable[str]) -> dict[str, MaterializationRecord]:
        """Map ids to materializations of either catalog."""
        ids = list(materialization_ids)
        found = self._own.records(ids)
        return self._all_below(self._parent.records(one for one in ids if one not in found)) | found

    def current(self, table: str) -> MaterializationRecord | None:
        """Return the branch's current materialization, else the parent's where the branch has no such pointer."""
        own = self._own.current(table)
        if own is not None or self._own.covered([table]):
            return own
        return self._below(self._parent.current(table))

    def above(self, table: str) -> MaterializationRecord | None:
        """Return the parent's current materialization, whether the branch hides it or not."""
        return self._below(self._parent.current(table))

    def current_of(self, tables: Iterable[str]) -> dict[str, MaterializationRecord]:
        """Map each of `tables` to its current materialization."""
        names = list(tables)
        found = self._own.current_of(names)
        return self._all_below(self._parent.current_of(self._uncovered(names, found))) | found

    def of_run(self, run_id: str, tables: Iterable[str]) -> dict[str, MaterializationRecord]:
        """Map each of `tables` to the materialization that the run made or reused in the branch."""
        return self._own.of_run(run_id, tables)

    def current_matches(self, tables: Collection[str]) -> dict[str, CurrentMatch]:
        """Map each of `tables` to its current materialization as a probe needs it."""
        found = self._own.current_matches(tables)
        rest = self._parent.current_matches(self._uncovered(tables, found))
        below = {table: one._replace(record=self._put_below(one.record)) for table, one in rest.items()}
        return below | found

    # --- the whole scope ----------------------------------------------------------------------------------

    def current_rows(self) -> Generator[CurrentRow, None, None]:
        """Stream every current table of the branch, then those that it reads from the parent."""
        yield from self._own.current_rows()
        covered = self._own.covered(None)
        yield from (row for row in self._parent.current_rows() if row.table not in covered)

    def digests(self) -> Mapping[str, str] | None:
        """Map every current table to its artifact digest."""
        parent = self._parent.digests()
        if parent is None:
            return None
        covered = self._own.covered(None)
        return {t: d for t, d in parent.items() if t not in covered} | dict(self._own.digests())

    def tables(self) -> list[str]:
        """List the names of all current tables, sorted."""
        return sorted({*self._own.tables(), *self._uncovered(self._parent.tables(), ())})

    def neighbours(self, table: str, *, most: int) -> list[str]:
        """List names near one."""
        parent = self._parent.neighbours(table, most=most)
        return [*self._own.neighbours(table, most=most), *self._uncovered(parent, ())]

    def sources(self, near: str, *, most: int) -> list[str]:
        """List recorded inputs near a name."""
        return [*self._own.sources(near, most=most), *self._parent.sources(near, most=most)]

    def artifacts_after(self, table: str, *, most: int) -> list[tuple[str, str, int | None]]:
        """List up to `most` current tables after `table`, each with its artifact's path and size."""
        covered = self._own.covered(None)

        def parents() -> Iterator[tuple[str, str, int | None]]:
            place = table
            while page := self._parent.artifacts_after(place, most=most):
                yield from ((name, _BELOW + path, size) for name, path, size in page if name not in covered)
                place = page[-1][0]

        own = self._own.artifacts_after(table, most=most)
        merged = heapq.merge(own, parents(), key=lambda row: row[0])
        return [row for row, _ in zip(merged, range(most), strict=False)]

    def history(self, table: str) -> list[MaterializationRecord]:
        """List the branch's materializations of the table, then the parent's, each the latest start first."""
        return [*self._own.history(table), *map(self._put_below, self._parent.history(table))]

    def moves(self, table: str) -> list[Move]:
        """List the moves of the table's name in the branch's catalog."""
        return self._own.moves(table)

    def move_at(self, table: str, at: int | datetime) -> Move | None:
        """Return the branch's last move up to a sequence or an instant; the parent's only for an instant.

        Sequences are those of one catalog.
        """
        own = self._own.move_at(table, at)
        return own if own is not None or isinstance(at, int) else self._parent.move_at(table, at)

    def holds(self) -> dict[str, Hold]:
        """Map each table that is held in the branch to its hold."""
        return self._own.holds()

    def acceptances(self) -> dict[str, Acceptance]:
        """Map each table that is accepted in the branch to the acceptance; the parent's are not the branch's."""
        return self._own.acceptances()

    def edges(self, source: str | None = None) -> list[DerivesFromEdge]:
        """List the edges of the parent's tables that the branch reads, then those of its own."""
        parent = self._parent.edges(source)
        covered = self._own.covered({edge.derived for edge in parent}) if parent else ()
        return [*(edge for edge in parent if edge.derived not in covered), *self._own.edges(source)]

    # --- the probe ----------------------------------------------------------------------------------------

    def matches(
        self, definition: str, set_key: str, *, only_best: bool = False
    ) -> list[MaterializationRecord]:
        """List the branch's matches, or else the parent's current table that matches."""
        found = self._own.matches(definition, set_key, only_best=only_best)
        return found or [
            one for one in self._read_matches([(definition, set_key)]).values() if one is not None
        ]

    def best_matches(self, wanted: Collection[_Key]) -> dict[_Key, MaterializationRecord | None]:
        """Map each definition and set of anchors to the branch's best match, else to the parent's current table."""
        found = self._own.best_matches(wanted)
        rest = [key for key in wanted if key not in found]
        return {**self._read_matches(rest), **found} if rest else found

    def _read_matches(self, wanted: Collection[_Key]) -> dict[_Key, MaterializationRecord | None]:
        """Find the parent's matches that are current tables which the branch reads."""
        matches = {key: one for key, one in self._parent.best_matches(wanted).items() if one is not None}
        current = self.current_of({one.table for one in matches.values()})
        found: dict[_Key, MaterializationRecord | None] = {}
        for key, one in matches.items():
            read = current.get(one.table)
            if read is not None and read.materialization_id == one.materialization_id:
                found[key] = read
        return found

    def stored_definitions(self, definitions: Iterable[str]) -> set[str]:
        """Return the definitions that any ready materialization of either catalog has."""
        asked = list(definitions)
        return self._own.stored_definitions(asked) | self._parent.stored_definitions(asked)

    def annotation(self, materialization_id: str) -> str | None:
        """Return the JSON recorded beside a materialization."""
        return self.annotations([materialization_id]).get(materialization_id)

    def annotations(self, materialization_ids: Iterable[str]) -> dict[str, str]:
        """Map ids to the JSON recorded beside these materializations."""
        ids = list(materialization_ids)
        return self._parent.annotations(ids) | self._own.annotations(ids)

    def annotations_of(self, tables: Iterable[str]) -> dict[str, str]:
        """Map each of `tables` to the JSON recorded beside its current materialization."""
        names = list(tables)
        return self._parent.annotations_of(self._uncovered(names, ())) | self._own.annotations_of(names)

    # --- the parent's side ----------------------------------------------------------------------------------

    def _uncovered(self, tables: Iterable[str], found: Collection[str]) -> list[str]:
        names = [table for table in tables if table not in found]
        covered = self._own.covered(names) if names else ()
        return [table for table in names if table not in covered]

    def _put_below(self, record: MaterializationRecord) -> MaterializationRecord:
        path = _BELOW + record.artifact_path
        return replace(record, artifact_path=path, answered_by=record.answered_by and self._name)

    def _below(self, record: MaterializationRecord | None) -> MaterializationRecord | None:
        return None if record is None else self._put_below(record)

    def _all_below(self, records: Mapping[str, MaterializationRecord]) -> dict[str, MaterializationRecord]:
        return {name: self._put_below(record) for name, record in records.items()}
