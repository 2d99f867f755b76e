"""Verdicts in words: why a table is not fresh."""

from __future__ import annotations

from jammi_dagster.adapters.code_location.current_asset import NotReplayable, Unknowable
from jammi_dagster.adapters.judgement.table_state import TableState
from jammi_dagster.artifacts import read_manifest
from jammi_dagster.contract import Difference, explain
from jammi_dagster.errors import JammiError

_MOST_SAID = 5


def differences(state: TableState) -> list[Difference]:
    """Compare the table's recorded definition with the one it would have now; reads its sidecar."""
    if state.inputs is None:
        return []
    try:
        record = state.asset.store.current(state.table)
        manifest = read_manifest(state.asset.store.artifacts, record.artifact_path)
        anchors = record.input_anchors
    except JammiError:
        return []
    if manifest is None:
        return []
    now = set(state.inputs.names)
    descriptor, env = state.asset.described(state.partition, state.replay, state.inputs)
    return explain(
        manifest.descriptor.fields,
        manifest.env.fields,
        descriptor.fields,
        env.fields,
        # a read that nobody declared, or that was only seen, is no input by name
        recorded_inputs=[a.source for a in anchors if not a.is_unpinned or a.source in now],
        current_inputs=now,
    )


def reasons(state: TableState) -> list[str]:
    """Return the reasons why a table is not fresh, one sentence each, the most telling first."""
    said = []
    if state.is_missing:
        said.append("never materialized")
    if state.bytes_missing:
        said.append("its bytes are gone")
    changes: list[str] = []
    for reason in state.verdict.reasons:
        if reason.reason == "definition_changed":
            changes = [str(difference) for difference in differences(state)]
            said += changes[:_MOST_SAID] or ["code, config or environment changed"]
            if len(changes) > _MOST_SAID:
                said.append(f"{len(changes) - _MOST_SAID} more differences")
        elif reason.reason == "input_advanced":
            said.append(f"{reason.source} changed")
        elif not any(str(reason.source) in change for change in changes):
            said.append(f"{reason.source} is gone")
    for source in state.verdict.unpinned:
        said += _undeclared(state, source) or [f"{source} has no version to compare"]
    if state.needs:
        more = " and more" if len(state.needs) > 3 else ""
        said.append(f"it needs {', '.join(state.needs[:3])}{more}, which is not there")
    said += [why for why in (state.why_undecidable, state.why_not) if why]
    if state.verdict.stale_ancestor is not None:
        said.append(f"it derives from {state.verdict.stale_ancestor}, which is stale")
    return said


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


def expectation(state: TableState) -> str:
    """Word the plan of the run that the sensor would request for a table; return no text for a state without one."""
    plan = state.plan()
    if plan is None:
        return ""
    why = "; ".join(plan.reasons[:_MOST_SAID])
    if plan.verdict == "compute":
        return f"a run computes it: {why}"
    if plan.verdict == "undecidable":
        return f"no run of it can be planned: {why}"
    own = next(table for table in plan.tables if table.table == state.table)
    saved = "" if own.saved_seconds is None else f", which saves {own.saved_seconds:.2f} s"
    return f"a run reuses materialization {own.materialization}{saved}"
