"""An identity stands for the code that runs, not for a file that was edited since."""

import importlib
import sys

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import identify

EDITED = (
    "{file}: the running code of {what} differs from the file: "
    "reload the code location, or give code_version="
)


@pytest.mark.parametrize(
    ("file", "old", "new", "what"),
    [
        ("pipelines/text.py", "helper(x))", "helper(x) + 1)", "f"),
        ("pipelines/text.py", "x * SCALE", "x / SCALE", "helper"),
        ("pipelines/text.py", "SCALE = 2", "SCALE = 3", "SCALE"),
        ("pipelines/text.py", "SCALE = 2", "SCALE = 2.0", "SCALE"),
        ("pipelines/steps/third.py", "x + 1", "x - 1", "apply"),
        ("pipelines/marks.py", "return fn(*args)", "return -fn(*args)", "marked"),
    ],
)
def test_an_edit_after_the_import_is_noticed(
    pipelines: Project, file: str, old: str, new: str, what: str
) -> None:
    """A module that was imported before its file changed runs other code than the file holds."""
    function = pipelines.load("pipelines.text").f
    function(1)  # imports the third step
    pipelines.replace(file, old, new)
    assert EDITED.format(file=file, what=what) in identify(function).unresolved


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("SCALE = 2", "SCALE = 4", "SCALE"),
        ("SCALE = 2", "SCALE = [3]\nMORE = 1", "SCALE"),
        ("x * S", "x - S", "helper"),
    ],
)
def test_an_edit_after_a_first_look_is_noticed(pipelines: Project, old: str, new: str, what: str) -> None:
    """Once a module was seen, any edit that means something is noticed, whether live values show it or not."""
    function = pipelines.load("pipelines.text").f
    assert identify(function).unresolved == ()
    pipelines.replace("pipelines/text.py", old, new)
    expected = EDITED.format(file="pipelines/text.py", what=what)
    assert identify(function).unresolved == (expected,)
    pipelines.replace("pipelines/text.py", new, old)
    assert identify(function).unresolved == ()


def test_a_neutral_edit_after_a_first_look_is_none(pipelines: Project) -> None:
    """Comments may move every line of a running module: its functions are still found."""
    function = pipelines.load("pipelines.text").f
    before = identify(function)
    pipelines.replace("pipelines/text.py", "SCALE = 2", "# One\n# two\nSCALE = 2")
    assert identify(function) == before


def test_a_reload_is_a_new_start(pipelines: Project) -> None:
    """After `importlib.reload` the edited file runs."""
    module = pipelines.load("pipelines.steps.third")
    function = importlib.import_module("pipelines.text").f
    before = identify(function)
    pipelines.replace("pipelines/steps/third.py", "x + 1", "x + 2")
    importlib.reload(module)
    after = identify(function)
    assert after.unresolved == ()
    assert after.digest != before.digest


def test_a_constant_that_was_patched_is_noticed(pipelines: Project) -> None:
    """A module constant that other code set is in no source, for as long as it is set."""
    function = pipelines.load("pipelines.text").f
    for value, reasons in [
        (2, ()),
        (99, (EDITED.format(file="pipelines/text.py", what="SCALE"),)),
        (2, ()),
    ]:
        sys.modules["pipelines.text"].SCALE = value  # type: ignore[attr-defined]
        assert identify(function).unresolved == reasons


def test_a_function_that_was_patched_is_noticed(pipelines: Project) -> None:
    """A function that other code put in the place of a reached one is noticed; one that is not reached may change."""
    function = pipelines.load("pipelines.text").f
    third = importlib.import_module("pipelines.steps.third")
    vars(third)["unreached"] = len
    assert identify(function).unresolved == ()
    vars(third)["apply"] = lambda x: x
    (reason,) = identify(function).unresolved
    assert reason == EDITED.format(file="pipelines/steps/third.py", what="apply")


def test_generated_methods_are_left_alone(project: Project) -> None:
    """Methods that `dataclass` and `namedtuple` generate stand in no file, and follow from the code that does."""
    text = """
        import collections, dataclasses, functools

        Pair = collections.namedtuple("Pair", "a b")

        @dataclasses.dataclass(order=True)
        class Spec:
            a: int = 1
            @property
            def b(self): return self.a
            @staticmethod
            def c(): return 1
            @functools.cached_property
            def d(self): return 1

        @functools.lru_cache
        def f(): return Spec().b
        """
    assert project.of_source(text).unresolved == ()


def test_a_function_edited_in_a_class_is_noticed(project: Project) -> None:
    """Methods, properties and decorated functions are compared too."""
    text = """
        import functools
        class A:
            @property
            def p(self): return 1
        @functools.lru_cache
        def f(): return A().p
        """
    function = project.write({"alone.py": text}).load("alone").f
    project.write({"alone.py": text.replace("return 1", "return 2")})
    assert identify(function).unresolved == (EDITED.format(file="alone.py", what="p"),)


def test_a_file_that_is_gone_is_unresolved(pipelines: Project) -> None:
    """The running code of a module without its file is unknown."""
    function = pipelines.load("pipelines.text").f
    (pipelines.root / "pipelines/text.py").unlink()
    (reason,) = identify(function).unresolved
    assert (
        reason == "pipelines/text.py cannot be read as Python source (FileNotFoundError): give code_version="
    )
