"""Attributes that are asked for by a computed name."""

from textwrap import dedent

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import identify

DECIDED = {
    "a loop over constants": "for how in ('lower', 'strip'):\n        x = getattr(x, how)()",
    "a comprehension over constants": "y = [getattr(x, how) for how in ['lower', 'strip']]",
    "a constant in a variable": "how = 'lower'\n    getattr(x, how)",
    "a choice of constants": "getattr(x, 'lower' if x else 'strip')",
    "self": "C().ask(x)",
    "a table": "getattr(up, x)",
    "a column of a table": "getattr(up['a'].str, x)()",
    "a row of a table": "for row in up.itertuples():\n        getattr(row, x)",
    "a result of a library": "getattr(pd.concat([up]), x)",
    "an object of a known class": "ask(None, x)",
}
OPEN = {
    "a parameter": "getattr(x, x)",
    "a parameter that is bound again": "up = x\n    getattr(up, x)",
    "a module": "getattr(here, x)",
    "a library": "getattr(pd, x)",
    "a loop over unknown values": "for how in x:\n        getattr(x, how)",
    "a comprehension that hides a constant": "[getattr(x, NAME) for NAME in x]",
    "a name that is bound twice": "how = 'lower'\n    how = x\n    getattr(x, how)",
    "a name that is extended": "how = 'lower'\n    how += x\n    getattr(x, how)",
    "an unknown object": "untyped(x, x)",
    "any object": "anything(x, x)",
}
TEXT = """
    import pandas as pd, alone as here
    from typing import Any
    NAME = "lower"
    class C:
        def ask(self, name): return getattr(self, name)
    def ask(c: C, name): return getattr(c, name)
    def untyped(c, name): return getattr(c, name)
    def anything(c: Any, name): return getattr(c, name)
    def f(up: pd.DataFrame, x):
        {}
    """


@pytest.mark.parametrize("body", DECIDED.values(), ids=DECIDED)
def test_a_name_that_can_lead_to_counted_code_only_is_decided(project: Project, body: str) -> None:
    """A computed name is harmless if the names are constants, or if the object has no uncounted code."""
    found = project.of_source(dedent(TEXT).format(body))
    assert (found.unresolved, found.outside) == ((), ())


@pytest.mark.parametrize("body", OPEN.values(), ids=OPEN)
def test_a_name_that_can_lead_anywhere_is_unresolved(project: Project, body: str) -> None:
    """A computed name of an unknown object is unresolved."""
    found = project.of_source(dedent(TEXT).format(body))
    assert any("getattr" in reason for reason in found.unresolved)


def test_a_known_name_is_a_use(project: Project) -> None:
    """`getattr(pd, "read_csv")` reads as `pd.read_csv` does, also by a loop."""
    text = "import pandas as pd\ndef f():\n    for how in ('read_csv', 'concat'): getattr(pd, how)('x')"
    assert [read.what for read in project.of_source(text).outside] == ["pandas.read_csv"]


def test_a_silenced_getattr_is_the_one_of_a_function(project: Project) -> None:
    """`ignore=` takes the name with its function; the bare name silences nothing."""
    text = "def f(x): return getattr(x, x)\ndef g(x): return getattr(x, x)"
    f = project.write({"alone.py": text}).load("alone").f
    assert identify(f, ignore=["getattr"]).unresolved
    assert identify(f, ignore=["alone.g:getattr"]).unresolved
    assert not identify(f, ignore=["alone.f:getattr"]).unresolved
