"""Annotations and the kinds that they ask for; values between assets of a real run."""

from __future__ import annotations

import typing
from typing import Any

import dagster as dg
import duckdb
import geopandas as gpd
import ibis
import pandas as pd
import pandera.pandas as pandera
import polars as pl
import pyarrow as pa
import pytest
from adapters_kit import Lab, note
from pandera.typing import DataFrame
from shapely.geometry import Point

from jammi_dagster import result_table
from jammi_dagster.adapters.handoff.kinds import io_semantics, kind_of


class Schema(pandera.DataFrameModel):
    """A schema of one column."""

    x: int


class Frame(pd.DataFrame):
    """A frame of the user's own."""


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (pd.DataFrame, "pandas.DataFrame"),
        (DataFrame[Schema], "pandas.DataFrame"),
        (typing.Optional[DataFrame[Schema]], "pandas.DataFrame"),  # noqa: UP045
        (typing.Annotated[DataFrame[Schema], "checked"], "pandas.DataFrame"),
        (dict[str, DataFrame[Schema]], "dict[str, pandas.DataFrame]"),
        (Frame, "pandas.DataFrame"),
        (gpd.GeoDataFrame, "geopandas.GeoDataFrame"),
        (pl.LazyFrame, "polars.LazyFrame"),
        (duckdb.DuckDBPyRelation, "duckdb.DuckDBPyRelation"),
        (ibis.Table, "ibis.Table"),
        (dict[str, ibis.Table], "dict[str, ibis.Table]"),
        (pa.Table, "pyarrow.Table"),
        (Any, "pyarrow.Table"),
        (int, "builtins.int"),
        (list[int], "builtins.list[builtins.int]"),
    ],
    ids=str,
)
def test_an_annotation_asks_for_a_kind(annotation: Any, kind: str) -> None:
    """A subclass of a frame, and a frame with a schema, ask for the frame below."""
    assert str(kind_of(annotation)) == kind


@pytest.mark.parametrize(
    ("output", "inputs", "number"),
    [
        (pa.Table, [], 1),
        (pa.Table, [pa.Table, pa.RecordBatchReader], 1),
        (pa.Table, [pd.DataFrame], 2),
        (pa.Table, [dict[str, pl.DataFrame]], 2),
        (pd.DataFrame, [], 2),
        (pl.LazyFrame, [pa.Table], 2),
        (None, [pa.Table], 2),
    ],
)
def test_only_frames_moved(output: Any, inputs: list[Any], number: int) -> None:
    """The number moves where a frame may be converted, not where Arrow goes through as it is."""
    assert io_semantics(kind_of(output), [str(kind_of(annotation)) for annotation in inputs]) == number


@result_table(reads=[])
def described() -> pd.DataFrame:
    frame = pd.DataFrame(
        {"x": [1, 2], "c": pd.Categorical(["a", "b"], categories=["z", "b", "a"])},
        index=pd.period_range("2020-01", periods=2, freq="M"),
    )
    frame.attrs = {"unit": "m"}
    return frame


def _told(frame: Any) -> tuple[object, ...]:
    return list(frame["c"].cat.categories), str(frame.index.dtype), frame.attrs


def test_a_frame_goes_through_a_run(lab: Lab) -> None:
    """A table of ours and a plain asset get the frame that was returned; so does a frame with a schema."""

    @result_table
    def below(described: pd.DataFrame) -> pd.DataFrame:
        note(_told(described))
        return described

    @result_table
    def typed(below: DataFrame[Schema]) -> pa.Table:
        note(_told(below))
        return pa.table({"x": list(below["x"])})

    @dg.asset
    def plain(below: pd.DataFrame) -> None:
        note(_told(below))

    ran = lab.run([described, below, typed, plain])
    assert ran.calls == [(["z", "b", "a"], "period[M]", {"unit": "m"})] * 3


def test_queries_go_through_a_run(lab: Lab) -> None:
    """A relation of duckdb, a table of ibis and a frame of geopandas, out of one asset and into the next."""

    @result_table(reads=[])
    def rows() -> pa.Table:
        return pa.table({"x": [1, 2, 3]})

    @result_table
    def squared(rows: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
        return rows.project("x * x as x")

    @result_table
    def large(squared: ibis.Table) -> ibis.Table:
        return squared.filter(squared.x > 1)

    @result_table
    def placed(large: pd.DataFrame) -> gpd.GeoDataFrame:
        return gpd.GeoDataFrame(large, geometry=[Point(x, 0) for x in large["x"]], crs=4326)

    @result_table
    def last(placed: gpd.GeoDataFrame) -> pa.Table:
        note((placed.crs.to_epsg(), placed.geometry.x.tolist()))
        return pa.table({"x": placed["x"]})

    assert lab.run([rows, squared, large, placed, last]).calls == [(4326, [4.0, 9.0])]
