"""Functions that walk the stack: harmless where they only find the level of a warning."""

import pytest
from fingerprint_kit import Project

LEVEL = """
    import inspect, logging, os, sys, warnings

    def level():
        frame, n = inspect.currentframe(), 0
        while frame and inspect.getfile(frame).startswith(os.path.dirname(__file__)):
            frame, n = frame.f_back, n + 1
        return n
    """
WALK = "        frame, n = inspect.currentframe(), 0\n"

HARMLESS = {
    "a warning": "def f(x):\n    warnings.warn('old', stacklevel=level())\n    return x",
    "a variable": "def f(x):\n    n = level()\n    warnings.warn('old', FutureWarning, n + 1)\n    return x",
    "a choice": "def f(x, n=None):\n    warnings.warn('old', stacklevel=level() if n is None else n)\n    return x",
    "a helper": "def old():\n    warnings.warn('old', stacklevel=level())\ndef f(x):\n    old()\n    return x",
    "a log": "def f(x):\n    logging.warning('at %s', level())\n    return x",
    "a decorator": "import functools\ndef old(fn):\n    @functools.wraps(fn)\n    def wrapper(x):\n"
    "        warnings.warn('old', stacklevel=level())\n        return fn(x)\n    return wrapper\n"
    "@old\ndef f(x): return x",
}
IN_THE_RESULT = {
    "the result": "def f(x): return level()",
    "a test": "def f(x):\n    if level() > 3: x = 2\n    return x",
    "a warning and the result": "def f(x):\n    n = level()\n    warnings.warn('old', stacklevel=n)\n    return n",
    "another caller": "def g(): return level()\n"
    "def f(x):\n    warnings.warn('old', stacklevel=level())\n    return g()",
    "a value": "def f(x):\n    warnings.warn('old', stacklevel=level())\n"
    "    return list(map(lambda how: how(), [level]))",
    "an attribute": "def f(x):\n    warnings.warn('old', stacklevel=level())\n    return level.__name__",
    "the function itself": "f = level",
}
# Statements of a walk that does more.
MORE = {
    "names of a frame": "        n = frame.f_globals.get('X', 0)\n",
    "variables of a frame": "        frame.f_locals['rows'].append(1)\n",
    "a call": "        frame.f_builtins['print']()\n",
    "a call of its own": "        f(1)\n",
    "a change of a frame": "        frame.f_trace = None\n",
    "a failure": "        if frame.f_lineno > 9: raise ValueError\n",
    "a module's name": "        global SEEN\n        SEEN = frame.f_lineno\n",
}


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_the_level_of_a_warning_does_no_harm(project: Project, text: str) -> None:
    """A walk whose every result goes into warnings and logs leaves a function resolved."""
    project.write({"a.py": f"{LEVEL}\n    " + text.replace("\n", "\n    ")})
    found = project.identity("a.f")
    assert (found.unresolved, found.outside) == ((), ())


@pytest.mark.parametrize("text", IN_THE_RESULT.values(), ids=IN_THE_RESULT)
def test_a_level_that_reaches_a_result_is_unresolved(project: Project, text: str) -> None:
    """A walk of which one result goes elsewhere hides code: the frames above differ from process to process."""
    project.write({"a.py": f"{LEVEL}\n    " + text.replace("\n", "\n    ")})
    assert any("inspect.currentframe" in one for one in project.identity("a.f").unresolved)


@pytest.mark.parametrize("statement", MORE.values(), ids=MORE)
def test_a_walk_that_does_more_is_unresolved(project: Project, statement: str) -> None:
    """A walk that changes a frame, calls on, fails, or reads the names of a frame is no level of a warning."""
    text = HARMLESS["a warning"].replace("\n", "\n    ")
    project.write({"a.py": f"{LEVEL.replace(WALK, WALK + statement)}\n    {text}"})
    assert any("inspect.currentframe" in one for one in project.identity("a.f").unresolved)
