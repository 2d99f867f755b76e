"""The catalog's tables. A revision in `migrations/` makes each of them; a test keeps the two equal.

A tenant is the empty string for global rows: a NULL would escape unique keys.

They are tables of SQLAlchemy's core: the models of an ORM are a fifth of a second of imports.
"""

import secrets
from typing import Any

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, MetaData, Table, Text, text

METADATA = MetaData()
# names sort by code point, whatever the locale of a PostgreSQL database
_NAME = Text().with_variant(Text(collation="C"), "postgresql")


def _column(name: str, kind: Any, *constraints: Any, **options: Any) -> Column[Any]:
    return Column(name, kind, *constraints, **{"nullable": False, **options})


def new_mark() -> str:
    """Draw a mark that no other state of any catalog has."""
    return secrets.token_hex(8)


# One row: the counters of the catalog. Locking it orders the writers.
#
# `revision` is raised in each transaction that flips a row or moves a pointer; `start_sequence` is issued to
# each start of a step. `root_id` names the root whose objects the rows name; NULL until the first write.
# `mark` is drawn anew where `revision` is raised: a catalog that was restored and written to again may have the same
# revision, but not the same mark. `key_fingerprint` tells the key that the recorded HMACs were made with.
catalog_state = Table(
    "catalog_state",
    METADATA,
    _column("id", Integer, primary_key=True),
    _column("catalog_id", Text),
    _column("revision", BigInteger),
    _column("start_sequence", BigInteger),
    _column("root_id", Text, nullable=True),
    _column("mark", Text, nullable=True, onupdate=new_mark),
    _column("key_fingerprint", Text, nullable=True),
)

# A mark that a maintenance pass of this catalog left in the root, and when, by the database's clock.
maintenance_stamps = Table(
    "maintenance_stamps",
    METADATA,
    _column("stamp", Text, primary_key=True),
    _column("issued_at", Float),
)

# A set of input anchors, stored once, sorted by source: `anchors_json` is the one source of truth.
anchor_sets = Table(
    "anchor_sets",
    METADATA,
    _column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    _column("set_key", Text, unique=True),
    _column("anchors_json", Text),
)

# The edge index: which anchor sets hold a source. Derived from `anchor_sets`, rebuildable.
anchor_edges = Table(
    "anchor_edges",
    METADATA,
    _column("anchor_set_id", BigInteger, ForeignKey("anchor_sets.id"), primary_key=True),
    _column("source", _NAME, primary_key=True),
    _column("kind", Text),
    Index("anchor_edges_by_source", "source"),
    sqlite_with_rowid=False,
)

# One artifact of a result table, from `building` to `ready` or `failed`, and at last from `collecting` to `collected`;
# its bytes are never overwritten.
#
# `artifact_path` is relative to the store's root. `anchor_order` is the recorded order of the inputs as indexes
# into the sorted set, or NULL where it is the sorted order. A lease's expiry is seconds since the epoch by the
# database's clock; in a row that was ready once and was dropped or lost, when that was: for a while from then on
# somebody may still read its bytes. `attempt_id` is shared by the `attempt_size` rows that get ready together.
# `missing_since` is when recovery first missed an object of a ready row, by the database's clock. `answers_json`
# tells which materialization of which deployment answered for each input.
materializations = Table(
    "materializations",
    METADATA,
    _column("id", Text, primary_key=True),
    _column("tenant", Text),
    _column("deployment", Text),
    _column("table_name", _NAME),
    _column("status", Text),
    _column("artifact_path", Text),
    _column("definition_hash", Text, nullable=True),
    _column("anchor_set_id", BigInteger, ForeignKey("anchor_sets.id"), nullable=True),
    _column("anchor_order", Text, nullable=True),
    _column("artifact_digest", Text, nullable=True),
    _column("size_bytes", BigInteger, nullable=True),
    _column("row_count", BigInteger, nullable=True),
    _column("writer_profile", Text, nullable=True),
    _column("reproducibility", Text, nullable=True),
    _column("compute_seconds", Float, nullable=True),
    _column("produced_by", Text),
    _column("start_sequence", BigInteger),
    _column("created_at", Text),
    _column("completed_at", Text, nullable=True),
    _column("lease_token", Text, nullable=True),
    _column("lease_owner", Text, nullable=True),
    _column("lease_expires_at", Float, nullable=True),
    _column("attempt_id", Text, nullable=True),
    _column("attempt_size", BigInteger, nullable=True),
    _column("missing_since", Float, nullable=True),
    _column("answers_json", Text, nullable=True),
    _column("marked_at", Float, nullable=True),
    _column("mark_plan", Text, nullable=True),
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
    Index(
        "materializations_collecting",
        "tenant",
        sqlite_where=text("status = 'collecting'"),
        postgresql_where=text("status = 'collecting'"),
    ),
)

# The recorded metadata, tags and check results of a materialization, as JSON: a reuse emits them again.
annotations = Table(
    "annotations",
    METADATA,
    _column("materialization_id", Text, ForeignKey("materializations.id"), primary_key=True),
    _column("annotation_json", Text),
)

# The current materialization of a table in a deployment; moved by compare-and-swap on `start_sequence`.
#
# The columns from `made_by_tenant` on are copied from the materialization, which does not change while it is
# ready: so a sweep of all tables reads none of the history. All are NULL for a table that was dropped or
# lost: the row stays, so that an earlier start does not bring the name back. `restored` is 1 for a pointer that
# adoption set and nothing has moved since; `lost_id` is the materialization whose loss emptied the pointer.
# While `held_since` is set (seconds by the database's clock), runs do not move the pointer: see `catalog.holds`.
# One that a promotion set ahead of the code ends with the first run of `held_for_definition`.
pointers = Table(
    "pointers",
    METADATA,
    _column("tenant", Text, primary_key=True),
    _column("deployment", Text, primary_key=True),
    _column("table_name", _NAME, primary_key=True),
    _column("materialization_id", Text, ForeignKey("materializations.id"), nullable=True),
    _column("start_sequence", BigInteger),
    _column("made_by_tenant", Text, nullable=True),
    _column("made_at_sequence", BigInteger, nullable=True),
    _column("definition_hash", Text, nullable=True),
    _column("anchor_set_id", BigInteger, ForeignKey("anchor_sets.id"), nullable=True),
    _column("anchor_order", Text, nullable=True),
    _column("artifact_digest", Text, nullable=True),
    _column("restored", Integer, nullable=True),
    _column("lost_id", Text, nullable=True),
    _column("held_since", Float, nullable=True),
    _column("held_by", Text, nullable=True),
    _column("held_because", Text, nullable=True),
    _column("held_for_definition", Text, nullable=True),
    Index("pointers_by_materialization", "materialization_id"),
    Index("pointers_by_anchor_set", "anchor_set_id"),
    Index(
        "pointers_lost",
        "lost_id",
        sqlite_where=text("lost_id IS NOT NULL"),
        postgresql_where=text("lost_id IS NOT NULL"),
    ),
    Index(
        "pointers_held",
        "tenant",
        "deployment",
        sqlite_where=text("held_since IS NOT NULL"),
        postgresql_where=text("held_since IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

# A branch, made when it first writes: a deployment that reads the tables of its `parent` where it has none.
#
# A branch over another store has no `parent` here. The parent is read as it is or, with `parent_sequence`, as it was at
# that sequence of `pointer_moves`. A deployment without a row is no branch, and lasts. One that is dropped, or whose
# time has come, keeps no materialization alive. All times are seconds since the epoch by the database's clock;
# `created_at` and `dropped_at` are sequences, too (`branch_row`), and one that began anew was created when it ended.
deployments = Table(
    "deployments",
    METADATA,
    _column("name", Text, primary_key=True),
    _column("parent", Text, nullable=True),
    _column("parent_sequence", BigInteger, nullable=True),
    _column("created_at", Float),
    _column("expires_at", Float, nullable=True),
    _column("dropped_at", Float, nullable=True),
    sqlite_with_rowid=False,
)

# The history of the pointers: one row for each move, added in the transaction that moves, and never changed.
#
# `sequence` is issued by the catalog to each transaction that moves, in the order of their commits: the pointers as
# they were at a sequence are the last moves up to it. `start_sequence` is the start that moved the pointer.
# `materialization_id` is NULL where the table was emptied. `moved_at` is by the database's clock.
pointer_moves = Table(
    "pointer_moves",
    METADATA,
    _column("tenant", Text, primary_key=True),
    _column("table_name", _NAME, primary_key=True),
    _column("deployment", Text, primary_key=True),
    _column("sequence", BigInteger, primary_key=True, autoincrement=False),
    _column("start_sequence", BigInteger),
    _column("materialization_id", Text, nullable=True),
    _column("outcome", Text),
    _column("cause", Text, nullable=True),
    _column("run_id", Text, nullable=True),
    _column("moved_at", Float),
    Index("pointer_moves_by_materialization", "materialization_id"),
    sqlite_with_rowid=False,
)

# An event for Dagster that belongs to a move outside of a run; the row is removed once the event was sent.
#
# `attempts` counts the claims of senders; one is good until `claimed_until`, by the database's clock.
outbox = Table(
    "outbox",
    METADATA,
    _column("tenant", Text, primary_key=True),
    _column("deployment", Text, primary_key=True),
    _column("sequence", BigInteger, primary_key=True, autoincrement=False),
    _column("table_name", _NAME, primary_key=True),
    _column("event_json", Text),
    _column("attempts", Integer),
    _column("claimed_until", Float, nullable=True),
    sqlite_with_rowid=False,
)

# A promotion into a deployment, as JSON; `sequence` is that of its moves.
promotions = Table(
    "promotions",
    METADATA,
    _column("tenant", Text, primary_key=True),
    _column("deployment", Text, primary_key=True),
    _column("sequence", BigInteger, primary_key=True, autoincrement=False),
    _column("promotion_json", Text),
    sqlite_with_rowid=False,
)

# The materialization that a run made or reused for a table, wherever the pointer has gone since.
run_results = Table(
    "run_results",
    METADATA,
    _column("run_id", Text, primary_key=True),
    _column("tenant", Text, primary_key=True),
    _column("table_name", _NAME, primary_key=True),
    _column("materialization_id", Text, ForeignKey("materializations.id")),
    Index("run_results_by_materialization", "materialization_id"),
    sqlite_with_rowid=False,
)

# Until when the results of a run are kept, whatever becomes of their names; seconds by the database's clock.
run_leases = Table(
    "run_leases",
    METADATA,
    _column("run_id", Text, primary_key=True),
    _column("tenant", Text, primary_key=True),
    _column("expires_at", Float),
    sqlite_with_rowid=False,
)

# A reader of a materialization, or a pin on it: until the lease runs out nothing collects it; NULL is for ever.
#
# All leases of one process have one `owner`. `purpose` is a word for people: a method, or the reason of a pin.
read_leases = Table(
    "read_leases",
    METADATA,
    _column("token", Text, primary_key=True),
    _column("materialization_id", Text, ForeignKey("materializations.id")),
    _column("tenant", Text),
    _column("owner", Text),
    _column("purpose", Text),
    _column("expires_at", Float, nullable=True),
    Index("read_leases_by_materialization", "materialization_id"),
    Index("read_leases_by_owner", "owner"),
)

# The database's clock beside a machine's own, as the last collection there read them: they tell if it was set.
#
# `clock` names a clock that only rises, that of one boot of one machine. Where the database's clock turned out to
# be set, leases count as of `alive_since` until `suspect_until`.
collection_clocks = Table(
    "collection_clocks",
    METADATA,
    _column("clock", Text, primary_key=True),
    _column("clock_seconds", Float),
    _column("database_seconds", Float),
    _column("alive_since", Float, nullable=True),
    _column("suspect_until", Float, nullable=True),
)

# A materialization that counts as the output of another definition, on somebody's word (ADR 23).
#
# `sequence` is that of the transaction which added the row: it is void once the pointer has a later move.
acceptances = Table(
    "acceptances",
    METADATA,
    _column("tenant", Text, primary_key=True),
    _column("deployment", Text, primary_key=True),
    _column("table_name", _NAME, primary_key=True),
    _column("sequence", BigInteger, primary_key=True, autoincrement=False),
    _column("materialization_id", Text),
    _column("from_definition", Text),
    _column("to_definition", Text),
    _column("anchor_set_key", Text),
    _column("artifact_digest", Text),
    _column("accepted_by", Text),
    _column("accepted_because", Text),
    _column("accepted_at", Float),
    _column("proof", Text, nullable=True),
    sqlite_with_rowid=False,
)
