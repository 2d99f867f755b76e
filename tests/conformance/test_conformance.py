"""A slice of Dagster's own tests over result tables, and the comparison with the list."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tools.conformance import __main__ as conformance
from tools.conformance.known import Plan, Reason, compare, written
from tools.conformance.running import Outcome
from tools.conformance.sdist import SourceUnavailable, fetch

DOCS = Path(__file__).parents[2] / "docs"
FILE = "asset_defs_tests/test_x.py"
LISTED = Reason("custom-io-manager", "it needs its own", "WrongIOManager", frozenset({f"{FILE}::test_a"}))
PASSED, FAILED = Outcome("passed"), Outcome("failed", "E   WrongIOManager: asset x")


@pytest.mark.slow
def test_the_slice_fails_just_where_the_list_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Dagster's tests in the slice pass with `@result_table`, except for the listed ones, which fail as listed."""
    status = conformance.main(["--slice"])
    assert status == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("ours", "unmodified", "problem"),
    [
        ({"test_a": FAILED, "test_b": PASSED}, {}, None),
        ({"test_a": FAILED, "test_b": FAILED}, {"test_a": PASSED, "test_b": FAILED}, None),
        ({"test_a": FAILED, "test_b": FAILED}, {}, "fails, perhaps as 'custom-io-manager': "),
        ({"test_a": FAILED, "test_b": FAILED}, {"test_a": PASSED, "test_b": PASSED}, "fails, perhaps as"),
        ({"test_a": FAILED, "test_b": Outcome("failed", "E  KeyError")}, {}, "fails: "),
        ({"test_a": PASSED}, {}, "passes, but is listed as 'custom-io-manager'"),
        ({"test_a": Outcome("skipped")}, {}, "passes, but is listed"),
        (
            {"test_a": Outcome("failed", "E  KeyError")},
            {},
            "fails for another reason than 'custom-io-manager'",
        ),
        ({"test_b": PASSED}, {}, "is listed as 'custom-io-manager', but did not run"),
    ],
)
def test_every_difference_from_the_list_is_a_problem(
    ours: dict[str, Outcome], unmodified: dict[str, Outcome], problem: str | None
) -> None:
    """New failures, listed tests that pass, are gone or fail otherwise; not tests that fail unmodified as well."""
    found = compare(
        [LISTED],
        {f"{FILE}::{test}": outcome for test, outcome in ours.items()},
        {f"{FILE}::{test}": outcome for test, outcome in unmodified.items()},
        files=[FILE],
    )
    assert [line.startswith(problem or "") for line in found.problems] == [True] * (problem is not None)


def test_files_that_did_not_run_are_not_missed() -> None:
    """A slice is held against its own part of the list."""
    assert compare([LISTED], {}, {}, files=["asset_defs_tests/test_y.py"]).problems == []


def test_the_list_is_written_as_it_is_read() -> None:
    """`--shorten` changes nothing else; every file is one that runs, and the slice is a part of the whole."""
    plan = Plan.load(conformance.LIST)
    assert written(plan.reasons) == (conformance.LIST / "known.toml").read_text(encoding="utf-8")
    assert {test.partition("::")[0] for reason in plan.reasons for test in reason.tests} <= set(plan.files)
    assert set(plan.slice) <= set(plan.files)


def test_the_list_can_only_shrink() -> None:
    """It is not longer than under the same version before, which is a problem of any run."""
    plan = Plan.load(conformance.LIST)
    assert plan.grown() == []
    grown = replace(plan, most=plan.listed - 1)
    assert len(grown.grown()) == 1


def test_every_limit_is_documented() -> None:
    """A reason is a limit, with the section of the docs that states it, a defect to be mended, or the harness."""
    for reason in Plan.load(conformance.LIST).reasons:
        assert reason.name.startswith(("limit: ", "harness: ", "defect: ")), reason
        if reason.name.startswith("limit: "):
            page, _, section = reason.docs.partition("#")
            headings = re.findall(r"(?m)^### (.+)$", (DOCS / page).read_text(encoding="utf-8"))
            assert section in {heading.lower().replace(" ", "-") for heading in headings}, reason.docs


def test_ticks_are_counted() -> None:
    """The counts of all tests are added up, of those that fail too."""
    outcomes = {
        f"{FILE}::test_a": replace(FAILED, ticks={"ticks": 2}),
        f"{FILE}::test_b": replace(PASSED, ticks={"ticks": 1, "fresh after its run": 3}),
    }
    assert compare([LISTED], outcomes, {}, files=[FILE]).ticks == {"ticks": 3, "fresh after its run": 3}


@pytest.mark.slow
def test_a_source_that_cannot_be_had_is_an_error(tmp_path: Path) -> None:
    """Nothing is skipped, and nothing is left behind that would look like a download."""
    with pytest.raises(SourceUnavailable, match=r"dagster 0\.0\.0\.dev999 could not be downloaded"):
        fetch("0.0.0.dev999", tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
