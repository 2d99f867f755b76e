"""Damaged rows of the catalog: a tick and a step go on, and a warning or reason names the table."""

import logging
from typing import Any

import pytest
import sqlalchemy as sa
from adapters_kit import Lab, table
from sensing_kit import Ticking

from jammi_dagster import CachePolicy, result_table


@result_table(cache=CachePolicy.USE, reads=[])
def sound() -> Any:
    return table(1)


@result_table(cache=CachePolicy.USE, reads=[])
def upper() -> Any:
    return table(1, 2)


@result_table(cache=CachePolicy.USE)
def harmed(upper: Any) -> Any:
    return table(len(upper))


ASSETS = [sound, upper, harmed]
_OF_ROW = "UPDATE materializations SET {} WHERE table_name = 'harmed'"
_OF_POINTER = "UPDATE pointers SET {} WHERE table_name = 'harmed'"
_OF_SET = """UPDATE anchor_sets SET {} WHERE id IN
 (SELECT anchor_set_id FROM materializations WHERE table_name = 'harmed')"""

DAMAGES = {
    "anchors that are no JSON": _OF_SET.format("anchors_json = '{'"),
    "anchors that are none": _OF_SET.format("anchors_json = '[1]'"),
    "anchors of an unknown kind": _OF_SET.format(
        """anchors_json = '[{"source": "upper", "anchor": "x", "kind": "newer"}]'"""
    ),
    "anchors that are a map": _OF_SET.format("anchors_json = '{}'"),
    "an order that is none": _OF_ROW.format("anchor_order = '[7]'"),
    "an order at the pointer that is none": _OF_POINTER.format("anchor_order = 'x'"),
    "a definition that is no hash": _OF_ROW.format("definition_hash = 'x'"),
    "a definition at the pointer that is no hash": _OF_POINTER.format("definition_hash = 'x'"),
    "a digest that is none": _OF_ROW.format("artifact_digest = 'x'"),
    "a digest at the pointer that is none": _OF_POINTER.format("artifact_digest = 'x'"),
    "no digest": _OF_POINTER.format("artifact_digest = NULL"),
    "no set": _OF_ROW.format("anchor_set_id = NULL"),
    "no set at the pointer": _OF_POINTER.format("anchor_set_id = NULL"),
    "a row count that is none": _OF_ROW.format("row_count = 'many'"),
    "seconds that are none": _OF_ROW.format("compute_seconds = 'long'"),
    "a path that is none": _OF_ROW.format("artifact_path = '../x'"),
    "a creation that is no time": _OF_ROW.format("created_at = 'x'"),
    "a status that is none": _OF_ROW.format("status = 'x'"),
}


_QUICK = {"anchors that are none", "no digest", "a path that is none", "seconds that are none"}
_CASES = [case if case in _QUICK else pytest.param(case, marks=pytest.mark.slow) for case in DAMAGES]


@pytest.mark.parametrize("case", _CASES)
def test_a_damaged_row_fails_no_tick_and_no_step(
    lab: Lab, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    """The other tables are judged and reused; the damaged one is made again at the latest when it is asked for."""
    lab.run(ASSETS)
    with lab.store.database.writing() as connection:
        connection.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
        connection.execute(sa.text(DAMAGES[case]))
    caplog.set_level(logging.WARNING)
    ticking = Ticking(lab, ASSETS)
    for request in ticking.tick():
        assert "sound" not in str(request.asset_selection)
        ticking.execute(request)
    outcomes = lab.run(ASSETS).outcomes
    assert (outcomes["sound"], outcomes["upper"]) == ("reused", "reused")
    lab.run(ASSETS, tags={"jammi/cache": "bypass"})
    assert lab.run(ASSETS).outcomes == {"sound": "reused", "upper": "reused", "harmed": "reused"}
    lab.store.recover()
    assert Ticking(lab, ASSETS).tick() == []
