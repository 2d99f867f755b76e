from datetime import datetime

import pandas as pd
import requests
from dagster import AssetExecutionContext, asset

from ice_stats.utils.constants import COLUMNS
from ice_stats.utils.elo import game_numbers
from ice_stats.utils.nhl_api import game_url, get_schedule, season_of

from ..partitions import nhl_daily_partition


@asset(partitions_def=nhl_daily_partition)
def nhl_game_data(context: AssetExecutionContext) -> dict:
    dates = [datetime.strptime(key, "%Y-%m-%d") for key in context.partition_keys]
    context.log.info(f"Getting game data for {len(dates)} days from {min(dates)} to {max(dates)}")
    found = {}
    for date in context.partition_keys:
        for game in get_schedule(date):
            found[game["gamePk"]] = requests.get(game_url(game["gamePk"])).json()
    return found


@asset(partitions_def=nhl_daily_partition)
def games(context: AssetExecutionContext, raw_games: dict) -> pd.DataFrame:
    frame = pd.DataFrame(list(raw_games.values())).rename(columns=COLUMNS)
    season = season_of(context.partition_key)
    return frame.assign(season=season, url=[game_url(game) for game in frame["game_id"]])


@asset
def numbered_games(games: pd.DataFrame) -> pd.DataFrame:
    return games.assign(number=[next(game_numbers) for _ in range(len(games))])


@asset(partitions_def=nhl_daily_partition)
def game_days(context: AssetExecutionContext, games: pd.DataFrame) -> pd.DataFrame:
    keys = context.partition_keys
    context.log.info("%d partitions", len(keys))
    return games[games["date"].isin(keys)]
