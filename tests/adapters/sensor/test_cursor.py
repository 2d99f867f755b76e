"""A cursor comes back as it was; one of other fields or types is forgotten, and no tick fails by it."""

import base64
import json
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from adapters_kit import Lab, table
from sensing_kit import Ticking

from jammi_dagster import result_table
from jammi_dagster.adapters.sensor.cursor import Asked, Cursor, Round

FULL = Cursor(
    token="t",
    again_at=5.5,
    round=Round("a", "t", 3.0, {"fresh": 2}, 4, 3),
    bytes_after="a",
    bytes_missing=["b"],
    asked={"a": Asked("k", 7.0, "g", 2), "b": Asked("k", 7)},
)


def test_a_cursor_comes_back_as_it_was() -> None:
    """Empty or full."""
    assert Cursor.load(FULL.dump()) == FULL
    assert Cursor.load(Cursor().dump()) == Cursor()


def pack(text: str) -> str:
    """Pack a text as a cursor is packed."""
    state = base64.urlsafe_b64encode(zlib.compress(text.encode())).decode()
    return json.dumps({"state": state, "version": 2})


def packed(data: dict[str, Any]) -> str:
    return pack(json.dumps(data))


WRONG: list[dict[str, Any]] = [
    {"other": 1},
    {"token": 1},
    {"again_at": "x"},
    {"again_at": True},
    {"round": None},
    {"round": {"after": []}},
    {"round": {"counts": {"fresh": "2"}}},
    {"round": {"told": "ab"}},
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
    assert Cursor.load(packed({**asdict(FULL), **change})) == Cursor()


@pytest.mark.parametrize(
    "text", [None, "", "é", "null", "[]", "1", "{", '"x"', '{"again_at": NaN}', "[" * 10_000]
)
def test_a_text_that_is_no_cursor_is_forgotten(text: str | None) -> None:
    """None, no JSON, JSON of another kind, and the same packed."""
    assert Cursor.load(text) == Cursor()
    assert Cursor.load(pack(text or "")) == Cursor()


OTHER_VERSIONS: list[dict[str, Any]] = [
    {"version": 3},
    {"version": "2"},
    {"more": 1},
    {"state": None},
    {"state": "é"},
]


@pytest.mark.parametrize("change", OTHER_VERSIONS, ids=json.dumps)
def test_a_cursor_of_another_version_is_forgotten(change: dict[str, Any]) -> None:
    """Of this one, there are two fields and no more."""
    assert Cursor.load(json.dumps({**json.loads(FULL.dump()), **change})) == Cursor()


@pytest.mark.parametrize("part", [slice(8, None), slice(-8), slice(5), slice(0)])
def test_a_damaged_cursor_is_forgotten(part: slice) -> None:
    """A part of what was packed says nothing."""
    state = json.loads(FULL.dump())["state"]
    assert Cursor.load(json.dumps({"state": state[part], "version": 2})) == Cursor()


def test_a_cursor_is_small_and_for_programs_alone() -> None:
    """A thousand requested partitions take a few kilobytes, and no name of a table can be read in it."""
    asked = {f"trips[2024-{i:04}]": Asked("0123456789abcdef" * 4, 1.7e9, f"{i % 7:016}") for i in range(1000)}
    text = Cursor(asked=asked).dump()
    assert len(text) < 16_000
    assert "trips" not in text
    assert text.isascii()


def test_a_tick_goes_on_from_a_cursor_of_wrong_types(lab: Lab, tmp_path: Path) -> None:
    """It judges everything, as with no cursor at all."""

    @result_table(reads=[], code_version="1")
    def one() -> Any:
        return table(1)

    lab.run(one)
    ticking = Ticking(lab, [one])
    ticking.tick()
    good = asdict(Cursor.load(ticking.cursor))
    for change in WRONG:
        ticking.cursor = packed({**good, **change})
        assert ticking.tick() == []
        assert ticking.said.startswith("1 fresh")
