"""The tester: users run their assets on it, change something, and look at tables, outcomes and reasons."""

import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import csv

from jammi_dagster import (
    CachePolicy,
    LineageResource,
    ResultStoreResource,
    ResultTableIOManager,
    build_staleness_sensor,
    finalize,
    result_table,
)
from jammi_dagster.errors import InvalidField, InvalidPolicy, InvalidStore, InvalidTarget, NotInRun
from jammi_dagster.surfaces import file
from jammi_dagster.testing import ResultTableTester, TableRun, TickResult

CSV = "customer,amount\nada,250\nbob,20\n"


@pytest.fixture
def tester(tmp_path: Path) -> Iterator[ResultTableTester]:
    with ResultTableTester(tmp_path) as made:
        made.write("orders.csv", CSV)
        yield made


def pipeline(tester: ResultTableTester, least: int = 100) -> list[dg.AssetsDefinition]:
    path = tester.path("orders.csv")

    @result_table(reads=[file(path, name="orders.csv")], code_version="1")
    def orders() -> pa.Table:
        with open(path, "rb") as source:
            return csv.read_csv(source)

    @result_table(code_version=f"least {least}")
    def large_orders(orders: pa.Table) -> pa.Table:
        return orders.filter(pc.field("amount") > least)

    return [orders, large_orders]


@result_table(reads=[], partitions_def=dg.StaticPartitionsDefinition(["x", "y", "z"]))
def letters(context: dg.AssetExecutionContext) -> Any:
    if len(context.partition_keys) > 1:
        return {key: pa.table({"letter": [key]}) for key in context.partition_keys}
    return pa.table({"letter": [context.partition_key]})


class Start(dg.Config):
    """A number to count from."""

    start: int = 1


class Client(dg.ConfigurableResource):
    """A client of some service."""

    answer: int


@result_table(reads=[])
def numbers(config: Start) -> pa.Table:
    return pa.table({"n": [config.start]})


@result_table(reads=[])
def answers(client: Client) -> pa.Table:
    return pa.table({"n": [client.answer]})


@result_table(reads=[])
def broken() -> pa.Table:
    raise ValueError("no such luck")


@result_table(cache=CachePolicy.USE)
def unversioned() -> pa.Table:
    return pa.table({"n": [1]})


@dg.asset
def plain(numbers: pa.Table) -> pa.Table:
    return numbers


@dg.asset(io_manager_key="memory")
def elsewhere() -> int:
    return 1


@dg.multi_asset(outs={"left": dg.AssetOut(), "right": dg.AssetOut()})
def both() -> tuple[pa.Table, pa.Table]:
    return pa.table({"n": [1]}), pa.table({"n": [1]})


# --- outcomes and reasons -------------------------------------------------------------------------


def test_a_first_run_computes_and_gives_tables(tester: ResultTableTester) -> None:
    """Tables come as tables, by name, key or asset; the reason is that there was none."""
    orders, large = assets = pipeline(tester)
    run = tester.materialize(assets)
    assert run.success
    assert run.outcomes == {"orders": "computed", "large_orders": "computed"}
    assert run.table("orders").num_rows == 2
    assert run.table(large).to_pydict() == {"customer": ["ada"], "amount": [250]}
    assert run.table(dg.AssetKey("orders")) == run.table(orders)
    assert run.why("orders") == "there was no earlier materialization"
    assert run.metadata("orders")["dagster/row_count"] == 2
    assert tester.store.tables() == ["large_orders", "orders"]


def test_an_unchanged_second_run_reuses(tester: ResultTableTester) -> None:
    """The reason names the run that made the table."""
    first = tester.materialize(pipeline(tester))
    second = tester.materialize(pipeline(tester))
    assert second.outcomes == {"orders": "reused", "large_orders": "reused"}
    assert second.why("orders") == f"same definition and inputs as in run {first.result.run_id}"


def test_a_changed_file_is_the_reason(tester: ResultTableTester) -> None:
    """An input that moved is named; a table over equal input is reused."""
    tester.materialize(pipeline(tester))
    tester.write("orders.csv", CSV + "eve,5\n")
    run = tester.materialize(pipeline(tester))
    assert run.outcomes == {"orders": "computed", "large_orders": "computed"}
    assert run.why("orders") == "input file:orders.csv changed"
    assert run.why("large_orders") == "input orders changed"


@pytest.mark.parametrize(
    ("change", "table", "reason"),
    [
        ({"run_config": {"ops": {"numbers": {"config": {"start": 2}}}}}, "numbers", "config.start 1 -> 2"),
        ({"run_config": dg.RunConfig({"numbers": Start(start=2)})}, "numbers", "config.start 1 -> 2"),
        ({"resources": {"client": Client(answer=2)}}, "answers", "resource.client.fields.answer changed"),
        ({"tags": {"jammi/cache": "bypass"}}, "numbers", "nothing changed: its cache policy is `bypass`"),
    ],
    ids=["config as a dict", "config as a value", "resource", "tag"],
)
def test_the_difference_is_the_reason(
    change: dict[str, Any], table: str, reason: str, tmp_path: Path
) -> None:
    """Config, resources and tags are given as in Dagster, and are found in the reason."""
    with ResultTableTester(tmp_path, resources={"client": Client(answer=1)}) as tester:
        assert tester.materialize([numbers, answers]).why(table).startswith("there was no earlier")
        run = tester.materialize([numbers, answers], **change)
        assert run.outcome(table) == "computed"
        assert reason in run.why(table)


def test_changed_code_is_the_reason(tester: ResultTableTester) -> None:
    """A later run of other code says so, and reads its own tables; the earlier run still reads its own."""
    first = tester.materialize(pipeline(tester, least=100))
    second = tester.materialize(pipeline(tester, least=10))
    assert second.outcomes == {"orders": "reused", "large_orders": "computed"}
    assert "code_version least 100 -> least 10" in second.why("large_orders")
    assert (first.table("large_orders").num_rows, second.table("large_orders").num_rows) == (1, 2)


def test_an_input_without_a_version_is_said(tester: ResultTableTester) -> None:
    """A table that cannot be reused says why, and which argument would change it."""
    tester.materialize(unversioned)
    run = tester.materialize(unversioned)
    assert run.outcome("unversioned") == "computed"
    assert "cannot be reused: " in run.why("unversioned")
    assert "reads=" in run.why("unversioned")


def test_a_plain_asset_has_a_table_too(tester: ResultTableTester) -> None:
    """It is computed each time; one of another IO manager is no table of the run."""
    run = tester.materialize([numbers, plain, elsewhere], resources={"memory": dg.mem_io_manager})
    assert run.outcomes == {"numbers": "computed", "plain": "computed"}
    assert run.table("plain").to_pydict() == {"n": [1]}
    with pytest.raises(NotInRun, match="its result tables: numbers, plain"):
        run.table(elsewhere)


# --- partitions and selections --------------------------------------------------------------------


def test_a_partition_is_a_table(tester: ResultTableTester) -> None:
    """It is named by its key, or by the asset and `partition_key=`."""
    run = tester.materialize(letters, partition_key="x")
    assert run.outcomes == {"letters[x]": "computed"}
    tables = [
        run.table("letters[x]"),
        run.table("letters", partition_key="x"),
        run.table(letters, partition_key="x"),
    ]
    assert [table.to_pydict() for table in tables] == [{"letter": ["x"]}] * 3


def test_a_range_is_one_run(tester: ResultTableTester) -> None:
    """As a single-run backfill: every partition is a table of its own."""
    run = tester.materialize(letters, partition_key_range=dg.PartitionKeyRange("x", "y"))
    assert run.outcomes == {"letters[x]": "computed", "letters[y]": "computed"}
    assert run.table(letters, partition_key="y").to_pydict() == {"letter": ["y"]}
    again = tester.materialize(letters, partition_key_range=dg.PartitionKeyRange("x", "y"))
    assert set(again.outcomes.values()) == {"reused"}


@pytest.mark.parametrize(
    "selection", ["large_orders", dg.AssetSelection.assets("large_orders"), ["large_orders"]]
)
def test_a_selection_runs_alone(tester: ResultTableTester, selection: Any) -> None:
    """Over the tables that are current."""
    tester.materialize(pipeline(tester))
    assert tester.materialize(pipeline(tester), selection=selection).outcomes == {"large_orders": "reused"}


# --- definitions, and stores of their own ---------------------------------------------------------


@pytest.mark.parametrize("finish", [lambda defs: defs, finalize], ids=["as they are", "finalized"])
def test_definitions_run_on_the_testers_store(tester: ResultTableTester, tmp_path: Path, finish: Any) -> None:
    """The store of production is not even made, whichever resource names it; policy and other resources stay."""
    production = ResultStoreResource(root=str(tmp_path / "production"))
    seen = []

    @result_table(reads=[])
    def looks(lineage: LineageResource, store: ResultStoreResource) -> pa.Table:
        seen.extend([lineage.result_store.artifacts.name, store.get().artifacts.name])
        return pa.table({"n": [1]})

    defs = finish(
        dg.Definitions(
            [numbers, answers, looks],
            resources={
                "io_manager": ResultTableIOManager(store=production, cache="bypass"),
                "lineage": LineageResource(store=production),
                "store": production,
                "client": Client(answer=3),
            },
        )
    )
    tester.materialize(defs)
    run = tester.materialize(defs)
    assert set(run.outcomes.values()) == {"computed"}, "the IO manager's policy is `bypass`"
    assert run.table("answers").to_pydict() == {"n": [3]}
    assert set(seen) == {tester.store.artifacts.name}
    assert not (tmp_path / "production").exists()


# --- the examples of the docstrings -----------------------------------------------------------------


@pytest.mark.parametrize("documented", [ResultTableTester, TableRun, TickResult])
def test_the_example_of_a_docstring_runs(tester: ResultTableTester, documented: type) -> None:
    """The example is true of the pipeline above, in which a file has changed since the tester's last run."""
    _, example = (inspect.getdoc(documented) or "").split("Example:\n")
    orders, large_orders = assets = pipeline(tester)
    names = {"tester": tester, "orders": orders, "large_orders": large_orders, "defs": dg.Definitions(assets)}
    tester.materialize(assets)
    tester.write("orders.csv", "customer,amount\nada,300\n")
    exec(textwrap.dedent(example), {"ResultTableTester": ResultTableTester, **names})


# --- failures -------------------------------------------------------------------------------------


def test_a_failure_is_raised_or_a_value(tester: ResultTableTester) -> None:
    """As a value it has the error's text by step; the tables of other steps are there."""
    with pytest.raises(ValueError, match="no such luck"):
        tester.materialize([broken, numbers])
    run = tester.materialize([broken, numbers], raise_on_error=False)
    assert not run.success
    assert list(run.errors) == ["broken"]
    assert "no such luck" in run.errors["broken"]
    assert list(run.outcomes) == ["numbers"]
    with pytest.raises(NotInRun, match="table broken was not materialized"):
        run.outcome("broken")


@pytest.mark.parametrize("name", ["../out.csv", "/out.csv", "", "."])
def test_files_stay_in_the_folder(tester: ResultTableTester, name: str) -> None:
    """A slip in a path overwrites nothing outside."""
    with pytest.raises(InvalidField, match="a file in its folder"):
        tester.write(name, "x")


def test_unknown_names_are_refused(tester: ResultTableTester) -> None:
    """A selection that names no asset, a policy that is none, and an asset that makes several tables."""
    run = tester.materialize(both)
    assert run.table("left") == run.table(dg.AssetKey("right"))
    with pytest.raises(InvalidField, match="left, right; expected one asset"):
        run.table(both)
    with pytest.raises(InvalidTarget, match="nowhere"):
        tester.materialize(numbers, selection="nowhere")
    with pytest.raises(InvalidPolicy, match="maybe"):
        ResultTableTester(tester.folder, cache="maybe")


def test_a_closed_tester_says_so() -> None:
    """Its folder is gone with it; one that was given stays."""
    with ResultTableTester() as tester:
        folder = tester.write("a/b.txt", b"x").parent.parent
        assert (folder / "a" / "b.txt").read_text() == "x"
        run = tester.materialize(numbers)
        assert run.success
    assert not folder.exists()
    with pytest.raises(InvalidStore, match="the tester is closed"):
        tester.materialize(numbers)


def test_a_given_folder_and_instance_are_kept(tmp_path: Path) -> None:
    """A second tester there finds the tables of the first."""
    with dg.DagsterInstance.ephemeral() as instance:
        with ResultTableTester(tmp_path, instance=instance) as first:
            first.materialize(numbers)
        with ResultTableTester(tmp_path, instance=instance) as second:
            assert second.materialize(numbers).outcomes == {"numbers": "reused"}
        assert len(instance.get_runs()) == 2


# --- ticks ----------------------------------------------------------------------------------------


def test_a_tick_requests_what_a_change_affects(tester: ResultTableTester) -> None:
    """Nothing before the change; the table and its dependants after it; nothing once they ran."""
    tester.materialize(pipeline(tester))
    tick = tester.tick(pipeline(tester))
    assert (tick.requested, tick.execute()) == ([], [])
    assert tick.message.startswith("2 fresh")

    tester.write("orders.csv", "customer,amount\nada,300\n")
    tick = tester.tick(pipeline(tester))
    assert tick.requested == ["large_orders", "orders"]
    assert "orders is stale" in tick.message
    (run,) = tick.execute()
    assert run.outcomes == {"orders": "computed", "large_orders": "computed"}
    assert run.table("large_orders").column("amount").to_pylist() == [300]
    assert tester.tick(pipeline(tester)).requested == []


def test_a_sensor_remembers_its_ticks(tester: ResultTableTester) -> None:
    """The cursor is kept from tick to tick: a request that failed waits. Another sensor asks for the first time."""
    sensors = [build_staleness_sensor(name=name, missing="materialize") for name in ("one", "another")]
    (request,) = (tick := tester.tick(broken, sensor=sensors[0])).run_requests
    assert request.asset_selection == [broken.key]
    tick.execute(raise_on_error=False)
    assert tester.tick(broken, sensor=sensors[0]).requested == []
    assert tester.tick(broken, sensor=sensors[1]).requested == ["broken"]


def test_a_tick_takes_definitions_and_partitions(tester: ResultTableTester) -> None:
    """Requested partitions are named as tables are."""
    sensor = build_staleness_sensor(missing="materialize")
    tick = tester.tick(dg.Definitions([letters, numbers]), sensor=sensor)
    assert "numbers" in tick.requested
    done = {name for run in tick.execute() for name in run.outcomes}
    assert done == {"numbers", "letters[x]", "letters[y]", "letters[z]"}


def test_a_requested_run_that_fails_is_raised_or_a_value(tester: ResultTableTester) -> None:
    """As with `materialize`."""
    tick = tester.tick(broken, sensor=build_staleness_sensor(missing="materialize"))
    assert tick.requested == ["broken"]
    with pytest.raises(ValueError, match="no such luck"):
        tick.execute()
    (run,) = tick.execute(raise_on_error=False)
    assert "no such luck" in run.errors["broken"]
