"""The catalog's schema over time (alembic). A catalog at `HEAD` costs one query; alembic is not even imported."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import sqlalchemy as sa

KNOWN = ("0001", "0002", "0003", "0004")
HEAD = KNOWN[-1]
# a name of our own: Dagster's storage, or the user's, may keep alembic's default in the same database
VERSION_TABLE = "jammi_alembic_version"

_ADVISORY_LOCK = 0x6A616D6D69
_SCRIPTS = Path(__file__).parent

_one_at_a_time = threading.Lock()  # alembic keeps the migration that runs in names of its modules

_REVISION = sa.text(f"SELECT version_num FROM {VERSION_TABLE}")


def revision_of(connection: sa.Connection) -> str | None:
    """Read the revision a catalog stands at, or None for an empty database; one query where there is one.

    The connection must be in autocommit: on PostgreSQL a query that fails ends a transaction.
    """
    try:
        return connection.execute(_REVISION).scalar_one_or_none()
    except sa.exc.DBAPIError:
        if not sa.inspect(connection).has_table(VERSION_TABLE):
            return None
        # another process made it meanwhile, or the error comes again
        return connection.execute(_REVISION).scalar_one_or_none()


def is_foreign(connection: sa.Connection) -> bool:
    """Check that the database holds tables, but none of ours: an engine's catalog has the same file name."""
    tables = sa.inspect(connection).get_table_names()
    return bool(tables) and VERSION_TABLE not in tables


def upgrade(connection: sa.Connection) -> None:
    """Bring the schema to `HEAD`, in the caller's write transaction; two processes at once take turns."""
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    known = sa.inspect(connection).has_table(VERSION_TABLE)
    if known and connection.execute(_REVISION).scalar_one_or_none() == HEAD:
        return
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes.update(connection=connection, version_table=VERSION_TABLE)
    with _one_at_a_time:
        command.upgrade(config, HEAD)


def _in_child() -> None:
    """Free the lock in a forked child: no other thread goes on there."""
    global _one_at_a_time
    _one_at_a_time = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no forks
    os.register_at_fork(after_in_child=_in_child)
