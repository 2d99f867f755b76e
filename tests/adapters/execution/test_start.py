"""The start of many reuses at once, in one or several stores."""

from pathlib import Path

from core_kit import make

from jammi_dagster import ResultStore
from jammi_dagster.adapters.execution.start import Start


def test_a_start_that_makes_the_catalog_has_a_place_in_it(tmp_path: Path) -> None:
    """A catalog that is not there yet has no identity of its own: the place is kept by the one that it gets."""
    store = ResultStore(str(tmp_path / "one"))
    before = store.identity
    start = Start([store, store])
    first, second = (make(store, "t", step=step).materialization_id for step in (1, 2))

    (pointed,) = start.point([(store, ("t", first))], run_id=None)

    assert store.identity != before
    assert (pointed.current, pointed.stayed) == ([], ["t"])
    assert store.current("t").materialization_id == second
    store.close()


def test_the_pointers_of_each_store_move(tmp_path: Path) -> None:
    """Each as of the start in its own store; the tables come by store, in their order."""
    one, two = (ResultStore(str(tmp_path / name)) for name in ("one", "two"))
    wanted = [
        (store, (table, make(store, table).materialization_id)) for table in "tu" for store in (one, two)
    ]
    for store, (table, _) in wanted:
        make(store, table, step=2)
    start = Start([one, two])

    found = start.point(wanted, run_id=None)

    assert [(pointed.store, pointed.current, pointed.stayed) for pointed in found] == [
        (one, ["t", "u"], []),
        (two, ["t", "u"], []),
    ]
    for store, (table, materialization) in wanted:
        assert store.current(table).materialization_id == materialization
    one.close()
    two.close()
