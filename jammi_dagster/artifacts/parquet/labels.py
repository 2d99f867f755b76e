"""Labels, dtypes and attributes of pandas as JSON.

A codec is used only where decoding gives the same object again: `encoded` raises `NotEncodable` for the rest.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa


class NotEncodable(Exception):
    """A label, dtype or attribute that has no exact form in JSON."""


def encoded(value: Any) -> Any:
    """Return the JSON form of a label or attribute: plain for text, booleans, integers and floats, else one tag.

    `encoded(pd.Period("2020-01", "M"))` is `{"period": [600, "M"]}`. Raises `NotEncodable`.
    """
    if type(value) in (str, bool, int):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": str(value)}
    if value is None or value is pd.NaT or value is pd.NA:
        return {"missing": "none" if value is None else "nat" if value is pd.NaT else "na"}
    if isinstance(value, np.generic) and value.dtype.kind in "iufb":
        return {"numpy": [str(value.dtype), encoded(value.item())]}
    for tag, (type_, write, read) in _TAGS.items():
        if type(value) is type_:
            form = write(value)
            if tag in _NESTED or same(read(form), value):
                return {tag: form}
    raise NotEncodable(f"{value!r:.80} of type {type(value).__module__}.{type(value).__qualname__}")


def decoded(form: Any) -> Any:
    """Return the label or attribute of a JSON form."""
    if not isinstance(form, dict):
        return form
    ((tag, inner),) = form.items()
    if tag == "float":
        return float(inner)
    if tag == "missing":
        return {"none": None, "nat": pd.NaT, "na": pd.NA}[inner]
    if tag == "numpy":
        return np.dtype(inner[0]).type(decoded(inner[1]))
    return _TAGS[tag][2](inner)


def same(one: Any, other: Any) -> bool:
    """Compare type and value, within containers too; one NaN equals another."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and same(one.tolist(), other.tolist())
    if one is other:
        return True
    if isinstance(one, (float, np.floating)) and math.isnan(one):
        return math.isnan(other)
    if isinstance(one, (datetime.datetime, datetime.time)):
        return one == other and str(one.tzinfo) == str(other.tzinfo)
    return bool(one == other)


def encoded_index(index: Any) -> dict[str, Any]:
    """Return the JSON form of labels. Raises `NotEncodable`."""
    names = [encoded(name) for name in index.names]
    if isinstance(index, pd.MultiIndex):
        levels = [encoded_index(index.levels[number].rename(None)) for number in range(index.nlevels)]
        form: dict[str, Any] = {"levels": levels, "codes": [codes.tolist() for codes in index.codes]}
    elif isinstance(index, pd.RangeIndex):
        form = {"range": [index.start, index.stop, index.step]}
    else:
        # a category may be missing, a value of a categorical is one of its categories
        form = {"values": [encoded(value) for value in index.tolist()], "dtype": encoded_dtype(index.dtype)}
        if (freq := getattr(index, "freq", None)) is not None and not isinstance(index, pd.PeriodIndex):
            form["freq"] = freq.freqstr
    form["names"] = names
    if not same_index(decoded_index(form), index):
        raise NotEncodable(f"labels of type {index.dtype}")
    return form


def decoded_index(form: dict[str, Any]) -> Any:
    """Return the labels of a JSON form."""
    names = [decoded(name) for name in form["names"]]
    if "levels" in form:
        levels: list[Any] = [decoded_index(level) for level in form["levels"]]
        return pd.MultiIndex(levels=levels, codes=form["codes"], names=names)
    if "range" in form:
        start, stop, step = form["range"]
        return pd.RangeIndex(start, stop, step, name=names[0])
    values, dtype = [decoded(value) for value in form["values"]], decoded_dtype(form["dtype"])
    if is_object(dtype):
        index = pd.Index(_objects(values), dtype=object, name=names[0])
    else:
        index = pd.Index(values, dtype=dtype, name=names[0])
    return with_freq(index, form.get("freq"))


def with_freq(index: Any, freq: str | None) -> Any:
    """Set the frequency of times where they have it."""
    if freq is None:
        return index
    try:
        index.freq = freq
    except (ValueError, AttributeError):  # rows were dropped meanwhile
        return index
    return index


def same_index(one: Any, other: Any) -> bool:
    """Compare labels with their types, names and frequency."""
    if type(one) is not type(other) or not same(list(one.names), list(other.names)):
        return False
    if isinstance(one, pd.MultiIndex):
        return bool(one.equals(other)) and all(map(_same_level, one.levels, other.levels))
    if one.dtype != other.dtype or getattr(one, "freq", None) != getattr(other, "freq", None):
        return False
    return bool(one.equals(other)) and (not is_object(one.dtype) or same(one.tolist(), other.tolist()))


def _same_level(one: Any, other: Any) -> bool:
    return same_index(one.rename(None), other.rename(None))


def encoded_dtype(dtype: Any) -> Any:
    """Return the JSON form of a dtype: its name, or a tag where the name does not tell all. Raises `NotEncodable`."""
    form: Any = str(dtype)
    if isinstance(dtype, pd.CategoricalDtype):
        if dtype.categories is None:
            raise NotEncodable("a categorical without categories")
        form = {"categories": encoded_index(dtype.categories), "ordered": bool(dtype.ordered)}
    elif isinstance(dtype, pd.StringDtype):
        missing = "na" if getattr(dtype, "na_value", pd.NA) is pd.NA else "nan"
        form = {"string": [dtype.storage, missing]}
    elif isinstance(dtype, pd.SparseDtype):
        form = {"sparse": [str(dtype.subtype), encoded(dtype.fill_value)]}
    elif isinstance(dtype, pd.ArrowDtype):
        schema = pa.schema([pa.field("", dtype.pyarrow_dtype)])
        form = {"arrow": base64.b64encode(schema.serialize().to_pybytes()).decode()}
    try:
        if decoded_dtype(form) == dtype:
            return form
    except (TypeError, ValueError):
        pass
    raise NotEncodable(f"type {dtype}")


def decoded_dtype(form: Any) -> Any:
    """Return the dtype of a JSON form. Raises `TypeError` where the installed pandas lacks it."""
    if isinstance(form, str):
        return pd.api.types.pandas_dtype(form)
    if "categories" in form:
        return pd.CategoricalDtype(decoded_index(form["categories"]), form["ordered"])
    if "string" in form:
        storage, missing = form["string"]
        return pd.StringDtype(storage) if missing == "na" else pd.StringDtype(storage, na_value=np.nan)
    if "sparse" in form:
        return pd.SparseDtype(np.dtype(form["sparse"][0]), decoded(form["sparse"][1]))
    if "arrow" in form:
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(form["arrow"])))
        return pd.ArrowDtype(schema.field(0).type)
    raise TypeError(f"no dtype: {form}")


def is_object(dtype: Any) -> bool:
    """Tell the dtype of Python objects from all others, strings among them."""
    return isinstance(dtype, np.dtype) and dtype.kind == "O"


def _objects(values: list[Any]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _timestamp(form: list[Any]) -> Any:
    value, unit, zone = form
    naive = pd.Timestamp(np.datetime64(value, unit))
    return naive if zone is None else naive.tz_localize("UTC").tz_convert(zone)


_NESTED = ("list", "tuple", "dict")
_TAGS: dict[str, tuple[type, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "timestamp": (
        pd.Timestamp,
        lambda v: [int(v.asm8.astype("int64")), v.unit, None if v.tz is None else str(v.tz)],
        _timestamp,
    ),
    "timedelta": (
        pd.Timedelta,
        lambda v: [int(v.asm8.astype("int64")), v.unit],
        lambda f: pd.Timedelta(np.timedelta64(f[0], f[1])),
    ),
    "period": (
        pd.Period,
        lambda v: [v.ordinal, v.freqstr],
        lambda f: pd.Period(ordinal=f[0], freq=f[1]),
    ),
    "interval": (
        pd.Interval,
        lambda v: [encoded(v.left), encoded(v.right), v.closed],
        lambda f: pd.Interval(decoded(f[0]), decoded(f[1]), f[2]),
    ),
    "date": (datetime.date, datetime.date.isoformat, datetime.date.fromisoformat),
    "datetime": (datetime.datetime, datetime.datetime.isoformat, datetime.datetime.fromisoformat),
    "time": (datetime.time, datetime.time.isoformat, datetime.time.fromisoformat),
    "decimal": (decimal.Decimal, str, decimal.Decimal),
    "bytes": (bytes, bytes.hex, bytes.fromhex),
    "list": (list, lambda v: [encoded(e) for e in v], lambda f: [decoded(e) for e in f]),
    "tuple": (tuple, lambda v: [encoded(e) for e in v], lambda f: tuple(decoded(e) for e in f)),
    "dict": (
        dict,
        lambda v: sorted(([encoded(k), encoded(e)] for k, e in v.items()), key=json.dumps),
        lambda f: {decoded(k): decoded(e) for k, e in f},
    ),
}
