"""One step of Dagster as an action of the contract: gather the facts, decide, then reuse, or compute and record.

The decision is `planning.step_plan.decide_step`; a reuse is carried out in `reuse`, a computation in `compute`.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from jammi_dagster.adapters.assets.cache_policy import longest_wait
from jammi_dagster.adapters.execution import events
from jammi_dagster.adapters.execution.compute import compute
from jammi_dagster.adapters.execution.outputs import BodyOutput
from jammi_dagster.adapters.execution.reuse import Hit, reuse
from jammi_dagster.adapters.execution.step_result import StepResult
from jammi_dagster.adapters.execution.table_step import TableStep
from jammi_dagster.adapters.recipe.draft import Draft, other_checks
from jammi_dagster.catalog import Busy, Flight
from jammi_dagster.contract import CachePolicy
from jammi_dagster.planning.step_plan import PLAIN, Match, StepPlan, TableFacts, decide_step
from jammi_dagster.recording import POLL_SECONDS, Attempt, hit_or_attempt
from jammi_dagster.sensing import probe_many


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The plan of a running step, and the materializations that it found, with the output that each recorded."""

    plan: StepPlan
    hits: tuple[Hit, ...]


def materialize(
    tables: TableStep, call: Callable[[], BodyOutput], io_manager_policy: CachePolicy
) -> StepResult:
    """Reuse the tables of a step, or run its body. Under `USE`, wait for another run that is making the same."""
    started = time.perf_counter()
    draft, policy = tables.draft(), tables.policy(io_manager_policy)
    decisions: list[Decision] = []

    def hit() -> Decision | None:
        decisions[:] = [decide(tables, draft, policy)]
        return decisions[0] if decisions[0].plan.verdict == "reuse" else None

    outcome: Decision | Attempt | None
    if policy is CachePolicy.USE and tables.spec.single_flight:
        outcome = hit_or_attempt(
            hit,
            lambda: _begin(tables, draft.flights()),
            lambda: begin(tables),
            waiting=lambda busy: tables.step.log.info(_WAITING.format(busy=busy, seconds=POLL_SECONDS)),
            most_seconds=longest_wait(tables.step.tags),
        )
    else:
        outcome = hit()
    if isinstance(outcome, Decision):
        return reuse(tables, draft, outcome.hits, started)
    return compute(tables, draft, call, outcome or begin(tables), decisions[0].plan)


def record(tables: TableStep, output: BodyOutput) -> StepResult:
    """Record the output of a plain asset's body."""
    draft = tables.draft()
    facts = [fact._replace(barriers=(PLAIN, *fact.barriers), is_probed=False) for fact in draft.facts()]
    return compute(tables, draft, lambda: output, begin(tables), decide_step(facts, CachePolicy.USE))


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


def begin(tables: TableStep) -> Attempt:
    """Open the funnel for the tables of a step, whoever else makes them."""
    attempt = _begin(tables, {})
    assert isinstance(attempt, Attempt), "without flights nobody is in the way"
    return attempt


_WAITING = "{busy.table}: run/step {busy.owner} is making the same just now; waiting for it, asking every {seconds:g} s"


def _begin(tables: TableStep, flights: dict[str, Flight]) -> Attempt | Busy:
    step = tables.step
    return tables.store.begin(
        step.tables,
        produced_by=step.run_id,
        owner=f"{step.run_id}/{step.step_key}",
        start_sequence=tables.start_sequence,
        flights=flights,
    )


def _hits(tables: TableStep, facts: Sequence[TableFacts]) -> Iterator[Hit]:
    """Yield the hit of each table, up to the first without one: a range is reused as a whole, or not at all."""
    store = tables.store
    wanted = [(str(fact.definition), fact.anchors) for fact in facts]
    found = itertools.takewhile(
        lambda probed: probed.has_bytes, probe_many(store.reader, store.artifacts, wanted)
    )
    records = [probed.record.with_anchors(facts[0].anchors) for probed in found if probed.record]
    annotations = store.reader.annotations(record.materialization_id for record in records)
    for record in records:
        text = annotations.get(record.materialization_id)
        output = events.recorded_output(store, record, text, in_range=len(facts) > 1)
        if output is None:
            return
        yield Hit(record=record, output=output)


def _match(tables: TableStep, hit: Hit) -> Match:
    reported = (result.check_name for result in hit.output.check_results)
    return Match(
        materialization=hit.record.materialization_id,
        seconds=hit.record.compute_seconds,
        other_checks=other_checks(reported, tables.step.check_names),
    )
