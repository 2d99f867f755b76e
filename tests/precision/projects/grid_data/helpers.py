"""General transformations of tables."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache, partial, wraps
from typing import Any

import numpy as np
import pandas as pd

from grid_data.logging_helpers import get_logger
from grid_data.metadata import EMPTY_STRINGS, FUEL_OF_ALIAS

logger = get_logger(__name__)
_SPACES = re.compile(r"\s+")


def simplify_columns(df: pd.DataFrame) -> pd.DataFrame:
    df = df.copy()
    df.columns = (
        df.columns.str.replace(r"[^0-9a-zA-Z]+", " ", regex=True)
        .str.strip()
        .str.lower()
        .str.replace(" ", "_")
    )
    return df


def clean_strings(df: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    df = df.copy()
    for column in columns:
        logger.debug("clean %s", column)
        df[column] = df[column].astype("string").map(_simplify, na_action="ignore")
        df[column] = df[column].replace(list(EMPTY_STRINGS), pd.NA)
    return df


def _simplify(text: str) -> str:
    return _SPACES.sub(" ", text).strip().lower()


def standardize_fuel(series: pd.Series) -> pd.Series:
    return series.str.lower().map(FUEL_OF_ALIAS).fillna("other")


def weighted_average(df: pd.DataFrame, data: str, weight: str, by: list[str]) -> pd.DataFrame:
    df = df.assign(_product=df[data] * df[weight], _weight=df[weight] * df[data].notnull())
    grouped = df.groupby(by)[["_product", "_weight"]].sum()
    return (grouped["_product"] / grouped["_weight"].replace(0, np.nan)).rename(data).reset_index()


@lru_cache(maxsize=None)
def heat_content(fuel: str) -> float:
    return {"coal": 19.6, "gas": 1.03}.get(fuel, 0.0)


def log_shape(function: Callable[..., pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> pd.DataFrame:
        result = function(*args, **kwargs)
        logger.info("%s gave %s rows", function.__name__, len(result))
        return result

    return wrapped


drop_empty = partial(pd.DataFrame.dropna, how="all")
