"""`reuse_first` around every executor of complete definitions: their own, and that of each job which has one."""

from __future__ import annotations

import logging
from typing import Any

import dagster as dg
from dagster_shared.record import replace

from jammi_dagster.adapters.executor.reuse_first import reuse_first

_log = logging.getLogger("jammi_dagster")
_of_instances: dict[int, tuple[dg.Executor, dg.ExecutorDefinition]] = {}


def with_reuse_first(defs: dg.Definitions) -> dg.Definitions:
    """Return the same definitions under wrapped executors. Log a warning for each job that keeps its own."""
    jobs = _Jobs()
    return replace(
        defs,
        executor=reuse_first(_definition(defs.executor)),
        jobs=[jobs.of(job) for job in defs.jobs or ()] or defs.jobs,
        schedules=[_schedule(one, jobs) for one in defs.schedules or ()] or defs.schedules,
        sensors=[_sensor(one, jobs) for one in defs.sensors or ()] or defs.sensors,
    )


def _definition(executor: dg.ExecutorDefinition | dg.Executor | None) -> dg.ExecutorDefinition:
    """Return the definition of an executor that Dagster would take: its default one for None."""
    if executor is None:
        return dg.multi_or_in_process_executor
    if isinstance(executor, dg.ExecutorDefinition):
        return executor
    # one definition for each, as `Definitions.merge` asks for the same object
    made = dg.ExecutorDefinition.hardcoded_executor(executor)
    return _of_instances.setdefault(id(executor), (executor, made))[1]


class _Jobs:
    """Jobs under their own executors wrapped: Dagster takes the same object for the same job, of a schedule too."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}

    def of(self, job: Any) -> Any:
        """Return a job under its wrapped executor; Dagster gives that of the definitions to a job without one."""
        if id(job) not in self._made:
            self._made[id(job)] = _job(job)
        return self._made[id(job)]


def _job(job: Any) -> Any:
    if not isinstance(job, dg.JobDefinition):
        own = getattr(job, "executor_def", None)
        return job if own is None or reuse_first(own) is own else replace(job, executor_def=reuse_first(own))
    is_its_own = job.executor_def is not dg.multi_or_in_process_executor
    if (
        is_its_own
        and job.asset_layer.executable_asset_keys
        and reuse_first(job.executor_def) is not job.executor_def
    ):
        text = (
            "job %s: it is resolved already and keeps its executor, so it does not reuse first; "
            "give it reuse_first(…) where it is defined"
        )
        _log.warning(text, job.name)
    return job


def _schedule(schedule: Any, jobs: _Jobs) -> Any:
    """Return a schedule of the wrapped job: a schedule's job is the one that Dagster takes."""
    if not isinstance(schedule, dg.ScheduleDefinition):
        job = jobs.of(schedule.job)
        return schedule if job is schedule.job else replace(schedule, job=job)
    if not schedule.has_job or (job := jobs.of(schedule.job)) is schedule.job:
        return schedule
    return schedule.with_updated_job(job)


def _sensor(sensor: dg.SensorDefinition, jobs: _Jobs) -> dg.SensorDefinition:
    if not sensor.has_jobs:
        return sensor
    own = [jobs.of(job) for job in sensor.jobs]
    is_same = all(one is other for one, other in zip(own, sensor.jobs, strict=True))
    return sensor if is_same else sensor.with_updated_jobs(own)
