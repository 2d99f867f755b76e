"""Files of its own package that an asset's function reads while it runs."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from adapters_kit import Lab

Write = Callable[[str, str], ModuleType]

ASSETS = """
from pathlib import Path
import dagster as dg
import pyarrow as pa
from jammi_dagster import result_table

QUERY = Path(__file__).parent / "query.sql"

@result_table(reads=[])
def first() -> pa.Table:
    return pa.table({"x": [1]})

@result_table
def stored(first: pa.Table) -> pa.Table:
    return pa.table({"x": [QUERY.read_text()]})

@result_table
def chosen(first: pa.Table) -> pa.Table:
    number = first["x"][0].as_py()
    return pa.table({"x": [(QUERY.parent / f"query_{number}.sql").read_text()]})

@result_table
def moving(first: pa.Table) -> pa.Table:
    found = QUERY.read_text()
    QUERY.write_text("select 4")
    return pa.table({"x": [found]})
"""


@pytest.mark.parametrize(("asset", "file"), [("stored", "query.sql"), ("chosen", "query_1.sql")])
def test_a_packaged_file_is_part_of_the_definition(lab: Lab, module: Write, asset: str, file: str) -> None:
    """The read is no undeclared one; a change of the file asks for a new computation, and a revert is a hit."""
    made = module("with_query", ASSETS)
    query = Path(made.__file__ or "").parent / file
    outcomes = []
    for text in ("select 1", "select 1", "select 2", "select 1"):
        query.write_text(text)
        ran = lab.run([made.first, getattr(made, asset)])
        assert ran.why_unpinned(asset) == ""
        outcomes.append(ran.outcomes[asset])
    assert outcomes == ["computed", "reused", "computed", "reused"]


def test_a_packaged_file_that_changes_meanwhile_unpins(lab: Lab, module: Write) -> None:
    """The function may have read the old content or the new one."""
    made = module("with_moving_query", ASSETS)
    query = Path(made.__file__ or "").parent / "query.sql"
    query.write_text("select 3")
    assert "has changed while the function ran" in lab.run([made.first, made.moving]).why_unpinned("moving")


MOVING = """
import os
from pathlib import Path
import pyarrow as pa
from jammi_dagster import result_table

FOLDER = Path(__file__).parent
QUERY = FOLDER / "query.sql"

def replace(text):
    (FOLDER / "other.sql").write_text(text)
    os.replace(FOLDER / "other.sql", QUERY)

def write_over(text):
    found = QUERY.stat()
    QUERY.write_text(text)
    os.utime(QUERY, ns=(found.st_atime_ns, found.st_mtime_ns))

def link(text):
    target = FOLDER / text.replace(" ", "_")
    target.write_text(text)
    (FOLDER / "link").symlink_to(target)
    os.replace(FOLDER / "link", QUERY)

def read(path):
    return path.read_text()

@result_table(reads=[], ignore=["{how}", "read", "os.environ"], allow_reads=["*"]{options})
def moved() -> pa.Table:
    if os.environ.get("MOVES"):
        {how}("select 2")
    found = {read}
    if os.environ.get("MOVES") == "back":
        {how}("select 1")
    return pa.table({{"x": [found]}})
"""
PLACES = {
    "the package": ("", "QUERY.read_text()"),
    "depends_on": (', depends_on=["query.sql"]', "read(QUERY)"),
    "a folder of depends_on": (', depends_on=["."]', "read(QUERY)"),
}


@pytest.mark.parametrize(
    ("how", "moves"), [("replace", "back"), ("replace", "away"), ("write_over", "back"), ("link", "back")]
)
@pytest.mark.parametrize("place", PLACES)
def test_a_file_of_the_code_that_another_stood_for_unpins(
    lab: Lab, module: Write, monkeypatch: pytest.MonkeyPatch, place: str, how: str, moves: str
) -> None:
    """A file that is a part of the code may be another while the function runs, and the old one again at its end."""
    options, read = PLACES[place]
    made = module("with_moved_query", MOVING.format(how=how, options=options, read=read))
    made.link("select 1") if how == "link" else made.QUERY.write_text("select 1")
    monkeypatch.setenv("MOVES", moves)
    assert "has changed while the function ran" in lab.run([made.moved]).why_unpinned("moved")
    monkeypatch.delenv("MOVES")
    made.link("select 1") if how == "link" else made.QUERY.write_text("select 1")
    calm = [lab.run([made.moved]) for _ in range(2)]
    assert [(one.outcomes["moved"], one.why_unpinned("moved")) for one in calm] == [
        ("computed", ""),
        ("reused", ""),
    ]
