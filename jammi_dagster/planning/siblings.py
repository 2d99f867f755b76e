"""Tables that one function makes: which of them a call of it makes together.

Role: `closed` is the only place where this is decided; step and plan ask it.

1. An output that is computed takes the siblings along that derive from it: they would be of its former version.
2. An output that is computed takes the siblings along that it derives from: a function that is told to make the one may
   rebuild the other in memory, while the record would claim the stored one.
3. A function that cannot make a part of its outputs makes them all.
4. Nothing else is computed: the rest is reused.

>>> found = closed({"b": "nothing stored"}, {"a": (), "b": ("a",), "c": ("b",), "d": ()}, can_subset=True)
>>> sorted(found), found["a"]
(['a', 'b', 'c'], 'b, which derives from it, is computed by the same call')
>>> closed({}, {"a": (), "b": ("a",)}, can_subset=False)
{}
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

ABOVE = "{table}, which it derives from, is computed by the same call"
BELOW = "{table}, which derives from it, is computed by the same call"
BESIDE = "{table}, which the same function makes, is computed, and it cannot make a part of them"


def closed(
    computed: Mapping[str, str],
    siblings: Mapping[str, Collection[str]],
    given: Mapping[str, Collection[str]] | None = None,
    *,
    can_subset: bool,
) -> dict[str, str]:
    """Return all outputs that a call makes, each with the reason.

    `computed` are outputs that are computed in any case, with the reason; `siblings` are all outputs of the step, each
    with those among them that it derives from. Those that a parameter of the function gets are in `given` instead: an
    output is computed with them (rule 1), and they are read as they are stored (not rule 2).
    """
    found = dict(computed)
    if not found:
        return found
    if not can_subset:
        first = next(iter(found))
        return found | {one: BESIDE.format(table=first) for one in siblings if one not in found}
    rest = list(found)
    while rest:
        one = rest.pop(0)
        others = dict.fromkeys(siblings.get(one, ()), BELOW)
        derived = [below for below in siblings if one in (*siblings[below], *(given or {}).get(below, ()))]
        others |= dict.fromkeys(derived, ABOVE)
        for other, why in others.items():
            if other not in found:
                found[other] = why.format(table=one)
                rest.append(other)
    return found


def in_order(siblings: Mapping[str, Collection[str]]) -> list[str]:
    """Sort outputs so that each comes after those that it derives from; otherwise they keep their order.

    >>> in_order({"c": ("b",), "b": ("a",), "a": ()})
    ['a', 'b', 'c']
    """
    found: dict[str, None] = {}
    while len(found) < len(siblings):
        ready = [one for one, above in siblings.items() if one not in found and found.keys() >= set(above)]
        found.update(dict.fromkeys(ready))
        if not ready:  # Dagster refuses a cycle; nothing is lost here either
            found.update(dict.fromkeys(siblings))
    return list(found)
