"""Tables that are derived from the archives."""

import datetime as dt
import operator
import os
import random
from concurrent.futures import ThreadPoolExecutor

import dagster as dg
import numpy as np
import pandas as pd
import pytz

from wind_forecast.physics import Turbine, at_height, compose, speed

months = dg.TimeWindowPartitionsDefinition(fmt="%Y-%m", start="2020-01", cron_schedule="0 12 1 * *")
TURBINE = Turbine(diameter=90.0, rated=3.0)
by_site = operator.itemgetter("site")


@dg.asset(deps=[dg.AssetKey("pv_archive")], partitions_def=months)
def pv_monthly(context: dg.AssetExecutionContext) -> pd.DataFrame:
    start = pytz.utc.localize(dt.datetime.strptime(context.partition_key, "%Y-%m"))
    return pd.read_parquet(f"{os.environ['PV_FOLDER']}/{start.date()}.parquet")


@dg.asset
def hub_speed(wind: pd.DataFrame) -> pd.DataFrame:
    speeds = compose(lambda s: at_height(s, 100.0), np.round)(speed(wind["u"].to_numpy(), wind["v"].to_numpy()))
    return wind.assign(speed=speeds)


@dg.asset
def power(hub_speed: pd.DataFrame) -> pd.DataFrame:
    return hub_speed.assign(power=TURBINE.power(hub_speed["speed"].to_numpy()))


@dg.asset
def betz(hub_speed: pd.DataFrame) -> pd.DataFrame:
    turbine = Turbine(diameter=110.0, rated=4.0)
    return hub_speed.assign(limit=[turbine.limit(one) for one in hub_speed["speed"]])


@dg.asset
def site_power(power: pd.DataFrame) -> dict[str, float]:
    records = sorted(power.to_dict("records"), key=by_site)
    return {site: float(sum(row["power"] for row in records if by_site(row) == site)) for site in sorted(set(map(by_site, records)))}


@dg.asset
def parallel_speeds(winds: list[pd.DataFrame]) -> list[float]:
    with ThreadPoolExecutor(max_workers=4) as pool:
        return list(pool.map(lambda wind: float(speed(wind["u"].to_numpy(), wind["v"].to_numpy()).mean()), winds))


@dg.asset
def ensemble(power: pd.DataFrame) -> pd.DataFrame:
    members = [power["power"] * random.gauss(1.0, 0.1) for _ in range(10)]
    return pd.concat(members, axis=1)


@dg.asset
def seeded_ensemble(power: pd.DataFrame) -> pd.DataFrame:
    chance = random.Random(2024)
    members = [power["power"] * chance.gauss(1.0, 0.1) for _ in range(10)]
    return pd.concat(members, axis=1, keys=range(10))


@dg.asset
def next_hours(hub_speed: pd.DataFrame) -> pd.DataFrame:
    now = pd.Timestamp.utcnow().floor("h")
    return hub_speed[hub_speed["time"] >= now]


@dg.asset
def cpu_chunks(power: pd.DataFrame) -> list[int]:
    return [len(part) for part in np.array_split(power, os.cpu_count() or 1)]


@dg.asset(partitions_def=months)
def month_hours(context: dg.AssetExecutionContext, power: pd.DataFrame) -> pd.DataFrame:
    start = dt.datetime.strptime(context.partition_key, "%Y-%m").replace(tzinfo=pytz.utc)
    end = (start + dt.timedelta(days=31)).replace(day=1)
    return power[(power["time"] >= start) & (power["time"] < end)]
