"""The root's identity, maintenance stamps, attempts, missing objects, restored and lost pointers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("catalog_state", sa.Column("root_id", sa.Text))
    op.create_table(
        "maintenance_stamps",
        sa.Column("stamp", sa.Text, primary_key=True),
        sa.Column("issued_at", sa.Float, nullable=False),
    )
    op.add_column("materializations", sa.Column("attempt_id", sa.Text))
    op.add_column("materializations", sa.Column("attempt_size", sa.BigInteger))
    op.add_column("materializations", sa.Column("missing_since", sa.Float))
    op.add_column("pointers", sa.Column("restored", sa.Integer))
    op.add_column("pointers", sa.Column("lost_id", sa.Text))
