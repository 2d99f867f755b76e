"""A dropped table gets its last intact materialization back; in a branch the parent's table shows again."""

from pathlib import Path

import pytest
from core_kit import make, numbers, values
from store_kit import StoreAt, child, definition, execute

from jammi_dagster import ResultStore
from jammi_dagster.catalog import Outbox
from jammi_dagster.errors import NotDropped, PromotionRefused, TableHeld, UnknownTable

on_both = pytest.mark.parametrize(
    "store_at", ["memory", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True
)
on_one = pytest.mark.parametrize("store_at", ["memory"], indirect=True)


@on_both
def test_a_dropped_table_is_back_as_it_was(store: ResultStore) -> None:
    """Under a new start, told in the history and to Dagster; what is below it is fresh again."""
    make(store, "t", numbers(1))
    made = make(store, "t")
    child(store, "below", "t")
    store.drop("t")
    dropped = store.moves("t")[0]
    assert store.undrop("t", by="ada", reason="a mistake") == made
    assert store.current("t") == made
    assert store.staleness("below", definition()).is_fresh
    move = store.moves("t")[0]
    assert (move.outcome, move.reason) == ("undropped", "by ada: a mistake")
    assert move.start_sequence > dropped.start_sequence
    (event,) = Outbox(store.database, store.scope).pending()
    assert (event.table, event.sequence) == ("t", move.sequence)


@on_one
def test_the_last_intact_one_comes_back(store: ResultStore) -> None:
    """Not one whose bytes are gone, or that is not ready; where none is left, that is said."""
    old, gone = make(store, "t", numbers(1)), make(store, "t", numbers(2))
    failed = make(store, "t", numbers(4))
    store.drop("t")
    store.artifacts.delete(gone.artifact_path)
    execute(
        store, "UPDATE materializations SET status = 'failed' WHERE id = :id", id=failed.materialization_id
    )
    assert store.undrop("t") == old
    store.drop("t")
    store.artifacts.delete(old.artifact_path)
    with pytest.raises(
        NotDropped, match=r"table t in deployment default: .* no materialization of it is intact"
    ):
        store.undrop("t")
    assert store.tables() == []


@on_one
def test_a_pruned_history_does_not_hide_it(store: ResultStore) -> None:
    """The move that tells where the name was is gone; the materialization that was made here is not."""
    made = make(store, "t")
    store.drop("t")
    store.prune_history(keep_last=1, keep_for_days=0)
    assert [move.outcome for move in store.moves("t")] == ["dropped"]
    assert store.undrop("t") == made


@on_one
def test_only_a_dropped_table_is_undropped(store: ResultStore) -> None:
    """Not one that is there, nor one that never was, nor a global one by a tenant."""
    make(store, "t")
    with pytest.raises(NotDropped, match="it is not dropped"):
        store.undrop("t")
    with pytest.raises(UnknownTable):
        store.undrop("nothing")
    store.drop("t")
    with pytest.raises(UnknownTable):
        store.beside(tenant="acme").undrop("t")
    with pytest.raises(UnknownTable):
        store.beside(deployment="other").undrop("t")
    make(store, "t")
    with pytest.raises(NotDropped):
        store.undrop("t")


@on_one
def test_a_held_name_that_was_lost_is_released_first(store: ResultStore) -> None:
    """It is empty, and stays held for the materialization that may come back."""
    record = make(store, "t")
    store.rollback("t", record.materialization_id)
    execute(
        store, "UPDATE pointers SET materialization_id = NULL, lost_id = :id", id=record.materialization_id
    )
    with pytest.raises(TableHeld):
        store.undrop("t")


@on_both
def test_a_branch_shows_its_parents_table_again(store_at: StoreAt) -> None:
    """Whether it had one of its own before the drop or not; a table of the branch alone comes back itself."""
    prod = store_at(deployment="prod")
    for table in ("read", "own"):
        make(prod, table)
    branch = store_at(deployment="branch", parent="prod")
    make(branch, "own", numbers(5))
    alone = make(branch, "alone", numbers(6))
    for table in ("read", "own", "alone"):
        branch.drop(table)
    assert branch.tables() == []
    for table in ("read", "own"):
        assert branch.undrop(table).materialization_id == prod.current(table).materialization_id
        assert len(values(branch.read(table, at=branch.sequence()))) == 3
        with pytest.raises(NotDropped):
            branch.undrop(table)
    assert branch.undrop("alone") == alone
    make(prod, "read", numbers(7))
    assert len(values(branch.read("read"))) == 7
    assert [move.outcome for move in branch.moves("own") if move.deployment == "branch"][:2] == [
        "ended",
        "dropped",
    ]


@on_one
def test_a_parent_in_another_catalog_shows_again(store_at: StoreAt, tmp_path: Path) -> None:
    """Nothing is written there; a promotion to it is refused, since it would have to copy."""
    prod = store_at(deployment="prod")
    made = make(prod, "t")
    laptop = ResultStore(str(tmp_path / "laptop"), deployment="laptop", parent=prod)
    alone = make(laptop, "alone")
    for table in ("t", "alone"):
        laptop.drop(table)
    assert laptop.tables() == []
    assert laptop.undrop("t").materialization_id == made.materialization_id
    assert laptop.undrop("alone") == alone
    assert laptop.tables() == ["alone", "t"]
    assert [move.outcome for move in prod.moves("t")] == ["computed"]
    with pytest.raises(PromotionRefused, match="in another catalog, and a promotion copies nothing"):
        laptop.promote("prod")
    assert laptop.promote("own", ["alone"]).plan.rows[0].table == "alone"
    laptop.close()


def test_an_undropped_table_is_back_when_the_catalog_is_lost(tmp_path: Path) -> None:
    """The tombstone of its drop is gone; that of another deployment's drop is not."""
    store = ResultStore(str(tmp_path / "root"), str(tmp_path / "a.db"))
    other = store.beside(deployment="other")
    made = make(store, "t")
    make(other, "t", numbers(1))
    for one in (store, other):
        one.drop("t")
    store.undrop("t")
    store.close()
    again = ResultStore(str(tmp_path / "root"), str(tmp_path / "b.db"))
    again.adopt(take_over=True)
    assert again.current("t").materialization_id == made.materialization_id
    assert again.beside(deployment="other").tables() == []
    again.close()
