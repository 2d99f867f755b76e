"""Catalog and root name each other, or nothing is written and nothing reclaimed."""

import contextlib
import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from core_kit import Child, apart, make, race, values
from store_kit import StoreAt, attempt_on, execute, files, rows

from jammi_dagster import ResultStore
from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.errors import (
    InvalidField,
    JammiError,
    MaintainedElsewhere,
    RootNotThere,
    RootOfAnotherCatalog,
)

_IDENTITY = "jammi-root.json"


def _identity(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / _IDENTITY).read_text())
    return found


def _write(store: ResultStore) -> None:
    make(store, "t", step=9)


def _begin(store: ResultStore) -> None:
    attempt_on(store, "t")


def _recover(store: ResultStore) -> None:
    store.recover(grace_seconds=0)


def _dry_run(store: ResultStore) -> None:
    store.recover(dry_run=True)


def _drop(store: ResultStore) -> None:
    store.drop("t")


def _adopt(store: ResultStore) -> None:
    store.adopt()


_WRITES = [_write, _begin, _recover, _dry_run, _drop, _adopt]


# --- the first write makes the identity ------------------------------------------------------------------


def test_sensing_makes_no_identity(store_at: StoreAt) -> None:
    """Opening and asking leave nothing in the root; the first write names root and catalog to each other."""
    store = store_at()
    assert (store.tables(), store.lookup_cached("ab" * 32, [])) == ([], None)
    store.recover(dry_run=True)
    assert not (store_at.root / _IDENTITY).exists()
    make(store, "t")
    found = _identity(store_at.root)
    assert found["catalog_id"] == store.identity.catalog_id
    assert found["catalog"] == store.database.name
    before = (store_at.root / _IDENTITY).read_bytes()
    make(store, "u")
    store.recover()
    assert (store_at.root / _IDENTITY).read_bytes() == before


def test_a_catalog_in_its_root_is_named_by_its_place_there(tmp_path: Path) -> None:
    """So a store may be moved as a whole."""
    with contextlib.closing(ResultStore(str(tmp_path / "a"))) as store:
        make(store, "t")
    assert (_identity(tmp_path / "a")["catalog"], _identity(tmp_path / "a")["is_inside"]) == (
        "catalog.db",
        True,
    )
    (tmp_path / "a").rename(tmp_path / "b")
    with contextlib.closing(ResultStore(str(tmp_path / "b"))) as store:
        make(store, "u", step=2)
        assert store.recover().adopted == []
        assert store.tables() == ["t", "u"]


def _first_write(n: int, root: str, catalog: str) -> str:
    with contextlib.closing(ResultStore(root, catalog)) as store:
        make(store, f"t{n}", step=n)
    return str(_identity(Path(root))["root_id"])


def test_first_writes_at_once_agree(tmp_path: Path, catalog_url: str) -> None:
    """Several processes of one catalog: one makes the identity, all go on with it."""
    assert len(set(race(4, _first_write, str(tmp_path / "root"), catalog_url))) == 1
    with contextlib.closing(ResultStore(str(tmp_path / "root"), catalog_url)) as store:
        assert store.tables() == [f"t{n}" for n in range(4)]


def _first_write_of_two(n: int, root: str, folder: str) -> bool:
    with contextlib.closing(ResultStore(root, f"{folder}/{n}.db")) as store:
        try:
            make(store, "t")
        except RootOfAnotherCatalog:
            return False
        return True


def test_of_two_catalogs_at_once_one_gets_the_root(tmp_path: Path) -> None:
    """The others stop before they have written anything."""
    won = race(4, _first_write_of_two, str(tmp_path / "root"), str(tmp_path))
    assert sorted(won) == [False, False, False, True]
    with contextlib.closing(
        ResultStore(str(tmp_path / "root"), str(tmp_path / f"{won.index(True)}.db"))
    ) as store:
        assert store.tables() == ["t"]
        assert len(files(tmp_path / "root" / "tables")) == 2


# --- a root that is not there ----------------------------------------------------------------------------


def _gone(root: Path) -> None:
    shutil.rmtree(root)


def _emptied(root: Path) -> None:
    shutil.rmtree(root)
    root.mkdir()


def _without_identity(root: Path) -> None:
    (root / _IDENTITY).unlink()


def _of_another(root: Path) -> None:
    shutil.rmtree(root)
    with contextlib.closing(ResultStore(str(root), "sqlite://")) as other:
        make(other, "t")


@pytest.mark.parametrize("write", _WRITES)
@pytest.mark.parametrize("harm", [_gone, _emptied, _without_identity, _of_another])
def test_every_write_stops_where_the_root_is_not_there(
    tmp_path: Path, harm: Callable[[Path], None], write: Callable[[ResultStore], None]
) -> None:
    """Nothing changes in the catalog or in whatever lies there instead; reading the catalog goes on."""
    with contextlib.closing(ResultStore(str(tmp_path / "root"), str(tmp_path / "catalog.db"))) as store:
        make(store, "t")
        harm(tmp_path / "root")
        before = rows(store), files(tmp_path / "root")
        with pytest.raises(RootNotThere, match=r"not the root whose objects.*take_over=True"):
            write(store)
        assert (rows(store), files(tmp_path / "root")) == before
        assert store.tables() == ["t"]
    with contextlib.closing(ResultStore(str(tmp_path / "root"), str(tmp_path / "catalog.db"))) as store:
        with pytest.raises(RootNotThere):
            write(store)
        assert (rows(store), files(tmp_path / "root")) == before


def test_a_volume_that_comes_back_has_lost_nothing(store_at: StoreAt) -> None:
    """Nightly jobs while it was away changed nothing."""
    store, away = store_at(), store_at.root.with_name("away")
    for i in range(20):
        make(store, f"t{i:02}", step=i)
    store_at.root.rename(away)
    for _ in range(3):
        store_at.root.mkdir(exist_ok=True)
        with pytest.raises(RootNotThere):
            store.recover(grace_seconds=0)
    store_at.root.rmdir()
    away.rename(store_at.root)
    report = store.recover(grace_seconds=0).to_dict()
    assert not any(report.values()), report
    assert [values(store.read(f"t{i:02}")) for i in range(20)] == [[0, 1, 2]] * 20


def test_a_root_lost_for_good_is_taken_over(store_at: StoreAt) -> None:
    """The way out that the error names: afterwards it can be written to again."""
    store = store_at()
    make(store, "t")
    shutil.rmtree(store_at.root)
    with pytest.raises(RootNotThere):
        make(store, "t", step=2)
    assert store.adopt(take_over=True).adopted == []
    make(store, "t", step=2)
    assert values(store.read("t")) == [0, 1, 2]


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"{}", b'{"root_id": 1}', b"\xff"])
def test_a_damaged_identity_stops_writes(store_at: StoreAt, text: bytes) -> None:
    """It cannot be compared, so nothing is written; a takeover makes it again."""
    store = store_at()
    make(store, "t")
    (store_at.root / _IDENTITY).write_bytes(text)
    with pytest.raises(InvalidField, match=_IDENTITY):
        make(store, "t", step=2)
    store.adopt(take_over=True)
    make(store, "t", step=2)


def test_one_not_found_is_asked_again(store_at: StoreAt, monkeypatch: pytest.MonkeyPatch) -> None:
    """A storage that does not find the identity once finds it the next time."""
    store = store_at()
    make(store, "t")
    fetch, asked = ArtifactRoot.fetch, list[str]()

    def miss_once(self: ArtifactRoot, path: str) -> bytes:
        asked.append(path)
        return fetch(self, path if len(asked) > 1 else "tables/none.json")

    monkeypatch.setattr(ArtifactRoot, "fetch", miss_once)
    make(store, "t", step=2)
    assert asked[:2] == [_IDENTITY, _IDENTITY]


# --- another catalog -------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", _WRITES)
def test_another_catalog_on_the_root_is_refused(tmp_path: Path, write: Callable[[ResultStore], None]) -> None:
    """A typo in `catalog=`, an empty new database, staging beside prod: nothing is written, nothing reclaimed."""
    root = str(tmp_path / "root")
    with (
        contextlib.closing(ResultStore(root, str(tmp_path / "prod.db"))) as prod,
        contextlib.closing(ResultStore(root, str(tmp_path / "staging.db"))) as staging,
    ):
        for i in range(4):
            make(prod, f"t{i}", step=i)
        before = rows(prod), rows(staging), files(tmp_path / "root")
        with pytest.raises(RootOfAnotherCatalog, match=r"prod\.db.*staging\.db.*take_over=True"):
            write(staging)
        assert (rows(prod), rows(staging), files(tmp_path / "root")) == before
        assert prod.recover(grace_seconds=0).reclaimed == []


def test_another_catalog_inside_or_beside_the_default_one_is_refused(tmp_path: Path) -> None:
    """Only the very place of the lost catalog brings it back."""
    root = tmp_path / "root"
    with contextlib.closing(ResultStore(str(root))) as store:
        make(store, "t")
    (root / "catalog.db").unlink()
    for other in (root / "other.db", tmp_path / "catalog.db"):
        with (
            contextlib.closing(ResultStore(str(root), str(other))) as store,
            pytest.raises(RootOfAnotherCatalog),
        ):
            store.recover()


def test_a_takeover_rebinds_the_root_and_records_it(tmp_path: Path) -> None:
    """The new catalog gets every table; the old one can no longer write; and back."""
    root = str(tmp_path / "root")
    with (
        contextlib.closing(ResultStore(root, str(tmp_path / "old.db"))) as old,
        contextlib.closing(ResultStore(root, str(tmp_path / "new.db"))) as new,
    ):
        for i in range(4):
            make(old, f"t{i}", step=i)
        assert len(new.adopt(take_over=True, dry_run=True).adopted) == 4
        with pytest.raises(RootOfAnotherCatalog):
            new.recover()
        report = new.adopt(take_over=True)
        assert len(report.adopted) == 4
        assert str(report.taken_over).endswith("old.db")
        assert _identity(tmp_path / "root")["taken_over"] == [old.identity.catalog_id]
        assert [values(new.read(f"t{i}")) for i in range(4)] == [[0, 1, 2]] * 4
        make(new, "t9", step=9)
        for write in _WRITES[:4]:
            with pytest.raises(RootOfAnotherCatalog, match=r"new\.db"):
                write(old)
        assert old.adopt(take_over=True).adopted
        assert old.tables() == new.tables()
        with pytest.raises(RootOfAnotherCatalog):
            make(new, "t10")


# --- copies of one catalog -------------------------------------------------------------------------------


def _copy(file: Path, to: Path) -> None:
    shutil.copy(file, to)


@pytest.mark.parametrize("upkeep", [_recover, _adopt])
def test_a_copy_of_the_catalog_does_not_maintain_the_root(
    tmp_path: Path, upkeep: Callable[[ResultStore], None]
) -> None:
    """Staging that began as a copy of prod: once prod was there, a pass of the copy stops, and changes nothing."""
    root = str(tmp_path / "root")
    with contextlib.closing(ResultStore(root, str(tmp_path / "prod.db"))) as prod:
        make(prod, "t")
        prod.recover()
    _copy(tmp_path / "prod.db", tmp_path / "staging.db")
    with (
        contextlib.closing(ResultStore(root, str(tmp_path / "prod.db"))) as prod,
        contextlib.closing(ResultStore(root, str(tmp_path / "staging.db"))) as staging,
    ):
        make(prod, "t", step=2)
        prod.recover()
        staging.database.close()
        before = rows(staging), files(tmp_path / "root" / "tables")
        with pytest.raises(MaintainedElsewhere, match=r"another copy of the catalog.*take_over=True"):
            upkeep(staging)
        assert (rows(staging), files(tmp_path / "root" / "tables")) == before
        prod.recover()
        assert prod.tables() == ["t"]


def test_passes_at_once_of_one_catalog_do_not_stop_each_other(store_at: StoreAt) -> None:
    """Each mark is one that the catalog issued, whichever is last."""
    make(store_at(), "t")
    failures = list[BaseException]()

    def recover(store: ResultStore) -> None:
        try:
            for _ in range(5):
                store.recover()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=recover, args=(store_at(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


# --- a store of 0.1 --------------------------------------------------------------------------------------


def _unbound(store: ResultStore, root: Path) -> None:
    """As 0.1 left them: neither names the other."""
    execute(store, "UPDATE catalog_state SET root_id = NULL")
    (root / _IDENTITY).unlink()


def test_a_catalog_without_root_is_bound_if_its_objects_are_there(store_at: StoreAt) -> None:
    """A sample of its ready rows is looked for before the first write."""
    store = store_at()
    for i in range(30):
        make(store, f"t{i}", step=i)
    _unbound(store, store_at.root)
    opened = store_at()
    make(opened, "t", step=99)
    assert _identity(store_at.root)["catalog_id"] == opened.identity.catalog_id


@pytest.mark.parametrize("write", _WRITES[:4])
def test_a_catalog_without_root_is_not_bound_to_one_without_its_objects(
    tmp_path: Path, write: Callable[[ResultStore], None]
) -> None:
    """An unmounted volume is not taken for the root of a store of 0.1."""
    catalog = str(tmp_path / "catalog.db")
    with contextlib.closing(ResultStore(str(tmp_path / "root"), catalog)) as store:
        for i in range(30):
            make(store, f"t{i}", step=i)
        _unbound(store, tmp_path / "root")
    shutil.move(tmp_path / "root", tmp_path / "away")
    with contextlib.closing(ResultStore(str(tmp_path / "root"), catalog)) as store:
        before = rows(store)
        with pytest.raises(RootNotThere, match="of 20 ready tables, 20 have no bytes there"):
            write(store)
        assert rows(store) == before
        assert not (tmp_path / "root").exists()
        shutil.move(tmp_path / "away", tmp_path / "root")
        write(store)


# --- a read-only root ------------------------------------------------------------------------------------


def _refused(root: str, catalog: str) -> str:
    with contextlib.closing(ResultStore(root, catalog)) as store:
        try:
            make(store, "t")
        except JammiError as error:
            return type(error).__name__
        return "written"


def test_a_first_write_to_a_read_only_root_says_so(tmp_path: Path) -> None:
    """Neither side is bound, and once the root is writable it is."""
    (tmp_path / "root").mkdir(mode=0o555)
    assert (
        apart(_refused, str(tmp_path / "root"), str(tmp_path / "c.db"), privileged=False) == "StorageFailed"
    )
    (tmp_path / "root").chmod(0o755)
    assert apart(_refused, str(tmp_path / "root"), str(tmp_path / "c.db"), privileged=False) == "written"


def _bind_and_stop(talk: Any, root: str, catalog: str) -> None:
    from jammi_dagster.catalog import BindingRows

    def stop(*args: object, **options: object) -> None:
        talk.send("there")
        talk.recv()

    mock.patch.object(BindingRows, "bind", stop).start()
    _first_write(0, root, catalog)


def test_a_kill_between_root_and_catalog_costs_nothing(tmp_path: Path, catalog_url: str) -> None:
    """The identity is there and the catalog does not know: the next write finds its own id in it."""
    child = Child(_bind_and_stop, str(tmp_path / "root"), catalog_url)
    assert child.told() == "there"
    child.kill()
    assert _identity(tmp_path / "root")
    assert _first_write(1, str(tmp_path / "root"), catalog_url)
