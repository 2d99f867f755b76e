"""Values that are defined by each other, in circles too: the effects of functions that call each other, say."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class FixedPoints(Generic[Value]):
    """The least values that fulfil their definitions; a value may only grow with the values that it is defined by.

    They do not depend on the order in which they are asked for.

    >>> points = FixedPoints(frozenset())
    >>> def a(): return points.of("a", lambda: frozenset("a") | b())
    >>> def b(): return points.of("b", lambda: frozenset("b") | a())
    >>> sorted(b()), sorted(a())
    (['a', 'b'], ['a', 'b'])
    """

    def __init__(self, least: Value) -> None:
        self._least = least
        self._known: dict[Hashable, Value] = {}
        self._assumed: dict[Hashable, Value] = {}  # the values of the last round
        self._round: dict[Hashable, Value] = {}
        self._open: set[Hashable] = set()  # the values that are being defined
        self._is_circular = False

    def of(self, key: Hashable, define: Callable[[], Value]) -> Value:
        """Return the value of a key, by its definition."""
        if key in self._known:
            return self._known[key]
        if key in self._round:
            return self._round[key]
        if key in self._open:
            self._is_circular = True
            return self._assumed.get(key, self._least)
        value = self._define(key, define)
        if self._open:
            return value
        while self._is_circular and self._round != self._assumed:
            self._assumed, self._round, self._is_circular = self._round, {}, False
            value = self._define(key, define)
        self._known.update(self._round)
        self._assumed, self._round, self._is_circular = {}, {}, False
        return value

    def _define(self, key: Hashable, define: Callable[[], Value]) -> Value:
        self._open.add(key)
        try:
            value = self._round[key] = define()
        finally:
            self._open.discard(key)
        return value
