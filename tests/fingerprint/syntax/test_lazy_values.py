"""Globals that are filled on first use."""

from textwrap import dedent

import pytest
from fingerprint_kit import Project

SET = "def get(x=None):\n    global X\n    if X is None: X = {}\n    return X\ndef f(): return get()"


@pytest.mark.parametrize("value", ["(1, 'a')", "3", "frozenset(['a'])", "re.compile('a')"])
def test_an_immutable_value_from_literals_is_a_constant(project: Project, value: str) -> None:
    """A global that is None until its first use, and then always the same, remembers nothing."""
    found = project.of_source("import re\nX = None\n" + SET.format(value))
    assert (found.unresolved, found.outside) == ((), ())


@pytest.mark.parametrize(
    "text",
    [
        *(
            "import re, random\nY = 1\nX = None\n" + SET.format(value)
            for value in (
                "x",
                "[1]",
                "{1: 2}",
                "(x,)",
                "make()",
                "random.Random(1)",
                "(Y,)",
                "tuple([x])",
                "None",
            )
        ),
        "X = 1\n" + SET.format("2"),
        "X = None\n" + SET.format("2") + "\ndef g():\n    global X\n    X = 3",
        "X = None\nfor X in (None,): pass\n" + SET.format("2"),
        "X = None\ndef f(x=1):\n    global X\n    X = 2\n    return X",
        "X = None\ndef f(x=1):\n    global X\n    if x: X = 2\n    return X",
        "X = None\ndef f(x=1):\n    global X\n    if X is None: pass\n    else: X = 2\n    return X",
        "X = None\ndef f(x=1):\n    global X\n    if X is None:\n        X = 2\n        X += x\n    return X",
        "X = None\ndef f(x=1):\n    global X\n    if X is not None: X = 2\n    return X",
    ],
)
def test_a_global_that_may_remember_is_unresolved(project: Project, text: str) -> None:
    """A value that another call could have set, or can change, makes a result depend on earlier calls."""
    found = project.of_source(dedent(text).replace("make()", "list((1,))"))
    assert any("changes X while it runs" in reason for reason in found.unresolved)
