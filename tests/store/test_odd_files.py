"""FIFOs, devices, folders and loops in the place of an object or a sidecar: never opened, and nothing hangs on them."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from core_kit import make, numbers, values
from store_kit import StoreAt, days_later, definition, execute, files

from jammi_dagster import JammiError
from jammi_dagster.artifacts import sidecar_path

_MOST_SECONDS = 60

ODD: dict[str, Callable[[Path], None]] = {
    "a FIFO": lambda path: os.mkfifo(path),
    "a device": lambda path: os.symlink("/dev/zero", path),
    "a terminal": lambda path: os.symlink("/dev/tty", path),
    "a folder": lambda path: path.mkdir(),
    "a loop": lambda path: os.symlink(path, path),
    "a link to nothing": lambda path: os.symlink("/nowhere/at/all", path),
    "a link to a FIFO outside": lambda path: _fifo_outside(path),
}


def _fifo_outside(path: Path) -> None:
    outside = path.parents[3] / f"outside-{path.name}"
    os.mkfifo(outside)
    path.symlink_to(outside)


@pytest.fixture(autouse=True)
def _no_hang() -> Iterator[None]:
    """Fail a test that waits for a FIFO's other end, instead of waiting with it."""

    def hung(*given: object) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, hung)
    signal.alarm(_MOST_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("part", ["object", "sidecar"])
@pytest.mark.parametrize("odd", ODD)
def test_an_odd_file_is_passed_over(store_at: StoreAt, odd: str, part: str) -> None:
    """An older match is found instead of an object; every question ends; recovery, a loss and adoption go on."""
    store = store_at()
    older = make(store, "t")
    record = make(store, "t", numbers(4))
    path = store_at.root / (record.artifact_path if part == "object" else sidecar_path(record.artifact_path))
    path.unlink()
    ODD[odd](path)
    found = store.probe_cache(definition(), [])
    assert found == (older if part == "object" else record).materialization_id
    for ask in (store.read, store.dataset, store.producing_descriptor, store.verify_materialization):
        with contextlib.suppress(JammiError):  # any error is fine that is one of ours
            ask("t")
    before = {name for name in files(store_at.root) if name.startswith("tables")}
    report = store.recover(grace_seconds=0)
    assert {*report.missing, *report.unreadable, *report.damaged} == {record.materialization_id}
    days_later(store)
    store.recover()
    assert {name for name in files(store_at.root) if name.startswith("tables")} == before
    assert path.is_symlink() or path.exists()
    for table in ("pointers", "run_results", "materializations"):
        execute(store, f"DELETE FROM {table}")
    assert store.adopt().adopted == [older.materialization_id]
    assert values(store.read("t")) == [0, 1, 2]
    make(store, "t", numbers(5))
    assert values(store.read("t")) == [0, 1, 2, 3, 4]
