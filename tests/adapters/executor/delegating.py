"""A job whose steps run in processes of their own; the environment names store, executor and changed step."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
from dagster._core.events import DagsterEvent
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.step_delegating import (
    CheckStepHealthResult,
    StepDelegatingExecutor,
    StepHandler,
    StepHandlerContext,
)

from jammi_dagster import ResultStoreResource, ResultTableIOManager, result_table, reuse_first

FOLDER = Path(os.environ["JAMMI_FOLDER"])


def _asset(number: int) -> Any:
    name, up = f"t{number}", f"t{number - 1}"
    version = "changed" if os.environ.get("JAMMI_CHANGED") == name else "1"
    arguments: dict[str, Any] = {"name": name, "code_version": version, "cache": "use"}
    if number == 0:

        @result_table(reads=[], **arguments)
        def first() -> pa.Table:
            return pa.table({"x": [0]})

        return first

    @result_table(ins={"up": dg.AssetIn(up)}, **arguments)
    def one(up: pa.Table) -> pa.Table:
        if (FOLDER / f"fail_{name}").exists():
            raise RuntimeError("asked to fail")
        return pa.table({"x": [number]})

    return one


class SpawningHandler(StepHandler):
    """Runs each step in a process, and writes down for which steps it started one."""

    def __init__(self) -> None:
        super().__init__()
        self._processes: dict[str, int] = {}

    @property
    def name(self) -> str:
        return "spawning"

    def launch_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        arguments = step_handler_context.execute_step_args
        (key,) = arguments.step_keys_to_execute or ()
        with (FOLDER / "launched").open("a") as log:
            log.write(f"{key}\n")
        if (FOLDER / "die").exists():  # the worker of the run, before anything is started
            os._exit(3)
        command = [sys.executable, "-m", *arguments.get_command_args()]
        quiet = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
        self._processes[key] = os.posix_spawn(sys.executable, command, dict(os.environ), file_actions=quiet)
        return iter(())

    def check_step_health(self, step_handler_context: StepHandlerContext) -> CheckStepHealthResult:
        (key,) = step_handler_context.execute_step_args.step_keys_to_execute or ()
        process = self._processes.get(key)
        if process is None or os.waitpid(process, os.WNOHANG)[0]:
            return CheckStepHealthResult.unhealthy("its process is gone")
        return CheckStepHealthResult.healthy()

    def terminate_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        for process in self._processes.values():
            os.kill(process, signal.SIGTERM)
        return iter(())


@dg.executor(name="spawning", requirements=dg.multiple_process_executor_requirements())
def spawning(_: dg.InitExecutorContext) -> StepDelegatingExecutor:
    return StepDelegatingExecutor(
        SpawningHandler(),
        retries=RetryMode.DISABLED,
        sleep_seconds=0.05,
        check_step_health_interval_seconds=60,
    )


EXECUTORS = {
    "in_process": dg.in_process_executor,
    "multiprocess": reuse_first(dg.multiprocess_executor),
    "stepping": dg.multiprocess_executor,
    "elsewhere": reuse_first(spawning),
    "delegating": reuse_first(spawning, same_environment=True),
}
defs = dg.Definitions(
    assets=[_asset(number) for number in range(3)],
    jobs=[dg.define_asset_job(name, selection="*", executor_def=each) for name, each in EXECUTORS.items()],
    resources={"io_manager": ResultTableIOManager(store=ResultStoreResource(root=str(FOLDER / "results")))},
)


def in_process() -> dg.JobDefinition:
    return defs.resolve_job_def("in_process")


def multiprocess() -> dg.JobDefinition:
    return defs.resolve_job_def("multiprocess")


def stepping() -> dg.JobDefinition:
    return defs.resolve_job_def("stepping")


def elsewhere() -> dg.JobDefinition:
    return defs.resolve_job_def("elsewhere")


def delegating() -> dg.JobDefinition:
    return defs.resolve_job_def("delegating")
