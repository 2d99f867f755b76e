"""State of a process that an earlier step has changed."""

import decimal
import types
from collections.abc import Callable
from types import ModuleType

import pytest
from adapters_kit import Lab

from jammi_dagster.fingerprint import earlier_steps

Write = Callable[[str, str], ModuleType]

ASSETS = """
import collections, decimal, functools, types
import numpy as np
import pyarrow as pa
from jammi_dagster import result_table

class Settings:
    __slots__ = ("limit",)
    def __init__(self): self.limit = 0

class Kinds: pass

NUMBER = 0
SETTINGS, ARRAY, COUNTS = Settings(), np.zeros(1), collections.Counter()
VIEWED = np.zeros(1)
VIEW = VIEWED[:]
BY_NAME = {"x": Settings()}
QUIET = 3

def scale(x=1): return x

@functools.lru_cache
def rows(): return []

def changed():
    global NUMBER
"""

# A change in the body of one asset, and an expression of another one that reads the state.
CHANGES = {
    "number": ("NUMBER = 5", "NUMBER"),
    "attribute": ("SETTINGS.limit = 5", "SETTINGS.limit"),
    "an_item": ("BY_NAME['x'].limit = 5", "BY_NAME['x'].limit"),
    "array": ("ARRAY[0] = 5", "ARRAY"),
    "view": ("VIEW[0] = 5", "VIEWED"),
    "counter": ("COUNTS.update('a')", "COUNTS"),
    "defaults": ("scale.__defaults__ = (5,)", "scale()"),
    "class_attribute": ("Kinds.limit = 5", "Kinds.limit"),
    "kept_result": ("rows().append(5)", "rows()"),
    "precision": ("decimal.getcontext().prec = 5", "decimal.Decimal(1) / 3"),
    "library": ("types.limit = 5", "types.limit"),
}
ASSET = """
@result_table{arguments}
def {name}({upstream}) -> pa.Table:
    return pa.table({{"x": [str({value})]}})
"""


def test_state_that_an_earlier_step_changed_unpins(
    lab: Lab, module: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that reads what another step of the process has changed is unpinned; one that does not is pinned."""
    text = ASSETS + "".join(f"    {change}\n" for change, _ in CHANGES.values())
    text += ASSET.format(name="first", arguments="(reads=[])", upstream="", value="changed()")
    reading = {**{name: use for name, (_, use) in CHANGES.items()}, "quiet": "QUIET"}
    for name, use in reading.items():
        text += ASSET.format(name=name, arguments="", upstream="first: pa.Table", value=use)
    made = module("earlier_steps", text)
    monkeypatch.setattr(earlier_steps, "_changed", {})  # other tests run in this process
    monkeypatch.setattr(types, "limit", 0, raising=False)
    with decimal.localcontext():
        ran = lab.run([getattr(made, name) for name in ("first", *reading)])
    told = {name: "which ran before in this process" in ran.why_unpinned(name) for name in reading}
    assert told == {**dict.fromkeys(CHANGES, True), "quiet": False}
    assert ran.why_unpinned("quiet") == ""


FUNCTIONS = """
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jammi_dagster import result_table

@result_table(reads=[])
def first() -> pa.Table:
    return pa.table({"x": np.append(np.sort(np.insert([2, 1], 0, 3)), 4)})

@result_table
def second(first: pa.Table) -> pa.Table:
    return first.append_column("y", pc.add(first["x"], 1))

@result_table
def third(second: pa.Table) -> pa.Table:
    return second.append_column("z", pa.array(np.add(second["y"].to_numpy(), 1)))
"""


def test_functions_of_a_module_with_the_name_of_a_change_leave_it_as_it_is(
    lab: Lab, module: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`np.append(x, 1)` and `pc.add(x, 1)` add nothing to their modules: later steps that use these are pinned."""
    made = module("module_functions", FUNCTIONS)
    monkeypatch.setattr(earlier_steps, "_changed", {})  # other tests run in this process
    names = ("first", "second", "third")
    ran = lab.run([getattr(made, name) for name in names])
    assert {name: ran.why_unpinned(name) for name in names} == dict.fromkeys(names, "")
