"""The decision of a tick, over values alone: the runs to request, and the memory of requests (docs/adr/0011)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Literal

from jammi_dagster.adapters.code_location.location import Target
from jammi_dagster.adapters.judgement.evaluation import Evaluation
from jammi_dagster.adapters.judgement.table_state import TableState
from jammi_dagster.adapters.launching.in_flight import RunState
from jammi_dagster.adapters.launching.runs import Node, PlannedRun, plan_runs
from jammi_dagster.adapters.sensor.cursor import Asked
from jammi_dagster.adapters.sensor.retry import Due, due_tables
from jammi_dagster.contract import canonical_json
from jammi_dagster.contract.tables import is_table
from jammi_dagster.errors import InvalidField
from jammi_dagster.planning.waves import Parents, below, nearest_below

Cascade = Literal["downstream", "report_only"]
OnUndecidable = Literal["report", "materialize"]

MOST_DESCENDANTS = 50_000
WAITS = "It waits for the tables that it derives from."


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a sensor's author; see `build_staleness_sensor`. Durations are in seconds."""

    target: Target
    cascade: Cascade = "downstream"
    on_undecidable: OnUndecidable = "report"
    missing: Literal["ignore", "materialize"] = "ignore"
    max_runs: int = 10
    retry_after: float = 600.0
    most_seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.max_runs < 1:
            what, path = "staleness sensor", "max_runs_per_tick"
            raise InvalidField(what=what, path=path, value=self.max_runs, expected="at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The traces of earlier ticks and runs: requests by table, how their runs stand, tables that runs make just now.

    `made_here` are the requested tables that some asset still makes.
    """

    asked: Mapping[str, Asked] = field(default_factory=dict)
    states: Mapping[str, RunState] = field(default_factory=dict)
    in_flight: Set[str] = frozenset()
    made_here: Set[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The tables around the due ones.

    `nodes` are tables that a run can make, `barred` the ones that are nevertheless not to be requested as descendants:
    outside of the target, or without an input. `derived` gives the tables that recorded each table as an input,
    `parents` the tables that each one reads by its declaration.
    """

    nodes: Mapping[str, Node] = field(default_factory=dict)
    barred: Set[str] = frozenset()
    derived: Mapping[str, Sequence[str]] = field(default_factory=dict)
    parents: Parents = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One run to request: `goals` has a digest for each table that is made for its own sake, `tries` for all.

    `bypassed` are the tables of `goals` that are undecidable: only a new computation tells anything about them.
    """

    run: PlannedRun
    goals: Mapping[str, str]
    tries: Mapping[str, int]
    bypassed: Set[str] = frozenset()

    def key(self, sensor: str, materializations: Mapping[str, str]) -> str:
        """Return the run key, the same for as long as its tables have these goals and current materializations."""
        tables = self.run.tables
        facts = [[t, self.goals.get(t), materializations.get(t), self.tries[t]] for t in tables]
        return hashlib.sha256(canonical_json([sensor, facts])).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorDecision:
    """The outcome of a tick.

    `asked` is the memory of earlier requests, `held` tells why a table that is to be made is not requested.
    `later` are tables of runs that are left to a later tick. `is_at_rest`: nothing is to be done until something
    changes, or until `again_at`.
    """

    requests: tuple[Request, ...] = ()
    asked: Mapping[str, Asked] = field(default_factory=dict)
    held: Mapping[str, str] = field(default_factory=dict)
    later: Set[str] = frozenset()
    is_at_rest: bool = True
    again_at: float | None = None

    @property
    def has_more(self) -> bool:
        """Tell if the same tables have further runs."""
        return bool(self.later)

    def asked_with(self, keys: Sequence[str], now: float) -> dict[str, Asked]:
        """Return the memory after the requests were made under these run keys."""
        asked = dict(self.asked)
        for key, request in zip(keys, self.requests, strict=True):
            for table in request.run.tables:
                tries, before = request.tries[table], asked.get(table)
                forgiven = before.forgiven if before is not None and before.forgiven < tries else 0
                asked[table] = Asked(key, now, request.goals.get(table), tries, forgiven)
        return asked


def decide(
    evaluation: Evaluation, past: Past, surroundings: Surroundings, options: Options, now: float
) -> SensorDecision:
    """Decide which runs a tick requests.

    Due tables are made, and with `cascade="downstream"` the tables that derive from them; a table waits for whatever
    above it waits. Only runs that need no other run are requested, `max_runs` at most.
    """
    due = due_of(evaluation, past, options, now)
    asked = dict(_remembered(evaluation, past, due))
    nodes = _together(due.goals, surroundings.nodes)
    if options.cascade == "downstream":
        derived = {t: below for t, below in surroundings.derived.items() if t not in evaluation.holds}
        reached = nearest_below(nodes, lambda t: derived.get(t, ()), MOST_DESCENDANTS)
        wanted = [t for t in reached if t in surroundings.nodes and t not in surroundings.barred]
        nodes |= _together(wanted, surroundings.nodes)
    waiting = waiting_tables(evaluation, past, due)
    early = _before_their_turn(evaluation, nodes, surroundings.parents)
    blocked = below(waiting | early, surroundings.parents)
    held = {**due.held, **dict.fromkeys(sorted(blocked & nodes.keys() - due.held.keys()), WAITS)}
    planned = plan_runs({t: n for t, n in nodes.items() if t not in blocked}, surroundings.parents)
    chosen = [run for run in planned if run.wave == 0][: options.max_runs]
    open_tables = {table for table in due.goals if evaluation.tables[table].is_open}
    return SensorDecision(
        requests=tuple(
            _request(run, due.goals, asked, past.states, open_tables=open_tables) for run in chosen
        ),
        asked=asked,
        held=held,
        later={table for run in planned if run not in chosen for table in run.tables},
        is_at_rest=not planned and blocked.isdisjoint(due.goals.keys() | past.in_flight),
        again_at=due.again_at,
    )


def due_of(evaluation: Evaluation, past: Past, options: Options, now: float) -> Due:
    """Tell the tables that are to be made for their own sake in this tick, and the ones that wait."""
    wanted = {table: state for table, state in evaluation.tables.items() if _is_wanted(state, options)}
    return due_tables(
        {table: goal_of(state) for table, state in with_inputs(wanted).items()},
        asked=past.asked,
        in_flight=past.in_flight,
        states=past.states,
        now=now,
        retry_after=options.retry_after,
    )


def waiting_tables(evaluation: Evaluation, past: Past, due: Due) -> set[str]:
    """Return the tables that hold back whatever derives from them: held, being made, or asked for and not there yet."""
    before = {
        table
        for table, asked in _remembered(evaluation, past, due)
        if table not in evaluation.looked_at
        and asked.goal is not None
        and past.states.get(asked.key) != "succeeded"
    }
    return due.held.keys() | past.in_flight | before


def with_inputs(wanted: Mapping[str, TableState]) -> dict[str, TableState]:
    """Drop tables with a missing input that no requested run produces."""
    needs = {table: state.needs for table, state in wanted.items()}
    lacking = below({need for each in needs.values() for need in each}.difference(wanted), needs)
    return {table: state for table, state in wanted.items() if table not in lacking}


def goal_of(state: TableState) -> str:
    """Return a digest of the definition and inputs that the table is to get, whatever it has at present."""
    reasons = [[r.reason, r.source, r.current] for r in state.verdict.reasons]
    value = [state.kind, state.definition, reasons, list(state.verdict.unpinned)]
    return hashlib.sha256(canonical_json(value)).hexdigest()[:16]


def _is_wanted(state: TableState, options: Options) -> bool:
    """Tell if a table is to be made for its own sake."""
    if (
        state.held is not None
        or state.why_not is not None
        or state.kind in ("missing_manifest", "not_replayable")
    ):
        return False
    if state.bytes_missing or state.is_missing:
        return True
    verdict = state.verdict
    if verdict.staleness == "undecidable" and not verdict.reasons:
        return options.on_undecidable == "materialize" and not state.is_outdated
    if options.cascade == "report_only":
        return any(reason.source is None or not is_table(reason.source) for reason in verdict.reasons)
    return bool(verdict.reasons)


def _remembered(evaluation: Evaluation, past: Past, due: Due) -> Iterator[tuple[str, Asked]]:
    """Yield the earlier requests, without tables that have come out as asked, or that nothing makes any more."""
    for table, asked in due.asked.items():
        is_open = table in due.goals or table in due.held or past.states.get(asked.key) == "under way"
        if is_open or (table not in evaluation.looked_at and table in past.made_here):
            yield table, asked


def _together(tables: Collection[str], nodes: Mapping[str, Node]) -> dict[str, Node]:
    """Return the nodes of tables, and of the tables that Dagster makes only with them."""
    found: dict[str, Node] = {}
    for table in tables:
        found[table] = nodes[table]
        for other in nodes[table].together:
            found.setdefault(other, nodes[other])
    return found


def _before_their_turn(evaluation: Evaluation, nodes: Mapping[str, Node], parents: Parents) -> set[str]:
    """Hold back tables with parents that a partial evaluation has not reached."""
    if evaluation.is_whole:
        return set()
    known = evaluation.looked_at.keys() | nodes.keys()
    return {t for t in nodes if t not in evaluation.looked_at and not known >= set(parents.get(t, ()))}


def _request(
    run: PlannedRun,
    goals: Mapping[str, str],
    asked: Mapping[str, Asked],
    states: Mapping[str, RunState],
    *,
    open_tables: Set[str],
) -> Request:
    """Count the tries: a request whose run has ended without reaching the same goal was one."""
    tries = dict.fromkeys(run.tables, 1)
    for table in run.tables:
        before = asked.get(table)
        if before is not None and table in goals and before.goal == goals[table]:
            tries[table] = before.tries + (before.key in states)
    return Request(
        run=run,
        goals={t: goals[t] for t in run.tables if t in goals},
        tries=tries,
        bypassed=open_tables & set(run.tables),
    )
