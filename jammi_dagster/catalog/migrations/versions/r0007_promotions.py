"""Promotions on record, and holds that end once the code has a definition."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("pointers", sa.Column("held_for_definition", sa.Text))
    op.create_table(
        "promotions",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("deployment", sa.Text, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("promotion_json", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
