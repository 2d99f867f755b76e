"""One column of pandas as Arrow and back: exactly, or refused."""

from __future__ import annotations

import datetime
import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from jammi_dagster.artifacts.parquet.labels import NotEncodable, decoded_dtype, encoded_dtype, is_object, same
from jammi_dagster.artifacts.parquet.stored_types import as_stored

_GEOMETRY_NAME = b"ARROW:extension:name"
_GEOMETRY_METADATA = b"ARROW:extension:metadata"
_PLAIN_OBJECTS = ({str}, {bool}, {int}, {bytes}, {datetime.date})
_MISSING = {"none": None, "nan": math.nan, "nat": pd.NaT, "na": pd.NA}


class Unfit(Exception):
    """A column that is no longer as it was described, for instance after a cast in Arrow."""


def stored(series: Any) -> tuple[Any, Any, dict[bytes, bytes] | None]:
    """Return the column's values for Arrow, the JSON form that restores it, and metadata for other readers.

    Raises `NotEncodable` for a column that would not come back as it is, and what pyarrow raises.
    """
    dtype = series.dtype
    if is_object(dtype):
        return *_stored_objects(series.to_numpy()), None
    if str(dtype) == "geometry":
        return _stored_geometry(series)
    form = encoded_dtype(dtype)
    if isinstance(dtype, pd.CategoricalDtype):
        return _stored_categories(series), form, None
    if isinstance(dtype, pd.SparseDtype):
        return series.sparse.to_dense(), form, None
    of_pandas = isinstance(dtype, np.dtype) or type(dtype).__module__.split(".")[0] == "pandas"
    if of_pandas and not isinstance(dtype, pd.ArrowDtype):
        return series, form, None
    array = _chunked(pa.array(series.array))
    _verify(restored(as_stored(array), form), series)
    return array, form, None


def restored(column: pa.ChunkedArray, form: Any) -> Any:
    """Return the column as pandas had it. Raises `Unfit` where it has another type or other values by now."""
    try:
        if isinstance(form, dict) and "objects" in form:
            return _restored_objects(column, *form["objects"])
        if isinstance(form, dict) and "geometry" in form:
            return _restored_geometry(column, form["geometry"])
        dtype: Any = decoded_dtype(form)
        if isinstance(dtype, pd.CategoricalDtype):
            return _restored_categories(column, dtype)
        if isinstance(dtype, pd.SparseDtype):
            return pd.arrays.SparseArray(_restored_numpy(column, dtype.subtype), dtype=dtype)
        if isinstance(dtype, np.dtype):
            return _restored_numpy(column, dtype)
        if isinstance(dtype, pd.ArrowDtype):
            return _from_arrow(dtype, _cast(column, dtype.pyarrow_dtype))
        if isinstance(dtype, (pd.Float32Dtype, pd.Float64Dtype)):  # a NaN is not a missing value
            numbers = _restored_numpy(column.fill_null(1), np.dtype(str(dtype).lower()))
            return pd.arrays.FloatingArray(numbers, column.is_null().to_numpy())
        if isinstance(dtype, pd.DatetimeTZDtype):
            column = column.cast(pa.timestamp(dtype.unit, column.type.tz))
        values = _from_arrow(dtype, _storage(column))
        if isinstance(dtype, pd.DatetimeTZDtype):
            values = values.copy()  # not Arrow's memory, which nobody may write to
    except (pa.ArrowException, TypeError, ValueError, OverflowError, AttributeError, ImportError) as error:
        raise Unfit(str(error)) from error
    if len(values) != len(column) or int(pd.isna(values).sum()) < column.null_count:
        raise Unfit(f"{column.type} as {dtype}")
    return values


def as_objects(values: list[Any]) -> Any:
    """Return an array of Python objects, lists among them."""
    array = np.empty(len(values), dtype=object)
    for at, value in enumerate(values):
        array[at] = value
    return array


def _stored_objects(values: Any) -> tuple[pa.Array, Any]:
    missing = pd.isna(values)
    kinds = {_missing_kind(value) for value in values[missing]}
    if missing.any():
        values = values.copy()
        values[missing] = None
    types = set(map(type, values)) - {type(None)}
    array = pa.array(values)
    kind = _object_kind(types)
    form = {"objects": [kind, "none" if len(kinds) != 1 else next(iter(kinds))]}
    if types not in _PLAIN_OBJECTS and types:
        back = _restored_objects(as_stored(_chunked(array)), kind, "none")
        at = next((at for at, pair in enumerate(zip(values, back, strict=True)) if not same(*pair)), None)
        if at is not None:
            raise NotEncodable(f"{values[at]!r:.80} in row {at} would come back as {back[at]!r:.80}")
    return array, form


def _missing_kind(value: Any) -> str:
    for kind, missing in _MISSING.items():
        if value is missing or (kind == "nan" and type(value) is float):
            return kind
    raise NotEncodable(f"{value!r} of type {type(value).__name__}")


def _object_kind(types: set[type]) -> str:
    if len(types) != 1:
        return "python"
    (type_,) = types
    if issubclass(type_, np.generic):
        return f"numpy:{np.dtype(type_)}"
    return {tuple: "tuple", np.ndarray: "array", pd.Timestamp: "pandas", pd.Timedelta: "pandas"}.get(
        type_, "python"
    )


def _restored_objects(column: pa.ChunkedArray, kind: str, missing: str) -> Any:
    if kind in ("array", "pandas"):
        values = as_objects(list(column.to_pandas()))
    elif kind.startswith("numpy:"):
        dtype = np.dtype(kind.removeprefix("numpy:"))
        values = as_objects([None if value is None else dtype.type(value) for value in column.to_pylist()])
    elif pt.is_string(column.type):
        values = column.to_numpy().astype(object)
    else:
        values = as_objects(column.to_pylist())
        if kind == "tuple":
            values = as_objects([None if value is None else tuple(value) for value in values])
    if column.null_count:
        values[column.is_null().to_numpy()] = _MISSING[missing]
    return values


def _stored_categories(series: Any) -> Any:
    categories = series.cat.categories
    if pd.api.types.infer_dtype(categories, skipna=False) == "string":
        return series
    entries, _, _ = stored(pd.Series(categories))
    entries = entries if isinstance(entries, pa.Array) else pa.array(entries)
    form = encoded_dtype(series.dtype)
    as_series = pd.Series(pd.Categorical.from_codes(np.arange(len(categories)), dtype=series.dtype))
    _verify(restored(as_stored(_chunked(entries)), form), as_series)
    codes = series.cat.codes.to_numpy()
    return entries.take(pa.array(codes, mask=codes < 0))


def _restored_categories(column: pa.ChunkedArray, dtype: Any) -> Any:
    codes = np.full(len(column), -1)
    if pt.is_dictionary(column.type):
        whole = column.unify_dictionaries().combine_chunks()
        whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
        places = _places(_chunked(whole.dictionary), dtype)
        if len(places):
            indices = whole.indices.fill_null(0).to_numpy()
            codes = np.where(whole.is_valid().to_numpy(zero_copy_only=False), places[indices], -1)
    else:
        codes[column.is_valid().to_numpy()] = _places(column.drop_null(), dtype)
    if int((codes < 0).sum()) != column.null_count:
        raise Unfit("a value is none of the categories")
    return pd.Categorical.from_codes(codes, dtype=dtype)


def _places(entries: pa.ChunkedArray, dtype: Any) -> Any:
    categories = dtype.categories
    if is_object(categories.dtype):
        values = pd.Index(as_objects(entries.to_pylist()), dtype=object)
    else:
        values = pd.Index(restored(entries, encoded_dtype(categories.dtype)))
    return categories.get_indexer(values)


def _restored_numpy(column: pa.ChunkedArray, dtype: Any) -> Any:
    if column.null_count and dtype.kind in "iub":
        raise Unfit(f"nulls as {dtype}")
    if dtype.kind in "mM":
        unit = np.datetime_data(dtype)[0]
        column = column.cast(pa.timestamp(unit) if dtype.kind == "M" else pa.duration(unit))
    elif not column.type.equals(pa.from_numpy_dtype(dtype)):
        raise Unfit(f"{column.type} as {dtype}")
    values = column.to_numpy()
    if values.dtype != dtype:
        return values.astype(dtype)
    return values if values.flags.writeable else values.copy()


def _stored_geometry(series: Any) -> tuple[Any, Any, dict[bytes, bytes]]:
    import geopandas

    series = geopandas.GeoSeries(series)
    crs = None if series.crs is None else series.crs.to_json()
    array = pa.array(series.to_wkb().to_numpy(), pa.binary())
    form = {"geometry": crs}
    back = _restored_geometry(_chunked(array), crs)
    if not back.geom_type.equals(series.geom_type.reset_index(drop=True)) or back.crs != series.crs:
        raise NotEncodable("a geometry or reference system without a well-known form")
    metadata = f'{{"crs": {crs}}}' if crs else "{}"
    return array, form, {_GEOMETRY_NAME: b"geoarrow.wkb", _GEOMETRY_METADATA: metadata.encode()}


def _restored_geometry(column: pa.ChunkedArray, crs: str | None) -> Any:
    import geopandas

    return geopandas.GeoSeries.from_wkb(as_objects(_storage(column).to_pylist()), crs=crs)


def _cast(column: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    if column.type.equals(type_):
        return column
    if not pt.is_dictionary(type_):
        return column.cast(type_)
    values = pc.cast(column, type_.value_type) if not pt.is_dictionary(column.type) else column
    chunks = []
    for chunk in values.unify_dictionaries().chunks:
        encoded = chunk if pt.is_dictionary(chunk.type) else chunk.dictionary_encode()
        indices, entries = encoded.indices.cast(type_.index_type), encoded.dictionary.cast(type_.value_type)
        chunks.append(pa.DictionaryArray.from_arrays(indices, entries, ordered=type_.ordered))
    return pa.chunked_array(chunks, type_)


def _from_arrow(dtype: Any, column: pa.ChunkedArray) -> Any:
    return dtype.__from_arrow__(column)


def _storage(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the column without its extension type, which other processes need not know."""
    if not isinstance(column.type, pa.BaseExtensionType):
        return column
    return pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)


def _chunked(array: Any) -> pa.ChunkedArray:
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array], array.type)


def _verify(back: Any, series: Any) -> None:
    back = pd.Series(back, index=series.index)
    if back.dtype != series.dtype or not back.equals(series):
        raise NotEncodable(f"its values do not come back as {series.dtype}")
