"""Try the versions of `compatibility.toml`, each row in an environment of its own, and write the page that shows them.

    python -m tools.compatibility              # every row
    python -m tools.compatibility oldest       # one row; the page keeps the others

A row needs its Python on the path (`python3.10`, …). Exits with 1 if a test of a row fails or its Python is not found.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "compatibility.md"
ENVIRONMENTS = ROOT / "build" / "compatibility"
NEWEST = "newest"
_BLOCK = re.compile(r"(?<=<!-- written by `make compatibility` -->\n\n).*?(?=\n\n<!-- end -->)", re.DOTALL)


class NotTried(Exception):
    """A row that could not be tried on this machine."""


@dataclass(frozen=True)
class Table:
    """The versions to try, and the tests to try them with.

    Table.load().rows["oldest"]["python"]  # "3.10"
    """

    packages: Sequence[str]
    tests: Sequence[str]
    values: Sequence[str]
    needs: Sequence[str]
    rows: Mapping[str, Mapping[str, Any]]

    @classmethod
    def load(cls) -> Table:
        """Read the table."""
        return cls(**tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")))

    def requirements(self, name: str) -> list[str]:
        """Return the requirements of a row, for pip."""
        row = self.rows[name]
        pinned = [
            package if row[package] == NEWEST else f"{package}=={row[package]}" for package in self.packages
        ]
        return [*pinned, *row.get("also", ()), *self.needs]


@dataclass(frozen=True)
class Trial:
    """The outcome of a row: versions as installed, and the tests that passed and failed."""

    name: str
    versions: Sequence[str]
    passed: int
    failed: int
    values: tuple[int, int]
    on: date

    def cells(self) -> list[str]:
        """Return the row as the page shows it."""
        tests = f"{self.passed} passed" + (f", **{self.failed} failed**" if self.failed else "")
        values = f"{self.values[0]} of {sum(self.values)}"
        return [self.name, *self.versions, tests, values, self.on.isoformat()]


def main(arguments: list[str] | None = None) -> int:
    """Try rows, print them, write the page, and give the exit code."""
    table = Table.load()
    parser = argparse.ArgumentParser(
        prog="python -m tools.compatibility", description=__doc__.splitlines()[0]
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(table.rows))
    failed = False
    for name in parser.parse_args(arguments).rows or table.rows:
        try:
            tried = tried_row(table, name)
        except NotTried as error:
            print(f"{name}: {error}", flush=True)
            failed = True
            continue
        line = _line(tried.cells())
        print(line, flush=True)
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), table, {name: line}), encoding="utf-8")
        failed |= tried.failed > 0
    return 1 if failed else 0


def tried_row(table: Table, name: str) -> Trial:
    """Make the environment of a row and run the tests there. Raise `NotTried`."""
    python = _environment(table, name)
    shown = _pip(python, "list", "--format", "json").stdout
    installed = {one["name"]: one["version"] for one in json.loads(shown)}
    version = _run(python, "-c", "import platform; print(platform.python_version())").stdout.strip()
    passed, failed = _tests(python, "tests", table.tests)
    return Trial(
        name=name,
        versions=[version, *(installed[package] for package in table.packages)],
        passed=passed,
        failed=failed,
        values=_tests(python, "values", table.values),
        on=date.today(),
    )


def written(page: str, table: Table, lines: Mapping[str, str]) -> str:
    """Return the page with these rows in the place of earlier ones, in the order of the table."""
    known = {cells[0]: _line(cells) for cells in shown_rows(page)} | {**lines}
    head = ["row", "Python", *table.packages, "tests", "values", "tried on"]
    kept = [known[name] for name in table.rows if name in known]
    return _BLOCK.sub(lambda _: "\n".join([_line(head), "|---" * len(head) + "|", *kept]), page)


def shown_rows(page: str) -> list[list[str]]:
    """Return the cells of the rows that the page shows."""
    found = _BLOCK.search(page)
    assert found, "the page has no place for the table"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found[0].splitlines()[2:]]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _environment(table: Table, name: str) -> Path:
    wanted = f"python{table.rows[name]['python']}"
    found = shutil.which(wanted)
    if found is None:
        raise NotTried(f"there is no {wanted} on the path")
    home = ENVIRONMENTS / name
    _run(found, "-m", "venv", "--clear", home)
    python = home / "bin" / "python"
    package = f"{ROOT}[pandas,polars]"
    done = _pip(python, "install", "--quiet", "--editable", package, *table.requirements(name))
    if done.returncode != 0:
        raise NotTried(f"pip installs no such environment:\n{done.stderr}")
    return python


def _tests(python: Path, name: str, tests: Sequence[str]) -> tuple[int, int]:
    """Run tests, the slow ones too; return the numbers of passed and failed ones. The log stays in the environment."""
    options = ("-m", "", "-q", "--tb=short", "-p", "no:cacheprovider")
    done = _run(python, "-m", "pytest", *options, *tests)
    (python.parents[1] / f"{name}.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    counts = {
        outcome: int(count) for count, outcome in re.findall(r"(\d+) (passed|failed|error)", done.stdout)
    }
    if not counts:
        raise NotTried(f"pytest ran no test:\n{done.stdout}{done.stderr}")
    return counts.get("passed", 0), counts.get("failed", 0) + counts.get("error", 0)


def _pip(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return _run(python, "-m", "pip", "--disable-pip-version-check", *arguments)


def _run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
