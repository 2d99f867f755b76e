"""Slots: no digest depends on a text that stands in no reached source, and no identity is blind to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import CodeIdentity, identify

MAKERS = """
    import dataclasses, functools, os
    import pydantic

    PAIR = ("literal", b"literal bytes")
    REGISTRY = {}
    LOADED = []

    @dataclasses.dataclass
    class Login:
        user: str
        password: str

    class Model(pydantic.BaseModel):
        user: str
        password: str

    def closure(value):
        def f(): return value
        return f

    def default(value):
        def f(x=value): return x
        return f

    def keyword_default(value):
        def f(*, x=value): return x
        return f

    def in_text(value):
        return closure(f"postgres://me:{value}@db")

    def in_bytes(value):
        return closure(value.encode())

    def in_list(value):
        return closure(["literal", value])

    def in_dict(value):
        return closure({"user": "me", "password": value})

    def as_key(value):
        return closure({value: 1})

    def in_set(value):
        return closure({value, "literal"})

    def in_dataclass(value):
        return closure(Login("me", value))

    def in_method(value):
        return closure(value.join)

    def given(x, y=None):
        return x

    def in_partial(value):
        return functools.partial(given, value)

    def in_keyword(value):
        return functools.partial(given, 1, y=value)

    def in_wrapped(value):
        inner = closure(value)
        @functools.wraps(inner)
        def f(*args): return inner(*args)
        return f

    def registered():
        return REGISTRY

    def in_global(value):
        REGISTRY["password"] = value
        return registered

    def in_pydantic(value):
        return closure(Model(user="me", password=value))
    """
NAMES = [
    *(
        "closure",
        "default",
        "keyword_default",
        "in_text",
        "in_bytes",
        "in_list",
        "in_dict",
        "as_key",
        "in_set",
    ),
    *("in_dataclass", "in_pydantic", "in_method", "in_partial", "in_keyword", "in_wrapped", "in_global"),
]
ONE, OTHER = "hunter2-hunter2", "correct-horse-7"


@pytest.fixture
def makers(project: Project) -> Any:
    return project.write({"makers.py": MAKERS}).load("makers")


def _identified(makers: Any, name: str, value: Any) -> CodeIdentity:
    return identify(getattr(makers, name)(value))


@pytest.mark.parametrize("name", NAMES)
def test_a_text_from_elsewhere_fills_a_slot(makers: Any, name: str) -> None:
    """Wherever a function holds it: the digests are the same for every text, the fillings are not."""
    one, other, again = (_identified(makers, name, value) for value in (ONE, OTHER, ONE))
    assert one.unresolved == other.unresolved == ()
    assert (one.digest, one.named) == (other.digest, other.named)
    assert one.slots == again.slots
    assert one.slots != other.slots
    assert set(one.slots) <= set(one.named)


@pytest.mark.parametrize("name", NAMES)
def test_no_text_is_shown(makers: Any, name: str) -> None:
    """An identity that lands in a log shows places, not texts."""
    assert ONE not in repr(_identified(makers, name, ONE))
    assert ONE not in str(_identified(makers, name, ONE).named)


@pytest.mark.parametrize(
    "values",
    [("literal", "me"), (b"literal bytes", "literal"), (1, 2), (1.5, 2.5), (None, True), ("user", "Login")],
)
def test_literals_names_and_numbers_stay_plain(makers: Any, values: tuple[Any, Any]) -> None:
    """A text that stands in a reached file is code, and counts by its digest; so does each number."""
    one, other = (_identified(makers, "closure", value) for value in values)
    assert one.slots == other.slots == {}
    assert one.digest != other.digest


def test_a_value_of_the_environment_is_no_literal(makers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A literal that an environment variable happens to hold has the environment as its origin."""
    plain = _identified(makers, "closure", "literal bytes"), _identified(makers, "closure", b"literal bytes")
    assert plain[1].slots == {}
    monkeypatch.setenv("DB_PW", "literal bytes")
    found = _identified(makers, "closure", "literal bytes"), _identified(makers, "closure", b"literal bytes")
    assert all(identity.slots for identity in found)
    assert found[1].digest != plain[1].digest


def test_a_short_value_of_the_environment_is_a_literal_all_the_same(
    makers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`1`, `C` and `me` stand in many environments, and not in all: they are no origin."""
    plain = _identified(makers, "closure", "me")
    monkeypatch.setenv("USER", "me")
    assert _identified(makers, "closure", "me") == plain


def test_joined_literals_are_literals(project: Project) -> None:
    """Python joins them when it compiles the file."""
    module = project.write(
        {"joined.py": "def f(a='one' + ' and ' + 'two', b='x' 'y', c=b'p' + b'q'): pass\n"}
    ).load("joined")
    assert identify(module.f).slots == {}


def test_where_a_text_stands_counts(makers: Any) -> None:
    """Two texts that change places fill the slots in another way, also where the places have one name."""

    def both(one: str, other: str) -> Callable[[], object]:
        made: Callable[[], object] = makers.closure([makers.closure(one), makers.closure(other)])
        return made

    one, other = identify(both(ONE, OTHER)), identify(both(OTHER, ONE))
    assert one.digest == other.digest
    assert one.slots != other.slots


def test_the_order_of_a_set_does_not_count(makers: Any) -> None:
    """Equal sets fill the slots in the same way, in whatever order they were made."""
    texts = [f"text number {i}" for i in range(20)]
    one, other = (identify(makers.closure(set(found))) for found in (texts, reversed(texts)))
    assert one == other


def test_the_structure_of_a_library_value_needs_no_slot(makers: Any) -> None:
    """The types of an array and the fields of a model are no texts that a function was given."""
    import numpy as np

    arrays = [np.zeros(3, dtype) for dtype in ("int32", "float32")]
    one, other = (identify(makers.closure(array)) for array in arrays)
    assert one.slots == other.slots == {}
    assert one.digest != other.digest
    assert identify(makers.closure(makers.Model(user="me", password="literal"))).slots == {}
