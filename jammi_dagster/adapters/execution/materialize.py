"""One step of Dagster as an action of the contract: gather the facts, decide, then reuse, or compute and record.

The decision is `planning.step_plan.decide_step`; a reuse is carried out in `reuse`, a computation in `compute`.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from jammi_dagster.adapters.assets.cache_policy import longest_wait
from jammi_dagster.adapters.assets.declaration import is_graph
from jammi_dagster.adapters.execution import events
from jammi_dagster.adapters.execution.compute import compute
from jammi_dagster.adapters.execution.outputs import BodyOutput
from jammi_dagster.adapters.execution.reuse import Hit, reuse
from jammi_dagster.adapters.execution.step_result import StepResult
from jammi_dagster.adapters.execution.table_step import TableStep
from jammi_dagster.adapters.execution.written import refused, writing
from jammi_dagster.adapters.recipe.determinants import reused
from jammi_dagster.adapters.recipe.draft import Draft, other_checks
from jammi_dagster.catalog import Busy, Flight
from jammi_dagster.contract import CachePolicy
from jammi_dagster.errors import UnknownTable
from jammi_dagster.planning.step_plan import (
    GRAPH,
    GRAPH_CHECKS,
    GRAPH_LEFT,
    PLAIN,
    Match,
    StepPlan,
    TableFacts,
    decide_step,
)
from jammi_dagster.recording import POLL_SECONDS, Attempt, hit_or_attempt
from jammi_dagster.sensing import Wanted, probe_tables

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The plan of a running step, and the materializations that it found, with the output that each recorded."""

    plan: StepPlan
    hits: tuple[Hit, ...]


def materialize(
    tables: TableStep, call: Callable[[], BodyOutput], io_manager_policy: CachePolicy
) -> StepResult:
    """Reuse the tables of a step, or run its body. Under `USE`, wait for another run that is making the same.

    A hit that a collection took before it was made current is a miss.
    """
    started = time.perf_counter()
    policy, _ = tables.policy(io_manager_policy), tables.moves  # raise before anything is read
    draft = tables.draft()
    lost: tuple[Hit, ...] = ()
    while True:
        outcome, plan, draft = _look(tables, draft, policy)
        if not isinstance(outcome, Decision):
            return compute(tables, draft, call, outcome or begin(tables), plan)
        try:
            return reuse(tables, draft, outcome.hits, started)
        except UnknownTable:
            if outcome.hits == lost:
                raise
            lost = outcome.hits


def _look(
    tables: TableStep, draft: Draft, policy: CachePolicy
) -> tuple[Decision | Attempt | None, StepPlan, Draft]:
    """Look for hits; without them give the right to compute where somebody else could be at it; the plan and its draft.

    A step that writes elsewhere drafts anew once it may write: somebody else may have written meanwhile.
    """
    decisions: list[Decision] = []
    writes, begun = bool(tables.spec.writes), list[bool]()

    def hit() -> Decision | None:
        nonlocal draft
        if writes and begun:
            draft = tables.draft()
        decisions[:] = [decide(tables, draft, policy)]
        return decisions[0] if decisions[0].plan.verdict == "reuse" else None

    def begin_alone() -> Attempt | Busy:
        flights = writing(tables) if writes else draft.flights()
        answer = begin_flights(tables, tables.step.tables, flights)
        begun.extend([True] * isinstance(answer, Attempt))
        return answer

    def begin_beside() -> Attempt:
        if writes:
            raise refused(tables)
        return begin(tables)

    outcome: Decision | Attempt | None
    if writes or (policy is CachePolicy.USE and tables.spec.single_flight):
        outcome = after_others(tables, hit, begin_alone, begin_beside)
    else:
        outcome = hit()
    return outcome, decisions[0].plan, draft


def record(tables: TableStep, output: BodyOutput, policy: CachePolicy) -> StepResult:
    """Record the output of a plain asset's body, or of the ops of a graph."""
    draft = tables.draft()
    of_graph = is_graph(tables.step.assets_def)
    plan = decide(tables, draft, policy).plan if of_graph else None
    if plan is None or plan.verdict == "reuse":
        why = _why_run(tables, of_graph=of_graph)
        facts = [fact._replace(barriers=(why, *fact.barriers), is_probed=False) for fact in draft.facts()]
        plan = decide_step(facts, CachePolicy.USE)
    return compute(tables, draft, lambda: output, begin(tables), plan)


def _why_run(tables: TableStep, *, of_graph: bool) -> str:
    """Return why a body was called, or ops were run, although their table may be stored."""
    if not of_graph:
        return PLAIN
    if tables.step.check_names:
        return GRAPH_CHECKS
    return GRAPH_LEFT if tables.step.reuses_first else GRAPH


def decide(tables: TableStep, draft: Draft, policy: CachePolicy) -> Decision:
    """Probe for each table, up to the first without a match, and decide."""
    facts = draft.facts()
    hits: list[Hit] = []
    if policy is CachePolicy.USE and all(fact.may_match for fact in facts):
        hits = list(_hits(tables, facts))
        matches = [_match(tables, hit) for hit in hits]
        probed = min(len(hits) + 1, len(facts))
        facts = [
            fact._replace(match=matches[at] if at < len(matches) else None, is_probed=at < probed)
            for at, fact in enumerate(facts)
        ]
    else:
        facts = [fact._replace(is_probed=False) for fact in facts]
    return Decision(plan=decide_step(facts, policy), hits=tuple(hits))


def begin(tables: TableStep, names: Sequence[str] | None = None) -> Attempt:
    """Open the funnel for the tables of a step, or for these, whoever else makes them."""
    attempt = begin_flights(tables, tables.step.tables if names is None else names, {})
    assert isinstance(attempt, Attempt), "without flights nobody is in the way"
    return attempt


def after_others(
    tables: TableStep,
    hit: Callable[[], Found | None],
    begin_alone: Callable[[], Attempt | Busy],
    begin_beside: Callable[[], Attempt],
) -> Found | Attempt:
    """Return a hit, or the right to compute; log for whom the step waits, as long as its run tags say."""
    return hit_or_attempt(
        hit,
        begin_alone,
        begin_beside,
        waiting=lambda busy: tables.step.log.info(_WAITING.format(busy=busy, seconds=POLL_SECONDS)),
        most_seconds=longest_wait(tables.step.tags),
    )


_WAITING = "{busy.table}: run/step {busy.owner} is making the same just now; waiting for it, asking every {seconds:g} s"


def begin_flights(tables: TableStep, names: Sequence[str], flights: dict[str, Flight]) -> Attempt | Busy:
    """Open the funnel for tables of these names, unless somebody else computes one of the flights."""
    step = tables.step
    return tables.store.begin(
        names,
        produced_by=step.run_id,
        owner=f"{step.run_id}/{step.step_key}",
        start_sequence=tables.start_sequence,
        flights=flights,
    )


def _hits(tables: TableStep, facts: Sequence[TableFacts]) -> Iterator[Hit]:
    """Yield the hit of each table, up to the first without one: a range is reused as a whole, or not at all."""
    store = tables.store
    wanted = [Wanted(fact.table, str(fact.definition), fact.anchors) for fact in facts]
    found = itertools.takewhile(
        lambda probed: probed.has_bytes, probe_tables(store.reader, store.artifacts, wanted)
    )
    records = [
        (probed.record.with_anchors(facts[0].anchors), probed.accepted) for probed in found if probed.record
    ]
    annotations = store.reader.annotations(record.materialization_id for record, _ in records)
    for record, accepted in records:
        text = annotations.get(record.materialization_id)
        output = events.recorded_output(store, record, text, in_range=len(facts) > 1)
        if output is None:
            return
        yield Hit(record=record, output=output, why=reused(record, accepted))


def _match(tables: TableStep, hit: Hit) -> Match:
    reported = (result.check_name for result in hit.output.check_results)
    step = tables.step
    checks = (step.declared_check_names, step.check_names)
    if is_graph(step.assets_def):
        checks = ([], [])  # Dagster alone has their results
    return Match(
        materialization=hit.record.materialization_id,
        seconds=hit.record.compute_seconds,
        why=hit.why,
        other_checks=other_checks(reported, *checks),
        distrusted=tables.spec.distrusted(hit.record, tables.store),
    )
