"""Errors: all of one base, with their data, printable and portable whatever the data is."""

import doctest
import pickle
import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jammi_dagster import errors
from jammi_dagster.errors import InvalidField, JammiError


def _subclasses(cls: type[JammiError]) -> list[type[JammiError]]:
    return [cls, *(below for sub in cls.__subclasses__() for below in _subclasses(sub))]


ALL = [cls for cls in _subclasses(JammiError) if cls.__module__ == errors.__name__]


def _fields(cls: type[JammiError]) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(cls.template) if name]


class _Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __reduce__(self) -> Any:
        raise RuntimeError("no pickle")


def _deep() -> list[Any]:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    return deep


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
@given(text=st.text())
def test_any_text_makes_one_printable_line_of_bounded_length(cls: type[JammiError], text: str) -> None:
    """A message can be logged whatever a table is called: surrogates, newlines and bidi marks are escaped."""
    message = str(cls(**dict.fromkeys(_fields(cls), text)))
    assert message.isprintable()
    message.encode()
    assert len(message) < 2_000


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_an_error_survives_pickling(cls: type[JammiError]) -> None:
    """A step's error crosses process borders with its type, message and attributes."""
    error = cls(**{name: f"<{name}>" for name in _fields(cls)})
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is cls
    assert str(again) == str(error)
    assert vars(again) == vars(error)


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_every_attribute_of_an_error_stands_in_its_message(cls: type[JammiError]) -> None:
    """Every attribute that a class declares is part of its template: the message alone shows the value."""
    declared = {name for name in cls.__annotations__ if name != "template"}
    assert declared <= set(_fields(cls)) | {"operation", "refusals"}  # of which it shows the first
    assert cls.__doc__


@pytest.mark.parametrize(
    "value",
    ["x" * 10_000, 10**5_000, _deep(), _Broken(), b"\xff" * 10_000, "\ud800", object()],
    ids=range(7),
)
def test_any_value_can_be_shown(value: object) -> None:
    """A value of any size or kind is shown in short, a value with a faulty `repr` too."""
    message = str(InvalidField(what="w", path="p", value=value, expected="e"))
    assert message.isprintable()
    assert len(message) < 500


def test_a_long_value_says_how_long_it_is() -> None:
    """A shortened value states its full length."""
    assert "(10000 characters)" in str(InvalidField(what="w", path="p", value="x" * 10_000, expected="e"))


def test_a_short_value_is_shown_whole() -> None:
    """A short value that had to be escaped is not reported as shortened."""
    assert str(errors.InvalidStore(root="\ud800\n", why="no")) == r"store \ud800\n: no"


@pytest.mark.parametrize("value", [_Broken(), lambda: None, (n for n in range(3))])
def test_a_value_that_cannot_be_pickled_crosses_as_its_text(value: object) -> None:
    """An error survives pickling even if the value it reports does not."""
    error = InvalidField(what="w", path="p", value=value, expected="e")
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, InvalidField)
    assert str(again) == str(error)
    assert again.path == "p"


def test_braces_in_a_value_are_only_text() -> None:
    """A value is never taken for a template."""
    assert str(errors.InvalidStore(root="{why} {0}", why="{root}")) == "store {why} {0}: {root}"


def test_every_message_says_the_way_out() -> None:
    """Each template ends in a way out, or in a reason that the raiser gives."""
    for cls in ALL[1:]:
        assert re.search(r";|\{why\}|\{way_out\}|\{expected\}", cls.template), cls


def test_the_page_opens_with_every_error() -> None:
    """The drawn hierarchy names each class once, and the example below it holds."""
    drawing = (errors.__doc__ or "").split("The groups")[0]
    drawn = re.findall(r"[A-Z][a-z]\w*[A-Z]\w*", drawing)
    assert sorted(drawn) == sorted(cls.__name__ for cls in ALL)
    assert doctest.testmod(errors).failed == 0
