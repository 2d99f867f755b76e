"""Strict JSON: a value comes back as it was, type for type, or is refused."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import math
from typing import Any, Literal, TypedDict

import numpy as np
import pytest

from jammi_dagster.objects.json_values import NotJson, dump, fits, load, may_be_json


class Kind(enum.IntEnum):
    """An int that is more than an int."""

    ONE = 1


class Row(TypedDict):
    """A dict with named keys."""

    x: int


KEPT: list[Any] = [
    None, True, False, 0, 1, -1, 10**400, 0.0, -0.0, 1.5, 1e-320, math.inf, -math.inf, "", "é\ud800\x00", [], {},
    [[], {}], {"b": 1, "a": [1, 1.0, True, None, {"": "x"}]},
]  # fmt: skip


@pytest.mark.parametrize("value", KEPT, ids=lambda value: repr(value)[:30])
def test_a_value_comes_back(value: Any) -> None:
    """Equal, of the same types throughout, keys in their order, the sign of a zero kept."""
    found = load(dump(value))
    assert repr(found) == repr(value)
    assert type(found) is type(value)


def test_nan_comes_back() -> None:
    """NaN is written as Python writes it."""
    assert math.isnan(load(dump([math.nan]))[0])


HOLDS_ITSELF: list[Any] = []
HOLDS_ITSELF.append(HOLDS_ITSELF)
DEEP: Any = []
for _ in range(100_000):
    DEEP = [DEEP]
REFUSED: list[tuple[Any, str]] = [
    ((1, 2), "the value is a tuple"),
    ({1: "x"}, "key 1, a int"),
    ({"a": {None: 1}}, "['a'] of the value has the key None"),
    ({"a": [1, {2}]}, "['a'] of the value[1] is a set"),
    ([b"x"], "[0] of the value is a bytes"),
    (Kind.ONE, "Kind"),
    (np.float64(1.5), "numpy.float64"),
    (np.int64(1), "numpy.int64"),
    (decimal.Decimal(1), "decimal.Decimal"),
    (datetime.date(2013, 1, 1), "datetime.date"),
    (collections.OrderedDict(a=1), "collections.OrderedDict"),
    (collections.defaultdict(int), "collections.defaultdict"),
    (10**5000, "digits"),
    (HOLDS_ITSELF, "holds itself"),
    (DEEP, "nested too deep"),
]


@pytest.mark.parametrize(("value", "why"), REFUSED, ids=[why for _, why in REFUSED])
def test_what_would_not_come_back_is_refused(value: Any, why: str) -> None:
    """The error says where the value stands and what it is."""
    with pytest.raises(NotJson) as raised:
        dump(value)
    assert why in str(raised.value)


FITTING: list[tuple[Any, Any, bool]] = [
    ({"a": 1.0}, dict[str, float], True),
    ({"a": 1}, dict[str, float], True),  # as for a type checker
    ({"a": {"b": 1.0}}, dict[str, float], False),
    ({"a": {"b": 1.0}}, dict[str, dict[str, float]], True),
    ({"a": [1]}, dict[str, list[str]], False),
    ([1, None], list[int | None], True),
    ({"a": 1}, dict, True),
    ([1], dict, False),
    (None, int | None, True),
    (True, int, False),
]


@pytest.mark.parametrize(("value", "annotation", "is_fit"), FITTING)
def test_a_value_fits_an_annotation(value: Any, annotation: Any, is_fit: bool) -> None:
    """The items count, so that an object and a dict of objects by partition are told apart."""
    assert fits(value, annotation) is is_fit


@pytest.mark.parametrize(
    ("annotation", "is_json"),
    [
        (dict[str, list[int | None]], True), (Row, True), (Literal["a", 1], True), (str | None, True),
        (tuple[int, ...], False), (set, False), (bytes, False), (datetime.date, False), (dict[str, set[int]], False),
        (Kind, False),
    ],
)  # fmt: skip
def test_annotations_of_pythons_own_types(annotation: Any, is_json: bool) -> None:
    """Only where each part of it is one of the few types that come back."""
    assert may_be_json(annotation) is is_json
