"""The event of a reuse that no step carries out says to Dagster the same as the step's own, in few bytes."""

from typing import Any

import dagster as dg
import pyarrow as pa
from adapters_kit import Lab, table

from jammi_dagster import result_table
from jammi_dagster.adapters.assets.data_versions import NO_EVENT
from jammi_dagster.adapters.code_location.input_events import InputEvents
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.adapters.execution.reuse import stored_hits
from jammi_dagster.adapters.execution.reused_event import MOST_BYTES, ReusedAsset
from jammi_dagster.adapters.judgement.stored_assets import StoredAssets
from jammi_dagster.adapters.recipe.determinants import reused
from jammi_dagster.adapters.recipe.replay import Replay

DAYS = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-04")
BOTH = dg.MultiPartitionsDefinition({"day": DAYS, "land": dg.StaticPartitionsDefinition(["fr", "no"])})


@result_table(reads=[], code_version="7")
def up() -> Any:
    return dg.MaterializeResult(
        value=table(1), tags={"team": "one"}, metadata={"score": 0.5, "text": "x" * 3_000}
    )


@result_table(partitions_def=DAYS, reads=[])
def by_day(context: dg.AssetExecutionContext) -> pa.Table:
    return table(context.partition_key)


@result_table(partitions_def=BOTH, reads=[])
def by_both(context: dg.AssetExecutionContext) -> pa.Table:
    return table(str(context.partition_key))


@result_table(partitions_def=DAYS)
def daily(by_day: pa.Table, up: pa.Table) -> pa.Table:
    return by_day


@result_table
def whole(by_day: dict, up: pa.Table) -> pa.Table:
    return up


@result_table(deps=[up])
def listed() -> pa.Table:
    return table(2)


ASSETS = [up, by_day, by_both, daily, whole, listed]


def without_a_step(lab: Lab, name: str, partition: str | None) -> dg.AssetMaterialization:
    """The event of a reuse of the current table, as if it were reused without a step now."""
    defs = dg.Definitions(assets=ASSETS, resources=lab.resources)
    asset = StoredAssets(Location.of(defs, lab.instance)).asset(dg.AssetKey(name))
    assert asset is not None
    partitions = None if partition is None else (partition,)
    record = asset.store.current(asset.table(partition))
    (hit,) = stored_hits(asset.store, {record.materialization_id: reused(record)}).values()
    (event,) = ReusedAsset(
        key=asset.key,
        partitions_def=asset.partitions_def,
        hits={partition: hit},
        code_version=asset.spec.code_version or asset.recipe(Replay()).code.digest,
        inputs=InputEvents(lab.instance).of(asset, partitions),
    ).materializations()
    return event


CASES = {
    "up": None,
    "by_day": "2024-01-02",
    "by_both": "2024-01-02|no",
    "daily": "2024-01-02",
    "whole": None,
    "listed": None,
}


def test_it_says_the_same_as_the_step(lab: Lab) -> None:
    """Tags with versions and pointers are the step's, metadata a part of it; it fits into its bytes."""
    lab.run([up])
    for day in DAYS.get_partition_keys():
        lab.run([by_day], partition=day)
    for name, partition in CASES.items():
        own = [asset for asset in ASSETS if asset.key.to_user_string() == name]
        for _ in range(2):
            (step,) = lab.run(ASSETS, select=own, partition=partition).events.values()

        event = without_a_step(lab, name, partition)

        assert step.metadata["jammi/cache_outcome"].value == "reused"
        assert event.tags == step.tags
        assert event.partition == step.partition
        assert event.metadata == {key: step.metadata[key] for key in event.metadata}
        assert "dagster/column_schema" not in event.metadata
        assert len(dg.serialize_value(event)) <= MOST_BYTES


def test_metadata_of_the_function_stands_as_far_as_there_is_room(lab: Lab) -> None:
    """A number of the function is plotted for reuses too; a long text stands where it was computed."""
    lab.run([up])

    metadata = without_a_step(lab, "up", None).metadata

    assert metadata["score"].value == 0.5
    assert "text" not in metadata


def test_a_parent_without_an_event_has_the_versions_of_dagster(lab: Lab) -> None:
    """A parent that Dagster knows nothing of is told as a step tells it."""
    lab.run([up])
    lab.run([up, listed], select=[listed])
    defs = dg.Definitions(assets=ASSETS, resources=lab.resources)
    with dg.DagsterInstance.ephemeral() as empty:
        asset = StoredAssets(Location.of(defs, lab.instance)).asset(listed.key)
        assert asset is not None
        assert InputEvents(empty).of(asset, None) == {up.key: NO_EVENT}
