"""The precision of the code identity on the labelled list, and the script that measures it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping

import pytest

from benchmarks import precision, real_precision
from benchmarks.fresh import fresh
from benchmarks.real_projects import BY_NAME
from benchmarks.report import Report

LABELS = ("pure", "impure")


@pytest.fixture(scope="module")
def verdicts() -> Mapping[str, precision.Asset]:
    """The verdict of every function of the list, which a process of its own finds once."""
    found: Mapping[str, precision.Asset] = fresh(precision.judged).result
    return found


@pytest.fixture(scope="module")
def report(verdicts: Mapping[str, precision.Asset]) -> Report:
    """The verdicts beside the labels."""
    return precision.report_of(verdicts, precision.labelled())


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


@pytest.mark.slow
def test_every_function_of_the_projects_is_labelled(verdicts: Mapping[str, precision.Asset]) -> None:
    """No asset is left out of the list; of a function with several assets, one is enough."""
    twins = {"grid_data:owners", "shop_analytics:fit_quality", "cloud_costs:totals/usd"}
    assert set(verdicts) - set(precision.labelled()) == twins
    assert set(precision.labelled()) <= set(verdicts)


def test_pure_functions_are_pinned(report: Report) -> None:
    """At least 85 % of the pure functions are pinned without a declaration."""
    assert report.rows[0].met, "\n".join(report.lines())


def test_impure_functions_are_caught(report: Report) -> None:
    """No impure function is pinned."""
    assert report.rows[1].met, "\n".join(report.lines())


@pytest.mark.parametrize(("part", "low", "high"), [(0, 0.0, 27.8), (5, 23.7, 76.3), (10, 72.2, 100.0)])
def test_a_share_has_its_interval(part: int, low: float, high: float) -> None:
    """The interval is Wilson's: within 0 and 100, and wide where the list is short."""
    found = precision.share(part, 10)
    assert (found["low"], found["high"]) == (low, high)


def test_the_list_of_real_projects_is_whole() -> None:
    """At least 60 functions of 8 projects that the script knows, at pinned versions, each labelled twice."""
    with (precision.LIST / real_precision.LABELS).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["function"] for row in rows}) == len(rows) >= 60
    assert {row["function"].partition(":")[0] for row in rows} == set(BY_NAME)
    assert len(BY_NAME) >= 8
    assert all("==" in project.pinned for project in BY_NAME.values())
    assert all(row[column] in LABELS for row in rows for column in ("reader_1", "reader_2", "agreed"))
    assert all(row["why"] for row in rows)
