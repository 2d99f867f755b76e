"""The catalog's schema over time (alembic). A catalog at `HEAD` costs one query; alembic is not even imported.

A new catalog is made by the models, and needs no alembic either; a test keeps it equal to a migrated one.
"""

from __future__ import annotations

import uuid
from pathlib import Path

import sqlalchemy as sa

from jammi_dagster import forks
from jammi_dagster.catalog import models

KNOWN = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008")
HEAD = KNOWN[-1]
# a name of our own: Dagster's storage, or the user's, may keep alembic's default in the same database
VERSION_TABLE = "jammi_alembic_version"
_OF_MODELS = HEAD
_VERSION = sa.Table(  # as alembic makes it
    VERSION_TABLE,
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
)

_ADVISORY_LOCK = 0x6A616D6D69
_SCRIPTS = Path(__file__).parent

_one_at_a_time = forks.Lock()  # alembic keeps the migration that runs in names of its modules

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
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    known = sa.inspect(connection).has_table(VERSION_TABLE)
    revision = connection.execute(_REVISION).scalar_one_or_none() if known else None
    if revision is None and not known:
        revision = _make(connection)
    if revision != HEAD:
        _migrate(connection)


def _make(connection: sa.Connection) -> str:
    """Make an empty catalog by the models, as its migrations would; return its revision."""
    models.METADATA.create_all(connection, checkfirst=False)
    counters = {"id": 1, "catalog_id": uuid.uuid4().hex, "revision": 0, "start_sequence": 0}
    connection.execute(models.catalog_state.insert(), counters)
    _VERSION.create(connection, checkfirst=False)
    connection.execute(_VERSION.insert(), {"version_num": _OF_MODELS})
    return _OF_MODELS


def _migrate(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes.update(connection=connection, version_table=VERSION_TABLE)
    with _one_at_a_time:
        command.upgrade(config, HEAD)
