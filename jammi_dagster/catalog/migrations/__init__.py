"""The catalog's schema over time (alembic). A catalog at `HEAD` costs one query; alembic is not even imported."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

KNOWN = ("0001",)
HEAD = KNOWN[-1]

_ADVISORY_LOCK = 0x6A616D6D69


def revision_of(connection: sa.Connection) -> str | None:
    """The revision a catalog stands at, or None for an empty database."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def upgrade(connection: sa.Connection) -> None:
    """Brings the schema to `HEAD`, in the caller's write transaction; two processes at once take turns."""
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    if revision_of(connection) == HEAD:
        return
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
