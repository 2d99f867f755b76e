"""The demo's graph under Dagster's multiprocess executor."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from demo.outcomes import Outcome
from demo.raw import MONTHS

pytestmark = pytest.mark.slow

PLAIN = {"planes": "computed", "airports": None}
YEAR = {
    "weather",
    "all_flights",
    "departures",
    "route_days",
    "route_neighbors",
    "expected_delays",
    "route_surprises",
    "fleet_delays",
}
EVERY = {f"flights[{month}]" for month in MONTHS} | YEAR
CHANGED = {"expected_delays", "route_surprises"}


def run(project: Path, *jobs: str, **config: Any) -> dict[str, Outcome]:
    """Run jobs in a fresh process and return the outcomes by table."""
    shutil.copy(Path(__file__).parent / "run_multiprocess.py", project)
    command = [sys.executable, "run_multiprocess.py", json.dumps(config), *jobs]
    environment = os.environ | {"DAGSTER_HOME": str(project / "dagster_home")}
    ended = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    found = [Outcome(**each) for each in json.loads(ended.stdout)]
    assert len({each.table for each in found}) == len(found)
    return {each.table: each for each in found}


def said(found: dict[str, Outcome]) -> dict[str, str | None]:
    return {table: each.outcome for table, each in found.items()}


def digests(found: dict[str, Outcome]) -> dict[str, str]:
    return {table: each.digest for table, each in found.items()}


def test_reuses_everything_and_then_all_but_what_a_changed_config_reaches(project: Path) -> None:
    """Worker processes compute first, reuse every table next, and after a change compute its descendants only."""
    first = run(project, "one_month", "the_year")
    assert said(first) == dict.fromkeys(EVERY, "computed") | PLAIN

    second = run(project, "one_month", "the_year")
    assert said(second) == dict.fromkeys(EVERY, "reused") | PLAIN
    assert digests(second) == digests(first)
    assert {table: each.rows for table, each in second.items()} == {
        table: each.rows for table, each in first.items()
    }
    assert all(second[table].saved is not None for table in EVERY)

    config = {"ops": {"expected_delays": {"config": {"damping": 0.6}}}}
    third = run(project, "the_year", **config)
    assert said(third) == dict.fromkeys(YEAR, "reused") | dict.fromkeys(CHANGED, "computed") | PLAIN
    assert {table for table in third if third[table].digest != first[table].digest} == CHANGED
