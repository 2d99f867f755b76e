"""A polars frame as Arrow, with a description of the columns whose type Parquet does not keep, and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import polars as pl
import pyarrow as pa

from jammi_dagster.artifacts.parquet.metadata import described
from jammi_dagster.artifacts.parquet.stored_types import stored_field, without_pandas_types
from jammi_dagster.errors import UnsupportedSchema

KEY = b"jammi:polars"
_ROWS = 1 << 16
_FAILS = (pl.exceptions.PolarsError, pa.ArrowException, TypeError, ValueError, NotImplementedError)


def arrow_of(frame: pl.DataFrame, table: str) -> tuple[pa.Schema, Iterator[pa.Table]]:
    """Return the frame's schema as Arrow, and its rows. Raises `UnsupportedSchema`, naming the column."""
    empty = frame.clear()
    forms = {}
    for name, dtype in frame.schema.items():
        try:
            # to Arrow, objects are addresses in memory; other types of polars' own Arrow does not know
            if "Object" in str(dtype) and _has_objects(dtype):
                raise TypeError("polars keeps Python objects in it")
            form = _form_of(empty.select(name), dtype)
        except _FAILS as error:
            way_out = "cast the column to a type that Arrow has"
            raise UnsupportedSchema(
                table=table, column=name, type=str(dtype), why=str(error), way_out=way_out
            ) from error
        if form is not None:
            forms[name] = form
    schema = empty.to_arrow().schema
    if forms:
        text = json.dumps(forms, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        schema = schema.with_metadata({KEY: text.encode()})
    pieces = (piece.to_arrow() for piece in frame.iter_slices(_ROWS))
    return schema, (piece.replace_schema_metadata(schema.metadata) for piece in pieces)


def polars_of(table: pa.Table) -> pl.DataFrame:
    """Return the frame that a table was made of; another table as polars has it."""
    frame = pl.DataFrame(without_pandas_types(table).replace_schema_metadata(None))
    for name, form in described(table.schema, KEY).items():
        if name in frame.columns:
            try:
                frame = frame.with_columns(frame[name].cast(_target(frame.schema[name], form)))
            except _FAILS:  # another column of that name by now
                continue
    return frame


def _form_of(empty: pl.DataFrame, dtype: Any) -> Any:
    """Return the form that restores a column's type; None where Parquet keeps it."""
    schema = empty.to_arrow().schema
    stored = pl.DataFrame(pa.schema([stored_field(field) for field in schema]).empty_table())
    ((_, found),) = stored.schema.items()
    if found == dtype:
        return None
    form = _form(dtype)
    if _target(found, form) != dtype or stored.to_series().cast(dtype).dtype != dtype:
        raise TypeError(f"it would come back as {found}")
    return form


def _form(dtype: Any) -> Any:
    if isinstance(dtype, pl.Enum):
        return {"enum": dtype.categories.to_list()}
    if isinstance(dtype, pl.Categorical):
        return {"categorical": True}
    if isinstance(dtype, (pl.List, pl.Array)):
        return {"inner": _form(dtype.inner)}
    if isinstance(dtype, pl.Struct):
        return {"fields": {field.name: _form(field.dtype) for field in dtype.fields}}
    return None


def _target(found: Any, form: Any) -> Any:
    if form is None:
        return found
    if "enum" in form:
        return pl.Enum(form["enum"])
    if "categorical" in form:
        return pl.Categorical()
    if "inner" in form and isinstance(found, pl.List):
        return pl.List(_target(found.inner, form["inner"]))
    if "inner" in form and isinstance(found, pl.Array):
        return pl.Array(_target(found.inner, form["inner"]), found.size)
    if "fields" in form and isinstance(found, pl.Struct):
        fields = form["fields"]
        return pl.Struct(
            [pl.Field(field.name, _target(field.dtype, fields.get(field.name))) for field in found.fields]
        )
    return found


def _has_objects(dtype: Any) -> bool:
    if isinstance(dtype, (pl.List, pl.Array)):
        return _has_objects(dtype.inner)
    if isinstance(dtype, pl.Struct):
        return any(_has_objects(field.dtype) for field in dtype.fields)
    return bool(dtype == pl.Object)
