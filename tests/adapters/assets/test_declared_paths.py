"""A declaration covers the path that it declares: a native reader of another file stays undeclared."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fingerprint_kit import Project

from jammi_dagster.adapters.assets.signature import shape_of
from jammi_dagster.adapters.assets.spec import TableSpec
from jammi_dagster.fingerprint import identify
from jammi_dagster.surfaces import file

HEAD = """
import io, os
from pathlib import Path
import duckdb, pandas as pd, polars as pl, pyarrow.parquet as pq, pyarrow.dataset as ds
A, B = "a.parquet", "b.parquet"
OWN = "a.parquet"
PATH = Path("a.parquet")
OTHER = "b.parquet"
def opened(x):
    with open(x, "rb") as source:
        return pl.read_parquet(source)
def in_memory(x):
    source = io.BytesIO(x)
    return pl.read_parquet(source)
def perhaps_opened(x):
    source = x
    if x:
        source = open(x, "rb")
    return pl.read_parquet(source)
def given(source):
    return pl.read_parquet(source)
def f(x):
    return {}
"""
COVERED = [
    "pl.read_parquet('a.parquet')",
    "pl.scan_parquet(source='a.parquet')",
    "pq.read_table(OWN)",
    "pl.read_parquet(PATH)",
    "os.path.exists('a.parquet')",
    "open(x)",
    "pd.read_csv(x)",
    "pl.read_parquet(open(x, 'rb'))",
    "pl.read_parquet(io.BytesIO(open(x, 'rb').read()))",
    "pl.read_parquet(Path(x).open('rb'))",
    "opened(x)",
    "in_memory(x)",
]
OPEN = [
    "pl.read_parquet('b.parquet')",
    "perhaps_opened(x)",
    "given(x)",
    "pl.read_parquet(x.open())",
    "pl.read_parquet('a.parquet'), pl.read_parquet('b.parquet')",
    "pl.scan_csv(OTHER)",
    "pq.read_table(source=OTHER)",
    "pq.ParquetFile('b.parquet')",
    "ds.dataset('b.parquet')",
    "pd.read_parquet('b.parquet')",
    "duckdb.read_parquet('b.parquet')",
    "pl.read_parquet(x)",
    "pl.read_parquet('raw/' + x)",
    "os.stat('b.parquet')",
    "Path(x).exists()",
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A source tree with nothing in it."""
    monkeypatch.syspath_prepend(tmp_path)
    made = Project(tmp_path)
    yield made
    made.forget()


def _undeclared(project: Project, monkeypatch: pytest.MonkeyPatch, expression: str) -> list[str]:
    monkeypatch.chdir(project.root)
    project.write({"alone.py": HEAD.format(expression)})
    function = project.load("alone").f
    spec = TableSpec(function=function, shape=shape_of(function), reads=[file("a.parquet")])
    return spec.code_reads(identify(function))


@pytest.mark.parametrize("expression", COVERED)
def test_a_declared_file_is_covered(
    project: Project, monkeypatch: pytest.MonkeyPatch, expression: str
) -> None:
    """The reader of the declared file is declared; a reader that the run watches is judged there."""
    assert _undeclared(project, monkeypatch, expression) == []


@pytest.mark.parametrize("expression", OPEN)
def test_another_file_is_not(project: Project, monkeypatch: pytest.MonkeyPatch, expression: str) -> None:
    """A file that `reads=` does not name, or that the code does not show, is undeclared."""
    (reason,) = _undeclared(project, monkeypatch, expression)
    assert ("declare it in reads=" in reason) != (
        "or reads=[…] declares it" in reason
    )  # it may be declared already
    assert "allow_reads=" in reason
