"""The declarations of authors and projects: `depends_on=`, `ignore=`, and `[tool.jammi_dagster]`."""

from pathlib import Path
from typing import Any

import pytest
from fingerprint_kit import Project

from jammi_dagster.errors import InvalidField
from jammi_dagster.fingerprint import CodeIdentity, disk_state, identify

TEXT = """
    import helpers
    MEMO = {}
    def f(x=1):
        if x not in MEMO:
            MEMO[x] = eval("x + 1")
        return MEMO[x]
    def g(x): return helpers.h(x)
    def plain(): return 1
    """


@pytest.fixture
def alone(project: Project) -> Project:
    return project.write({"alone.py": TEXT, "helpers.py": "def h(x): return x\n", "rates.csv": "1"})


def named(project: Project, *depends_on: str, function: str = "plain") -> CodeIdentity:
    """With dependencies that are written as Python over the module."""
    module = project.load("alone")
    names = {"m": module, "Path": Path, "helpers": module.helpers}
    return identify(getattr(module, function), depends_on=[eval(one, names) for one in depends_on])


@pytest.mark.parametrize(
    ("dependency", "component", "edit"),
    [
        ("m.g", "helper h (helpers.py)", {"helpers.py": "def h(x): return -x\n"}),
        ("helpers", "helper h (helpers.py)", {"helpers.py": "def h(x): return -x\n"}),
        ("'rates.csv'", "file rates.csv", {"rates.csv": "2"}),
        ("Path('rates.csv')", "file rates.csv", {"rates.csv": "2"}),
        ("Path(m.__file__).with_name('rates.csv')", "file rates.csv", {"rates.csv": "2"}),
        ("'.'", "file .", {"more/rates.csv": "2"}),
    ],
)
def test_a_dependency_counts(alone: Project, dependency: str, component: str, edit: dict[str, str]) -> None:
    """A function brings the code that it reaches, a module all its names, a file its bytes, a folder its files."""
    without, before = named(alone), named(alone, dependency)
    assert component in before.named
    assert component not in without.named
    assert alone.write(edit).identity("alone.plain") == without
    assert named(alone, dependency).digest != before.digest


@pytest.mark.parametrize("values", [("1", "2"), ("'a'", "'b'"), ("{'k': 1}", "{'k': 2}"), ("(1,)", "[1]")])
def test_a_plain_value_counts(alone: Project, values: tuple[str, str]) -> None:
    """A value that the author names is compared as it is; a text that the source does not show fills a slot."""
    found = [named(alone, value) for value in (*values, values[0])]
    known = [(one.digest, one.slots) for one in found]
    assert known[0] == known[2] != known[1]
    assert named(alone).digest not in [one.digest for one in found]


def test_a_file_that_is_missing_is_unresolved(alone: Project) -> None:
    """A path that leads nowhere is told, not hashed as nothing."""
    (reason,) = named(alone, "Path('no.csv')").unresolved
    assert "no.csv" in reason
    assert str(alone.root) not in reason


def test_what_is_ignored_is_left_out(alone: Project) -> None:
    """`ignore=` takes names of the code, and those that reasons give."""
    function = alone.load("alone").f
    assert len(identify(function).unresolved) == 2
    for ignore in (["MEMO", "eval"], ["alone.MEMO", "eval"], ["alone.py:MEMO", "eval"]):
        found = identify(function, ignore=ignore)
        assert not any("eval" in reason for reason in found.unresolved)
        assert "constant MEMO (alone.py)" not in found.named
    assert identify(function, ignore=["MEMO", "eval"]).unresolved == ()


@pytest.mark.parametrize(
    "arguments", [{"ignore": "name"}, {"ignore": [None]}, {"depends_on": "x"}, {"depends_on": [object()]}]
)
def test_misuse_is_an_error(alone: Project, arguments: dict[str, Any]) -> None:
    """A declaration of the wrong type is an error."""
    with pytest.raises(InvalidField):
        identify(alone.load("alone").plain, **arguments)


def test_the_files_behind_an_identity_are_digested_anew(project: Project) -> None:
    """A file of `depends_on=`, and the settings of the project, may change while the process goes on."""
    project.write({"alone.py": "def f(): return 1\n", "rates.csv": "1"})
    f = project.load("alone").f
    before = disk_state(f, depends_on=["rates.csv"])
    assert disk_state(f, depends_on=["rates.csv"]) == before
    project.write({"rates.csv": "2"})
    after = disk_state(f, depends_on=["rates.csv"])
    assert after != before
    project.write({"pyproject.toml": "[tool.jammi_dagster]\nignore = ['A']\n"})
    assert disk_state(f, depends_on=["rates.csv"]) != after
