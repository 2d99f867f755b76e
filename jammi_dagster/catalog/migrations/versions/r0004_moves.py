"""The history of the pointers, holds, and the outbox of events for Dagster."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_HELD = sa.text("held_since IS NOT NULL")
_CLOCKS = {
    "postgresql": "extract(epoch from clock_timestamp())",
    "sqlite": "(julianday('now') - 2440587.5) * 86400.0",
}


def upgrade() -> None:
    for name, kind in (("held_since", sa.Float), ("held_by", sa.Text), ("held_because", sa.Text)):
        op.add_column("pointers", sa.Column(name, kind))
    op.create_index(
        "pointers_held", "pointers", ["tenant", "deployment"], sqlite_where=_HELD, postgresql_where=_HELD
    )
    op.create_table(
        "pointer_moves",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("table_name", _NAME, primary_key=True),
        sa.Column("deployment", sa.Text, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("start_sequence", sa.BigInteger, nullable=False),
        sa.Column("materialization_id", sa.Text),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("cause", sa.Text),
        sa.Column("run_id", sa.Text),
        sa.Column("moved_at", sa.Float, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("deployment", sa.Text, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("table_name", _NAME, primary_key=True),
        sa.Column("event_json", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("claimed_until", sa.Float),
        sqlite_with_rowid=False,
    )
    _begin_history()


def _begin_history() -> None:
    """Begin the history with the pointers as they are: it is not known when, and by which run, each was moved."""
    clock = _CLOCKS[op.get_bind().dialect.name]
    op.execute(
        f"""INSERT INTO pointer_moves (tenant, table_name, deployment, sequence, start_sequence, materialization_id,
 outcome, cause, moved_at)
 SELECT tenant, table_name, deployment, (SELECT max(start_sequence) FROM catalog_state), start_sequence,
 materialization_id,
 CASE WHEN start_sequence = made_at_sequence THEN 'computed' ELSE 'reused' END, 'before the history began', {clock}
 FROM pointers WHERE materialization_id IS NOT NULL"""
    )
