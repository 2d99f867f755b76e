"""The columns of the tables of gauges."""

import polars as pl
from pydantic import BaseModel, Field

from river_gauges.settings import RATE, TIME, deployment


class Reading(BaseModel):
    """A level at a time."""

    at: str = Field(json_schema_extra={"dtype": str(TIME)})
    level: float = Field(gt=RATE)

    @classmethod
    def scan(cls) -> pl.LazyFrame:
        """Scan all readings of this deployment."""
        return pl.scan_parquet(deployment()["folder"] + "/readings")


COLUMNS = ("at", "level")
