"""Recovery changes nothing where so much is missing that the root must be the cause."""

import contextlib
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from core_kit import make, values
from store_kit import StoreAt, expire, files, killed_before_the_flip, rows

from jammi_dagster import ResultStore
from jammi_dagster.artifacts import sidecar_path
from jammi_dagster.errors import ObjectsMissing, RootNotThere, StorageFailed
from jammi_dagster.recording import Attempt


def _made(store: ResultStore, count: int) -> list[str]:
    """Materialize some tables, and leave one more that was never published; give the paths of the former."""
    paths = [make(store, f"t{i:02}", step=i).artifact_path for i in range(count)]
    killed_before_the_flip(store, "abandoned")
    expire(store)
    return paths


def _both(store: ResultStore, path: str) -> None:
    store.artifacts.delete(path)
    store.artifacts.delete(sidecar_path(path))


def _bytes(store: ResultStore, path: str) -> None:
    store.artifacts.delete(path)


def _sidecar(store: ResultStore, path: str) -> None:
    store.artifacts.delete(sidecar_path(path))


def _no_folder(root: Path) -> None:
    pass


def _empty_folder(root: Path) -> None:
    root.mkdir()


def _empty_tables_folder(root: Path) -> None:
    (root / "tables").mkdir(parents=True)


def _others_objects(root: Path) -> None:
    """Another store's root."""
    with contextlib.closing(ResultStore(str(root), "sqlite://")) as other:
        make(other, "t00")


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize("mounted", [_no_folder, _empty_folder, _empty_tables_folder, _others_objects])
def test_a_root_without_any_object_of_the_catalog_stops_it(
    store_at: StoreAt, mounted: Callable[[Path], None], count: int
) -> None:
    """An unmounted volume costs nothing: no row is failed, published or reclaimed, and all is there afterwards."""
    store, away = store_at(), store_at.root.with_name("away")
    _made(store, count)
    store_at.root.rename(away)
    mounted(store_at.root)
    before, objects = rows(store), files(store_at.root)
    for dry_run in (True, False):
        with pytest.raises(RootNotThere, match=r"mounted.*take_over=True") as raised:
            store.recover(dry_run=dry_run, grace_seconds=0)
        assert raised.value.root == str(store_at.root)
    assert rows(store) == before
    assert files(store_at.root) == objects
    shutil.rmtree(store_at.root, ignore_errors=True)
    away.rename(store_at.root)
    report = store.recover()
    assert (report.lost, report.damaged, report.reclaimed, len(report.promoted)) == ([], [], [], 1)
    assert [values(store.read(f"t{i:02}")) for i in range(count)] == [[0, 1, 2]] * count


def test_a_bucket_that_finds_nothing_stops_it(tmp_path: Path) -> None:
    """An object store that answers "not found" to everything is no proof that anything is gone."""
    bucket, catalog = f"memory://{uuid.uuid4().hex}", str(tmp_path / "catalog.db")
    with contextlib.closing(ResultStore(bucket, catalog)) as store:
        _made(store, 3)
        before = rows(store)
    with contextlib.closing(ResultStore(f"{bucket}-mistyped", catalog)) as store:
        with pytest.raises(RootNotThere):
            store.recover()
        assert rows(store) == before
    with contextlib.closing(ResultStore(bucket, catalog)) as store:
        assert len(store.recover().promoted) == 1


def test_a_root_that_cannot_be_read_stops_it(store_at: StoreAt) -> None:
    """An error of the storage comes before the first change too."""
    store = store_at()
    _made(store, 2)
    store_at.root.rename(store_at.root.with_name("away"))
    store_at.root.write_text("a file")
    before = rows(store)
    with pytest.raises(StorageFailed):
        store.recover()
    assert rows(store) == before


@pytest.mark.slow
@pytest.mark.parametrize("harm", [_both, _bytes, _sidecar])
@pytest.mark.parametrize(
    ("total", "missing", "stops"),
    [(20, 1, False), (20, 10, False), (20, 11, True), (11, 11, True), (240, 12, False), (240, 13, True)],
)
def test_more_than_ten_and_a_twentieth_at_once_stops_it(
    tmp_path: Path, harm: Callable[[ResultStore, str], None], total: int, missing: int, stops: bool
) -> None:
    """Fewer are noted; with more nothing changes, also where bytes or sidecar alone are gone."""
    with contextlib.closing(ResultStore(str(tmp_path / "root"), "sqlite://")) as store:
        for path in _made(store, total)[:missing]:
            harm(store, path)
        before, objects = rows(store), files(tmp_path / "root" / "tables")
        if stops:
            for dry_run in (True, False):
                with pytest.raises(ObjectsMissing, match=f"{missing} of {total} "):
                    store.recover(dry_run=dry_run, grace_seconds=0)
            assert rows(store) == before
            assert files(tmp_path / "root" / "tables") == objects
        else:
            report = store.recover()
            assert len(report.promoted) == 1
            assert len(report.missing) == missing


def test_tables_that_are_lost_for_good_are_dropped_and_it_goes_on(store_at: StoreAt) -> None:
    """The way out that the error names leads out."""
    store = store_at()
    _made(store, 12)
    shutil.rmtree(store_at.root / "tables")
    with pytest.raises(ObjectsMissing):
        store.recover()
    for table in store.tables():
        store.drop(table)
    store.collect({"grace_seconds": 0}, dry_run=False)
    assert len(store.recover().failed) == 1
    assert not any(store.recover().to_dict().values())


def test_without_ready_rows_an_empty_root_says_nothing(store_at: StoreAt) -> None:
    """A first writer that died before its first byte is cleared away."""
    store = store_at()
    attempt = store.begin(["t"], produced_by="run", owner="run/step")
    assert isinstance(attempt, Attempt)
    expire(store)
    assert len(store.recover().failed) == 1


def test_rows_that_are_no_longer_ready_are_not_missing(
    store_at: StoreAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables that are dropped and collected while a pass reads do not stop it."""
    store, other = store_at(), store_at()
    _made(store, 12)
    size, asked = type(store.artifacts).size, list[str]()

    def drop_first(root: object, path: str) -> int | None:
        if not asked:
            asked.append(path)
            for table in other.tables():
                other.drop(table)
            other.collect({"grace_seconds": 0}, dry_run=False)
        return size(store.artifacts, path)

    monkeypatch.setattr(type(store.artifacts), "size", drop_first)
    assert len(store.recover().promoted) == 1
    assert store.tables() == ["abandoned"]  # its bytes are whole
