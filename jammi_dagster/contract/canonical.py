"""Canonical JSON: the one form in which a value enters a hash (DESIGN 2.1).

Not done here: choosing the values. A value without canonical JSON is refused, never replaced by a made-up one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import TypeAlias

from jammi_dagster.errors import NotCanonical

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_DEEPEST = 200
_LARGEST_INT = 2**127
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def canonical_json(value: object, *, name: str = "value") -> bytes:
    """Encode `value` as UTF-8: keys sorted by code point, no white space, arrays in order, non-ASCII kept.

    Raise `NotCanonical`, which names the place below `name`, for NaN, infinities, lone surrogates, keys that are not
    strings, and values that JSON does not have.

    >>> canonical_json({"b": 1, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    try:
        if type(value) is str:
            return encode_basestring(value).encode()
        if type(value) is list and set(map(type, value)) == {str}:
            return f"[{','.join(map(encode_basestring, value))}]".encode()
    except UnicodeEncodeError:
        pass  # the error below names the place
    return _encode(plain_json(value, name=name)).encode()


def plain_json(value: object, *, name: str = "value") -> Json:
    """Copy `value` into JSON's own types, keeping its order of keys. Raise as `canonical_json` does."""
    return _plain(value, name, 0)


def _plain(value: object, path: str, depth: int) -> Json:
    """Copy `value` into dicts, lists and scalars of exactly JSON's types: no subclass decides how it is written."""
    if depth > _DEEPEST:
        raise NotCanonical(
            path=path, value="…", why=f"nested deeper than {_DEEPEST}", way_out="flatten the value"
        )
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, int):
        if abs(value) >= _LARGEST_INT:
            raise NotCanonical(
                path=path, value=hex(value), why="beyond 128 bits", way_out="pass it as a string"
            )
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotCanonical(path=path, value=value, why="JSON has no such number", way_out="use null")
        return float(value)
    if isinstance(value, Mapping):
        return {_key(key, path): _plain(item, f"{path}.{key}", depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(value)]
    raise NotCanonical(
        path=path,
        value=value,
        why=f"JSON has no type {type(value).__qualname__}",
        way_out="pass strings, numbers, booleans, null, lists and mappings",
    )


def _key(key: object, path: str) -> str:
    if not isinstance(key, str):
        raise NotCanonical(
            path=path, value=key, why="a key must be a string", way_out="convert the key to a string"
        )
    return _text(key, path)


def _text(value: str, path: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NotCanonical(
            path=path, value=value, why="a lone surrogate is not UTF-8", way_out="decode it properly"
        ) from None
    return str.__str__(value)
