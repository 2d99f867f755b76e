"""Findings in reached code that make its identity unknown: hidden code, state that outlives a call."""

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import identify


@pytest.mark.parametrize(
    "statement",
    [
        "exec('x = 1')",
        "eval('1')",
        "__import__(name)",
        "import importlib; importlib.import_module(name)",
        "from importlib import import_module as load; load('.x', 'y')",
        "import runpy; runpy.run_path('x.py')",
        "import builtins; builtins.eval('1')",
        "list(map(eval, ['1']))",
        "getattr(name, name + '_')",
        "getattr(*name)",
        "list(map(getattr, name))",
        "globals()[name]()",
        "vars()[name]",
        "import sys; sys.modules[name].g()",
        "import operator; operator.attrgetter(name)(name)",
        "dict.__subclasses__()",
        "len.__globals__[name]",
        "import inspect; inspect.getmodule(name)",
        "import inspect; inspect.getcomments(name)",
        "name.__traceback__.tb_lineno",
        "import pickle; pickle.loads(name)",
        "from pickle import loads; loads(b'cmodule\\nLIMIT\\n.')",
        "import pickle; pickle.Unpickler(name).load()",
        "import jsonpickle; jsonpickle.decode(name)",
        "import yaml; yaml.load(name, Loader=yaml.UnsafeLoader)",
        "import yaml; yaml.unsafe_load(name)",
    ],
)
def test_code_that_cannot_be_seen_is_unresolved(project: Project, statement: str) -> None:
    """Reached code that runs or imports hidden code is unresolved."""
    (reason,) = project.of_source(f"def f(name):\n    {statement}\n").unresolved
    assert reason.startswith("alone.py:2 uses ")
    assert "depends_on=" in reason
    assert "ignore=[" in reason
    assert reason.endswith("give code_version=")


def test_methods_of_such_names_are_harmless(project: Project) -> None:
    """`frame.eval(…)` and `re.compile(…)` are not the built-in functions."""
    text = "import re\ndef f(frame):\n    return frame.eval('a'), re.compile('b'), frame.exec\n"
    assert project.of_source(text).unresolved == ()


COUNTING = {
    "global": "CACHE = None\ndef f():\n    global CACHE\n    CACHE = CACHE or 1\n",
    "counter": "COUNT = 0\ndef f():\n    global COUNT\n    COUNT += 1\n    return COUNT\n",
    "append": "LIST = []\ndef f():\n    LIST.append(1)\n    return LIST\n",
    "item": "MEMO = {}\ndef f(x=1, y=2):\n    if x not in MEMO:\n        MEMO[x] = y\n    return MEMO[x]\n",
    "alias": "MEMO = {}\ndef f(x=1):\n    memo = MEMO\n    memo[x] = 1\n    return memo\n",
    "attribute": "class A:\n    n = 0\ndef f():\n    A.n += 1\n    return A.n\n",
    "classmethod": "class A:\n    n = 0\n    @classmethod\n    def g(cls):\n        cls.n = 1\ndef f():\n    A.g()\n",
    "of a helper": "SEEN = set()\ndef f(): return g()\ndef g():\n    SEEN.add(1)\n    return SEEN\n",
    "delete": "MEMO = {1: 2}\ndef f():\n    del MEMO[1]\n    return MEMO\n",
    "setattr": "class A: pass\ndef f():\n    setattr(A, 'n', 1)\n    return A.n\n",
    "an item of a class": "class A: m = {}\ndef f(x=1):\n    A.m[x] = len(A.m)\n    return A.m[x]\n",
    "a list of a function": "def g(): pass\ng.all = []\ndef f():\n    g.all.append(1)\n    return g.all\n",
    "its own dict": "def f(x=1):\n    f.m[x] = len(f.m)\n    return f.m[x]\nf.m = {}\n",
    "a list of a class elsewhere": "import other\ndef f():\n    other.A.m.append(1)\n    return other.A.m\n",
    "an imported class": "from other import A\ndef f():\n    A.m.append(1)\n    return A.m\n",
    "elsewhere": "import other\ndef f():\n    other.K = 1\n    return other.K\n",
    "elsewhere, a list": "from other import L\ndef f():\n    L.append(1)\n    return L\n",
}


@pytest.mark.parametrize("text", COUNTING.values(), ids=COUNTING)
def test_what_changes_while_it_runs_is_unresolved(project: Project, text: str) -> None:
    """A result that may depend on earlier calls in the process is unresolved; `ignore=` names harmless state."""
    function = (
        project.write({"alone.py": text, "other.py": "K = 0\nL = []\nclass A: m = []\n"}).load("alone").f
    )
    (reason,) = {reason.partition(" changes ")[2] for reason in identify(function).unresolved}
    assert " while it runs, so that a result may depend on earlier calls: " in reason
    assert "ignore=[" in reason
    function()
    assert identify(function).unresolved


def test_a_function_of_a_module_is_no_method_of_a_list(project: Project) -> None:
    """`frames.sort(x)` calls a function of a first-party module: it changes nothing of the module."""
    project.write({"frames.py": "def sort(x): return sorted(x)\ndef drop(x, inplace=False): return x\n"})
    text = "import frames\ndef f(x=()): return frames.sort(frames.drop(x, inplace=True))\n"
    assert project.of_source(text).unresolved == ()
    assert "frames.py" in str(project.of_source(text).components)


def test_what_a_function_changes_of_its_own_is_no_matter(project: Project) -> None:
    """Locals, arguments, instances and names that are not reached may change."""
    text = """
        LIST, names = [], {}

        class A:
            def __init__(self): self.items = []
            def add(self, x):
                self.items.append(x)
                self.n = x

        def other(): LIST.append(1)

        LOG, COUNT, TOTALS = [], 0, {"f": 0}

        def note(x):
            # what nobody reads is a log
            global COUNT
            COUNT += 1
            TOTALS["f"] += 1
            LOG.append(x)
            COUNT = 2

        def f(x=None, names=None):
            LIST = [1]
            LIST.append(2)
            x = x or {}
            x["a"] = 1
            a = A()
            a.add(1)
            a.items.append(2)
            names = names or []
            names += [1]
            note(1)
            return LIST, x, a
        """
    module = project.write({"alone.py": text}).load("alone")
    before = identify(module.f)
    assert before.unresolved == ()
    module.f()
    module.other()
    assert identify(module.f) == before


SPAWNED = [
    "import joblib; return joblib.Parallel(2)(joblib.delayed(g)(y) for y in x)",
    "import multiprocessing as mp; return mp.get_context('spawn').Pool().map(g, x)",
    "import multiprocessing as mp; return mp.get_context(x[0]).Pool().map(g, x)",
    "import ray; return ray.get(ray.remote(g).remote(x))",
    "import other; return other.pool()(g(y) for y in x)",
]
FORKED = [
    "import multiprocessing as mp; return mp.get_context('fork').Pool().map(g, x)",
    "from concurrent.futures import ThreadPoolExecutor; return list(ThreadPoolExecutor().map(g, x))",
    "return [g(y) for y in x]",
]


@pytest.mark.parametrize("body", [*SPAWNED, *FORKED])
def test_reads_in_spawned_processes_are_judged_by_the_code_alone(project: Project, body: str) -> None:
    """A reader that runs where nobody watches it counts as unwatched: `reads=` does not cover a computed path."""
    imports = "import multiprocessing\ndef pool(): return multiprocessing.get_context('spawn').Pool().map\n"
    project.write({"other.py": imports})
    found = project.of_source(f"def g(y): return open(y).read()\ndef f(x):\n    {body}")
    assert [read.unwatched for read in found.outside] == ["" if body in SPAWNED else None]


def test_a_spawned_process_that_reads_nothing_is_harmless(project: Project) -> None:
    """A pool of processes over pure code leaves the function pinned."""
    found = project.of_source(f"def g(y): return y + 1\ndef f(x):\n    {SPAWNED[0]}")
    assert (found.outside, found.unresolved) == ((), ())
