"""The catalog's tables. A revision in `migrations/` makes each of them; a test keeps the two equal.

A tenant is the empty string for global rows: a NULL would escape unique keys.
"""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, Text, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

_registry = registry()
# names sort by code point, whatever the locale of a PostgreSQL database
_NAME = Text().with_variant(Text(collation="C"), "postgresql")


class Base(SQLModel, registry=_registry):
    """Base of the catalog's tables, apart from the user's own SQLModel tables."""

    metadata = _registry.metadata


def _column(kind: type | Any, *constraints: Any, **options: Any) -> Any:
    return Field(sa_column=Column(kind, *constraints, **{"nullable": False, **options}))


def new_mark() -> str:
    """Draw a mark that no other state of any catalog has."""
    return secrets.token_hex(8)


class CatalogState(Base, table=True):
    """One row: the counters of the catalog. Locking it orders the writers.

    `revision` is raised in each transaction that flips a row or moves a pointer; `start_sequence` is issued to
    each start of a step. `root_id` names the root whose objects the rows name; NULL until the first write.
    `mark` is drawn anew where `revision` is raised: a catalog that was restored and written to again may have the same
    revision, but not the same mark. `key_fingerprint` tells the key that the recorded HMACs were made with.
    """

    __tablename__ = "catalog_state"
    id: int = _column(Integer, primary_key=True)
    catalog_id: str = _column(Text)
    revision: int = _column(BigInteger)
    start_sequence: int = _column(BigInteger)
    root_id: str | None = _column(Text, nullable=True)
    mark: str | None = _column(Text, nullable=True, onupdate=new_mark)
    key_fingerprint: str | None = _column(Text, nullable=True)


class MaintenanceStamp(Base, table=True):
    """A mark that a maintenance pass of this catalog left in the root, and when, by the database's clock."""

    __tablename__ = "maintenance_stamps"
    stamp: str = _column(Text, primary_key=True)
    issued_at: float = _column(Float)


class AnchorSet(Base, table=True):
    """A set of input anchors, stored once, sorted by source: `anchors_json` is the one source of truth."""

    __tablename__ = "anchor_sets"
    id: int | None = _column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    set_key: str = _column(Text, unique=True)
    anchors_json: str = _column(Text)


class AnchorEdge(Base, table=True):
    """The edge index: which anchor sets hold a source. Derived from `anchor_sets`, rebuildable."""

    __tablename__ = "anchor_edges"
    __table_args__ = (Index("anchor_edges_by_source", "source"), {"sqlite_with_rowid": False})
    anchor_set_id: int = _column(BigInteger, ForeignKey("anchor_sets.id"), primary_key=True)
    source: str = _column(_NAME, primary_key=True)
    kind: str = _column(Text)


class Materialization(Base, table=True):
    """One artifact of a result table, from `building` to `ready` or `failed`; its bytes are never overwritten.

    `artifact_path` is relative to the store's root. `anchor_order` is the recorded order of the inputs as indexes
    into the sorted set, or NULL where it is the sorted order. A lease's expiry is seconds since the epoch by the
    database's clock; in a row that was ready once and was dropped or lost, when that was: for a while from then on
    somebody may still read its bytes. `attempt_id` is shared by the `attempt_size` rows that get ready together.
    `missing_since` is when recovery first missed an object of a ready row, by the database's clock.
    """

    __tablename__ = "materializations"
    __table_args__ = (
        Index(
            "materializations_by_definition",
            "definition_hash",
            "anchor_set_id",
            sqlite_where=text("status = 'ready'"),
            postgresql_where=text("status = 'ready'"),
        ),
        Index("materializations_by_table", "tenant", "table_name", "start_sequence"),
        Index(
            "materializations_building",
            "lease_expires_at",
            sqlite_where=text("status = 'building'"),
            postgresql_where=text("status = 'building'"),
        ),
    )
    id: str = _column(Text, primary_key=True)
    tenant: str = _column(Text)
    deployment: str = _column(Text)
    table_name: str = _column(_NAME)
    status: str = _column(Text)
    artifact_path: str = _column(Text)
    definition_hash: str | None = _column(Text, nullable=True)
    anchor_set_id: int | None = _column(BigInteger, ForeignKey("anchor_sets.id"), nullable=True)
    anchor_order: str | None = _column(Text, nullable=True)
    artifact_digest: str | None = _column(Text, nullable=True)
    size_bytes: int | None = _column(BigInteger, nullable=True)
    row_count: int | None = _column(BigInteger, nullable=True)
    writer_profile: str | None = _column(Text, nullable=True)
    reproducibility: str | None = _column(Text, nullable=True)
    compute_seconds: float | None = _column(Float, nullable=True)
    produced_by: str = _column(Text)
    start_sequence: int = _column(BigInteger)
    created_at: str = _column(Text)
    completed_at: str | None = _column(Text, nullable=True)
    lease_token: str | None = _column(Text, nullable=True)
    lease_owner: str | None = _column(Text, nullable=True)
    lease_expires_at: float | None = _column(Float, nullable=True)
    attempt_id: str | None = _column(Text, nullable=True)
    attempt_size: int | None = _column(BigInteger, nullable=True)
    missing_since: float | None = _column(Float, nullable=True)


class Annotation(Base, table=True):
    """The recorded metadata, tags and check results of a materialization, as JSON: a reuse emits them again."""

    __tablename__ = "annotations"
    materialization_id: str = _column(Text, ForeignKey("materializations.id"), primary_key=True)
    annotation_json: str = _column(Text)


class Pointer(Base, table=True):
    """The current materialization of a table in a deployment; moved by compare-and-swap on `start_sequence`.

    The columns from `made_by_tenant` on are copied from the materialization, which does not change while it is
    ready: so a sweep of all tables reads none of the history. All are NULL for a table that was dropped or
    lost: the row stays, so that an earlier start does not bring the name back. `restored` is 1 for a pointer that
    adoption set and nothing has moved since; `lost_id` is the materialization whose loss emptied the pointer.
    While `held_since` is set (seconds by the database's clock), runs do not move the pointer: see `catalog.holds`.
    """

    __tablename__ = "pointers"
    __table_args__ = (
        Index("pointers_by_materialization", "materialization_id"),
        Index("pointers_by_anchor_set", "anchor_set_id"),
        Index(
            "pointers_held",
            "tenant",
            "deployment",
            sqlite_where=text("held_since IS NOT NULL"),
            postgresql_where=text("held_since IS NOT NULL"),
        ),
        {"sqlite_with_rowid": False},
    )
    tenant: str = _column(Text, primary_key=True)
    deployment: str = _column(Text, primary_key=True)
    table_name: str = _column(_NAME, primary_key=True)
    materialization_id: str | None = _column(Text, ForeignKey("materializations.id"), nullable=True)
    start_sequence: int = _column(BigInteger)
    made_by_tenant: str | None = _column(Text, nullable=True)
    made_at_sequence: int | None = _column(BigInteger, nullable=True)
    definition_hash: str | None = _column(Text, nullable=True)
    anchor_set_id: int | None = _column(BigInteger, ForeignKey("anchor_sets.id"), nullable=True)
    anchor_order: str | None = _column(Text, nullable=True)
    artifact_digest: str | None = _column(Text, nullable=True)
    restored: int | None = _column(Integer, nullable=True)
    lost_id: str | None = _column(Text, nullable=True)
    held_since: float | None = _column(Float, nullable=True)
    held_by: str | None = _column(Text, nullable=True)
    held_because: str | None = _column(Text, nullable=True)


class PointerMoves(Base, table=True):
    """The history of the pointers: one row for each move, added in the transaction that moves, and never changed.

    `sequence` is issued by the catalog to each transaction that moves, in the order of their commits: the pointers as
    they were at a sequence are the last moves up to it. `start_sequence` is the start that moved the pointer.
    `materialization_id` is NULL where the table was emptied. `moved_at` is by the database's clock.
    """

    __tablename__ = "pointer_moves"
    __table_args__ = {"sqlite_with_rowid": False}
    tenant: str = _column(Text, primary_key=True)
    table_name: str = _column(_NAME, primary_key=True)
    deployment: str = _column(Text, primary_key=True)
    sequence: int = _column(BigInteger, primary_key=True, autoincrement=False)
    start_sequence: int = _column(BigInteger)
    materialization_id: str | None = _column(Text, nullable=True)
    outcome: str = _column(Text)
    cause: str | None = _column(Text, nullable=True)
    run_id: str | None = _column(Text, nullable=True)
    moved_at: float = _column(Float)


class OutboxEvent(Base, table=True):
    """An event for Dagster that belongs to a move outside of a run; the row is removed once the event was sent.

    `attempts` counts the claims of senders; one is good until `claimed_until`, by the database's clock.
    """

    __tablename__ = "outbox"
    __table_args__ = {"sqlite_with_rowid": False}
    tenant: str = _column(Text, primary_key=True)
    deployment: str = _column(Text, primary_key=True)
    sequence: int = _column(BigInteger, primary_key=True, autoincrement=False)
    table_name: str = _column(_NAME, primary_key=True)
    event_json: str = _column(Text)
    attempts: int = _column(Integer)
    claimed_until: float | None = _column(Float, nullable=True)


class RunResult(Base, table=True):
    """The materialization that a run made or reused for a table, wherever the pointer has gone since."""

    __tablename__ = "run_results"
    __table_args__ = {"sqlite_with_rowid": False}
    run_id: str = _column(Text, primary_key=True)
    tenant: str = _column(Text, primary_key=True)
    table_name: str = _column(_NAME, primary_key=True)
    materialization_id: str = _column(Text, ForeignKey("materializations.id"))
