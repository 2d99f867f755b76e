"""Each value comes back as the table of values says: equal, changed as documented, or refused when it is written."""

from __future__ import annotations

from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from values_page import PAGE, page
from values_table import CHANGED, EQUAL, REFUSED, ROWS, Row

from jammi_dagster import ResultStoreResource
from jammi_dagster.adapters.handoff.kinds import ValueKind, convert
from jammi_dagster.adapters.handoff.references import ResultReference
from jammi_dagster.artifacts import VerifiedReads
from jammi_dagster.artifacts.parquet.labels import is_object, same, same_index
from jammi_dagster.errors import UnstorableData, UnsupportedSchema
from jammi_dagster.store import ResultStore

MAKING: dict[str, Any] = {"descriptor": {"producer": "test"}, "env": {}, "inputs": []}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ResultStore:
    return ResultStoreResource(root=str(tmp_path_factory.mktemp("values"))).get()


@pytest.mark.parametrize("row", [row for row in ROWS if row.outcome != REFUSED], ids=str)
def test_a_value_comes_back(store: ResultStore, row: Row) -> None:
    """It is the value of the table, with its types, labels and attributes, and a function may write to it."""
    value = row.value()
    record = store.materialize("t", value, **MAKING)
    with VerifiedReads() as reads:
        got = convert(ResultReference.of(store, record), ValueKind(row.kind), parameter="p", reads=reads)
    assert difference(row.expected(), got) is None
    assert row.outcome == EQUAL or (row.outcome == CHANGED and row.note and row.becomes)
    if isinstance(got, pd.DataFrame):
        cells: Any = got.iloc
        for place, dtype in enumerate(got.dtypes):
            if len(got) and not isinstance(dtype, (pd.SparseDtype, pd.ArrowDtype)) and not is_object(dtype):
                cells[0, place] = cells[0, place]


@pytest.mark.parametrize("row", [row for row in ROWS if row.outcome == REFUSED], ids=str)
def test_a_value_is_refused(store: ResultStore, row: Row) -> None:
    """The error comes when the value is written, and names table and column."""
    with pytest.raises((UnsupportedSchema, UnstorableData), match=r"table refused: .*column") as caught:
        store.materialize("refused", row.value(), **MAKING)
    assert ";" in str(caught.value)
    assert row.note


def test_the_page_shows_the_table() -> None:
    """`python tests/support/values_page.py` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()
    assert len(ROWS) >= 150
    assert len({str(row) + row.kind for row in ROWS}) == len(ROWS)


def difference(expected: Any, got: Any) -> str | None:
    """Return where two values differ in type, labels or data; None for equal ones."""
    if isinstance(expected, pd.DataFrame):
        return _difference_of_frames(expected, got)
    if isinstance(expected, pl.DataFrame):
        same_schema = list(expected.schema.items()) == list(got.schema.items())
        return None if same_schema and expected.equals(got) else f"{got.schema}: {got}"
    found = _as_arrow(got)
    if found.schema.names != expected.schema.names or found.schema.types != expected.schema.types:
        return f"schema {found.schema}"
    return None if same(expected.to_pylist(), found.to_pylist()) else f"{found}"


def _difference_of_frames(expected: pd.DataFrame, got: pd.DataFrame) -> str | None:
    if type(expected) is not type(got):
        return f"a {type(got).__name__}"
    for name in ("columns", "index"):
        if not same_index(getattr(expected, name), getattr(got, name)):
            return f"{name}: {getattr(got, name)!r}"
    if list(expected.dtypes) != list(got.dtypes):
        return f"dtypes {got.dtypes.tolist()}"
    if not same(expected.attrs, got.attrs) or expected.flags != got.flags:
        return f"attrs {got.attrs}, {got.flags}"
    geometry = getattr(expected, "_geometry_column_name", None)
    if geometry != getattr(got, "_geometry_column_name", None):
        return "another geometry"
    for place in range(expected.shape[1]):
        if (found := _difference_of_columns(expected.iloc[:, place], got.iloc[:, place])) is not None:
            return found
    return None


def _difference_of_columns(one: Any, other: Any) -> str | None:
    if is_object(one.dtype):
        equal = same(one.tolist(), other.tolist())
    elif str(one.dtype) == "geometry":
        equal = one.crs == other.crs and one.to_wkb().equals(other.to_wkb())
    else:
        equal = one.equals(other)
    if isinstance(one.dtype, pd.CategoricalDtype):
        equal = equal and same_index(one.cat.categories, other.cat.categories)
    return None if equal else f"{one.name}: {other.tolist()}"


def _as_arrow(value: Any) -> pa.Table:
    if isinstance(value, pa.Table):
        return value
    return pa.RecordBatchReader.from_stream(value).read_all()
