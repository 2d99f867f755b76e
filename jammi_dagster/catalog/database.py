"""One catalog database: how it is opened, brought to the present revision, and locked for writing.

SQLite runs embedded, in WAL mode; PostgreSQL serves a team. Every SQLite write transaction begins IMMEDIATE:
a deferred one that turns into a write loses updates or fails with "database is locked".
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool, QueuePool, StaticPool

from jammi_dagster.catalog import migrations
from jammi_dagster.errors import (
    CatalogFromNewerVersion,
    CatalogReadOnly,
    CatalogUnavailable,
    ForeignCatalog,
    NameTooLong,
)

_BUSY_SECONDS = 60.0
_TURN_SECONDS = 0.02
# PostgreSQL's error for a value longer than an index takes (SQLSTATE 54000, program_limit_exceeded)
_LIMIT = "54000"
# the execution option that says how a transaction on SQLite begins
_BEGIN = "jammi_begin"

Reading: TypeAlias = "Callable[[], contextlib.AbstractContextManager[sa.Connection]]"


class Database:
    """A catalog database. Opening it migrates it, unless it cannot be written: sensing works on those too.

    `catalog` is a path of an SQLite file, or a URL: `sqlite:///…`, `sqlite://` (in memory), `postgresql://…`.
    Raises `CatalogUnavailable`, `CatalogFromNewerVersion`, and `CatalogReadOnly` for one that is older than this
    package and cannot be upgraded.
    """

    def __init__(self, catalog: str, *, foreign: bool = False) -> None:
        """`foreign`: a database of another program's, opened read-only and left with its own schema."""
        self.url = _url(os.fspath(catalog))
        self.name = _shown(self.url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.is_memory = self.is_sqlite and self.url.database in (None, "", ":memory:")
        self.is_foreign = foreign
        self.read_only = foreign or (
            self.is_sqlite and not self.is_memory and not _writable(Path(str(self.url.database)))
        )
        self._one_writer = threading.RLock() if self.is_memory else contextlib.nullcontext()
        with self._reported(opening=True):
            self._engine = self._open()
            try:
                if not foreign:
                    self._migrate_in_turn()
            except BaseException:
                self.close()
                raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection on which each statement stands alone. Raises `CatalogUnavailable`."""
        with self._reported(), self._one_writer, self._connect(self._engine) as connection:
            yield connection

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Reading]:
        """Give a stand-in for `reading` under which several statements see the catalog in one state.

        In memory, where one connection serves all, writers wait until it ends. Raises `CatalogUnavailable`.
        """
        if self.is_memory:
            with self._one_writer:
                yield self.reading
            return
        connection = self._connect(self._snapshots)
        try:
            with self._reported():
                connection.begin()
            yield lambda: self._reading_on(connection)
        finally:
            with self._reported():
                connection.close()

    @contextlib.contextmanager
    def _reading_on(self, connection: sa.Connection) -> Iterator[sa.Connection]:
        with self._reported():
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Open a write transaction, and commit it at the end.

        Raises `CatalogUnavailable`, `CatalogReadOnly`, and `NameTooLong` for a name that PostgreSQL cannot index.
        """
        self.check_writable()
        with (
            self._reported(),
            self._one_writer,
            self._connect(self._writes) as connection,
            connection.begin(),
        ):
            yield connection

    def check_writable(self) -> None:
        """Raise `CatalogReadOnly` where nothing can be written."""
        if self.is_foreign:
            why, way_out = "it is an engine's own, attached only to be asked", "write to a store of your own"
            raise CatalogReadOnly(catalog=self.name, why=why, way_out=way_out)
        if self.read_only:
            why, way_out = (
                "the file or its folder is not writable",
                "reading works, writing needs a writable catalog",
            )
            raise CatalogReadOnly(catalog=self.name, why=why, way_out=way_out)

    def close(self) -> None:
        """Close the connections; the object opens new ones when it is used again."""
        self._engine.dispose()

    def _open(self) -> sa.Engine:
        """Create the engine: each statement stands alone, except in a write or a snapshot.

        A look-up then needs no transaction, which would take longer than the look-up itself.
        """
        if not self.is_sqlite:
            engine = self._open_postgres()
            self._writes = engine.execution_options(isolation_level="READ COMMITTED")
            self._snapshots = engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            return engine
        engine = sa.create_engine("sqlite://", creator=self._connect_sqlite, **self._pool())
        # the driver never begins by itself (isolation_level None below), so this is the one place that does
        sa.event.listen(engine, "begin", _begin)
        self._writes = engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        self._snapshots = engine.execution_options(**{_BEGIN: "BEGIN"})
        return engine

    def _open_postgres(self) -> sa.Engine:
        try:
            engine = sa.create_engine(self.url, pool_pre_ping=True, isolation_level="AUTOCOMMIT")
        except ImportError as error:
            why = f"its driver is missing ({error}); install jammi-dagster[postgres]"
            raise CatalogUnavailable(catalog=self.name, why=why) from error
        sa.event.listen(engine, "connect", _without_jit)
        return engine

    def _pool(self) -> dict[str, Any]:
        if self.is_memory:
            return {"poolclass": StaticPool}
        if self.read_only:
            # a writer of another user may come and go: each connection is opened as it finds the file
            return {"poolclass": NullPool}
        return {"poolclass": QueuePool, "max_overflow": -1}

    def _connect_sqlite(self) -> sqlite3.Connection:
        connect = {"timeout": _BUSY_SECONDS, "isolation_level": None, "check_same_thread": False}
        if self.is_memory:
            return sqlite3.connect(":memory:", **connect)  # type: ignore[call-overload,no-any-return]
        file = Path(str(self.url.database))
        if self.read_only:
            return sqlite3.connect(f"{file.as_uri()}?{_read_mode(file)}", uri=True, **connect)  # type: ignore[call-overload,no-any-return]
        file.parent.mkdir(parents=True, exist_ok=True)
        connection: sqlite3.Connection = sqlite3.connect(file, **connect)  # type: ignore[call-overload]
        try:
            for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "cache_size=-65536"):
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _migrate_in_turn(self) -> None:
        """Migrate, and try again while SQLite does not wait for a process that enters WAL mode or leaves it."""
        until = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                return self._migrate()
            except sa.exc.OperationalError as error:
                if not self.is_sqlite or "locked" not in str(error.orig) or time.monotonic() > until:
                    raise
            time.sleep(_TURN_SECONDS)  # the one who holds it tells nobody when it lets go

    def _migrate(self) -> None:
        """Bring the schema to the present revision; one query when there is nothing to do."""
        with self._engine.connect() as connection:
            revision = migrations.revision_of(connection)
        if revision == migrations.HEAD:
            return
        if revision is not None and revision not in migrations.KNOWN:
            raise CatalogFromNewerVersion(catalog=self.name, revision=revision, newest=migrations.HEAD)
        if self.read_only:
            why = "it is empty" if revision is None else f"it has the older schema {revision}"
            way_out = "open it once where it can be written, then it can be read here"
            raise CatalogReadOnly(
                catalog=self.name, why=f"{why} and cannot be upgraded here", way_out=way_out
            )
        if self.is_sqlite:
            self._own_file()
        with self._writes.begin() as connection:
            migrations.upgrade(connection)

    def _own_file(self) -> None:
        """Check that a new catalog's file is ours to write, and put it into WAL mode, which it keeps."""
        with self._engine.connect() as connection:
            if migrations.is_foreign(connection):
                raise ForeignCatalog(catalog=self.name)
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")

    def _connect(self, engine: sa.Engine) -> sa.Connection:
        with self._reported(opening=True):
            return engine.connect()

    @contextlib.contextmanager
    def _reported(self, *, opening: bool = False) -> Iterator[None]:
        """Turn an error of the driver into one that names the catalog, without its password.

        Only where a connection is opened is an `OSError` the driver's: later on it is the caller's own.
        """
        try:
            yield
        except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
            if isinstance(error, OSError) and not opening:
                raise
            cause = getattr(error, "orig", None) or error
            if getattr(cause, "sqlstate", None) == _LIMIT:
                raise NameTooLong(name=_longest(getattr(error, "params", None)), catalog=self.name) from error
            raise CatalogUnavailable(catalog=self.name, why=f"{type(cause).__name__}: {cause}") from error


def _url(catalog: str) -> URL:
    if "://" not in catalog:
        return _file_url(catalog)
    try:
        url = make_url(catalog)
    except (sa.exc.ArgumentError, ValueError):
        # their own messages hold the URL, or what stands in the port's place
        why = "it is not a database URL (in a user name or password, write special characters as %XX)"
        raise CatalogUnavailable(catalog=f"{catalog.split('://')[0]}://…", why=why) from None
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        return url if url.database in (None, "", ":memory:") else _file_url(str(url.database))
    raise CatalogUnavailable(catalog=_shown(url), why=f"{backend} is not supported; use SQLite or PostgreSQL")


def _file_url(path: str) -> URL:
    if not path or "\0" in path:
        raise CatalogUnavailable(catalog=path, why="it is not a path")
    return URL.create("sqlite", database=os.path.abspath(path))


def _shown(url: URL) -> str:
    """Render the URL for messages: without its password, nor its query, which may hold another."""
    return url.set(query={}).render_as_string(hide_password=True)


def _longest(params: Any) -> str:
    """Find the longest text among a statement's parameters."""
    rows = params if isinstance(params, (list, tuple)) else [params]
    values = (value for row in rows for value in (row.values() if isinstance(row, dict) else [row]))
    return max((value for value in values if isinstance(value, str)), key=len, default="")


def _begin(connection: sa.Connection) -> None:
    begin = connection.get_execution_options().get(_BEGIN)
    if begin is not None:
        connection.exec_driver_sql(begin)


def _without_jit(connection: Any, _: object) -> None:
    """Switch off the compiler: without statistics of new tables a server compiles look-ups, which takes longer."""
    connection.execute("SET jit = off")


def _read_mode(file: Path) -> str:
    """Choose how SQLite opens a database that is not to be written, so that it leaves no file behind.

    In WAL mode a reader needs an index beside the file. That of a writer at work serves, with the pages not
    yet in the file itself; with no writer there is neither, and the file alone is the database.
    """
    with file.open("rb") as database:
        in_wal_mode = database.read(20)[18:] == b"\2\2"  # the header's versions for writing and for reading
    alone = in_wal_mode and not file.with_name(f"{file.name}-wal").exists()
    return "immutable=1" if alone else "mode=ro"


def _writable(file: Path) -> bool:
    """Check that the database can be written, with its folder: WAL makes files beside it."""
    if os.path.exists(file):
        return os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)
    nearest = next(folder for folder in file.parents if os.path.exists(folder))
    return os.access(nearest, os.W_OK)
