"""Helpers of the core's tests: values to record, tables to write, and work in processes of their own."""

import ctypes
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pyarrow as pa
from waiting_kit import MOST_SECONDS

from jammi_dagster import InputAnchor, ResultStore
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import definition_hash

VECTORS = Path(__file__).parents[1] / "engine_vectors"
ENV = {"python": "3.11"}
DIGEST = "ab" * 32


def descriptor(step: int = 1) -> dict[str, Any]:
    """A descriptor; another `step`, another definition."""
    return {"producer": "test", "step": step}


DEFINITION = definition_hash(descriptor(), ENV)


def numbers(count: int, *, start: int = 0) -> pa.Table:
    """A table of one column, `n`."""
    return pa.table({"n": list(range(start, start + count))})


def make(
    store: ResultStore,
    table: str,
    data: Any = None,
    *,
    step: int = 1,
    inputs: Sequence[InputAnchor] = (),
) -> MaterializationRecord:
    """Materializes `table`; of three rows unless told."""
    data = numbers(3) if data is None else data
    return store.materialize(table, data, descriptor=descriptor(step), env=ENV, inputs=inputs)


def values(table: pa.Table) -> list[int]:
    """The column `n`."""
    return list(table["n"].to_pylist())


# --- processes ----------------------------------------------------------------------------------------

# a server that has imported everything, and forks a process in milliseconds
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    ["alembic.command", "hypothesis", "jammi_dagster.store", "pyarrow.dataset", "pyarrow.parquet", "pytest"]
)


class Child:
    """A process of its own that does `work(talk, *args)`; `talk` is the other end of this one's `tell` and `told`.

    Root passes every permission: unless `privileged`, the child gives up its capabilities, and is a user like any
    other, who owns root's files.
    """

    def __init__(self, work: Callable[..., Any], *args: Any, privileged: bool = True) -> None:
        self._talk, theirs = _SERVER.Pipe()
        self.process = _SERVER.Process(target=_work, args=(theirs, privileged, work, args), daemon=True)
        self.process.start()
        theirs.close()

    def told(self, *, seconds: float = 60) -> Any:
        """The next thing that it tells."""
        assert self._talk.poll(seconds), "the process is silent"
        return self._talk.recv()

    def tell(self, what: Any) -> None:
        """Lets `talk.recv()` of the other side return."""
        self._talk.send(what)

    def result(self, *, seconds: float = 60) -> Any:
        """The value that its work returned. Fails the test if it raised."""
        succeeded, value = self.told(seconds=seconds)
        self._end()
        assert succeeded, value
        return value

    def kill(self) -> None:
        """SIGKILL: nothing of it gets to run any more."""
        self.process.kill()
        self._end()

    def _end(self) -> None:
        self.process.join()
        self.process.close()
        self._talk.close()


def apart(work: Callable[..., Any], *args: Any, privileged: bool = True) -> Any:
    """Runs `work(*args)` in a process of its own. Fails the test if it raised."""
    return Child(_Silent(work), *args, privileged=privileged).result()


def race(count: int, work: Callable[..., Any], *args: Any) -> list[Any]:
    """Runs `work(n, *args)` in each of `count` processes that begin at once."""
    gate = _SERVER.Barrier(count)
    children = [Child(_Gated(work), gate, n, *args) for n in range(count)]
    return [child.result() for child in children]


def run(script: str, *args: object) -> str:
    """Runs `script` in a Python that has imported nothing; gives its output."""
    command = [sys.executable, "-c", script, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class _Silent:
    def __init__(self, work: Callable[..., Any]) -> None:
        self.work = work

    def __call__(self, talk: Connection, *args: Any) -> Any:
        return self.work(*args)


class _Gated(_Silent):
    def __call__(self, talk: Connection, gate: Any, *args: Any) -> Any:
        gate.wait(timeout=MOST_SECONDS)
        return self.work(*args)


def _work(talk: Connection, privileged: bool, work: Callable[..., Any], args: Sequence[Any]) -> None:
    if not privileged and os.getuid() == 0:
        version, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        assert ctypes.CDLL(None).capset(version, nothing) == 0
    try:
        talk.send((True, work(talk, *args)))
    except BaseException as error:
        talk.send((False, repr(error)))
