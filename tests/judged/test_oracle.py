"""Random pipelines under random edits: every table equals one that is computed from scratch."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks import oracle
from benchmarks.oracle_project import edit, random_project
from benchmarks.report import Report


def _row(report: Report, what: str) -> dict[str, int]:
    (row,) = (row for row in report.rows if row.what.startswith(what))
    assert row.met, "\n".join(report.lines())
    return {name: int(value) for name, value in row.values.items()}


@pytest.mark.slow
def test_no_table_is_wrong_after_any_edit() -> None:
    """Three scripts: runs and ticks in fresh processes leave every table as it is computed from scratch.

    Some of them are reused. An identity that sees no code gives a wrong table, and is found.
    """
    report = oracle.run(scripts=3, edits=4, control=1)
    counts = _row(report, "3 scripts")
    assert counts["compared"] > 60
    assert min(counts["ticks"], counts["reused"], counts["computed"]) > 5
    assert _row(report, "control")["wrong"] > 0


@pytest.mark.slow
def test_a_script_is_played() -> None:
    """One short script, without the control."""
    counts = _row(oracle.run(scripts=1, edits=1, control=0), "1 scripts")
    assert min(counts["launches"], counts["compared"], counts["computed"]) > 0


def test_edits_change_tables_and_keep_the_project_whole(tmp_path: Path) -> None:
    """Of many random edits, most change a table that is computed from scratch, and none breaks the modules."""
    chance, changed, before = random.Random(5), 0, None
    project = random_project(chance)
    for _ in range(40):
        edit(project, chance)
        project.write(tmp_path)
        compile((tmp_path / "pipe.py").read_text(), "pipe.py", "exec")
        scope: dict[str, object] = {}
        exec((tmp_path / "logic.py").read_text(), scope)
        now = {node.name: (node.default, node.given, tuple(node.parents)) for node in project.nodes}
        state = ((tmp_path / "logic.py").read_text(), now, dict(project.files), list(project.keys))
        changed += state != before
        before = state
    assert changed >= 30
