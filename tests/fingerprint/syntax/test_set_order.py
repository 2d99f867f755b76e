"""The order of a set reaches the result, or it is lost."""

import ast

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint.syntax.set_order import set_orders
from jammi_dagster.fingerprint.syntax.sets import set_names

# Bodies of a function of `x`, a list of texts: their results differ from process to process.
ORDERED = [
    "y = set(x)\nif len(y) == 2: return list(y)[0]",
    "y = set(x)\nif len(x) == 1: return list(y)[0]",
    "y = set(x)\nif len(y) == 1:\n    y = set(df)\n    return list(y)[0]",
    "y = set(x)\nif len(y) == 1: pass\nelse: return list(y)",
    "errors = []\nif set(x) - {'a'}: errors.append(f'{set(x)}')\nreturn errors",
    "errors = []\nerrors.append(f'{set(x)}')\nreturn errors[0]",
    "errors = df\nerrors.append(f'{set(x)}')\nif errors: raise ValueError(errors)\nreturn df",
    "errors = []\nerrors.append(f'{set(x)}')\ndef inner(): return errors\nreturn inner()",
    "found = {}\nfound['a'] = set(x)\nreturn list(found['a'])",
    "found = {}\nfound['a'] = set(x)\nreturn list(found.get('a', ()))",
    "found = {}\nfound['a'] = set(x)\nreturn list(found[x])",
    "found = {}\nfound[x] = set(x)\nreturn list(found['a'])",
    "found = {}\nfound['a'] = set(x)\nsame = found\nreturn list(same['a'])",
    "found = {}\nfound['a'] = set(x)\nreturn [list(one) for one in found.values()]",
    "return list(set(x))",
    "return tuple({'a', 'b'})",
    "return [y for y in set(x)]",
    "return [*set(x)]",
    "return ','.join(set(x))",
    "return ','.join(y for y in frozenset(x))",
    "return list(set(x) - {'a'})",
    "return list(set(x).union('b'))",
    "return list({y.strip() for y in x})",
    "return next(iter(set(x)))",
    "return set(x).pop()",
    "return list(enumerate(set(x)))",
    "return dict.fromkeys(set(x)).keys(), list(dict.fromkeys(set(x)))",
    "return pd.Series(list(set(x)))",
    "return df[list(set(df.columns) - {'a'})]",
    "return pd.DataFrame({'a': list(set(x))})",
    "s = set(x)\nreturn list(s)",
    "s = set()\nfor y in x: s.add(y)\nreturn list(s)",
    "s = set(x)\nt = s | {'a'}\nreturn [y for y in t]",
    "a, *b = [set(x), set(x), set(x)]\nreturn [list(y) for y in b]",
    "out = []\nfor y in set(x): out.append(y)\nreturn out",
    "out = ''\nfor y in set(x): out += y\nreturn out",
    "for y in set(x): yield y",
    "yield from set(x)",
    "for y in set(x):\n    if y: return y",
    "out = {}\nfor y in set(x): out[y] = 1\nreturn list(out.items())",
    "for y in set(x): df[y] = 1\nreturn df",
    "a, b = set(x)\nreturn a",
    "return str(set(x))",
    "return ascii(set(x))",
    "return f'{set(x)}'",
    "y = list(set(x))\nreturn y[0]",
    "m = f'{set(x)}'\nif not x: raise ValueError(m)\nreturn m",
    "m = f'{set(x)}'\nreturn (lambda: m)()",
    "m = x.append(f'{set(x)}')\nraise ValueError(m)",
    "m, n = f'{set(x)}', 1\nif n: raise ValueError(m)\nreturn m",
    "self.m = f'{set(x)}'\nraise ValueError(self.m)",
    "global m\nm = f'{set(x)}'\nraise ValueError(m)",
    "return list(set(x))[:3]",
    "return list(map(str, set(x)))",
    "return {y: 1 for y in set(x)}.items(), list({y: 1 for y in set(x)}.items())",
    "return list(itertools.combinations(set(x), 2))",
    "return list(NAMES)",
    "return [y for y in NAMES]",
    "return list(names())",
    "return (lambda: list(set(x)))()",
    "def inner(): return list(set(x))\nreturn inner()",
    "return list(set(x) if x else {'a'})",
    "return np.array(list(set(x)))",
    "return sorted(set(x), key=len)",
    "return max(set(x), key=x.count)",
    "return min(set(x), key=lambda y: len(y))",
    "return list(x.keys() & df.keys())",
    "return [y for y in x.keys() - {'a'}]",
    "def inner(s: set[str]): return list(s)\nreturn inner(x)",
    "def inner(s: frozenset): return [*s]\nreturn inner(x)",
    "def inner(s=frozenset({'a', 'b'})): return [*s]\nreturn inner()",
    "return list(functools.reduce(operator.or_, [set(x), {'a'}]))",
    # methods that keep the order
    "return ','.join(set(x)).upper()",
    "return np.array(list(set(x))).tolist()",
    "return pd.Series(list(set(x))).rename('a')",
    "return pd.Index(list(set(x))).values",
    # dicts that are made of a set, and places in a set
    "return Counter(set(x)).most_common()",
    "return dict(Counter(set(x)))",
    "m = {y: i for i, y in enumerate(set(x))}\nreturn [m[y] for y in x]",
    "return sorted(enumerate(set(x)))",
    "return sum([[y] for y in set(x)], [])",
    # texts
    "return '%s' % set(x)",
    "return '%s %s' % (set(x), 1)",
    "return '{}'.format(set(x))",
    "return json.dumps({'a': set(x)}, default=list)",
    "return pickle.dumps(set(x))",
    # other ways to a set
    "s, n = set(x), 1\nreturn list(s)",
    "def inner(): return set(x)\nreturn list(inner())",
    "return list((lambda: set(x))())",
    "return list(set.union(*x))",
    "return list(copy.copy(set(x)))",
    "return list(x or set(x))",
    # sets in collections, and in attributes
    "d = {'a': set(x)}\nreturn list(d['a'])",
    "d = {}\nd['a'] = set(x)\nreturn list(d['a'])",
    "d = defaultdict(set)\nreturn {k: list(v) for k, v in d.items()}",
    "d = {}\nfor y in x: d.setdefault(y, set()).add(y)\nreturn [list(v) for v in d.values()]",
    "many = [set(x), set()]\nreturn [list(s) for s in many]",
    "return list(Tags(x).held)",
    "return list(Tags.every)",
    "return list(Tags(x).found())",
    "return [y for y in Tags(x).shown]",
    "return list(Tags(x).noted)",
    # the last, or one of them
    "for y in set(x): break\nreturn y",
    "out = None\nfor y in set(x): out = y\nreturn out",
    "return set(x).__iter__().__next__()",
    # through defaults, classes and inner functions
    "def inner(rows=list(set(x))): return rows\nreturn inner()",
    "rows = list(set(x))\ndef inner(): return rows\nreturn inner",
    "class C:\n    rows = list(set(x))\nreturn C.rows",
    # as they are done
    "return [r.result() for r in as_completed(x)]",
    "return [r.result() for r in futures.as_completed([pool.submit(len, y) for y in x])]",
    "done, rest = wait(x)\nreturn [r.result() for r in done]",
    "return [r.result() for r in futures.wait(x).done]",
    "async def inner():\n    done, _ = await asyncio.wait(x)\n    return [r.result() for r in done]\nreturn inner()",
    "return list(pool.imap_unordered(len, x))",
    "return [r() for r in weakref.WeakSet(x)]",
    "out = []\nfor y in x: Thread(target=out.append, args=(y,)).start()\nreturn out",
    "out = []\ndef inner(y): out.append(y)\nwith ThreadPoolExecutor() as p: p.map(inner, x)\nreturn out",
    "out = []\nfor y in x: p.submit(partial(out.append, y))\nreturn out",
]
# The same results in every process.
ORDERLESS = [
    "return pd.Series(list(set(x))).nunique(), np.array(list(set(x))).sum()",
    "return pd.Series(list(set(x))).sort_values().tolist()",
    "y = set(x)\nif len(y) == 1: return list(y)[0]",
    "y = set(x)\nif len(y) == 1:\n    for z in df: z = list(y)[0]\n    return z",
    "errors = []\nif set(x) - {'a'}: errors.append(f'{set(x)}')\nif errors: raise ValueError(' '.join(errors))",
    "errors = []\nerrors.append(f'{set(x)}')\nif errors:\n    log.warning(errors)",
    "found = {}\nfound['a'] = set(x)\nreturn list(found['b'])",
    "found = {}\nfound['a'] = set(x)\nreturn [y for y in found.get('b', [])]",
    "return sorted(set(x))",
    "return sorted(set(x), key=lambda y: (len(y), y)), max(set(x), key=str)",
    "return sorted(x, key=len), len(x.keys() & df.keys())",
    "def inner(s: set[int]): return list(s)\nreturn inner(x)",
    "def inner(s: set[str]): return sorted(s)\nreturn inner(x)",
    "return sorted(list(set(x)))",
    "return sorted(y for y in set(x))",
    "return len(set(x)), len(list(set(x)))",
    "return 'a' in set(x)",
    "return min(set(x)), max({'a', 'b'}), sum({'a': 1}[y] for y in set(x))",
    "return any(y for y in set(x)), all([y for y in set(x)])",
    "return set(x)",
    "return set(x) == {'a'}, set(x) <= {'a'}, {'a'}.issubset(x)",
    "return {y for y in set(x)}",
    "return sorted(set(x) | {'a'} - {'b'})",
    "return frozenset(map(str, set(x)))",
    "return list({1, 2})",
    "return list({len(y) for y in x})",
    "return list(set(range(3)))",
    "return [y for y in {1, 2, None}]",
    "s = set(x)\nreturn [y for y in x if y in s]",
    "a, *b = [set(x), set(x), set(x)]\nreturn [sorted(y) for y in b]",
    "s = set()\nout = []\nfor y in x:\n    if y not in s:\n        s.add(y)\n        out.append(y)\nreturn out",
    "n = 0\nfor y in set(x): n += 1\nreturn n",
    "s = set()\nfor y in set(x): s.add(y)\nreturn s",
    "for y in set(x):\n    if not y: raise ValueError(y)\nreturn 1",
    "for y in set(x):\n    if not y: return False\nreturn True",
    "missing = set(x) - {'a'}\nif missing: raise ValueError(f'{missing}')\nreturn 1",
    "m = f'{set(x)}'\nraise ValueError(m)",
    "m = ', '.join(set(x))\nif m: raise ValueError('bad: ' + m)\nreturn 1",
    "m = f'{set(x)}'\nm = m + '!'\nwarnings.warn(m)\nreturn 1",
    "bad = set(x)\nif bad:\n    m = f'bad: {bad}'\n    raise KeyError(m)\nreturn 1",
    "assert not set(x) - {'a'}, list(set(x))\nreturn 1",
    "log.info('%s', list(set(x)))\nreturn 1",
    "y = list(set(x))\ny.sort()\nreturn y",
    "out = []\nfor y in set(x): out.append(y)\nreturn sorted(out)",
    "return {y: 1 for y in set(x)}['a']",
    "m = {y: 1 for y in set(x)}\nreturn [m[y] for y in x], m.get('a')",
    "return df[df['a'].isin(set(x))], pl.col('a').is_in({'a', 'b'})",
    "return df.drop(columns={'a', 'b'})",
    "return 'a' in NAMES, [y for y in x if y in NAMES]",
    "return list(dict.fromkeys(x))",
    "(only,) = set(x)\nreturn only",
    "x = set(x)\nreturn sorted(x)",
    "NAMES = ['a']\nreturn list(NAMES)",
    "return isinstance(x, set)",
    "return Counter(set(x))['a'], Counter(x).most_common()",
    "return '%s' % len(set(x)), json.dumps(sorted(set(x)))",
    "s, n = set(x), 1\nreturn n, len(s)",
    "d = defaultdict(set)\nfor y in x: d[y].add(y)\nreturn {k: sorted(v) for k, v in d.items()}",
    "d = {'a': set(x)}\nreturn sorted(d['a']), 'b' in d['a']",
    "return 'a' in Tags(x).held, sorted(Tags(x).found()), Tags(x).rows",
    "return df.drop(columns=list(set(x))), df[df.a.isin(list(set(x)))]",
    "best = ''\nfor y in set(x): best = max(best, y)\nreturn best",
    "return sorted(r.result() for r in as_completed(x))",
    "out = {}\nfor r in as_completed(x): out[r] = r.result()\nreturn [out[r] for r in x]",
    "return list(pool.map(len, x)), pool.imap(len, x)",
    "return [r.result() for r in [pool.submit(len, y) for y in x]]",
    "out = []\ndef inner(y): out.append(y)\nwith ThreadPoolExecutor() as p: p.map(inner, x)\nreturn sorted(out)",
    "out = []\ndef inner(y): out.append(y)\nfor y in x: inner(y)\nreturn out",
    "async def inner(): return await asyncio.gather(*x)\nreturn inner()",
    "return np.unique(x), pd.unique(x), x.unique()",
    "rows = list(set(x))\nrows.sort()\ndef inner(): return rows\nreturn inner",
]
MODULE = """
NAMES = {'a', 'b'}
def names():
    return {'a', 'b'}
class Tags:
    every = {'a', 'b'}
    noted: set[str]
    def __init__(self, x):
        self.held = set(x)
        self.rows = [*x]
    def found(self):
        return self.held - {'a'}
    @property
    def shown(self):
        return {y for y in self.held}
"""


def _lines(body: str) -> tuple[int, ...]:
    text = f"{MODULE}def f(x):\n    " + body.replace("\n", "\n    ")
    tree = ast.parse(text)
    return set_orders(tree.body[-1], set_names(tree.body))


@pytest.mark.parametrize("body", ORDERED)
def test_an_order_that_reaches_the_result_is_found(body: str) -> None:
    """A list, a text or a first item that is made of a set of texts is found by its line."""
    assert _lines(body)


@pytest.mark.parametrize("body", ORDERLESS)
def test_an_order_that_is_lost_is_not_found(body: str) -> None:
    """Sorting, counting, testing and building sets have no order; nor have sets of numbers."""
    assert _lines(body) == ()


def test_the_order_of_a_set_unpins_a_function(project: Project) -> None:
    """It is told as a read that changes from run to run, also in a helper, and in a constant."""
    found = project.of_source("def h(x): return list(set(x))\nA = list({'a'})\ndef f(x): return h(x), A")
    assert [(read.what, read.where) for read in found.outside] == [
        ("set order", "alone.py:1"),
        ("set order", "alone.py:2"),
    ]
    assert project.of_source("def f(x): return list(set(x))").outside
    assert not project.of_source("def h(x): return list(set(x))\ndef f(x): return x").outside


def test_a_set_of_a_class_of_another_module(project: Project) -> None:
    """A member of a reached class holds a set: its order may reach the result of whoever asks for it."""
    tags = "class Tags:\n    def __init__(self, x): self.held = set(x)\n"
    project.write(
        {"tags.py": tags, "flow.py": "from tags import Tags\ndef f(x): return list(Tags(x).held)\n"}
    )
    assert [read.where for read in project.identity("flow.f").outside] == ["flow.py:2"]
    project.write({"flow.py": "from tags import Tags\ndef f(x): return len(Tags(x).held)\n"})
    assert project.identity("flow.f").outside == ()


def test_only_reached_methods_count(project: Project) -> None:
    """A method that is not asked for does not unpin the function."""
    cls = "class C:\n    def a(self, x): return list(set(x))\n    def b(self, x): return x\n"
    assert project.of_source(f"{cls}def f(x): return C().a(x)").outside
    assert not project.of_source(f"{cls}def f(x): return C().b(x)").outside


@pytest.mark.parametrize(
    ("imported", "call"),
    [
        ("from words import vocabulary", "vocabulary(x)"),
        ("from words import vocabulary as v", "v(x)"),
        ("import words", "words.vocabulary(x)"),
        ("from words import through", "through(x)"),
    ],
)
def test_a_set_of_a_helper_of_another_module(project: Project, imported: str, call: str) -> None:
    """A helper of another module returns a set: its order may reach the result of the caller, or be lost there."""
    words = (
        "def vocabulary(x): return {w for t in x for w in t.split()}\n"
        "def through(x): return vocabulary(x) - {'a'}\n"
    )
    project.write({"words.py": words, "flow.py": f"{imported}\ndef f(x): return list({call})\n"})
    assert [read.where for read in project.identity("flow.f").outside] == ["flow.py:2"]
    for lost in (f"sorted({call})", f"len({call})", f"[t for t in x if t in {call}]"):
        project.write({"flow.py": f"{imported}\ndef f(x): return {lost}\n"})
        assert project.identity("flow.f").outside == ()


@pytest.mark.parametrize("target", ["a, *b", "*self.a, self.b", "x[0], self.b"])
def test_sets_that_a_method_unpacks(project: Project, target: str) -> None:
    """A target that is no plain name is no member either, and what it starts with is a collection of sets."""
    cls = f"class C:\n    def m(self, x):\n        {target} = [set(x), set(x), set(x)]\n"
    assert not project.of_source(f"{cls}def f(x): return C().m(x)").outside
    assert project.of_source(f"{cls}        return list(set(x))\ndef f(x): return C().m(x)").outside
