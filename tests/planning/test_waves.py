"""Waves: tables that share a run, and tables that wait for it, by rules over names alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jammi_dagster.errors import DependencyCycle
from jammi_dagster.lineage.graph import generations
from jammi_dagster.planning.waves import below, into_runs


def partition_of(table: str) -> str | None:
    return table.partition("[")[2][:-1] or None


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, set[str]]:
    """Tables, some of partitions, with edges from earlier to later ones."""
    names = draw(
        st.lists(st.sampled_from([f"{c}{p}" for c in "abcdef" for p in ("", "[1]", "[2]")]), unique=True)
    )
    return {name: draw(st.sets(st.sampled_from(names[:i]))) if i else set() for i, name in enumerate(names)}


@given(graph=graphs())
def test_every_table_runs_once_after_all_that_it_reads(graph: dict[str, set[str]]) -> None:
    """A parent is in an earlier wave, or in the same run; and a run is of one partition."""
    runs = into_runs(list(graph), graph, partition_of)
    place = {table: run for run in runs for table in run.tables}
    assert sorted(table for run in runs for table in run.tables) == sorted(graph)
    for table, above in graph.items():
        for parent in above:
            assert place[parent] == place[table] or place[parent].wave < place[table].wave
    for run in runs:
        assert len({partition_of(table) for table in run.tables} - {None}) <= 1


def test_whole_tables_join_the_only_partition_that_they_are_connected_with() -> None:
    """Of two partitions, a table over both waits; an unrelated table has a run of its own."""
    graph = {"a[1]": set[str](), "b": {"a[1]"}, "c[1]": {"b"}, "other": set[str]()}
    assert [(run.wave, run.tables) for run in into_runs(list(graph), graph, partition_of)] == [
        (0, ("a[1]", "b", "c[1]")),
        (0, ("other",)),
    ]
    graph["a[2]"] = set()
    graph["b"] = {"a[1]", "a[2]"}
    assert [(run.wave, run.tables) for run in into_runs(list(graph), graph, partition_of)] == [
        (0, ("a[1]",)),
        (0, ("a[2]",)),
        (0, ("other",)),
        (1, ("b",)),
        (2, ("c[1]",)),
    ]


def test_a_cycle_is_an_error_and_names_a_table_on_it() -> None:
    """Nothing waits for ever."""
    with pytest.raises(DependencyCycle) as error:
        generations(["a", "b", "c"], {"a": {"b"}, "b": {"a"}})
    assert error.value.table in ("a", "b")


def test_what_is_below_is_found_at_any_depth() -> None:
    """Descendants are found along a chain longer than any stack."""
    chain = {f"t{i}": {f"t{i - 1}"} for i in range(1, 5_000)}
    assert len(below(["t0"], chain)) == 5_000
    assert len(generations([f"t{i}" for i in range(5_000)], chain)) == 5_000
