"""The stand-in for a catalog that is not there yet: an empty one in memory, for questions alone."""

from __future__ import annotations

import functools
import hashlib
import sqlite3
import threading

import sqlalchemy as sa
from sqlalchemy.pool import NullPool, StaticPool

from jammi_dagster.catalog import migrations, models, sqlite_file

_one_copy = threading.Lock()
_state = models.catalog_state


@functools.lru_cache(maxsize=16)
def engine(name: str) -> sa.Engine:
    """Return an engine whose every connection has an empty catalog of its own; its id follows from the name."""
    pattern = _migrated(hashlib.sha256(name.encode()).hexdigest()[:32])

    def connect() -> sqlite3.Connection:
        connection = sqlite_file.connect_to_memory()
        with _one_copy:
            pattern.backup(connection)
        return connection

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)
    sa.event.listen(engine, "begin", sqlite_file.begin)
    return engine


def _migrated(catalog_id: str) -> sqlite3.Connection:
    """Make a catalog in memory, under this id."""
    pattern = sqlite_file.connect_to_memory()
    made = sa.create_engine("sqlite://", creator=lambda: pattern, poolclass=StaticPool, hide_parameters=True)
    with made.begin() as connection:
        migrations.upgrade(connection)
        connection.execute(_state.update().values(catalog_id=catalog_id))
    return pattern
