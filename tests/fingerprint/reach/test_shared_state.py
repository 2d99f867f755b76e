"""Objects that a module holds: statements that change them at load count together, and changes by bodies are seen."""

# ruff: noqa: E501 - each row is one module

import pytest
from fingerprint_kit import Project

DRAWN = [
    (
        "import numpy as np\nrng = np.random.default_rng(1)",
        "NOISE = rng.normal(size=3)",
        "RED = rng.normal()",
    ),
    ("import random\nr = random.Random(1)", "NOISE = r.random()", "RED = r.random()"),
    ("import itertools\nids = itertools.count()", "NOISE = next(ids)", "RED = next(ids)"),
    ("it = iter('abcdef')", "NOISE = list(zip(it, range(2)))", "RED = next(it)"),
    ("it = (x for x in 'abcdef')", "NOISE, *_ = it", "RED = list(it)"),
    (
        "class Bag:\n    def bind(self, v):\n        self.v = v\n        return v\nbag = Bag()",
        "T = bag.bind(1)",
        "RED = bag",
    ),
    ("import contextvars\nV = contextvars.ContextVar('v')", "T = V.set(1)", "RED = V"),
    ("import contextvars\nV = contextvars.ContextVar('v')", "if 1:\n    T = V.set(1)", "RED = V"),
    ("import sqlalchemy as sa\nmeta = sa.MetaData()", "T = sa.Table('t', meta)", "RED = meta"),
    (
        "import itertools\nclass N:\n    ids = itertools.count()\n    def __init__(self): self.i = next(self.ids)",
        "A = N()",
        "RED = N()",
    ),
    ("D = {}\ndef put(d): d['a'] = 1\n", "T = put(D)", "RED = D"),
    (
        "import random\nr = random.Random(1)\ndef number(fn):\n    fn.n = r.random()\n    return fn",
        "@number\ndef g(): pass",
        "@number\ndef h(): pass\nRED = h.n",
    ),
    (
        "import itertools\nids = itertools.count()\ndef number(fn):\n    fn.n = next(ids)\n    return fn",
        "@number\ndef g(): pass",
        "@number\ndef h(): pass\nRED = h.n",
    ),
]
QUIET = [
    ("LIMIT = 3", "NOISE = str(LIMIT)", "RED = LIMIT"),
    ("D = {'a': 1}", "NOISE = len(D), sorted(D), D.get('a')", "RED = D"),
    ("D = {'a': 1}\ndef total(d): return sum(d.values())", "NOISE = total(D)", "RED = D"),
    ("import re\nP = re.compile('a')", "NOISE = P.match('a')", "RED = P"),
    ("import numpy as np\nA = np.zeros(3)", "NOISE = np.dot(A, A)", "RED = A"),
    ("from pathlib import Path\nP = Path('a')", "NOISE = P / 'b', P.parent.name", "RED = P"),
]
SHARED = [
    "import numpy as np\nrng = np.random.default_rng(1)\ndef f(): return rng.normal()",
    "import random\nr = random.Random(1)\ndef f(): return r.random()",
    "import itertools\nids = itertools.count()\ndef f(): return next(ids)",
    "ids = iter([1, 2])\ndef f(): return list(ids)",
    "import queue\nq = queue.Queue()\ndef f(): return q.qsize()",
    "def gen():\n    yield 1\ng = gen()\ndef f(): return next(g)",
    "class C:\n    n = 0\n    def up(self):\n        self.n += 1\n        return self.n\nc = C()\ndef f(): return c.up()",
    "class B:\n    def up(self): self.n = 1\nclass C(B): pass\nc = C()\ndef f(): return c.up()",
    "class C:\n    def __call__(self):\n        self.n = 1\nc = C()\ndef f(): return c()",
    "class C:\n    n = 0\n    def up(self):\n        type(self).n += 1\n        return self.n\ndef f(): return C().up()",
    "class C:\n    n = 0\n    def up(self):\n        self.__class__.n += 1\n        return self.n\ndef f(): return C().up()",
    "class C:\n    seen = []\n    def up(self):\n        self.seen.append(1)\n        return self.seen\ndef f(): return C().up()",
    "def make():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n        return n\n    return up\nup = make()\ndef f(): return up()",
    "def make():\n    seen = []\n    def up():\n        seen.append(1)\n        return len(seen)\n    return up\nup = make()\ndef f(): return up()",
    "def counted(fn):\n    n = [0]\n    def up():\n        n[0] += 1\n        return n[0]\n    return up\n@counted\ndef g(): pass\ndef f(): return g()",
    "import numpy as np\nA = np.zeros(1)\ndef f():\n    a = A\n    a += 1\n    return a",
    "import numpy as np\nA = np.zeros(1)\ndef f():\n    np.add(A, 1, out=A)\n    return A",
    "import pandas as pd\nD = pd.DataFrame({'a': [1]})\ndef f():\n    D.drop(columns='a', inplace=True)\n    return D",
    "import heapq\nH = [3]\ndef f():\n    heapq.heappush(H, 1)\n    return H",
    "import contextvars\nV = contextvars.ContextVar('v')\ndef f():\n    V.set(1)\n    return V.get()",
    "import numpy as np\nD = {'r': np.random.default_rng(1)}\ndef f(): return D['r'].normal()",
    "import random\nL = [random.Random(1)]\ndef f(): return L[0].random()",
    "import random\nclass C:\n    r = random.Random(1)\ndef f(): return C.r.random()",
    "import random\nclass C:\n    def __init__(self): self.r = random.Random(1)\n    def up(self): return self.r.random()\nc = C()\ndef f(): return c.up()",
    "import random\ndef make():\n    r = random.Random(1)\n    def up(): return r.random()\n    return up\nup = make()\ndef f(): return up()",
    "import random\ndef g(r=random.Random(1)): return r.random()\ndef f(): return g()",
    "import functools, random\ndef g(r): return r.random()\nd = functools.partial(g, random.Random(1))\ndef f(): return d()",
    "import random\ndraw = random.Random(1).random\ndef f(): return draw()",
    "class C:\n    _n = 0\n    @property\n    def n(self):\n        self._n += 1\n        return self._n\nc = C()\ndef f(): return c.n",
    "class C:\n    s = {}\n    def __init__(self): self.__dict__ = self.s\ndef f(): return C()",
    "def g(x, seen=[]):\n    seen.append(x)\n    return len(seen)\ndef f(): return g(1)",
    "class C:\n    def g(self, x, seen={}):\n        seen[x] = 1\n        return len(seen)\ndef f(): return C().g(1)",
    "L = []\ndef add(rows): rows.append(1)\ndef f():\n    add(L)\n    return L",
    "L = []\ndef add(rows): rows.append(1)\ndef more(rows): add(rows)\ndef f():\n    more(L)\n    return L",
    "def f():\n    global N\n    try: N += 1\n    except NameError: N = 0\n    return N",
    "import functools\n@functools.lru_cache\ndef g(k): return []\ndef f():\n    x = g(1)\n    x.append(1)\n    return x",
    "import functools\n@functools.cache\ndef g(): return {}\ndef put(d): d['a'] = 1\ndef f():\n    put(g())\n    return g()",
    "D = {'a': {}}\ndef f(k):\n    D['a'][k] = 1\n    return D",
    "D = {'a': []}\ndef f(k):\n    d = D['a']\n    d.append(k)\n    return D",
    "D = {'a': []}\ndef f(k):\n    D.get('a').append(k)\n    return D",
    "D = {'a': []}\ndef f(k):\n    for v in D.values(): v.append(k)\n    return D",
    # by another name of the object, or of its method
    "D = {}\ndef f():\n    for d in (D,): d['a'] = 1\n    return D",
    "D = {}\ndef f():\n    [d.update(a=1) for d in [D]]\n    return D",
    "D = {}\ndef f():\n    match D:\n        case d: d['a'] = 1\n    return D",
    "import contextlib\nD = {}\ndef f():\n    with contextlib.nullcontext(D) as d: d['a'] = 1\n    return D",
    "L = []\ndef f():\n    list(map(L.append, [1]))\n    return L",
    "L = []\ndef f():\n    put = L.append\n    put(1)\n    return L",
    "import functools\nL = []\ndef f():\n    functools.partial(L.insert, 0)(1)\n    return L",
    "L = []\ndef f():\n    getattr(L, 'append')(1)\n    return L",
    "L = []\ndef add(x): x.append(1)\ndef f(pool):\n    pool.submit(add, L).result()\n    return L",
    "import numpy as np\nA = np.zeros(3)\ndef f():\n    A.reshape(3, 1)[0] = 1\n    return A",
    "import numpy as np\nA = np.zeros(3)\ndef f():\n    np.asarray(A)[0] = 1\n    return A",
    "import numpy as np\nA = np.zeros(3)\ndef f():\n    a = A.ravel()\n    a[0] = 1\n    return A",
    "import numpy as np\nA = np.zeros(3)\ndef f():\n    np.random.default_rng(0).shuffle(A)\n    return A",
    "import numpy as np\nA = np.zeros(3)\ndef f():\n    np.add.at(A, 0, 1)\n    return A",
]
OWN = [
    "class C:\n    def g(self, x, seen=()):\n        seen = [*seen]\n        seen.append(x)\n        return seen\ndef f(): return C().g(1)",
    "import numpy as np\ndef f(): return np.random.default_rng(1).normal()",
    "class C:\n    def up(self):\n        self.n = 1\ndef f(): return C().up()",
    "class C:\n    def __init__(self): self.n = 1\n    def get(self): return self.n\nc = C()\ndef f(): return c.get()",
    "class C:\n    def up(self):\n        self.n = 1\n    def get(self): return 1\nc = C()\ndef f(): return c.get()",
    "def f():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n    up()\n    return n",
    "LIMIT = 3\ndef f():\n    n = LIMIT\n    n += 1\n    return n",
    "NAMES = ('a',)\ndef f():\n    names = NAMES\n    names += ('b',)\n    return names",
    "import functools, re\n@functools.lru_cache\ndef g(p): return re.compile(p)\ndef f(): return g('a').sub('', 'b')",
    "import functools\n@functools.cache\ndef g(): return [1]\ndef f():\n    x = g().copy()\n    x.append(2)\n    return x",
    "L = [1]\ndef g(rows):\n    rows = list(rows)\n    rows.append(2)\n    return rows\ndef f(): return g(L)",
    "def add(rows): rows.append(1)\ndef f():\n    rows = []\n    add(rows)\n    return rows",
    "T = {'a': 1}\ndef fill(out, table): out.update(table)\ndef f():\n    d = {}\n    fill(d, T)\n    return d",
    "D = {'a': {'x': 1}}\ndef f():\n    d = dict(D['a'])\n    d['y'] = 2\n    return d",
    "C = [*map(str, [1])]\ndef f(): return C",
    "import random\nclass C:\n    def __init__(self): self.r = random.Random(1)\n    def up(self): return self.r.random()\ndef f(): return C().up()",
    "import functools, operator\nL = [1]\ndef f(): return functools.reduce(operator.add, L)",
    "D = {'a': 1}\ndef f():\n    match D:\n        case {'a': d}: return d + 1",
    "L = [1]\ndef f():\n    for l in (L, [2]): print(l)\n    return L",
    "def times(n):\n    def inner(x): return x * n\n    return inner\ntwice = times(2)\ndef f(): return twice(1)",
]


@pytest.mark.parametrize(("setup", "other", "own"), DRAWN)
def test_statements_that_change_an_object_count_together(
    project: Project, setup: str, other: str, own: str
) -> None:
    """An edit, or the order, of another statement that changes the object moves the identity."""
    text = f"{setup}\n{other}\n{own}\ndef f(): return RED\n"
    before = project.of_source(text).digest
    without = project.of_source(text.replace(f"{other}\n", "")).digest
    assert without != before


@pytest.mark.parametrize(("setup", "other", "own"), QUIET)
def test_statements_that_only_look_count_apart(project: Project, setup: str, other: str, own: str) -> None:
    """A call that changes nothing does not tie the value to its object."""
    text = f"{setup}\n{other}\n{own}\ndef f(): return RED\n"
    before = project.of_source(text)
    assert not before.unresolved
    assert project.of_source(text.replace(f"{other}\n", "")).digest == before.digest


def test_an_object_of_another_module_is_followed(project: Project) -> None:
    """A module that draws from another's generator counts for whoever draws from it too."""
    project.write({"rngs.py": "import numpy as np\nrng = np.random.default_rng(1)\n"})
    text = "import rngs\nfrom rngs import rng\nNOISE = rng.normal(size=3)\nRED = rngs.rng.normal()\ndef f(): return RED\n"
    before = project.of_source(text).digest
    assert project.of_source(text.replace("size=3", "size=4")).digest != before


@pytest.mark.parametrize("text", SHARED)
def test_state_that_bodies_share_is_unresolved(project: Project, text: str) -> None:
    """A value that changes while steps use it may differ from one order of steps to another."""
    assert any("earlier calls" in reason for reason in project.of_source(text + "\n").unresolved)


@pytest.mark.parametrize("text", OWN)
def test_state_of_one_call_is_harmless(project: Project, text: str) -> None:
    """An object that the function makes, or that only its constructor changes, starts anew each time."""
    assert project.of_source(text + "\n").unresolved == ()


SEEDED = (
    "import numpy as np, random\nrng = np.random.default_rng(1)\nr = random.Random(1)\nit = iter('abcdef')\n"
)
DRAWN_AT_LOAD = [
    "A = rng.normal(size=3)",
    "A, B = rng.normal(), 1",
    "A = [r.random() for _ in range(3)]",
    "A = {n: r.choice('ab') for n in 'xy'}",
    "A = next(it)",
    "A = list(zip(it, range(2)))",
    "A = [x for x in it]",
    "A = np.array([rng.normal(), rng.normal()])",
    "B = r.random()\nA = r.random()",
    "A = []\nfor _ in range(3):\n    A.append(r.random())",
]
HELD = [
    "A = rng",
    "A = rng.normal",
    "A = [rng]",
    "A = rng.spawn(1)[0]",
    "A = (rng.normal() for _ in range(3))",
    "A = zip(it, 'ab')",
    "A = lambda: r.random()",
    "class S:\n    def __init__(self, g): self.g = g\nA = S(rng)",
    "def draw(): return r.random()\nA = draw",
]


@pytest.mark.parametrize("text", DRAWN_AT_LOAD)
def test_a_constant_that_loading_drew_is_a_constant(project: Project, text: str) -> None:
    """A value drawn at load from a seeded generator stays pinned: the statements that draw count in their order."""
    found = project.of_source(f"{SEEDED}{text}\ndef f(): return A")
    assert (found.unresolved, found.outside) == ((), ())
    other = project.of_source(
        f"{SEEDED}NOISE = rng.normal(), r.random(), next(it)\n{text}\ndef f(): return A"
    )
    assert other.digest != found.digest


@pytest.mark.parametrize("text", HELD)
def test_a_generator_that_a_constant_holds_is_shared_state(project: Project, text: str) -> None:
    """A value that goes on drawing when the function runs leaves the identity unresolved."""
    assert project.of_source(f"{SEEDED}{text}\ndef f(): return A").unresolved


def test_an_unseeded_generator_stays_a_draw(project: Project) -> None:
    """A constant that is drawn without a seed differs from process to process."""
    text = "import numpy as np\nrng = np.random.default_rng()\nA = rng.normal()\ndef f(): return A"
    assert [read.what for read in project.of_source(text).outside] == ["numpy.random.default_rng"]
