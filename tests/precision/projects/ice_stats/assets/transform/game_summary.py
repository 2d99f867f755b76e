import logging
import math
from statistics import fmean, pstdev

import pandas as pd
import sqlalchemy as sa
from dagster import AssetExecutionContext, Config, asset

from ...utils.constants import DIVISIONS, Result, Strength
from ...utils.elo import Elo, points
from ..partitions import season_partition

logger = logging.getLogger(__name__)
METADATA = sa.MetaData()
GOALS = sa.Table("goals", METADATA, sa.Column("team", sa.String), sa.Column("strength", sa.String))
HOME_ICE = 0.033
if HOME_ICE > 0.03:
    HOME_ICE = round(HOME_ICE, 2)


class EloConfig(Config):
    k: float = 6.0
    carry_over: float = 0.75


@asset(partitions_def=season_partition)
def elo(config: EloConfig, games: pd.DataFrame) -> pd.DataFrame:
    ratings = Elo(k=config.k)
    for game in games.sort_values(["date", "game_id"]).itertuples():
        ratings.play(game.home, game.away, game.home_goals > game.away_goals)
    return pd.DataFrame(list(ratings), columns=["team", "rating"])


@asset
def standings(games: pd.DataFrame) -> pd.DataFrame:
    def results():
        for game in games.itertuples():
            won = game.home_goals > game.away_goals
            loser = Result.OVERTIME if game.overtime else Result.LOSS
            yield game.home, int(Result.WIN if won else loser)
            yield game.away, int(loser if won else Result.WIN)

    table = points(results())
    frame = pd.DataFrame({"team": list(table), "points": list(table.values())})
    frame["division"] = frame["team"].map(dict(DIVISIONS))
    return frame.sort_values(["points", "team"], ascending=[False, True], ignore_index=True)


@asset
def expected_goals(shots: pd.DataFrame) -> pd.DataFrame:
    def chance(row):
        distance = math.hypot(89 - abs(row["x"]), row["y"])
        return Strength(row["strength"]).weight / (1 + math.exp(0.08 * distance - HOME_ICE))

    return shots.assign(xg=shots.apply(chance, axis=1))


@asset
def goalie_form(context: AssetExecutionContext, shots: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for goalie, group in shots.groupby("goalie", sort=True):
        saved = group["saved"].astype(float).tolist()
        match len(saved):
            case 0:
                continue
            case 1:
                spread = 0.0
            case _:
                spread = pstdev(saved)
        rows.append({"goalie": goalie, "mean": fmean(saved), "spread": spread})
    logger.info("%d goalies", len(rows))
    return pd.DataFrame(rows)


@asset
def goals_statement(shots: pd.DataFrame) -> str:
    """The text of a statement, which is compiled and not run."""
    strengths = sorted(shots["strength"].unique())
    statement = sa.select(GOALS.c.team).where(GOALS.c.strength.in_(strengths))
    return str(statement.compile(compile_kwargs={"literal_binds": True}))


@asset
def season_cards(standings: pd.DataFrame, path_to_cards: str) -> pd.DataFrame:
    cards = pd.read_csv(path_to_cards)
    return standings.merge(cards, on="team")


@asset
def rolling_form(games: pd.DataFrame) -> pd.DataFrame:
    ordered = games.sort_values(["home", "date"])
    ordered["form"] = ordered.groupby("home")["home_goals"].transform(lambda s: s.rolling(5, min_periods=1).mean())
    return ordered


@asset
def is_preseason(games: pd.DataFrame) -> bool:
    import calendar
    from datetime import date

    return date.today().month < calendar.OCTOBER and len(games) == 0
