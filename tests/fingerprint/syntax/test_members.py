"""Methods of plain classes: the ones that code can reach count."""

import pytest
from fingerprint_kit import Project

CLASS = """
import pandas as pd
class Lake:
    def __init__(self, log=None): self.log = log
    def read(self, p): return pd.read_csv(p)
    def write(self, df): self.tidy(df)
    def tidy(self, df): return df
    def both(self, df): return self.read(df)
    def whole(self): return self
    @property
    def size(self): return len(self.read("x"))
class Called(Lake): pass
class Early:
    def __init__(self): self.go()
    def go(self): return pd.read_csv("x")
class Open:
    def __getattr__(self, name): return self.read()
    def read(self): return pd.read_csv('x')
class Alias:
    def read(self): return pd.read_csv("x")
    again = read
class Call:
    def __call__(self): return pd.read_csv("x")
def use(x): return x.read("x")
lake = Lake()
"""
PURE = ["Lake().write(1)", "x = Lake()\n    x.write(1)\n    return x.tidy(1)", "return Lake(log=1).log"]
READS = [
    "Lake().read(1)",
    "Lake().both(1)",
    "Lake().size",
    "x = Lake()\n    x.write(1)\n    return x.read(1)",
    "x = Lake()\n    return x",
    "x = Lake()\n    use(x)",
    "use(Lake())",
    "y = [Lake()]\n    y[0].read(1)",
    "x = y = Lake()\n    return y.read(1)",
    "Lake().whole().read(1)",
    "Lake.read(None, 1)",
    "x = Lake\n    x().read(1)",
    "x = Lake()\n    getattr(x, 're' + 'ad')(1)",
    "x = Lake()\n    f = lambda: x.read(1)\n    return f()",
    "lake.write(1)",
    "Called().write(1)",
    "Early().log",
    "Open().anything",
    "Alias().again()",
    "x = Call()\n    x.log\n    return x()",
    "with Lake() as x: x.read(1)",
]


@pytest.mark.parametrize("module", ["", "lake."], ids=["own", "imported"])
@pytest.mark.parametrize("body", PURE)
def test_a_method_that_is_not_asked_for_does_not_count(project: Project, body: str, module: str) -> None:
    """An object that stays in the function where it is made is known by the members that are used there."""
    assert text_of(project, body, module).outside == ()


@pytest.mark.parametrize("module", ["", "lake."], ids=["own", "imported"])
@pytest.mark.parametrize("body", READS)
def test_a_method_that_may_run_counts(project: Project, body: str, module: str) -> None:
    """A method counts if it is asked for, directly or by another one, or if the object leaves the function."""
    found = text_of(project, body, module)
    assert any(read.what == "pandas.read_csv" for read in found.outside)


def text_of(project: Project, body: str, module: str):  # type: ignore[no-untyped-def]
    if not module:
        return project.of_source(f"{CLASS}\ndef f():\n    {body}\n")
    project.write({"lake.py": CLASS})
    names = "Lake, Called, Early, Open, Alias, Call, use, lake"
    return project.of_source(f"from lake import {names}\ndef f():\n    {body}\n")
