"""Reasons as people read them: one line for each place, with the path by which it is reached."""

import warnings
from collections.abc import Callable
from types import ModuleType

import pyarrow as pa
import pytest
from adapters_kit import Lab

from jammi_dagster import result_table
from jammi_dagster.adapters.assets.reasons import with_paths
from jammi_dagster.fingerprint import identify

Write = Callable[[str, str], ModuleType]

ASSETS = """
import os, time
import pyarrow as pa
from jammi_dagster import result_table

def clean(table):
    return stamped(table)

def stamped(table):
    return table.append_column("t", pa.array([os.environ["A"] + str(time.time())]))

@result_table
def stored(up: pa.Table) -> pa.Table:
    return clean(up)
"""


def test_a_reason_says_the_path_and_a_place_has_one_line(module: Write) -> None:
    """Two reads of one line are one reason, which says by which functions the line is reached."""
    made = module("with_paths", ASSETS)
    spec = made.stored.op.compute_fn.decorated_fn.result_table
    code = spec.code()
    (line,) = with_paths([*code.unresolved, *spec.undeclared_by_code(code)], code)
    assert "with_paths.py:10" in line
    assert "and so does" in line
    assert "reached by stored > clean > stamped" in line
    assert "declare what it reads" in line or "reads=" in line
    assert "pass the value in" in line


MERGED = {
    "two ways out": (
        ["a (f.py:1) reads: declare reads=[…]", "b (f.py:1) draws: pass a seed"],
        "declare reads=[…]; pass a seed",
    ),
    "one way out": (["a (f.py:1) reads: declare it", "b (f.py:1) reads: declare it"], "declare it"),
    "one without": (["a (f.py:1) reads", "b (f.py:1) draws: pass a seed"], "pass a seed"),
    "the same thing": (
        ["a (f.py:1) reads: declare it", "a (f.py:1) reads: or ignore it"],
        "declare it; or ignore it",
    ),
}


@pytest.mark.parametrize("name", MERGED)
def test_the_reasons_of_one_place_keep_their_ways_out(name: str, module: Write) -> None:
    """Findings of one line are one reason, with the advice of each."""
    given, way_out = MERGED[name]
    (line,) = with_paths(given, identify(module("merged", "def f(up): return up\n").f))
    assert line.startswith("a (f.py:1) reads")
    assert line.partition(": ")[2] == way_out


def test_the_label_of_functions_is_said_once(module: Write) -> None:
    """Of a graph: two findings in the same ops name these once."""
    ops = "in op one, other and op two, "
    given = [f"{ops}a (f.py:1) reads: declare it", f"{ops}b (f.py:1) draws: pass a seed"]
    (line,) = with_paths(given, identify(module("merged", "def f(up): return up\n").f))
    assert line == f"{ops}a (f.py:1) reads, and so does b: declare it; pass a seed"


def test_the_run_says_the_same(lab: Lab, module: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """The metadata of a materialization has the path too."""
    monkeypatch.setenv("A", "a")
    made = module("run_with_paths", ASSETS)

    @result_table(reads=[])
    def up() -> pa.Table:
        return pa.table({"x": [1]})

    assert "reached by stored > clean > stamped" in lab.run([up, made.stored]).why_unpinned("stored")


@pytest.mark.parametrize("name", ["getattr", "operator.attrgetter", "operator.methodcaller"])
def test_a_bare_name_warns_of_the_code_that_it_would_give_up(name: str) -> None:
    """`ignore=["getattr"]` names no function; with one it is silent."""

    def made() -> pa.Table:
        return pa.table({"x": [1]})

    with pytest.warns(UserWarning, match="it would give up all code"):
        result_table(ignore=[name])(made)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result_table(ignore=[f"pipelines.text.clean:{name}"])(made)


def test_a_reason_of_the_whole_asset_stays_as_it_is(module: Write) -> None:
    """A reason without a place has no path."""
    made = module("without_place", "def f(up): return up\n")
    assert with_paths(["it has no upstream: declare reads=[]"], identify(made.f)) == [
        "it has no upstream: declare reads=[]"
    ]
