"""Tables of gauges."""

import dagster as dg
import polars as pl

from river_gauges.contracts import COLUMNS
from river_gauges.reference import Reference, override
from river_gauges.settings import QUALITIES, TIME, deployment


def _told(frame: pl.DataFrame, context: dg.AssetExecutionContext | None = None) -> pl.DataFrame:
    if context:
        context.log.info(f"{frame.height} rows")
    if context is not None and getattr(context, "partition_key", None):
        context.log.info(context.partition_key)
    return frame


@dg.asset
def levels(context: dg.AssetExecutionContext, readings: pl.DataFrame) -> pl.DataFrame:
    return _told(readings.select(COLUMNS).with_columns(pl.col("at").cast(TIME)), context)


@dg.asset
def trusted(readings: pl.DataFrame) -> pl.DataFrame:
    return _told(readings.filter(pl.col("quality").is_in(sorted(QUALITIES))))


@dg.asset
def floods(levels: pl.DataFrame) -> pl.DataFrame:
    limits = Reference.limits()
    return levels.filter(pl.col("level") > pl.col("gauge").replace_strict(limits, default=9.0))


@dg.asset
def floods_by_hand(levels: pl.DataFrame) -> pl.DataFrame:
    limits = Reference.limits() | override()
    return levels.filter(pl.col("level") > pl.col("gauge").replace_strict(limits, default=9.0))


@dg.asset
def run_levels(context: dg.AssetExecutionContext, readings: pl.DataFrame) -> pl.DataFrame:
    return readings.with_columns(made_by=pl.lit(getattr(context, "run_id", None)))


@dg.asset
def staged(readings: pl.DataFrame) -> pl.DataFrame:
    return readings.with_columns(stage=pl.lit(deployment()["stage"]))
