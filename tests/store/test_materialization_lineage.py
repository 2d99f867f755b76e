"""The lineage of materializations: up and down over everything that was ever made, in few statements."""

from pathlib import Path

import pytest
from core_kit import make, numbers
from engine_kit import Engine
from store_kit import child, counted, killed_before_the_flip, on

from jammi_dagster import InputAnchor, ResultStore
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.errors import InvalidField, InvalidStore, NotInHistory, UnknownTable
from jammi_dagster.lineage.materializations import MaterializationLineage

on_both = pytest.mark.parametrize("store_at", ["file", "postgres"], indirect=True)
on_one = pytest.mark.parametrize("store_at", ["memory"], indirect=True)
FILE = InputAnchor.source_version("file:raw.csv", "1")


def pairs(edges: tuple[object, ...]) -> set[tuple[str, str]]:
    """Input and derived of each edge."""
    return {(edge.name, edge.derived) for edge in edges}  # type: ignore[attr-defined]  # edges of a lineage


def over(store: ResultStore, table: str, rows: int, *parents: MaterializationRecord) -> MaterializationRecord:
    """A materialization over these ones."""
    return make(store, table, numbers(rows), inputs=on(*parents))


@on_both
def test_it_follows_what_each_was_made_from(store: ResultStore) -> None:
    """By the bytes that were read, not by the names of now: earlier ones lead to earlier ones."""
    old = make(store, "raw", numbers(1), inputs=[FILE])
    old_mid = over(store, "mid", 1, old)
    new = make(store, "raw", numbers(2), inputs=[FILE])
    mid, side = over(store, "mid", 2, new), over(store, "side", 3, new)
    low = over(store, "low", 4, mid, side)
    found = store.lineage(mid.materialization_id)
    ids = [one.materialization_id for one in (new, mid, side, low)]
    assert pairs(found.upstream) == {(ids[0], ids[1]), ("file:raw.csv@1", ids[0])}
    assert pairs(found.downstream) == {(ids[1], ids[3])}
    assert found.current == {ids[0], ids[1], ids[3]} == found.nodes.keys()
    earlier = store.lineage(old.materialization_id)
    assert pairs(earlier.downstream) == {(old.materialization_id, old_mid.materialization_id)}
    assert earlier.current == frozenset()
    assert store.lineage("low", depth=1).upstream == tuple(
        edge for edge in store.lineage("low").upstream if edge.derived == ids[3]
    )
    assert pairs(store.lineage("raw").downstream) == {
        (ids[0], ids[1]),
        (ids[0], ids[2]),
        (ids[1], ids[3]),
        (ids[2], ids[3]),
    }


@on_one
def test_it_goes_across_what_was_dropped(store: ResultStore) -> None:
    """A dropped table in the middle keeps its place, with its status; so does a table that is made no more."""
    raw = make(store, "raw", inputs=[FILE])
    mid = over(store, "mid", 2, raw)
    low = over(store, "low", 3, mid)
    store.drop("mid")
    found = store.lineage(low.materialization_id)
    assert pairs(found.upstream) >= {(raw.materialization_id, mid.materialization_id)}
    assert mid.materialization_id not in found.current
    assert pairs(store.lineage(raw.materialization_id).downstream) == {
        (raw.materialization_id, mid.materialization_id),
        (mid.materialization_id, low.materialization_id),
    }


@on_one
def test_equal_bytes_lead_to_the_last_one_before(store: ResultStore) -> None:
    """A table that was made again with the same bytes counts from then on."""
    first = make(store, "raw")
    one = over(store, "mid", 1, first)
    again = make(store, "raw")
    two = over(store, "mid", 2, again)
    assert pairs(store.lineage(first.materialization_id).downstream) == {
        (first.materialization_id, one.materialization_id)
    }
    assert pairs(store.lineage(two.materialization_id).upstream) == {
        (again.materialization_id, two.materialization_id)
    }


@on_one
def test_a_table_that_reads_its_earlier_self_ends(store: ResultStore) -> None:
    """No cycle of names keeps the walk from its end."""
    first = make(store, "sum", numbers(1))
    second = over(store, "sum", 2, first)
    third = over(store, "sum", 3, second)
    ids = [one.materialization_id for one in (first, second, third)]
    assert pairs(store.lineage("sum").upstream) == {(ids[1], ids[2]), (ids[0], ids[1])}
    assert pairs(store.lineage(ids[0]).downstream) == {(ids[1], ids[2]), (ids[0], ids[1])}


@on_both
def test_a_tenant_sees_its_own_and_global_ones(store: ResultStore) -> None:
    """An anchor of a tenant's row leads to its own table first; a global row never leads to a tenant's."""
    shared = make(store, "raw")
    own, other = store.beside(tenant="a"), store.beside(tenant="b")
    mine = child(own, "mid", "raw")
    hidden = child(other, "mid", "raw")
    assert pairs(own.lineage("mid").upstream) == {(shared.materialization_id, mine.materialization_id)}
    assert pairs(own.lineage(shared.materialization_id).downstream) == pairs(own.lineage("mid").upstream)
    assert store.lineage("raw").downstream == ()
    with pytest.raises(UnknownTable):
        own.lineage(hidden.materialization_id)
    again = make(own, "raw")
    low = child(own, "low", "raw")
    assert pairs(own.lineage("low").upstream) == {(again.materialization_id, low.materialization_id)}


@on_one
def test_its_statements_do_not_grow_with_the_nodes(store: ResultStore) -> None:
    """Neither a long chain nor a wide fan takes a statement each."""
    last = make(store, "t0")
    for number in range(1, 12):
        last = over(store, f"t{number}", number, last)
    with counted(store) as of_chain:
        found = store.lineage("t0")
    assert len(found.downstream) == 11
    make(store, "alone")
    with counted(store) as of_one:
        store.lineage("alone")
    assert len(of_chain) == len(of_one)


@on_one
def test_bad_questions_are_refused(store: ResultStore, tmp_path: Path) -> None:
    """Another depth, an unknown name, one that was never ready, and an engine's catalog."""
    made = make(store, "t")
    with pytest.raises(InvalidField, match="depth"):
        store.lineage(made.materialization_id, depth=0)
    with pytest.raises(UnknownTable):
        store.lineage("other")
    dead = killed_before_the_flip(store, "t", step=2).rows["t"].materialization_id
    with pytest.raises(NotInHistory, match="never was ready"):
        store.lineage(dead)
    with pytest.raises(InvalidStore, match="keeps no history"):
        Engine("chain", tmp_path / "engine").attach().lineage("x")


@on_one
def test_it_is_drawn_and_given_as_data(store: ResultStore) -> None:
    """Each node with its table, id and kind; inputs that are no tables as such."""
    raw = make(store, "raw", inputs=[FILE])
    over(store, "mid", 1, raw)
    make(store, "raw", numbers(7), inputs=[FILE])
    found: MaterializationLineage = store.lineage("mid")
    drawn = found.to_mermaid()
    assert drawn.startswith("flowchart LR\n")
    assert f'"raw {raw.materialization_id} · earlier"]:::earlier' in drawn
    assert f'"mid {found.materialization_id} · current"]:::current' in drawn
    assert ":::input" in drawn
    data = found.to_dict()
    assert {node["table"]: node["is_current"] for node in data["nodes"]} == {"mid": True, "raw": False}
    assert data["downstream"] == []
    assert {edge["source"] for edge in data["upstream"]} == {"raw", "file:raw.csv"}
