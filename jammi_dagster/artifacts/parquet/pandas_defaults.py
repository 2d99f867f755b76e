"""A pandas frame of an Arrow table that no frame was the source of: as pyarrow converts it, but exactly."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from jammi_dagster.artifacts.parquet.pandas_columns import as_objects

_EXACT_IN_A_FLOAT = 2**53
_FAILS = (pa.ArrowException, ValueError, TypeError, OverflowError, NotImplementedError)


def default_frame(table: pa.Table) -> Any:
    """Return the table as `to_pandas` has it, except where that rounds, fails or gives other types.

    Integers with nulls are floats, where floats hold them, else `Int64`; nested ones with nulls are lists of Python
    objects; dates and times that Python does not have stay Arrow's own.
    """
    exact = {}
    for place, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True)):
        if (values := _exact(column)) is not None:
            exact[name] = values
            table = table.set_column(place, name, pa.nulls(len(column)))
    frame = _converted(table)
    indexed = _index_columns(table)
    names = [name for name in table.column_names if name not in indexed]
    if len(names) != frame.shape[1]:
        names = table.column_names
    for name, values in exact.items():
        if name in names:
            frame.isetitem(names.index(name), values)
    return frame


def _index_columns(table: pa.Table) -> list[Any]:
    try:
        found = (table.schema.pandas_metadata or {}).get("index_columns", [])
    except (ValueError, AttributeError):  # whatever else stands there
        return []
    return found if isinstance(found, list) else []


def _converted(table: pa.Table) -> Any:
    try:
        return table.to_pandas()
    except _FAILS:
        table = table.replace_schema_metadata(None)
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        try:
            columns[name] = pa.table({name: column}).to_pandas()[name]._values
        except _FAILS:
            columns[name] = _as_arrow(column)
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows), copy=False)


def _exact(column: pa.ChunkedArray) -> Any:
    """Return the values of a column that pyarrow would round or not convert; None for all others."""
    type_ = column.type
    if pt.is_integer(type_) and _rounded(column):
        dtype: Any = pd.UInt64Dtype() if pt.is_unsigned_integer(type_) else pd.Int64Dtype()
        return dtype.__from_arrow__(column)
    if pt.is_nested(type_) and _nested_change(type_, column):
        try:
            return as_objects(column.to_pylist())
        except _FAILS:
            return _as_arrow(column)
    return None


def _as_arrow(column: pa.ChunkedArray) -> Any:
    dtype: Any = pd.ArrowDtype(column.type)
    return dtype.__from_arrow__(column)


def _rounded(column: Any) -> bool:
    """Tell integers with nulls of which one is none among the floats."""
    if not column.null_count or column.null_count == len(column) or column.type.bit_width < 64:
        return False
    bounds = pc.min_max(column).as_py()
    return bool(bounds["max"] > _EXACT_IN_A_FLOAT or bounds["min"] < -_EXACT_IN_A_FLOAT)


def _nested_change(type_: pa.DataType, column: pa.ChunkedArray, *, in_struct: bool = False) -> bool:
    if pt.is_integer(type_):
        return bool(column.null_count)
    if pt.is_timestamp(type_) or pt.is_duration(type_):
        return in_struct and bool(type_.unit == "ns")
    if pt.is_struct(type_):
        children = [pc.struct_field(column, [index]) for index in range(type_.num_fields)]
        return any(_nested_change(child.type, child, in_struct=True) for child in children)
    if pt.is_map(type_):
        return any(_may_change(field.type) for field in (type_.key_field, type_.item_field))
    if pt.is_nested(type_) and not pt.is_union(type_):
        return _nested_change(type_.value_type, pc.list_flatten(column), in_struct=in_struct)
    return False


def _may_change(type_: pa.DataType) -> bool:
    """Tell types that pyarrow does not convert exactly within a map, whatever the values."""
    if pt.is_nested(type_) and not pt.is_union(type_):
        return any(_may_change(type_.field(index).type) for index in range(type_.num_fields))
    return bool(pt.is_integer(type_) or pt.is_timestamp(type_) or pt.is_duration(type_))
