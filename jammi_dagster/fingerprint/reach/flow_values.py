"""The objects in which a value may lie: a root, the depth of the value within it, and new objects around it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from jammi_dagster.fingerprint.reach.effects import Name
from jammi_dagster.fingerprint.syntax.bound_values import COPY, ITEM, WRAP

EVERY_NAME = ""  # beside the path of a module: the module itself
_MOST = 3  # deeper ones are taken to be as deep


class Given(NamedTuple):
    """The argument that a function, by the `id` of its node, gets for a parameter."""

    function: int
    parameter: str


class Value(NamedTuple):
    """A value by its root: `x[0]` of a module's `D` after `x = [D]` has the depth 0, and `x` one object around it.

    `copied`: it lies in a copy of the root, or of an object in it.
    """

    root: Name | Given
    depth: int = 0
    around: int = 0
    copied: bool = False


Values = frozenset[Value]
NONE: Values = frozenset()


def item(values: Values) -> Values:
    """Return the items, or the attributes, of values.

    >>> item(wrap(frozenset({Value(("a.py", "D"))})))
    frozenset({Value(root=('a.py', 'D'), depth=0, around=0, copied=False)})
    """
    return frozenset(
        one._replace(around=one.around - 1) if one.around else one._replace(depth=min(one.depth + 1, _MOST))
        for one in values
    )


def wrap(values: Values) -> Values:
    """Return new objects that hold values."""
    return frozenset(one._replace(around=min(one.around + 1, _MOST)) for one in values)


def copy(values: Values) -> Values:
    """Return new objects that hold the items of values."""
    return frozenset(
        one if one.around else one._replace(depth=min(one.depth + 1, _MOST), around=1, copied=True)
        for one in values
    )


def stepped(values: Values, steps: Iterable[str]) -> Values:
    """Return the values to which steps lead."""
    for step in steps:
        values = _STEPS.get(step, item)(values)
    return values


_STEPS = {ITEM: item, WRAP: wrap, COPY: copy}


def moved(value: Value, given: Values) -> Values:
    """Return a value of a called function, of which the root is a parameter, in terms of the values that are given."""
    found = given
    for _ in range(value.depth):
        found = item(found)
    for _ in range(value.around):
        found = wrap(found)
    return frozenset(one._replace(copied=True) for one in found) if value.copied else found


def set_attribute(values: Values, name: str) -> Values:
    """Return the objects of which an attribute is set: of a module it is one of its names."""
    return frozenset(
        one._replace(root=(str(one.root[0]), name)) if is_module(one) and not one.around else one
        for one in values
    )


def is_module(value: Value) -> bool:
    """Return whether a value is a module itself, perhaps within new objects."""
    return value.root[1] == EVERY_NAME and not value.depth and not value.copied
