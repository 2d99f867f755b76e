"""Executors that start a process for each step start none for a step that is reused."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._grpc.types import ExecuteRunArgs
from process_runs_kit import QUIET, Runs, processes

from jammi_dagster import accept

PIPELINE = Path(__file__).with_name("delegating.py")
STEPS = [f"t{number}" for number in range(3)]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    with processes(tmp_path, monkeypatch, PIPELINE) as made:
        yield made


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
@pytest.mark.parametrize(("job", "started"), [("multiprocess", []), ("stepping", STEPS)])
def test_an_accepted_table_is_reused_in_any_process(
    runs: Runs, job: str, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the worker of the run, or by the step's own process."""
    runs.run("in_process")
    monkeypatch.setenv("JAMMI_CHANGED", "t1")
    accept(runs.definitions(), "t1", reason="renamed a helper", by="ada", instance=runs.instance)

    run = runs.run(job)

    assert run.status.value == "SUCCESS"
    assert sorted(runs.started(run)) == started
    event = runs.instance.get_latest_materialization_event(dg.AssetKey("t1"))
    assert event is not None
    assert event.asset_materialization is not None
    why = event.asset_materialization.metadata["jammi/why"].value
    assert why == "reused: accepted by ada because renamed a helper"


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
