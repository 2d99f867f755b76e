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
