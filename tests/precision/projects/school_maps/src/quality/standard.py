import pandas as pd

from ..settings import constants
from . import check


@check("missing")
def missing(df: pd.DataFrame) -> pd.Series:
    return df[[column for column in constants.mandatory if column in df]].isna().any(axis=1)


@check("duplicate")
def duplicate(df: pd.DataFrame) -> pd.Series:
    return df.duplicated(subset=["school_id"], keep="first")


@check("precision")
def precision(df: pd.DataFrame) -> pd.Series:
    return df["latitude"].round(constants.coordinate_digits) != df["latitude"]
