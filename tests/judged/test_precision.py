"""The precision of the code identity on the labelled list, and the script that measures it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import precision
from benchmarks.report import Report

REPOSITORY = Path(__file__).parents[2]
LABELS = ("pure", "impure")
MISSED_NOW = 20.0
WRONG_NOW = {"shop_analytics:forecast_noise", "news_stories:word_list", "wind_forecast:cpu_chunks"}


@pytest.fixture(scope="module")
def report() -> Report:
    """The whole list, measured once in a process of its own."""
    return precision.run()


def test_the_list_is_large_and_mostly_pure() -> None:
    """At least 160 functions of at least 8 projects, each labelled twice, then once in agreement; 60 % are pure."""
    with (precision.LIST / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["function", "reader_1", "reader_2", "agreed", "why"]
    assert len({row["function"] for row in rows}) == len(rows) >= 160
    assert len({row["function"].partition(":")[0] for row in rows}) >= 8
    assert all(row[column] in LABELS for row in rows for column in ("reader_1", "reader_2", "agreed"))
    assert all(row["why"] for row in rows)
    assert Counter(row["agreed"] for row in rows)["pure"] >= 0.6 * len(rows)


def test_every_function_of_the_projects_is_labelled() -> None:
    """No asset is left out of the list; of a function with several assets, one is enough."""
    code = (
        "import json; from benchmarks.precision import *; print(json.dumps(list(judged(list(DEFINITIONS)))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    labelled = set(precision.labelled())
    twins = {"grid_data:owners", "shop_analytics:fit_quality", "cloud_costs:totals/usd"}
    assert set(json.loads(done.stdout)) - labelled == twins


def test_pure_functions_are_pinned(report: Report) -> None:
    """The pure functions are pinned without a declaration, all but a few."""
    assert float(report.rows[0].values["missed %"]) <= MISSED_NOW, "\n".join(report.lines())


def test_impure_functions_are_caught(report: Report) -> None:
    """No impure function is pinned, but for a few that are known."""
    wrong = {row.what for row in report.rows[2:] if row.values["why"] == "pinned, but it is impure"}
    assert wrong <= WRONG_NOW, "\n".join(report.lines())


@pytest.mark.parametrize(("part", "low", "high"), [(0, 0.0, 27.8), (5, 23.7, 76.3), (10, 72.2, 100.0)])
def test_a_share_has_its_interval(part: int, low: float, high: float) -> None:
    """The interval is Wilson's: within 0 and 100, and wide where the list is short."""
    found = precision.share(part, 10)
    assert (found["low"], found["high"]) == (low, high)


def test_the_script_tells_about_a_project(tmp_path: Path) -> None:
    """Each asset comes out pinned or not, with the place, the way to it, the declaration to add, and the total."""
    (tmp_path / "shop.py").write_text(
        "import time\nimport dagster as dg\n\n"
        "def stamp():\n    return time.time()\n\n"
        "@dg.asset\ndef good(orders):\n    return orders\n\n"
        "@dg.asset\ndef bad(orders):\n    return stamp()\n\n"
        "defs = dg.Definitions(assets=[good, bad, dg.AssetSpec('orders')])\n"
    )
    command = [sys.executable, "-m", "benchmarks.precision", "-f", str(tmp_path / "shop.py")]
    text = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    lines = [line.strip() for line in text.splitlines()]
    assert lines[0].split() == ["pinned", "good"]
    assert lines[1].split() == ["not", "pinned", "bad"]
    assert lines[2] == "time.time (shop.py:5) changes from run to run (reached by bad > stamp)"
    assert "allow_reads=['time.time']" in lines[3]
    assert lines[4].startswith("1 of 2 assets are pinned, 50.0 %")
    found = json.loads(
        subprocess.run([*command, "--json"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    )
    assert {name: asset["pinned"] for name, asset in found.items()} == {"good": True, "bad": False}
    assert found["bad"]["reasons"][0]["place"] == "shop.py:5"
