"""The overview as a job of Dagster's, and the days of runs."""

import sqlite3
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, Ran, table
from sensing_kit import definitions

from jammi_dagster import InputAnchor, build_overview_job, result_table
from jammi_dagster.adapters.overview import overview_of

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@result_table(reads=[], code_version="1")
def up() -> pa.Table:
    return table(1)


def metadata(result: Any) -> dict[str, Any]:
    (output,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    return {key: value.value for key, value in output.event_specific_data.metadata.items()}


def test_the_job_reports_as_the_command_does(lab: Lab) -> None:
    """Its metadata is the page and the numbers behind it; its config bounds both."""
    for _ in range(2):
        lab.run(up)
    defs = definitions(lab, [up], jobs=[build_overview_job(name="how_it_goes")])
    config = {**QUIET, "ops": {"how_it_goes_of_store": {"config": {"days": 3, "most": 0}}}}
    job = defs.resolve_job_def("how_it_goes")
    found = metadata(job.execute_in_process(instance=lab.instance, run_config=config))
    assert found["overview"].startswith("# Overview of tables\n")
    assert found["report"]["tables"] == 1
    assert found["report"]["slowest"] == []
    total = found["report"]["reuse"]["total"]
    assert (total["computed"], total["reused"], total["hit_rate"]) == (1, 1, 0.5)


@pytest.mark.parametrize(("field", "value"), [("days", 0), ("days", 367), ("most", -1)])
def test_the_job_refuses_config_out_of_bounds(lab: Lab, field: str, value: int) -> None:
    """Its bounds are the command's; the error names the field."""
    defs = definitions(lab, [up], jobs=[build_overview_job()])
    config = {**QUIET, "ops": {"overview_of_store": {"config": {field: value}}}}
    result = defs.resolve_job_def("overview").execute_in_process(
        instance=lab.instance, run_config=config, raise_on_error=False
    )
    assert f"{field}\n" in Ran(result, [], []).error


def test_the_job_refuses_another_io_manager(lab: Lab) -> None:
    """It names the key."""
    defs = dg.Definitions(jobs=[build_overview_job()], resources={"io_manager": dg.mem_io_manager})
    result = defs.resolve_job_def("overview").execute_in_process(
        instance=lab.instance, run_config=QUIET, raise_on_error=False
    )
    assert "io_manager" in Ran(result, [], []).error


def test_each_run_counts_on_the_day_of_its_start(lab: Lab, tmp_path: Path) -> None:
    """Also a run that was created at the very midnight; runs before the first of the days do not count."""
    today = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    at = [
        today - timedelta(days=1),
        today - timedelta(seconds=1),
        today,
        today - timedelta(days=2, seconds=1),
    ]
    home = tmp_path / "home"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        on_disk = Lab(lab.root, instance)
        runs = [on_disk.run(up).result.run_id for _ in at]
        (file,) = home.rglob("runs.db")
        database = sqlite3.connect(file)
        for run, instant in zip(runs, at, strict=True):
            values = (instant.strftime("%Y-%m-%d %H:%M:%S"), run)
            database.execute("UPDATE runs SET create_timestamp = ? WHERE run_id = ?", values)
        database.commit()
        database.close()
        days = overview_of(lab.store, instance, days=3).reuse.days
    assert days is not None
    yesterday, before = (
        (today - timedelta(days=1)).date().isoformat(),
        (today - timedelta(days=2)).date().isoformat(),
    )
    counts = {day: (one.computed, one.reused) for day, one in days.items()}
    assert counts == {today.date().isoformat(): (0, 1), yesterday: (1, 1), before: (0, 0)}


def test_a_busy_store_is_counted_for_fewer_days(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting ends with the day on which there is enough: the page says since when."""
    monkeypatch.setattr("jammi_dagster.adapters.overview._MOST_RESULTS", 1)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        on_disk = Lab(lab.root, instance)
        for _ in range(2):
            on_disk.run(up)
        reuse = overview_of(lab.store, instance).reuse
    assert reuse.days is not None
    assert len(reuse.days) == 1
    assert overview_of(lab.store, lab.instance).reuse.total is None


def test_tables_of_library_calls_name_their_inputs_without_version(lab: Lab) -> None:
    """No step recorded reasons: the anchors themselves tell."""
    anchor = InputAnchor.unpinned_at_instant("feed", "2026-01-01T00:00:00Z")
    lab.store.materialize(
        "t", table(1), descriptor={"producer": "test"}, env={"python": "3"}, inputs=[anchor]
    )
    (never,) = overview_of(lab.store, lab.instance).never_reused
    assert never.reasons == ("input feed has no version",)
