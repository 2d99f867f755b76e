"""Acceptances: materializations that stand in for the output of other code, on somebody's word."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "acceptances",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("deployment", sa.Text, primary_key=True),
        sa.Column("table_name", _NAME, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("materialization_id", sa.Text, nullable=False),
        sa.Column("from_definition", sa.Text, nullable=False),
        sa.Column("to_definition", sa.Text, nullable=False),
        sa.Column("anchor_set_key", sa.Text, nullable=False),
        sa.Column("artifact_digest", sa.Text, nullable=False),
        sa.Column("accepted_by", sa.Text, nullable=False),
        sa.Column("accepted_because", sa.Text, nullable=False),
        sa.Column("accepted_at", sa.Float, nullable=False),
        sa.Column("proof", sa.Text),
        sqlite_with_rowid=False,
    )
