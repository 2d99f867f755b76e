"""The stand-in for a catalog that is not there yet: an empty one in memory, for questions alone."""

from __future__ import annotations

import functools
import hashlib
import os
import sqlite3
import threading

import sqlalchemy as sa
from sqlalchemy.pool import NullPool, StaticPool

from jammi_dagster.catalog import migrations, models, sqlite_file

_state = models.catalog_state


def engine(name: str) -> sa.Engine:
    """Return an engine whose every connection has an empty catalog of its own; its id follows from the name."""
    return _engine(name, os.getpid())


@functools.lru_cache(maxsize=16)
def _engine(name: str, process: int) -> sa.Engine:
    """Make the engine of a process: another thread may have been copying its parent's pattern during the fork."""
    pattern = _migrated(hashlib.sha256(name.encode()).hexdigest()[:32])
    one_copy = threading.Lock()

    def connect() -> sqlite3.Connection:
        connection = sqlite_file.connect_to_memory()
        with one_copy:
            pattern.backup(connection)
        return connection

    return sqlite_file.new_engine(connect, poolclass=NullPool)


def _migrated(catalog_id: str) -> sqlite3.Connection:
    """Make a catalog in memory, under this id."""
    pattern = sqlite_file.connect_to_memory()
    made = sqlite_file.new_engine(lambda: pattern, poolclass=StaticPool)
    with made.begin() as connection:
        migrations.upgrade(connection)
        connection.execute(_state.update().values(catalog_id=catalog_id))
    return pattern
