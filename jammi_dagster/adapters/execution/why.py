"""The reasons why a running step computes its tables: for event, log and sidecar, told before the body runs."""

from __future__ import annotations

from collections.abc import Sequence

from jammi_dagster.adapters.execution.table_step import TableStep
from jammi_dagster.adapters.recipe.determinants import FIRST_TIME, determinants
from jammi_dagster.adapters.recipe.draft import Draft
from jammi_dagster.errors import JammiError
from jammi_dagster.planning.step_plan import BYPASSED, NO_MATCH, StepPlan, TablePlan

MOST_SAID = 3
_MOST_EXPLAINED = 20  # each takes a read of a sidecar; the tables of a range mostly share their reason
_UNREADABLE = "the record of its current materialization cannot be read"
_NEVER = "it can never be reused: {reason}"


def why_computed(tables: TableStep, draft: Draft, plan: StepPlan) -> dict[str, tuple[str, ...]]:
    """Return the reasons of each table of a step that computes; of a long range, only the first ones in particular."""
    found: dict[str, tuple[str, ...]] = {}
    for table in plan.tables[:_MOST_EXPLAINED]:
        try:
            found[table.table] = tuple(_reasons(tables, draft, table))
        except JammiError:  # a damaged record of the last one fails no step
            found[table.table] = (_UNREADABLE,)
    for table in plan.tables[_MOST_EXPLAINED:]:
        found[table.table] = found[plan.tables[0].table]
    return found


def in_words(reasons: Sequence[str]) -> str:
    """Return the first reasons in one line."""
    more = [f"{len(reasons) - MOST_SAID} more reasons"] if len(reasons) > MOST_SAID else []
    return "; ".join([*reasons[:MOST_SAID], *more])


def _reasons(tables: TableStep, draft: Draft, plan: TablePlan) -> list[str]:
    record = tables.store.reader.current(plan.table)
    if record is None:
        return [FIRST_TIME.text]
    if BYPASSED in plan.reasons:
        return [BYPASSED]
    now = draft.definitions[plan.table]
    differs = determinants(tables.store, record, now, draft.inputs.names, draft.inputs.anchors)
    said = [difference.text for difference in differs]
    barriers = [reason for reason in plan.reasons if reason != NO_MATCH]
    if draft.inputs.reasons and barriers:
        barriers = [_NEVER.format(reason=barriers[0])]
    return [*said, *barriers] or list(plan.reasons)
