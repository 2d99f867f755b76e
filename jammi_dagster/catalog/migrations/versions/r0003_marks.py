"""A mark renewed with each change, which a restored catalog does not repeat; the fingerprint of the store's key."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("catalog_state", sa.Column("mark", sa.Text))
    op.add_column("catalog_state", sa.Column("key_fingerprint", sa.Text))
