"""A cursor comes back as it was; one of other fields or types is forgotten, and no tick fails by it."""

import json
from pathlib import Path
from typing import Any

import pytest
from adapters_kit import Lab, table
from sensing_kit import Ticking

from jammi_dagster import result_table
from jammi_dagster.adapters.sensor.cursor import Asked, Cursor, Round

FULL = Cursor(
    token="t",
    said="2 fresh.",
    again_at=5.5,
    round=Round("a", "t", 3.0, {"fresh": 2}, ["a is stale."], 4),
    bytes_after="a",
    bytes_missing=["b"],
    asked={"a": Asked("k", 7.0, "g", 2), "b": Asked("k", 7)},
)


def test_a_cursor_comes_back_as_it_was() -> None:
    """Empty or full."""
    assert Cursor.load(FULL.dump()) == FULL
    assert Cursor.load(Cursor().dump()) == Cursor()


WRONG: list[dict[str, Any]] = [
    {"version": 2},
    {"version": "1"},
    {"other": 1},
    {"token": 1},
    {"said": None},
    {"again_at": "x"},
    {"again_at": True},
    {"round": None},
    {"round": {"after": []}},
    {"round": {"counts": {"fresh": "2"}}},
    {"round": {"lines": "ab"}},
    {"round": {"listed": 1.5}},
    {"bytes_after": None},
    {"bytes_after": "a\0"},
    {"bytes_missing": None},
    {"bytes_missing": [1]},
    {"asked": []},
    {"asked": {"a": {"key": "a", "at": None}}},
    {"asked": {"a": {"key": "a", "at": 1, "tries": "2"}}},
    {"asked": {"a": {"at": 1}}},
    {"asked": {"a": {"key": 1, "at": 1}}},
]


@pytest.mark.parametrize("change", WRONG, ids=json.dumps)
def test_a_cursor_of_other_types_is_forgotten(change: dict[str, Any]) -> None:
    """Whatever stands in the field, and however deep."""
    text = json.dumps({**json.loads(FULL.dump()), **change})
    assert Cursor.load(text) == Cursor()


@pytest.mark.parametrize("text", [None, "", "null", "[]", "1", "{", '"x"', '{"again_at": NaN}', "[" * 10_000])
def test_a_text_that_is_no_cursor_is_forgotten(text: str | None) -> None:
    """None, no JSON, or JSON of another kind."""
    assert Cursor.load(text) == Cursor()


def test_a_tick_goes_on_from_a_cursor_of_wrong_types(lab: Lab, tmp_path: Path) -> None:
    """It judges everything, as with no cursor at all."""

    @result_table(reads=[], code_version="1")
    def one() -> Any:
        return table(1)

    lab.run(one)
    ticking = Ticking(lab, [one])
    ticking.tick()
    good = json.loads(str(ticking.cursor))
    for change in WRONG:
        ticking.cursor = json.dumps({**good, **change})
        assert ticking.tick() == []
        assert ticking.said.startswith("1 fresh")
