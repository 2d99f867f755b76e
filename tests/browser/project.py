"""A pipeline of months whose pages are looked at: reused and computed tables, a stale one, some without a version."""

import io
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.compute
from pyarrow import csv

from jammi_dagster import (
    ResultStoreResource,
    ResultTableIOManager,
    build_materialization_checks,
    build_overview_job,
    build_staleness_sensor,
    finalize,
    result_table,
    reuse_first,
)
from jammi_dagster.surfaces import FileSurface, file

HERE = Path(__file__).parent
MONTHS = dg.StaticPartitionsDefinition([f"2013-{month:02}" for month in range(1, 7)])

weather = dg.AssetSpec("weather")


def raw(month: str) -> FileSurface:
    return file(HERE / f"trips-{month}.csv", name=f"trips-{month}.csv")


@result_table(partitions_def=MONTHS, reads=lambda month: [raw(month)])
def trips(context: dg.AssetExecutionContext) -> pa.Table:
    """Read a month of trips."""
    return csv.read_csv(io.BytesIO((HERE / f"trips-{context.partition_key}.csv").read_bytes()))


@result_table
def all_trips(trips: dict[str, pa.Table]) -> pa.Table:
    """Join the months."""
    return pa.concat_tables(trips.values())


@result_table
def mean(all_trips: pa.Table) -> pa.Table:
    """Average the minutes of all trips."""
    return pa.table({"minutes": [pa.compute.mean(all_trips["minutes"]).as_py()]})


@result_table(partitions_def=MONTHS, deps=[weather])
def rainy_trips(trips: pa.Table) -> pa.Table:
    """Keep the trips in the rain."""
    return trips.slice(0, 1)


store = ResultStoreResource(root=str(HERE / "results"))
defs: dg.Definitions = finalize(
    dg.Definitions(
        assets=[weather, trips, all_trips, mean, rainy_trips],
        asset_checks=build_materialization_checks([all_trips], defs=lambda: defs),
        sensors=[
            build_staleness_sensor(
                name="stale_tables",
                target=[trips, rainy_trips],
                default_status=dg.DefaultSensorStatus.RUNNING,
            )
        ],
        jobs=[
            build_overview_job(),
            dg.define_asset_job(
                "report",
                selection=dg.AssetSelection.assets("all_trips", "mean").without_checks(),
                executor_def=reuse_first(dg.in_process_executor),
            ),
        ],
        resources={"io_manager": ResultTableIOManager(store=store, cache="use")},
    )
)
