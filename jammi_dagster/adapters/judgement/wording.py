"""Verdicts in words: why a table is not fresh."""

from __future__ import annotations

from collections.abc import Collection

from jammi_dagster.adapters.code_location.current_asset import NotReplayable, Unknowable
from jammi_dagster.adapters.code_location.dry_step import first_line
from jammi_dagster.adapters.judgement.table_state import TableState
from jammi_dagster.adapters.recipe.determinants import definition_differences
from jammi_dagster.contract import Difference
from jammi_dagster.contract.anchors import in_words
from jammi_dagster.contract.dbt_versions import dbt_change
from jammi_dagster.errors import JammiError
from jammi_dagster.planning.step_plan import BYPASSED, GONE
from jammi_dagster.sensing import pins_behind
from jammi_dagster.sensing.probe import damage

_MOST_SAID = 5
_IN_WORDS = {BYPASSED: 'its cache policy is bypass, so no stored result is looked for (cache="use" would)'}


def differences(state: TableState) -> list[Difference]:
    """Compare the table's recorded definition with the one it would have now; reads its sidecar."""
    if state.inputs is None:
        return []
    store = state.asset.store
    try:
        record = store.current(state.table)
    except JammiError:
        return []
    now = state.asset.described(state.partition, state.replay, state.inputs)
    return definition_differences(store, record, now, state.inputs.names)


def reasons(state: TableState) -> list[str]:
    """Return the reasons why a table is not fresh, one sentence each, the most telling first."""
    return [_plain(state, reason) for reason in _reasons(state)]


def _plain(state: TableState, text: str) -> str:
    """Name an asset of the table's own deployment by its key alone."""
    return text.replace(f"dagster:{state.asset.store.scope.home}/", "")


def _reasons(state: TableState) -> list[str]:
    said = []
    if state.is_missing:
        said.append("never materialized")
    if state.bytes_missing:
        said.append(_damage(state))
    changes: list[str] = []
    pinned = _pinned(state)
    for reason in state.verdict.reasons:
        if reason.reason == "definition_changed":
            changes = [str(difference) for difference in differences(state)]
            said += changes[:_MOST_SAID] or ["code, config or environment changed"]
            if len(changes) > _MOST_SAID:
                said.append(f"{len(changes) - _MOST_SAID} more differences")
        elif reason.reason == "input_advanced":
            how = dbt_change(reason.recorded, reason.current)
            said.append(pinned.get(str(reason.source), f"{in_words(str(reason.source))} changed{how}"))
        elif not any(str(reason.source) in change for change in changes):
            said.append(f"{in_words(str(reason.source))} is gone")
    for source in state.verdict.unpinned:
        said += _undeclared(state, source) or [f"{in_words(source)} has no version to compare"]
    if state.needs:
        more = " and more" if len(state.needs) > 3 else ""
        verb = "is" if len(state.needs) == 1 else "are"
        said.append(f"it needs {', '.join(state.needs[:3])}{more}, which {verb} not there")
    said += [why for why in (state.why_undecidable, state.why_not) if why]
    if state.verdict.stale_ancestor is not None:
        said.append(f"it derives from {state.verdict.stale_ancestor}, which is stale")
    if state.verdict.accepted is not None:
        said.append(str(state.verdict.accepted))
    if state.held is not None:
        said.append(str(state.held))
    return said


def _pinned(state: TableState) -> dict[str, str]:
    """Word the inputs that moved on since the table was made over a pinned one; nothing is read where none did."""
    if not any(reason.reason == "input_advanced" for reason in state.verdict.reasons):
        return {}
    store = state.asset.store
    try:
        record = store.reader.current(state.table)
        found = record and pins_behind(store.reader, store.artifacts, store.scope, record, state.verdict)
    except JammiError:  # its row or sidecar is damaged
        return {}
    return {pin.table: str(pin) for pin in found or ()}


def _damage(state: TableState) -> str:
    """Say if the bytes of a table are gone, or of another size than recorded."""
    try:
        record = state.asset.store.reader.current(state.table)
    except JammiError as error:  # its row is damaged
        return first_line(error)
    said = record and damage(state.asset.store.artifacts, record.artifact_path, record.size_bytes)
    return f"its bytes are {said or GONE}"


def _undeclared(state: TableState, source: str) -> list[str]:
    """Return the reasons behind an undeclared read of the asset itself; none for another source."""
    if source != f"undeclared:{state.asset.key.to_user_string()}":
        return []
    try:
        found = state.asset.undeclared(state.replay)
    except (NotReplayable, Unknowable):
        return []
    more = [f"{len(found) - _MOST_SAID} more reasons"] if len(found) > _MOST_SAID else []
    return [*found[:_MOST_SAID], *more]


def expectation(state: TableState, said: Collection[str] = ()) -> str:
    """Word the plan of a run of a table, without the reasons that were `said`; no text for a state without a plan."""
    plan = state.plan()
    if plan is None:
        return ""
    planned = [_plain(state, _IN_WORDS.get(reason, reason)) for reason in plan.reasons]
    if plan.verdict == "undecidable":
        why = [] if state.is_hindered else [reason for reason in planned if reason not in said]
        return ": ".join(["no run of it can be planned", *filter(None, ["; ".join(why[:_MOST_SAID])])])
    above = state.verdict.stale_ancestor
    if plan.is_open and above is not None:
        return f"a run reuses it if a stored result fits the new {above}, and computes it otherwise"
    if plan.verdict == "compute":
        return f"a run computes it: {'; '.join(planned[:_MOST_SAID])}"
    own = next(table for table in plan.tables if table.table == state.table)
    saved = "" if own.saved_seconds is None else f", which saves {own.saved_seconds:.2f} s"
    return f"a run reuses materialization {own.materialization}{saved}"


def sentence(text: str) -> str:
    """Return a text with a capital and a full stop; an empty one as it is."""
    return f"{text[:1].upper()}{text[1:]}." if text else ""
