"""Runs in this process: each is over when its launch returns."""

from __future__ import annotations

import dagster as dg

from jammi_dagster.adapters.code_location.location import Location


def run_here(
    location: Location, request: dg.RunRequest, *, raise_on_error: bool
) -> dg.ExecuteInProcessResult:
    """Run what a request asks for. Raise the error of a step if asked to, and any of Dagster's for config that is not valid."""
    return location.repository.get_implicit_global_asset_job_def().execute_in_process(
        instance=location.instance,
        asset_selection=list(request.asset_selection or ()),
        partition_key=request.partition_key,
        run_config=dict(request.run_config),
        tags=dict(request.tags),
        raise_on_error=raise_on_error,
    )
