"""Nulls that some versions of pyarrow write but do not read back."""

from __future__ import annotations

import functools

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt


@functools.cache
def fixed_size_nulls_survive() -> bool:
    """Test if a null list of fixed size can be read back: up to pyarrow 24 the whole file is lost with it."""
    file = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": pa.array([None, [0]], pa.list_(pa.int8(), 1))}), file)
    try:
        pq.ParquetFile(file.getvalue()).read()
    except pa.ArrowInvalid:
        return False
    return True


def forbidden_null(field: pa.Field, column: pa.Array | pa.ChunkedArray) -> str | None:
    """Return the path of a field that is declared as not nullable and holds a null, or None.

    Older versions of pyarrow write such a null as a zero. Maps are not searched.
    """
    if not _may_forbid(field):
        return None
    if not field.nullable and column.null_count:
        return str(field.name)
    present = column.drop_null()
    for inner, values in zip(_children(field.type), _flattened(present), strict=True):
        if (name := forbidden_null(inner, values)) is not None:
            return f"{field.name}.{name}"
    return None


def _may_forbid(field: pa.Field) -> bool:
    return not field.nullable or any(_may_forbid(inner) for inner in _children(field.type))


def _children(type_: pa.DataType) -> list[pa.Field]:
    if pt.is_struct(type_):
        return list(type_)
    if pt.is_list(type_) or pt.is_large_list(type_) or pt.is_fixed_size_list(type_):
        return [type_.value_field]
    return []


def _flattened(column: pa.Array | pa.ChunkedArray) -> list[pa.Array | pa.ChunkedArray]:
    if not _children(column.type):
        return []
    inner = column.flatten() if pt.is_struct(column.type) else pc.list_flatten(column)
    return inner if isinstance(inner, list) else [inner]
