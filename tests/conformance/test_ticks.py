"""The ticks after the runs of Dagster's tests find what they are there for."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table

from jammi_dagster import result_table
from tools.conformance import ticks

pytestmark = pytest.mark.filterwarnings(
    "ignore:InitResourceContext.dagster_run is deprecated:DeprecationWarning",
    "ignore:The `__fields__` attribute is deprecated",
)
letters = dg.StaticPartitionsDefinition(["a", "b"])


NUMBER = {"n": dg.Field(int, default_value=1)}


@result_table(reads=[], key_prefix="deep", partitions_def=letters, config_schema=NUMBER)
def raw(context: dg.AssetExecutionContext) -> pa.Table:
    return table(context.op_execution_context.op_config["n"])


@result_table(ins={"raw": dg.AssetIn(["deep", "raw"])}, partitions_def=letters)
def doubled(raw: pa.Table) -> pa.Table:
    return pa.concat_tables([raw, raw])


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Lab(tmp_path / "store", instance)


def test_a_run_is_followed_by_ticks(lab: Lab) -> None:
    """Fresh after it, stale and requested after a changed input, fresh again; the tables are as they were."""
    result = lab.run([raw, doubled], partition="a").result
    digests = {name: lab.store.current(name).artifact_digest for name in lab.store.tables()}
    ticks.taken()

    ticks.tick_after(result.run_id, result.job_def, lab.instance)

    counts, faults = ticks.taken()
    assert faults == []
    assert counts == {
        "ticks": 1,
        "fresh after its run": 2,
        "stale after a changed input": 1,
        "fresh again after a revert": 1,
    }
    assert digests == {name: lab.store.current(name).artifact_digest for name in lab.store.tables()}


def test_a_table_that_is_stale_after_its_run_is_a_fault(lab: Lab) -> None:
    """Here an input was made again in between."""
    result = lab.run([raw, doubled], partition="a").result
    lab.run([raw, doubled], select=[raw], partition="a", config={"deep__raw": {"n": 2}})
    ticks.taken()

    ticks.tick_after(result.run_id, result.job_def, lab.instance)

    counts, faults = ticks.taken()
    assert counts["stale after its run"] == 1
    assert [fault.partition(":")[0] for fault in faults] == ["doubled[a] is stale right after its run"]
