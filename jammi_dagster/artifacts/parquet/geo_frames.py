"""A frame of geopandas and the table that holds it, geometries as well-known bytes."""

from __future__ import annotations

from typing import Any

import geopandas
import pyarrow as pa

from jammi_dagster.artifacts.parquet.pandas_frames import pandas_of

_NAME = b"ARROW:extension:name"


def geo_frame_of(table: pa.Table) -> Any:
    """Return the geographic frame that a table was made of; of another table, its GeoArrow columns are geometries."""
    frame = pandas_of(table)
    if isinstance(frame, geopandas.GeoDataFrame):
        return frame
    if any((field.metadata or {}).get(_NAME, b"").startswith(b"geoarrow.") for field in table.schema):
        return geopandas.GeoDataFrame.from_arrow(table)
    return geopandas.GeoDataFrame(frame)
