"""A step that makes several assets: reuse all, or call the function once, and publish all tables or none."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.formats import may_be_none
from jammi_dagster.adapters.execution import events
from jammi_dagster.adapters.execution.compute import (
    Made,
    computed_result,
    outputs_of,
    write_all,
    write_tables,
)
from jammi_dagster.adapters.execution.materialize import after_others, begin, begin_flights
from jammi_dagster.adapters.execution.outputs import BodyOutput, Receiver, check_reported
from jammi_dagster.adapters.execution.reuse import pairs_of, reused_result
from jammi_dagster.adapters.execution.step_result import StepResult
from jammi_dagster.adapters.execution.table_outputs import AssetOutput, TableOutputs
from jammi_dagster.adapters.execution.table_step import TableStep
from jammi_dagster.adapters.execution.tables_step import Decided, Member, Policies, decide_members
from jammi_dagster.adapters.execution.watched_body import WatchedBody
from jammi_dagster.adapters.execution.why import in_words, why_computed
from jammi_dagster.adapters.recipe.inputs import InputSnapshot
from jammi_dagster.catalog import Answer, Busy
from jammi_dagster.contract import CachePolicy
from jammi_dagster.errors import UnknownTable
from jammi_dagster.objects import not_made
from jammi_dagster.recording import Attempt

Results = dict[dg.AssetKey, StepResult]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """The function of a step. `calling` gives the call that makes some assets; its results are taken within.

    `log` takes the events that it gives besides results. `can_subset`: it can make a part of the assets. `checks` are
    those that the step selects of other assets than it makes: their results go to `check_results`.
    """

    calling: Callable[[Collection[dg.AssetKey]], AbstractContextManager[Callable[[], Any]]]
    log: Callable[[Any], None]
    can_subset: bool
    checks: Sequence[dg.AssetCheckKey] = ()
    check_results: list[dg.AssetCheckResult] = field(default_factory=list)


def materialize_members(
    members: Sequence[Member], function: Function, io_manager_policy: CachePolicy
) -> Results:
    """Reuse the tables of a step's members, or call the function for a part of them, or for all.

    Under `USE`, wait for another run that is making the same. A hit that a collection took before it was made current
    is a miss.
    """
    started = time.perf_counter()
    policies = {member.key: member.tables.policy(io_manager_policy) for member in members}
    lost: list[tuple[str, str]] = []
    while True:
        attempt, decided = _look(members, policies, function)
        if attempt is not None:
            return _compute(decided, function, attempt, started)
        pairs = [pair for one in decided for pair in pairs_of(one.hits)]
        try:
            return _reuse(decided, pairs, started)
        except UnknownTable:
            if pairs == lost:
                raise
            lost = pairs


def _look(
    members: Sequence[Member], policies: Policies, function: Function
) -> tuple[Attempt | None, Sequence[Decided]]:
    """Decide the members; give the right to compute unless all are reused."""
    first, last = members[0].tables, list[Decided]()
    begun: list[Decided] = []

    def hit() -> Sequence[Decided] | None:
        last[:] = decide_members(
            members, policies, can_subset=function.can_subset, checks=function.checks
        ).values()
        return last if all(one.is_reused for one in last) else None

    def computed() -> list[str]:
        begun[:] = last
        return [table for one in last if not one.is_reused for table in one.tables.step.tables]

    def begin_alone() -> Attempt | Busy:
        drafts = [one.draft for one in last if not one.is_reused]
        flights = {table: flight for draft in drafts for table, flight in draft.flights().items()}
        return begin_flights(first, computed(), flights)

    def begin_beside() -> Attempt:
        return begin(first, computed())

    if first.spec.single_flight and CachePolicy.USE in policies.values():
        outcome = after_others(first, hit, begin_alone, begin_beside)
    else:
        outcome = hit() or begin_beside()
    return (outcome, begun) if isinstance(outcome, Attempt) else (None, last)


def _reuse(decided: Sequence[Decided], pairs: Sequence[tuple[str, str]], started: float) -> Results:
    first = decided[0].tables
    pointed = first.store.writer.point(
        pairs, start_sequence=first.start_sequence, run_id=first.step.run_id, moves=first.moves
    )
    return _reused(decided, [point.is_current for point in pointed], started)


def _reused(decided: Sequence[Decided], are_current: Sequence[bool], started: float) -> Results:
    """Return the results of reused members; `are_current` has one entry for each of their tables."""
    results: Results = {}
    rest = iter(are_current)
    for one in decided:
        one.tables.step.log.info(
            f"{events.saved_line([hit.record for hit in one.hits])}{one.tables.root_once()}"
        )
        current = [next(rest) for _ in one.hits]
        results[one.member.key] = reused_result(one.tables, one.draft, one.hits, current, started)
    return results


def _compute(decided: Sequence[Decided], function: Function, attempt: Attempt, started: float) -> Results:
    """Call the function for the members that are computed; publish their tables, and the reused ones beside them.

    Raises `InvalidOutput`, and any error of the function or the funnel; then nothing is published.
    """
    begun = time.perf_counter()
    computed = [one for one in decided if not one.is_reused]
    reused = [one for one in decided if one.is_reused]
    first = computed[0].tables
    with attempt:
        why = {one.member.key: why_computed(one.tables, one.draft, one.plan) for one in computed}
        for one in computed:
            table = one.plan.tables[0].table
            reasons = in_words(why[one.member.key][table].reasons)
            first.step.log.info(f"computing {table}: {reasons}{first.root_once()}")
        body, outputs, schemas = _called(computed, function, attempt)
        seconds = (time.perf_counter() - begun) / sum(len(one.tables.step.tables) for one in computed)
        made = {
            one.member.key: Made(
                output=outputs[one.member.key],
                inputs=_settled(one, body, attempt),
                schemas=schemas[one.member.key],
                why=why[one.member.key],
                seconds=seconds,
            )
            for one in computed
        }
        entries = [
            entry for one in computed for entry in outputs_of(one.tables, one.draft, made[one.member.key])
        ]
        pairs = [pair for one in reused for pair in pairs_of(one.hits)]
        published = attempt.publish(entries, run_id=first.step.run_id, moves=first.moves, reused=pairs)
    results = _reused(reused, [one.is_current for one in published[len(entries) :]], started)
    rest = iter(published)
    for one in computed:
        of_member = [next(rest) for _ in one.tables.step.tables]
        results[one.member.key] = computed_result(one.tables, made[one.member.key], of_member)
    return {one.member.key: results[one.member.key] for one in decided}


def _called(
    computed: Sequence[Decided], function: Function, attempt: Attempt
) -> tuple[WatchedBody, dict[dg.AssetKey, BodyOutput], dict[dg.AssetKey, Mapping[str, Mapping[str, Any]]]]:
    """Call the function under watch, and write each output as it comes; return the outputs, and their schemas."""
    first = computed[0].tables
    outputs = [_output_of(one, function.log) for one in _as_declared(computed)]
    tables_of = {one.member.key: one.tables for one in computed}
    schemas: dict[dg.AssetKey, Mapping[str, Mapping[str, Any]]] = {}

    def write(one: AssetOutput) -> None:
        schemas[one.receiver.key] = write_tables(tables_of[one.receiver.key], attempt, one.output)

    def beside(result: dg.AssetCheckResult) -> bool:
        is_beside = result.asset_key in {check.asset_key for check in function.checks}
        if is_beside:
            function.check_results.append(result)
        return is_beside

    body = WatchedBody(first)
    with body.running(), function.calling(tables_of) as call:
        TableOutputs(first.step.step_key, outputs, write, beside).produce(call)
        for one in outputs:
            if one.is_written:
                check_reported(one.output, one.checks, one.selected_checks, asset=one.receiver.asset)
            else:
                schemas[one.receiver.key] = _leave_out(tables_of[one.receiver.key], attempt)
    return body, {one.receiver.key: one.output for one in outputs}, schemas


def _as_declared(computed: Sequence[Decided]) -> list[Decided]:
    """Sort members into the order in which the function declares its outputs, as a returned tuple has them."""
    order = list(computed[0].tables.step.assets_def.node_keys_by_output_name.values())
    return sorted(computed, key=lambda one: order.index(one.member.key))


def _output_of(one: Decided, log: Callable[[Any], None]) -> AssetOutput:
    step, spec = one.tables.step, one.tables.spec
    receiver = Receiver(
        key=step.asset_key,
        takes_none=may_be_none(spec.shape.output, spec.format),
        output_name=step.assets_def.get_output_name_for_asset_key(step.asset_key),
        log=log,
    )
    return AssetOutput(
        receiver=receiver,
        checks=step.declared_check_names,
        selected_checks=step.check_names,
        is_optional=spec.is_optional,
    )


def _leave_out(tables: TableStep, attempt: Attempt) -> dict[str, Mapping[str, Any]]:
    """Record that the function left an output out, so that this is reused too."""
    return write_all(tables, attempt, [not_made() for _ in tables.step.tables])


def _settled(one: Decided, body: WatchedBody, attempt: Attempt) -> InputSnapshot:
    """Return the anchors of a member, with those of siblings as they were just written."""
    home = one.tables.store.identity.deployment
    inputs = body.settled(one.tables, one.draft.inputs, one.tables.inputs_after_body())
    above = [
        table
        for dep in one.tables.step.dependencies
        if dep.asset_key in one.member.inside
        for table in dep.tables
    ]
    written = {table: attempt.written[table].digest for table in above if table in attempt.written}
    answers = {table: Answer(home, attempt.rows[table].materialization_id) for table in written}
    inputs = inputs.with_digests(written, answers)
    for dependency in one.tables.step.dependencies:
        for table in dependency.tables if dependency.asset_key in one.member.given else ():
            if table in attempt.written and attempt.written[table].digest not in _digests(inputs, table):
                inputs = inputs.without_pin(table, _MADE_ANEW.format(table=table))
    return inputs


def _digests(inputs: InputSnapshot, table: str) -> list[str]:
    return [anchor.anchor for anchor in inputs.anchors if anchor.source == table]


_MADE_ANEW = (
    "{table} was given to the function as it was stored, and made anew by the same call; either may have been read: "
    "the next run sees it settled"
)
