"""The documentation's examples, run as a reader would run them: each page in a folder of its own.

A fenced block with a title is a file, written where it stands, over an earlier one of that name. A `console` block of
`$ python …` lines runs them; the lines below a command are its output. A `python` block without a title is a script.
`<!-- not run -->` above a block leaves it out. A page that names `JAMMI_CATALOG` gets a
PostgreSQL database by it.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[2] / "docs"
PACKAGE = DOCS.parent

_BLOCK = re.compile(
    r'^(?P<left_out><!-- not run -->\n+)?```(?P<language>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$',
    re.DOTALL | re.MULTILINE,
)
_PROMPT = "$ python "
# a test suite, which the tests of `jammi_dagster.testing` run as one, and a project whose values are compared below
_ELSEWHERE = {"guides/testing.md", _ADOPTION := "guides/adopt-gradually.md"}


def examples() -> list[str]:
    """List the pages with at least one block that runs."""
    pages = {p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md") if any(map(is_run, blocks(p)))}
    return sorted(pages - _ELSEWHERE)


def blocks(page: Path) -> Iterator[re.Match[str]]:
    """Find the blocks of a page that are to be run or written."""
    return (block for block in _BLOCK.finditer(page.read_text()) if block["left_out"] is None)


def is_run(block: re.Match[str]) -> bool:
    """Tell a block that runs from a file, and from text."""
    if block["title"]:
        return False
    return block["language"] == "python" or (
        block["language"] == "console" and block["text"].startswith(_PROMPT)
    )


def run(folder: Path, *arguments: str, catalog: str | None = None, given_in: str | None = None) -> str:
    """Run Python in the folder, with this package and nothing of this test's own; give its output."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER", "JAMMI"))}
    environment = {**given, "PYTHONPATH": str(PACKAGE), "PYTHONDONTWRITEBYTECODE": "1"}
    if catalog:
        environment["JAMMI_CATALOG"] = catalog
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        input=given_in,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def catalog_of(page: Path) -> Iterator[str | None]:
    """Give the URL of an empty database to a page that asks for one."""
    if "JAMMI_CATALOG" not in page.read_text():
        yield None
        return
    from postgres_kit import running  # `make compatibility` has no server

    with running() as postgres:
        yield postgres.new(migrated=False)


def commands(text: str) -> Iterator[tuple[list[str], str]]:
    """Split a console block into its commands, each with the output that the page shows for it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command.split()[1:], output


@pytest.mark.parametrize("page", examples())
def test_the_examples_of_a_page_do_what_it_says(page: str, tmp_path: Path) -> None:
    """Every command of the page succeeds and prints the output that the page shows, in a reader's project."""
    (tmp_path / "pyproject.toml").touch()
    with catalog_of(DOCS / page) as catalog:
        for block in blocks(DOCS / page):
            if block["title"]:
                file = tmp_path / block["title"]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block["text"])
            elif block["language"] == "python":
                (tmp_path / "example.py").write_text(block["text"])
                run(tmp_path, "example.py", catalog=catalog)
            elif is_run(block):
                for arguments, shown in commands(block["text"]):
                    assert run(tmp_path, *arguments, catalog=catalog) == shown, arguments


def test_the_pages_with_examples_are_found() -> None:
    """A change to the way in which blocks are written must not leave them unrun."""
    assert {"tutorial/first-reuse.md", "guides/declare-inputs.md", "guides/without-dagster.md"} <= set(
        examples()
    )


def test_a_project_moves_over_one_asset_at_a_time(tmp_path: Path) -> None:
    """After each step of the guide every asset is made, those that moved are reused, and all values are as before."""
    steps: list[dict[str, str]] = []
    shown: list[str] = []
    for block in blocks(DOCS / _ADOPTION):
        if block["title"]:
            steps.append({"file": block["title"], "text": block["text"]})
        elif block["language"] == "python":
            steps += [{"file": "example.py", "text": block["text"]}, {"script": "example.py"}]
            shown.append("")
        elif is_run(block):
            for arguments, output in commands(block["text"]):
                steps.append({"script": arguments[0]})
                shown.append(output)
    driver = str(Path(__file__).parent / "adoption_run.py")
    found = json.loads(run(tmp_path, driver, given_in=json.dumps(steps)))
    assert [one["output"] for one in found] == shown
    first = found[0]["values"]
    assert all(one["values"] == first for one in found)
    assert set(first) == {"cleaned", "enriched", "by_day", "by_country", "model", "forecast", "chart"}
