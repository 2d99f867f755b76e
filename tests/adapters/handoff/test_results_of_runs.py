"""Results of runs, hooks, checks and loaders give tables in the declared kind, read when they are asked for."""

import inspect
import tracemalloc
from typing import Any

import dagster as dg
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table, taken

from jammi_dagster import result_table
from jammi_dagster.artifacts import Recorded, VerifiedReads
from jammi_dagster.errors import WrongIOManager

letters = dg.StaticPartitionsDefinition(["a", "b", "c"])


def frame_of(kind: Any, rows: int = 2) -> Any:
    """Return a table of one column in the kind that an annotation names."""
    data = pa.table({"x": list(range(rows))})
    kinds = {pd.DataFrame: data.to_pandas, pl.DataFrame: lambda: pl.DataFrame(data)}
    return kinds.get(kind, lambda: data)()


KINDS = [pa.Table, pd.DataFrame, pl.DataFrame]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The artifacts that were read, by path."""
    seen: list[str] = []
    read = VerifiedReads.read_table

    def noted(self: VerifiedReads, artifact: Recorded) -> pa.Table:
        seen.append(artifact.path)
        return read(self, artifact)

    monkeypatch.setattr(VerifiedReads, "read_table", noted)
    return seen


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_reader_gets_the_declared_kind(lab: Lab, kind: Any) -> None:
    """By output, by asset, in a hook, in a check, and through each loader, with and without an instance."""

    @dg.success_hook
    def hook(context: dg.HookContext) -> None:
        note(("hook", type(context.op_output_values["result"])))

    @result_table(reads=[], hooks={hook})
    def made() -> kind:
        return frame_of(kind)

    @dg.asset_check(asset=made)
    def seen(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        loaded = defs.load_asset_value("made", instance=context.instance)
        note(("check", type(loaded)))
        return dg.AssetCheckResult(passed=True)

    defs = dg.Definitions(assets=[made], asset_checks=[seen], resources=lab.resources)
    taken()
    job = defs.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(instance=lab.instance)

    assert type(result.output_for_node("made")) is kind
    assert type(result.asset_value("made")) is kind
    assert type(defs.load_asset_value("made", instance=lab.instance)) is kind
    assert isinstance(defs.load_asset_value("made", python_type=pa.Table), pa.Table)
    with defs.get_asset_value_loader() as loader:
        assert type(loader.load_asset_value("made")) is kind
    assert taken() == [("hook", kind), ("check", kind)]


def test_partitions_are_loaded_without_an_instance(lab: Lab) -> None:
    """One, a range, and a range in the result of a run: a dict, partition to table."""

    @result_table(partitions_def=letters, reads=[], backfill_policy=dg.BackfillPolicy.single_run())
    def part(context) -> dict[str, pd.DataFrame]:
        return {key: pd.DataFrame({"x": [key]}) for key in context.partition_keys}

    ran = lab.run(part, span=("a", "c"))

    of_run = ran.result.output_for_node("part")
    assert {key: value.x.tolist() for key, value in of_run.items()} == {"a": ["a"], "b": ["b"], "c": ["c"]}
    defs = dg.Definitions(assets=[part], resources=lab.resources)
    with defs.get_asset_value_loader() as loader:
        one: Any = loader.load_asset_value("part", partition_key="b")
        two: Any = loader.load_asset_value("part", partition_key_range=dg.PartitionKeyRange("b", "c"))
    assert one.x.tolist() == ["b"]
    assert list(two) == ["b", "c"]


def test_an_undeclared_kind_gives_what_was_returned_and_one_that_no_table_becomes_an_arrow_table(
    lab: Lab,
) -> None:
    """An iterator of batches cannot be given twice."""

    @result_table(reads=[])
    def bare():
        return frame_of(pd.DataFrame)

    @result_table(reads=[])
    def batches() -> pa.RecordBatch:
        return pa.record_batch({"x": [1]})

    result = lab.run([bare, batches]).result

    assert isinstance(result.output_for_node("bare"), pd.DataFrame)
    assert isinstance(result.output_for_node("batches"), pa.Table)


def test_the_output_of_a_graph_and_values_that_are_not_ours(lab: Lab) -> None:
    """A job's own output, and the values of other IO managers, are as Dagster has them."""

    @dg.op
    def number() -> int:
        return 5

    @dg.job
    def counts():
        number()

    assert counts.execute_in_process().output_for_node("number") == 5


def test_nothing_is_read_for_outputs_that_nobody_asks_for(lab: Lab, reads: list[str]) -> None:
    """Neither in a run, nor on a hit, nor for the other outputs of a run of which one is asked for."""

    @result_table(reads=[])
    def one() -> pa.Table:
        return table(1)

    @result_table(reads=[])
    def other() -> pa.Table:
        return table(2)

    lab.run([one, other])
    ran = lab.run([one, other])
    assert ran.outcomes == {"one": "reused", "other": "reused"}
    assert reads == []

    ran.result.output_for_node("one")
    assert len(reads) == 1


@pytest.mark.slow
def test_twenty_outputs_do_not_add_up_in_memory(lab: Lab) -> None:
    """Dagster keeps references: twenty tables of 1.6 MB leave nothing behind, and at no time are there ten at once."""
    rows = 200_000

    def make(name: str) -> dg.AssetsDefinition:
        @result_table(name=name, reads=[])
        def made() -> Any:
            note("ran")
            return pd.DataFrame({"x": range(rows)}, dtype="int64")

        return made

    assets = [make(f"t{n}") for n in range(20)]
    lab.run(assets[:1])
    tracemalloc.start()
    try:
        ran = lab.run(assets)
        left, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert ran.result.success
    assert left < 5 * rows * 8
    assert peak < 10 * rows * 8


@pytest.mark.parametrize(
    "resources", [None, {"io_manager": dg.mem_io_manager}], ids=["none", "mem_io_manager"]
)
@pytest.mark.parametrize("materialize", [dg.materialize, dg.materialize_to_memory])
def test_a_test_without_a_store_is_told_the_way_out(materialize: Any, resources: Any) -> None:
    """A table needs a store; the error names the tester that brings one."""

    @result_table(reads=[])
    def made() -> pa.Table:
        return table(1)

    if materialize is dg.materialize_to_memory:
        resources = None
    with pytest.raises(WrongIOManager, match="ResultTableTester, which brings one"):
        materialize([made], resources=resources)


def test_a_store_in_memory_on_request(tmp_path: Any) -> None:
    """A root in memory needs a catalog elsewhere."""
    lab = Lab(tmp_path, dg.DagsterInstance.ephemeral(), options={"catalog": str(tmp_path / "catalog.db")})

    @result_table(reads=[])
    def made() -> pa.Table:
        return table(1)

    options = lab.store_resource.model_copy(update={"root": "memory://results"})
    from jammi_dagster import ResultTableIOManager

    result = dg.materialize([made], resources={"io_manager": ResultTableIOManager(store=options)})
    assert result.output_for_node("made") == table(1)


def test_the_two_readers_of_dagster_that_are_replaced() -> None:
    """A version of Dagster that moves them is noticed here."""
    assert list(inspect.signature(dg.ExecuteInProcessResult._get_output_for_handle).parameters) == [
        "self",
        "handle",
        "output_name",
    ]
    assert isinstance(inspect.getattr_static(dg.HookContext, "op_output_values"), property)
