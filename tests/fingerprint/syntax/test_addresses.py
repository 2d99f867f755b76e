"""The text of an object without a text of its own tells its address, which differs from run to run."""

from textwrap import indent

import pytest
from fingerprint_kit import Project

MODULE = """
import dataclasses
class C:
    def __init__(self, a): self.a = a
class D(C): pass
@dataclasses.dataclass(repr=False)
class Hidden:
    c: int
@dataclasses.dataclass
class Row:
    c: int
class Named(C):
    def __repr__(self): return 'named'
class Text(str): pass
class Error(ValueError): pass
def g(): return 'x'
"""
TELLING = [
    "return str(object())",
    "return repr(C(x)), x",
    "return f'{C(x)}'",
    "return f'{C(x)!r}'",
    "return '%s' % C(x)",
    "return '%s %s' % (x, C(x))",
    "return '{}'.format(C(x))",
    "c = C(x)\nreturn str(c)",
    "return str(D(x))",
    "return str(Hidden(1))",
    "return repr(g)",
    "def inner(): pass\nreturn f'{inner}'",
    "return str(lambda: 1)",
    "return str(y for y in x)",
    "return repr(map(len, x))",
    "return [str(c) for c in [C(x)]]",
    "return str([C(x)]), str({'a': C(x)})",
    "return list(map(str, [C(x)]))",
    "return C(x).__str__()",
    "return object.__repr__(C(x))",
    "return sorted([C(1), C(2)], key=str)",
]
PLAIN = [
    "return str(x), f'{x}', '%s' % x, '{}'.format(x)",
    "return str(Named(x)), f'{Row(1)}', str(Text('a')), str(Error('a'))",
    "c = C(x)\nreturn f'{c.a}'",
    "return str(g()), g.__name__",
    "raise ValueError(f'{C(x)}')",
    "log.info('%s', str(C(x)))\nprint(C(x))\nreturn 1",
    "def inner(g): return str(g)\nreturn inner(x)",
    "c = C(x)\nc = 3\nreturn str(c)",
    "return list(map(str, x)), sorted(x, key=str)",
    "return str(list(map(g, x))), str(sum(y for y in x))",
]


@pytest.mark.parametrize("body", [*TELLING, *PLAIN])
def test_a_text_that_tells_an_address_is_found(project: Project, body: str) -> None:
    """It is told as a read that changes from run to run, unless only people read it."""
    text = f"{MODULE}def f(x=None):\n{indent(body, '    ')}\n"
    found = {read.what for read in project.of_source(text).outside}
    assert ("object address" in found) is (body in TELLING)
