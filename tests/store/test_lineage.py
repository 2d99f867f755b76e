"""Tables deriving from a table: one hop, and everything downstream (freshness.rs, `derives_from` and its closure)."""

import time

import pytest
from core_kit import make, numbers
from store_kit import StoreAt, Surface, child, counted, definition, execute, on

from jammi_dagster import AnchorKind, DependencyCycle, DerivesFromEdge, InputAnchor, ResultStore
from jammi_dagster.artifacts import sidecar_path
from jammi_dagster.errors import InvalidTableName, UnknownTable
from jammi_dagster.lineage.graph import closure, edges_by_input

NAMES = [
    "a_b",
    "aXb",
    "a%b",
    "ab",
    'a"b',
    "a\\b",
    "é",
    "e\u0301",
    "A_B",
    "a_b%",
    "a",
    "a'b",
    "a\nb",
    "a]b",
    "%",
    "_",
]


def _edge(source: str, derived: str, kind: AnchorKind = AnchorKind.RESULT_DIGEST) -> DerivesFromEdge:
    return DerivesFromEdge(input=source, derived=derived, kind=kind)


def _pairs(edges: list[DerivesFromEdge]) -> list[tuple[str, str]]:
    return [(edge.input, edge.derived) for edge in edges]


def test_one_hop_in_the_order_of_their_making(store: ResultStore) -> None:
    """The tables that recorded the name, by the start of their current materialization; none further down."""
    make(store, "p")
    for name in ("z", "m", "a"):
        child(store, name, "p")
    child(store, "below", "z")
    assert store.derives_from("p") == [_edge("p", name) for name in ("z", "m", "a")]
    child(store, "z", "p", step=2)
    assert _pairs(store.derives_from("p")) == [("p", "m"), ("p", "a"), ("p", "z")]
    assert store.derives_from("below") == []


def test_an_edge_is_what_the_current_materialization_recorded(store: ResultStore) -> None:
    """An input that a table no longer has is no edge, and neither is one of a table that is gone."""
    make(store, "p")
    make(store, "q")
    child(store, "t", "p")
    child(store, "t", "q")
    child(store, "u", "q")
    assert store.derives_from("p") == []
    store.drop("u")
    assert _pairs(store.derives_from("q")) == [("q", "t")]


def test_edges_are_of_the_deployment_that_asks(store_at: StoreAt) -> None:
    """A table current elsewhere is no edge here."""
    prod, branch = store_at(deployment="prod"), store_at(deployment="branch")
    make(prod, "p")
    child(prod, "t", "p")
    make(branch, "p")
    assert branch.derives_from("p") == []
    assert branch.derives_from_closure("p") == []
    assert _pairs(prod.derives_from("p")) == [("p", "t")]


def test_external_sources_have_dependents_too(store: ResultStore) -> None:
    """A name that is a recorded input but no table; the edge says of which kind the anchor is."""
    anchors = {
        AnchorKind.SOURCE_VERSION: InputAnchor.source_version("file:raw.csv", "1"),
        AnchorKind.MUTABLE_VERSION: InputAnchor.mutable_version("counter:x", 1),
        AnchorKind.UNPINNED_AT_INSTANT: InputAnchor.unpinned_at_instant("api:y", "2026-01-01T00:00:00Z"),
    }
    make(store, "t", inputs=list(anchors.values()))
    child(store, "u", "t")
    for kind, anchor in anchors.items():
        assert store.derives_from(anchor.source) == [_edge(anchor.source, "t", kind)]
        assert _pairs(store.derives_from_closure(anchor.source)) == [(anchor.source, "t"), ("t", "u")]


def test_the_name_of_a_partitioned_asset_leads_to_its_partitions(store: ResultStore) -> None:
    """Its tables are those of the partitions: the error names some."""
    for day in ("01", "02"):
        make(store, f"flights[2013-{day}]", step=int(day))
    with pytest.raises(
        UnknownTable, match=r"it has partitions, such as flights\[2013-01\], flights\[2013-02\]"
    ):
        store.current("flights")


def test_a_name_that_is_neither_suggests_near_ones(store: ResultStore) -> None:
    """Near names of tables and of other inputs are told; a name that no catalog can hold is another error."""
    make(store, "flights/daily", inputs=[InputAnchor.source_version("file:raw/planes.csv", "1")])
    for ask in (store.derives_from, store.derives_from_closure):
        with pytest.raises(UnknownTable, match=r"near names: flights/daily"):
            ask("flights/dayly")
        with pytest.raises(UnknownTable, match=r"near names: file:raw/planes\.csv"):
            ask("file:raw/plane.csv")
        with pytest.raises(InvalidTableName):
            ask("a\0b")


def test_a_dropped_table_keeps_its_dependents(store: ResultStore) -> None:
    """They recorded its name, and a recorded name makes an edge."""
    make(store, "p")
    child(store, "t", "p")
    store.drop("p")
    assert _pairs(store.derives_from("p")) == [("p", "t")]


def test_odd_names_find_their_own_dependents_alone(store: ResultStore) -> None:
    """Wildcards, quotes, backslashes, case, prefixes and normal forms: a name is only ever equal to itself."""
    for i, name in enumerate(NAMES):
        make(store, name)
        make(
            store,
            f"of {i}",
            inputs=[*on(store.current(name)), InputAnchor.source_version(f"file:{name}", "1")],
        )
    for i, name in enumerate(NAMES):
        assert store.derives_from(name) == [_edge(name, f"of {i}")]
        assert _pairs(store.derives_from_closure(name)) == [(name, f"of {i}")]
        assert _pairs(store.derives_from(f"file:{name}")) == [(f"file:{name}", f"of {i}")]
        assert store.current(name).table == name
    make(store, "é", numbers(5))
    surfaces = [Surface(f"file:{name}", "1") for name in NAMES]
    definitions = dict.fromkeys(store.tables(), definition())
    stale = [table for table, verdict in store.sweep(definitions, surfaces=surfaces) if not verdict.is_fresh]
    assert stale == [f"of {NAMES.index('é')}"]


# --- closure -------------------------------------------------------------------------------------------


def test_depth_first_siblings_in_the_order_of_their_making(store: ResultStore) -> None:
    """The order of the reference: an edge, then everything below it, then the next edge."""
    make(store, "r")
    for table, parents in (("b", "r"), ("a", "r"), ("b2", "b"), ("b1", "b"), ("a1", "a"), ("c", "r")):
        child(store, table, *parents.split())
    assert _pairs(store.derives_from_closure("r")) == [
        ("r", "b"),
        ("b", "b2"),
        ("b", "b1"),
        ("r", "a"),
        ("a", "a1"),
        ("r", "c"),
    ]


def test_a_diamonds_subtree_comes_once(store: ResultStore) -> None:
    """Each path into the foot is an edge; everything below it is walked once."""
    make(store, "r")
    child(store, "left", "r")
    child(store, "right", "r")
    child(store, "foot", "left", "right")
    child(store, "below", "foot")
    assert _pairs(store.derives_from_closure("r")) == [
        ("r", "left"),
        ("left", "foot"),
        ("foot", "below"),
        ("r", "right"),
        ("right", "foot"),
    ]


def test_a_cycle_names_the_table_that_closes_it(store: ResultStore) -> None:
    """Stable names can leave a recorded cycle when the declared graph changed; asked from before it or from on it."""
    make(store, "up")
    make(store, "a", inputs=on(store.current("up")))
    child(store, "b", "a")
    child(store, "a", "b", "up")
    for source, closes in (("a", "a"), ("b", "b"), ("up", "a")):
        with pytest.raises(DependencyCycle) as caught:
            store.derives_from_closure(source)
        assert caught.value.table == closes
    assert _pairs(store.derives_from("a")) == [("a", "b")]


def test_a_table_over_itself_is_a_cycle(store: ResultStore) -> None:
    """The shortest one."""
    make(store, "t")
    child(store, "t", "t")
    with pytest.raises(DependencyCycle, match="through t;"):
        store.derives_from_closure("t")


def test_edges_are_read_once_and_again_after_a_change(store: ResultStore) -> None:
    """One bulk read per revision of the catalog, then none; whatever moves a pointer makes it read again."""
    make(store, "p")
    for i in range(5):
        child(store, f"c{i}", "p" if i == 0 else f"c{i - 1}")
    with counted(store) as statements:
        assert len(store.derives_from_closure("p")) == 5
        assert len(statements) == 2
        assert len(store.derives_from_closure("c0")) == 4
        assert len(statements) == 3
    child(store, "c5", "c4")
    assert len(store.derives_from_closure("p")) == 6
    store.drop("c5")
    assert len(store.derives_from_closure("p")) == 5


def test_what_another_store_changed_is_seen(store_at: StoreAt) -> None:
    """The edges are kept under the catalog's revision, which every writer raises."""
    one, two = store_at(), store_at()
    make(one, "p")
    child(one, "a", "p")
    assert len(one.derives_from_closure("p")) == 1
    child(two, "b", "a")
    assert len(one.derives_from_closure("p")) == 2


@pytest.mark.slow
def test_a_chain_of_100_000_is_walked() -> None:
    """No recursion, so no depth is too much; and in well under a second on a quiet machine."""
    chain = [_edge(f"t{i}", f"t{i + 1}") for i in range(100_000)]
    by_input = edges_by_input(reversed(chain))
    started = time.process_time()
    assert closure("t0", by_input) == chain
    assert time.process_time() - started < 5
    by_input["t100000"] = [_edge("t100000", "t500")]
    with pytest.raises(DependencyCycle, match="through t500;"):
        closure("t0", by_input)


def test_the_index_is_rebuilt_from_what_was_recorded(store: ResultStore) -> None:
    """Edges that are lost, or that no anchor set holds, are found by `recover()` and made again."""
    make(store, "p")
    child(store, "t", "p")
    execute(store, "DELETE FROM anchor_edges")
    values = "SELECT 'ghost', max(id), 'result_digest' FROM anchor_sets"
    execute(store, f"INSERT INTO anchor_edges (source, anchor_set_id, kind) {values}")
    assert store.derives_from("p") == []
    told = store.recover(dry_run=True).reindexed
    assert store.derives_from("p") == []
    assert store.recover().reindexed == told
    assert len(told) == 1
    assert _pairs(store.derives_from("p")) == [("p", "t")]
    assert store.recover().reindexed == []
    with pytest.raises(UnknownTable):
        store.derives_from("ghost")


def test_a_set_that_cannot_be_read_is_restored_from_a_sidecar(store: ResultStore) -> None:
    """In recorded order, with its edges; a dry run tells it; without a sidecar that tells it, it stays as it is."""
    sources = [InputAnchor.source_version(f"file:{name}", "1") for name in "bac"]
    record = make(store, "t", inputs=sources)
    store.artifacts.delete(sidecar_path(make(store, "u", step=2, inputs=sources).artifact_path))
    lone = make(store, "lone", inputs=[InputAnchor.source_version("file:z", "1")])
    store.artifacts.delete(sidecar_path(lone.artifact_path))
    edges = store.reader.edges()
    execute(store, "UPDATE anchor_sets SET anchors_json = '{'")
    execute(store, "DELETE FROM anchor_edges")
    assert len(store.recover(dry_run=True).restored) == 1
    assert len(store.recover().restored) == 1
    assert store.current("t").input_anchors == record.input_anchors
    assert {edge for edge in edges if "file:z" not in str(edge)} == {*store.reader.edges()}
    assert store.recover().restored == []


def test_a_set_that_cannot_be_read_stops_no_recovery(store: ResultStore) -> None:
    """There is nothing to make its edges from; those of the others are made again all the same."""
    make(store, "p")
    child(store, "t", "p")
    make(store, "u", inputs=[InputAnchor.source_version("file:a", "1")])
    execute(store, "UPDATE anchor_sets SET anchors_json = '{' WHERE anchors_json LIKE '%file:a%'")
    execute(store, "DELETE FROM anchor_edges")
    assert len(store.recover().reindexed) == 1
    assert _pairs(store.derives_from("p")) == [("p", "t")]
