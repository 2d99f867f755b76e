"""Runs in this process: each is over when its launch returns."""

from __future__ import annotations

import dagster as dg


def run_here(
    job: dg.JobDefinition, request: dg.RunRequest, instance: dg.DagsterInstance, *, raise_on_error: bool
) -> dg.ExecuteInProcessResult:
    """Run the assets of a request. Raise the error of a step if asked to, and Dagster's own for invalid config."""
    return job.execute_in_process(
        instance=instance,
        asset_selection=list(request.asset_selection or ()),
        partition_key=request.partition_key,
        run_config=dict(request.run_config),
        tags=dict(request.tags),
        raise_on_error=raise_on_error,
    )
