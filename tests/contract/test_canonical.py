"""Canonical JSON: one form per value, or a typed error that says where."""

import enum
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jammi_dagster.contract import canonical_json
from jammi_dagster.contract.canonical import plain_json
from jammi_dagster.errors import NotCanonical

_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_SCALARS: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers(-(2**127) + 1, 2**127 - 1) | _TEXT
)
_SCALARS |= st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner), max_leaves=20)


@given(JSON)
def test_reads_back_equal(value: Any) -> None:
    """Nothing of a JSON value is lost: its canonical form parses to the same value."""
    assert json.loads(canonical_json(value)) == value


@given(JSON)
def test_no_white_space_outside_of_strings(value: Any) -> None:
    """The form is as short as JSON can be: writing it compactly again changes nothing."""
    written = canonical_json(value).decode()
    assert json.dumps(json.loads(written), separators=(",", ":"), ensure_ascii=False) == written


@given(st.dictionaries(_TEXT, st.integers(0, 9), min_size=2))
def test_key_order_is_by_code_point(value: dict[str, int]) -> None:
    """Keys are sorted by code point, whatever order they came in."""
    assert list(json.loads(canonical_json(value))) == sorted(value, key=lambda key: [ord(c) for c in key])
    assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)


def test_code_points_beyond_the_bmp_sort_after_it() -> None:
    """By code point, not by UTF-16 unit: U+1F600 stands after U+FFFD, though its surrogates stand before."""
    assert canonical_json({"\U0001f600": 1, "\ufffd": 2}) == '{"\ufffd":2,"\U0001f600":1}'.encode()


def test_text_is_utf8_unescaped() -> None:
    """Non-ASCII is not escaped; quotes, backslashes and control characters are, as JSON has to."""
    assert canonical_json(["é", "日本", "😀"]) == '["é","日本","😀"]'.encode()
    assert canonical_json('"\\\n\0') == rb'"\"\\\n\u0000"'


def test_arrays_keep_their_order() -> None:
    """A list is a sequence: order is part of the value. A tuple is written as a list."""
    assert canonical_json([3, 1, 2]) == b"[3,1,2]"
    assert canonical_json((3, 1, 2)) == b"[3,1,2]"


def test_kinds_of_numbers_stay_apart() -> None:
    """An integer, a float of the same size, a boolean and a string are four values."""
    written = [canonical_json(value) for value in (1, 1.0, True, "1", 0, 0.0, -0.0, False, None)]
    assert written == [b"1", b"1.0", b"true", b'"1"', b"0", b"0.0", b"-0.0", b"false", b"null"]


class _Shouting(str):
    def __str__(self) -> str:
        return self.upper()


class _Colour(str, enum.Enum):
    RED = "red"


def test_subclasses_are_written_as_the_value_they_hold() -> None:
    """No subclass of str or int decides how it is written, as a key or as a value."""
    assert canonical_json({_Shouting("a"): _Shouting("b")}) == b'{"a":"b"}'
    assert canonical_json({_Colour.RED: _Colour.RED}) == b'{"red":"red"}'
    assert canonical_json(enum.IntEnum("N", {"two": 2}).two) == b"2"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "bad",
    [
        float("nan"),
        float("inf"),
        float("-inf"),
        "\ud800",
        "ok\udcff",
        b"bytes",
        bytearray(b"bytes"),
        {1, 2},
        object(),
        1j,
        2**127,
        -(2**127),
        10**5000,
    ],
    ids=lambda bad: repr(bad)[:20] if not isinstance(bad, int) else "huge",
)
def test_what_json_does_not_have_is_refused_with_its_place(bad: object) -> None:
    """A value without canonical JSON is a typed error that carries the path to it, at any depth."""
    with pytest.raises(NotCanonical) as raised:
        canonical_json({"a": [1, {"b": bad}]}, name="descriptor")
    assert raised.value.path == "descriptor.a[1].b"
    assert "descriptor.a[1].b" in str(raised.value)


@pytest.mark.parametrize("key", [1, None, True, ("a",), b"a", "\ud800"])
def test_keys_that_are_no_text_are_refused(key: object) -> None:
    """JSON turns other keys into strings, so that two keys could meet: they are refused instead."""
    with pytest.raises(NotCanonical) as raised:
        canonical_json({"outer": {key: 1}})
    assert raised.value.path == "value.outer"


def test_depth_is_bounded() -> None:
    """A value nested beyond reason is a typed error, not a crash of the interpreter."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(NotCanonical, match="nested deeper"):
        canonical_json(deep)


@given(JSON)
def test_plain_json_is_an_equal_copy(value: Any) -> None:
    """`plain_json` is equal to its value, and shares no container with it."""
    copy = plain_json(value)
    assert copy == value
    assert not isinstance(value, (dict, list)) or copy is not value
