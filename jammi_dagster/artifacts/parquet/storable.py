"""Which Arrow schemas Parquet holds, and the one form in which this package writes each.

Equal data has one form, however it was chunked and whatever library it came from:

* metadata of schema and fields is sorted by key; pandas' loses its versions and every trace of a default index;
* inner fields of lists and maps have the names that Parquet gives them;
* what Parquet would store as another type is that type from the start: seconds are milliseconds, `date64` is
  `date32`, views are large strings and binaries, a dictionary is its values;
* only a top-level dictionary of strings or binaries stays one, with `int32` indices. An unordered one is rebuilt in
  each row group in order of first occurrence: order of entries, unused entries and nulls among them leave no trace.
  The entries of an ordered one are data: they are kept, and have to be the same in all batches.

The bits of a NaN and the sign of a zero are data.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from jammi_dagster.artifacts.parquet.dictionaries import rebuilt, with_entries
from jammi_dagster.artifacts.parquet.metadata import canonical_metadata
from jammi_dagster.artifacts.parquet.nulls import fixed_size_nulls_survive, forbidden_null
from jammi_dagster.artifacts.parquet.stored_types import converted, stored_field, stored_type
from jammi_dagster.artifacts.parquet.stream import duplicate_column
from jammi_dagster.artifacts.parquet.writer_profile import DEFAULT_PROFILE
from jammi_dagster.errors import UnstorableData, UnsupportedSchema

_CAST_ROWS = 1 << 14
_CAST = "cast the column to a type that Parquet has"


class Storable:
    """The written form of one stream: its schema, and the conversion of its pieces.

    The constructor raises `UnsupportedSchema` for a schema that Parquet, or the installed pyarrow, cannot hold and give
    back.
    """

    def __init__(self, source: pa.Schema, table: str) -> None:
        self._table = table
        self._check_names(source.names)
        for field in source:
            self._check(field, field.type)
        fields = [stored_field(field) for field in source]
        self.schema = pa.schema(fields, canonical_metadata(source.metadata))
        self._check_pyarrow(source)
        self._rows_at_once = _rows_at_once(
            new.type
            for old, new in zip(source, self.schema, strict=True)
            if not (old.type.equals(new.type) or pt.is_dictionary(new.type))
        )
        self._orders: dict[str, pa.Array] = {}

    def pieces(self, source: pa.Table) -> Iterator[pa.Table]:
        """Convert `source` to the written form. Raise `UnstorableData`, or `UnsupportedSchema` if it has no columns."""
        if not source.num_columns and source.num_rows:
            why = "Parquet keeps no rows without columns"
            raise self._unsupported("(none)", "(none)", why, "add a column")
        rows = self._rows_at_once or max(source.num_rows, 1)
        for at in range(0, source.num_rows, rows):
            columns = map(self._stored, self.schema, source.slice(at, rows).columns)
            yield pa.Table.from_arrays(list(columns), schema=self.schema)

    def row_group(self, pieces: list[pa.Table]) -> pa.Table:
        """Join the rows of one row group, each column in one chunk. Raise `UnstorableData`."""
        table = pa.concat_tables(pieces)
        for index, field in enumerate(self.schema):
            if pt.is_dictionary(field.type) and not field.type.ordered:
                table = table.set_column(index, field, rebuilt(table.column(index)))
        table = table.combine_chunks()
        for field, column in zip(self.schema, table.columns, strict=True):
            if name := forbidden_null(field, column):
                why = f"column {name} is declared as not nullable and holds a null"
                raise self._unstorable(why, "fill the nulls or make the field nullable")
        return table

    def _stored(self, field: pa.Field, column: pa.ChunkedArray) -> pa.ChunkedArray:
        if pt.is_dictionary(field.type):
            convert = self._recoded
        elif column.type.equals(field.type):
            return column
        else:
            convert = converted
        try:
            return pa.chunked_array([convert(field, chunk) for chunk in column.chunks], field.type)
        except pa.ArrowException as error:
            why = f"column {field.name}, {column.type} as {field.type}: {error}"
            raise self._unstorable(why, "cast the column to a type that holds it") from error

    def _recoded(self, field: pa.Field, column: pa.DictionaryArray) -> pa.DictionaryArray:
        if field.type.ordered and len(column):
            self._check_order(field.name, column.dictionary)
        return with_entries(column, field.type)

    def _check_order(self, name: str, entries: pa.Array) -> None:
        if not self._orders.setdefault(name, entries).equals(entries):
            raise self._unstorable(
                f"column {name} is an ordered dictionary whose entries differ between batches",
                "give all batches the same categories",
            )
        if entries.null_count:
            why = f"column {name} is an ordered dictionary with a null among its entries"
            raise self._unstorable(why, "make the indices null instead")

    def _check_names(self, names: list[str]) -> None:
        seen: set[str] = set()
        for name in names:
            if name in seen:
                raise duplicate_column(self._table, name)
            seen.add(name)

    def _check(self, field: pa.Field, type_: pa.DataType) -> None:
        """Refuse a type within `field` that pyarrow would write without complaint and not give back unchanged."""
        why, way_out = None, _CAST
        if isinstance(type_, pa.BaseExtensionType):
            if not stored_type(type_.storage_type).equals(type_.storage_type):
                why = f"Parquet has no place for its storage type {type_.storage_type}"
        elif pt.is_fixed_size_list(type_) and type_.list_size == 0:
            why = "Parquet has no lists of fixed size 0"
        elif pt.is_fixed_size_list(type_) and not fixed_size_nulls_survive():
            why = f"pyarrow {pa.__version__} may not read it back"
            way_out = "upgrade pyarrow, or cast it to a list"
        elif str(type_).startswith(("list_view", "large_list_view")):
            why, way_out = "Parquet has no list views", "cast the column to a list"
        if why is not None:
            raise self._unsupported(field.name, str(field.type), why, way_out)
        for index in range(type_.num_fields):
            self._check(field, type_.field(index).type)

    def _check_pyarrow(self, source: pa.Schema) -> None:
        """Ask the installed pyarrow by casting and writing no rows; on refusal, ask again column by column."""
        try:
            _rehearse(source, self.schema)
        except (pa.ArrowException, OSError) as refusal:
            for old, new in zip(source, self.schema, strict=True):
                try:
                    _rehearse(pa.schema([old]), pa.schema([new]))
                except (pa.ArrowException, OSError) as error:
                    raise self._unsupported(old.name, str(old.type), str(error), _CAST) from error
            raise self._unsupported("(all)", "(all)", str(refusal), _CAST) from refusal

    def _unstorable(self, why: str, way_out: str) -> UnstorableData:
        return UnstorableData(table=self._table, why=why, way_out=way_out)

    def _unsupported(self, column: str, type_: str, why: str, way_out: str) -> UnsupportedSchema:
        return UnsupportedSchema(table=self._table, column=column, type=type_, why=why, way_out=way_out)


def _rehearse(source: pa.Schema, stored: pa.Schema) -> None:
    for column, field in zip(source.empty_table().columns, stored, strict=True):
        if not (column.type.equals(field.type) or pt.is_dictionary(field.type)):
            converted(field, column.combine_chunks())
    pq.ParquetWriter(io.BytesIO(), stored).close()


def _rows_at_once(copied: Iterable[pa.DataType]) -> int | None:
    """Return the number of rows to convert at once, so that a large table is not in memory twice.

    None if nothing is copied. Values of fixed width take 2 MiB a column, and as a rule stay one chunk.
    """
    types = list(copied)
    if not types:
        return None
    return DEFAULT_PROFILE.row_limit if all(map(pt.is_primitive, types)) else _CAST_ROWS
