"""The objects in which a value may lie: a root, the way to the value within it, and new objects around it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from jammi_dagster.fingerprint.known_names.sharing import COPIES, ITEMS, PAIRINGS, SPLITS, VIEWS
from jammi_dagster.fingerprint.reach.effects import Name
from jammi_dagster.fingerprint.syntax.bound_values import ANY_PART, COPY, WRAP

EVERY_NAME = ""  # beside the path of a module: the module itself
COPIED, SLICED = "copied", "sliced"
_DEEPEST = 3  # parts of parts
_MOST = 60  # values of one expression


class Given(NamedTuple):
    """The argument that a function, by the `id` of its node, gets for a parameter."""

    function: int
    parameter: str


class Value(NamedTuple):
    """A value by its root: after `x = {"a": D}`, `x` is a new object around the root `D`, and `x["a"][0]` a part of it.

    Parts go by attribute or constant key. `via`: the value lies in a copy of the root or of a part (`COPIED`), or in a
    slice, which is a copy of a list and a view of an array.
    """

    root: Name | Given
    parts: tuple[str, ...] = ()
    around: tuple[str, ...] = ()
    via: str = ""


Values = frozenset[Value]
NONE: Values = frozenset()


def item(values: Values, part: str = ANY_PART) -> Values:
    """Return a part of values: an item, or an attribute.

    >>> [one.root for one in item(wrap(frozenset({Value(("a.py", "D"))}), "a"), "a")]
    [('a.py', 'D')]
    """
    found = set()
    for root, parts, around, via in values:
        if not around:
            found.add(Value(root, (*parts, part)[:_DEEPEST], (), via))
        elif part == ANY_PART or around[0] in (part, ANY_PART):
            found.add(Value(root, parts, around[1:], via))
    return frozenset(found)


def wrap(values: Values, part: str = ANY_PART) -> Values:
    """Return new objects that hold values."""
    return frozenset(
        Value(root, parts, (part, *around)[:_DEEPEST], via) for root, parts, around, via in values
    )


def copy(values: Values) -> Values:
    """Return new objects that hold the items of values."""
    return frozenset(
        one._replace(around=(ANY_PART if one.around[0].isdigit() else one.around[0], *one.around[1:]))
        if one.around
        else one._replace(parts=(*one.parts, ANY_PART)[:_DEEPEST], around=(ANY_PART,), via=COPIED)
        for one in values
    )


def sliced(values: Values) -> Values:
    """Return a slice of values: the items of a list in a new one, or a view."""
    held = frozenset(one for one in values if one.around)
    views = frozenset(one._replace(via=one.via or SLICED) for one in values - held)
    return held | copy(values - held) | views


def few(values: Values) -> Values:
    """Return values, or fewer that stand for them all where they are too many."""
    if len(values) <= _MOST:
        return values
    return frozenset(
        one._replace(parts=(ANY_PART,) * len(one.parts), around=(ANY_PART,) * len(one.around))
        for one in values
    )


def stepped(values: Values, steps: Iterable[str]) -> Values:
    """Return the values to which steps lead; a step without a name of its own is that to a part."""
    for step in steps:
        if step == COPY:
            values = copy(values)
        elif step.startswith(WRAP):
            values = wrap(values, step.removeprefix(WRAP))
        else:
            values = item(values, step)
    return values


def moved(value: Value, given: Values) -> Values:
    """Return a value of a called function, of which the root is a parameter, in terms of the values that are given."""
    found = given
    for part in value.parts:
        found = item(found, part)
    for part in reversed(value.around):
        found = wrap(found, part)
    return frozenset(one._replace(via=value.via) for one in found) if value.via else found


def set_attribute(values: Values, name: str) -> Values:
    """Return the objects of which an attribute is set: of a module it is one of its names."""
    return frozenset(
        one._replace(root=(str(one.root[0]), name)) if is_module(one) and not one.around else one
        for one in values
    )


def is_module(value: Value) -> bool:
    """Return whether a value is a module itself, perhaps within new objects."""
    return value.root[1] == EVERY_NAME and not value.parts and not value.via


def result_of(name: str, held: list[Values]) -> Values:
    """Return the values in the result of a library's function or method, by those of its object and its arguments."""
    first = held[0] if held else NONE
    if name == "cast" and len(held) > 1:
        return held[1]
    if name in VIEWS:
        return first.union(*map(wrap, held[1:])) if name == "ChainMap" else first
    if name == "new_child":
        return wrap(first)
    if name in SPLITS:
        return wrap(first)
    if name in ITEMS:
        return item(first).union(*held[1 if name in ("max", "min", "next", "anext") else 2 :])  # behind a key
    if name in COPIES:
        return NONE.union(*map(copy, held))
    if name in PAIRINGS:
        return NONE.union(*(wrap(copy(one)) for one in held))
    return NONE
