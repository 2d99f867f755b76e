"""Decorators of libraries: the wrapped function counts, with the arguments of the decorator and the library's version."""

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import CodeIdentity

HEAD = """
import functools, os
import beartype as bt, pandera.pandas as pa, pydantic, tenacity, typeguard
from beartype import beartype
from pydantic import validate_call
from tenacity import retry, stop_after_attempt
from typeguard import typechecked
SCHEMA = pa.DataFrameSchema({"x": pa.Column(int)})
N = 3
"""
DECORATORS = {
    "tenacity": ("@retry", "tenacity"),
    "tenacity with arguments": ("@retry(stop=stop_after_attempt(N))", "tenacity"),
    "tenacity by its module": ("@tenacity.retry(stop=tenacity.stop_after_attempt(3))", "tenacity"),
    "beartype": ("@beartype", "beartype"),
    "beartype with a configuration": ("@beartype(conf=bt.BeartypeConf(is_debug=False))", "beartype"),
    "typeguard": ("@typechecked", "typeguard"),
    "typeguard with arguments": (
        "@typeguard.typechecked(collection_check_strategy=typeguard.CollectionCheckStrategy.ALL_ITEMS)",
        "typeguard",
    ),
    "pydantic": ("@validate_call", "pydantic"),
    "pydantic with a configuration": ("@validate_call(config=pydantic.ConfigDict(strict=True))", "pydantic"),
    "pandera by types": ("@pa.check_types", "pandera"),
    "pandera by a schema": ("@pa.check_input(SCHEMA)", "pandera"),
    "pandera in and out": ("@pa.check_io(x=SCHEMA, out=SCHEMA)", "pandera"),
    "two of them": ("@retry\n@beartype", "beartype"),
    "one of the own": ("@own", "tenacity"),
}
OWN = """
def own(fn):
    @functools.wraps(fn)
    @tenacity.retry
    def inner(*args, **kwargs): return fn(*args, **kwargs)
    return inner
"""


def _of(project: Project, decorator: str, body: str = "return x", name: str = "f") -> CodeIdentity:
    text = f"{HEAD}{OWN}{decorator}\ndef clean(x: int) -> int: {body}\n{decorator}\ndef f(x: int) -> int: {body}\ndef g(x): return clean(x)\n"
    project.write({"wrapped.py": text})
    project.forget()
    return project.identity(f"wrapped.{name}")


@pytest.mark.parametrize("name", ["f", "g"])
@pytest.mark.parametrize(("decorator", "library"), DECORATORS.values(), ids=DECORATORS)
def test_a_wrapper_of_a_library_counts_by_its_version(
    project: Project, decorator: str, library: str, name: str
) -> None:
    """The asset's function and a helper are pinned under it; an edit of the body or of the decorator counts."""
    found = _of(project, decorator, name=name)
    assert (found.unresolved, found.outside) == ((), ())
    assert library in found.libraries
    assert _of(project, decorator, "return x + 1", name=name).digest != found.digest


@pytest.mark.parametrize("decorator", [one for one, _ in DECORATORS.values()], ids=DECORATORS)
@pytest.mark.parametrize("name", ["f", "g"])
def test_reads_behind_a_wrapper_count(project: Project, decorator: str, name: str) -> None:
    """The wrapped function is read like any other."""
    assert _of(project, decorator, "return len(os.environ)", name=name).outside


def test_arguments_of_a_decorator_count(project: Project) -> None:
    """A constant that a decorator is given belongs to the function."""
    one = _of(project, "@retry(stop=stop_after_attempt(N))")
    project.write({"wrapped.py": (project.root / "wrapped.py").read_text().replace("N = 3", "N = 4")})
    project.forget()
    assert project.identity("wrapped.f").digest != one.digest


def test_a_callback_of_a_decorator_counts(project: Project) -> None:
    """A function that a decorator calls is reached."""
    found = _of(project, "@retry(retry_error_callback=lambda state: os.environ['A'])")
    assert found.outside


def test_a_wrapper_within_a_factory_counts_by_its_values(project: Project) -> None:
    """The arguments may be values of the function around it, which no source shows."""
    text = (
        f"{HEAD}def make(n):\n    @pa.check_input(pa.DataFrameSchema({{n: pa.Column(int)}}))\n"
        "    def inner(x): return x\n    return inner\nf, g = make('a'), make('b')\n"
    )
    project.write({"made.py": text})
    one, two = project.identity("made.f"), project.identity("made.g")
    assert one.digest != two.digest or (one.unresolved and two.unresolved)


def test_a_patched_function_is_no_wrapper(project: Project) -> None:
    """A function that runs in the place of another is told from a wrapper by the library that made it."""
    text = f"{HEAD}def old(x): return x\ndef f(x): return x\nf.__code__ = (lambda x: x + 1).__code__\n"
    project.write({"patched.py": text})
    assert project.identity("patched.f").unresolved
