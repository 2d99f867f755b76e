"""Attributes that are asked for by a computed name."""

# ruff: noqa: E501 - each row is one body

from textwrap import dedent

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import CodeIdentity, identify

DECIDED = {
    "a loop over constants": "for how in ('lower', 'strip'):\n        x = getattr(x, how)()",
    "a comprehension over constants": "y = [getattr(x, how) for how in ['lower', 'strip']]",
    "a constant in a variable": "how = 'lower'\n    getattr(x, how)",
    "a choice of constants": "getattr(x, 'lower' if x else 'strip')",
    "self": "C().ask(x)",
    "a table": "getattr(up, x)",
    "a column of a table": "getattr(up['a'].str, x)()",
    "a row of a table": "for row in up.itertuples():\n        getattr(row, x)",
    "a result of a library": "getattr(pd.concat([up]), x)",
    "an object of a known class": "ask(None, x)",
}
OPEN = {
    "a parameter": "getattr(x, x)",
    "a parameter that is bound again": "up = x\n    getattr(up, x)",
    "a module": "getattr(here, x)",
    "a library": "getattr(pd, x)",
    "a loop over unknown values": "for how in x:\n        getattr(x, how)",
    "a comprehension that hides a constant": "[getattr(x, NAME) for NAME in x]",
    "a name that is bound twice": "how = 'lower'\n    how = x\n    getattr(x, how)",
    "a name that is extended": "how = 'lower'\n    how += x\n    getattr(x, how)",
    "an unknown object": "untyped(x, x)",
    "any object": "anything(x, x)",
}
TEXT = """
    import pandas as pd, alone as here
    from typing import Any
    NAME = "lower"
    class C:
        def ask(self, name): return getattr(self, name)
    def ask(c: C, name): return getattr(c, name)
    def untyped(c, name): return getattr(c, name)
    def anything(c: Any, name): return getattr(c, name)
    def f(up: pd.DataFrame, x):
        {}
    """


@pytest.mark.parametrize("body", DECIDED.values(), ids=DECIDED)
def test_a_name_that_can_lead_to_counted_code_only_is_decided(project: Project, body: str) -> None:
    """A computed name is harmless if the names are constants, or if the object has no uncounted code."""
    found = project.of_source(dedent(TEXT).format(body))
    assert (found.unresolved, found.outside) == ((), ())


@pytest.mark.parametrize("body", OPEN.values(), ids=OPEN)
def test_a_name_that_can_lead_anywhere_is_unresolved(project: Project, body: str) -> None:
    """A computed name of an unknown object is unresolved."""
    found = project.of_source(dedent(TEXT).format(body))
    assert any("getattr" in reason for reason in found.unresolved)


# Helpers that ask for the attribute that their callers name, and the calls of them.
HELPERS = """
    import functools, operator, pandas as pd
    from collections.abc import Sequence
    HOWS = ("lower", "strip")
    TABLE = {"a": "lower", "b": "strip"}
    GROWING = ["lower"]
    GROWING.append("strip")
    def ask(x, how="lower"): return getattr(x, how)()
    def only(x, *, how): return getattr(x, how)
    def twice(x, how): return ask(ask(x, how), how)
    def again(x, how, n=2): return again(ask(x, how), how, n - 1) if n else x
    def many(x, hows):
        for how in hows: x = ask(x, how)
        return x
    def spread(x, *hows):
        for how in hows: x = getattr(x, how)()
        return x
    def prefixed(x, kind): return getattr(x, f"is{kind}")()
    def got(x, how): return operator.attrgetter(how)(x)
    def called(x, how): return operator.methodcaller(how)(x)
    def grown(x, hows):
        hows.append(x)
        for how in hows: x = getattr(x, how)
    def total(x, hows):
        if x: return x.agg(hows)
        return [getattr(x[c], how)() for c, how in hows.items()]
    def renamed(x, hows): return x.rename(columns=hows), [getattr(x, how) for how in hows.values()]
    def merged(x, hows): return operator.merge(hows, x), [getattr(x, how) for how in hows.values()]
    def filled(x, hows): return x.fill(hows), [getattr(x, how) for how in hows.values()]
    def own(x, hows): return Box().astype(hows), [getattr(x, how) for how in hows.values()]
    def bound(x, how):
        how = how or x
        return getattr(x, how)
    def read(how, path): return getattr(pd, how)(path)
    def made(how): return getattr(object(), how)
    def kept(fn): return fn
    @kept
    def marked(x, how): return getattr(x, how)
    class Box:
        fn = made
        def astype(self, hows): hows["a"] = self
    """
BY_CALLERS = {
    "a constant by position": "ask(x, 'lower')",
    "a constant by name": "ask(x, how='strip')",
    "a default": "ask(x)",
    "a keyword": "only(x, how='lower')",
    "several calls": "ask(x, 'lower'), ask(x, how='strip'), ask(x)",
    "a choice": "ask(x, 'lower' if x else 'strip')",
    "a loop at the call": "[ask(x, how) for how in ('lower', 'strip')]",
    "a loop over a constant": "[ask(x, how) for how in sorted(HOWS)]",
    "a loop over the items of a table": "[ask(x[k], how) for k, how in TABLE.items()]",
    "a loop over pairs": "[ask(x, how) for n, how in (('a', 'lower'), ('b', 'strip'))]",
    "a loop over two lists": "[ask(x, how) for n, how in zip(x, ['lower'])]",
    "a value of a table": "ask(x, TABLE[x]), ask(x, TABLE.get(x, 'upper'))",
    "a helper between": "twice(x, 'lower')",
    "a helper that calls itself": "again(x, 'lower')",
    "a list of names": "many(x, ['lower', 'strip'])",
    "a constant of names": "many(x, HOWS)",
    "many arguments": "spread(x, 'lower', 'strip')",
    "a dict that a table gets too": "total(x, {x: 'lower'})",
    "a dict that a table gets by name": "renamed(x, {'a': 'lower'})",
    "a text with a constant": "prefixed(x, 'alpha')",
    "attrgetter": "got(x, 'a.b')",
    "methodcaller": "called(x, 'lower')",
    "a partial by position": "functools.partial(ask, x, 'lower')()",
    "a partial by name": "list(map(functools.partial(ask, how='strip'), x))",
    "a call of its result": "ask(x, 'lower').strip()",
    "a constant of another module": "ask(x, HOW), many(x, NAMES)",
}
BY_NOBODY = {
    "a parameter of the function": "ask(x, x)",
    "one of several calls": "ask(x, 'lower'), ask(x, x)",
    "arguments behind a star": "ask(*x)",
    "arguments behind two": "ask(x, **x)",
    "a helper that is passed": "ask(x, 'lower'), list(map(ask, x, x))",
    "a helper that is stored": "q = ask\n    q(x, x)",
    "a helper of a class": "Box().fn(x)",
    "a helper that is decorated": "marked(x, 'lower')",
    "a helper of a module that is handed on": "ask(x, 'lower'), kept(here)",
    "a helper by another name": "other.q(x, x)",
    "a helper by its text": "made('lower'), x.locate('alone.made')",
    "a dict that a function changes": "merged(x, {'a': 'lower'})",
    "a dict that anything gets": "filled(x, {'a': 'lower'})",
    "a dict that a method of its own changes": "own(x, {'a': 'lower'})",
    "a dict of other names": "total(x, {'a': x})",
    "a list that grows": "many(x, GROWING)",
    "a loop over a list that grows": "[ask(x, how) for how in GROWING]",
    "a list that the helper changes": "grown(x, ['lower'])",
    "a parameter that is bound again": "bound(x, 'lower')",
    "a partial that gets another name": "p = functools.partial(ask, how='strip')\n    p(x, how=x)",
    "a partial that leaves the name open": "functools.partial(ask, x)(x)",
    "many arguments behind a star": "spread(x, *x)",
    "a hidden attribute": "ask(x, '__subclasses__')",
    "a name that is computed at the call": "ask(x, x.how), ask(x, x[0])",
    "a list of another module": "many(x, GROWN)",
    "attrgetter with two names": "operator.attrgetter('a', x)(x)",
    "a name of a submodule": "getattr(other, TABLE[x])",
}


def _by_callers(project: Project, body: str) -> CodeIdentity:
    named = "HOW = 'lower'\nNAMES = ('lower', 'strip')\nGROWN = ['lower']\n"
    project.write({"other.py": "from alone import ask as q\n", "named.py": named})
    head = dedent(HELPERS) + "import alone as here, other\nfrom named import GROWN, HOW, NAMES\n"
    return project.of_source(
        f"{head}def f(x):\n    return {body}" if "\n" not in body else f"{head}def f(x):\n    {body}"
    )


@pytest.mark.parametrize("body", BY_CALLERS.values(), ids=BY_CALLERS)
def test_a_name_that_all_callers_give_is_decided(project: Project, body: str) -> None:
    """A parameter of a helper stands for the constants of all reached calls."""
    found = _by_callers(project, body)
    assert (found.unresolved, found.outside) == ((), ())


@pytest.mark.parametrize("body", BY_NOBODY.values(), ids=BY_NOBODY)
def test_a_name_that_some_caller_hides_is_unresolved(project: Project, body: str) -> None:
    """One call that gives no constant, or a way to call the helper unseen, leaves the identity unresolved."""
    assert _by_callers(project, body).unresolved


NAMED = """
    def wrap(fn): return fn
    def name(): return 'lower'
    def names(): return ('lower', 'strip')
    def pick(x): return 'lower' if x else 'strip'
    def same(how): return how
    def may(x):
        if x: return 'lower'
    def drawn(): return x.how
    def some():
        yield 'lower'
    @wrap
    def marked(): return 'lower'
    class Box:
        def kind(self): return 'lower'
        def own(self, x): return getattr(x, self.kind())()
        def other(self, x): return getattr(x, self.held.kind())()
    class Fixed:
        @staticmethod
        def how(): return 'strip'
    class Inherited(dict):
        def own(self, x): return getattr(x, self.kind())()
    class Changed:
        def __init__(self): self.way = lambda: x
        def way(self): return 'lower'
        def own(self, x): return getattr(x, self.way())()
    class One:
        def twice(self): return 'lower'
        def own(self, x): return getattr(x, self.twice())()
    class Two(One):
        def twice(self): return x
    class Held:
        tone = 'lower'
        def __init__(self): self.road = 'strip'
        def by_class(self, x): return getattr(x, self.tone)()
        def by_object(self, x): return getattr(x, self.road)()
    class Below(Held):
        tone = 'upper'
    class Set:
        kept = 'lower'
        def own(self, x): return getattr(x, self.kept)()
    class Lib(dict):
        def own(self, x): return getattr(x, self.tone)()
    class Plain:
        mixed = 'lower'
        def own(self, x): return getattr(x, self.mixed)()
    class Mixed(dict, Plain): pass
    class Field:
        field: str = 'lower'
        def own(self, x): return getattr(x, self.field)()
    """
BY_HELPERS = {
    "an inner function": "def inner(n): return getattr(x, n)()\n    return inner('lower')",
    "a loop over calls": "def inner(n): return getattr(x, n)()\n    return [inner(n) for n in ('lower', 'strip')]",
    "a default": "def inner(o, n='lower'): return getattr(o, n)\n    return inner(x)",
    "an inner function of another": "def a(n): return b(n)\n    def b(n): return getattr(x, n)\n    return a('lower')",
    "a variable around": "def a(n):\n        def b(): return getattr(x, n)\n        return b\n    return a('lower')()",
    "a lambda that is called": "return (lambda n: getattr(x, n))('lower')",
    "a lambda that is mapped": "return list(map(lambda n: getattr(x, n), ['lower', 'strip']))",
    "an inner function that is mapped": "def inner(n): return getattr(x, n)\n    return list(map(inner, names()))",
    "a result": "return getattr(x, name())()",
    "one of two results": "how = pick(x)\n    return getattr(x, how)()",
    "results in a loop": "return [getattr(x, how)() for how in names()]",
    "a result of a parameter": "return getattr(x, same('lower'))()",
    "a method of itself": "return Box().own(x)",
    "a method of a new object": "return getattr(x, Box().kind())()",
    "an attribute of a class": "return Held().by_class(x), Below().by_class(x)",
    "an attribute of an object": "return Held().by_object(x)",
    "a static method": "return getattr(x, Fixed.how())()",
}
BY_NO_HELPER = {
    "an inner function that is handed on": "def inner(n): return getattr(x, n)\n    return x.apply(inner), inner('lower')",
    "an inner function that is returned": "def inner(n): return getattr(x, n)\n    return inner",
    "an inner function by another name": "def inner(n): return getattr(x, n)\n    q = inner\n    return q(x)",
    "an inner function of a star": "def inner(n): return getattr(x, n)\n    return inner(*x)",
    "an inner function that binds it again": "def inner(n):\n        n = x.n\n        return getattr(x, n)\n    return inner('lower')",
    "two inner functions": "def inner(n): return getattr(x, n)\n    if x:\n        def inner(n): return n\n    return inner('lower')",
    "an unknown argument": "def inner(n): return getattr(x, n)\n    return inner('lower'), inner(x)",
    "a lambda that is handed on": "return x.apply(lambda n: getattr(x, n))",
    "no result at times": "return getattr(x, may(x))",
    "an unknown result": "return getattr(x, drawn())",
    "a generator": "return [getattr(x, how) for how in some()]",
    "a decorated helper": "return getattr(x, marked())",
    "a method of another object": "return Box().other(x)",
    "a method of an unknown base": "return Inherited().own(x)",
    "an attribute that a caller sets": "box = Set()\n    box.kept = x\n    return box.own(x)",
    "an attribute of an unknown base": "return Lib().own(x)",
    "an attribute that another base may bind": "return Mixed().own(x)",
    "an attribute that a field may be": "return Field().own(x)",
    "a method that an object replaces": "return Changed().own(x)",
    "a method that a subclass replaces": "return One().own(x), Two()",
}


@pytest.mark.parametrize(
    "body", [*BY_HELPERS.values(), *BY_NO_HELPER.values()], ids=[*BY_HELPERS, *BY_NO_HELPER]
)
def test_a_name_that_inner_functions_and_helpers_give(project: Project, body: str) -> None:
    """The calls of an inner function are all seen, unless it is handed on; so are the results of plain helpers."""
    found = project.of_source(f"{dedent(NAMED)}def f(x):\n    {body}\n")
    assert (found.unresolved == ()) is (body in BY_HELPERS.values())
    assert found.outside == ()


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("read('read_csv', 'a.csv')", "pandas.read_csv"),
        ("read(how='read_parquet', path='a')", "pandas.read_parquet"),
        ("ask(x, 'now')", "now"),
        ("ask(x, 'sample')", "sample"),
        ("functools.partial(pd.read_parquet, 'a')()", "pandas.read_parquet"),
        ("operator.methodcaller('read_parquet', 'a')(pd)", "pandas.read_parquet"),
        ("operator.attrgetter('Timestamp.now')(pd)()", "pandas.Timestamp.now"),
        ("getattr(x, 'utcnow')()", "utcnow"),
    ],
)
def test_a_name_that_a_caller_gives_is_a_use(project: Project, body: str, what: str) -> None:
    """A reader or a clock that is asked for by such a name is found."""
    assert what in [read.what for read in _by_callers(project, body).outside]


def test_a_module_that_is_changed_by_a_computed_name_is_unresolved(project: Project) -> None:
    """`setattr` of a module changes the name that a constant tells, and any name otherwise."""
    project.write({"other.py": "K = J = 1\n"})
    for name in ("'K'", "how"):
        text = f"import other\ndef f(how):\n    setattr(other, {name}, 2)\n    return other.K"
        assert project.of_source(text).unresolved


def test_a_known_name_is_a_use(project: Project) -> None:
    """`getattr(pd, "read_csv")` reads as `pd.read_csv` does, also by a loop."""
    text = "import pandas as pd\ndef f():\n    for how in ('read_csv', 'concat'): getattr(pd, how)('x')"
    assert [read.what for read in project.of_source(text).outside] == ["pandas.read_csv"]


def test_a_silenced_getattr_is_the_one_of_a_function(project: Project) -> None:
    """`ignore=` takes the name with its function; the bare name silences nothing."""
    text = "def f(x): return getattr(x, x)\ndef g(x): return getattr(x, x)"
    f = project.write({"alone.py": text}).load("alone").f
    assert identify(f, ignore=["getattr"]).unresolved
    assert identify(f, ignore=["alone.g:getattr"]).unresolved
    assert not identify(f, ignore=["alone.f:getattr"]).unresolved
