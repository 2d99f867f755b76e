"""A PostgreSQL server of the tests' own, and catalogs in it."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from catalog_kit import new_database
from psycopg import sql
from sqlalchemy.engine import make_url

from benchmarks.postgres import Server, server

_TEMPLATE = "jammi_template"
# nobody needs this data after a crash
QUICK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off"}


class Postgres:
    """A running server, and a template of a catalog in it."""

    def __init__(self, running: Server) -> None:
        self._server = running
        self._names = (f"test_{i}" for i in itertools.count())
        new_database(running.new(_TEMPLATE)).close()

    def new(self, *, migrated: bool = True) -> str:
        """The URL of a new database: with the catalog's schema, or empty."""
        return self._server.new(next(self._names), template=_TEMPLATE if migrated else "template0")

    def drop(self, url: str) -> None:
        """Removes the database, whoever is connected."""
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(_name(url)))
        self._server.admin.execute(drop)

    def drop_role(self, role: str) -> None:
        """Removes a role that owns nothing."""
        self._server.admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))

    def cut(self, url: str) -> int:
        """Ends every connection to the database from outside; gives how many there were."""
        ended = self._server.admin.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s", [_name(url)]
        )
        return int(ended.fetchone()[0])  # type: ignore[index]


def _name(url: str) -> str:
    return str(make_url(url).database)


@contextmanager
def running() -> Iterator[Postgres]:
    """A server in a folder of its own, gone afterwards; several test processes may each have one."""
    with server(**QUICK) as started:
        yield Postgres(started)
