"""The code location of the daemon test, which runs a copy of it beside the files that it reads."""

from pathlib import Path

import dagster as dg
import pyarrow as pa

from jammi_dagster import (
    CachePolicy,
    ResultStoreResource,
    ResultTableIOManager,
    build_staleness_sensor,
    finalize,
    result_table,
)
from jammi_dagster.surfaces import file

HOME = Path(__file__).parent
letters = dg.StaticPartitionsDefinition(["a", "b"])
numbers = dg.StaticPartitionsDefinition(["1", "2", "3", "4"])


@result_table(
    cache=CachePolicy.USE, partitions_def=letters, reads=lambda key: [file(HOME / f"raw-{key}", name=key)]
)
def raw(context: dg.AssetExecutionContext) -> pa.Table:
    text = (HOME / f"raw-{context.partition_key}").read_text()
    if text == "bad":
        raise ValueError("a bad file")
    return pa.table({"x": [text]})


@result_table(cache=CachePolicy.USE, partitions_def=letters)
def initial(raw: pa.Table) -> pa.Table:
    return pa.table({"x": [raw["x"][0].as_py()[0]]})


@result_table(cache=CachePolicy.USE)
def initials(initial: dict[str, pa.Table]) -> pa.Table:
    return pa.concat_tables(initial.values())


@result_table(cache=CachePolicy.USE, reads=[])
def apart() -> pa.Table:
    return pa.table({"x": [0]})


@result_table(
    cache=CachePolicy.USE,
    partitions_def=numbers,
    backfill_policy=dg.BackfillPolicy.single_run(),
    reads=lambda key: [file(HOME / f"range-{key}", name=f"range-{key}")],
)
def ranged(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
    return {key: pa.table({"x": [(HOME / f"range-{key}").read_text()]}) for key in context.partition_keys}


defs = finalize(
    dg.Definitions(
        assets=[raw, initial, initials, apart, ranged],
        sensors=[
            build_staleness_sensor(
                name="stale",
                minimum_interval_seconds=1,
                missing="materialize",
                default_status=dg.DefaultSensorStatus.RUNNING,
            )
        ],
        resources={"io_manager": ResultTableIOManager(store=ResultStoreResource(root=str(HOME / "results")))},
        executor=dg.in_process_executor,
    )
)
