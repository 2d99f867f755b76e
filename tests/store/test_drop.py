"""Taking a table's name away, in one deployment of one tenant."""

from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
from core_kit import make, numbers, values
from store_kit import Killed, StoreAt, attempt_on, child, definition, output, rows

from jammi_dagster import ResultStore, Staleness, StaleReason
from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.catalog import CatalogWriter
from jammi_dagster.errors import UnknownTable


def test_the_name_is_gone_and_what_was_made_over_it_says_so(store: ResultStore) -> None:
    """It resolves to nothing, and its children's input has vanished; its materializations are as they were."""
    made = make(store, "p")
    child(store, "c", "p")
    store.drop("p")
    assert store.tables() == ["c"]
    assert [record.status for record in store.history("p")] == ["ready"]
    assert store.probe_cache(definition(), []) == made.materialization_id
    assert values(store.read("p", at=made.materialization_id)) == [0, 1, 2]
    assert store.staleness("c", definition()) == Staleness.stale([StaleReason.input_vanished("p")])
    for ask in (store.current, store.read, store.drop, store.verify_materialization):
        with pytest.raises(UnknownTable):
            ask("p")


def test_a_table_can_be_made_again(store: ResultStore) -> None:
    """A drop is no ban: a later start brings the name back, and the children over equal bytes are fresh again."""
    make(store, "p")
    child(store, "c", "p")
    store.drop("p")
    make(store, "p")
    assert store.staleness("c", definition()).is_fresh


def test_another_deployment_keeps_what_it_points_at(store_at: StoreAt) -> None:
    """A drop in one of them changes nothing for the other."""
    prod, branch = store_at(deployment="prod"), store_at(deployment="branch")
    old, kept = make(prod, "t", numbers(1)), make(prod, "t", numbers(2))
    pairs = [("t", kept.materialization_id)]
    branch.writer.point(pairs, start_sequence=branch.writer.next_start(), run_id=None)
    prod.drop("t")
    assert {record.materialization_id: record.status for record in prod.history("t")} == {
        old.materialization_id: "ready",
        kept.materialization_id: "ready",
    }
    assert values(branch.read("t")) == [0, 1]
    assert prod.tables() == []
    assert prod.probe_cache(definition(), []) == kept.materialization_id


def test_a_drop_where_there_is_nothing_changes_nothing(store_at: StoreAt) -> None:
    """A deployment in which the name resolves to nothing cannot drop another's, nor the table's history."""
    prod, branch = store_at(deployment="prod"), store_at(deployment="branch")
    for count in (1, 2):
        make(prod, "t", numbers(count))
    before = rows(prod)
    with pytest.raises(UnknownTable):
        branch.drop("t")
    after = rows(prod)
    assert {name: after[name] for name in after if name != "catalog_state"} == {
        name: before[name] for name in before if name != "catalog_state"
    }


def test_a_tenant_cannot_drop_a_global_table(store_at: StoreAt) -> None:
    """Nor does it look as if it had: an error says whose table that is."""
    shared, own = store_at(), store_at(tenant="a")
    make(shared, "t")
    with pytest.raises(UnknownTable, match="global"):
        own.drop("t")
    make(own, "t", numbers(1))
    own.drop("t")
    assert values(own.read("t")) == values(shared.read("t")) == [0, 1, 2]


def test_an_earlier_start_does_not_bring_the_name_back(store: ResultStore) -> None:
    """A step that began before the drop ends after it: ready, but not current. So it is for a reuse."""
    make(store, "t")
    start = store.writer.next_start()
    store.drop("t")
    with attempt_on(store, "t", start_sequence=start) as attempt:
        attempt.write("t", numbers(1))
        published = attempt.publish([output("t", step=2)])
    assert [done.is_current for done in published] == [False]
    assert store.tables() == []
    assert published[0].record.status == "ready"
    pairs = [("t", published[0].record.materialization_id)]
    pointed = store.writer.point(pairs, start_sequence=start, run_id=None)
    assert [point.is_current for point in pointed] == [False]
    assert store.tables() == []


@pytest.mark.parametrize("writes_again", [False, True])
def test_a_drop_that_was_killed_does_not_lose_the_table_with_its_catalog(
    tmp_path: Path, writes_again: bool
) -> None:
    """Its tombstone is there and nothing was dropped: recovery removes it, and adoption brings the table back.

    One that a later write has overtaken may stay: it takes an earlier start's name away, which nobody resolves to.
    """
    store = ResultStore(str(tmp_path / "root"), str(tmp_path / "a.db"))
    for name in ("kept", "dropped"):
        make(store, name)
    store.drop("dropped")
    with (
        mock.patch.object(CatalogWriter, "drop", _killed_before_the_commit),
        mock.patch.object(ArtifactRoot, "delete_many"),  # a process that is gone removes nothing
        pytest.raises(Killed),
    ):
        store.drop("kept")
    if writes_again:  # under the start that the drop gave back
        make(store, "kept", numbers(5), step=2)
    going = store.recover(grace_seconds=-1, dry_run=True).reclaimed
    assert store.recover(grace_seconds=-1).reclaimed == going
    assert len(going) == 1 or writes_again
    expected = values(store.read("kept"))
    store.close()
    other = ResultStore(str(tmp_path / "root"), str(tmp_path / "b.db"))
    other.adopt(take_over=True)
    assert other.tables() == ["kept"]
    assert values(other.read("kept")) == expected
    other.close()


def _killed_before_the_commit(
    writer: CatalogWriter, table: str, before_commit: Callable[[int], None]
) -> bool:
    def die(dropped: int) -> None:
        before_commit(dropped)
        raise Killed

    return bool(_drop(writer, table, die))


_drop = CatalogWriter.drop
