"""Runs handed over to the Dagster instance, as `dagster job launch` does: its coordinator queues or launches them.

Dagster has no public names for this, so all that is needed of it stands here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import dagster as dg

from jammi_dagster.adapters.launching.in_flight import RunState, state_of
from jammi_dagster.errors import LaunchRefused

_COORDINATOR = "QUEUED_RUN_COORDINATOR"


class Submission:
    """Runs of one code location, submitted to an instance: a run may begin long after its launch returns."""

    finishes = False

    def __init__(self, instance: dg.DagsterInstance, workspace: Any, location: Any, repository: Any) -> None:
        self._instance, self._workspace = instance, workspace
        self._location, self._repository = location, repository

    def launch(self, request: dg.RunRequest, job: dg.JobDefinition) -> tuple[str, RunState]:
        """Create the run of a request for assets of a job, and submit it."""
        from dagster._core.definitions.selector import JobSubsetSelector

        keys = list(request.asset_selection or ())
        tags = dict(request.tags)
        if request.partition_key is not None:
            tags |= job.get_tags_for_partition_key(request.partition_key, keys)
        remote_job = self._location.get_job(
            JobSubsetSelector(
                location_name=self._location.name,
                repository_name=self._repository.name,
                job_name=job.name,
                op_selection=None,
                asset_selection=keys,
            )
        )
        plan = self._location.get_execution_plan(
            remote_job,
            request.run_config,
            step_keys_to_execute=None,
            known_state=None,
            instance=self._instance,
        )
        run = self._instance.create_run(
            job_name=job.name,
            run_id=None,
            run_config=request.run_config,
            status=dg.DagsterRunStatus.NOT_STARTED,
            tags={**(remote_job.run_tags or {}), **tags},
            root_run_id=None,
            parent_run_id=None,
            step_keys_to_execute=None,
            execution_plan_snapshot=plan.execution_plan_snapshot,
            job_snapshot=remote_job.job_snapshot,
            parent_job_snapshot=remote_job.parent_job_snapshot,
            asset_selection=frozenset(keys),
            asset_check_selection=None,
            resolved_op_selection=remote_job.resolved_op_selection,
            op_selection=None,
            remote_job_origin=remote_job.get_remote_origin(),
            job_code_origin=remote_job.get_python_origin(),
            asset_graph=self._repository.asset_graph,
        )
        submitted = self._instance.submit_run(run.run_id, self._workspace)
        return run.run_id, state_of(submitted.status)


@contextlib.contextmanager
def submission(
    instance: dg.DagsterInstance, code: dict[str, Any], location: str | None, repository: str
) -> Iterator[Submission]:
    """Load a code location in a server of Dagster's, and give the launcher of its runs.

    `code` names it as the options of the `dagster` command do: `python_file`, `module_name`, `workspace`, `attribute`,
    `working_directory`. Raise `LaunchRefused` where Dagster cannot load it, or is of a version that this does not know.
    """
    try:
        from dagster._cli.workspace.cli_target import (
            get_code_location_from_workspace,
            get_workspace_from_cli_opts,
        )
        from dagster_shared.cli import WorkspaceOpts
    except ImportError as error:
        way_out = "launch in this process, with --in-process"
        raise LaunchRefused(
            why=f"Dagster {dg.__version__} has moved {error.name}", way_out=way_out
        ) from error
    opened = get_workspace_from_cli_opts(instance, dg.__version__, WorkspaceOpts(**code), log_level="WARNING")
    with opened as workspace:
        found = get_code_location_from_workspace(workspace, location)
        yield Submission(instance, workspace, found, found.get_repository(repository))


def waits_for_daemon(instance: dg.DagsterInstance) -> bool:
    """Tell whether runs are queued on an instance, and no daemon is alive that would take them from the queue."""
    from dagster._daemon.controller import get_daemon_statuses

    status = get_daemon_statuses(instance, [_COORDINATOR], ignore_errors=True)[_COORDINATOR]
    return bool(status.required and not status.healthy)
