"""`plan --launch`: in this process, and handed over to a Dagster instance."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from cli_kit import Answer, Project, ask, ask_process

NO_HOME: dict[str, str | None] = {"DAGSTER_HOME": None}
QUIET = "{loggers: {console: {config: {log_level: CRITICAL}}}}"


@pytest.fixture
def launch(project: Project) -> Callable[..., Answer]:
    """Plan and launch, as JSON, without a Dagster instance."""
    (project.folder / "run.yaml").write_text(QUIET)

    def asked(*arguments: str) -> Answer:
        given = ["plan", "-f", project.file, "--launch", "--json", *arguments]
        if "--check" not in arguments:
            given += ["-c", str(project.folder / "run.yaml")]
        return ask(*given, environment=NO_HOME)

    return asked


def test_only_what_changed_runs(project: Project, launch: Callable[..., Answer]) -> None:
    """Without an instance the runs take place in this process, and are over when the command is."""
    unchanged = launch("orders+")
    assert (unchanged.code, unchanged.json["launch"]["runs"]) == (0, [])
    project.edit("number * FACTOR", "number * FACTOR + 1")
    before = project.store.current("orders").materialization_id
    changed = launch("orders")
    assert (changed.code, list(changed.json["launch"]["requested"])) == (0, ["orders"])
    assert changed.json["plan"]["counts"] == {"compute": 1}
    assert project.store.current("orders").materialization_id != before
    text = ask("plan", "orders", "-f", project.file, "--launch", environment=NO_HOME)
    assert (text.code, text.out) == (
        0,
        "0 tables in 0 runs; 1 reused without a run, 0 of them made current again.\n",
    )


def test_a_saved_plan_is_launched_and_then_refused(
    project: Project, launch: Callable[..., Answer], tmp_path: Path
) -> None:
    """Something that moved is named, and nothing is launched."""
    file = str(tmp_path / "plan.json")
    config = str(project.folder / "run.yaml")
    ask("plan", "orders", "-f", project.file, "--save", file, "-c", config, environment=NO_HOME)
    assert launch("--check", file).code == 0
    (project.folder / "orders.csv").write_text("customer,amount\nada,1\n")
    moved = launch("--check", file)
    assert moved.code == 1
    assert "input file:orders.csv" in moved.err
    assert launch("orders", "--check", file).code == 1


def test_a_failure_is_an_error(project: Project, launch: Callable[..., Answer]) -> None:
    project.edit("number * FACTOR", "number // (FACTOR - 1)")
    failed = launch("orders")
    assert failed.code == 1
    assert failed.json["launch"]["failed"] == failed.json["launch"]["runs"]
    assert failed.json["launch"]["why_failed"] == dict.fromkeys(
        failed.json["launch"]["runs"], "step orders failed, ZeroDivisionError"
    )


def test_what_failed_is_listed_first_with_its_step_and_error(project: Project) -> None:
    """The step may be that of a check, and the table is there; a table that cannot be made for it stands beside it."""
    project.edit("number * FACTOR", "number * FACTOR + 1")
    project.edit(
        "store = ResultStoreResource",
        "@dg.asset_check(asset=orders)\ndef known(orders: pa.Table):\n"
        "    raise KeyError('secret')\n\n\nstore = ResultStoreResource",
    )
    project.edit(
        "finalize(\n    dg.Definitions([", "finalize(\n    dg.Definitions(asset_checks=[known], assets=["
    )
    answer = ask("plan", "orders+", "-f", project.file, "--launch", "--most", "3", environment=NO_HOME)
    first, *rest = answer.out.splitlines()[1:]
    assert answer.code == 1
    assert first.startswith("failed   orders")
    assert first.endswith(": step orders_known failed, KeyError")
    assert all(line.startswith("fail  ") for line in rest[:2])
    assert "1 table in 1 run, 1 of them failed; 0 reused without a run" in answer.out
    assert "2 cannot be made" in answer.out
    assert "run 1 of 1 failed: orders" in answer.err


def test_in_process_belongs_to_a_launch(project: Project) -> None:
    answer = ask("plan", "-f", project.file, "--in-process")
    assert (answer.code, "--launch" in answer.err) == (1, True)


@pytest.mark.slow
def test_runs_are_submitted_to_the_instance(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are queued with all that Dagster needs to launch them; a second launch starts none of them again."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(home))

    project.edit("number * FACTOR", "number * FACTOR + 1")
    command = ("plan", "orders+", "-f", project.file, "--launch")
    # in another process: Dagster leaves the server of the code behind, which ends a while later
    first = ask_process(*command, "--json", folder=project.folder, more={"DAGSTER_HOME": str(home)})
    assert (first.code, list(first.json["launch"]["requested"])) == (2, ["orders"])
    assert first.json["launch"]["waiting"] == ["by_letter[a]", "by_letter[b]"]
    assert first.json["waits_for_daemon"] is True
    with dg.DagsterInstance.get() as instance:
        (run,) = instance.get_runs()
        assert run.status is dg.DagsterRunStatus.QUEUED
        assert (run.asset_selection, run.remote_job_origin is not None) == ({dg.AssetKey("orders")}, True)
        assert run.tags["jammi/why"] == "orders: helper scaled (pipeline.py) changed"
    again = ask(*command, "--in-process")
    assert again.code == 2
    assert "skipped  orders        a run that is under way makes it" in again.out
    assert "Launch again" in again.out
