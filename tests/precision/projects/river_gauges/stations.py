"""Tables of stations, made by a factory."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import dagster as dg
import polars as pl

Transform = Callable[[pl.DataFrame], pl.DataFrame]


def make_station_asset(name: str, transform: Transform | None = None, **options: Any) -> dg.AssetsDefinition:
    if transform is None:
        transform = _unchanged

    def _asset(catchments: pl.DataFrame) -> pl.DataFrame:
        return transform(catchments).with_columns(station=pl.lit(name))

    _asset.__name__ = name
    return dg.asset(name=name, **options)(_asset)


def _unchanged(frame: pl.DataFrame) -> pl.DataFrame:
    return frame


def _by_area(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort("area", "name")


def _by_age(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(age=datetime.now().year - pl.col("built"))


assets = [
    make_station_asset("stations"),
    make_station_asset("stations_by_area", _by_area, group_name="rivers"),
    make_station_asset("stations_by_age", _by_age),
]
