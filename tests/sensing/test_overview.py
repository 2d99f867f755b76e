"""The overview of a store out of given rows, and its page."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from jammi_dagster.catalog import CurrentCost, Outcomes
from jammi_dagster.sensing.overview import Overview, Reuse, overview
from jammi_dagster.sensing.overview_page import page


def cost(table: str, **known: Any) -> CurrentCost:
    """A current table."""
    plain = CurrentCost(table, 1.0, 100, None, "2026-01-01T00:00:00+00:00", "run", f"{table}.parquet", False)
    return plain._replace(**known)


def made(*costs: CurrentCost, reuse: Reuse | None = None, most: int = 10, **more: Any) -> Overview:
    """The overview of these tables, which recorded one reason each."""
    reuse = reuse or Reuse(total=Outcomes())
    reasons = more.pop("reasons", lambda cost: [f"because of {cost.table}"])
    return overview(costs, reuse, reasons, deployment="default", most=most, **more)


def headings(lines: Sequence[str]) -> list[str]:
    return [line.removeprefix("## ") for line in lines if line.startswith("## ")]


def cells(lines: Sequence[str], heading: str) -> list[list[str]]:
    """The rows of the table under a heading."""
    at = lines.index(f"## {heading}")
    end = next((i for i in range(at + 1, len(lines)) if lines[i].startswith("## ")), len(lines))
    rows = [line for line in lines[at:end] if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]


def test_diverged_tables_stand_first_the_latest_at_the_top() -> None:
    """Without any, nothing is said of them."""
    plain = cost("a")
    assert headings(page(made(plain))) == ["Reuse", "Slowest tables", "Never reused", "Biggest tables"]
    early, late = (
        cost(f"d{i}", reproducibility="diverged", created_at=f"2026-01-0{i}T00:00:00+00:00") for i in (1, 2)
    )
    found = made(plain, early, late, cost("r", reproducibility="reproduced"))
    lines = page(found)
    assert headings(lines)[0] == "Diverged: 2 tables"
    assert [row[0] for row in cells(lines, "Diverged: 2 tables")] == ["d2", "d1"]
    assert [one["table"] for one in found.to_dict()["diverged"]] == ["d2", "d1"]


def test_costs_are_ranked_by_asset_with_its_costliest_table() -> None:
    """Partitions count together; tables of unknown cost are left out."""
    found = made(
        cost("many[a]", seconds=2.0, size_bytes=10),
        cost("many[b]", seconds=3.0, size_bytes=None),
        cost("one", seconds=4.0, size_bytes=3_000),
        cost("unknown", seconds=None, size_bytes=None),
    )
    assert cells(page(found), "Slowest tables") == [
        ["many", "2", "5.00 s", "many[b]", "3.00 s"],
        ["one", "1", "4.00 s", "one", "4.00 s"],
    ]
    assert cells(page(found), "Biggest tables") == [
        ["one", "1", "3.0 kB", "one", "3.0 kB"],
        ["many", "1", "10 B", "many[a]", "10 B"],
    ]
    assert (found.tables, found.size_bytes) == (4, 3_010)


def test_tables_that_can_never_be_reused_say_what_the_last_one_recorded() -> None:
    """One row for each reason, under the asset; the assets that take the most time come first."""
    asked: list[str] = []

    def reasons(one: CurrentCost) -> list[str]:
        asked.append(one.table)
        return [f"first of {one.table}", "second"]

    found = made(
        cost("quick", is_unpinned=True, seconds=0.1),
        cost("slow[a]", is_unpinned=True, created_at="2026-01-03T00:00:00+00:00"),
        cost("slow[b]", is_unpinned=True),
        cost("slow[c]"),
        cost("fine"),
        reasons=reasons,
    )
    assert cells(page(found), "Never reused") == [
        ["slow", "2", "first of slow[a]"],
        ["", "", "second"],
        ["quick", "1", "first of quick"],
        ["", "", "second"],
    ]
    assert asked == ["slow[a]", "quick"]
    assert "No table is on record as one that can never be reused." in page(made(cost("fine")))


@pytest.mark.parametrize("most", [0, 1, 3])
def test_lists_end_after_the_most_and_say_how_many_are_left(most: int) -> None:
    """Reasons are read for no more than are shown."""
    asked: list[str] = []

    def reasons(one: CurrentCost) -> list[str]:
        asked.append(one.table)
        return ["no"]

    costs = [cost(f"t{i}", reproducibility="diverged", is_unpinned=True) for i in range(3)]
    found = made(*costs, most=most, reasons=reasons)
    lengths = {len(one) for one in (found.diverged, found.slowest, found.never_reused, found.biggest)}
    assert lengths == {most}
    assert len(asked) == most
    lines = page(found)
    left = {0: "3 tables", 1: "2 tables", 3: None}[most]
    assert [line for line in lines if line.startswith("And ") and "table" in line] == (
        [f"And {left} more."] if left else []
    )
    assert "Diverged: 3 tables" in headings(lines)


def test_reuse_by_day_adds_up_and_days_without_runs_take_no_row() -> None:
    days = {
        "2026-01-03": Outcomes(computed=1, reused=999, spent=1.0, saved=5000.0),
        "2026-01-02": Outcomes(),
        "2026-01-01": Outcomes(computed=2, spent=0.5),
    }
    found = made(reuse=Reuse(total=Outcomes.sum(days.values()), days=days))
    assert cells(page(found), "Reuse") == [
        ["2026-01-03", "1", "999", "99%", "1.00 s", "1 h 23 min"],
        ["2026-01-01", "2", "0", "0%", "0.50 s", "0.00 s"],
        ["together", "3", "999", "99%", "1.50 s", "1 h 23 min"],
    ]
    assert "Runs on this Dagster instance since 2026-01-01 (UTC)." in page(found)
    (nothing,) = [one for one in found.to_dict()["reuse"]["days"] if one["day"] == "2026-01-02"]
    assert nothing["hit_rate"] is None


@pytest.mark.parametrize("total", [Outcomes(computed=1, reused=3), None])
def test_without_an_instance_the_page_says_that_the_hit_rate_by_day_needs_one(total: Outcomes | None) -> None:
    lines = page(made(reuse=Reuse(total=total)))
    assert any("DAGSTER_HOME" in line for line in lines)
    assert [row[:4] for row in cells(lines, "Reuse")] == (
        [["all on record", "1", "3", "75%"]] if total else []
    )


@pytest.mark.parametrize("name", ["a|b", "a`b", "<b>a</b>", "a\nb", "**a**", "a\\b", "ü[x]"])
def test_no_name_changes_the_page(name: str) -> None:
    """A name is a cell of one row, and no markup; JSON holds it as it is."""
    found = made(cost(name, reproducibility="diverged", is_unpinned=True))
    lines = page(found)
    assert all("\n" not in line for line in lines)
    rows = [line for line in lines if line.startswith("|") and "run" in line and "made" not in line]
    assert len({line.replace("\\|", "").count("|") for line in rows if "2026" in line}) == 1
    assert not any("<b>" in line.replace("\\<", "") for line in lines)
    assert json.loads(json.dumps(found.to_dict()))["diverged"][0]["table"] == name


def test_other_deployments_are_named() -> None:
    assert "Other deployments: prod." in page(made(others=["prod"]))[2]
    assert "Other" not in page(made())[2]
