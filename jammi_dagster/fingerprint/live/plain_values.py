"""Plain values: scalars, and the attributes of instances."""

from __future__ import annotations

import datetime
import decimal
import fractions
import pathlib
import typing
import uuid
import zoneinfo
from abc import ABC
from types import MemberDescriptorType

from jammi_dagster.fingerprint.hashing import HeldText
from jammi_dagster.fingerprint.syntax.trees import constant

_CONSTANTS = {type(None), bool, int, float, complex, type(...)}
# Types whose `repr` is exact, and the same everywhere.
_EXACT_REPR = {
    datetime.date,
    datetime.timedelta,
    datetime.timezone,
    decimal.Decimal,
    fractions.Fraction,
    uuid.UUID,
    range,
    pathlib.PurePosixPath,
    pathlib.PureWindowsPath,
    pathlib.PosixPath,
    pathlib.WindowsPath,
}
# Bases that bring no state of their own.
BARE_BASES = frozenset({object, ABC, typing.Generic, typing.Protocol})


class Shown(str):
    """A text of the structure of a value, such as the name of a field: no secret, so it needs no slot."""

    __slots__ = ()


def exact(value: object) -> HeldText | bytes | None:
    """Return the one text of a scalar, with its type; None for another value, also of a subclass."""
    if isinstance(value, (str, bytes)) and type(value) in (str, bytes):
        return HeldText(value, constant(value))
    if isinstance(value, Shown):
        return constant(str(value))
    if type(value) in _CONSTANTS:
        return constant(value)
    if type(value) in _EXACT_REPR or _is_exact_time(value):
        return constant(repr(value))
    return None


def texts_of_plain(value: object) -> frozenset[str] | None:
    """Return the texts in a value; None if it holds anything but texts, numbers and collections of these.

    >>> texts_of_plain({"a": [1]}), texts_of_plain([b"a"])
    (frozenset({'a'}), None)
    """
    texts: set[str] = set()
    todo = [value]
    for one in todo:  # grows while it is read
        if type(one) is str:
            texts.add(one)
        elif type(one) is dict:
            todo += (*one.keys(), *one.values())
        elif isinstance(one, (tuple, list, set, frozenset)) and type(one) in (tuple, list, set, frozenset):
            todo += one
        elif type(one) not in _CONSTANTS:
            return None
    return frozenset(texts)


def _is_exact_time(value: object) -> bool:
    if type(value) is zoneinfo.ZoneInfo:
        return value.key is not None  # a zone that was read from a file shows the address of that file
    if isinstance(value, (datetime.datetime, datetime.time)) and type(value) in (
        datetime.datetime,
        datetime.time,
    ):
        return value.tzinfo is None or exact(value.tzinfo) is not None
    return False


def attributes(instance: object) -> dict[str, object]:
    """Return the values in an instance's `__dict__` and slots, without running a property."""
    held: dict[str, object] = {}
    for cls in type(instance).__mro__:
        for name, member in vars(cls).items():
            if isinstance(member, MemberDescriptorType):
                try:
                    held[f"{cls.__qualname__}.{name}"] = member.__get__(instance)
                except AttributeError:
                    continue
    held.update(getattr(instance, "__dict__", {}))
    return dict(sorted(held.items()))
