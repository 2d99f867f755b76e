"""Globals that a function fills with what it makes: by keys, or with objects of first-party classes."""

from textwrap import dedent, indent

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import identify

HEAD = """
    import alone, logging, os, random, threading, numpy as np, pandas as pd
    from pathlib import Path
    L, OTHER = threading.Lock(), []
    M = {}
    RATES = {"a": 1}
    log = logging.getLogger()
    N = {}
    def other(k):
        if k not in N: N[k] = build(k)
        return N[k]
    def build(k): return [k, RATES.get(k)]
    def drawn(k): return random.random()
    def read(k): return Path(k).read_text()
    def packaged(k): return (Path(__file__).parent / "alone.py").read_text()
    def counted(k):
        OTHER.append(k)
        return len(OTHER)
    def stream(k): yield k
    def grow(rows): rows.append(1)
    def first(rows): return rows[0]
    def same(rows): return rows
    class Client:
        def __init__(self, name): self.name, self.seen = name, []
        def url(self, k): return self.name + k
    class Counter(Client):
        def up(self, k):
            self.seen.append(k)
            return len(self.seen)
    class Ticker(Client):
        @property
        def next(self):
            self.seen.append(1)
            return len(self.seen)
    class Inherited(Ticker): pass
    class Reader(Client):
        def url(self, k): return os.environ[k]
    """

# The bodies of `get(k, n)`, which `f` calls.
MEMOS = {
    "a test": "if k not in M: M[k] = build(k)\nreturn M[k]",
    "an early return": "if k in M: return M[k]\nM[k] = build(k)\nreturn M[k]",
    "a variable": "if k in M:\n    return M[k]\nv = build(k)\nM[k] = v\nreturn v",
    "a handler": "try: return M[k]\nexcept KeyError: pass\nv = M[k] = build(k)\nreturn v",
    "a handler that makes it": "try:\n    v = M[k]\nexcept KeyError:\n    v = M[k] = build(k)\nreturn v",
    "a handler that returns it": "try:\n    return M[k]\nexcept KeyError:\n    M[k] = build(k)\n    return M[k]",
    "get": "v = M.get(k)\nif v is None:\n    v = build(k)\n    M[k] = v\nreturn v",
    "a walrus": "if (v := M.get(k)) is None:\n    v = M[k] = build(k)\nreturn v",
    "setdefault": "return M.setdefault(k, build(k))",
    "a key of several": "key = (k, n)\nif key not in M:\n    raw = build(k)\n    M[key] = raw + [n]\nreturn M[key]",
    "a key that is written": "if (k, n) not in M: M[k, n] = [k, n]\nreturn M[k, n]",
    "a lock": "if k not in M:\n    with L:\n        if k not in M:\n            M[k] = build(k)\nreturn M[k]",
    "a part of the value": "if k not in M: M[k] = build(k)\nreturn M[k][0], n",
    "a log": "if k not in M:\n    log.info('makes %s', k)\n    M[k] = build(k)\nreturn M[k]",
    "another memo": "if k not in M: M[k] = other(k)\nreturn M[k]",
    "an object": "if k not in M: M[k] = Client(k)\nreturn M[k].url(k)",
    "a frame": "if k not in M: M[k] = pd.DataFrame({'a': [k]})\nreturn M[k].merge(M[k], on='a')",
}
REMEMBER = {
    "another parameter": "if k not in M: M[k] = build(n)\nreturn M[k]",
    "its length": "if k not in M: M[k] = build(k)\nreturn len(M)",
    "the memo itself": "if k not in M: M[k] = build(k)\nreturn M",
    "another result at first": "if k in M: return M[k]\nM[k] = build(k)\nreturn 'new'",
    "another key": "if k in M: return M[k]\nM[k] = build(k)\nk = 2\nreturn M[k]",
    "a variable beside it": "if k not in M:\n    M[k] = build(k)\n    n = 3\nreturn M[k], n",
    "an else": "if k not in M:\n    M[k] = build(k)\nelse:\n    n = 3\nreturn M[k]",
    "another value at first": "v = M.get(k)\nif v is None:\n    v = build(k)\n    M[k] = v + [1]\nreturn v",
    "None at first": "v = M.get(k)\nif v is None:\n    M[k] = build(k)\nreturn v",
    "a look at another key": "v = M.get(k)\nif v is None:\n    v = M[k] = build(k)\nreturn M.get(n, v)",
    "a handler for another look": "try: x = M[k]\nexcept KeyError: x = 0\nif k not in M: M[k] = build(k)\nreturn x",
    "a deletion": "if k not in M: M[k] = build(k)\ndel M[k]\nreturn 1",
    "a change of the item": "if k not in M: M[k] = build(k)\nM[k] += [1]\nreturn M[k]",
    "its own length as the value": "if k not in M: M[k] = len(M)\nreturn M[k]",
    "a variable with a default": "v = 0\nif k not in M:\n    v = build(k)\n    M[k] = v\nreturn v",
    "a test beside it": "hit = k in M\nif k not in M: M[k] = build(k)\nreturn M[k], hit",
    "an attribute as the key": "if k.x not in M: M[k.x] = build(k)\nreturn M[k.x]",
    "chance": "if k not in M: M[k] = drawn(k)\nreturn M[k]",
    "a read": "if k not in M: M[k] = read(k)\nreturn M[k]",
    "a packaged file": "if k not in M: M[k] = packaged(k)\nreturn M[k]",
    "other state": "if k not in M: M[k] = counted(k)\nreturn M[k]",
    "a generator of numbers": "if k not in M: M[k] = np.random.default_rng(1)\nreturn M[k].normal()",
    "a generator": "if k not in M: M[k] = stream(k)\nreturn next(M[k])",
    "a change of the value": "if k not in M: M[k] = build(k)\nM[k].append(n)\nreturn M[k]",
    "a change of a variable": "if k not in M: M[k] = build(k)\nrows = M[k]\nrows += [1]\nreturn rows",
    "a change of a part": "if k not in M: M[k] = [build(k)]\nfor row in M[k]: row.append(1)\nreturn M[k]",
    "a change by a helper": "if k not in M: M[k] = build(k)\ngrow(M[k])\nreturn M[k]",
    "a change behind a helper": "if k not in M: M[k] = build(k)\nsame(M[k]).append(1)\nreturn M[k]",
    "a change of a frame": "if k not in M: M[k] = pd.DataFrame({'a': [k]})\nM[k]['b'] = n\nreturn M[k]",
    "a change in place": "if k not in M: M[k] = pd.DataFrame()\nM[k].drop(columns='a', inplace=True)\nreturn M[k]",
    "a list that holds it": "if k not in M: M[k] = build(k)\nall = []\nall.append(M[k])\nall[0].append(1)\nreturn all",
    "an object that changes": "if k not in M: M[k] = Counter(k)\nreturn M[k].up(k)",
    "a property that changes": "if k not in M: M[k] = Ticker(k)\nreturn M[k].next",
    "a property of a base": "if k not in M: M[k] = Inherited(k)\nreturn M[k].next",
    "an object that reads": "if k not in M: M[k] = Reader(k)\nreturn M[k].url(k)",
}
# The uses of `get(k)` by another function.
LOOKS = [
    "get(k)[0]",
    "[x for x in get(k)]",
    "first(get(k))",
    "same(get(k))",
    "len(get(k)), f'{get(k)}'",
    "get(k) + [1]",
    "sorted(get(k), key=lambda row: row.lower())",
    "list(map(first, [get(k)]))",
    "np.asarray(get(k)) * 2",
    "np.asarray(get(k)).reshape(2).sum()",
]
CHANGES = [
    "get(k).append(1)",
    "grow(get(k))",
    "same(get(k)).append(1)",
    "list(map(get, k))",
    "OTHER.append(get(k))",
    "list(map(grow, [get(k)]))",
    "sorted([get(k)], key=grow)",
    "list(map(lambda rows: rows.append(1), [get(k)]))",
    "np.asarray(get(k)).fill(1)",
    "np.ravel(get(k)).sort()",
    "[get(k).reshape(2).fill(1)]",
    "get(k), len(alone.M)",
]
SLOTS = {
    "a client": ("X = Client('a')", "return X.url('b')", True),
    "a client in two steps": ("c = Client('a')\n        X = c", "return X.url('b')", True),
    "a function's value": ("X = build('a')", "return X[0]", True),
    "a client that counts": ("X = Counter('a')", "return X.up('b')", False),
    "a property that counts": ("X = Ticker('a')", "return X.next", False),
    "a property of a base": ("X = Inherited('a')", "return X.next", False),
    "a client that reads": ("X = Reader('a')", "return X.url('b')", False),
    "a client of a parameter": ("X = Client(k)", "return X.url('b')", False),
    "a value that is changed": ("X = build('a')", "X.append(1)\n    return X", False),
    "a variable beside it": ("k = 2\n        X = (1, 2)", "return k", False),
}


def _source(
    project: Project, body: str, f: str = "return get(k, n)"
) -> tuple[tuple[str, ...], tuple[object, ...]]:
    get = f"def get(k, n=0):\n{indent(body, '    ')}\n"
    found = project.of_source(f"{dedent(HEAD)}{get}def f(k, n):\n    {f}\n")
    return found.unresolved, found.outside


@pytest.mark.parametrize("body", MEMOS.values(), ids=MEMOS)
def test_a_memo_of_what_the_key_makes_is_a_constant(project: Project, body: str) -> None:
    """A value that is a function of the key alone, and that nobody changes, does not depend on earlier calls."""
    assert _source(project, body) == ((), ())


@pytest.mark.parametrize("body", REMEMBER.values(), ids=REMEMBER)
def test_a_memo_that_tells_of_earlier_calls_is_unresolved(project: Project, body: str) -> None:
    """A memo whose value, presence or content varies makes a result depend on earlier calls."""
    unresolved, _ = _source(project, body)
    assert any("earlier calls" in reason for reason in unresolved)


@pytest.mark.parametrize("use", [*LOOKS, *CHANGES])
def test_a_kept_value_is_followed_to_its_users(project: Project, use: str) -> None:
    """The callers of a memo may look at its values; a change, or a hold of one, leaves it unresolved."""
    unresolved, _ = _source(project, MEMOS["a test"], f"return {use}")
    assert any("M while it runs" in reason for reason in unresolved) is (use in CHANGES)


CACHED = """
    from functools import lru_cache, partial
    @lru_cache
    def load(k): return [k]
    def first(rows): return rows[0]
    def grow(rows): rows.append(1)
    """
# Bodies of `f(x)` that change what `load` keeps, and ones that do not.
CHANGED = [
    "return [r.append(1) or r for r in map(load, x)]",
    "for r in map(load, x): r.append(1)\nreturn load('a')",
    "return list(map(lambda r: r.append(1) or r, map(load, x)))",
    "list(map(list.clear, map(load, x)))\nreturn load('a')",
    "return x.apply(load).apply(lambda r: r.append(1))",
    "every = [*map(load, x)]\nevery[0].append(1)\nreturn every",
    "every = list(map(load, x))\nfor r in every: grow(r)\nreturn every",
    "every = map(load, x)\nevery = list(every)\nfor r in every: grow(r)\nreturn every",
    "return next(map(load, x)).pop()",
    "with pool() as p: p.submit(load, x).result().append(1)\nreturn load('a')",
    "get = load\nget('a').append(1)\nreturn get('a')",
    "get = partial(load, 'a')\nget().append(1)\nreturn get()",
    "partial(load, 'a')().append(1)\nreturn load('a')",
    "def inner(r): r.append(1)\ninner(load('a'))\nreturn load('a')",
    "list.append(load('a'), 1)\nreturn load('a')",
]
UNCHANGED = [
    "return list(map(load, x)), sorted(map(load, x)), list(map(first, map(load, x)))",
    "every = list(map(load, x))\nevery.append(1)\nreturn every",
    "every = map(load, x)\nevery = list(every)\nreturn every",
    "every = list(map(load, x))\nfor _ in x: every = [*every, *every]\nreturn every",
    "rows = []\nfor r in map(load, x): rows.append(r)\nreturn rows",
    "get = partial(load, 'a')\nreturn get()[0]",
    "def inner(r): return r + [1]\nreturn inner(load('a'))",
    "own = list(load('a'))\nown.append(1)\nreturn own",
    "own = [*load('a')]\nown.append(1)\nreturn own",
    "return x.map(load).map(lambda r: r[0])",
]


@pytest.mark.parametrize("body", [*CHANGED, *UNCHANGED])
def test_a_cached_result_is_followed_through_functions_that_hand_it_on(project: Project, body: str) -> None:
    """The results of `lru_cache` may lie in a `map`, come from a `partial`, or be changed by an inner function."""
    found = project.of_source(f"{dedent(CACHED)}def f(x):\n{indent(body, '    ')}\n")
    assert any("changes load" in reason for reason in found.unresolved) is (body in CHANGED)


@pytest.mark.parametrize(("fill", "use", "is_constant"), SLOTS.values(), ids=SLOTS)
def test_a_client_of_a_first_party_class(project: Project, fill: str, use: str, is_constant: bool) -> None:
    """An object that is made on first use is a constant, if its own code reads nothing and does not change it."""
    text = (
        f"{dedent(HEAD)}X = None\ndef f(k=1):\n    global X\n    if X is None:\n        {fill}\n    {use}\n"
    )
    found = project.of_source(text)
    assert (not found.unresolved and not found.outside) is is_constant


def test_a_memo_of_values_that_nobody_can_change_may_be_handed_on(project: Project) -> None:
    """The annotation tells that the values are immutable."""
    for note, is_decided in ((" -> int", True), ("", False)):
        text = f"M = {{}}\ndef g(k){note}:\n    if k not in M: M[k] = k * 2\n    return M[k]\n"
        text += "def f(x): return x.map(g)\n"
        assert (project.of_source(text).unresolved == ()) is is_decided


def test_the_code_of_a_kept_client_counts(project: Project) -> None:
    """An edit of a method of the class moves the identity."""
    fill = "global X\n    if X is None: X = Client('a')\n    return X.url('b')"
    text = f"{dedent(HEAD)}X = None\ndef f():\n    {fill}\n"
    assert project.of_source(text) != project.of_source(text.replace("self.name + k", "self.name * 2"))


def test_a_memo_in_use_keeps_its_identity(project: Project) -> None:
    """The keys and values that a memo holds by now are no part of the identity."""
    text = "M = {}\ndef g(k):\n    if k not in M: M[k] = [k]\n    return M[k]\ndef f(k=1): return g(k)\n"
    before = project.of_source(text)
    module = project.load("alone")
    module.f(3)
    assert (identify(module.f), before.unresolved) == (before, ())
