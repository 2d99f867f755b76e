"""The contents of values of well-known libraries: patterns, arrays, tables, expressions, models, records.

A value is told by its class, by the bytes returned here, and by further values that are described in turn. No library
is imported: the value comes from one that is.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jammi_dagster.fingerprint.live.plain_values import BARE_BASES, Shown, attributes

# A Python function in an expression of polars: it is pickled, and its code may be of one process only.
_FUNCTION = re.compile(rb"python|pickle|anonymous|plpy", re.IGNORECASE)


class Contents(NamedTuple):
    """The contents of a value: its bytes, and the values within it.

    >>> contents_of(re.compile("a+"))
    Contents(exact=b'', values=('a+', 32))
    """

    exact: bytes = b""
    values: tuple[object, ...] = ()


def contents_of(value: object) -> Contents | None:
    """Return the contents of a value; None for one that may hold more than can be read."""
    kind = type(value)
    if kind in _BY_TYPE:
        return _BY_TYPE[kind](value)
    top = kind.__module__.partition(".")[0]
    if top in _BY_LIBRARY and (found := _BY_LIBRARY[top](value)) is not None:
        return found
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return Contents(values=tuple(tuple.__iter__(value)))
    bases = [base for base in kind.__mro__ if base not in BARE_BASES]
    if bases and all(dataclasses.is_dataclass(base) or _is_model_base(base) for base in bases):
        return Contents(values=(_fields(value),))
    return None


def _is_model_base(cls: type) -> bool:
    """Return whether a class keeps its state in fields, as the bases of pydantic and Dagster's config do."""
    module = cls.__module__
    models = module.startswith(("pydantic.main", "pydantic.root_model", "dagster._config.pythonic_config"))
    model = getattr(sys.modules.get("pydantic"), "BaseModel", None)
    if models:
        return cls.__name__ in ("BaseModel", "RootModel", "Config", "PermissiveConfig", "MakeConfigCacheable")
    return isinstance(model, type) and issubclass(cls, model) and not module.startswith("dagster.")


def _fields(value: object) -> dict[str, object]:
    return {Shown(name): held for name, held in attributes(value).items()}


def _numpy(value: Any) -> Contents | None:
    numpy = sys.modules["numpy"]
    if isinstance(value, numpy.dtype):
        return None if value.hasobject else Contents(values=(Shown(value.str), Shown(repr(value.descr))))
    if (type(value) is numpy.ndarray or isinstance(value, numpy.generic)) and not value.dtype.hasobject:
        shape = tuple(value.shape)
        return Contents(value.tobytes(), (Shown(value.dtype.str), Shown(repr(value.dtype.descr)), shape))
    return None


def _pandas(value: Any) -> Contents | None:
    pandas = sys.modules["pandas"]
    if type(value) in (pandas.Timestamp, pandas.Timedelta):
        return Contents(values=(Shown(repr(value)), Shown(value.unit)))
    if type(value) is pandas.Series:
        held = (value.name, value.attrs)
        value = value.to_frame("" if value.name is None else value.name)
    elif type(value) is pandas.DataFrame:
        held = (None, value.attrs)
    else:
        return None
    arrow = sys.modules.get("pyarrow")
    if arrow is None:
        return None
    try:
        return Contents(_arrow_bytes(arrow, arrow.Table.from_pandas(value)), held)
    except (arrow.ArrowException, TypeError, ValueError):
        return None  # a column of objects


def _polars(value: Any) -> Contents | None:
    polars, arrow = sys.modules["polars"], sys.modules.get("pyarrow")
    if type(value) is polars.Expr:
        try:
            exact = value.meta.serialize()
        except polars.exceptions.PolarsError:
            return None
        return None if _FUNCTION.search(exact) else Contents(exact)
    if type(value) is polars.LazyFrame:
        return _polars_query(value, polars)
    if type(value) is polars.Schema:
        return Contents(values=(dict(value),))
    if isinstance(value, polars.DataType) or type(value) is polars.Field:
        return Contents(values=(_fields(value),))
    if type(value) is polars.Series and arrow is not None and value.dtype != polars.Object:
        value = value.to_frame()
    if type(value) is polars.DataFrame and arrow is not None and polars.Object not in value.dtypes:
        return Contents(
            _arrow_bytes(arrow, value.to_arrow()), (tuple(Shown(repr(dtype)) for dtype in value.dtypes),)
        )
    return None


def _polars_query(value: Any, polars: Any) -> Contents | None:
    """Return a query over frames in memory; None for one that scans files, or calls Python."""
    try:
        plan, exact = value.explain(optimized=False), value.serialize()
    except polars.exceptions.PolarsError:
        return None
    return None if "SCAN" in plan or _FUNCTION.search(exact) else Contents(exact)


def _pyarrow(value: Any) -> Contents | None:
    arrow = sys.modules["pyarrow"]
    if isinstance(value, (arrow.DataType, arrow.Field)):
        value = arrow.schema([value if isinstance(value, arrow.Field) else arrow.field("", value)])
    if type(value) is arrow.Schema:
        return Contents(value.serialize().to_pybytes())
    return Contents(_arrow_bytes(arrow, value)) if type(value) is arrow.Table else None


def _arrow_bytes(arrow: Any, table: Any) -> bytes:
    import pyarrow.ipc

    sink = arrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    exact: bytes = sink.getvalue().to_pybytes()
    return exact


def _pattern(value: Any) -> Contents:
    return Contents(values=(value.pattern, value.flags))


def _parameter(value: inspect.Parameter) -> Contents:
    return Contents(values=(Shown(value.name), Shown(value.kind.name), value.default, value.annotation))


def _signature(value: inspect.Signature) -> Contents:
    return Contents(values=(tuple(value.parameters.values()), value.return_annotation))


_BY_TYPE: Mapping[type, Callable[[Any], Contents]] = {
    re.Pattern: _pattern,
    inspect.Parameter: _parameter,
    inspect.Signature: _signature,
    OrderedDict: lambda value: Contents(values=(dict(value),)),
    Counter: lambda value: Contents(values=(dict(value),)),
    defaultdict: lambda value: Contents(values=(value.default_factory, dict(value))),
    deque: lambda value: Contents(values=(value.maxlen, list(value))),
}
_BY_LIBRARY: Mapping[str, Callable[[Any], Contents | None]] = {
    "numpy": _numpy,
    "pandas": _pandas,
    "polars": _polars,
    "pyarrow": _pyarrow,
}
