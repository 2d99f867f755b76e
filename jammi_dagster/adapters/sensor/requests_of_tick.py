"""What one tick of the sensor requests, given what it found (docs/adr/0011)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import dagster as dg

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.code_location.location import Target
from jammi_dagster.adapters.judgement.evaluation import Evaluation
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.judgement.table_state import TableState
from jammi_dagster.adapters.judgement.wording import reasons
from jammi_dagster.adapters.launching.in_flight import is_unfinished, statuses, tables_in_flight
from jammi_dagster.adapters.launching.run_requests import (
    Node,
    Request,
    by_store,
    parents_of,
    replays_of,
    requests_for,
    run_request,
    together,
)
from jammi_dagster.adapters.recipe.replay import Replay
from jammi_dagster.adapters.sensor.cursor import Asked, Cursor, Round
from jammi_dagster.contract import DerivesFromEdge, canonical_json
from jammi_dagster.contract.tables import is_table
from jammi_dagster.errors import InvalidField
from jammi_dagster.lineage.graph import edges_by_input
from jammi_dagster.planning.waves import Parents, below
from jammi_dagster.store import ResultStore

Cascade = Literal["downstream", "report_only"]
OnUndecidable = Literal["report", "materialize"]

_LONGEST_RETRY = 86_400.0
_MOST_SAID = 5
_ONE_BY_ONE = 100
_MOST_DESCENDANTS = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a sensor's author says; see `build_staleness_sensor`. Durations are in seconds."""

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


class Decision:
    """What to request, given what one look found."""

    def __init__(
        self, name: str, options: Options, evaluator: Evaluator, found: Evaluation, cursor: Cursor, now: float
    ) -> None:
        self._options, self._name = options, name
        self._evaluator, self._found, self._cursor, self._now = evaluator, found, cursor, now
        self._flying = tables_in_flight(evaluator.location)
        self._statuses = statuses(evaluator.location.instance, {entry.key for entry in cursor.asked.values()})
        self._again_at: float | None = None
        self.is_at_rest = False
        self.has_more = False
        self._held: dict[str, str] = {}

    def requests(self) -> list[dg.RunRequest]:
        """The runs to launch now, at most as many as allowed; what is asked is noted in the cursor."""
        wanted = _with_inputs({t: s for t, s in self._found.tables.items() if self._is_wanted(s)})
        goals = {table: _goal(state) for table, state in wanted.items()}
        roots: dict[str, TableState] = {}
        for table, state in wanted.items():
            why = self._why_wait(table, goals[table])
            if why is None:
                roots[table] = state
            else:
                self._held[table] = why
        self._forget(wanted)
        nodes = together(self._evaluator, [Node(s.table, s.asset, s.partition) for s in roots.values()])
        if self._options.cascade == "downstream":
            nodes = together(self._evaluator, [*nodes.values(), *self._descendants(nodes)])
        waiting = self._held.keys() | self._flying | self._held_before()
        parents = parents_of([*nodes.values(), *self._nodes_of(waiting)])
        blocked = below(waiting | self._unready(nodes, parents), parents)
        for table in sorted(blocked & nodes.keys() - self._held.keys()):
            self._held[table] = "waits for what it derives from"
        nodes = {table: node for table, node in nodes.items() if table not in blocked}
        replays = replays_of(nodes.values())
        planned = requests_for(nodes, parents, replays)
        first = [request for request in planned if request.wave == 0]
        chosen = first[: self._options.max_runs]
        self.has_more = len(planned) > len(chosen)
        self.is_at_rest = not planned and blocked.isdisjoint(roots.keys() | self._flying)
        return [self._ask(request, roots, goals, replays) for request in chosen]

    def added_to(self, before: Round) -> Round:
        """What the round has found so far, with this look."""
        states = sorted(self._found.tables.values(), key=lambda s: (_URGENCY.get(s.kind, 9), s.table))
        instants = [instant for instant in (before.again_at, self._again_at) if instant is not None]
        return Round(
            after=self._found.last,
            token=before.token if self.is_at_rest else None,
            again_at=min(instants, default=None),
            counts=dict(Counter(before.counts) + self._found.counts),
            lines=[*before.lines, *map(self._line, states[: _MOST_SAID - len(before.lines)])],
            listed=before.listed + len(states),
        )

    def summary(self, so_far: Round, requests: Collection[dg.RunRequest]) -> str:
        """What was found, as a sentence for a person, and the first reasons."""
        counts = Counter(so_far.counts)
        words = {
            "fresh": "fresh",
            "stale": "stale",
            "undecidable": "undecidable",
            "missing_manifest": "without manifest",
        }
        said = [f"{counts[kind]:,} {word}" for kind, word in words.items()]
        extra = {
            "not_replayable": "with a config that is not valid any more",
            "missing": "never materialized",
        }
        said += [f"{counts[kind]:,} {word}" for kind, word in extra.items() if counts[kind]]
        lines = [", ".join(said) + ".", *so_far.lines]
        if so_far.listed > len(so_far.lines):
            lines.append(f"And {so_far.listed - len(so_far.lines):,} more.")
        for table, why in list(self._found.gone.items())[:_MOST_SAID]:
            lines.append(f"{table}: {why}.")
        for key, problem in list(self._evaluator.problems.items())[:_MOST_SAID]:
            lines.append(f"{key.to_user_string()} cannot be looked at: {problem}.")
        if requests:
            lines.append(f"Requested {len(requests):,} run{'s' if len(requests) > 1 else ''}.")
        return " ".join(lines)

    def _line(self, state: TableState) -> str:
        why = "; ".join(reasons(state)) or "its run left it as it was"
        held = self._held.get(state.table)
        return f"{state.table} is {state.kind.replace('_', ' ')}: {why}{f' ({held})' if held else ''}."

    # --- what is to be made ---------------------------------------------------------------------------

    def _is_wanted(self, state: TableState) -> bool:
        """Whether the table is to be made for its own sake."""
        if state.why_not is not None or state.kind in ("missing_manifest", "not_replayable"):
            return False
        if state.bytes_missing or state.is_missing:
            return True
        verdict = state.verdict
        if verdict.staleness == "undecidable" and not verdict.reasons:
            return self._options.on_undecidable == "materialize"
        if self._options.cascade == "report_only":  # what derives from a change is only reported
            return any(reason.source is None or not is_table(reason.source) for reason in verdict.reasons)
        return bool(verdict.reasons)

    def _why_wait(self, table: str, goal: str) -> str | None:
        """Why a table is not requested in this tick though it is to be made; None if it is."""
        if table in self._flying:
            self._at_latest(self._now)
            return "a run is making it"
        asked = self._cursor.asked.get(table)
        if asked is None:
            return None
        status = self._statuses.get(asked.key)
        if asked.goal is None:  # it was below what was made, and its own run left it stale
            asked.goal = goal
        if asked.goal != goal or status is None:
            return None
        if is_unfinished(status):
            return "a run is making it"
        retry_at = asked.at + min(self._options.retry_after * 2 ** (asked.tries - 1), _LONGEST_RETRY)
        if retry_at <= self._now:
            return None
        self._at_latest(retry_at)
        ended = "was run for this already" if status is dg.DagsterRunStatus.SUCCESS else "its run failed"
        return f"{ended}; again in {retry_at - self._now:.0f} s unless something changes"

    def _at_latest(self, instant: float) -> None:
        self._again_at = instant if self._again_at is None else min(self._again_at, instant)

    def _forget(self, wanted: Collection[str]) -> None:
        """Drops what was asked and has landed, or is made by nothing any more."""

        def is_kept(table: str, asked: Asked) -> bool:
            if table in wanted or is_unfinished(self._statuses.get(asked.key, dg.DagsterRunStatus.SUCCESS)):
                return True
            return table not in self._found.looked_at and self._evaluator.node(table) is not None

        self._cursor.asked = {table: a for table, a in self._cursor.asked.items() if is_kept(table, a)}

    def _descendants(self, nodes: Mapping[str, Node]) -> Iterable[Node]:
        """What recorded any of the tables as an input, at any depth; of very many the nearest, the rest has to wait."""
        found, rest = set(nodes), list(nodes)
        below = _Derived(list(self._found.stores.values()))
        for table in rest:  # it grows meanwhile
            if len(rest) > len(nodes) + _MOST_DESCENDANTS:
                break
            new = dict.fromkeys(derived for derived in below.of(table) if derived not in found)
            found.update(new)
            rest.extend(new)
        return self._nodes_of(found - nodes.keys())

    def _held_before(self) -> set[str]:
        """What was asked for its own sake among the tables that this look did not come to, and has not landed."""
        return {
            table
            for table, asked in self._cursor.asked.items()
            if table not in self._found.looked_at
            and asked.goal is not None
            and self._statuses.get(asked.key) is not dg.DagsterRunStatus.SUCCESS
        }

    def _unready(self, nodes: Mapping[str, Node], parents: Parents) -> set[str]:
        """What derives from a table of a look in part, and from others that it did not come to: their turn is later."""
        if not self._cursor.round.after and self._found.is_complete:
            return set()
        known = self._found.looked_at.keys() | nodes.keys()
        return {t for t in nodes if t not in self._found.looked_at and not known >= set(parents[t])}

    def _nodes_of(self, tables: Iterable[str]) -> list[Node]:
        """The tables that the target's assets make now; the others are nobody's to request."""
        targets = set(self._evaluator.location.select(self._options.target))
        named = [(table, self._evaluator.node(table)) for table in sorted(tables)]
        nodes = [Node(t, asset, asset.tables()[t]) for t, asset in named if asset and asset.key in targets]
        hindered = self._evaluator.hindered(self._found, [node.table for node in nodes])
        return [node for node in nodes if node.table not in hindered]

    # --- asking ---------------------------------------------------------------------------------------

    def _ask(
        self,
        request: Request,
        roots: Mapping[str, TableState],
        goals: Mapping[str, str],
        replays: Mapping[str, Replay],
    ) -> dg.RunRequest:
        """The run request, whose key stands for the determinants of its tables; noted in the cursor."""
        determinants, tries = [], {}
        current = _materializations(request.nodes)
        for node in request.nodes:
            asked, goal = self._cursor.asked.get(node.table), goals.get(node.table)
            is_again = asked is not None and goal is not None and asked.goal == goal
            ended = is_again and asked is not None and asked.key in self._statuses
            tries[node.table] = (asked.tries + bool(ended)) if is_again and asked is not None else 1
            determinants.append([node.table, goal, current.get(node.table), tries[node.table]])
        key = hashlib.sha256(canonical_json([self._name, determinants])).hexdigest()
        for node in request.nodes:
            self._cursor.asked[node.table] = Asked(key, self._now, goals.get(node.table), tries[node.table])
        computed = {node.table for node in request.nodes if node.table in roots}
        return run_request(request, replays, computed, run_key=key, tags={metadata_keys.REQUEST_TAG: key})


def _with_inputs(wanted: Mapping[str, TableState]) -> dict[str, TableState]:
    """Those of the tables whose every input is there, or is to be made too."""
    needs = {table: state.needs for table, state in wanted.items()}
    lacking = below({need for each in needs.values() for need in each}.difference(wanted), needs)
    return {table: state for table, state in wanted.items() if table not in lacking}


_URGENCY = {"stale": 0, "bytes_missing": 0, "not_replayable": 1, "missing_manifest": 2, "undecidable": 3}


def _goal(state: TableState) -> str:
    """What the table is to become: the definition and the inputs of now, whatever it is at present."""
    reasons = [[r.reason, r.source, r.current] for r in state.verdict.reasons]
    value = [state.kind, state.definition, reasons, list(state.verdict.unpinned)]
    return hashlib.sha256(canonical_json(value)).hexdigest()[:16]


def _materializations(nodes: Iterable[Node]) -> dict[str, str]:
    """The id of what is current of each table."""
    return {
        table: record.materialization_id
        for store, tables in by_store(nodes)
        for table, record in store.reader.current_of(tables).items()
    }


class _Derived:
    """What recorded a table as an input, in any of the stores: asked one by one, and of many all at once."""

    def __init__(self, stores: Sequence[ResultStore]) -> None:
        self._stores, self._asked = stores, 0
        self._all: dict[str, list[DerivesFromEdge]] | None = None

    def of(self, table: str) -> list[str]:
        names = [table, *{f"dagster:{store.scope.deployment}/{table}" for store in self._stores}]
        self._asked += 1
        if self._asked == _ONE_BY_ONE:
            self._all = edges_by_input(edge for store in self._stores for edge in store.reader.edges())
        if self._all is not None:
            return [edge.derived for name in names for edge in self._all.get(name, ())]
        return [e.derived for store in self._stores for name in names for e in store.reader.edges(name)]
