"""Looks: identities that are made at one look share readings of live values, and the next look reads them again."""

from __future__ import annotations

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import CodeIdentity, identify, one_look

FLOW = """
import pandas as pd

TABLE = pd.DataFrame({"x": [1]})
SIZES = {"a": pd.DataFrame({"x": [1]})}
NAMES = [str(1)]
LIMIT = 3

def one(): return TABLE, SIZES, NAMES, LIMIT

def two(): return one()
"""


@pytest.mark.parametrize(
    "change",
    [
        "SIZES['a'].loc[0, 'x'] = 2",
        "SIZES['b'] = 1",
        "SIZES['a'] = 1",
        "LIMIT = 4",
        "NAMES.append('2')",
    ],
)
def test_a_value_that_changed_after_a_look_is_seen_by_the_next(project: Project, change: str) -> None:
    """A look gives the identities that the functions have alone, and a later look does not know its readings."""
    flow = project.write({"flow.py": FLOW}).load("flow")
    flow.SIZES["c"] = 1  # no literal any more: the value counts

    def look() -> list[CodeIdentity]:
        with one_look():
            return [identify(function) for function in (flow.one, flow.two, flow.one)]

    before = look()
    assert before == [identify(function) for function in (flow.one, flow.two, flow.one)]
    exec(change, vars(flow))
    after = look()
    assert after == [identify(function) for function in (flow.one, flow.two, flow.one)]
    assert all(one != other for one, other in zip(before, after, strict=True))
