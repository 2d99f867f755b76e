"""Fields of untrusted JSON: read in their type, or refused by an error that carries the path to the field."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, TypeGuard, TypeVar

from jammi_dagster.errors import InvalidField

T = TypeVar("T")

_HEX_64 = re.compile(r"[0-9a-f]{64}")


class Fields:
    """The fields of one JSON object, read one by one; `rest()` returns the unread ones."""

    def __init__(self, value: object, what: str, path: str = "") -> None:
        self.what, self.path = what, path
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise InvalidField(what=what, path=path or "(itself)", value=value, expected="an object")
        self._fields: Mapping[str, Any] = value
        self._read: set[str] = set()

    def take(self, name: str, kind: type[T]) -> T:
        """Return the field `name`, which must exist and be of `kind` (a bool is not an int)."""
        self._read.add(name)
        value = self._fields.get(name, _MISSING)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.bad(name, kind.__name__)
        return value

    def take_hex64(self, name: str) -> str:
        """Return the field `name`, a SHA-256 in lower-case hex."""
        value = self.take(name, str)
        if _HEX_64.fullmatch(value) is None:
            raise self.bad(name, "64 lower-case hex digits")
        return value

    def take_natural(self, name: str) -> int:
        """Return the field `name`, an integer from 0 to 2**63 - 1."""
        value = self.take(name, int)
        if not 0 <= value < 2**63:
            raise self.bad(name, "an integer from 0 to 2**63 - 1")
        return value

    def take_strings(self, name: str) -> list[str]:
        """Return the field `name`, an array of strings."""
        value = self.take(name, list)
        if not all(isinstance(item, str) for item in value):
            raise self.bad(name, "an array of strings")
        return value

    def rest(self) -> dict[str, Any]:
        """Return the fields that were not taken: a caller keeps unknown keys with it."""
        return {name: value for name, value in self._fields.items() if name not in self._read}

    def bad(self, name: str, expected: str) -> InvalidField:
        """Return the error for field `name`; use it as `raise fields.bad(...)`."""
        value = self._fields.get(name, "missing")
        path = f"{self.path}.{name}" if self.path else name
        return InvalidField(what=self.what, path=path, value=value, expected=expected)


_MISSING = object()


def check_flags(what: str, **flags: object) -> None:
    """Raise `InvalidField` for anything but True and False: `None` or "no" is not to act, or to refrain, by chance."""
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise InvalidField(what=what, path=name, value=value, expected="True or False")


def is_finite(value: object) -> TypeGuard[float]:
    """Return whether a value is a number, but no infinity, and no `True`.

    >>> is_finite(10**400), is_finite(float("nan")), is_finite(True)
    (True, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and -math.inf < value < math.inf


def check_number(what: str, path: str, value: object, *, least: float | None = None) -> None:
    """Raise `InvalidField` for anything but a finite number that is no less than this."""
    if not is_finite(value) or (least is not None and value < least):
        expected = "a number" if least is None else f"a number from {least:g}"
        raise InvalidField(what=what, path=path, value=value, expected=expected)
