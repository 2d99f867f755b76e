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
                "(x,)",
                "random.Random(1)",
                "tuple([x])",
            )
        ),
        "X = 1\n" + SET.format("2"),
        "X = None\n" + SET.format("2") + "\ndef h(): return X\ndef k(): return (f(), h())\nf, k = k, f",
        "X = None\ndef f(x=1):\n    global X\n    y = X\n    if X is None: X = 2\n    return y",
        "X = None\ndef f(x=1):\n    global X\n    if x:\n        if X is None: X = 2\n    return X",
        "X = None\ndef f(x=1):\n    global X\n    for i in range(x):\n        if X is None: X = 2\n    return X",
        "X = None\ndef f(x=1):\n    global X\n    if X is not None: return x\n    X = [1]\n    return X",
        "X = None\ndef f(x=1):\n    global X\n    if X is None: X = {1: 2}\n    X[x] = 3\n    return X[1]",
        "X = None\ndef f(x=1):\n    global X\n    if X is None: X = {1: 2}\n    for k in X.values(): x += k\n"
        "    return g(X)\n"
        "def g(t): t[1] = 4",
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
    found = project.of_source(dedent(text))
    assert any("changes X while it runs" in reason for reason in found.unresolved)


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    global X\n    if not X: X = re.compile(P)\n    return X",
        "def f():\n    global X\n    if X is not None: return X\n    X = re.compile('a', flags=2)\n    return X",
        "def f():\n    global X\n    with L:\n        if X is None: X = re.compile('a')\n    return X.sub('', 'a')",
        "def f():\n    global X\n    if X is None:\n        with L:\n"
        "            if X is None: X = (1, 2)\n    return X",
        "def f(k=1):\n    global X\n    if X is None: X = {1: 'a', 2: None}\n    return X.get(k)",
        "def f(k=1):\n    global X\n    if X is None: X = ['a', 'b']\n    return X[k] if k in X else 1",
    ],
)
def test_other_ways_to_fill_a_global_on_first_use(project: Project, text: str) -> None:
    """A test with `not`, an early return, a lock; a table that is only looked up."""
    found = project.of_source(f"import re, threading\nL = threading.Lock()\nP = 'a+'\nX = None\n{text}")
    assert (found.unresolved, found.outside) == ((), ())


def test_a_global_that_another_module_reads_may_remember(project: Project) -> None:
    """Another module may read it before the first use, or after it."""
    project.write({"lazy.py": "X = None\ndef get():\n    global X\n    if X is None: X = 2\n    return X\n"})
    assert project.of_source("import lazy\ndef f(): return lazy.get()").unresolved == ()
    assert project.of_source("import lazy\ndef f(): return (lazy.X, lazy.get())").unresolved
