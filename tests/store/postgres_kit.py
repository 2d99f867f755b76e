"""A PostgreSQL server of the tests' own, from the `pgserver` wheel."""

import fcntl
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from jammi_dagster.catalog import Database

_TEMPLATE = "jammi_template"
# nobody needs this data after a crash
_QUICK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off"}


class Postgres:
    """A running server, and a template of a catalog in it."""

    def __init__(self, server: Any, admin: psycopg.Connection[Any]) -> None:
        self._server, self._admin = server, admin
        self._names = (f"test_{i}" for i in itertools.count())
        for name, value in _QUICK.items():
            self._admin.execute(f"ALTER SYSTEM SET {name} = {value}")  # type: ignore[arg-type]
        self._admin.execute("SELECT pg_reload_conf()")
        self._create(_TEMPLATE, "template0")
        Database(self.url(_TEMPLATE)).close()

    def url(self, name: str) -> str:
        """The URL of a database."""
        return str(self._server.get_uri(name))

    def new(self, *, migrated: bool = True) -> str:
        """The URL of a new database: with the catalog's schema, or empty."""
        name = next(self._names)
        self._create(name, _TEMPLATE if migrated else "template0")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Removes the database, whoever is connected."""
        self._admin.execute(f"DROP DATABASE {_name(url)} WITH (FORCE)")  # type: ignore[arg-type]

    def cut(self, url: str) -> int:
        """Ends every connection to the database from outside; gives how many there were."""
        ended = self._admin.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s", [_name(url)]
        )
        return int(ended.fetchone()[0])  # type: ignore[index]

    def _create(self, name: str, template: str) -> None:
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")  # type: ignore[arg-type]


def _name(url: str) -> str:
    return str(make_url(url).database)


@contextmanager
def running() -> Iterator[Postgres]:
    """A server in a folder of its own, gone afterwards; several test processes may each have one.

    Not below pytest's own folder: that is closed to the user as whom the server runs where we are root.
    """
    base = Path(tempfile.mkdtemp(prefix="jammi-pg-"))
    try:
        with (
            pytest.MonkeyPatch.context() as patch,
            (Path(tempfile.gettempdir()) / "jammi-pg.lock").open("w") as lock,
        ):
            patch.setenv("XDG_RUNTIME_DIR", str(base))
            import pgserver

            fcntl.flock(lock, fcntl.LOCK_EX)  # it makes a system user, which two at once do not survive
            server = pgserver.get_server(base / "data", cleanup_mode="delete")
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as admin:
                yield Postgres(server, admin)
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(base, ignore_errors=True)
