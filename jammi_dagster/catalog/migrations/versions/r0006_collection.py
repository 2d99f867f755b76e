"""Collection: marks on materializations, leases of runs and readers, and the clocks that time the grace."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_COLLECTING = sa.text("status = 'collecting'")
_LOST = sa.text("lost_id IS NOT NULL")
_RUN_SECONDS = 6 * 3600
_CLOCKS = {
    "postgresql": "extract(epoch from clock_timestamp())",
    "sqlite": "(julianday('now') - 2440587.5) * 86400.0",
}


def upgrade() -> None:
    op.add_column("materializations", sa.Column("marked_at", sa.Float))
    op.add_column("materializations", sa.Column("mark_plan", sa.Text))
    for name, table, column, where in (
        ("materializations_collecting", "materializations", "tenant", _COLLECTING),
        ("pointers_lost", "pointers", "lost_id", _LOST),
        ("pointer_moves_by_materialization", "pointer_moves", "materialization_id", None),
        ("run_results_by_materialization", "run_results", "materialization_id", None),
    ):
        op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "run_leases",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("expires_at", sa.Float, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "read_leases",
        sa.Column("token", sa.Text, primary_key=True),
        sa.Column("materialization_id", sa.Text, sa.ForeignKey("materializations.id"), nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Float),
    )
    op.create_index("read_leases_by_materialization", "read_leases", ["materialization_id"])
    op.create_index("read_leases_by_owner", "read_leases", ["owner"])
    op.create_table(
        "collection_clocks",
        sa.Column("clock", sa.Text, primary_key=True),
        sa.Column("clock_seconds", sa.Float, nullable=False),
        sa.Column("database_seconds", sa.Float, nullable=False),
        sa.Column("alive_since", sa.Float),
        sa.Column("suspect_until", sa.Float),
    )
    _lease_runs()


def _lease_runs() -> None:
    """Give each known run a lease: it may be under way."""
    clock = _CLOCKS[op.get_bind().dialect.name]
    op.execute(
        "INSERT INTO run_leases (run_id, tenant, expires_at)"
        f" SELECT DISTINCT run_id, tenant, {clock} + {_RUN_SECONDS} FROM run_results"
    )
