"""A year of flights out of New York: the delay that a day's weather explains, and the routes that have more."""

import hashlib
import io
from pathlib import Path

import dagster as dg
import pandas as pd
import pyarrow as pa
from pyarrow.dataset import Dataset

from demo import graph, tables
from jammi_dagster import (
    CachePolicy,
    LineageResource,
    ResultStoreResource,
    ResultTableIOManager,
    build_materialization_checks,
    build_overview_job,
    build_recompute_job,
    build_recovery_job,
    build_staleness_sensor,
    finalize,
    result_table,
)
from jammi_dagster.surfaces import FileSurface, file

HOME = Path(__file__).parent / "dagster_home"
RAW = HOME / "raw"
MONTHS = dg.MonthlyPartitionsDefinition(start_date="2013-01", end_date="2014-01", fmt="%Y-%m")
CONDITIONS = ("count", "hour", "distance", *tables.MEASURES)


def raw(name: str) -> FileSurface:
    return file(RAW / name, name=f"raw/{name}")


@result_table(cache=CachePolicy.USE, partitions_def=MONTHS, reads=lambda month: [raw(f"flights-{month}.csv")])
def flights(context: dg.AssetExecutionContext) -> pa.Table:
    """Read a month of flights: a change to one raw file touches one partition."""
    return tables.read(RAW / f"flights-{context.partition_key}.csv", tables.FLIGHTS)


@result_table(cache=CachePolicy.USE, reads=[raw("weather.csv")])
def weather() -> pa.Table:
    """Read the weather at each of the three airports, by the hour."""
    return tables.read(RAW / "weather.csv", tables.WEATHER)


@dg.asset
def planes() -> pa.Table:
    """Read the planes as a plain asset on the same IO manager.

    Dagster always runs a plain asset, but equal bytes leave `fleet_delays` cached.
    """
    return tables.read(RAW / "planes.csv", tables.PLANES)


@dg.asset(io_manager_key="files")
def airports() -> dg.MaterializeResult[pd.DataFrame]:
    """Read the airports, on another IO manager: tables over them are cached by the data version stated here."""
    content = (RAW / "airports.csv").read_bytes()
    version = dg.DataVersion(hashlib.sha256(content).hexdigest())
    return dg.MaterializeResult(value=pd.read_csv(io.BytesIO(content)), data_version=version)


@result_table(cache=CachePolicy.USE)
def all_flights(flights: dict[str, pa.Table]) -> pa.Table:
    """Join the months into one table."""
    return pa.concat_tables(flights.values())


@result_table(cache=CachePolicy.USE)
def departures(all_flights: pa.Table, weather: pa.Table) -> pa.Table:
    """Give each flight the weather at its scheduled departure."""
    return tables.join(all_flights, weather, ["origin", "time_hour"])


@result_table(cache=CachePolicy.USE)
def route_days(departures: pa.Table) -> pa.Table:
    """Average each route on each day: delay, schedule and weather."""
    return tables.means(departures, tables.ROUTE_DAY, ["arr_delay", *CONDITIONS[1:]])


@result_table(cache=CachePolicy.USE)
def route_neighbors(route_days: pa.Table) -> pa.Table:
    """Find for each route-day the ten most similar ones from the same airport, by schedule and weather."""
    points = graph.scaled([route_days[name].to_numpy() for name in CONDITIONS])
    origins = route_days["origin"].to_numpy()
    return pa.table(graph.nearest_within(origins, points, 10)._asdict())


class Spread(dg.Config):
    """Settings of the spread: how much a route-day takes from its neighbours, and how often."""

    damping: float = 0.85
    rounds: int = 20


@result_table(cache=CachePolicy.USE)
def expected_delays(config: Spread, route_days: pa.Table, route_neighbors: pa.Table) -> pa.Table:
    """Estimate the delay of each route-day from its neighbours and theirs."""
    own = route_days["arr_delay"].to_numpy()
    edges = graph.Edges(*(column.to_numpy() for column in route_neighbors.columns))
    expected = graph.spread(own, edges, config.damping, config.rounds)
    return route_days.select([*tables.ROUTE_DAY, "arr_delay"]).append_column("expected", pa.array(expected))


@result_table(cache=CachePolicy.USE)
def route_surprises(expected_delays: pa.Table, airports: pd.DataFrame) -> pd.DataFrame:
    """Rank the routes by their delay beyond the expected one, the worst first."""
    routes = tables.means(expected_delays, ["origin", "dest"], ["arr_delay", "expected"]).to_pandas()
    routes["surprise"] = routes["arr_delay"] - routes["expected"]
    named = routes.merge(airports[["faa", "name"]], how="left", left_on="dest", right_on="faa")
    ranked: pd.DataFrame = named.drop(columns="faa").sort_values(
        "surprise", ascending=False, ignore_index=True
    )
    return ranked


@result_table(cache=CachePolicy.USE)
def fleet_delays(departures: Dataset, planes: pa.Table) -> pa.Table:
    """Average delay by maker and year of the plane; of `departures`, only two columns are read."""
    flown = departures.to_table(columns=["tailnum", "arr_delay"])
    return tables.means(
        tables.join(flown, planes, "tailnum"), ["manufacturer", "year"], ["arr_delay", "seats"]
    )


STORE = ResultStoreResource(root=str(HOME / "results"))
TABLES = [flights, weather, all_flights, departures, route_days, route_neighbors]
TABLES += [expected_delays, route_surprises, fleet_delays]

defs: dg.Definitions = finalize(
    dg.Definitions(
        assets=dg.load_assets_from_current_module(),
        jobs=[
            dg.define_asset_job("one_month", selection=dg.AssetSelection.assets(flights).without_checks()),
            dg.define_asset_job(
                "the_year",
                selection=(dg.AssetSelection.all() - dg.AssetSelection.assets(flights)).without_checks(),
            ),
            dg.define_asset_job("check_everything", selection=dg.AssetSelection.all_asset_checks()),
            build_recompute_job(defs=lambda: defs),
            build_recovery_job(),
            build_overview_job(),
        ],
        asset_checks=build_materialization_checks(TABLES, defs=lambda: defs),
        sensors=[build_staleness_sensor(name="stale_tables")],
        resources={
            "io_manager": ResultTableIOManager(store=STORE),
            "lineage": LineageResource(store=STORE),
            "files": dg.FilesystemIOManager(base_dir=str(HOME / "files")),
        },
    )
)
