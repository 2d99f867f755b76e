"""Executors that start a process for each step start none for a step that is reused."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.reconstruct import ReconstructableJob
from dagster._core.execution.api import execute_run_iterator
from dagster._grpc.types import ExecuteRunArgs
from executor_kit import batching

PIPELINE = str(Path(__file__).with_name("delegating.py"))
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
STEPS = [f"t{number}" for number in range(3)]


class Runs:
    """Runs of the jobs of `delegating.py` on one store and one instance."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.folder, self.instance = folder, instance

    def run(self, job: str, *, resume: dg.DagsterRun | None = None) -> dg.DagsterRun:
        """Run a job, or go on with a run whose worker died."""
        recon = self.job(job)
        run = resume or self.instance.create_run_for_job(
            recon.get_definition(), job_code_origin=recon.get_python_origin(), run_config=QUIET
        )
        list(execute_run_iterator(recon, run, self.instance, resume_from_failure=resume is not None))
        found = self.instance.get_run_by_id(run.run_id)
        assert found is not None
        return found

    def job(self, name: str) -> ReconstructableJob:
        """Return a job of the pipeline as the environment has it now: Dagster keeps what it loaded from one file."""
        file = self.folder / f"pipeline_{len(list(self.folder.glob('pipeline_*')))}.py"
        shutil.copy(PIPELINE, file)
        return ReconstructableJob.for_file(str(file), name)

    def kinds(self, run: dg.DagsterRun) -> dict[str, Counter[str]]:
        """The events of each step by kind."""
        found: dict[str, Counter[str]] = {}
        for entry in self.instance.all_logs(run.run_id):
            if entry.step_key and entry.dagster_event:
                found.setdefault(entry.step_key, Counter())[entry.dagster_event.event_type_value] += 1
        return found

    @property
    def launched(self) -> list[str]:
        """The steps that a step handler was asked to launch."""
        log = self.folder / "launched"
        return log.read_text().split() if log.exists() else []

    def started(self, run: dg.DagsterRun) -> list[str]:
        """The steps that a process was started for."""
        return [key for key, kinds in self.kinds(run).items() if kinds["STEP_WORKER_STARTING"]]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("JAMMI_FOLDER", str(tmp_path))
    # children load what this process loads: kits, and this checkout
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")]))
    with dg.instance_for_test(temp_dir=str(home), overrides=batching(home)) as instance:
        yield Runs(tmp_path, instance)


def only_once(kinds: Counter[str]) -> None:
    """Each of the events that tell of a step is there once."""
    told = ("STEP_START", "STEP_OUTPUT", "ASSET_MATERIALIZATION", "STEP_SUCCESS")
    assert {kind: kinds[kind] for kind in told} == dict.fromkeys(told, 1)


@pytest.mark.parametrize("job", ["multiprocess", "delegating"])
def test_an_unchanged_run_starts_no_process(runs: Runs, job: str) -> None:
    """All steps are reused by the worker of the run."""
    runs.run("in_process")

    run = runs.run(job)

    assert run.status.value == "SUCCESS"
    assert (runs.started(run), runs.launched) == ([], [])
    assert sorted(runs.kinds(run)) == STEPS
    for kinds in runs.kinds(run).values():
        only_once(kinds)


@pytest.mark.slow
@pytest.mark.parametrize("job", ["multiprocess", "delegating"])
def test_only_a_changed_step_gets_a_process(runs: Runs, job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those above it are reused first; those below, whose input came out the same, before a process is started."""
    runs.run("in_process")
    monkeypatch.setenv("JAMMI_CHANGED", "t1")

    run = runs.run(job)

    assert run.status.value == "SUCCESS"
    assert (runs.started(run) or runs.launched) == ["t1"]
    for kinds in runs.kinds(run).values():
        only_once(kinds)
    assert runs.kinds(run)["t1"]["HANDLED_OUTPUT"] == 1


@pytest.mark.slow
def test_a_retry_from_failure_runs_what_failed(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The failed step and those below it; steps that were reused count as done."""
    runs.run("in_process")
    monkeypatch.setenv("JAMMI_CHANGED", "t1")
    (runs.folder / "fail_t1").touch()
    failed = runs.run("delegating")
    assert failed.status.value == "FAILURE"
    (runs.folder / "fail_t1").unlink()
    options = dg.ReexecutionOptions.from_failure(failed.run_id, runs.instance)

    with dg.execute_job(
        runs.job("delegating"),
        instance=runs.instance,
        reexecution_options=options,
        run_config=QUIET,
    ) as result:
        assert result.success
        retry = runs.instance.get_run_by_id(result.run_id)

    assert retry is not None
    assert sorted(runs.kinds(retry)) == ["t1", "t2"]
    for kinds in runs.kinds(retry).values():
        only_once(kinds)


@pytest.mark.slow
def test_a_run_that_is_resumed_says_nothing_twice(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker dies as it starts the changed step; another one goes on with the same run."""
    runs.run("in_process")
    monkeypatch.setenv("JAMMI_CHANGED", "t1")
    (runs.folder / "die").touch()
    recon = runs.job("delegating")
    run = runs.instance.create_run_for_job(
        recon.get_definition(), job_code_origin=recon.get_python_origin(), run_config=QUIET
    )
    arguments = ExecuteRunArgs(
        job_origin=recon.get_python_origin(), run_id=run.run_id, instance_ref=runs.instance.get_ref()
    )
    worker = subprocess.run(
        [sys.executable, "-m", *arguments.get_command_args()], capture_output=True, check=False
    )
    assert worker.returncode == 3
    assert runs.kinds(run)["t0"]["STEP_SUCCESS"] == 1
    (runs.folder / "die").unlink()

    resumed = runs.run("delegating", resume=runs.instance.get_run_by_id(run.run_id))

    assert resumed.status.value == "SUCCESS"
    assert runs.launched == ["t1", "t1"]
    for kinds in runs.kinds(resumed).values():
        only_once(kinds)
    listed = runs.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    lists = [e for e in listed if "jammi/reused" in e.get_dagster_event().engine_event_data.metadata]
    assert len(lists) == 1
