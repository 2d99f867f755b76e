"""Decisions about one use of a name: it may depend on the time zone of the process.

The names stand in `known_names/time_zones.py`.
"""

from __future__ import annotations

from jammi_dagster.fingerprint.known_names import ANY
from jammi_dagster.fingerprint.known_names.time_zones import (
    ZONE_LIBRARIES,
    ZONE_METHODS,
    ZONE_READERS,
    ZONE_TEXTS,
    ZONE_UNLESS_GIVEN,
    ZONE_WORD_LIBRARIES,
    ZONE_WORDS,
)
from jammi_dagster.fingerprint.syntax.outside_world import of_class, without_object
from jammi_dagster.fingerprint.syntax.uses import Call


def reads_time_zone(name: str, call: Call | None) -> bool:
    """Return whether a use depends on the time zone of the process.

    >>> reads_time_zone("?.timestamp", Call((), {})), reads_time_zone("?.timestamp", Call(("ms",), {}))
    (True, False)
    """
    method, leaf = of_class(name), name.rpartition(".")[2]
    if name in ZONE_UNLESS_GIVEN:
        # `x.timestamp` may be a column
        return leaf != "timestamp" if call is None else not call.gives(*ZONE_UNLESS_GIVEN[name])
    if method in ZONE_UNLESS_GIVEN:
        given = without_object(call)
        return given is None or not given.gives(*ZONE_UNLESS_GIVEN[method])
    if call is not None and _says_zone(name, call):
        return True
    if (leaf == "strftime" or name == "builtins.format") and call is not None:
        return name in ZONE_READERS or any("%s" in str(given) for given in call.positional)
    is_known = name in ZONE_READERS or f"{ANY}.{leaf}" in ZONE_METHODS
    return is_known or name.partition(".")[0] in ZONE_LIBRARIES


def _says_zone(name: str, call: Call) -> bool:
    """Return whether a call gets the name of the process's own time zone."""
    texts = {one for one in (*call.positional, *call.named.values()) if isinstance(one, str)}
    known = ZONE_WORDS if name.partition(".")[0] in ZONE_WORD_LIBRARIES else ZONE_TEXTS
    return not known.isdisjoint(texts)
