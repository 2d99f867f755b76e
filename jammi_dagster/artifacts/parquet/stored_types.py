"""The type that each Arrow type is written as."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from jammi_dagster.artifacts.parquet.metadata import canonical_metadata


def stored_field(field: pa.Field) -> pa.Field:
    """Return the field that a reader of the file gets."""
    type_ = field.type
    if pt.is_dictionary(type_) and (entry := _dictionary_entry(type_.value_type)) is not None:
        stored = pa.dictionary(pa.int32(), entry, type_.ordered)
    else:
        stored = stored_type(type_)
    return pa.field(field.name, stored, field.nullable, canonical_metadata(field.metadata))


def _dictionary_entry(type_: pa.DataType) -> pa.DataType | None:
    """Return the entry type with which pyarrow reads a dictionary back; None if it would read plain values back."""
    if type_ in (pa.string(), pa.large_string(), pa.string_view()):
        return pa.string()
    if type_ in (pa.binary(), pa.large_binary(), pa.binary_view()):
        return pa.binary()
    return None


def converted(field: pa.Field, column: pa.Array) -> pa.Array:
    """Cast a column to the type of its stored field."""
    values = column.dictionary_decode() if pt.is_dictionary(column.type) else column
    return values.cast(field.type)


_STORED: dict[Any, pa.DataType] = {
    pa.string_view(): pa.large_string(),
    pa.binary_view(): pa.large_binary(),
    pa.date64(): pa.date32(),
    pa.time32("s"): pa.time32("ms"),
}


def stored_type(type_: pa.DataType) -> pa.DataType:
    """Return the type that is written, and that a reader of the file gets."""
    if isinstance(type_, pa.BaseExtensionType):
        return type_
    if pt.is_dictionary(type_):
        return stored_type(type_.value_type)
    if pt.is_timestamp(type_) and type_.unit == "s":
        return pa.timestamp("ms", type_.tz)
    if pt.is_list(type_):
        return pa.list_(_inner(type_.value_field, "element"))
    if pt.is_large_list(type_):
        return pa.large_list(_inner(type_.value_field, "element"))
    if pt.is_fixed_size_list(type_):
        return pa.list_(_inner(type_.value_field, "element"), type_.list_size)
    if pt.is_map(type_):
        return pa.map_(_inner(type_.key_field, "key"), _inner(type_.item_field, "value"), type_.keys_sorted)
    if pt.is_struct(type_):
        return pa.struct([_inner(field, field.name) for field in type_])
    return _STORED.get(type_, type_)


def _inner(field: pa.Field, name: str) -> pa.Field:
    return pa.field(name, stored_type(field.type), field.nullable, canonical_metadata(field.metadata))


def as_stored(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the column as a reader of the file gets it."""
    field = stored_field(pa.field("", column.type))
    if pt.is_dictionary(field.type) or column.type.equals(field.type):
        return column
    return pa.chunked_array([converted(field, chunk) for chunk in column.chunks], field.type)


def without_pandas_types(table: pa.Table) -> pa.Table:
    """Return the table with the storage of types that are pandas' own."""
    for index, field in enumerate(table.schema):
        if isinstance(field.type, pa.BaseExtensionType) and field.type.extension_name.startswith("pandas."):
            chunks = [chunk.storage for chunk in table.column(index).chunks]
            plain = pa.chunked_array(chunks, field.type.storage_type)
            table = table.set_column(index, pa.field(field.name, plain.type), plain)
    return table
