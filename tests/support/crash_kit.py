"""Writers that are killed. They are forked from one warm process, so that a kill costs milliseconds."""

import contextlib
import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, TypeAlias
from unittest import mock

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from core_kit import Child, make

from jammi_dagster import InputAnchor, ResultStore
from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.catalog import CatalogWriter

# where a writer is to wait for its end; None: nowhere
Step: TypeAlias = "Callable[[ResultStore, Callable[[], None]], pa.Table | Iterator[pa.RecordBatch]] | None"

_SECONDS = 100  # no writer outlives its test


def whole(rows: int) -> pa.Table:
    """A table from which a reader can tell whether it has all of it."""
    columns = (
        np.arange(rows),
        np.full(rows, rows),
    )  # by their buffers: pyarrow imports pandas to look at arrays
    return pa.table(
        [pa.Array.from_buffers(pa.int64(), rows, [None, pa.py_buffer(column)]) for column in columns],
        names=["n", "of"],
    )


def is_whole(table: pa.Table) -> bool:
    """True if all rows of a `whole` table are there, in their order."""
    rows = table.num_rows
    return rows > 0 and bool(table.equals(whole(rows)))


def _slow() -> Iterator[pa.RecordBatch]:
    """More than a row group: bytes lie in the file while others are still to come."""
    yield from whole(330_000).to_batches(max_chunksize=30_000)


# --- the named steps of the funnel, each of which leaves another state behind -----------------------------


@dataclass(frozen=True)
class _BeforeCommit:
    """A stop within the funnel's transaction of this number, when all of it is done but the commit."""

    number: int

    def __call__(self, store: ResultStore, wait: Callable[[], None]) -> pa.Table:
        count = itertools.count(1)

        def note(connection: sa.Connection) -> None:
            if next(count) == self.number:
                wait()

        sa.event.listen(store.database._engine, "commit", note)
        return whole(9)


before_the_start_commits, before_the_begin_commits, before_the_flip_commits = map(_BeforeCommit, (1, 2, 3))


def begun(store: ResultStore, wait: Callable[[], None]) -> Iterator[pa.RecordBatch]:
    """The row is there, and nothing else."""
    wait()
    yield from whole(9).to_batches()


def during_the_write(store: ResultStore, wait: Callable[[], None]) -> Iterator[pa.RecordBatch]:
    """Some bytes are in the file."""
    yield from _slow()
    wait()


def _wait_in(owner: type, method: str, wait: Callable[[], None]) -> None:
    mock.patch.object(owner, method, side_effect=lambda *args, **options: wait()).start()


def bytes_durable(store: ResultStore, wait: Callable[[], None]) -> pa.Table:
    """All bytes, and no sidecar."""
    _wait_in(ArtifactRoot, "write_bytes_durable", wait)
    return whole(9)


def sidecar_durable(store: ResultStore, wait: Callable[[], None]) -> pa.Table:
    """Bytes and sidecar, and the row is as it was."""
    _wait_in(CatalogWriter, "finish", wait)
    return whole(9)


def after_the_flip(store: ResultStore, wait: Callable[[], None]) -> pa.Table:
    """The row is ready, and its writer does not know."""
    finish = CatalogWriter.finish

    def finished(self: CatalogWriter, *args: Any, **options: Any) -> Any:
        finish(self, *args, **options)
        wait()

    mock.patch.object(CatalogWriter, "finish", finished).start()
    return whole(9)


# --- processes ----------------------------------------------------------------------------------------------


class Forks:
    """Starts processes that do one kind of work, one at a time, and kills each."""

    def __init__(self, work: Callable[..., None]) -> None:
        self._server = Child(_serve, work)

    def start(self, *task: Any) -> None:
        """Forks a process that does `work(talk, *task)`; its store is open when this returns."""
        self._server.tell(task)
        told, self._process = self._server.told()
        assert told == "started", told

    def told(self) -> Any:
        """The next thing that the process tells."""
        return self._server.told()

    def kill(self) -> list[Any]:
        """SIGKILL: nothing of it gets to run any more. Gives everything that it had told since."""
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself: the assertion says how
            os.kill(self._process, signal.SIGKILL)
        told = []
        while (last := self.told())[0] != "ended":
            told.append(last)
        assert last == ("ended", -signal.SIGKILL), (last, told)
        return told

    def close(self) -> None:
        """Ends the process that forks them."""
        self._server.tell(None)
        self._server.result()


def _serve(talk: Connection, work: Callable[..., None]) -> None:
    """Has imported everything, and neither threads nor connections: each process is a copy of it."""
    os.fsync = lambda fd: None  # a killed process loses no bytes that it has written
    while (task := talk.recv()) is not None:
        process = os.fork()
        if process == 0:
            try:
                signal.alarm(_SECONDS)
                work(talk, *task)
            except BaseException as error:
                talk.send(("raised", repr(error)))
            finally:
                os._exit(1)
        _, status = os.waitpid(process, 0)
        talk.send(("ended", os.waitstatus_to_exitcode(status)))


def write(talk: Connection, root: str, catalog: str, turn: int, step: Step) -> None:
    """Makes the table `t` up to the step; or without one a chain of three tables. Then waits for its end."""
    store = ResultStore(root, catalog)
    talk.send(("started", os.getpid()))
    began = time.perf_counter()
    if step is not None:
        make(store, "t", step(store, lambda: _wait(talk, "there")), step=turn)
    inputs: list[InputAnchor] = []
    for table, data in (("up", whole(turn + 1)), ("slow", _slow()), ("down", whole(2 * turn + 1))):
        made = make(store, table, data, step=turn, inputs=inputs)
        talk.send(("made", made.materialization_id))
        inputs = [InputAnchor.result_digest(table, str(made.artifact_digest))]
    _wait(talk, "done", time.perf_counter() - began)


def _wait(talk: Connection, *what: Any) -> None:
    talk.send(what)
    while True:
        signal.pause()


def read(talk: Connection, root: str, catalog: str) -> None:
    """Reads every table again and again, until its end; tells when it has begun. Raises where one is not whole."""
    store, seen = ResultStore(root, catalog), 0
    talk.send(("started", os.getpid()))
    while True:
        for table in store.tables():
            assert is_whole(store.read(table)), table
            seen += 1
            if seen == 1:
                talk.send(("read",))
        time.sleep(0.01)
