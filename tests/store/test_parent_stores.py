"""A branch over a parent that is another store: a laptop that reads production, and writes nothing there."""

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from core_kit import make, numbers, values
from store_kit import StoreAt, child, counted, definition, execute, files, on, rows, verdicts

from jammi_dagster import ResultStore
from jammi_dagster.errors import (
    CatalogReadOnly,
    InvalidDeployment,
    NotInHistory,
    PromotionRefused,
    UnknownTable,
)
from jammi_dagster.parent_store import is_of_parent


@pytest.fixture
def store_at(tmp_path: Path) -> Iterator[StoreAt]:
    """Opens production's catalog, a file: two readers resolve as one does, whichever database they ask."""
    with StoreAt(tmp_path / "root", str(tmp_path / "catalog.db")) as opened:
        yield opened


@pytest.fixture
def prod(store_at: StoreAt) -> ResultStore:
    """Production: a chain, and a table beside it."""
    store = store_at(deployment="prod")
    make(store, "raw")
    child(store, "middle", "raw")
    child(store, "foot", "middle")
    make(store, "other", numbers(4))
    return store


@pytest.fixture
def laptop(prod: ResultStore, tmp_path: Path) -> Iterator[ResultStore]:
    """A branch with a catalog and a root of its own."""
    store = ResultStore(str(tmp_path / "laptop"), deployment="laptop", parent=prod)
    yield store
    store.close()


def test_a_laptop_reads_production_and_writes_its_own(prod: ResultStore, laptop: ResultStore) -> None:
    """Names, bytes, verdicts, lineage and hits come through; nothing of production's catalog or root changes."""
    before = rows(prod), files(Path(str(prod.artifacts.local_root)))
    assert laptop.tables() == prod.tables()
    assert values(laptop.read("other")) == values(laptop.dataset("other").to_table()) == [0, 1, 2, 3]
    assert {verdict.staleness for verdict in verdicts(laptop).values()} == {"fresh"}
    assert laptop.derives_from_closure("raw") == prod.derives_from_closure("raw")
    assert laptop.verify_materialization("other").to_dict() == prod.verify_materialization("other").to_dict()
    assert laptop.why("foot").to_dict() == prod.why("foot").to_dict()
    assert not Path(str(laptop.artifacts.local_root)).exists()

    make(laptop, "raw", numbers(9))
    child(laptop, "mine", "raw", "other")
    assert {table: (is_of_parent(one), one.answered_by) for table, one in _current(laptop).items()} == {
        "foot": (True, "prod"),
        "middle": (True, "prod"),
        "mine": (False, "laptop"),
        "other": (True, "prod"),
        "raw": (False, "laptop"),
    }
    found = verdicts(laptop)
    assert (found["middle"].staleness, found["foot"].stale_ancestor) == ("stale", "middle")
    assert {source: one.deployment for source, one in laptop.current("mine").answers.items()} == {
        "other": "prod",
        "raw": "laptop",
    }
    assert [edge.derived for edge in laptop.derives_from("raw")] == ["middle", "mine"]
    before_and_now = laptop.diff(prod.current("raw").materialization_id, "raw", keys=["n"])
    assert before_and_now.rows is not None
    assert (before_and_now.rows.added, before_and_now.rows.removed) == (6, 0)
    assert (rows(prod), files(Path(str(prod.artifacts.local_root)))) == before


def _current(store: ResultStore) -> dict[str, Any]:
    return {table: store.current(table) for table in store.tables()}


def test_only_the_parents_current_table_is_a_hit(prod: ResultStore, laptop: ResultStore) -> None:
    """It is reused where it is: no pointer moves, whatever the step asks. An earlier one of the parent is no hit."""
    earlier = prod.current("other")
    make(prod, "other", numbers(5), step=2)
    assert laptop.probe_cache(definition(), []) == prod.current("raw").materialization_id
    found = laptop.probe_cache_record(definition(2), [])
    assert found is not None
    assert found.materialization_id == prod.current("other").materialization_id
    inputs = on(prod.current("raw"))
    assert laptop.probe_cache(definition(), inputs) == prod.current("middle").materialization_id
    assert earlier.materialization_id not in {
        one.materialization_id for one in laptop.reader.matches(str(definition()), _no_inputs())
    }
    start = laptop.writer.next_start()
    own = make(laptop, "own")
    moves = laptop.writer.point(
        [("other", found.materialization_id), ("own", own.materialization_id)],
        start_sequence=start,
        run_id="r",
        events={"other": "{}"},
    )
    assert [move.is_current for move in moves] == [True, False]
    assert laptop.reader.of_run("r", ["other", "own"]).keys() == {"own"}
    assert laptop.current("other").answered_by == "prod"
    make(laptop, "other", numbers(1), step=3)
    assert laptop.probe_cache(definition(2), []) is None


def _no_inputs() -> str:
    from jammi_dagster.contract import anchor_set_key

    return anchor_set_key([])


def test_an_emptied_name_hides_the_other_stores(prod: ResultStore, laptop: ResultStore) -> None:
    """A laptop drops a table of production for itself; every question leaves it out."""
    laptop.drop("other")
    with pytest.raises(UnknownTable):
        laptop.current("other")
    assert "other" not in laptop.tables()
    assert laptop.reader.current_of(["other"]) == {}
    assert laptop.reader.current_matches(["other"]) == {}
    with laptop.reader.frozen() as frozen:
        assert "other" not in (frozen.digests() or {})
        assert "other" not in {row.table for row in frozen.current_rows()}
    assert [row[0] for row in laptop.reader.artifacts_after("", most=2)] == ["foot", "middle"]
    assert [row[0] for row in laptop.reader.artifacts_after("middle", most=2)] == ["raw"]
    assert values(prod.read("other")) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda store, one: store.rollback("raw", one), "one of the parent's store; roll it back there"),
        (lambda store, one: store.pin("raw", one), "one of the parent's store; pin it there"),
    ],
    ids=["rollback", "pin"],
)
def test_the_other_stores_materializations_are_held_there(
    prod: ResultStore, laptop: ResultStore, act: Callable[[ResultStore, str], object], said: str
) -> None:
    """No name of a branch can lead to them, and nothing here keeps them: the message says where to do it."""
    make(laptop, "raw", numbers(9))
    with pytest.raises(UnknownTable, match=said):
        act(laptop, prod.current("raw").materialization_id)
    assert (len(values(laptop.read("raw"))), laptop.holds()) == (9, {})
    with pytest.raises(PromotionRefused, match="another catalog"):
        laptop.promote("prod")


def test_a_parent_without_a_catalog_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It may not be mounted; a parent that was not made yet is read once it is."""
    parent = ResultStore(str(tmp_path / "share"), deployment="prod")
    laptop = ResultStore(str(tmp_path / "laptop"), deployment="laptop", parent=parent)
    assert "deployment laptop: its parent prod has no catalog at sqlite:///" in caplog.text
    make(parent, "raw")
    assert laptop.tables() == ["raw"]
    caplog.clear()
    ResultStore(str(tmp_path / "other"), deployment="other", parent=parent)
    assert not caplog.text


def test_live_pinned_and_read_only(prod: ResultStore, store_at: StoreAt, tmp_path: Path) -> None:
    """A live one sees the parent's moves and revisions; a pinned one stays; a read-only parent refuses every write."""
    live = ResultStore(str(tmp_path / "live"), deployment="live", parent=prod)
    pinned = ResultStore(
        str(tmp_path / "pinned"), deployment="pinned", parent=prod, parent_at=prod.sequence()
    )
    before = live.revision()
    make(prod, "raw", numbers(7), step=2)
    make(prod, "late")
    assert live.revision() != before
    assert (len(values(live.read("raw"))), len(values(pinned.read("raw")))) == (7, 3)
    assert ("late" in live.tables(), "late" in pinned.tables()) == (True, False)
    assert len(values(live.read("raw", at=prod.history("raw")[-1].materialization_id))) == 3
    with pytest.raises(NotInHistory):
        live.read("raw", at=5)
    live.close()
    pinned.close()
    asked = ResultStore(str(store_at.root), store_at.url, deployment="prod", read_only=True)
    assert len(values(asked.read("raw"))) == 7
    with pytest.raises(CatalogReadOnly):
        make(asked, "raw")
    asked.close()


def test_a_bounded_number_of_statements(prod: ResultStore, laptop: ResultStore) -> None:
    """A sweep and a closure ask each catalog as often as it would be asked alone, and for the covered names."""
    with counted(prod) as asked:
        list(prod.sweep(dict.fromkeys(prod.tables(), definition())))
        prod.derives_from_closure("raw")
    alone = len(asked)
    with counted(prod) as of_parent, counted(laptop) as of_branch:
        list(laptop.sweep(dict.fromkeys(laptop.tables(), definition())))
        laptop.derives_from_closure("raw")
    assert len(of_parent) <= alone
    assert len(of_branch) <= alone + 5


def test_parents_that_are_refused(prod: ResultStore, store_at: StoreAt, tmp_path: Path) -> None:
    """A branch as a parent, another tenant's store, a deployment of the same name; the same store is a name in it."""
    branch = store_at(deployment="branch", parent="prod")
    tenant = store_at(deployment="prod", tenant="acme")
    for parent, why in ((branch, "is a branch of prod"), (tenant, "another tenant"), (prod, "own parent")):
        name = "prod" if parent is prod else "mine"
        with pytest.raises(InvalidDeployment, match=why):
            ResultStore(str(tmp_path / "x"), deployment=name, parent=parent)
    same = ResultStore(str(store_at.root), store_at.url, deployment="twin", parent=prod)
    make(same, "raw", numbers(2))
    assert [(one.name, one.parent) for one in prod.deployments()] == [("twin", "prod")]
    same.close()


def test_lineage_goes_through_both_catalogs(prod: ResultStore, laptop: ResultStore) -> None:
    """From a table of the laptop up to production's materializations, and from those down to the laptop's."""
    child(laptop, "mine", "foot", "other")
    wanted = {
        name: laptop.current(name).materialization_id for name in ("raw", "middle", "foot", "other", "mine")
    }
    found = laptop.lineage("mine")
    assert {found.nodes[edge.input].table for edge in found.upstream if edge.input} == {*wanted} - {"mine"}
    assert found.nodes.keys() == found.current == {*wanted.values()}
    down = laptop.lineage(wanted["raw"]).downstream
    assert {edge.derived for edge in down} == {wanted[name] for name in ("middle", "foot", "mine")}
    assert {edge.derived for edge in prod.lineage("raw").downstream} == {wanted["middle"], wanted["foot"]}


def test_a_branch_over_another_store_ends(prod: ResultStore, tmp_path: Path) -> None:
    """By its time or by a drop, as any: its own tables go, the parent's show again, and their bytes are collected."""

    def opened(days: float | None = None, **given: Any) -> ResultStore:
        return ResultStore(str(tmp_path / "laptop"), deployment="ada", ttl_days=days, **given)

    for days in (2.0, None):
        branch = opened(days, parent=prod)
        make(branch, "other", numbers(9))
        make(branch, "mine")
        (row,) = branch.deployments()
        assert (row.name, row.parent, row.expires_at is None) == ("ada", None, days is None)
        if days is None:
            branch.drop_deployment("ada")
        else:
            assert branch.expire_deployments() == []
            execute(branch, "UPDATE deployments SET expires_at = expires_at - 172800")
            assert len(branch.collect({"grace_seconds": 0}).collected) == 2  # its time has come already
            assert branch.expire_deployments() == ["ada"]
        assert (branch.deployments(), branch.tables()) == ([], prod.tables())
        assert len(branch.collect({"grace_seconds": 0}, dry_run=False).collected) == 2
        branch.close()
    make(opened(parent=prod), "mine")
    make(opened(parent=prod), "mine", numbers(2))
    with pytest.raises(InvalidDeployment, match="a branch of a parent in another store, not of here"):
        opened(parent="here")
    plain = opened(1.0)
    make(plain, "mine")
    assert plain.deployments()[0].expires_at is None  # a time is that of a branch
    plain.close()


def test_the_root_of_a_branch_can_be_pickled(laptop: ResultStore) -> None:
    """Handles of it cross processes, and still find the parent's objects."""
    record = laptop.current("other")
    again = pickle.loads(pickle.dumps(laptop.artifacts))
    assert again.size(record.artifact_path) == record.size_bytes
