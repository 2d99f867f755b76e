"""Reasons against a reuse, as people read them: one line for each place, with the path by which it is reached."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable

from jammi_dagster.fingerprint import CodeIdentity

_PLACE = re.compile(r"[^\s()]+\.py:\d+")
_MOST_STEPS = 6


def with_paths(reasons: Iterable[str], code: CodeIdentity) -> list[str]:
    """Merge the reasons of one place, and say by which path each place is reached.

    >>> with_paths(["open (a.py:3) reads an undeclared input: declare it"], code)  # doctest: +SKIP
    ['open (a.py:3) reads an undeclared input, because f > clean reach it: declare it']
    """
    lines: dict[str, str] = {}
    others: dict[str, list[tuple[str, str]]] = {}
    for text in dict.fromkeys(reasons):
        place = place_of(text)
        if place and place in lines:
            others.setdefault(place, []).append((text.partition(" (")[0], text.partition(": ")[2]))
        else:
            lines[place or text] = text
    return [_worded(text, key, others.get(key, ()), code) for key, text in lines.items()]


def place_of(text: str) -> str:
    """Return the place in a finding: `pipelines/text.py:12`; empty for a reason about the asset as a whole."""
    found = _PLACE.search(text.partition(": ")[0])
    return found.group() if found else ""


def _worded(text: str, place: str, others: Collection[tuple[str, str]], code: CodeIdentity) -> str:
    finding, colon, way_out = text.partition(": ")
    short = dict.fromkeys(name.removeprefix(_shared_label(text, name)) for name, _ in others)
    names = [name for name in short if not name.startswith(place)]
    ways_out = dict.fromkeys(filter(None, [way_out, *(way for _, way in others)]))
    if names:
        finding += f", and so do {', '.join(names)}" if len(names) > 1 else f", and so does {names[0]}"
    path = code.reached_by.get(place, ())
    if len(path) > 1:
        left = len(path) - _MOST_STEPS
        shown = [*path[: _MOST_STEPS - 1], f"{left} more", path[-1]] if left > 0 else list(path)
        finding += f", because it is reached by {' > '.join(shown)}"
    return f"{finding}{': ' if ways_out else colon}{'; '.join(ways_out)}"


def _shared_label(text: str, name: str) -> str:
    """Return the words `in op x, ` with which both begin: reasons of one function of several name it once."""
    pairs = zip(text.split(", "), name.split(", "), strict=False) if text.startswith("in ") else ()
    return "".join(f"{one}, " for one, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
