"""The catalog's numbers of an overview, on every kind of catalog."""

import pytest
from core_kit import make, numbers
from store_kit import StoreAt, attempt_on, counted, output

from jammi_dagster import InputAnchor, ResultStore
from jammi_dagster.catalog import CatalogReader, CurrentCost, Outcomes


def run(store: ResultStore, name: str, *tables: str, seconds: float | None = 2.0) -> None:
    """Make each table in a run as a step does; a table that is there already is reused."""
    for table in tables:
        found = store.reader.current(table)
        if found is not None:
            start = store.writer.next_start()
            store.writer.point([(table, found.materialization_id)], start_sequence=start, run_id=name)
            continue
        with attempt_on(store, table, owner=f"{name}/{table}") as attempt:
            attempt.write(table, numbers(3))
            attempt.publish([output(table, compute_seconds=seconds)], run_id=name)


def reader(store: ResultStore) -> CatalogReader:
    assert isinstance(store.reader, CatalogReader)
    return store.reader


def costs(store: ResultStore) -> dict[str, CurrentCost]:
    with reader(store).frozen() as frozen:
        return {cost.table: cost for cost in frozen.current_costs()}


def test_a_run_that_made_a_table_computed_it_and_any_other_run_reused_it(store: ResultStore) -> None:
    """Each counts with the seconds that the computation took; a call of the library is no run."""
    run(store, "first", "a", "b")
    run(store, "second", "a", "b", "c")
    make(store, "by the library")
    found = reader(store).outcomes_of(["first", "second", "unknown"])
    assert found == {
        "first": Outcomes(computed=2, spent=4.0),
        "second": Outcomes(computed=1, reused=2, spent=2.0, saved=4.0),
    }
    assert reader(store).outcomes(most=5) == Outcomes.sum(found.values())
    assert reader(store).outcomes(most=4) is None
    assert reader(store).outcomes_of([]) == {}


def test_outcomes_without_seconds_count_all_the_same(store: ResultStore) -> None:
    run(store, "first", "a", seconds=None)
    run(store, "second", "a")
    assert reader(store).outcomes(most=10) == Outcomes(computed=1, reused=1)
    assert reader(store.beside(tenant="other")).outcomes(most=10) == Outcomes(), (
        "those of a tenant are its own"
    )


def test_costs_are_those_of_the_current_materializations(store: ResultStore) -> None:
    """Each table once, as its name resolves in the deployment; a tenant's own table hides the global one."""
    make(store, "t", numbers(1))
    latest = make(store, "t", numbers(1000), step=2)
    make(store.beside(deployment="branch"), "t", numbers(2), step=3)
    tenant = store.beside(tenant="mine")
    own = make(tenant, "t", numbers(7), step=4)
    make(store, "gone")
    store.drop("gone")
    found = costs(store)
    assert list(found) == ["t"]
    assert (found["t"].size_bytes, found["t"].artifact_path) == (latest.size_bytes, latest.artifact_path)
    assert (found["t"].created_at, found["t"].produced_by) == (latest.created_at, "library")
    assert costs(tenant)["t"].artifact_path == own.artifact_path


@pytest.mark.parametrize("others", [0, 2])
def test_one_input_without_a_version_unpins_a_table(store: ResultStore, others: int) -> None:
    pinned = [InputAnchor.source_version(f"s{i}", "1") for i in range(others)]
    make(store, "pinned", inputs=pinned)
    make(store, "unpinned", inputs=[*pinned, InputAnchor.unpinned_at_instant("u", "2026-01-01T00:00:00Z")])
    found = {table: bool(cost.is_unpinned) for table, cost in costs(store).items()}
    assert found == {"pinned": False, "unpinned": True}


def test_a_table_with_other_bytes_of_the_same_definition_and_inputs_has_diverged(store: ResultStore) -> None:
    make(store, "same")
    make(store, "same")
    make(store, "other")
    make(store, "other", numbers(4))
    assert {table: cost.reproducibility for table, cost in costs(store).items()} == {
        "same": "reproduced",
        "other": "diverged",
    }


def test_the_statements_of_an_overview_do_not_grow_with_the_tables(store_at: StoreAt) -> None:
    """One for all costs, two for all outcomes, one for those of many runs."""
    store = store_at()
    runs = [f"run {i}" for i in range(20)]
    for name in runs:
        run(store, name, name, "shared")
    with counted(store) as statements:
        assert len(costs(store)) == 21
        reader(store).outcomes(most=1000)
        assert len(reader(store).outcomes_of(runs)) == 20
    assert len(statements) == 4
