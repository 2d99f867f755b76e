"""The format of an asset's objects: given, registered for the class that the annotation names, or told by the value."""

from __future__ import annotations

import inspect
import typing
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jammi_dagster.adapters.handoff.kinds import DICTS, is_table_kind, kind_of, value_annotation
from jammi_dagster.errors import UnsupportedArgument
from jammi_dagster.objects import UNIONS, ObjectFormat, format_named, may_be_json, registered_format

Format = str | ObjectFormat | tuple[Callable[[Any], bytes], Callable[[bytes], Any]]

_STREAMS = (Iterable, Iterator, Generator, AsyncIterator, AsyncGenerator)


def declared_format(asset: str, annotation: Any, given: Format | None) -> ObjectFormat | None:
    """Return the format that `format=` or the annotation declares; None where the value itself will tell.

    Raises `InvalidField` for no format, and `UnsupportedArgument` for an annotation that is neither a table nor JSON,
    bytes or a path: the function would compute in vain.
    """
    if given is not None:
        return format_named(given, of=f"@result_table on {asset}")
    named = value_annotation(annotation)
    found = registered_format(named)
    if found is None and not may_be_stored(named):
        is_class = isinstance(named, type) and typing.get_origin(named) is None
        shown = named.__name__ if is_class else inspect.formatannotation(named)
        raise UnsupportedArgument(
            asset=asset,
            argument=f"the annotation {shown} of its result",
            why="is neither a table nor JSON (dict, list, str, numbers), bytes or pathlib.Path",
            way_out='give format="pickle", "joblib" or a pair of functions (dump, load)',
        )
    return found


def declares_object(annotation: Any, format_: ObjectFormat | None) -> bool:
    """Tell whether a function declares to return an object, so that a dict that it returns is no dict of partitions."""
    named = value_annotation(annotation)
    if format_ is not None:
        return True
    return named not in (Any, object, *DICTS) and may_be_json(named)


def may_be_none(annotation: Any, format_: ObjectFormat | None) -> bool:
    """Tell whether None is an object that a function declares to return."""
    if format_ is not None:
        return True
    named = value_annotation(annotation)
    kinds = typing.get_args(named) if typing.get_origin(named) in UNIONS else ()
    return type(None) in kinds and all(one in (bytes, Path) or may_be_json(one) for one in kinds)


def may_be_stored(annotation: Any) -> bool:
    """Tell whether a value of an annotation may be a table, JSON, bytes or a path: False only where it cannot."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in (Any, object, dict, list, bytes, Path) or isinstance(annotation, (str, typing.TypeVar)):
        return True
    if origin in UNIONS:
        return any(may_be_stored(one) for one in arguments if one is not type(None))
    if may_be_json(annotation):  # also None: the step says that nothing was returned
        return True
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return len(arguments) < 2 or may_be_stored(arguments[1])
    base = origin if isinstance(origin, type) else annotation
    if not isinstance(base, type):
        return True  # a type of a checker's, such as a NewType
    return (
        base in _STREAMS
        or is_table_kind(kind_of(annotation))
        or issubclass(base, Path)
        or (hasattr(base, "__arrow_c_stream__") and not _is_column(base))
        or getattr(base, "_is_protocol", False)
        or inspect.isabstract(base)
    )


def _is_column(base: type) -> bool:
    """Tell whether a class is pandas' of one column, which has a stream but is no table."""
    return any(one.__name__ == "Series" and one.__module__.startswith("pandas") for one in base.__mro__)
