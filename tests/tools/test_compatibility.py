"""The table of versions, the page that shows how they came out, and the bounds of the package agree."""

import re
import sys
from pathlib import Path

import pytest

from tools.compatibility import NEWEST, PAGE, Table, shown_rows, written

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TABLE = Table.load()
SHOWN = {name: cells for name, *cells in shown_rows(PAGE.read_text(encoding="utf-8"))}


def least(package: str) -> str:
    """Return the least version that the package's requirements, also the optional ones, take."""
    requirements = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["pandas"]]
    requirements += PROJECT["optional-dependencies"]["polars"]
    (bound,) = (found[1] for one in requirements if (found := re.match(rf"{package}>=([\d.]+)", one)))
    return bound


def test_the_page_shows_every_row() -> None:
    """In the order of the table."""
    assert list(SHOWN) == list(TABLE.rows)


@pytest.mark.parametrize("name", TABLE.rows)
def test_a_row_was_tried_with_its_versions(name: str) -> None:
    """A version that the table names is the one that was installed; a row whose tests fail is no supported one."""
    python, *versions, tests, _, _ = SHOWN[name]
    wanted = TABLE.rows[name]
    assert python.startswith(f"{wanted['python']}.")
    for package, version in zip(TABLE.packages, versions, strict=True):
        assert wanted[package] in (NEWEST, version)
    assert re.fullmatch(r"\d+ passed", tests)


@pytest.mark.parametrize("package", [*TABLE.packages, "alembic", "click", "fsspec", "rich", "sqlalchemy"])
def test_the_oldest_row_holds_the_least_versions(package: str) -> None:
    """A bound of the package is a version that was tried."""
    (pinned,) = (one for one in TABLE.requirements("oldest") if one.startswith(f"{package}=="))
    assert re.fullmatch(rf"{package}=={re.escape(least(package))}(\.0)*", pinned)


def test_the_page_names_the_bounds() -> None:
    """Its first table says the same as the package's requirements, and every Python has a row."""
    page = PAGE.read_text(encoding="utf-8")
    pythons = [row["python"] for row in TABLE.rows.values()]
    assert PROJECT["requires-python"] == ">=3.10,<3.14"
    assert pythons == ["3.10", "3.11", "3.12", "3.13"]
    assert f"| Python | {pythons[0]} to {pythons[-1]} |" in page
    assert f"| Dagster | {least('dagster')} and later |" in page
    assert f"| pyarrow | {least('pyarrow')} and later |" in page
    assert f"pandas {least('pandas')} and later" in page


def test_a_row_that_was_tried_again_replaces_its_line() -> None:
    """The others stay, and rows that the table no longer has go."""
    page = written(PAGE.read_text(encoding="utf-8"), TABLE, {"oldest": "| oldest | 3.10 | new |"})
    rows = shown_rows(page)
    assert rows[0] == ["oldest", "3.10", "new"]
    assert [cells[0] for cells in rows] == list(SHOWN)
    assert page.count("# Compatibility") == 1
