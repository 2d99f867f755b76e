"""The reason why a run failed, in one line, for whoever launched it."""

from __future__ import annotations

import dagster as dg

_MOST_STEPS = 3
_LONGEST = 300
_OURS = "jammi_dagster."


def why_failed(instance: dg.DagsterInstance, run_id: str) -> str:
    """Name the steps of a run that failed, each with its error; empty if none did.

    Of an error of other people's code only the type is told, since its text may hold a secret; Dagster's log has it.
    """
    wanted = {dg.DagsterEventType.STEP_FAILURE}
    steps = [
        entry.dagster_event for entry in instance.all_logs(run_id, of_type=wanted) if entry.dagster_event
    ]
    said = [f"step {step.step_key} failed, {_cause(step)}" for step in steps]
    more = [f"and {len(said) - _MOST_STEPS:,} steps more"] if len(said) > _MOST_STEPS else []
    return "; ".join([*said[:_MOST_STEPS], *more])


def _cause(step: dg.DagsterEvent) -> str:
    """Return the innermost error of a failed step: Dagster wraps what the code of a user raises."""
    error = step.step_failure_data.error
    if error is None:
        return "as another step did"
    while error.cause is not None:
        error = error.cause
    name, _, text = error.message.partition(": ")
    return (
        " ".join(text.split())[:_LONGEST] if name.startswith(_OURS) and text else error.cls_name or "an error"
    )
