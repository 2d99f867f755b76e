"""Formats: objects of any class, by a name, a registry, or the user's own pair of functions."""

from __future__ import annotations

import functools
import json
import pickle
from dataclasses import replace
from typing import Any

import pytest

from jammi_dagster.errors import InvalidField, NotATable, ObjectUnreadable, UnstorableData
from jammi_dagster.objects import ObjectFormat, encoded, format_named, load_object, reads_code


class Model:
    """An object of the user's own."""

    def __init__(self, weights: list[float]) -> None:
        self.weights = weights


def dump(model: Model) -> bytes:
    """Write a model."""
    return json.dumps(model.weights).encode()


def read(data: bytes) -> Model:
    """Read a model."""
    return Model(json.loads(data))


OWN = ObjectFormat(name="weights", dump=dump, load=read, media_type="application/json")


@pytest.mark.parametrize(
    "format_", ["pickle", "joblib", (dump, read), OWN], ids=["pickle", "joblib", "own", "named"]
)
def test_an_object_comes_back(format_: Any) -> None:
    """Whatever the format; reading any of them runs code, so that all bytes are compared first."""
    reader = encoded(Model([1.5]), format_named(format_, of="test"), table="t")
    assert reader is not None
    table = reader.read_all()
    assert reads_code(table.schema)
    assert load_object(table, of="t").weights == [1.5]


def test_functions_of_the_users_own_count_as_code() -> None:
    """Also in an `ObjectFormat`, whatever its name says: one that is called as one of ours is none of ours."""
    for given in (OWN, replace(OWN, name="json"), replace(OWN, name="a:b")):
        found = format_named(given, of="test")
        assert found.functions == (dump, read)
        assert (found.name, found.media_type) == (f"{__name__}:read", "application/json")
    assert format_named(format_named("pickle", of="test"), of="test").functions == ()


def test_a_fitted_model_comes_back_by_joblib() -> None:
    """As scikit-learn's users store it."""
    from sklearn.linear_model import LinearRegression  # every worker of the suite would wait for it

    model = LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])
    reader = encoded(model, format_named("joblib", of="test"), table="t")
    assert reader is not None
    assert load_object(reader.read_all(), of="t").predict([[2.0]])[0] == pytest.approx(5.0)


@pytest.mark.parametrize("value", [{"a": 1}, [1], "x", 1, 1.5, True, None, b"x"], ids=repr)
def test_values_without_a_format_are_exact(value: Any) -> None:
    """Python's own types and bytes need no format; reading them runs no code."""
    reader = encoded(value, None, table="t")
    assert reader is not None
    table = reader.read_all()
    assert not reads_code(table.schema)
    assert load_object(table, of="t") == value


@pytest.mark.parametrize(
    "value", [[{1}], {"a": Model([])}, [object()]], ids=["a set", "a model", "an object"]
)
def test_what_no_format_is_given_for_is_refused(value: Any) -> None:
    """The error says what stands where, and names `format=`."""
    with pytest.raises(NotATable, match=r"of the value is a .*format="):
        encoded(value, None, table="t")


def not_bytes(value: Any) -> Any:
    """Give a text."""
    return "text"


@pytest.mark.parametrize(
    ("value", "format_", "why"),
    [
        ({1}, "json", "is a set"),
        (lambda: 1, "pickle", "pickle cannot write a function"),
        ("x", "bytes", "gave a str in place of bytes"),
        (1, (not_bytes, read), "gave a str in place of bytes"),
    ],
    ids=["json", "pickle", "bytes", "own"],
)
def test_a_value_that_its_format_cannot_write(value: Any, format_: Any, why: str) -> None:
    """The error names the format and the way out."""
    with pytest.raises(UnstorableData, match=why):
        encoded(value, format_named(format_, of="test"), table="t")


class Inner:
    """A class whose method is no function of a module."""

    @staticmethod
    def read(data: bytes) -> Any:
        """Read."""


@pytest.mark.parametrize(
    ("format_", "expected"),
    [
        ("parquet", "one of json, bytes, pickle, joblib"),
        (5, "one of json, bytes, pickle, joblib"),
        ((dump,), "a pair of functions"),
        (("x", read), "a function"),
        ((dump, lambda data: data), "at the top of a module"),
        ((dump, Inner.read), "at the top of a module"),
        (ObjectFormat(name="own", dump=dump, load=lambda data: data), "at the top of a module"),
        ((dump, functools.partial(read)), "not a partial"),
        ((pickle.dumps, pickle.loads), "or a built-in one"),
    ],
    ids=[
        "a name",
        "a number",
        "one function",
        "a text",
        "a lambda",
        "a method",
        "a format",
        "a partial",
        "built in",
    ],
)
def test_a_format_that_is_none(format_: Any, expected: str) -> None:
    """The error names the value and the formats."""
    with pytest.raises(InvalidField, match=expected):
        format_named(format_, of="test")


def test_bytes_that_the_format_cannot_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that is gone, or a class, is named in the error."""
    reader = encoded(Model([1.5]), format_named("pickle", of="test"), table="t")
    assert reader is not None
    table = reader.read_all()
    monkeypatch.delattr(f"{__name__}.Model")
    with pytest.raises(ObjectUnreadable, match=r"t: its object cannot be read as pickle .*Model"):
        load_object(table, of="t")
