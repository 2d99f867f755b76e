"""`jammi-dagster report` over a small project."""

import json
from pathlib import Path

import pytest
from cli_kit import Project, ask


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Dagster instance on disk, that of `DAGSTER_HOME`."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    return folder


def test_the_report_counts_the_runs_of_the_instance_by_day(project: Project, home: Path) -> None:
    """The first runs were on another instance: their days are not known here."""
    project.run("orders", "by_letter", "clocked")
    found = ask("report", "--store", project.root, "--json").json["overview"]["reuse"]
    assert (found["total"]["computed"], found["total"]["reused"]) == (1, 3)
    assert found["total"]["saved"] > 0
    assert len(found["days"]) == 30
    today, *before = found["days"]
    assert (today["computed"], today["reused"], today["hit_rate"]) == (1, 3, 0.75)
    assert not any(day["computed"] or day["reused"] for day in before)
    lines = ask("report", "-f", project.file, "--days", "1").out.splitlines()
    assert any(line.startswith(f"| {today['day']} |") and "75%" in line for line in lines)


def test_the_report_names_never_reused_tables_with_the_declaration_to_add(project: Project) -> None:
    """As the run recorded it: the code need not be there."""
    without = {"DAGSTER_HOME": None}
    found = ask("report", "--store", project.root, "--json", environment=without).json["overview"]
    (never,) = found["never_reused"]
    assert (never["asset"], never["tables"]) == ("clocked", 1)
    assert "time.time (pipeline.py" in never["reasons"][0]
    assert "allow_reads=['time.time']" in never["reasons"][0]
    assert found["reuse"]["total"]["computed"] == 5, "without an instance, all runs on record"
    assert found["reuse"]["days"] is None


def test_the_report_goes_to_a_file(project: Project, tmp_path: Path) -> None:
    """Markdown or JSON, and nothing on stdout."""
    shown = ask("report", "--store", project.root)
    for file, more in (("report.md", ()), ("report.json", ("--json",))):
        answer = ask("report", "--store", project.root, "--output", str(tmp_path / file), *more)
        assert (answer.code, answer.out, answer.err) == (0, "", "")
    assert (tmp_path / "report.md").read_text() == shown.out
    assert json.loads((tmp_path / "report.json").read_text())["command"] == "report"
    lost = ask("report", "--store", project.root, "--output", str(tmp_path / "none" / "report.md"))
    assert (lost.code, lost.out) == (1, "")
    assert "No such file" in lost.err


def test_a_damaged_sidecar_is_a_reason_like_any_other(project: Project) -> None:
    """A report of a store with one broken table still tells of the others."""
    record = project.store.current("clocked")
    (sidecar,) = Path(record.artifact_uri.removeprefix("file://")).parent.glob("*.json")
    sidecar.write_text("{")
    (never,) = ask("report", "--store", project.root, "--json").json["overview"]["never_reused"]
    assert never["reasons"][0].startswith("not to be read: ")
    sidecar.unlink()
    (never,) = ask("report", "--store", project.root, "--json").json["overview"]["never_reused"]
    assert "none on record" in never["reasons"][0]
