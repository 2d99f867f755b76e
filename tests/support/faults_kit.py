"""Faults at every operation on files, objects and the catalog.

`Seams` counts the operations of this process: each system call on an artifact, each request to S3, each statement,
commit and rollback. Armed, it lets one of them fail, in one of several ways.
"""

import contextlib
import errno
import itertools
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any
from unittest import mock

from sqlalchemy.engine.default import DefaultDialect

from jammi_dagster import durable
from jammi_dagster.artifacts.storage import local
from jammi_dagster.catalog import Database
from jammi_dagster.maintenance import bulk, root_identity

KILLED = 77


class Kind(Enum):
    """The ways in which an operation fails."""

    BEFORE = "error before"
    AFTER = "error after"
    REPEATED = "answer lost, asked again"
    INTERRUPT = "interrupt"
    HALF = "half of it"
    ABSENT = "not found"
    KILL_BEFORE = "kill before"
    KILL_HALF = "kill half way"
    KILL_AFTER = "kill after"

    @property
    def kills(self) -> bool:
        """True if the process ends."""
        return self in (Kind.KILL_BEFORE, Kind.KILL_HALF, Kind.KILL_AFTER)


class Interrupted(BaseException):
    """An end from outside, as Dagster's termination is: cleaning up runs, and no `except Exception` holds it."""


@dataclass(frozen=True)
class Operation:
    """One operation: where it was made, and the kinds of fault that it can meet."""

    surface: str
    name: str
    kinds: tuple[Kind, ...]


ENDS = (Kind.BEFORE, Kind.INTERRUPT, Kind.KILL_BEFORE)
EFFECT = (*ENDS, Kind.AFTER, Kind.KILL_AFTER)


class Seams:
    """The operations of this process while it is armed; of the one with the number `at`, a fault of one kind."""

    def __init__(self) -> None:
        self.log: list[Operation] = []
        self.met: Operation | None = None
        self._on, self._at, self._kind = False, -1, Kind.BEFORE
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def armed(self, at: int = -1, kind: Kind = Kind.BEFORE) -> Iterator[None]:
        """Count from here on. `at` is the number of the operation that fails; none by default."""
        self.log, self.met, self._on, self._at, self._kind = [], None, True, at, kind
        try:
            yield
        finally:
            self._on = False

    @contextlib.contextmanager
    def installed(self) -> Iterator["Seams"]:
        """Stand between the package and its storages. Work that runs side by side runs in order, and nothing syncs."""
        with contextlib.ExitStack() as stack:
            for module in (local, durable):
                stack.enter_context(mock.patch.object(module, "os", _Os(self)))
            stack.enter_context(mock.patch.object(local, "open", self._open, create=True))
            stack.enter_context(mock.patch.object(bulk, "Workers", _InOrder))
            stack.enter_context(mock.patch.object(root_identity, "_AGAIN_SECONDS", 0.0))
            for name in ("do_execute", "do_executemany", "do_execute_no_params"):
                stack.enter_context(mock.patch.object(DefaultDialect, name, self._statement(name)))
            for name in ("do_commit", "do_rollback"):
                stack.enter_context(mock.patch.object(DefaultDialect, name, self._end(name)))
            stack.enter_context(_compiled_once())
            yield self

    # --- meeting a fault ---------------------------------------------------------------------------------

    def meet(self, operation: Operation) -> Kind | None:
        """Count the operation, and give its fault."""
        if not self._on:
            return None
        with self._lock:
            number = len(self.log)
            self.log.append(operation)
        if number != self._at or self._kind not in operation.kinds:
            return None
        self.met = operation
        if self._kind is Kind.KILL_BEFORE:
            os._exit(KILLED)
        return self._kind

    def through(
        self,
        operation: Operation,
        call: Callable[[], Any],
        error: Callable[[], Exception],
        *,
        absent: Callable[[], Any] | None = None,
        half: Callable[[], Any] | None = None,
    ) -> Any:
        """Make the operation, or what the fault makes of it."""
        kind = self.meet(operation)
        if kind is None:
            return call()
        if kind is Kind.BEFORE:
            raise error()
        if kind is Kind.INTERRUPT:
            raise Interrupted
        if kind is Kind.ABSENT and absent is not None:
            return absent()
        if kind in (Kind.HALF, Kind.KILL_HALF) and half is not None:
            answer = half()
            if kind is Kind.KILL_HALF:
                os._exit(KILLED)
            return answer
        try:
            _let_go(call())
        finally:
            if kind is Kind.KILL_AFTER:
                os._exit(KILLED)
        raise error()

    # --- files -------------------------------------------------------------------------------------------

    def _open(self, path: str, mode: str, **options: Any) -> "_File":
        reads = "r" in mode
        kinds = (*ENDS, Kind.ABSENT) if reads else EFFECT
        operation = Operation("files", f"open {'to read' if reads else 'new'}", kinds)
        opened = self.through(
            operation,
            lambda: open(path, mode, **options),  # noqa: SIM115
            lambda: _failed(path),
            absent=lambda: _absent(path),
        )
        return _File(self, opened, path)

    # --- statements --------------------------------------------------------------------------------------

    def _statement(self, name: str) -> Callable[..., Any]:
        real = getattr(DefaultDialect, name)

        def execute(dialect: Any, cursor: Any, statement: str, *rest: Any) -> Any:
            words = statement.split(None, 3)
            reads = words[0].upper() in ("SELECT", "PRAGMA", "BEGIN", "SHOW")
            operation = Operation("catalog", " ".join(words[: 1 if reads else 3]), ENDS if reads else EFFECT)
            call = lambda: real(dialect, cursor, statement, *rest)  # noqa: E731
            return self.through(operation, call, lambda: _broken(cursor.connection))

        return execute

    def _end(self, name: str) -> Callable[..., Any]:
        real = getattr(DefaultDialect, name)
        operation = Operation("catalog", name.removeprefix("do_"), EFFECT)

        def end(dialect: Any, connection: Any) -> Any:
            if not _in_transaction(connection):
                return real(dialect, connection)
            return self.through(operation, lambda: real(dialect, connection), lambda: _broken(connection))

        return end


@contextlib.contextmanager
def _compiled_once() -> Iterator[None]:
    """Let all stores share their compiled statements: else each new one spends most of its time on them."""
    caches = dict[str, Any]()
    real = Database._new_engine

    def new_engine(database: Database) -> Any:
        engine = real(database)
        engine._compiled_cache = caches.setdefault(engine.dialect.name, engine._compiled_cache)
        return engine

    with (
        mock.patch.object(Database, "_new_engine", new_engine),
        mock.patch.object(DefaultDialect, "__hash__", lambda dialect: hash(dialect.name)),
        mock.patch.object(DefaultDialect, "__eq__", lambda dialect, other: dialect.name == other.name),
    ):
        yield


class _InOrder:
    """Workers that do their work at once."""

    def __init__(self, *rest: Any, **more: Any) -> None:
        pass

    def __enter__(self) -> "_InOrder":
        return self

    def __exit__(self, *rest: Any) -> None:
        pass

    def map(self, work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """Give the answers."""
        return [work(item) for item in items]


class _Os:
    """The module `os`, of which some functions go through the seams."""

    _READS = ("stat",)
    _EFFECTS = ("link", "unlink", "replace", "mkdir", "fsync")

    def __init__(self, seams: Seams) -> None:
        self._seams = seams

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name in self._READS:
            operation = Operation("files", name, (*ENDS, Kind.ABSENT))
        elif name in self._EFFECTS:
            operation = Operation("files", name, EFFECT)
        elif name == "walk":
            return self._walk
        elif name == "listdir":
            return self._listdir
        else:
            return real
        if name == "fsync":
            real = _nothing

        def call(*args: Any, **options: Any) -> Any:
            return self._seams.through(
                operation,
                lambda: real(*args, **options),
                lambda: _failed(str(args[0])),
                absent=lambda: _absent(str(args[0])),
            )

        return call

    def _walk(self, folder: str) -> Any:
        kinds = (*ENDS, Kind.ABSENT, Kind.HALF)
        return self._seams.through(
            Operation("files", "list", kinds),
            lambda: os.walk(folder),
            lambda: _failed(folder),
            absent=lambda: iter(()),
            half=lambda: itertools.islice(os.walk(folder), sum(1 for _ in os.walk(folder)) // 2),
        )

    def _listdir(self, folder: str) -> Any:
        return self._seams.through(
            Operation("files", "list", (*ENDS, Kind.ABSENT)),
            lambda: os.listdir(folder),
            lambda: _failed(folder),
            absent=lambda: _absent(folder),
        )


class _File:
    """An open file, of which reads and writes go through the seams."""

    def __init__(self, seams: Seams, file: Any, path: str) -> None:
        self._seams, self._file, self._path = seams, file, path

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "_File":
        return self

    def __exit__(self, *rest: Any) -> None:
        self._file.close()

    def read(self, *size: int) -> Any:
        """Read."""
        read = Operation("files", "read", ENDS)
        return self._seams.through(read, lambda: self._file.read(*size), lambda: _failed(self._path))

    def write(self, data: Any) -> Any:
        """Write; half of it is written by a disk that is full then, or a process that ends there."""

        def half() -> Any:
            self._file.write(bytes(data)[: len(data) // 2])
            if self._seams._kind is Kind.HALF:
                raise OSError(errno.ENOSPC, "no space left on device", self._path)

        return self._seams.through(
            Operation("files", "write", (*EFFECT, Kind.HALF, Kind.KILL_HALF)),
            lambda: self._file.write(data),
            lambda: _failed(self._path),
            half=half,
        )


def _nothing(*args: Any) -> None:
    """Sync nothing: a process that ends loses no bytes that it has written."""


def _let_go(answer: Any) -> None:
    """Close an answer that its caller never gets."""
    if hasattr(answer, "close"):
        answer.close()


def _failed(path: str) -> OSError:
    return OSError(errno.EIO, "input/output error", path)


def _absent(path: str) -> Any:
    raise FileNotFoundError(errno.ENOENT, "no such file or directory", path)


def _broken(connection: Any) -> Exception:
    """Give the driver's error; a connection to PostgreSQL is really lost."""
    connection = getattr(connection, "driver_connection", connection)
    if isinstance(connection, sqlite3.Connection):
        return sqlite3.OperationalError("disk I/O error")
    import psycopg

    connection.close()
    return psycopg.OperationalError("the connection is lost")


def _in_transaction(connection: Any) -> bool:
    driver = getattr(connection, "driver_connection", connection)
    if isinstance(driver, sqlite3.Connection):
        return driver.in_transaction
    import psycopg

    return bool(driver.info.transaction_status != psycopg.pq.TransactionStatus.IDLE)
