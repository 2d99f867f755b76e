"""Partitions, ranges, config, several stores, pools and cancellation under `reuse_first`."""

import logging
import sys
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table
from dagster._core.execution.plan.plan import ExecutionPlan
from executor_kit import IN_PROCESS, definitions, kinds, launch, not_stepped_into

from jammi_dagster import ResultStoreResource, ResultTableIOManager, result_table, reuse_first
from jammi_dagster.adapters.executor import emission

LETTERS = dg.StaticPartitionsDefinition(["a", "b", "c"])
BOTH = dg.MultiPartitionsDefinition({"letter": LETTERS, "digit": dg.StaticPartitionsDefinition(["1", "2"])})


class Config(dg.Config):
    number: int = 1


@result_table(reads=[], code_version="1")
def configured(config: Config) -> pa.Table:
    return table(config.number)


def parts() -> list[Any]:
    """Two partitioned tables in a row, made in ranges."""

    @result_table(partitions_def=LETTERS, reads=[], backfill_policy=dg.BackfillPolicy.single_run())
    def part(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
        return {key: table(key) for key in context.partition_keys}

    @result_table(partitions_def=LETTERS, backfill_policy=dg.BackfillPolicy.single_run())
    def below(context: dg.AssetExecutionContext, part: dict[str, pa.Table]) -> dict[str, pa.Table]:
        return {key: table(2) for key in context.partition_keys}

    return [part, below]


def cells() -> list[Any]:
    """A table in two dimensions."""

    @result_table(partitions_def=BOTH, reads=[])
    def cell(context: dg.AssetExecutionContext) -> pa.Table:
        return table(str(context.partition_key))

    return [cell]


@pytest.mark.parametrize(
    ("make", "how"),
    [
        (parts, {"partition": "b"}),
        (parts, {"span": ("a", "c")}),
        (cells, {"partition": "1|b"}),
    ],
    ids=["a partition", "a range", "several dimensions"],
)
def test_partitions_are_reused_as_a_step_reuses_them(
    batching_lab: Lab, make: Any, how: dict[str, Any]
) -> None:
    """Each table of a range has its event, with the version of the range; tags are those of the step."""
    assets = make()
    plain = definitions(batching_lab, assets, dg.in_process_executor)
    launch(batching_lab, plain, **how)
    by_steps = launch(batching_lab, plain, **how)

    ran = launch(batching_lab, definitions(batching_lab, assets), **how)

    assert not_stepped_into(batching_lab, ran) == sorted(asset.key.to_user_string() for asset in assets)
    assert ran.events.keys() == by_steps.events.keys()
    for name, event in ran.events.items():
        assert event.partition == by_steps.events[name].partition
        assert {k: v for k, v in event.tags.items() if "pointer" not in k} == {
            k: v for k, v in by_steps.events[name].tags.items() if "pointer" not in k
        }
    key = dg.AssetKey(assets[-1].key.path)
    assert batching_lab.instance.get_materialized_partitions(key) == {
        e.partition for e in by_steps.events.values()
    }


def test_the_config_of_the_run_is_part_of_the_decision(lab: Lab) -> None:
    """Defaults of the schema included: a table under other config is computed."""

    defs = definitions(lab, [configured])
    two = {"ops": {"configured": {"config": {"number": 2}}}}
    for config in ({}, two):
        launch(lab, defs, config=config)

    for config in ({}, two, {"ops": {"configured": {"config": {"number": 1}}}}):
        assert not_stepped_into(lab, launch(lab, defs, config=config)) == ["configured"]
    other = launch(lab, defs, config={"ops": {"configured": {"config": {"number": 3}}}})
    assert other.outcomes == {"configured": "computed"}


def test_tables_of_several_stores_are_reused(batching_lab: Lab) -> None:
    """Each in its own deployment and tenant; a table that is only declared and lies elsewhere is left to the step."""
    there = ResultStoreResource(root=str(batching_lab.root / "other"), deployment="there", tenant="one")

    @result_table(reads=[])
    def here() -> pa.Table:
        return table(1)

    @result_table(io_manager_key="there")
    def loads(here: pa.Table) -> pa.Table:
        return here

    @result_table(io_manager_key="there", deps=[here])
    def follows() -> pa.Table:
        return table(3)

    more = {"there": ResultTableIOManager(store=there, cache="use")}
    assets = [here, loads, follows]
    launch(batching_lab, definitions(batching_lab, assets, resources=more))

    ran = launch(batching_lab, definitions(batching_lab, assets, resources=more))

    assert set(not_stepped_into(batching_lab, ran)) >= {"here", "loads"}
    assert set(ran.outcomes.values()) == {"reused"}
    there.get().close()


def test_a_reuse_takes_no_place_in_a_pool(batching_lab: Lab) -> None:
    """A pool that has no place left keeps no unchanged table waiting."""
    storage = batching_lab.instance.event_log_storage
    assert storage.supports_global_concurrency_limits

    @result_table(reads=[], pool="crowded")
    def pooled() -> pa.Table:
        return table(1)

    defs = definitions(batching_lab, [pooled])
    launch(batching_lab, defs)
    storage.set_concurrency_slots("crowded", 0)

    ran = launch(batching_lab, defs)

    assert not_stepped_into(batching_lab, ran) == ["pooled"]
    storage.delete_concurrency_limit("crowded")


def test_a_run_that_is_asked_to_stop_stops_between_two_batches(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the next batch is stored."""
    defs = definitions(lab, cells(), IN_PROCESS)
    launch(lab, defs, partition="1|a")
    with monkeypatch.context() as interrupted:
        interrupted.setattr(emission, "pop_captured_interrupt", lambda: True)
        stopped = launch(lab, defs, partition="1|a", ok=False)

    assert kinds(lab, stopped)["STEP_START"] == 0
    assert not_stepped_into(lab, launch(lab, defs, partition="1|a")) == ["cell"]


def test_without_a_part_of_dagster_the_inner_executor_runs(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As if it were not wrapped; the log says so once."""
    defs = definitions(lab, cells(), reuse_first(dg.in_process_executor))
    monkeypatch.setitem(sys.modules, "jammi_dagster.adapters.executor.run", None)

    with caplog.at_level(logging.WARNING, "jammi_dagster"):
        for _ in range(2):
            ran = launch(lab, defs, partition="1|a")

    assert not_stepped_into(lab, ran) == []
    assert ran.outcomes == {"cell[1|a]": "reused"}
    assert [r.message for r in caplog.records if "reuse_first is without effect" in r.message]
    assert len([r for r in caplog.records if "reuse_first is without effect" in r.message]) == 1


@pytest.mark.parametrize(
    ("owner", "part"),
    [(ExecutionPlan, "build_subset_plan"), (emission, "StepSuccessData")],
)
def test_a_part_of_dagster_that_moved_is_found_before_anything_is_stored(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, owner: Any, part: str
) -> None:
    """Then nothing is reused up front, and the run goes on as without the wrapper."""
    defs = definitions(lab, cells())
    launch(lab, defs, partition="1|a")
    monkeypatch.delattr(owner, part)

    ran = launch(lab, defs, partition="1|a")

    assert not_stepped_into(lab, ran) == []
    assert ran.outcomes == {"cell[1|a]": "reused"}
    assert [line for line in ran.captured if line.startswith("no step is reused before the run begins: ")]
