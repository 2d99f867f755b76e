"""Runs in this process: each is over when its launch returns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import dagster as dg

from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.launching.nodes import Makers, nodes_of, parents_of
from jammi_dagster.adapters.launching.run_requests import policies_of, run_request
from jammi_dagster.adapters.launching.runs import PlannedRun, plan_runs
from jammi_dagster.adapters.recipe.replay import Replay


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


def runs_again(
    evaluator: Evaluator, makers: Makers, replays: Mapping[str, Replay | None] | None = None
) -> Iterator[PlannedRun]:
    """Yield the runs that make tables again, each as it was made last: a table of a range with that range.

    `replays` are given in place of those.
    """
    for run in plan_runs(nodes_of(evaluator, makers, replays), parents_of(makers)):
        spans = {node.replay.span for node in run.nodes if node.replay.span is not None}
        span = run.span or (spans.pop() if len(spans) == 1 and len(run.nodes) == 1 else None)
        yield replace(run, span=span)


def compute_here(
    evaluator: Evaluator,
    run: PlannedRun,
    computed: Collection[str],
    *,
    tags: Mapping[str, str] | None = None,
) -> str:
    """Launch a run in this process that reuses none of the `computed` tables, and return its id.

    Raises the error of a step.
    """
    location = evaluator.location
    request = run_request(run, cache=policies_of(run, bypassed=computed), tags=tags)
    job = location.repository.get_implicit_global_asset_job_def()
    return run_here(job, request, location.instance, raise_on_error=True).run_id
