"""Looks at live values: identities that are made at one look share its readings. Nothing runs meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

Value = TypeVar("Value")
# The readings of this look, each with the objects that it was made of: as long as they are held, their ids are theirs.
_readings: ContextVar[dict[Hashable, tuple[Any, tuple[object, ...]]] | None] = ContextVar(
    "_readings", default=None
)


@contextmanager
def one_look() -> Iterator[None]:
    """Look at each live value once meanwhile. At the end the readings are dropped: values may change after it.

    with one_look():
        identities = [identify(function) for function in functions]
    """
    token = _readings.set({})
    try:
        yield
    finally:
        _readings.reset(token)


def at_one_look(read: Callable[..., Value], *objects: object, by: tuple[Hashable, ...] = ()) -> Value:
    """Read objects, `by` further arguments; or return the reading that this look has of the same ones."""
    known = _readings.get()
    if known is None:
        return read(*objects, *by)
    which = (read, by, *map(id, objects))
    if which not in known:
        known[which] = read(*objects, *by), objects
    value: Value = known[which][0]
    return value
