"""The reasons why a running step computes its tables: for event, log and sidecar, told before the body runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jammi_dagster.adapters.execution.table_step import TableStep
from jammi_dagster.adapters.recipe.determinants import FIRST_TIME, determinants
from jammi_dagster.adapters.recipe.draft import Draft
from jammi_dagster.adapters.recipe.inputs import MADE_ALONG
from jammi_dagster.adapters.recipe.pins import worded
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import InputAnchor
from jammi_dagster.errors import JammiError
from jammi_dagster.planning.step_plan import BYPASSED, NO_MATCH, StepPlan, TablePlan
from jammi_dagster.sensing.difference import inputs_in_words

MOST_SAID = 3
_MOST_EXPLAINED = 20  # each takes a read of a sidecar; the tables of a range mostly share their reason
_UNREADABLE = "the record of its current materialization cannot be read"
_NEVER = "it can never be reused: {reason}"


class Why(NamedTuple):
    """The reasons why a table is computed, and its inputs in words: how many there are, and how many changed."""

    reasons: tuple[str, ...]
    inputs: str


def why_computed(tables: TableStep, draft: Draft, plan: StepPlan) -> dict[str, Why]:
    """Return why each table of a step is computed; of a long range, only of the first ones in particular."""
    found: dict[str, Why] = {}
    for table in plan.tables[:_MOST_EXPLAINED]:
        try:
            record = tables.store.reader.current(table.table)
            before = None if record is None else record.input_anchors
            anchors = _told(draft.inputs.anchors, before or ())
            reasons = tuple(_reasons(tables, draft, table, record, anchors))
        except JammiError:  # a damaged record of the last one fails no step
            before, anchors, reasons = None, draft.inputs.anchors, (_UNREADABLE,)
        found[table.table] = Why(reasons, inputs_in_words(before, anchors))
    for table in plan.tables[_MOST_EXPLAINED:]:
        found[table.table] = found[plan.tables[0].table]
    return found


def in_words(reasons: Sequence[str]) -> str:
    """Return the first reasons in one line."""
    more = [f"{len(reasons) - MOST_SAID} more reasons"] if len(reasons) > MOST_SAID else []
    return "; ".join([*reasons[:MOST_SAID], *more])


def _told(now: tuple[InputAnchor, ...], before: Sequence[InputAnchor]) -> tuple[InputAnchor, ...]:
    """Take tables that the same step makes first for as they were: their digests are not known yet."""
    recorded = {anchor.source: anchor for anchor in before}
    return tuple(
        recorded.get(anchor.source, anchor) if str(anchor.anchor).startswith(MADE_ALONG) else anchor
        for anchor in now
    )


def _reasons(
    tables: TableStep,
    draft: Draft,
    plan: TablePlan,
    record: MaterializationRecord | None,
    anchors: Sequence[InputAnchor],
) -> list[str]:
    if record is None:
        return [FIRST_TIME.text]
    if BYPASSED in plan.reasons:
        return [BYPASSED]
    now = draft.definitions[plan.table]
    differs = determinants(tables.store, record, now, draft.inputs.names, anchors)
    said = [worded(difference, tables.pins) for difference in differs]
    barriers = [reason for reason in plan.reasons if reason != NO_MATCH]
    if draft.inputs.reasons and barriers:
        barriers = [_NEVER.format(reason=barriers[0])]
    return [*said, *barriers] or list(plan.reasons)
