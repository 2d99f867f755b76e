"""Assets of the package, from raw filings to outputs."""

import importlib.resources
import os
import subprocess
from pathlib import Path

import dagster as dg
import duckdb
import numpy as np
import pandas as pd
import requests

from grid_data import helpers, metadata
from grid_data.helpers import clean_strings, drop_empty, heat_content, log_shape, weighted_average
from grid_data.logging_helpers import get_logger
from grid_data.transform import FuelTransformer, SteamTransformer, TableId, by_state

logger = get_logger(__name__)
WORKSPACE = Path(os.environ.get("GRID_WORKSPACE", "/tmp/grid"))
YEARS = dg.StaticPartitionsDefinition([str(year) for year in range(2018, 2024)])
_seen_plants: set[int] = set()
TRANSFORMERS = {TableId.FUEL: FuelTransformer, TableId.STEAM: SteamTransformer}


class Settings(dg.Config):
    first_year: int = 2018
    drop_small: bool = False
    minimum_mw: float = 1.0


@dg.asset
def raw_plants(context: dg.AssetExecutionContext) -> pd.DataFrame:
    path = WORKSPACE / "plants.csv"
    context.log.info("extract %s", path)
    return pd.read_csv(path)


@dg.asset(partitions_def=YEARS)
def raw_filings(context: dg.AssetExecutionContext) -> pd.DataFrame:
    answer = requests.get(f"https://filings.example.org/{context.partition_key}.json", timeout=30)
    answer.raise_for_status()
    return pd.DataFrame(answer.json()["rows"])


@dg.asset
def core_plants(raw_plants: pd.DataFrame) -> pd.DataFrame:
    """Plants with clean names and enforced types."""
    df = helpers.simplify_columns(raw_plants).pipe(clean_strings, columns=["plant_name", "state"])
    df["state"] = df["state"].map(metadata.STATES)
    return metadata.PLANTS.enforce(df)


@dg.asset
def core_fuel(raw_filings: pd.DataFrame) -> pd.DataFrame:
    return FuelTransformer().transform(raw_filings)


@dg.asset
def core_steam(context: dg.AssetExecutionContext, raw_filings: pd.DataFrame) -> pd.DataFrame:
    steam = SteamTransformer().transform(raw_filings)
    context.add_output_metadata({"rows": len(steam), "columns": list(steam.columns)})
    return steam


@dg.asset
def out_capacity(context: dg.AssetExecutionContext, config: Settings, core_plants: pd.DataFrame) -> pd.DataFrame:
    df = core_plants
    if config.drop_small:
        df = df[df["capacity_mw"] >= config.minimum_mw]
    context.log.info(f"{len(core_plants) - len(df)} small plants dropped")
    return df.groupby("state", as_index=False)["capacity_mw"].sum()


@dg.asset
def out_fuel_price(core_fuel: pd.DataFrame) -> pd.DataFrame:
    core_fuel = core_fuel.assign(fuel=helpers.standardize_fuel(core_fuel["fuel_type"]))
    return weighted_average(core_fuel, "cost_per_lb", "fuel_mmbtu", by=["fuel"])


@dg.asset
def out_heat(core_fuel: pd.DataFrame) -> pd.DataFrame:
    contents = core_fuel["fuel_type"].map(heat_content)
    return core_fuel.assign(heat=contents * core_fuel["fuel_mmbtu"])


@dg.asset
@log_shape
def out_hours(core_steam: pd.DataFrame) -> pd.DataFrame:
    hours = core_steam[["hour_1", "hour_2", "hour_3"]].stack().reset_index(name="mwh")
    return hours.rename(columns={"level_1": "hour"}).pipe(drop_empty)


@dg.asset
def fuel_codes_joined(core_fuel: pd.DataFrame) -> pd.DataFrame:
    """Names of fuels, from a table that is shipped with the package."""
    source = importlib.resources.files("grid_data.package_data") / "fuel_codes.csv"
    with source.open() as file:
        codes = pd.read_csv(file)
    return core_fuel.merge(codes, left_on="fuel_type", right_on="code", how="left")


@dg.asset
def plants_by_state(core_plants: pd.DataFrame) -> pd.DataFrame:
    query = (Path(__file__).parent / "package_data" / "plants_by_state.sql").read_text()
    with duckdb.connect() as connection:
        connection.register("plants", core_plants)
        return connection.execute(query).df()


@dg.multi_asset(outs={"utilities": dg.AssetOut(), "owners": dg.AssetOut()})
def split_owners(core_plants: pd.DataFrame):
    by_share = core_plants.assign(share=np.where(core_plants["owner"].isna(), 0.0, 1.0))
    yield dg.Output(by_share[by_share["share"] == 0.0], output_name="utilities")
    yield dg.Output(by_share[by_share["share"] > 0.0], output_name="owners")


@dg.asset
def new_plants(core_plants: pd.DataFrame) -> pd.DataFrame:
    """Plants that no earlier call has seen."""
    fresh = core_plants[~core_plants["plant_id"].isin(_seen_plants)]
    _seen_plants.update(fresh["plant_id"])
    return fresh


@dg.asset
def data_version_tagged(core_plants: pd.DataFrame) -> pd.DataFrame:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
    return core_plants.assign(commit=commit.strip())


@dg.asset
def state_lists(core_plants: pd.DataFrame) -> dict[str, list[int]]:
    return by_state(core_plants)


def table_factory(table: TableId) -> dg.AssetsDefinition:
    """Make the yearly total of one table."""
    transformer = TRANSFORMERS[table]

    @dg.asset(name=f"yearly_{table.value}", ins={"raw": dg.AssetIn("raw_filings")})
    def _yearly(raw: pd.DataFrame) -> pd.DataFrame:
        return transformer().transform(raw).groupby("report_year").sum(numeric_only=True).reset_index()

    return _yearly


yearly_assets = [table_factory(table) for table in TableId]

defs = dg.Definitions(
    assets=[
        raw_plants,
        raw_filings,
        core_plants,
        core_fuel,
        core_steam,
        out_capacity,
        out_fuel_price,
        out_heat,
        out_hours,
        fuel_codes_joined,
        plants_by_state,
        split_owners,
        new_plants,
        data_version_tagged,
        state_lists,
        *yearly_assets,
    ]
)
