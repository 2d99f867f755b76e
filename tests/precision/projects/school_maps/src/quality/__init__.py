"""Checks of rows, kept in a registry by name."""

from collections.abc import Callable

import pandas as pd

Check = Callable[[pd.DataFrame], pd.Series]
CHECKS: dict[str, Check] = {}


def check(name: str) -> Callable[[Check], Check]:
    def register(function: Check) -> Check:
        CHECKS[name] = function
        return function

    return register


from . import geometry as geometry  # noqa: E402
from . import standard as standard  # noqa: E402


def row_level_checks(df: pd.DataFrame) -> pd.DataFrame:
    results = {f"dq_{name}": function(df).astype(int) for name, function in sorted(CHECKS.items())}
    return df.assign(**results)


def split(df: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    columns = [column for column in df.columns if column.startswith("dq_")]
    failed = df[columns].sum(axis=1) > 0
    return df[~failed].drop(columns=columns), df[failed]
