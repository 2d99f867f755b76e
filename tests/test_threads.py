"""Threads that the system refuses: a typed error that names their purpose, and nothing half-done stays."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from core_kit import make
from threads_kit import refuse

from jammi_dagster import ResultStore
from jammi_dagster.errors import ThreadNotStarted

_LARGE = pa.table({"n": np.random.default_rng(1).integers(0, 2**60, 300_000)})


def _write(store: ResultStore) -> None:
    make(store, "t", _LARGE, step=2)


def _read(store: ResultStore) -> None:
    store.read("t", verify="full")


def _recover(store: ResultStore) -> None:
    store.recover()


def _adopt(store: ResultStore) -> None:
    store.adopt()


THREADS: dict[str, tuple[str, Callable[[ResultStore], None], str]] = {
    "renewing a lease": ("jammi-lease", _write, "renew the lease"),
    "storing a file": ("jammi-file", _write, "write and hash a table"),
    "hashing a row group": ("jammi-part", _write, "write and hash a table"),
    "verifying": ("jammi-verify", _read, "verify the inputs"),
    "recovery": ("jammi-upkeep", _recover, "look at the objects"),
    "adoption": ("jammi-upkeep", _adopt, "look at the objects"),
}


@pytest.mark.parametrize("case", THREADS)
def test_a_thread_that_cannot_start_is_a_typed_error(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """What was current stays current, no row is left building, and once there are threads all goes on."""
    prefix, work, purpose = THREADS[case]
    make(store, "t")
    if case == "adoption":
        with store.database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM pointers")
            connection.exec_driver_sql("DELETE FROM materializations")
    with monkeypatch.context() as patch:
        refuse(patch, prefix)
        with pytest.raises(
            ThreadNotStarted, match=rf"cannot {purpose}.*can't start new thread.*ulimit"
        ) as raised:
            work(store)
    assert purpose in raised.value.purpose
    assert [record.status for record in store.history("t")].count("building") == 0
    work(store)
    assert store.tables() == ["t"]


def test_no_thread_of_the_package_starts_elsewhere() -> None:
    """One place starts threads, so that none raises the bare error of Python."""
    package = Path(str(__import__("jammi_dagster").__file__)).parent
    named = ("threading.Thread(", "ThreadPoolExecutor(")
    found = [
        path.relative_to(package).as_posix()
        for path in sorted(package.rglob("*.py"))
        if any(name in path.read_text() for name in named)
    ]
    assert found == ["threads.py"]
