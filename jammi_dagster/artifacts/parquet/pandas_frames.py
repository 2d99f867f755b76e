"""A pandas frame as an Arrow table that carries its description, and the frame of such a table.

The description is JSON under one key of the schema's metadata: form of each column (see `pandas_columns`), columns of
the index, labels of the columns, `attrs`. It is canonical, so equal frames give equal bytes. Columns that no longer
fit their description, as in a table that an Arrow function made of another, are read as if there were none.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from contextlib import suppress
from typing import Any

import pandas as pd
import pyarrow as pa

from jammi_dagster.artifacts.parquet.labels import (
    NotEncodable,
    decoded,
    decoded_index,
    encoded,
    encoded_index,
    is_object,
    with_freq,
)
from jammi_dagster.artifacts.parquet.metadata import described
from jammi_dagster.artifacts.parquet.pandas_columns import Unfit, restored, stored
from jammi_dagster.artifacts.parquet.pandas_defaults import default_frame
from jammi_dagster.errors import UnsupportedSchema

KEY = b"jammi:pandas"
_PANDAS = b"pandas"
_NO_ARROW_TYPE = (
    pa.ArrowException,
    NotEncodable,
    Unfit,
    AttributeError,
    TypeError,
    ValueError,
    OverflowError,
)


def arrow_of(frame: pd.DataFrame, table: str, *, part: bool = False) -> pa.Table:
    """Return the frame as an Arrow table with its description. A `part` of a longer table has no range index.

    Raises `UnsupportedSchema`, naming the column, for values that would not come back as they are.
    """
    return _Writer(frame, table, part).write()


def pandas_of(table: pa.Table) -> Any:
    """Return the frame that a table was made of; a table without a description as pyarrow has it, but exactly."""
    form = described(table.schema, KEY)
    if not {"columns", "index"} <= form.keys():
        return default_frame(table)
    return _Reader(table, form).read()


class _Writer:
    def __init__(self, frame: pd.DataFrame, table: str, part: bool) -> None:
        self._frame, self._table, self._part = frame, table, part
        self._columns: dict[str, Any] = {}
        self._forms: dict[str, Any] = {}
        self._metadata: dict[str, dict[bytes, bytes]] = {}

    def write(self) -> pa.Table:
        frame = self._frame
        names = [_name(label) for label in frame.columns]
        for number, name in enumerate(names):
            self._add(name, frame.iloc[:, number])
        form: dict[str, Any] = {"columns": self._forms, "index": self._index(names)}
        if not self._columns and len(frame):
            raise self._refusal("(none)", "(none)", "Parquet keeps no rows without columns", "add a column")
        if not _are_plain(frame.columns):
            form["labels"] = self._encoded("(column labels)", encoded_index, frame.columns)
            form["names"] = names
        if frame.attrs:
            form["attrs"] = self._encoded("(attrs)", encoded, dict(frame.attrs))
        if not frame.flags.allows_duplicate_labels:
            form["unique_labels"] = True
        if hasattr(frame, "active_geometry_name"):
            form["geometry"] = self._encoded("(geometry)", encoded, frame.active_geometry_name)
        return self._arrow(form)

    def _add(self, name: str, series: Any) -> None:
        if name in self._columns:
            why, way_out = "the table has more than one column of this name", "rename or drop all but one"
            raise self._refusal(name, "any", why, way_out)
        try:
            values, form, metadata = stored(series)
        except _NO_ARROW_TYPE as error:
            why, way_out = str(error.args[0]), "give the column one type, for instance with `astype`"
            raise self._refusal(name, str(series.dtype), why, way_out) from error
        self._columns[name], self._forms[name] = values, form
        if metadata:
            self._metadata[name] = metadata

    def _index(self, names: list[str]) -> Any:
        index, span = self._frame.index, None
        if isinstance(index, pd.RangeIndex):
            span = [index.start, index.stop, index.step]
            if index.name is None:
                # a default one grows with its table
                default = self._part or (index.start, index.step) == (0, 1)
                return {"range": None if default else span, "names": [encoded(None)]}
            index = pd.Index(index.to_numpy(), name=index.name)
        taken, columns = set(names), []
        for number, label in enumerate(index.names):
            name = _name(label)
            if label is None or name in taken:
                name = f"__index_level_{number}__"
            taken.add(name)
            columns.append(name)
            values = _level(index, number)
            self._add(name, pd.Series(values, dtype=values.dtype))
        form: dict[str, Any] = {"columns": columns}
        if span is not None and not self._part:
            form["range"] = span
        form["names"] = [self._encoded("(index)", encoded, name) for name in index.names]
        if isinstance(index, pd.MultiIndex):
            form["levels"] = [str(level.dtype) for level in index.levels]
        freq = None if isinstance(index, pd.PeriodIndex) else getattr(index, "freq", None)
        if freq is not None and pd.tseries.frequencies.to_offset(freq.freqstr) == freq:
            form["freq"] = freq.freqstr
        return form

    def _arrow(self, form: dict[str, Any]) -> pa.Table:
        of_pandas = {name: v for name, v in self._columns.items() if isinstance(v, pd.Series)}
        flat = pd.DataFrame({name: v.array for name, v in of_pandas.items()}, copy=False)
        if not of_pandas:
            flat = pd.DataFrame(index=pd.RangeIndex(len(self._frame)))
        try:
            whole = pa.Table.from_pandas(flat, preserve_index=False)
        except _NO_ARROW_TYPE as error:
            name = next((n for n, v in of_pandas.items() if not _is_arrow(v)), "(all)")
            type_ = str(of_pandas[name].dtype) if name in of_pandas else "any"
            way_out = "give the column one type, for instance with `astype`"
            raise self._refusal(name, type_, str(error.args[0]), way_out) from error
        columns = [whole.column(name) if name in of_pandas else v for name, v in self._columns.items()]
        fields = [
            pa.field(name, column.type, metadata=self._metadata.get(name))
            for name, column in zip(self._columns, columns, strict=True)
        ]
        metadata = {KEY: _json(form), _PANDAS: self._for_pandas(whole.schema.pandas_metadata, form["index"])}
        return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata))

    def _for_pandas(self, found: dict[str, Any], index: dict[str, Any]) -> bytes:
        """Return pandas' own description, for whoever reads the file with pandas or calls `to_pandas`."""
        found["index_columns"] = index.get("columns", [])
        if "columns" not in index:
            start, stop, step = index["range"] or (0, len(self._frame), 1)
            found["index_columns"] = [
                {"kind": "range", "name": None, "start": start, "stop": stop, "step": step}
            ]
        known = {column["name"] for column in found["columns"]}
        found["columns"].extend(_of_objects(name) for name in self._columns if name not in known)
        for column in found["columns"]:
            if column["name"] in index.get("columns", []) and column["name"].startswith("__index_level_"):
                column["name"] = None
        if not _are_plain(self._frame.columns):
            try:
                labels = pa.Table.from_pandas(pd.DataFrame(columns=self._frame.columns), preserve_index=False)
                if labels.to_pandas().columns.equals(self._frame.columns):
                    found["column_indexes"] = labels.schema.pandas_metadata["column_indexes"]
            except _NO_ARROW_TYPE:
                pass  # then the labels are text for them
        return _json(found)

    def _encoded(self, what: str, encode: Any, value: Any) -> Any:
        try:
            return encode(value)
        except NotEncodable as error:
            way_out = "use text, numbers, dates or times"
            raise self._refusal(what, type(value).__name__, str(error), way_out) from error

    def _refusal(self, column: str, type_: str, why: str, way_out: str) -> UnsupportedSchema:
        return UnsupportedSchema(table=self._table, column=column, type=type_, why=why, way_out=way_out)


class _Reader:
    def __init__(self, table: pa.Table, form: dict[str, Any]) -> None:
        self._table, self._form = table, form

    def read(self) -> Any:
        columns = self._columns()
        index = self._index(columns)
        series = {name: pd.Series(values, dtype=values.dtype, copy=False) for name, values in columns.items()}
        frame = pd.DataFrame(series, index=pd.RangeIndex(self._table.num_rows), copy=False)
        frame.index = index
        geometry = self._form.get("geometry")
        self._label(frame)
        if "geometry" in self._form:
            frame = _geo_frame(frame, decoded(geometry))
        if "attrs" in self._form:
            frame.attrs = decoded(self._form["attrs"])
        if self._form.get("unique_labels") and frame.columns.is_unique and frame.index.is_unique:
            frame.flags.allows_duplicate_labels = False
        return frame

    def _columns(self) -> dict[str, Any]:
        """Return the values of each column: of one that no longer fits its form, as if it had none."""
        forms, exact = self._form["columns"], {}
        for name in self._table.column_names:
            form = forms.get(name)
            if form is not None and not (isinstance(form, str) and form in _BULK):
                with suppress(Unfit):
                    exact[name] = restored(self._table.column(name), form)
        rest = self._table.select([name for name in self._table.column_names if name not in exact])
        bulk = default_frame(rest.replace_schema_metadata(None))
        return {
            name: exact[name] if name in exact else bulk[name]._values for name in self._table.column_names
        }

    def _index(self, columns: dict[str, Any]) -> Any:
        form, rows = self._form["index"], self._table.num_rows
        names = [decoded(name) for name in form["names"]]
        span, levels = None, form.get("columns", [])
        if form.get("range") is not None:
            start, stop, step = form["range"]
            span = pd.RangeIndex(start, stop, step, name=names[0])
        if not levels or any(name not in columns for name in levels):
            return span if span is not None and len(span) == rows and not levels else pd.RangeIndex(rows)
        values = [columns.pop(name) for name in levels]
        if span is not None and len(span) == rows and (span == values[0]).all():
            return span
        indexes = [
            pd.Index(v, dtype=v.dtype, name=name, tupleize_cols=False)
            for v, name in zip(values, names, strict=True)
        ]
        if "levels" in form:
            return _multi_index(indexes, form["levels"])
        return with_freq(indexes[0], form.get("freq"))

    def _label(self, frame: pd.DataFrame) -> None:
        if "labels" not in self._form:
            return
        labels, names = decoded_index(self._form["labels"]), self._form["names"]
        if list(frame.columns) == names:
            frame.columns = labels
        elif isinstance(labels, pd.MultiIndex):
            return
        else:
            of_name = dict(zip(names, labels, strict=True))
            frame.columns = pd.Index([of_name.get(name, name) for name in frame.columns], name=labels.name)


_BULK = frozenset(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
_WHOLE = [*sorted(_BULK), "bool"]


def _name(label: Hashable) -> str:
    """Return the name of a label's column, as pyarrow has it."""
    return str(tuple(map(_name, label))) if isinstance(label, tuple) else str(label)


def _level(index: pd.Index, number: int) -> Any:
    """Return the values of an index's level; integers with missing ones are nullable, not rounded."""
    if not isinstance(index, pd.MultiIndex):
        return index.array
    level, codes = index.levels[number], index.codes[number]
    if level.dtype in _WHOLE and (codes < 0).any():
        return pd.array(level.to_numpy()).take(codes, allow_fill=True)
    return index.get_level_values(number).array


def _multi_index(indexes: list[Any], dtypes: list[str]) -> Any:
    index: Any = pd.MultiIndex.from_arrays(indexes)
    for number, dtype in enumerate(dtypes):
        level = index.levels[number]
        if dtype in _WHOLE and level.dtype != dtype and str(level.dtype).lower() in (dtype, "boolean"):
            index = index.set_levels(level.astype(dtype), level=number)
    return index


def _are_plain(labels: pd.Index) -> bool:
    """Tell labels that are no more than the names of Arrow's columns."""
    if labels.nlevels > 1 or labels.name is not None or isinstance(labels, pd.CategoricalIndex):
        return False
    return labels.dtype == _TEXT and (
        not is_object(labels.dtype) or all(type(label) is str for label in labels)
    )


_TEXT = pd.Index(["a"]).dtype


def _of_objects(name: str) -> dict[str, Any]:
    """Return pandas' own description of a column that is to be as Arrow has it."""
    return {
        "name": name,
        "field_name": name,
        "pandas_type": "object",
        "numpy_type": "object",
        "metadata": None,
    }


def _is_arrow(column: pd.Series) -> bool:
    try:
        pa.array(column, from_pandas=True)
    except _NO_ARROW_TYPE:
        return False
    return True


def _geo_frame(frame: Any, geometry: Any) -> Any:
    try:
        import geopandas
    except ImportError:  # then the geometries are bytes
        return frame
    if geometry is not None and geometry not in frame.columns:
        geometry = None
    return geopandas.GeoDataFrame(frame, geometry=geometry)


def _json(form: dict[str, Any]) -> bytes:
    return json.dumps(form, sort_keys=True, separators=(",", ":")).encode()
