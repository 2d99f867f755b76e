"""Dagster's pages in a real browser: what a user sees of reuse, staleness and cost, without a click too many.

`make screenshots` keeps the pictures in `build/screenshots`.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from browser_kit import Project, browser, served
from playwright.sync_api import Error, Page, expect

pytestmark = [
    pytest.mark.slow,
    # a resource within a resource makes Dagster use its own deprecated property
    pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run is deprecated:DeprecationWarning"),
]

MONTHS = [f"2013-{month:02}" for month in range(1, 7)]
FIRST = ["jammi/cache_outcome", "jammi/why", "jammi/seconds_saved", "jammi/seconds_spent"]
LAST = ["jammi/identity", "jammi/artifact_digest", "jammi/definition_hash", "jammi/input_anchors"]


def ran(folder: Path) -> Project:
    """A project that ran: `all_trips` computed, reused, computed over one changed month and reused; one month stale."""
    folder.mkdir()
    for month in MONTHS:
        (folder / f"trips-{month}.csv").write_text(f"trip,minutes\n1,10\n2,{month[-1]}\n")
    project = Project(folder)
    project.run(
        *((f"trips {month}", "trips", month) for month in MONTHS),
        *((f"rainy {month}", "rainy_trips", month) for month in MONTHS),
        ("first", "all_trips", None),
        ("reused", "all_trips", None),
        ("mean", "mean", None),
    )
    project.launch("reused first", "report")
    (folder / "trips-2013-02.csv").write_text("trip,minutes\n1,99\n")
    project.run(
        ("changed", "trips", "2013-02"),
        ("computed", "all_trips", None),
        ("reused again", "all_trips", None),
        ("overview", "overview", None),
    )
    (folder / "trips-2013-03.csv").write_text("trip,minutes\n1,98\n")
    return project


def text(page: Page) -> str:
    return page.inner_text("body")


def in_order(text: str, *parts: str) -> None:
    """Each part stands in the text after the one before."""
    at = 0
    for part in parts:
        found = text.find(part, at)
        assert found >= 0, f"{part!r} is not there, or not in its place: {text}"
        at = found + len(part)


def asset_page(page: Page, address: str, project: Project) -> None:
    """Outcome, why and cost come first, then inputs; short hashes come before full ones, the inputs' table last."""
    page.goto(f"{address}/assets/all_trips?view=overview")
    expect(page.get_by_text("jammi/input_anchors")).to_be_visible()
    # rows stand above, as Dagster's own figure
    in_order(text(page), "Row count", "11", *FIRST, "jammi/bytes", "jammi/reused", "jammi/inputs", *LAST)
    in_order(
        text(page), "jammi/cache_outcome", "reused", "jammi/why", "reused: same definition over same inputs"
    )
    in_order(text(page), "jammi/inputs", "6 inputs, as when it was computed")
    spent = page.get_by_role("row").filter(has_text="jammi/seconds_spent").inner_text()
    assert re.search(r"\s\d+(\.\d{1,4})?\s*$", spent), "a number of few digits"


def events_page(page: Page, address: str, project: Project) -> None:
    """The computed materialization says which input changed, and how many there are."""
    page.goto(f"{address}/assets/all_trips?view=events")
    expect(page.get_by_text("as when it was computed")).to_be_visible()
    in_order(text(page), *FIRST, "dagster/row_count", "jammi/bytes", "jammi/reused", "jammi/inputs", *LAST)
    assert page.get_by_role("link", name=project.runs["computed"]).count() == 1, "the run that computed it"
    page.get_by_text(re.compile(r"^\w{3} \d+, \d+:\d+ [AP]M$")).nth(1).click()
    expect(page.get_by_text("6 inputs, 1 changed")).to_be_visible()
    in_order(text(page), "jammi/cache_outcome", "computed", "jammi/why", "input trips[2013-02] changed")


def plots(page: Page, address: str, project: Project) -> None:
    """Cost, size and reuse are numbers over time."""
    page.goto(f"{address}/assets/all_trips?view=overview")
    page.get_by_text("Plots", exact=True).click()
    for key in (
        "dagster/row_count",
        "jammi/bytes",
        "jammi/reused",
        "jammi/seconds_saved",
        "jammi/seconds_spent",
    ):
        expect(page.get_by_text(key, exact=True)).to_be_visible()


def run_page(page: Page, address: str, project: Project) -> None:
    """A reuse is one line, and its metadata is printed once."""
    page.goto(f"{address}/runs/{project.runs['reused again']}")
    expect(page.get_by_text("RUN_SUCCESS")).to_be_visible()
    assert text(page).count("reused all_trips: materialization") == 1
    assert text(page).count("jammi/why") == 1
    assert page.get_by_role("link", name=project.runs["computed"]).count() == 1


def reused_run_page(page: Page, address: str, project: Project) -> None:
    """A run that reused every table before a step began is green, and its steps took no time."""
    page.goto(f"{address}/runs/{project.runs['reused first']}")
    expect(page.get_by_text("RUN_SUCCESS")).to_be_visible()
    expect(page.get_by_text("Succeeded (2)")).to_be_visible()
    in_order(text(page), "Reused the tables of step", "reused 2 tables of 2 steps out of 2")
    assert "STEP_FAILURE" not in text(page)


def tick_page(page: Page, address: str, project: Project) -> None:
    """The stale table comes first, and partitions with one cause are one line."""
    page.goto(f"{address}/locations/project.py/sensors/stale_tables")
    page.get_by_text("View logs").last.click()
    said = page.get_by_text(re.compile(r"\d+ fresh, 1 stale"))
    expect(page.get_by_text("Logs for stale_tables")).to_be_visible()
    expect(said.last).to_be_visible()
    told = said.last.inner_text()
    in_order(told, "trips[2013-03] is stale", "file:trips-2013-03.csv changed", "rainy_trips: ")
    assert re.search(r"rainy_trips: \d partitions \(.*?\) are undecidable: .*weather has no version", told)


def runs_page(page: Page, address: str, project: Project) -> None:
    """A run that the sensor started says why in a tag."""
    page.goto(f"{address}/runs")
    expect(
        page.get_by_text("jammi/why: trips[2013-03]: file:trips-2013-03.csv changed").first
    ).to_be_visible()


def overview_page(page: Page, address: str, project: Project) -> None:
    """The job's page is Markdown behind one click: tables with headings, the never reused one with its way out."""
    page.goto(f"{address}/runs/{project.runs['overview']}")
    page.get_by_text("[Show Markdown]").click()
    expect(page.get_by_role("heading", name="Overview of tables")).to_be_visible()
    for heading in ("Reuse", "Slowest tables", "Never reused", "Biggest tables"):
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    rows = page.get_by_role("row").all_inner_texts()
    assert any(row.startswith("together\t16\t4\t20%") for row in rows)
    assert any(row.startswith("rainy_trips\t6\t") and "give it a data version" in row for row in rows)


def check_page(page: Page, address: str, project: Project) -> None:
    """Both checks passed when they ran with their asset."""
    page.goto(f"{address}/assets/all_trips?view=checks")
    expect(page.get_by_text("Passed")).to_be_visible()
    expect(page.get_by_text("Succeeded")).to_have_count(2)  # the list of checks comes later
    in_order(text(page), "jammi_staleness", "Succeeded", "jammi_verification", "Succeeded", "1 fresh")


LOOKS: tuple[Callable[[Page, str, Project], None], ...] = (
    asset_page,
    events_page,
    plots,
    run_page,
    reused_run_page,
    tick_page,
    runs_page,
    overview_page,
    check_page,
)


def test_the_pages_show_what_matters(tmp_path: Path) -> None:
    """Each look has its rule; all are taken over one server, and a picture of each is kept."""
    pictures = Path(os.environ.get("JAMMI_SCREENSHOTS") or tmp_path / "screenshots")
    project = ran(tmp_path / "project")
    problems = {}
    with served(project) as address, browser() as page:
        for look in LOOKS:
            try:
                look(page, address, project)
            except (AssertionError, Error) as error:
                problems[look.__name__] = str(error)
            page.screenshot(path=pictures / f"{look.__name__}.png")
    assert not problems, "\n\n".join(f"{name}: {why}" for name, why in problems.items())
