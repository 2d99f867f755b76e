"""The normal form of a syntax tree: equal and different programs."""

import ast
import gc

import pytest

from jammi_dagster.fingerprint.syntax.trees import digests, parse


def bare(text: str) -> str:
    return digests(parse(text.encode()))[0]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("x = 'a'", 'x = "a"'),
        ("x = 'a' 'b'", "x = 'ab'"),
        ("x = u'a'", "x = 'a'"),
        ("x = 10", "x = 0xA"),
        ("x = (1)", "x = 1"),
        ("x = 1,", "x = (1,)"),
        ("x = f'a{b}' 'c'", "x = f'a{b}c'"),
        ("def f():\n  return 1", "def f():\n\n\n    return (\n 1 )  # one"),
        ("x = 1  # type: int", "x = 1"),
        ("x = 1; y = 2", "x = 1\ny = 2"),
        ("if a: pass\nelif b: pass", "if a: pass\nelse:\n    if b: pass"),
        ("x = 1\n'''About x.'''", "x = 1"),
        ("class A:\n  'doc'\n  x = 1", "class A:\n  x = 1"),
        ("async def f():\n  'doc'\n  x = 1", "async def f():\n  x = 1"),
    ],
)
def test_layout_is_left_out(one: str, two: str) -> None:
    """Two ways to write one program have one digest."""
    assert bare(one) == bare(two)


@pytest.mark.parametrize(
    "programs",
    [
        ["1", "1.0", "True", "'1'", "b'1'", "1j", "None", "...", "'True'", "-1", "'None'", "()", "[]", "{}"],
        [
            "'a', 'b'",
            "'a,b',",
            "('a', ('b',))",
            "['a', 'b']",
            "'ab', ''",
            "'a', b'b'",
            "{'a', 'b'}",
            "{'a': 'b'}",
        ],
        ["f(a, b)", "f(a)(b)", "f(*a, b)", "f(a, *b)", "f(a=b)", "f(a, **b)", "f[a, b]", "f.a(b)", "f(a)"],
        ["a + b - c", "a + (b - c)", "a - b + c", "a and b or c", "a and (b or c)", "not a"],
        ["f''", "''", "f'a'", "'a'", "f'{a}'", "f'{a!r}'", "f'{a:>3}'", "f'{a=}'", "f'{{a}}'", "f'{a}{b}'"],
        ["{**a, 'b': c}", "{'b': c, **a}", "{a: 'b', 'b': c}", "{None: a, 'b': c}"],
        ["x[1:2]", "x[1:2:None]", "x[1:]", "x[:1]", "x[1]", "x[None:1]", "x[1,]"],
        ["lambda: 1", "lambda x: 1", "lambda *x: 1", "lambda **x: 1", "lambda x, /: 1", "lambda *, x: 1"],
        ["[x for x in y]", "{x for x in y}", "(x for x in y)", "{x: x for x in y}", "[x for x in y if x]"],
        ["0.0", "1e400", "1e-400j", "10**400", "1e308"],
    ],
)
def test_different_programs_differ(programs: list[str]) -> None:
    """Constants keep their types, and no two trees are written down alike."""
    texts = [f"x = {program}" for program in programs]
    assert len({bare(text) for text in texts}) == len({ast.dump(ast.parse(text)) for text in texts})


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("def f(): return", "def f(): return None"),
        ("import a.b", "import a, b"),
        ("import a as b", "from a import b"),
        ("from . import a", "from .. import a"),
        ("from .a import b", "from a import b"),
        ("global a, b", "global ab"),
        ("x: int", "x: int = 1"),
        ("def f(): yield", "def f(): pass"),
        ("def f(): pass", "async def f(): pass"),
        ("def f(a, b=1): pass", "def f(a=1, b=1): pass"),
        ("@a\ndef f(): pass", "def f(): pass"),
        ("a = b = 1", "a = 1; b = 1"),
        ("while a: pass\nelse: b", "while a: pass\nb"),
        ("try: a\nexcept b: c", "try: a\nfinally: c"),
        ("def f():\n  f'doc'", "def f():\n  pass"),
        ("x = '''a\nb'''", "x = '''a\n\nb'''"),
        ("match a:\n  case None: pass", "match a:\n  case True: pass"),
        ("match a:\n  case {'k': 1}: pass", "match a:\n  case {'k': 1, **r}: pass"),
    ],
)
def test_different_statements_differ(one: str, two: str) -> None:
    """Neighbours in the grammar have different digests."""
    assert bare(one) != bare(two)


def test_docstrings_are_in_the_second_digest_only() -> None:
    """One digest is without docstrings; the other tells them apart by text and by place."""
    programs = [
        "class A:\n  'one'\n  def f(): 'two'",
        "class A:\n  'two'\n  def f(): 'one'",
        "class A:\n  def f(): 'two'",
        "'one'\nclass A:\n  def f(): 'two'",
    ]
    found = [digests(parse(program.encode())) for program in programs]
    assert len({one.documented for one in found}) == 4
    assert found[0][0] == found[1][0] == found[3][0]


def test_a_deep_tree_is_read() -> None:
    """An expression deeper than Python's recursion limit has a digest."""
    chain = " + ".join(["x"] * 900)
    assert bare(f"y = {chain}") != bare(f"y = {chain} + x")


def test_a_finalizer_that_parses_meanwhile_does_no_harm() -> None:
    """Python 3.11 raises SystemError from `ast.parse` where the garbage collector runs code that parses too."""

    def deep(n: int) -> None:
        if n:
            deep(n - 1)
        else:
            ast.parse("a + b")

    def collected(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            deep(40)

    source = "".join(f"x{i} = [{i}, {{'a': ({i}, {i})}}]\n" for i in range(400)).encode()
    gc.callbacks.append(collected)
    try:
        tree = parse(source)
    finally:
        gc.callbacks.remove(collected)

    assert len(tree.body) == 400
    assert gc.isenabled()
