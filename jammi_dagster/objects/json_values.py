"""JSON of Python's own types, strictly: the value that is read is the value that was returned, type for type."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

UNIONS = (typing.Union, types.UnionType)
"""The origins of `Optional[int]` and `int | None`."""
_ATOMS = (str, int, float, bool, type(None))


class NotJson(ValueError):
    """A value that JSON would not give back as it is."""


def dump(value: Any) -> bytes:
    """Encode a value; keys keep their order, and NaN and infinities are written as Python writes them.

    Raises `NotJson` for a value of any type but dict (with keys of str), list, str, int, float, bool and None.
    """
    try:
        _check(value, "the value")
        return json.dumps(value, separators=(",", ":")).encode("ascii")
    except RecursionError:
        raise NotJson("the value holds itself, or is nested too deep") from None
    except ValueError as error:  # an int of more digits than Python writes
        raise error if isinstance(error, NotJson) else NotJson(str(error)) from None


def load(data: bytes) -> Any:
    """Decode a value that `dump` encoded."""
    return json.loads(data)


def _check(value: Any, where: str) -> None:
    kind = type(value)
    if kind is dict:
        for key, inner in value.items():
            if type(key) is not str:
                raise NotJson(f"{where} has the key {key!r}, a {_name(type(key))}, and JSON's keys are texts")
            _check(inner, f"[{key!r}] of {where}" if where == "the value" else f"{where}[{key!r}]")
    elif kind is list:
        for at, inner in enumerate(value):
            _check(inner, f"[{at}] of {where}" if where == "the value" else f"{where}[{at}]")
    elif kind not in _ATOMS:
        raise NotJson(f"{where} is a {_name(kind)}, which JSON would not give back as it is")


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def may_be_json(annotation: Any) -> bool:
    """Tell whether values of an annotation are of Python's own types alone: `dict[str, list[float]]`, `int | None`."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is Any or annotation is object:
        return True
    if origin is typing.Literal:
        return all(type(one) in _ATOMS for one in arguments)
    if origin in (*UNIONS, typing.Annotated):
        inner = arguments[:1] if origin is typing.Annotated else arguments
        return all(map(may_be_json, inner))
    if typing.is_typeddict(annotation):
        return True
    kind = origin or annotation
    if kind in (dict, list, Mapping, Sequence):
        return all(map(may_be_json, arguments))
    return kind in _ATOMS or annotation is None


def fits(value: Any, annotation: Any) -> bool:
    """Tell whether a value is of an annotation of Python's own types; True for any other annotation."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in UNIONS:
        return any(fits(value, one) for one in arguments)
    if origin is typing.Annotated:
        return fits(value, arguments[0])
    kind = origin or annotation
    if kind in (dict, Mapping):
        inner = arguments[1] if len(arguments) == 2 else Any
        return isinstance(value, dict) and all(fits(one, inner) for one in value.values())
    if kind in (list, Sequence):
        inner = arguments[0] if arguments else Any
        return isinstance(value, list) and all(fits(one, inner) for one in value)
    if annotation is None:
        return value is None
    if kind is float:
        return type(value) in (float, int)
    return type(value) is kind if kind in _ATOMS else True
