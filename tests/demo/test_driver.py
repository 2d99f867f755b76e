"""`make demo` does what it claims, and fails if a claim does not hold."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from demo.__main__ import Act, BrokenClaim
from demo.outcomes import Outcome, lines
from demo.raw import MONTHS

pytestmark = pytest.mark.slow

COMPUTED = Outcome(
    asset="flights",
    partition="2013-01",
    outcome="computed",
    rows=27004,
    seconds=0.3,
    saved=None,
    digest="a" * 64,
)
REUSED = replace(COMPUTED, outcome="reused", seconds=0.02, saved=0.28)
PLAIN = replace(COMPUTED, asset="airports", partition=None, outcome=None, rows=None)

FIRST = Act("first", None)
AGAIN = Act("again", frozenset())
CHANGED = Act("changed", frozenset({"flights"}))


def python(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project; it must end well."""
    ended = subprocess.run([sys.executable, *arguments], cwd=project, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended


@pytest.fixture(scope="module")
def performed(project: Path) -> subprocess.CompletedProcess[str]:
    return python(project, "-m", "demo", "--json")


def test_runs_three_times_and_proves_each_claim(performed: subprocess.CompletedProcess[str]) -> None:
    """Three runs compute all, none and two tables; the sensor makes exactly the tables that a changed file affects."""
    acts = [
        {Outcome(**each).table: each["outcome"] for each in act["outcomes"]}
        for act in json.loads(performed.stdout)
    ]
    assert [len(act) for act in acts] == [22, 22, 22, 8]
    assert [sum(outcome == "reused" for outcome in act.values()) for act in acts] == [0, 20, 18, 3]
    assert {table for table, outcome in acts[3].items() if outcome == "reused"} == {
        "route_neighbors",
        "expected_delays",
        "route_surprises",
    }
    assert acts[2]["expected_delays"] == acts[2]["route_surprises"] == "computed"
    assert "20 result tables: 0 computed, 20 reused" in performed.stderr
    assert performed.stderr.rstrip().endswith("make ui")
    assert "Warning" not in performed.stderr


@pytest.mark.usefixtures("performed")
def test_a_changed_month_reaches_what_derives_from_it(project: Path) -> None:
    """One raw file changes one partition; other months and the weather are reused, descendants computed."""
    march = project / "dagster_home" / "raw" / "flights-2013-03.csv"
    march.write_bytes(b"".join(march.read_bytes().splitlines(keepends=True)[:-1]))
    found = [Outcome(**each) for each in json.loads(python(project, "-m", "demo.run").stdout)]
    reused = {each.table for each in found if each.outcome == "reused"}
    assert reused == {f"flights[{month}]" for month in MONTHS if month != "2013-03"} | {"weather"}


@pytest.mark.parametrize(
    ("act", "found"),
    [
        (FIRST, REUSED),
        (AGAIN, COMPUTED),
        (AGAIN, replace(REUSED, digest="b" * 64)),
        (AGAIN, replace(PLAIN, digest="b" * 64)),
        (CHANGED, REUSED),
        (CHANGED, COMPUTED),
    ],
)
def test_a_claim_that_does_not_hold_fails_the_demo(act: Act, found: Outcome) -> None:
    """A wrong outcome, a table that should be equal and is not, or should differ and does not, fails the demo."""
    with pytest.raises(BrokenClaim, match=f"^{act.title}: "):
        act.check([found], [replace(found, digest="a" * 64)])


@pytest.mark.parametrize(
    ("act", "found"),
    [
        (FIRST, COMPUTED),
        (FIRST, PLAIN),
        (AGAIN, REUSED),
        (AGAIN, PLAIN),
        (CHANGED, replace(COMPUTED, digest="b" * 64)),
    ],
)
def test_a_claim_that_holds_passes(act: Act, found: Outcome) -> None:
    """Plain assets may run in any act, as long as their bytes stay the same."""
    act.check([found], [replace(found, digest="a" * 64)])


def test_outcomes_are_printed_as_aligned_columns() -> None:
    """Numbers are aligned to the right; an unknown value stays blank."""
    assert lines([COMPUTED, REUSED, PLAIN]) == [
        "result table      outcome     rows  seconds  saved  digest",
        "flights[2013-01]  computed  27,004     0.30         aaaaaaaaaaaa",
        "flights[2013-01]  reused    27,004     0.02   0.28  aaaaaaaaaaaa",
        "airports          ran                  0.30         aaaaaaaaaaaa",
    ]
