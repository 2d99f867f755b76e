"""What a tick requests is decided over plain values: a table of cases, none of which runs or queries anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import dagster as dg
import pytest

from jammi_dagster.adapters.judgement.evaluation import Evaluation
from jammi_dagster.adapters.judgement.table_state import TableState
from jammi_dagster.adapters.launching.runs import Node
from jammi_dagster.adapters.sensor.cursor import Asked
from jammi_dagster.adapters.sensor.requests_of_tick import (
    Options,
    Past,
    SensorDecision,
    Surroundings,
    decide,
    goal_of,
)
from jammi_dagster.contract import Staleness, StaleReason

NOW = 1_000_000.0
STALE = Staleness.stale([StaleReason.definition_changed("1" * 64, "2" * 64)])
MOVED = Staleness.stale([StaleReason.input_advanced("top", "1" * 64, "2" * 64)])
UNDECIDABLE = Staleness.undecidable(["outside"])


def state(table: str, verdict: Staleness = STALE, **more: Any) -> TableState:
    """A table under a verdict; no asset stands behind it."""
    return TableState(
        table=table, asset=cast(Any, None), partition=None, verdict=verdict, definition="2" * 64, **more
    )


def node(table: str, **more: Any) -> Node:
    key = dg.AssetKey(table.partition("[")[0])
    partition = table.partition("[")[2].rstrip("]") or None
    return Node(table=table, asset_key=key, op=table, **{"selected": (key,), "partition": partition, **more})


def around(edges: Mapping[str, list[str]], *more: Node, barred: frozenset[str] = frozenset()) -> Surroundings:
    """Tables that recorded what they declare: `edges` gives the tables one hop downstream of each."""
    names = {*edges, *(name for below in edges.values() for name in below)}
    parents: dict[str, set[str]] = {name: set() for name in names}
    for parent, below in edges.items():
        for name in below:
            parents[name].add(parent)
    nodes = {name: node(name) for name in names} | {one.table: one for one in more}
    return Surroundings(nodes=nodes, barred=barred, derived=edges, parents=parents)


CHAIN = {"top": ["mid"], "mid": ["foot"], "foot": []}


def evaluation(*states: TableState, **more: Any) -> Evaluation:
    """An evaluation of the chain that found these tables not plainly fresh."""
    looked_at = {"looked_at": dict.fromkeys(["top", "mid", "foot"], True), **more}
    return Evaluation(tables={one.table: one for one in states}, **looked_at)


def asked(one: TableState, *, seconds_ago: float, tries: int = 1) -> dict[str, Asked]:
    return {one.table: Asked("key", NOW - seconds_ago, goal_of(one), tries)}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One situation, the tables that it requests by run, and what else it decides."""

    found: Evaluation
    past: Past = Past()  # noqa: RUF009 (frozen)
    around: Surroundings = field(default_factory=lambda: around(CHAIN))
    options: Mapping[str, Any] = field(default_factory=dict)
    runs: tuple[tuple[str, ...], ...] = ()
    held: Mapping[str, str] = field(default_factory=dict)
    later: frozenset[str] = frozenset()
    at_rest: bool = False
    again_in: float | None = None


_FAILED = state("top")
CASES = {
    "everything is fresh": Case(found=evaluation(), at_rest=True),
    "a stale table takes along whatever derives from it": Case(
        found=evaluation(state("top")), runs=(("top", "mid", "foot"),)
    ),
    "report_only requests the change alone": Case(
        found=evaluation(state("top"), state("mid", MOVED)),
        options={"cascade": "report_only"},
        runs=(("top",),),
    ),
    "report_only rests where only inputs moved": Case(
        found=evaluation(state("mid", MOVED)), options={"cascade": "report_only"}, at_rest=True
    ),
    "a failed run is not repeated before its back-off is over": Case(
        found=evaluation(_FAILED),
        past=Past(asked=asked(_FAILED, seconds_ago=100), states={"key": "failed"}),
        held={"top": "Its last run failed: requested again in 500 s"},
        at_rest=True,
        again_in=500,
    ),
    "a failed run is repeated after its back-off": Case(
        found=evaluation(_FAILED),
        past=Past(asked=asked(_FAILED, seconds_ago=601), states={"key": "failed"}),
        runs=(("top", "mid", "foot"),),
    ),
    "the back-off doubles with each try": Case(
        found=evaluation(_FAILED),
        past=Past(asked=asked(_FAILED, seconds_ago=601, tries=3), states={"key": "failed"}),
        held={"top": "Its last run failed: requested again in 1799 s"},
        at_rest=True,
        again_in=1799,
    ),
    "the back-off ends at a day, however many tries there were": Case(
        found=evaluation(_FAILED),
        past=Past(asked=asked(_FAILED, seconds_ago=86_400, tries=10**9), states={"key": "failed"}),
        runs=(("top", "mid", "foot"),),
    ),
    "another goal is requested at once": Case(
        found=evaluation(_FAILED),
        past=Past(asked=asked(state("top", MOVED), seconds_ago=1), states={"key": "failed"}),
        runs=(("top", "mid", "foot"),),
    ),
    "a run that succeeded and changed nothing waits too": Case(
        found=evaluation(_FAILED),
        past=Past(asked=asked(_FAILED, seconds_ago=0), states={"key": "succeeded"}),
        held={"top": "Its last run left it as it was: requested again in 600 s"},
        at_rest=True,
        again_in=600,
    ),
    "a request without a run is made again": Case(
        found=evaluation(_FAILED),
        past=Past(asked=asked(_FAILED, seconds_ago=1)),
        runs=(("top", "mid", "foot"),),
    ),
    "a stale descendant waits for a table whose run failed": Case(
        found=evaluation(_FAILED, state("mid")),
        past=Past(asked=asked(_FAILED, seconds_ago=100), states={"key": "failed"}),
        held={"top": "Its last run failed", "mid": "It waits for", "foot": "It waits for"},
        again_in=500,
    ),
    "a table in flight is not requested, nor what derives from it": Case(
        found=evaluation(state("top"), state("mid")),
        past=Past(in_flight=frozenset({"top"})),
        held={"top": "A run is making it.", "mid": "It waits for", "foot": "It waits for"},
        again_in=0,
    ),
    "a run under way for the same request is not asked for again": Case(
        found=evaluation(_FAILED),
        past=Past(asked=asked(_FAILED, seconds_ago=9_999), states={"key": "under way"}),
        held={"top": "A run is making it."},
        at_rest=True,
    ),
    "an undecidable table is reported": Case(found=evaluation(state("mid", UNDECIDABLE)), at_rest=True),
    "an undecidable table is made if the author says so": Case(
        found=evaluation(state("mid", UNDECIDABLE)),
        options={"on_undecidable": "materialize"},
        runs=(("mid", "foot"),),
    ),
    "a table that lost its bytes is made though it is fresh": Case(
        found=evaluation(state("foot", Staleness.fresh(), bytes_missing=True)), runs=(("foot",),)
    ),
    "a config that is not valid is not requested": Case(
        found=evaluation(state("top", why_not="its recorded config is not valid")), at_rest=True
    ),
    "a table without its input is not requested": Case(
        found=evaluation(state("mid", needs=("file:gone",))), at_rest=True
    ),
    "an input that is made too is no obstacle": Case(
        found=evaluation(state("top"), state("mid", needs=("top",))), runs=(("top", "mid", "foot"),)
    ),
    "a descendant outside of the target stays": Case(
        found=evaluation(state("top")),
        around=around(CHAIN, barred=frozenset({"mid"})),
        runs=(("foot", "top"),),
    ),
    "no more runs than allowed, and the rest later": Case(
        found=evaluation(state("p[a]"), state("p[b]"), state("p[c]"), looked_at={}),
        around=around({"p[a]": [], "p[b]": [], "p[c]": []}),
        options={"max_runs": 2},
        runs=(("p[a]",), ("p[b]",)),
        later=frozenset({"p[c]"}),
    ),
    "a run that needs another waits for a later tick": Case(
        found=evaluation(state("p[a]"), state("p[b]"), looked_at={}),
        around=around({"p[a]": ["all"], "p[b]": ["all"]}),
        runs=(("p[a]",), ("p[b]",)),
        later=frozenset({"all"}),
    ),
    "neighbours of an asset that makes ranges are one run": Case(
        found=evaluation(state("p[a]"), state("p[b]"), state("p[d]"), looked_at={}),
        around=around(
            {}, *(node(f"p[{key}]", most_at_once=None, place=place) for place, key in enumerate("abcd"))
        ),
        runs=(("p[a]", "p[b]"), ("p[d]",)),
    ),
    "tables that are made only together are requested together": Case(
        found=evaluation(state("top")),
        around=around({"top": []}, node("top", together=("twin",)), node("twin", together=("top",))),
        runs=(("top", "twin"),),
    ),
    "a descendant whose other input was not reached is held back": Case(
        found=evaluation(state("top"), looked_at={"top": True}, is_complete=False),
        around=around({"top": ["mid"], "unreached": ["mid"]}),
        runs=(("top",),),
        held={"mid": "It waits for"},
    ),
    "a descendant of a failed table that was not reached is held back": Case(
        found=evaluation(state("mid"), looked_at={"mid": True}, is_from_start=False),
        past=Past(
            asked=asked(_FAILED, seconds_ago=1),
            states={"key": "failed"},
            made_here=frozenset({"top"}),
        ),
        held={"mid": "It waits for", "foot": "It waits for"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_case_is_decided(name: str) -> None:
    """Requests, what waits and why, what is left to a later tick, and if the sensor rests."""
    case = CASES[name]
    decision = decide(case.found, case.past, case.around, Options(target="*", **case.options), NOW)
    assert tuple(request.run.tables for request in decision.requests) == case.runs
    assert decision.held.keys() == case.held.keys()
    assert all(decision.held[table].startswith(why) for table, why in case.held.items())
    assert (decision.later, decision.has_more) == (case.later, bool(case.later))
    assert decision.is_at_rest is case.at_rest
    assert decision.again_at == (None if case.again_in is None else NOW + case.again_in)


def decided(past: Past, *states: TableState) -> SensorDecision:
    return decide(evaluation(*states), past, around(CHAIN), Options(target="*"), NOW)


def test_deciding_changes_none_of_its_arguments() -> None:
    """The same question has the same answer."""
    one = state("top")
    past = Past(asked={"top": Asked("key", NOW - 1, None)}, states={"key": "failed"})
    before = dict(past.asked)
    assert decided(past, one) == decided(past, one)
    assert past.asked == before


def test_the_memory_keeps_open_requests_only() -> None:
    """A table that came out fresh is forgotten, one that waits is not; a new request is added with its try."""
    top = state("top")
    past = Past(
        asked={**asked(top, seconds_ago=1201, tries=2), "foot": Asked("other", NOW - 9)},
        states={"key": "failed", "other": "succeeded"},
    )
    decision = decided(past, top)
    assert decision.asked == {"top": past.asked["top"]}
    remembered = decision.asked_with(["new"], NOW)
    assert remembered["top"] == Asked("new", NOW, goal_of(top), 3)
    assert remembered["foot"] == Asked("new", NOW, None, 1)


def test_a_run_key_stands_for_goals_tries_and_current_materializations() -> None:
    """Equal for equal ones, and for one sensor."""
    (request,) = decided(Past(), state("top")).requests
    (other,) = decided(Past(), state("top", MOVED)).requests
    key = request.key("sensor", {"top": "1"})
    assert key == decided(Past(), state("top")).requests[0].key("sensor", {"top": "1"})
    assert (
        len(
            {
                key,
                other.key("sensor", {"top": "1"}),
                request.key("sensor", {"top": "2"}),
                request.key("b", {}),
            }
        )
        == 4
    )
