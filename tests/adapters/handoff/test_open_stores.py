"""Open stores of a process: the last few used keep their connections, all others give their file descriptors back."""

import gc
import os
import shutil
from pathlib import Path

import pytest
from core_kit import make

from jammi_dagster import ResultStore
from jammi_dagster.adapters.handoff.store_resource import OpenStores
from jammi_dagster.errors import JammiError


def descriptors(folder: Path) -> int:
    """Count this process's open files below the folder."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            count += os.readlink(f"/proc/self/fd/{name}").startswith(str(folder))
        except FileNotFoundError:  # the listing's own
            continue
    return count


def _open(stores: OpenStores, folder: Path, name: str) -> ResultStore:
    return stores.get(name.encode(), lambda: ResultStore(str(folder / name)))


def test_a_store_has_open_files(tmp_path: Path) -> None:
    """The count that the other tests compare counts something."""
    store = ResultStore(str(tmp_path))
    make(store, "t")
    assert descriptors(tmp_path) >= 2
    store.close()
    assert descriptors(tmp_path) == 0


@pytest.mark.slow
def test_a_store_that_was_collected_gives_its_files_back(tmp_path: Path) -> None:
    """Nobody calls `close` on a store that went out of sight."""
    for i in range(5):
        store = ResultStore(str(tmp_path / str(i)))
        make(store, "t")
        store.read("t")
    del store
    gc.collect()
    assert descriptors(tmp_path) == 0


def test_only_the_last_few_used_keep_their_files(tmp_path: Path) -> None:
    """Ten stores in turn hold no more open than four of them, and each still answers, as the same object."""
    stores, kept = OpenStores(most=4), dict[str, ResultStore]()
    for i in range(10):
        kept[str(i)] = _open(stores, tmp_path, str(i))
        make(kept[str(i)], "t")
    most = descriptors(tmp_path)
    assert 0 < most <= 4 * 3
    assert [descriptors(tmp_path / str(i)) > 0 for i in range(10)] == [False] * 6 + [True] * 4
    assert _open(stores, tmp_path, "0") is kept["0"]
    assert kept["0"].tables() == ["t"]
    make(kept["0"], "u", step=2)
    assert descriptors(tmp_path / "0") > 0
    assert descriptors(tmp_path / "6") == 0
    assert descriptors(tmp_path) <= most
    for store in kept.values():
        store.close()


def test_a_store_that_nobody_uses_is_forgotten(tmp_path: Path) -> None:
    """Beyond the last few it lives on only for as long as somebody holds it."""
    stores = OpenStores(most=1)
    identity = _open(stores, tmp_path, "first").identity
    assert stores.find(identity) is not None
    second = _open(stores, tmp_path, "second")
    gc.collect()
    assert stores.find(identity) is None
    assert stores.find(second.identity) is second
    second.close()


def test_a_store_whose_catalog_is_gone_gives_its_files_back_at_once(tmp_path: Path) -> None:
    """The files of a folder that was removed are not held by a process that goes on."""
    stores = OpenStores(most=4)
    gone = _open(stores, tmp_path, "gone")
    make(gone, "t")
    shutil.rmtree(tmp_path / "gone")
    other = _open(stores, tmp_path, "other")
    assert descriptors(tmp_path / "gone") == 0
    with pytest.raises(JammiError):
        make(gone, "t")
    other.close()
    gone.close()
