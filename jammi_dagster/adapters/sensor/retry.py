"""Back-off: which tables are due, and which wait, until when."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from jammi_dagster.adapters.launching.in_flight import RunState
from jammi_dagster.adapters.sensor.cursor import Asked

UNDER_WAY = "A run is making it."
_LONGEST_S = 86_400.0
_MOST_DOUBLINGS = 60  # a cursor may name any number of tries


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The tables that a tick wants made: `goals` of the ones that are due, and why each `held` one waits.

    `asked` is the sensor's memory of earlier requests. `again_at` is the instant of the next retry.
    """

    goals: Mapping[str, str]
    held: Mapping[str, str]
    asked: Mapping[str, Asked]
    again_at: float | None


def due_tables(
    goals: Mapping[str, str],
    *,
    asked: Mapping[str, Asked],
    in_flight: Collection[str],
    states: Mapping[str, RunState],
    now: float,
    retry_after: float,
) -> Due:
    """Tell due tables from waiting ones.

    Args:
        goals: each table that is to be made, and a digest of the definition and inputs that it is to get
        asked: earlier requests, by table
        in_flight: tables that some run makes just now
        states: how the run of each request stands, by its key
        now: seconds since the epoch
        retry_after: seconds before a request for the same goal is repeated; they double with each try
    """
    due: dict[str, str] = {}
    held: dict[str, str] = {}
    remembered = dict(asked)
    instants: list[float] = []
    for table, goal in goals.items():
        if table in in_flight:
            held[table] = UNDER_WAY
            instants.append(now)
            continue
        before = asked.get(table)
        if (
            before is not None and before.goal is None
        ):  # it was below a stale table, and its run left it stale
            before = remembered[table] = replace(before, goal=goal)
        state = None if before is None else states.get(before.key)
        if before is None or before.goal != goal or state is None:
            due[table] = goal
        elif state == "under way":
            held[table] = UNDER_WAY
        elif (retry_at := before.at + _pause(before.tries - before.forgiven, retry_after)) <= now:
            due[table] = goal
        else:
            instants.append(retry_at)
            held[table] = _why(state, retry_at - now)
    return Due(goals=due, held=held, asked=remembered, again_at=min(instants, default=None))


def _pause(tries: int, retry_after: float) -> float:
    return min(retry_after * 2.0 ** min(max(tries, 1) - 1, _MOST_DOUBLINGS), _LONGEST_S)


def _why(state: RunState, seconds: float) -> str:
    ended = "Its last run failed" if state == "failed" else "Its last run left it as it was"
    return f"{ended}: requested again in {seconds:.0f} s, or as soon as something changes."
