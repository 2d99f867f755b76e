"""A store over `fork()`: children write by connections of their own, and leave the parent's attempt alone."""

import functools
import os
import signal
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from core_kit import make, numbers
from store_kit import attempt_on, output
from waiting_kit import MOST_SECONDS

from jammi_dagster import ResultStore, forks
from jammi_dagster.catalog import sqlite_file
from jammi_dagster.errors import CatalogUnavailable, ForkedWriter


def _in_child(work: Callable[[], object], *, seconds: float = MOST_SECONDS) -> int:
    """Run `work` in a forked child; give its exit code, and kill a child that hangs."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    pytest.fail("the child hangs")


@pytest.fixture(params=["sqlite", "postgres", "memory"])
def forked(request: pytest.FixtureRequest, open_store: Callable[..., ResultStore]) -> ResultStore:
    """A store that was used before the fork."""
    catalog: str | None = {"sqlite": None, "memory": "sqlite://", "postgres": ""}[request.param]
    if catalog == "":
        catalog = request.getfixturevalue("postgres").new()
    store = open_store(catalog=catalog)
    make(store, "before")
    return store


@pytest.mark.parametrize("forked", ["sqlite", "postgres"], indirect=True)
def test_children_and_parent_write_at_once(forked: ResultStore) -> None:
    """Four children of an opened store, and the parent, each publish their tables; nobody gets another's answer."""

    def write(name: str) -> None:
        for i in range(5):
            make(forked, f"{name}/{i}", numbers(i + 1))
            assert forked.read(f"{name}/{i}").num_rows == i + 1

    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: codes.append(_in_child(lambda: write(f"c{n}")))) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    write("parent")
    for thread in threads:
        thread.join()
    assert codes == [0] * 4
    assert len(forked.tables()) == 1 + 5 * 5


ENDS: dict[str, Callable[[Any], None]] = {
    "sys.exit": lambda attempt: sys.exit(3),
    "an error": lambda attempt: (_ for _ in ()).throw(RuntimeError("in the child")),
    "give_up": lambda attempt: attempt.give_up(),
    "exit of the block": lambda attempt: None,
}


@pytest.mark.parametrize("end", ENDS)
def test_a_child_that_unwinds_its_parents_attempt_changes_nothing(forked: ResultStore, end: str) -> None:
    """However the child leaves the block, the parent's row stays `building`, its bytes lie there, and it publishes."""
    with attempt_on(forked, "t") as attempt:
        attempt.write("t", numbers(4))

        def child() -> None:
            try:
                with attempt:
                    ENDS[end](attempt)
            except RuntimeError:
                pass

        assert _in_child(child) == (3 if end == "sys.exit" else 0)
        (row,) = forked.history("t")
        assert row.status == "building"
        attempt.publish([output("t")])
    assert forked.read("t").num_rows == 4


def test_a_child_within_the_data_of_its_parents_attempt(forked: ResultStore) -> None:
    """A body that forks while it streams: the child's end writes nothing into the parent's object."""
    codes: list[int] = []

    def rows() -> Iterator[pa.RecordBatch]:
        yield from numbers(1_000).to_batches()
        pid = os.fork()
        if pid == 0:
            sys.exit(0)  # unwinds writer, sink and attempt
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        yield from numbers(1_000, start=1_000).to_batches()

    parent = os.getpid()
    try:
        with attempt_on(forked, "t") as attempt:
            attempt.write("t", rows())
            attempt.publish([output("t")])
    finally:
        if os.getpid() != parent:
            os._exit(0)
    assert codes == [0]
    assert forked.read("t").equals(numbers(2_000))
    assert forked.verify_materialization("t").to_dict()["verdict"] != "mismatch"


def test_a_child_neither_writes_nor_publishes_for_its_parent(forked: ResultStore) -> None:
    """It says so: `ForkedWriter`."""
    with attempt_on(forked, "t") as attempt:

        def child() -> None:
            for act in (lambda: attempt.write("t", numbers(1)), lambda: attempt.publish([])):
                with pytest.raises(ForkedWriter, match="forked"):
                    act()

        assert _in_child(child) == 0
        attempt.write("t", numbers(2))
        attempt.publish([output("t")])
    assert forked.read("t").num_rows == 2


def test_locks_that_another_thread_holds_are_made_anew(forked: ResultStore) -> None:
    """A child of a process with a thread inside of a transaction works, or says why it cannot: it never hangs."""
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        with forked.database.writing():
            inside.set()
            done.wait(timeout=MOST_SECONDS)

    holder = threading.Thread(target=hold)
    holder.start()
    assert inside.wait(timeout=MOST_SECONDS)
    is_file = forked.database.is_sqlite and not forked.database.is_memory

    def child() -> None:
        if is_file:  # SQLite's notes on locks came along, and cannot be trusted: nobody uses the file here
            with pytest.raises(CatalogUnavailable, match="forked while the catalog was in use"):
                forked.tables()
            with pytest.raises(CatalogUnavailable, match="forked"):
                ResultStore(str(forked.artifacts.local_root))
        else:
            assert forked.tables() == ["before"]

    try:
        assert _in_child(child) == 0
    finally:
        done.set()
        holder.join()
    make(forked, "after")
    assert forked.tables() == ["after", "before"]


def test_a_lock_of_the_process_is_free_in_a_child() -> None:
    """A thread that held it is none of the child's; in the parent it holds it still."""
    lock, inside, done = forks.Lock(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            inside.set()
            done.wait(timeout=MOST_SECONDS)

    def child() -> None:
        with lock:
            pass

    holder = threading.Thread(target=hold)
    holder.start()
    assert inside.wait(timeout=MOST_SECONDS)
    try:
        assert _in_child(child) == 0
        assert holder.is_alive()
    finally:
        done.set()
        holder.join()
    child()


class _Slow(sqlite3.Connection):
    """A connection that is copied for as long as a test wants."""

    copying, end = threading.Event(), threading.Event()

    def backup(self, *arguments: Any, **options: Any) -> None:
        if threading.current_thread() is not threading.main_thread():
            self.copying.set()
            self.end.wait(timeout=MOST_SECONDS)
        super().backup(*arguments, **options)


def test_a_child_reads_a_catalog_that_is_not_there_while_a_thread_of_its_parent_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pattern of empty catalogs that the thread was copying is the parent's alone."""
    slow = functools.partial(
        sqlite3.connect, ":memory:", factory=_Slow, isolation_level=None, check_same_thread=False
    )
    monkeypatch.setattr(sqlite_file, "connect_to_memory", slow)
    store = ResultStore(str(tmp_path / "absent"))
    reading = threading.Thread(target=store.tables)
    reading.start()
    try:
        assert _Slow.copying.wait(timeout=MOST_SECONDS)
        assert _in_child(store.tables) == 0
    finally:
        _Slow.end.set()
        reading.join()


def test_a_file_is_closed_around_a_fork(open_store: Callable[..., ResultStore], tmp_path: Path) -> None:
    """No connection to an SQLite file is inherited, and the parent goes on with new ones."""
    store = open_store()
    make(store, "t")
    file = str(store.database.url.database)

    def child() -> None:
        opened = [os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")]
        assert not [path for path in opened if path.startswith(file)]

    assert _in_child(child) == 0
    assert store.tables() == ["t"]
