"""Runs of jobs under an executor of one's own, within this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
from adapters_kit import Lab, Ran, taken
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import create_execution_plan, execute_plan_iterator, execute_run
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.step_delegating import CheckStepHealthResult, StepDelegatingExecutor, StepHandler
from dagster._core.loader import LoadingContextForTest

from jammi_dagster import reuse_first

IN_PROCESS = reuse_first(dg.in_process_executor)


def batching(folder: Path) -> dict[str, Any]:
    """The configuration of an instance on SQLite with our event log storage."""
    return {
        "event_log_storage": {
            "module": "jammi_dagster.adapters.event_log_storage",
            "class": "BatchingSqliteEventLogStorage",
            "config": {"base_dir": str(folder / "history" / "runs")},
        },
        "telemetry": {"enabled": False},
    }


def definitions(lab: Lab, assets: Sequence[Any], executor: Any = IN_PROCESS, **more: Any) -> dg.Definitions:
    """Definitions with one job `job` of the assets in `select`, by default of all."""
    select, hooks = more.pop("select", None), more.pop("hooks", None)
    selection = "*" if select is None else dg.AssetSelection.assets(*select)
    job = dg.define_asset_job("job", selection=selection, hooks=hooks, config=more.pop("job_config", None))
    resources = {**lab.resources, **more.pop("resources", {})}
    return dg.Definitions(assets=assets, jobs=[job], resources=resources, executor=executor, **more)


def launch(
    lab: Lab,
    defs: dg.Definitions,
    *,
    partition: str | None = None,
    span: tuple[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    config: Mapping[str, Any] | None = None,
    ok: bool | None = True,
    resume: bool = False,
    run_id: str | None = None,
    **of_run: Any,
) -> Ran:
    """Run the job of the definitions, or resume the run with this id."""
    taken()
    job = defs.resolve_job_def("job")
    run_tags = dict(tags or {})
    if partition is not None:
        run_tags["dagster/partition"] = partition
    if span is not None:
        run_tags |= dict(
            zip(
                ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end"),
                span,
                strict=True,
            )
        )
    quiet = {} if job.config_mapping else {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    run_config = {**(config or {}), **quiet}
    run = None if run_id is None else lab.instance.get_run_by_id(run_id)
    if run is None:
        run = lab.instance.create_run_for_job(job, run_config=run_config, tags=run_tags, **of_run)
    result = execute_run(InMemoryJob(job), run, lab.instance)
    logs = [entry.user_message for entry in lab.instance.all_logs(result.run_id)]
    ran = Ran(result, taken(), logs)
    assert ok is None or result.success is ok, "\n".join(ran.errors) or "the run was expected to fail"
    return ran


def kinds(lab: Lab, ran: Ran, step: str | None = None) -> Counter[str]:
    """How many events of each kind a run stored; of one step if one is named."""
    entries = lab.instance.all_logs(ran.result.run_id)
    events = [entry.dagster_event for entry in entries if entry.dagster_event is not None]
    return Counter(event.event_type_value for event in events if step in (None, event.step_key))


def not_stepped_into(lab: Lab, ran: Ran) -> list[str]:
    """The steps that the executor reused: no output of theirs was handed to an IO manager."""
    entries = [e for e in lab.instance.all_logs(ran.result.run_id) if e.dagster_event is not None]
    handled = {e.step_key for e in entries if e.dagster_event_type == dg.DagsterEventType.HANDLED_OUTPUT}
    done = [e.step_key for e in entries if e.dagster_event_type == dg.DagsterEventType.STEP_SUCCESS]
    return sorted(str(key) for key in done if key not in handled)


def stale(lab: Lab, defs: dg.Definitions, partitions: Iterable[str | None] = (None,)) -> Counter[str]:
    """Dagster's own staleness of every asset that it can materialize."""
    graph = defs.get_repository_def().asset_graph
    resolver = CachingStaleStatusResolver(lab.instance, graph, LoadingContextForTest(lab.instance))
    return Counter(
        resolver.get_status(key, partition if graph.get(key).partitions_def else None).value
        for key in graph.materializable_asset_keys
        for partition in partitions
    )


class HereHandler(StepHandler):
    """A step handler that runs each step in this process, as another process would."""

    name = "here"

    def launch_step(self, step_handler_context: Any) -> Iterator[Any]:
        context = step_handler_context.plan_context
        plan = create_execution_plan(
            context.job,
            context.run_config,
            step_keys_to_execute=step_handler_context.execute_step_args.step_keys_to_execute,
            known_state=step_handler_context.execute_step_args.known_state,
        )
        list(
            execute_plan_iterator(
                plan, context.job, context.dagster_run, context.instance, run_config=context.run_config
            )
        )
        return iter(())

    def check_step_health(self, step_handler_context: Any) -> CheckStepHealthResult:
        return CheckStepHealthResult.unhealthy("each step is over when its launch is")  # a resumed run asks

    def terminate_step(self, step_handler_context: Any) -> Iterator[Any]:
        return iter(())


class HereExecutor(StepDelegatingExecutor):
    """A step-delegating executor that needs no job of a file."""

    def _get_step_handler_context(self, plan_context: Any, steps: Any, active_execution: Any) -> Any:
        arguments = SimpleNamespace(
            step_keys_to_execute=[step.key for step in steps], known_state=active_execution.get_known_state()
        )
        by_key = {step.key: plan_context.for_step(step) for step in steps}
        return SimpleNamespace(
            plan_context=plan_context, execute_step_args=arguments, get_step_context=by_key.__getitem__
        )


@dg.executor(name="here", requirements=[])
def here(_: dg.InitExecutorContext) -> HereExecutor:
    return HereExecutor(HereHandler(), retries=RetryMode.DISABLED, sleep_seconds=0.0)


DELEGATING = reuse_first(here, same_environment=True)
