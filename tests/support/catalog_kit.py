"""Rows for the tests of the catalog: materializations without bytes, in one call each."""

import itertools
import secrets
from collections.abc import Sequence
from typing import Any

from core_kit import DEFINITION, DIGEST

from jammi_dagster.catalog import (
    BuildingRow,
    CatalogReader,
    CatalogWriter,
    Database,
    Lease,
    MaterializationRecord,
    PointerMove,
    ReadyRow,
    Scope,
)
from jammi_dagster.contract import InputAnchor

_count = itertools.count()


class Catalog:
    """A catalog seen from one scope."""

    def __init__(self, database: Database, **scope: Any) -> None:
        self.database = database
        self.scope = Scope(**scope)
        self.reader = CatalogReader(database, self.scope, lambda path: f"file:///root/{path}")
        self.writer = CatalogWriter(database, self.scope)

    def beside(self, **scope: Any) -> "Catalog":
        """The same database from another scope."""
        return Catalog(self.database, **scope)

    def begin(self, *tables: str, start: int | None = None) -> tuple[list[BuildingRow], Lease]:
        """`building` rows under one lease."""
        start = self.writer.next_start() if start is None else start
        token = secrets.token_hex(8)
        lease = Lease(token=token, owner=f"owner of {token}", seconds=60)
        rows = [begun(table, start) for table in tables]
        self.writer.begin(rows, produced_by="test", lease=lease)
        return rows, lease

    def ready(
        self, table: str, *, start: int | None = None, run_id: str | None = None, **flip: Any
    ) -> tuple[str, PointerMove]:
        """A ready materialization: its id, and how its pointer moved."""
        rows, lease = self.begin(table, start=start)
        pointed = self.writer.finish([finished(rows[0], **flip)], lease=lease, run_id=run_id)
        return rows[0].materialization_id, pointed[0]

    def current(self, table: str) -> str | None:
        """The id that the table's name resolves to."""
        record = self.reader.current(table)
        return None if record is None else record.materialization_id

    def get(self, materialization_id: str) -> MaterializationRecord:
        """The materialization, which must be there."""
        record = self.reader.get(materialization_id)
        assert record is not None
        return record

    @property
    def revision(self) -> int:
        """The catalog's revision."""
        return self.reader.state()[1]


def begun(table: str, start: int) -> BuildingRow:
    """A row to begin, with an id of its own that sorts by time."""
    materialization_id = f"{next(_count):012x}{secrets.token_hex(6)}"
    return BuildingRow(
        materialization_id=materialization_id,
        table=table,
        artifact_path=f"tables/{materialization_id}.parquet",
        start_sequence=start,
        created_at="2026-11-22T12:00:00+00:00",
    )


def finished(
    row: BuildingRow,
    *,
    definition: str = DEFINITION,
    anchors: Sequence[InputAnchor] = (),
    digest: str = DIGEST,
    profile: str = "{}",
    annotation: str | None = None,
    cause: str | None = None,
) -> ReadyRow:
    """The values that flip `row`."""
    return ReadyRow(
        building=row,
        definition_hash=definition,
        input_anchors=anchors,
        artifact_digest=digest,
        size_bytes=10,
        row_count=3,
        writer_profile=profile,
        compute_seconds=1.5,
        completed_at="2026-11-22T12:00:01+00:00",
        annotation_json=annotation,
        cause=cause,
    )


def new_database(catalog: str) -> Database:
    """Open a catalog's database, made if it is not there and can be."""
    database = Database(catalog)
    if not database.read_only:
        database.make()
    return database
