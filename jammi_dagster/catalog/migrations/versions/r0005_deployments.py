"""Branches: the deployments that read a parent's tables, and the answers that a materialization's inputs had."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "deployments",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("parent", sa.Text),
        sa.Column("parent_sequence", sa.BigInteger),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float),
        sa.Column("dropped_at", sa.Float),
        sqlite_with_rowid=False,
    )
    op.add_column("materializations", sa.Column("answers_json", sa.Text))
