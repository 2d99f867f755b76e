"""A jammi engine's own catalog, read-only, through the same queries as ours.

In an engine a table has one materialization, which has the table's name. Its row holds neither digest nor size: the
sidecar is asked for the one, and for the other nobody (DESIGN 5, "Whose digest").
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import sqlalchemy as sa

from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.records import (
    CatalogMark,
    CurrentMatch,
    CurrentRow,
    Hold,
    MaterializationRecord,
    Move,
    decode_anchors,
)
from jammi_dagster.contract import Acceptance, DerivesFromEdge, InputAnchor, anchor_set_key
from jammi_dagster.errors import ArtifactOutsideRoot, InvalidField

_t = sa.table(
    "result_tables",
    *(
        sa.column(name)
        for name in (
            "table_name",
            "parquet_path",
            "row_count",
            "status",
            "created_at",
            "completed_at",
            "tenant_id",
            "definition_hash",
            "input_anchors_json",
            "writer_id",
        )
    ),
)
_ALL = sa.select(_t).where(_t.c.tenant_id.is_(None))
_READY = _ALL.where(_t.c.status == "ready")


class EngineReader:
    """Queries of an engine's catalog, as seen without a tenant.

    `root` is where its artifacts lie: an absolute path, or a URL that is not a `file:` one.
    """

    def __init__(
        self, database: Database, root: str, *, frozen: Mapping[str, sa.Row[Any]] | None = None
    ) -> None:
        """`frozen` are all rows by table, where the catalog is not to be asked again."""
        self._database, self._root = database, root.rstrip("/")
        self._frozen = frozen

    @contextlib.contextmanager
    def frozen(self) -> Iterator[EngineReader]:
        """Give a reader that answers from one query of the whole catalog."""
        rows = {row.table_name: row for row in self._rows(_ALL)}
        yield EngineReader(self._database, self._root, frozen=rows)

    def state(self) -> CatalogMark:
        """Return the catalog's name and revision -1: an engine counts no changes, so callers must not cache."""
        return CatalogMark(self._database.name, -1)

    def get(self, materialization_id: str) -> MaterializationRecord | None:
        """Find the table of this name: in an engine, its one materialization."""
        return self.current(materialization_id)

    def records(self, materialization_ids: Iterable[str]) -> dict[str, MaterializationRecord]:
        """Find the tables of these names, of whatever status."""
        return self.current_of(materialization_ids)

    def current(self, table: str) -> MaterializationRecord | None:
        """Find the table of this name, of whatever status, as the engine's own look-up gives it."""
        if self._frozen is not None:
            row = self._frozen.get(table)
        else:
            row = next(iter(self._rows(_ALL.where(_t.c.table_name == table))), None)
        return None if row is None else self._record(row)

    def tables(self) -> list[str]:
        """List the names of all ready tables, sorted."""
        return sorted(row.table_name for row in self._ready())

    def neighbours(self, table: str, *, most: int) -> list[str]:
        """List the tables whose names might be meant by `table`: all, an engine's are few."""
        return self.tables()

    def artifacts_after(self, table: str, *, most: int) -> list[tuple[str, str, int | None]]:
        """List at most `most` ready tables after `table` by name, each with the path of its artifact."""
        names = [name for name in self.tables() if name > table][:most]
        return [(name, record.artifact_path, None) for name, record in self.current_of(names).items()]

    def sources(self, near: str, *, most: int) -> list[str]:
        """List the recorded inputs that might be meant by `near`: all."""
        return sorted({edge.input for edge in self.edges()})

    def history(self, table: str) -> list[MaterializationRecord]:
        """List the table's one materialization."""
        record = self.current(table)
        return [] if record is None else [record]

    def moves(self, table: str) -> list[Move]:
        """List nothing: an engine keeps no history."""
        return []

    def move_at(self, table: str, at: int | datetime) -> None:
        """Find nothing: an engine keeps no history."""

    def holds(self) -> dict[str, Hold]:
        """Map nothing: an engine holds no table."""
        return {}

    def acceptances(self) -> dict[str, Acceptance]:
        """Map nothing: in an engine's catalog nobody accepts a table."""
        return {}

    def matches(
        self, definition: str, set_key: str, *, only_best: bool = False
    ) -> list[MaterializationRecord]:
        """List the ready tables of exactly this definition and anchor set: each is current, so the newest first."""
        found = (
            self._record(row)
            for row in reversed(self._ready(definition))
            if row.input_anchors_json is not None and anchor_set_key(_anchors(row)) == set_key
        )
        return list(itertools.islice(found, 1 if only_best else None))

    def best_matches(
        self, wanted: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], MaterializationRecord | None]:
        """Map each definition and anchor set with `matches` to the first of them."""
        found = {each: self.matches(*each, only_best=True) for each in wanted}
        return {each: matches[0] for each, matches in found.items() if matches}

    def stored_definitions(self, definitions: Iterable[str]) -> set[str]:
        """Find the definitions that any ready table has."""
        return {definition for definition in definitions if self._ready(definition)}

    def edges(self, source: str | None = None) -> list[DerivesFromEdge]:
        """List every recorded edge, or the edges of `source`; derived tables in the order of their creation.

        The engine narrows with LIKE, and so loses names that JSON escapes; here each row is decoded.
        """
        return [
            DerivesFromEdge(input=anchor.source, derived=row.table_name, kind=anchor.kind)
            for row in self._ready()
            if row.input_anchors_json is not None
            for anchor in _anchors(row)
            if source is None or anchor.source == source
        ]

    def current_rows(self) -> Generator[CurrentRow, None, None]:
        """Yield every ready table, for a sweep, by name."""
        for row in sorted(self._ready(), key=lambda row: str(row.table_name)):
            yield CurrentRow(
                table=row.table_name,
                tenant="",
                hides=False,
                definition_hash=row.definition_hash if row.input_anchors_json is not None else None,
                anchors_json=row.input_anchors_json,
                anchor_order=None,
            )

    def digests(self) -> None:
        """Return None: an engine's rows hold no digests, so the artifacts are asked."""

    def current_matches(self, tables: Collection[str]) -> dict[str, CurrentMatch]:
        """Map each ready table among `tables` to its record; without a set key, so that each is probed for itself."""
        names = (str(row.table_name) for row in self._ready() if row.table_name in tables)
        return {name: CurrentMatch(record, None, None) for name, record in self.current_of(names).items()}

    def current_of(self, tables: Iterable[str]) -> dict[str, MaterializationRecord]:
        """Find the tables of these names; absent ones are left out."""
        return {table: record for table in tables if (record := self.current(table)) is not None}

    def of_run(self, run_id: str, tables: Iterable[str]) -> dict[str, MaterializationRecord]:
        """Return nothing: an engine knows no runs."""
        return {}

    def annotation(self, materialization_id: str) -> None:
        """Return nothing: an engine records nothing for Dagster."""

    def annotations(self, materialization_ids: Iterable[str]) -> dict[str, str]:
        """Return nothing: an engine records nothing for Dagster."""
        return {}

    def annotations_of(self, tables: Iterable[str]) -> dict[str, str]:
        """Return nothing: an engine records nothing for Dagster."""
        return {}

    def for_tenant(self, tenant: str) -> EngineReader:
        """Return itself: an engine has one scope, in which all anchors resolve."""
        return self

    def _ready(self, definition: str | None = None) -> list[sa.Row[Any]]:
        """List the ready rows, of one definition or of all, in the order of their creation."""
        if self._frozen is not None:
            rows = [row for row in self._frozen.values() if row.status == "ready"]
        else:
            rows = self._rows(
                _READY if definition is None else _READY.where(_t.c.definition_hash == definition)
            )
        # sorted here, by code point: a PostgreSQL database may have any locale
        rows.sort(key=lambda row: (str(row.created_at), str(row.table_name)))
        return [row for row in rows if definition is None or row.definition_hash == definition]

    def _rows(self, query: sa.Select[Any]) -> list[sa.Row[Any]]:
        with self._database.reading() as connection:
            rows = list(connection.execute(query))
        for row in rows:
            if not isinstance(row.table_name, str):  # SQLite keeps whatever it is given
                raise InvalidField(what="catalog", path="table_name", value=row.table_name, expected="text")
        return rows

    def _record(self, row: sa.Row[Any]) -> MaterializationRecord:
        return MaterializationRecord(
            materialization_id=row.table_name,
            table=row.table_name,
            status=row.status,
            tenant="",
            deployment="",
            artifact_path=self._relative(row.parquet_path),
            artifact_uri=row.parquet_path,
            artifact_digest=None,
            size_bytes=None,
            row_count=row.row_count,
            definition_hash=row.definition_hash if row.input_anchors_json is not None else None,
            compute_seconds=None,
            reproducibility=None,
            produced_by=row.writer_id or "",
            start_sequence=0,
            created_at=row.created_at,
            completed_at=row.completed_at,
            anchors_json=row.input_anchors_json,
            anchor_order=None,
        )

    def _relative(self, location: object) -> str:
        """Give the artifact's path below the root. Raises `ArtifactOutsideRoot`: nothing outside is ever opened."""
        for path in _paths(location):
            if path.startswith(f"{self._root}/"):
                return path.removeprefix(f"{self._root}/")
        raise ArtifactOutsideRoot(path=location, why=f"it does not lie below the attached root {self._root}")


def _anchors(row: sa.Row[Any]) -> tuple[InputAnchor, ...]:
    return decode_anchors(row.input_anchors_json, where=f"result table {row.table_name}")


def _paths(location: object) -> tuple[str, ...]:
    """List the paths that a recorded location may mean: some writers escape a `file:` URL, some do not."""
    if not isinstance(location, str):
        return ()
    if not location.startswith("file:"):
        return (location,)
    path = location.removeprefix("file:")
    if path.startswith("//"):
        path = f"/{path[2:].partition('/')[2]}"
    return unquote(path), path
