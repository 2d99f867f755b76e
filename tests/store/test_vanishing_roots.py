"""A root that goes away, or turns read-only, while a writer is at work: nothing is published, nothing is lost."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from core_kit import make, numbers, values
from store_kit import StoreAt, attempt_on, files, output

from jammi_dagster import ResultStore
from jammi_dagster.artifacts.storage import local
from jammi_dagster.errors import CatalogReadOnly, JammiError, RootNotThere, StorageFailed
from jammi_dagster.recording import Attempt


def _unmounted(root: Path) -> None:
    """Leave the bare mount point."""
    root.rename(root.with_name("volume"))
    root.mkdir()


def _gone(root: Path) -> None:
    root.rename(root.with_name("volume"))


def _swapped(root: Path) -> None:
    """Mount another store's volume there."""
    root.rename(root.with_name("volume"))
    other = ResultStore(str(root), "sqlite://")
    make(other, "other")
    other.close()


def _back(root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    root.with_name("volume").rename(root)


_VANISHING = [_unmounted, _gone, _swapped]


def _before_the_write(attempt: Attempt, vanish: Callable[[], None]) -> None:
    vanish()
    attempt.write("t", numbers(9))
    attempt.publish([output("t", step=2)])


def _within_the_write(attempt: Attempt, vanish: Callable[[], None]) -> None:
    def batches() -> Any:
        yield from numbers(5).to_batches()
        vanish()
        yield from numbers(4, start=5).to_batches()

    attempt.write("t", pa.RecordBatchReader.from_batches(numbers(1).schema, batches()))
    attempt.publish([output("t", step=2)])


def _before_the_sidecar(attempt: Attempt, vanish: Callable[[], None]) -> None:
    attempt.write("t", numbers(9))
    vanish()
    attempt.publish([output("t", step=2)])


def _before_the_flip(attempt: Attempt, vanish: Callable[[], None]) -> None:
    attempt.write("t", numbers(9))
    write = type(attempt.recorder.root).write_bytes_durable
    with pytest.MonkeyPatch.context() as patch:

        def wrote(self: Any, *given: Any) -> None:
            write(self, *given)
            patch.undo()
            vanish()

        patch.setattr(type(attempt.recorder.root), "write_bytes_durable", wrote)
        attempt.publish([output("t", step=2)])


_MOMENTS = [_before_the_write, _within_the_write, _before_the_sidecar, _before_the_flip]


@pytest.mark.parametrize("vanish", _VANISHING)
@pytest.mark.parametrize("moment", _MOMENTS)
def test_a_root_that_vanishes_under_a_writer(
    tmp_path: Path, moment: Callable[..., None], vanish: Callable[[Path], None]
) -> None:
    """No row becomes ready over bytes that are not there; the table of before is whole once the root is back."""
    with StoreAt(tmp_path / "root", str(tmp_path / "catalog.db")) as store_at:
        _vanishes(store_at, moment, vanish)


def _vanishes(store_at: StoreAt, moment: Callable[..., None], vanish: Callable[[Path], None]) -> None:
    store = store_at()
    make(store, "t")
    taken_away = list[dict[str, bytes]]()

    def go() -> None:
        vanish(store_at.root)
        taken_away.append(files(store_at.root))

    def work() -> None:
        with attempt_on(store, "t") as attempt:
            moment(attempt, go)

    with pytest.raises(JammiError) as raised:
        work()
    assert isinstance(raised.value, RootNotThere | StorageFailed)
    assert "ready" not in {record.status for record in store.history("t")[:1]}
    assert files(store_at.root) == taken_away[0]
    _back(store_at.root)
    assert values(store.read("t")) == [0, 1, 2]
    report = store.recover(grace_seconds=0)
    assert (report.missing, report.lost, report.promoted) == ([], [], [])
    assert values(store.read("t")) == [0, 1, 2]
    make(store, "t", numbers(9), step=2)
    assert values(store.read("t")) == list(range(9))


# --- a disk that turned read-only ------------------------------------------------------------------------------


def _refuse(*given: Any, **options: Any) -> Any:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def _write(store: ResultStore) -> object:
    return make(store, "t", numbers(9))


def _drop(store: ResultStore) -> object:
    store.drop("t")
    return None


def _recover(store: ResultStore) -> object:
    return store.recover()


def _take_over(store: ResultStore) -> object:
    return store.adopt(take_over=True)


@pytest.mark.parametrize("work", [_write, _drop, _recover, _take_over])
def test_a_root_that_turned_read_only_after_it_was_opened(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch, work: Callable[[ResultStore], object]
) -> None:
    """Each write is a `StorageFailed` with the way out, and changes nothing; every question is still answered."""
    record = make(store, "t")
    before = files(Path(str(store.artifacts.local_root)))
    with monkeypatch.context() as patch:
        for name in ("LocalUpload", "_mkdir"):
            patch.setattr(local, name, _refuse)
        for name in ("delete", "replace", "create"):
            patch.setattr(local.LocalStorage, name, _refuse)
        with pytest.raises(StorageFailed, match=r"Read-only file system.*make it writable"):
            work(store)
        assert files(Path(str(store.artifacts.local_root))) == before
        assert values(store.read("t")) == [0, 1, 2]
        hit = store.probe_cache(str(record.definition_hash), [])
        assert hit == record.materialization_id
        assert store.adopt(dry_run=True).adopted == []
    work(store)


def test_a_catalog_that_turned_read_only_within_a_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flip is refused: nothing is published, and the objects stay for recovery, which needs the catalog too."""
    store = ResultStore(str(tmp_path / "root"), str(tmp_path / "catalog" / "c.db"))
    make(store, "t")

    def work() -> None:
        with attempt_on(store, "t") as attempt:
            attempt.write("t", numbers(9))
            with monkeypatch.context() as patch:
                patch.setattr(store.database, "read_only", True)
                attempt.publish([output("t", step=2)])

    with pytest.raises(CatalogReadOnly, match="reading works"):
        work()
    assert values(store.read("t")) == [0, 1, 2]
    assert [record.status for record in store.history("t")] == ["failed", "ready"]
    store.close()
