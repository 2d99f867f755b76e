"""Runs of a generated pipeline through Dagster, in process."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from benchmarks.pipelines import Kind, count_bodies, load


def run(kind: str, pipeline: str, home: str, storage: str) -> dict[str, Any]:
    """Run the pipeline once, in a fresh process, on the SQLite instance in `home` with our event log, with reuse."""
    ran = count_bodies()
    with local_instance(Path(home), event_log=EVENT_LOG) as instance:
        modules, manager = load(Path(pipeline)), io_manager(Kind(kind), Path(storage))
        (_reuse_first if kind == Kind.JAMMI.value else materialize)(modules, instance, manager)
        return {"bodies": len(ran)}


# as the guide to a fast event log says
EVENT_LOG = """\
event_log_storage:
  module: jammi_dagster.adapters.event_log_storage
  class: BatchingSqliteEventLogStorage
  config: {{base_dir: "{home}/history/runs"}}
"""


@contextmanager
def local_instance(home: Path, *, event_log: str = "") -> Iterator[dg.DagsterInstance]:
    """Open the instance that Dagster makes by default in an empty `DAGSTER_HOME`, without telemetry."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n" + event_log.format(home=home))
    os.environ["DAGSTER_HOME"] = str(home)
    if event_log:
        os.environ["DAGSTER_EVENT_BATCH_SIZE"] = "1000"
    with dg.DagsterInstance.get() as instance:
        yield instance


def io_manager(kind: Kind, storage: Path) -> Any:
    """Return the IO manager for a pipeline of this kind."""
    if kind is not Kind.JAMMI:
        return dg.FilesystemIOManager(base_dir=str(storage))
    from jammi_dagster import ResultStoreResource, ResultTableIOManager

    return ResultTableIOManager(store=ResultStoreResource(root=str(storage)))


def materialize(
    modules: Sequence[ModuleType], instance: dg.DagsterInstance, manager: Any, **options: Any
) -> dg.ExecuteInProcessResult:
    """Run all assets of the modules once."""
    assets: Any = dg.load_assets_from_modules(modules)
    result = dg.materialize(assets, instance=instance, resources={"io_manager": manager}, **options)
    assert result.success, "a step that fails raises"
    return result


def _reuse_first(modules: Sequence[ModuleType], instance: dg.DagsterInstance, manager: Any) -> None:
    """Run all assets of the modules once, as a run's worker does: `materialize` brings an executor of its own."""
    from jammi_dagster import reuse_first

    job = dg.Definitions(
        assets=dg.load_assets_from_modules(modules),
        jobs=[dg.define_asset_job("all_assets")],
        resources={"io_manager": manager},
        executor=reuse_first(dg.in_process_executor),
    ).resolve_job_def("all_assets")
    assert execute_run(InMemoryJob(job), instance.create_run_for_job(job), instance).success


def step_seconds(result: dg.ExecuteInProcessResult, instance: dg.DagsterInstance) -> list[float]:
    """Return the seconds from the end of each step of a run to the end of the next, by Dagster's event log."""
    ends = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.STEP_SUCCESS)
    return [later.timestamp - earlier.timestamp for earlier, later in itertools.pairwise(ends)]


def sync(path: Path) -> None:
    """Make a file and its entry in the folder durable."""
    for each in (path, path.parent):
        descriptor = os.open(each, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
