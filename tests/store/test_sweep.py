"""The whole catalog at once: each verdict is that of `staleness`, in a bounded number of queries."""

import gc
import threading
from collections.abc import Iterator

import pytest
from core_kit import make, numbers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_kit import OTHER, StoreAt, Surface, child, counted, definition, execute, on, verdicts

from jammi_dagster import CurrentAnchor, InputAnchor, ResultStore, Staleness
from jammi_dagster.errors import InvalidField
from jammi_dagster.sensing import Observations, judge, sweep, sweep_inputs


def test_every_current_table_that_is_named_by_name(store: ResultStore) -> None:
    """Sorted; a table without a definition is not judged, a definition without a table is nothing."""
    for table in ("b", "a", "C", "é"):
        make(store, table)
    definitions = {"a": definition(), "b": OTHER, "C": definition(), "none": definition()}
    swept = list(store.sweep(definitions))
    assert [table for table, _ in swept] == ["C", "a", "b"]
    assert [verdict.staleness for _, verdict in swept] == ["fresh", "fresh", "stale"]
    assert list(store.sweep({})) == []


def test_the_sweep_says_what_staleness_says(store: ResultStore) -> None:
    """For each kind of verdict, with reasons and in the same order."""
    for table in ("p", "q", "gone", "same"):
        make(store, table)
    mixed = [
        InputAnchor.unpinned_at_instant("api:z", "2026-01-01T00:00:00Z"),
        *on(store.current("q"), store.current("gone"), store.current("p")),
    ]
    make(store, "mixed", inputs=mixed)
    child(store, "fresh", "same")
    child(store, "advanced", "p", "same")
    child(store, "vanished", "gone")
    child(store, "other", "same", step=2)
    make(store, "p", numbers(4))
    store.drop("gone")
    found = verdicts(store)
    assert {table: verdict.staleness for table, verdict in found.items()} == {
        "advanced": "stale",
        "fresh": "fresh",
        "mixed": "undecidable",
        "other": "stale",
        "p": "fresh",
        "q": "fresh",
        "same": "fresh",
        "vanished": "stale",
    }
    assert [reason.source for reason in found["mixed"].reasons] == ["gone", "p"]


def test_a_sweep_of_inputs_alone_says_the_same_of_every_table(store: ResultStore) -> None:
    """As if each definition stood still: the verdict of a sweep under the recorded ones, none where that is fresh.

    A table without a manifest is among them, which a sweep over definitions leaves out.
    """
    for table in ("p", "gone", "same"):
        make(store, table)
    child(store, "advanced", "p")
    child(store, "vanished", "gone")
    make(store, "open", inputs=[InputAnchor.source_version("file:x", "1")])
    make(store, "p", numbers(4))
    store.drop("gone")
    make(store, "old")
    execute(store, "UPDATE pointers SET definition_hash = NULL WHERE table_name = 'old'")
    found = dict(sweep_inputs(store.reader, store.artifacts, Observations(())))
    assert {table: verdict and verdict.staleness for table, verdict in found.items()} == {
        "advanced": "stale",
        "old": "missing_manifest",
        "open": "undecidable",
        "p": None,
        "same": None,
        "vanished": "stale",
    }
    alone = {table: store.staleness(table, definition()) for table in found if table != "old"}
    assert {table: found[table] or Staleness.fresh() for table in alone} == alone


_TABLE = st.sampled_from("abcde")
_MOVE = st.tuples(_TABLE, st.sets(_TABLE, max_size=3), st.integers(0, 2), st.integers(1, 2), st.booleans())


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(_MOVE, min_size=1, max_size=5))
def test_sweep_and_staleness_agree(
    store: ResultStore, moves: list[tuple[str, set[str], int, int, bool]]
) -> None:
    """Any graph, with tables made again or dropped since."""
    for table, parents, count, step, is_drop in moves:
        records = [record for parent in sorted(parents) if (record := store.reader.current(parent))]
        if is_drop and count == 0 and store.reader.current(table):
            store.drop(table)
        else:
            make(store, table, numbers(count), step=step, inputs=on(*records))
    verdicts(store)


def test_the_number_of_queries_does_not_grow(store: ResultStore) -> None:
    """Five at most, whatever there is; three where all is fresh."""
    make(store, "t0")
    for i in range(30):
        child(store, f"t{i + 1}", f"t{i}")
    definitions = dict.fromkeys(store.tables(), definition())
    with counted(store) as statements:
        assert all(verdict.is_fresh for _, verdict in store.sweep(definitions))
    assert len(statements) <= 3
    make(store, "t0", numbers(7))
    with counted(store) as statements:
        assert sum(not verdict.is_fresh for _, verdict in store.sweep(definitions)) == 1
    assert len(statements) <= 5


def test_a_tenant_needs_no_more_than_five(store_at: StoreAt) -> None:
    """Own and global tables, each with the digests of their own scope."""
    shared, own = store_at(), store_at(tenant="a")
    for store in (shared, own):
        make(store, "p")
        child(store, f"of {store.scope.tenant}", "p")
        make(store, "p", numbers(4))
    definitions = dict.fromkeys(own.tables(), definition())
    with counted(own) as statements:
        assert [verdict.staleness for _, verdict in own.sweep(definitions)] == ["stale", "stale", "fresh"]
    assert len(statements) <= 5


def test_a_surface_is_asked_once(store: ResultStore) -> None:
    """However many tables recorded its input."""
    for i in range(3):
        make(store, f"t{i}", inputs=[InputAnchor.source_version("file:a", "1")])
    surface = Surface("file:a", "1")
    definitions = dict.fromkeys(store.tables(), definition())
    swept = dict(store.sweep(definitions, surfaces=[surface]))
    assert surface.asked == 1
    assert all(verdict.is_fresh and set(verdict.observed_at) == {"file:a"} for verdict in swept.values())


# --- ancestors ---------------------------------------------------------------------------------------------


def test_a_fresh_table_under_a_stale_one_says_so(store: ResultStore) -> None:
    """Fresh is about the next hop: beside it stands the nearest stale table upstream, on any path."""
    for table in ("root", "clean"):
        make(store, table)
    child(store, "mid", "root")
    child(store, "low", "mid", "clean")
    child(store, "lowest", "low")
    child(store, "apart", "clean")
    make(store, "root", numbers(4))
    swept = verdicts(store)
    assert {table: (v.staleness, v.stale_ancestor) for table, v in swept.items()} == {
        "root": ("fresh", None),
        "clean": ("fresh", None),
        "mid": ("stale", None),
        "low": ("fresh", "mid"),
        "lowest": ("fresh", "mid"),
        "apart": ("fresh", None),
    }
    assert swept["low"] == Staleness.fresh()
    assert swept["low"].to_dict() == {"staleness": "fresh"}


def test_an_ancestor_counts_that_was_not_asked_for(store: ResultStore) -> None:
    """By its inputs alone: nobody gave its present definition. And one that is undecidable passes it on."""
    make(store, "root")
    child(store, "mid", "root")
    instant = InputAnchor.unpinned_at_instant("api:a", "2026-01-01T00:00:00Z")
    make(store, "cloudy", inputs=[*on(store.current("mid")), instant])
    child(store, "low", "cloudy", step=2)
    make(store, "root", numbers(4), step=2)
    swept = dict(store.sweep({"low": definition(2)}))
    assert swept == {"low": Staleness.fresh()}
    assert swept["low"].stale_ancestor == "mid"


def test_a_cycle_of_stale_tables_ends(store: ResultStore) -> None:
    """A recorded cycle is no matter here: each table on it has the other above it."""
    make(store, "a")
    child(store, "b", "a")
    make(store, "a", numbers(4), inputs=on(store.current("b")))
    make(store, "b", numbers(5), inputs=on(store.current("a")))
    make(store, "a", numbers(6), inputs=on(store.current("b")))
    swept = verdicts(store)
    assert {table: (v.staleness, v.stale_ancestor) for table, v in swept.items()} == {
        "a": ("fresh", "b"),
        "b": ("stale", "b"),
    }


def test_each_verdict_keeps_its_own_observations(store: ResultStore) -> None:
    """Under one stale ancestor, verdicts that are equal but for when a surface looked stay apart."""
    make(store, "root")
    child(store, "mid", "root")
    for letter in "ab":
        version = InputAnchor.source_version(f"file:{letter}", "1")
        make(store, letter, inputs=[*on(store.current("mid")), version])
    make(store, "root", numbers(4))
    surfaces = [Surface("file:a", "1"), Surface("file:b", "1")]
    swept = dict(store.sweep(dict.fromkeys("ab", definition()), surfaces=surfaces))
    assert {table: (list(v.observed_at), v.stale_ancestor) for table, v in swept.items()} == {
        "a": (["file:a"], "mid"),
        "b": (["file:b"], "mid"),
    }


# --- whether anything changed -------------------------------------------------------------------------------


def test_the_revision_tells_whether_to_sweep_again(store_at: StoreAt) -> None:
    """Equal, in one query, while nothing flipped or moved; another after each change that a verdict can hang on."""
    store, other = store_at(), store_at(deployment="other")
    marks = [store.revision()]
    for change in (
        lambda: make(store, "p"),
        lambda: child(store, "c", "p"),
        lambda: make(other, "p", numbers(4)),
        lambda: store.drop("p"),
    ):
        change()
        marks.append(store.revision())
        list(store.sweep(dict.fromkeys(store.tables(), definition())))
        store.probe_cache(definition(), [])
        with counted(store) as statements:
            assert store.revision() == marks[-1]
        assert len(statements) == 1
    assert len(set(marks)) == 5


# --- one state of the catalog -------------------------------------------------------------------------------


def test_all_verdicts_are_of_one_state(store_at: StoreAt) -> None:
    """Commits of others meanwhile are not half seen: parent and child that are made again stay fresh throughout."""
    store, other = store_at(), store_at()
    make(store, "a")
    child(store, "z", "a")

    class Meanwhile(Surface):
        def observe(self) -> str | None:
            """Makes both again while the sweep is under way."""
            thread = threading.Thread(target=again)
            thread.start()
            if store_at.url != "sqlite://":  # there, writers wait for the sweep
                thread.join()
            threads.append(thread)
            return "1"

    def again() -> None:
        make(other, "a", numbers(4))
        child(other, "z", "a")

    threads: list[threading.Thread] = []
    make(store, "m", inputs=[InputAnchor.source_version("file:m", "1")])
    definitions = dict.fromkeys(store.tables(), definition())
    assert all(
        verdict.is_fresh for _, verdict in store.sweep(definitions, surfaces=[Meanwhile("file:m", "1")])
    )
    for thread in threads:
        thread.join()
    assert all(v.is_fresh for _, v in store.sweep(definitions, surfaces=[Surface("file:m", "1")]))


def test_writing_while_a_sweep_is_read_is_fine(store: ResultStore) -> None:
    """Every verdict is known before the first is given: nothing is held open meanwhile."""
    for i in range(3):
        make(store, f"t{i}")
    for table, _ in store.sweep(dict.fromkeys(store.tables(), OTHER)):
        make(store, table, step=2)
    assert all(v.is_fresh for _, v in store.sweep(dict.fromkeys(store.tables(), definition(2))))


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Keep the garbage collector out of the depths of a recursion, where its callbacks fail."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
def test_a_row_that_is_none_is_an_error_of_ours(store: ResultStore) -> None:
    """Anchors that are no anchors, and a definition that is no hash."""
    make(store, "p")
    child(store, "t", "p")
    with pytest.raises(InvalidField):
        list(store.sweep({"t": "x"}))
    for broken in (
        "{",
        "{}",
        "[] []",
        '{"a": 1}',
        "[1]",
        '[{"source": "p", "anchor": 1, "kind": "result_digest"}]',
        "[" * 9999,
    ):
        execute(store, "UPDATE anchor_sets SET anchors_json = :broken", broken=broken)
        for ask in (
            lambda: store.staleness("t", definition()),
            lambda: list(store.sweep({"t": definition()})),
        ):
            with pytest.raises(InvalidField):
                ask()


def test_a_bad_row_that_nobody_asked_for_is_no_matter(store: ResultStore) -> None:
    """It could have been an ancestor; the verdicts on the others stand."""
    make(store, "p")
    make(store, "t", inputs=[InputAnchor.source_version("file:a", "1")])
    execute(store, "UPDATE anchor_sets SET anchors_json = '{' WHERE anchors_json <> '[]'")
    assert dict(store.sweep({"p": definition()})) == {"p": Staleness.fresh()}


def test_deciding_does_no_io() -> None:
    """`judge` takes values: the anchors, and the state that each resolves to."""
    assert (
        judge(None, [], definition(), lambda anchor: pytest.fail("not asked")).staleness == "missing_manifest"
    )
    assert judge(definition(), [], definition(), lambda anchor: pytest.fail("not asked")).is_fresh
    assert callable(sweep)
    assert Observations().current_anchor("file:a").current_anchor == "undecidable"


def test_a_verdict_over_a_model_of_dbt_is_declared() -> None:
    """Its version is that of a run, on the word of another system; a version that tells of content is none."""
    for version, grade in (("dbt:model.shop.mart@57.a1#c0de", "declared"), ("57", None)):
        anchor = InputAnchor.source_version("dagster:default/mart", version)
        verdict = judge(definition(), [anchor], definition(), lambda one: CurrentAnchor.version(one.anchor))
        assert (verdict.staleness, verdict.grade) == ("fresh", grade)
        assert verdict.declared == (("dagster:default/mart",) if grade else ())
