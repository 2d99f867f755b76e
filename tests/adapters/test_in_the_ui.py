"""What people do in Dagster's UI, and what the store and the sensor make of it (docs/guides/in-the-ui.md)."""

from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table
from sensing_kit import Ticking

from jammi_dagster import result_table


def pipeline(name: str = "up", partitions: list[str] | None = None) -> list[Any]:
    """A table, and a table that derives from it; the first under a name, and with partitions if any are given."""
    partitions_def = dg.StaticPartitionsDefinition(partitions) if partitions else None

    @result_table(name=name, reads=[], code_version="1", partitions_def=partitions_def)
    def up() -> pa.Table:
        return table(1)

    @result_table(code_version="1", ins={"up": dg.AssetIn(key=name)})
    def down(up: Any) -> pa.Table:
        return table(2)

    return [up, down]


def dagster_cli_wipe(instance: dg.DagsterInstance) -> None:
    """Do as `dagster asset wipe --all` does."""
    instance.wipe_assets(list(instance.all_asset_keys()))


def wipe_one(instance: dg.DagsterInstance) -> None:
    instance.wipe_assets([dg.AssetKey("up")])


@pytest.mark.parametrize("wipe", [dagster_cli_wipe, wipe_one])
def test_a_wipe_touches_dagsters_events_alone(lab: Lab, wipe: Any) -> None:
    """The tables stay: the sensor calls them fresh, and the next run reuses them and reports them to Dagster again."""
    lab.run(pipeline())
    wipe(lab.instance)
    assert lab.instance.get_latest_materialization_event(dg.AssetKey("up")) is None
    ticking = Ticking(lab, pipeline(), missing="materialize")
    assert ticking.tick() == []
    assert "2 fresh, 0 stale" in ticking.said
    assert lab.run(pipeline()).outcomes == {"up": "reused", "down": "reused"}
    assert lab.instance.get_latest_materialization_event(dg.AssetKey("up")) is not None


def test_a_wiped_partition_is_reused(lab: Lab) -> None:
    """One partition's events can be wiped too."""
    assets = pipeline(partitions=["a", "b"])
    for key in "ab":
        lab.run(assets[0], partition=key)
    lab.instance.wipe_assets([dg.AssetKey("up")])
    assert lab.run(assets[0], partition="a").outcomes == {"up[a]": "reused"}


@pytest.mark.parametrize("tags", [{}, {"dagster/data_version": "by hand"}])
def test_a_reported_materialization_stores_no_table(lab: Lab, tags: dict[str, str]) -> None:
    """Readers that load the table go on reading the stored one."""
    lab.run(pipeline())
    lab.instance.report_runless_asset_event(dg.AssetMaterialization("up", tags=tags))
    ticking = Ticking(lab, pipeline())
    assert ticking.tick() == []
    assert "2 fresh, 0 stale" in ticking.said
    assert lab.run(pipeline()).outcomes == {"up": "reused", "down": "reused"}


def test_a_reported_materialization_of_an_asset_without_table_is_an_event(lab: Lab) -> None:
    """The store has nothing to read: a reader that loads it fails, and says which table is missing."""
    lab.instance.report_runless_asset_event(dg.AssetMaterialization("up"))
    ran = lab.run(pipeline(), select=pipeline()[1:], ok=False)
    assert "up" in ran.error
    assert "not materialized" in ran.error


def test_a_renamed_asset_is_a_new_table(lab: Lab) -> None:
    """The old table is left over; the new one is made on request, and its reader after it."""
    lab.run(pipeline())
    ticking = Ticking(lab, pipeline("renamed"))
    assert ticking.tick() == []
    assert "up is left over: no asset of this code location makes it." in ticking.said
    assert "it needs renamed, which is not there" in ticking.said
    asking = Ticking(lab, pipeline("renamed"), missing="materialize")
    assert {name for run in asking.settle() for name in run} == {"renamed", "down"}
    assert "2 fresh" in asking.said
    assert lab.run(pipeline(), select=pipeline()[:1]).outcomes == {"up": "reused"}, "named back, it is a hit"


def test_changed_partitions_keep_the_tables_of_keys_that_stay(lab: Lab) -> None:
    """A key that goes leaves its table over; one that comes is missing; the others are reused."""
    before, after = pipeline(partitions=["a", "b"])[0], pipeline(partitions=["b", "c"])[0]
    for key in "ab":
        lab.run(before, partition=key)
    ticking = Ticking(lab, [after])
    assert ticking.tick() == []
    assert "1 fresh" in ticking.said
    assert "up[a] is left over: its partition no longer exists." in ticking.said
    assert lab.run(after, partition="b").outcomes == {"up[b]": "reused"}
    assert Ticking(lab, [after], missing="materialize").settle() == [{"up[c]": "computed"}]


def test_an_asset_that_gets_partitions_leaves_its_whole_table_over(lab: Lab) -> None:
    """The names of the tables differ, so that neither stands for the other."""
    lab.run(pipeline()[0])
    ticking = Ticking(lab, pipeline(partitions=["a"])[:1], missing="materialize")
    assert [sorted(run) for run in ticking.settle()] == [["up[a]"]]
    assert "up is left over: its partition no longer exists." in ticking.said
