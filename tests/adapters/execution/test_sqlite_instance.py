"""The same on Dagster's SQLite storages, which keep each run's events in a file of their own."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Held, Lab, table

from jammi_dagster import InputAnchor, result_table

pytestmark = pytest.mark.slow

letters = dg.StaticPartitionsDefinition(["a"])
SOURCE = "dagster:default/outside"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with dg.instance_for_test() as instance:
        made = Lab(tmp_path / "store", instance, more={"memory": Held()})
        yield made
        made.store.close()


def make(version: str, *, partitioned: bool) -> dg.AssetsDefinition:
    partitions_def = letters if partitioned else None

    @dg.asset(io_manager_key="memory", partitions_def=partitions_def)
    def outside():
        return dg.Output(version, data_version=dg.DataVersion(version))

    return outside


@result_table
def reader(outside: object) -> pa.Table:
    return table(str(outside))


@result_table(deps=["outside"])
def after() -> pa.Table:
    return table(1)


def test_a_graph_is_computed_then_reused(lab: Lab) -> None:
    """In one run: our tables, and an upstream elsewhere."""

    @result_table(reads=[])
    def raw() -> pa.Table:
        return table(1)

    @result_table
    def below(raw: pa.Table, outside: object) -> pa.Table:
        return raw

    graph = [raw, make("1", partitioned=False), below]
    outcomes = [lab.run(graph).outcomes for _ in range(2)]

    assert outcomes == [
        {"raw": "computed", "outside": None, "below": "computed"},
        {"raw": "reused", "outside": None, "below": "reused"},
    ]


@pytest.mark.parametrize("partitioned", [True, False])
def test_versions_elsewhere_pin_across_runs(lab: Lab, partitioned: bool) -> None:
    """What an earlier run gave is known when a later one begins, by partition too."""
    outcomes = []
    for version in ("1", "1", "2"):
        outside = make(version, partitioned=partitioned)
        lab.run(outside, partition="a" if partitioned else None)
        ran = lab.run([outside, reader, after], select=[reader, after])
        outcomes.append(set(ran.outcomes.values()))
    source = f"{SOURCE}[a]" if partitioned else SOURCE

    assert outcomes == [{"computed"}, {"reused"}, {"computed"}]
    for name in ("reader", "after"):
        assert lab.anchors(name) == {source: InputAnchor.source_version(source, "2")}


def test_an_observation_pins(lab: Lab) -> None:
    """An event without a run."""
    outcomes = []
    for version in ("1", "1", "2"):
        event = dg.AssetObservation("outside", tags={"dagster/data_version": version})
        lab.instance.report_runless_asset_event(event)
        outcomes.append(lab.run([dg.AssetSpec("outside"), after]).outcomes["after"])

    assert outcomes == ["computed", "reused", "computed"]


def test_a_value_that_lands_before_it_is_loaded_is_unpinned(lab: Lab) -> None:
    """An event after the start of the step is told from one before it."""
    outside = make("1", partitioned=False)

    class Landing(Held):
        def load_input(self, context: dg.InputContext) -> object:
            event = dg.AssetMaterialization("outside", tags={"dagster/data_version": "2"})
            lab.instance.report_runless_asset_event(event)
            return super().load_input(context)

    lab.more = {"memory": Landing()}
    lab.run(outside)
    lab.run([outside, reader], select=[reader])

    assert lab.anchors("reader")[SOURCE].is_unpinned
