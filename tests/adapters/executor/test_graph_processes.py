"""Ops of a graph in processes of their own: values cross between them, and go when their run is over."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from process_runs_kit import QUIET, Runs, processes

from jammi_dagster import ResultStore

PIPELINE = Path(__file__).with_name("graph_pipeline.py")


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    with processes(tmp_path, monkeypatch, PIPELINE) as made:
        yield made


def values(runs: Runs) -> list[Path]:
    """The files of values that runs left behind."""
    return [path for path in (runs.folder / "store" / "runs").rglob("*") if path.is_file()]


@pytest.mark.slow
def test_values_cross_processes_and_go_with_their_run(runs: Runs) -> None:
    """A dynamic graph under the multiprocess executor; then all of it is reused, and no process is started."""
    first = runs.run("multiprocess")

    assert first.status.value == "SUCCESS"
    assert ResultStore(str(runs.folder / "store")).read("summed")["x"].to_pylist() == [5]
    assert values(runs) == []

    again = runs.run("multiprocess")

    assert again.status.value == "SUCCESS"
    assert runs.started(again) == []


@pytest.mark.slow
def test_the_result_of_a_run_has_the_steps_of_dynamic_outputs(runs: Runs) -> None:
    """Also where steps before them were reused: Dagster reads a result by the plan of the whole run."""
    with dg.execute_job(
        runs.job("in_process"), runs.instance, run_config=QUIET, asset_selection=[dg.AssetKey("raw")]
    ):
        pass
    with dg.execute_job(runs.job("in_process"), runs.instance, run_config=QUIET) as result:
        assert result.success
        grown = {event.step_key for event in result.all_events if "grow" in str(event.step_key)}
    assert grown == {"summed.grow[1]", "summed.grow[2]"}


@pytest.mark.slow
def test_a_retry_from_failure_reads_the_values_of_the_failed_run(runs: Runs) -> None:
    """The failed op alone runs again, over the inputs that the first run read; then nothing is left of both."""
    (runs.folder / "fail").touch()
    failed = runs.run("in_process")
    assert failed.status.value == "FAILURE"
    assert values(runs)
    (runs.folder / "fail").unlink()
    options = dg.ReexecutionOptions.from_failure(failed.run_id, runs.instance)

    with dg.execute_job(
        runs.job("in_process"), instance=runs.instance, reexecution_options=options, run_config=QUIET
    ) as result:
        assert result.success
        retry = runs.instance.get_run_by_id(result.run_id)

    assert retry is not None
    assert sorted(runs.kinds(retry)) == ["summed.total"]
    store = ResultStore(str(runs.folder / "store"))
    assert store.read("summed")["x"].to_pylist() == [5]
    assert [anchor.source for anchor in store.current("summed").input_anchors] == ["raw"]
    assert values(runs) == []


@pytest.mark.slow
def test_an_op_of_a_reused_graph_is_not_run_alone(runs: Runs) -> None:
    """The dynamic op above it left no values. To Dagster it gave none, and the table would be that of no values."""
    runs.run("in_process")
    reused = runs.run("in_process")
    options = dg.ReexecutionOptions(reused.run_id, step_selection=["summed.total"])

    with dg.execute_job(
        runs.job("in_process"), instance=runs.instance, reexecution_options=options, run_config=QUIET
    ) as result:
        assert not result.success
        (failure,) = result.get_step_failure_events()

    error = failure.step_failure_data.error
    assert error is not None
    assert error.cause is not None
    said = f"run {reused.run_id} reused its graph, so that op summed.split gave no values to this run"
    assert said in error.cause.message
    assert ResultStore(str(runs.folder / "store")).read("summed")["x"].to_pylist() == [5]
