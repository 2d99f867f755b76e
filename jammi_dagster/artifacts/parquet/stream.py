"""Streams: any kind of table that people return, as one stream of Arrow tables."""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from jammi_dagster.errors import EmptyStream, NotATable, SchemaChanged, UnsupportedSchema

ACCEPTED = (
    "pyarrow Table, RecordBatch, RecordBatchReader, Dataset or Scanner; pandas DataFrame; polars DataFrame or "
    "LazyFrame; any object with __arrow_c_stream__; or an iterator of these"
)


@dataclass(frozen=True, slots=True)
class Pieces:
    """A stream of tables with one schema, in order, to be read once. A piece's columns keep their chunks."""

    schema: pa.Schema
    tables: Iterator[pa.Table]


def as_stream(data: object, table: str) -> pa.RecordBatchReader:
    """Return the rows of `data` as a reader of record batches, to be read once; see `as_pieces`."""
    pieces = as_pieces(data, table)
    batches = (batch for piece in pieces.tables for batch in piece.to_batches())
    return pa.RecordBatchReader.from_batches(pieces.schema, batches)


def as_pieces(data: object, table: str) -> Pieces:
    """Return the rows of `data` in order; `table` names it in errors.

    * An iterator of tables is one table with the schema of its first; it must yield at least one. The items of
      an iterator or a reader are copied before the next one is asked for: it may fill the same buffers again.
    * pandas: a frame comes with its description (see `pandas_frames`), which has to be the same for all frames of an
      iterator. A default `RangeIndex` leaves no column, nor does any unnamed one within an iterator.
    * polars: views become large strings and binaries, as in `to_arrow`. A LazyFrame is collected.

    Raise `NotATable`, `EmptyStream`, `UnsupportedSchema` for a type that Arrow lacks and, during the read,
    `SchemaChanged`. Exceptions of the data's own iterator pass through unchanged.
    """
    pieces = _whole(data, table)
    if pieces is None and isinstance(data, Iterator):
        pieces = _joined(data, table)
    if pieces is None:
        raise NotATable(table=table, got=_kind(data), accepted=ACCEPTED)
    return Pieces(pieces.schema, _same_schema(pieces, table))


def _whole(data: Any, table: str, *, part: bool = False) -> Pieces | None:
    """Return the pieces of one table-like object, perhaps a `part` of a longer table; None for any other object."""
    if isinstance(data, pa.Table):
        return Pieces(data.schema, iter([data]))
    if isinstance(data, pa.RecordBatch):
        return _from_batches(data.schema, [data])
    if isinstance(data, pa.RecordBatchReader):
        return _copied(_from_batches(data.schema, data))
    if _is(data, "pyarrow._dataset", "Dataset"):
        return _whole(data.scanner(), table)
    if _is(data, "pyarrow._dataset", "Scanner"):
        reader = data.to_reader()
        return _from_batches(reader.schema, reader)
    if _is(data, "pandas", "DataFrame"):
        return _from_pandas(data, table, part=part)
    if _is(data, "polars", "LazyFrame"):
        return _from_polars(data.collect(), table)
    if _is(data, "polars", "DataFrame"):
        return _from_polars(data, table)
    if _is(data, "duckdb", "DuckDBPyRelation"):
        _check_relation(data, table)
    if hasattr(data, "__arrow_c_stream__") and not isinstance(data, type):
        return _from_capsule(data, table)
    return None


def _joined(items: Iterator[Any], table: str) -> Pieces:
    """Join an iterator of table-like objects into one stream."""

    def each() -> Iterator[Pieces]:
        described = None
        for item in items:
            pieces = _whole(item, table, part=True)
            if pieces is None:
                raise NotATable(table=table, got=f"an iterator of {_kind(item)}", accepted=ACCEPTED)
            if _is(item, "pandas", "DataFrame"):
                described = described or pieces.schema
                _check_description(described, pieces.schema, table)
            yield _copied(pieces)

    rest = each()
    first = next(rest, None)
    if first is None:
        raise EmptyStream(table=table)
    later = (piece for pieces in rest for piece in pieces.tables)
    return Pieces(first.schema, itertools.chain(first.tables, later))


def _check_description(first: pa.Schema, later: pa.Schema, table: str) -> None:
    """Refuse a later frame that differs from the first in more than rows: categories, dtypes, index, labels, attrs.

    Which missing value a column of objects has may differ; the first frame's counts.
    """
    from jammi_dagster.artifacts.parquet.pandas_frames import KEY

    if first.metadata[KEY] == later.metadata[KEY] or not first.equals(
        later
    ):  # the schema is checked elsewhere
        return
    one, other = json.loads(first.metadata[KEY]), json.loads(later.metadata[KEY])
    for name, form in one.pop("columns").items():
        got = other["columns"].get(name)
        if form != got and not (_kind_of_objects(form) and _kind_of_objects(form) == _kind_of_objects(got)):
            raise SchemaChanged(table=table, column=name, expected=_short(form), got=_short(got))
    for part in sorted({*one, *other} - {"columns"}):
        if one.get(part) != other.get(part):
            expected, got = _short(one.get(part)), _short(other.get(part))
            raise SchemaChanged(table=table, column=f"({part})", expected=expected, got=got)


def _kind_of_objects(form: Any) -> Any:
    return form["objects"][0] if isinstance(form, dict) and "objects" in form else None


def _short(form: Any) -> str:
    text = json.dumps(form)
    return text if len(text) <= 100 else text[:100] + "…"


def _same_schema(pieces: Pieces, table: str) -> Iterator[pa.Table]:
    for piece in pieces.tables:
        if not piece.schema.equals(pieces.schema):
            raise _changed(pieces.schema, piece.schema, table)
        yield piece


def _changed(first: pa.Schema, later: pa.Schema, table: str) -> SchemaChanged:
    pairs = itertools.zip_longest(first, later)
    expected, got = next((a, b) for a, b in pairs if a is None or b is None or not a.equals(b))
    name = (expected or got).name
    return SchemaChanged(table=table, column=name, expected=_field(expected), got=_field(got))


def _field(field: pa.Field | None) -> str:
    if field is None:
        return "absent"
    return f"{field.name}: {field.type}{'' if field.nullable else ' not null'}"


def _copied(pieces: Pieces) -> Pieces:
    """Copy the pieces into buffers of their own: their source may write to its buffers again."""

    def copies() -> Iterator[pa.Table]:
        for piece in pieces.tables:
            buffer = pa.BufferOutputStream()
            with pa.ipc.new_stream(buffer, piece.schema) as stream:
                stream.write_table(piece)
            yield pa.ipc.open_stream(buffer.getvalue()).read_all()

    return Pieces(pieces.schema, copies())


def _from_batches(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Pieces:
    return Pieces(schema, (pa.Table.from_batches([batch]) for batch in batches))


def _from_pandas(frame: Any, table: str, *, part: bool) -> Pieces:
    from jammi_dagster.artifacts.parquet.pandas_frames import arrow_of

    whole = arrow_of(frame, table, part=part)
    return Pieces(whole.schema, iter([whole]))


def _from_polars(frame: Any, table: str) -> Pieces:
    from jammi_dagster.artifacts.parquet.polars_frames import arrow_of

    return Pieces(*arrow_of(frame, table))


_NOT_KEPT_BY_DUCKDB = {
    "TIME WITH TIME ZONE": "duckdb gives Arrow the time without its offset",
    "BIT": "duckdb gives Arrow its own bytes of it",
}


def _check_relation(relation: Any, table: str) -> None:
    """Refuse types that duckdb exports to Arrow as other values."""
    for name, type_ in zip(relation.columns, map(str, relation.types), strict=True):
        for part, why in _NOT_KEPT_BY_DUCKDB.items():
            if re.search(rf"\b{part}\b(?!\()", re.sub(r'"[^"]*"|\'[^\']*\'', "", type_)):
                way_out = "cast the column, for instance to VARCHAR"
                raise UnsupportedSchema(table=table, column=name, type=type_, why=why, way_out=way_out)


def _from_capsule(data: Any, table: str) -> Pieces:
    try:
        reader = pa.RecordBatchReader.from_stream(data)
    except pa.ArrowInvalid as error:  # a column, such as a polars Series, has the same method
        raise NotATable(table=table, got=f"{_kind(data)} (one column: {error})", accepted=ACCEPTED) from error
    return _copied(_from_batches(reader.schema, reader))


def duplicate_column(table: str, name: str) -> UnsupportedSchema:
    """Build the error for two columns of one name: readers could not tell them apart."""
    return UnsupportedSchema(
        table=table,
        column=name,
        type="any",
        why="the table has more than one column of this name",
        way_out="rename or drop all but one",
    )


def _is(data: object, module: str, name: str) -> bool:
    """Test if `data` is of a class of an optional library, without importing the library."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(data, getattr(loaded, name))


def _kind(data: object) -> str:
    return "None" if data is None else f"a value of type {type(data).__module__}.{type(data).__qualname__}"
