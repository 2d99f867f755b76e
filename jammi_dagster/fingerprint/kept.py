"""Properties that are found once and kept with their object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class kept(Generic[Value]):  # noqa: N801 - a decorator
    """A property that is found once and kept with its object: `functools.cached_property` without its lock.

    One identity is made at a time, and the lock of Python 3.10 and 3.11 costs more than most of the properties.

    >>> class Square:
    ...     @kept
    ...     def area(self):
    ...         print("found")
    ...         return 4
    >>> square = Square()
    >>> square.area, square.area
    found
    (4, 4)
    """

    def __init__(self, find: Callable[[Any], Value]) -> None:
        self._find = find
        self.__doc__ = find.__doc__

    def __get__(self, instance: object, owner: type | None = None) -> Value:
        value = self._find(instance)
        instance.__dict__[self._find.__name__] = value
        return value
