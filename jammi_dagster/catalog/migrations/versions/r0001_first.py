"""The first schema."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_READY = sa.text("status = 'ready'")
_BUILDING = sa.text("status = 'building'")
_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    state = op.create_table(
        "catalog_state",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("catalog_id", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("start_sequence", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(state, [{"id": 1, "catalog_id": uuid.uuid4().hex, "revision": 0, "start_sequence": 0}])
    op.create_table(
        "anchor_sets",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("set_key", sa.Text, nullable=False, unique=True),
        sa.Column("anchors_json", sa.Text, nullable=False),
    )
    op.create_table(
        "anchor_edges",
        sa.Column("anchor_set_id", sa.BigInteger, sa.ForeignKey("anchor_sets.id"), primary_key=True),
        sa.Column("source", _NAME, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("anchor_edges_by_source", "anchor_edges", ["source"])
    op.create_table(
        "materializations",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("deployment", sa.Text, nullable=False),
        sa.Column("table_name", _NAME, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("artifact_path", sa.Text, nullable=False),
        sa.Column("definition_hash", sa.Text),
        sa.Column("anchor_set_id", sa.BigInteger, sa.ForeignKey("anchor_sets.id")),
        sa.Column("anchor_order", sa.Text),
        sa.Column("artifact_digest", sa.Text),
        sa.Column("size_bytes", sa.BigInteger),
        sa.Column("row_count", sa.BigInteger),
        sa.Column("writer_profile", sa.Text),
        sa.Column("reproducibility", sa.Text),
        sa.Column("compute_seconds", sa.Float),
        sa.Column("produced_by", sa.Text, nullable=False),
        sa.Column("start_sequence", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("completed_at", sa.Text),
        sa.Column("lease_token", sa.Text),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_expires_at", sa.Float),
    )
    for name, columns, where in (
        ("materializations_by_definition", ["definition_hash", "anchor_set_id"], _READY),
        ("materializations_by_table", ["tenant", "table_name", "start_sequence"], None),
        ("materializations_building", ["lease_expires_at"], _BUILDING),
    ):
        op.create_index(name, "materializations", columns, sqlite_where=where, postgresql_where=where)
    materialization = sa.ForeignKey("materializations.id")
    op.create_table(
        "annotations",
        sa.Column("materialization_id", sa.Text, materialization, primary_key=True),
        sa.Column("annotation_json", sa.Text, nullable=False),
    )
    op.create_table(
        "pointers",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("deployment", sa.Text, primary_key=True),
        sa.Column("table_name", _NAME, primary_key=True),
        sa.Column("materialization_id", sa.Text, sa.ForeignKey("materializations.id")),
        sa.Column("start_sequence", sa.BigInteger, nullable=False),
        sa.Column("made_by_tenant", sa.Text),
        sa.Column("made_at_sequence", sa.BigInteger),
        sa.Column("definition_hash", sa.Text),
        sa.Column("anchor_set_id", sa.BigInteger, sa.ForeignKey("anchor_sets.id")),
        sa.Column("anchor_order", sa.Text),
        sa.Column("artifact_digest", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_index("pointers_by_materialization", "pointers", ["materialization_id"])
    op.create_index("pointers_by_anchor_set", "pointers", ["anchor_set_id"])
    op.create_table(
        "run_results",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("table_name", _NAME, primary_key=True),
        sa.Column("materialization_id", sa.Text, sa.ForeignKey("materializations.id"), nullable=False),
        sqlite_with_rowid=False,
    )
