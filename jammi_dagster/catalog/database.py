"""One catalog database: how it is opened, brought to the present revision, and locked for writing.

SQLite runs embedded, in WAL mode; PostgreSQL serves a team. Every SQLite write transaction begins IMMEDIATE:
a deferred one that turns into a write loses updates or fails with "database is locked". A PostgreSQL session keeps no
state between transactions, so that a pooler may hand the server's connections around.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool, StaticPool

from jammi_dagster import forks
from jammi_dagster.catalog import empty, migrations, sqlite_file
from jammi_dagster.catalog.faults import DRIVER_ERRORS, fault
from jammi_dagster.catalog.sqlite_file import BEGIN, BUSY_SECONDS, DURABLE, SqliteFile
from jammi_dagster.catalog.urls import parse_catalog, shown_url
from jammi_dagster.errors import (
    CatalogFromNewerVersion,
    CatalogReadOnly,
    CatalogReplaced,
    CatalogUnavailable,
    ForeignCatalog,
)

_TURN_SECONDS = 0.02
# for as long a fork waits for connections that other threads have in use
_FORK_SECONDS = 1.0
# without statistics of new tables a server compiles statements, which takes longer than running them
_NO_JIT = "SELECT set_config('jit', 'off', true)"
_SYNCHRONOUS = "current_setting('synchronous_commit')"
_ON = f"CASE {_SYNCHRONOUS} WHEN 'off' THEN 'on' ELSE {_SYNCHRONOUS} END"
_SETTINGS = {
    "quick write": _NO_JIT,
    "write": f"{_NO_JIT}, set_config('synchronous_commit', {_ON}, true)",
    "snapshot": f"{_NO_JIT}, set_config('transaction_read_only', 'on', true)",
}

_Kind: TypeAlias = Literal["statement", "snapshot", "write", "quick write"]
Reading: TypeAlias = "Callable[[], contextlib.AbstractContextManager[sa.Connection]]"


class Database:
    """A catalog database. Opening it migrates it, unless it cannot be written: sensing works on those too.

    Opening and reading make none: where there is none yet, every question is answered as by an empty one. The first
    write makes it. A database in memory is there at once.

    `catalog` is a path of an SQLite file, or a URL: `sqlite:///…`, `sqlite://` (in memory), `postgresql://…`.
    Raises `CatalogUnavailable`, `CatalogFromNewerVersion`, and `CatalogReadOnly` for one that is older than this
    package and cannot be upgraded. After a fork the child opens connections of its own.
    """

    def __init__(self, catalog: str, *, foreign: bool = False, read_only: bool = False) -> None:
        """`foreign`: a database of another program's, opened read-only and left with its own schema.

        `read_only`: one of ours that is only asked; an older schema is refused, not upgraded.
        """
        self.url = parse_catalog(os.fspath(catalog))
        self.name = shown_url(self.url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.is_memory = self.is_sqlite and self.url.database in (None, "", ":memory:")
        self.is_foreign = foreign
        self._file: SqliteFile | None = None
        if self.is_sqlite and not self.is_memory:
            self._file = SqliteFile(str(self.url.database), self.name)
            self._file.read_only |= foreign or read_only
        self.read_only = foreign or read_only or (self._file is not None and self._file.read_only)
        self.is_there, self.has_written = False, False
        self._make_locks()
        self._engines: list[sa.Engine] = []
        with self._reported(opening=True):
            self._open()
            try:
                self._prepare(make=self.is_memory)
            except BaseException:
                self.close()
                raise
        forks.watch(self)
        weakref.finalize(self, _dispose, self._engines).atexit = False

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection on which each statement stands alone. Raises `CatalogUnavailable`."""
        with self._reported(), self._one_writer, self._using("statement") as connection:
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
        with self._using("snapshot") as connection:
            with self._reported():
                connection.begin()
                self._settle(connection, "snapshot")
            yield lambda: self._reading_on(connection)

    @contextlib.contextmanager
    def _reading_on(self, connection: sa.Connection) -> Iterator[sa.Connection]:
        with self._reported():
            yield connection

    @contextlib.contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[sa.Connection]:
        """Open a write transaction, and commit it at the end; with `durable` it survives a loss of power from then on.

        Raises `CatalogUnavailable`, `CatalogReadOnly`, `CatalogReplaced` for a file that was replaced under the open
        connection, and `NameTooLong` for a name that PostgreSQL cannot index.
        """
        self.make()
        kind: _Kind = "write" if durable else "quick write"
        with (
            self._reported(writing=True),
            self._one_writer,
            self._using(kind) as connection,
        ):
            pid, transaction = os.getpid(), connection.begin()
            try:
                self._settle(connection, kind)
                yield connection
                self._check_file(connection)
                transaction.commit()
            except BaseException:
                if os.getpid() == pid and transaction.is_active:  # a forked child leaves the parent's alone
                    transaction.rollback()
                raise
            self._check_file(connection, committed=True)

    def make(self) -> None:
        """Make the catalog, with the folders above it, unless it is there: something is about to be written.

        Raises as `writing` does.
        """
        self.check_writable()
        self.has_written = True
        if not self.is_there:
            with self._reported(opening=True), self._reopening:
                self._prepare(make=True)

    def check_writable(self) -> None:
        """Raise `CatalogReadOnly` where nothing can be written."""
        if self.is_foreign:
            why, way_out = "it is an engine's own, attached only to be asked", "write to a store of your own"
            raise CatalogReadOnly(catalog=self.name, why=why, way_out=way_out)
        if self.read_only:
            why, way_out = (
                "the file or its folder is not writable, or it was opened to be read",
                "reading works, writing needs a writable catalog",
            )
            raise CatalogReadOnly(catalog=self.name, why=why, way_out=way_out)

    def close(self) -> None:
        """Close the connections; the object opens new ones when it is used again."""
        _dispose(self._engines)

    def is_gone(self) -> bool:
        """Tell if the catalog is a file that is no longer there; no connection is opened."""
        return self._file is not None and self._file.identity() is None

    # --- connections ---------------------------------------------------------------------------------

    def _open(self) -> None:
        """Create the engines: each statement stands alone, except in a write or a snapshot.

        A look-up then needs no transaction, which would take longer than the look-up itself.
        """
        self._pid = os.getpid()
        self._engine = engine = self._new_engine()
        self._engines[:] = [engine]
        if self.is_sqlite:
            immediate = {BEGIN: "BEGIN IMMEDIATE"}
            write = engine.execution_options(**immediate, **{DURABLE: True})
            quick = engine.execution_options(**immediate, **{DURABLE: False})
            snapshot = engine.execution_options(**{BEGIN: "BEGIN"})
        else:
            write = quick = engine.execution_options(isolation_level="READ COMMITTED")
            snapshot = engine.execution_options(isolation_level="REPEATABLE READ")
        self._kinds: dict[_Kind, sa.Engine] = {
            "statement": engine,
            "snapshot": snapshot,
            "write": write,
            "quick write": quick,
        }

    def _new_engine(self) -> sa.Engine:
        if self._file is not None:
            return self._file.engine()
        if self.is_memory:
            return sqlite_file.new_engine(sqlite_file.connect_to_memory, poolclass=StaticPool)
        # a prepared statement belongs to a session; so does the encoding, but poolers know that one
        arguments = {"prepare_threshold": None, "client_encoding": "utf8"}
        try:
            return sa.create_engine(
                self.url,
                pool_pre_ping=True,
                isolation_level="AUTOCOMMIT",
                connect_args=arguments,
                hide_parameters=True,
            )
        except ImportError as error:
            why = f"its driver is missing ({error}); install jammi-dagster[postgres]"
            raise CatalogUnavailable(catalog=self.name, why=why) from error

    @contextlib.contextmanager
    def _using(self, kind: _Kind, *, looking: bool = False) -> Iterator[sa.Connection]:
        """Give a connection of the pool; a forked child neither uses nor closes one of its parent's.

        One who is `looking` gets it whether the catalog is there or not.
        """
        connection, pid = self._connected(kind, looking=looking), os.getpid()
        try:
            yield connection
        finally:
            if os.getpid() == pid:
                with self._reported():
                    connection.close()
            else:
                forks.inherited.append(connection)

    def _connected(self, kind: _Kind, *, looking: bool) -> sa.Connection:
        """Give a connection to the catalog; where there is none, to an empty one in memory."""
        if os.getpid() != self._pid:  # forked past Python's own hooks
            self.after_fork_in_child()
        if self.is_there or looking:
            return self._checked_out(kind)
        with self._reopening:  # another thread may be making it
            if not self.is_there:
                with self._reported(opening=True):
                    self._prepare()
            if self.is_there:
                return self._checked_out(kind)
        return (
            empty.engine(self.name)
            .execution_options(**{BEGIN: "BEGIN"} if kind == "snapshot" else {})
            .connect()
        )

    def _checked_out(self, kind: _Kind) -> sa.Connection:
        while True:
            engine = self._kinds[kind]
            with self._gate, self._reported(opening=True):
                connection = engine.connect()
            fault = self._fault(connection)
            if fault is None:
                return connection
            connection.close()
            with self._reopening:
                if engine is self._kinds[kind]:  # nobody else did meanwhile
                    self.close()
                    self._open()
                    self._prepare()
            if "write" in kind:
                self.check_writable()
                raise CatalogReplaced(catalog=self.name, found=fault)

    def _fault(self, connection: sa.Connection) -> str | None:
        """Tell why the pool's connections must not be used any more."""
        file = self._file
        if file is None:
            return None
        if file.read_only and not self.read_only:
            self.read_only = True
            return "turned read-only"
        return file.fault(_driver(connection))

    def _settle(self, connection: sa.Connection, kind: _Kind) -> None:
        """Make PostgreSQL's settings for one transaction: as the session's they would be another client's too."""
        if connection.dialect.name != "sqlite":
            connection.exec_driver_sql(_SETTINGS[kind])

    def _check_file(self, connection: sa.Connection, *, committed: bool = False) -> None:
        """Raise `CatalogReplaced` where others no longer see the file, or its log, that this connection writes to."""
        if self._file is None:
            return
        driver = _driver(connection)
        found = self._file.fault(driver) or (self._file.fault_of_log(driver) if committed else None)
        if found is not None:
            connection.invalidate()
            raise CatalogReplaced(catalog=self.name, found=found)

    # --- forks -----------------------------------------------------------------------------------------

    def _make_locks(self) -> None:
        self._one_writer = threading.RLock() if self.is_memory else contextlib.nullcontext()
        self._reopening = threading.RLock()
        # held while a fork is near: SQLite's connections must not be open then
        self._closed, self._is_closed = threading.Lock(), False
        self._is_carried: bool | None = None
        self._gate = contextlib.nullcontext() if self._file is None else self._closed

    def before_fork(self) -> None:
        """Close idle connections to a file, and let nobody open others until the fork is done."""
        if self._file is None:
            return
        until = time.monotonic() + _FORK_SECONDS
        self._is_closed = self._closed.acquire(timeout=_FORK_SECONDS)
        while self._in_use() and time.monotonic() < until:
            time.sleep(_TURN_SECONDS)
        self._is_carried = self._in_use()
        self.close()

    def after_fork_in_parent(self) -> None:
        """Let others open connections again."""
        self._is_carried = None
        if self._is_closed:
            self._is_closed = False
            self._closed.release()

    def after_fork_in_child(self) -> None:
        """Make locks and connections anew; the parent's are never touched."""
        forks.inherited.append(tuple(self._engines))
        # past Python's own hooks nobody has closed idle connections before
        is_carried = self._in_use(or_idle=True) if self._is_carried is None else self._is_carried
        if self._file is not None and is_carried:
            sqlite_file.carried_over.update(filter(None, [self._file.identity()]))
        self._make_locks()
        self._pid = os.getpid()
        if not self.is_memory:  # one in memory was copied with the process
            self._open()

    def _in_use(self, *, or_idle: bool = False) -> bool:
        pools = [engine.pool for engine in self._engines]
        counts = [
            pool.checkedout() + or_idle * pool.checkedin() for pool in pools if isinstance(pool, QueuePool)
        ]
        return any(count > 0 for count in counts)

    # --- schema ----------------------------------------------------------------------------------------

    def _prepare(self, *, make: bool = False) -> None:
        """Look if the catalog is there, or make it; then bring its schema to the present revision.

        One that was there once is expected to stay: its absence is an error.
        """
        try:
            if self._file is not None:
                self._file.may_make = make and not self.is_there
            self.is_there = self.is_foreign or self._migrate_in_turn(make=make) or self.is_there
        finally:
            if self._file is not None:
                self._file.may_make = False
        if self._file is not None and self.is_there and not self.read_only:
            self._file.warn_of_network()

    def _migrate_in_turn(self, *, make: bool) -> bool:
        """Migrate, and try again while SQLite does not wait for a process that enters WAL mode or leaves it."""
        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return self._migrate(make=make)
            except sa.exc.OperationalError as error:
                if not self.is_sqlite or "locked" not in str(error.orig) or time.monotonic() > until:
                    raise
            time.sleep(_TURN_SECONDS)  # the one who holds it tells nobody when it lets go

    def _migrate(self, *, make: bool) -> bool:
        """Bring the schema to the present revision; one query when there is nothing to do.

        Tells if the catalog is there; one that is not is made only if told to.
        """
        if not (make or self.is_there) and self.is_gone():
            return False
        with self._using("statement", looking=True) as connection:
            revision = migrations.revision_of(connection)
            if revision is None and self.is_sqlite and migrations.is_foreign(connection):
                raise ForeignCatalog(catalog=self.name)
        if revision == migrations.HEAD:
            return True
        if revision is not None and revision not in migrations.KNOWN:
            raise CatalogFromNewerVersion(catalog=self.name, revision=revision, newest=migrations.HEAD)
        if self.read_only:
            why = "it is empty" if revision is None else f"it has the older schema {revision}"
            way_out = "open it once where it can be written, then it can be read here"
            raise CatalogReadOnly(
                catalog=self.name, why=f"{why} and cannot be upgraded here", way_out=way_out
            )
        if revision is None and not make:
            return False
        if self.is_sqlite:
            with self._using("statement", looking=True) as connection:
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")  # the file keeps it
        with self._using("write", looking=True) as connection, connection.begin():
            migrations.upgrade(connection)
        return True

    @contextlib.contextmanager
    def _reported(self, *, opening: bool = False, writing: bool = False) -> Iterator[None]:
        """Turn an error of the driver into one that names the catalog, without its secrets.

        Only where a connection is opened is an `OSError` the driver's: later on it is the caller's own.
        """
        try:
            yield
        except (*DRIVER_ERRORS, OSError) as error:
            if isinstance(error, OSError) and not opening:
                raise
            raise fault(error, catalog=self.name, url=self.url, writing=writing) from error


def reading_on(connection: sa.Connection) -> Reading:
    """Give the readings of a transaction."""
    return lambda: contextlib.nullcontext(connection)


def _driver(connection: sa.Connection) -> Any:
    return connection.connection.driver_connection


def _dispose(engines: list[sa.Engine]) -> None:
    for engine in engines:
        engine.dispose()
