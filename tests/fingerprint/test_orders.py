"""Edits that change a result by an order, or beyond any single definition."""

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import CodeIdentity, identify

REGISTRY = """
    class Registry:
        def __init__(self):
            self.names = []

        def register(self, name):
            self.names.append(name)

    NAMES = Registry()
    """
PLUGINS = {
    "hub.py": REGISTRY,
    "one.py": "from hub import NAMES\nNAMES.register('one')\nX = 1\n",
    "two.py": "from hub import NAMES\nNAMES.register('two')\nY = 2\n",
}
DISPATCH = {
    "hub.py": "import functools\n@functools.singledispatch\ndef g(x): return 0\n",
    "more.py": "from hub import g\n@g.register\ndef _(x: int): return 5\n",
}

# what it is, the other modules, the module of `f`, what is replaced in any of them, and by what
CHANGING = [
    ("name bound again", {}, "X = 1\nY = X\nX = 2\ndef f(): return Y", "Y = X\nX = 2", "X = 2\nY = X"),
    (
        "default",
        {},
        "X = 1\ndef g(a=X): return a\nX = 2\ndef f(): return g()",
        "def g(a=X): return a\nX = 2",
        "X = 2\ndef g(a=X): return a",
    ),
    (
        "class body",
        {},
        "X = 1\nclass C:\n  v = X\nX = 2\ndef f(): return C.v",
        "class C:\n  v = X\nX = 2",
        "X = 2\nclass C:\n  v = X",
    ),
    (
        "effect",
        {},
        "L = []\nL.append(1)\nY = list(L)\ndef f(): return Y",
        "L.append(1)\nY = list(L)",
        "Y = list(L)\nL.append(1)",
    ),
    (
        "hidden import",
        {"hub.py": "def g(): return 1"},
        "from hub import g\ndef g(): return 9\ndef f(): return g()",
        "from hub import g\ndef g(): return 9",
        "def g(): return 9\nfrom hub import g",
    ),
    (
        "imports",
        PLUGINS,
        "from one import X\nfrom two import Y\nfrom hub import NAMES\ndef f(): return NAMES.names",
        "from one import X\nfrom two import Y",
        "from two import Y\nfrom one import X",
    ),
    (
        "star over a name",
        {"hub.py": "X = 2"},
        "X = 1\nfrom hub import *\ndef f(): return X",
        "X = 2",
        "X = 3",
    ),
    (
        "star that gains a name",
        {"hub.py": "def g(): return 1", "more.py": "__all__ = []\ndef g(): return 2"},
        "from hub import *\nfrom more import *\ndef f(): return g()",
        "__all__ = []",
        "__all__ = ['g']",
    ),
    (
        "annotation that dispatches",
        DISPATCH,
        "from hub import g\nimport more\ndef f(): return g(1)",
        "x: int",
        "x: str",
    ),
    (
        "state of a library",
        {"more.py": "import numpy as np\nold = np.seterr(divide='ignore')"},
        "import numpy as np\nimport more\ndef f(): return np.geterr()",
        "'ignore'",
        "'raise'",
    ),
    (
        "bound in a lambda in a comprehension",
        {},
        "K = 100\ndef f():\n  fs = [(lambda: (K := 1)) for _ in range(2)]\n  return K",
        "K = 100",
        "K = 200",
    ),
    (
        "bound in the default of a lambda",
        {},
        "h = lambda a=(K := 100): a\ndef f(): return K",
        "K := 100",
        "K := 200",
    ),
    (
        "imported by a class body",
        {"hub.py": "def g(): return 1"},
        "class C:\n  from hub import g\ndef f(): return C.g()",
        "return 1",
        "return 2",
    ),
    (
        "module imported by a class body of a function",
        {"hub.py": "def g(): return 1"},
        "def f():\n  class C:\n    import hub as h\n  return C.h.g()",
        "return 1",
        "return 2",
    ),
    (
        "global import of another function, used by an inner one",
        {"hub.py": "def g(): return 1"},
        "def up():\n  global tool\n  from hub import g as tool\nup()\n"
        "def made():\n  def f(): return tool()\n  return f\nf = made()",
        "return 1",
        "return 2",
    ),
    (
        "deep expression",
        {},
        f"def f(): return 0{' + 1' * 1500}",
        "return 0",
        "return 7",
    ),
    *(
        (
            f"registry {written}",
            {
                "hub.py": f"import own\ndef one(): return 1\n{written}\n",
                "own.py": "def base(): return 0\n",
                "plug.py": f"import hub\ndef g(): return 5\n{changed}\n",
            },
            f"import plug, hub\ndef f(): return {used}",
            "return 5",
            "return 6",
        )
        for written, changed, used in (
            ("REG = [('a', one), ('b', one)]", "hub.REG[0] = ('a', g)", "hub.REG[0][1]()"),
            ("REG = {'a': [], 'z': one}", "hub.REG['a'].append(g)", "hub.REG['a'][0]()"),
            ("REG = {'a': own.base}", "hub.REG['a'] = g", "hub.REG['a']()"),
            ("REG = {'a': lambda: 0}", "hub.REG['a'] = g", "hub.REG['a']()"),
            ("REG = {'a': -1, 'z': one}", "hub.REG['a'] = -g()", "hub.REG['a']"),
            ("REG = ALIAS = {}", "hub.REG['a'] = g", "hub.REG['a']()"),
            ("REG, ALIAS = {}, {}", "hub.REG['a'] = g", "hub.REG['a']()"),
        )
    ),
]
NEUTRAL = [
    (
        "functions",
        {},
        "def g(): return 1\ndef h(): return 2\ndef f(): return g() + h()",
        "def g(): return 1\ndef h(): return 2",
        "def h(): return 2\ndef g(): return 1",
    ),
    (
        "classes and constants",
        {},
        "X = 1\nclass C: pass\ndef f(): return X, C",
        "X = 1\nclass C: pass",
        "class C: pass\nX = 1",
    ),
    (
        "imports that do nothing",
        {"hub.py": "X = 1", "more.py": "Y = 2"},
        "from hub import X\nfrom more import Y\ndef f(): return X + Y",
        "from hub import X\nfrom more import Y",
        "from more import Y\nfrom hub import X",
    ),
    (
        "function among effects",
        {},
        "def g(): return 1\nL = []\nL.append(1)\ndef f(): return g(), L",
        "def g(): return 1\nL = []\nL.append(1)",
        "L = []\nL.append(1)\ndef g(): return 1",
    ),
]


def _edited(
    project: Project, modules: dict[str, str], text: str, old: str, new: str
) -> list[tuple[CodeIdentity, str]]:
    """Return the identities before and after, each with the result of the function."""
    files = {**modules, "asset.py": text + "\n"}
    assert sum(old in content for content in files.values()) == 1
    found = []
    for a, b in ((old, old), (old, new)):
        project.write({name: content.replace(a, b) for name, content in files.items()})
        function = project.load("asset").f
        found.append((identify(function), repr(function())))
    return found


@pytest.mark.parametrize(
    ("modules", "text", "old", "new"), [row[1:] for row in CHANGING], ids=[row[0] for row in CHANGING]
)
def test_what_changes_the_result_moves_the_identity(
    project: Project, modules: dict[str, str], text: str, old: str, new: str
) -> None:
    """Each edit does change the result of the function."""
    (before, was), (after, is_now) = _edited(project, modules, text, old, new)
    assert was != is_now
    assert before.digest != after.digest


@pytest.mark.parametrize(
    ("modules", "text", "old", "new"), [row[1:] for row in NEUTRAL], ids=[row[0] for row in NEUTRAL]
)
def test_an_order_that_cannot_matter_moves_nothing(
    project: Project, modules: dict[str, str], text: str, old: str, new: str
) -> None:
    (before, _), (after, _) = _edited(project, modules, text, old, new)
    assert before.digest == after.digest
    assert before.unresolved == ()


def test_code_objects_know_what_is_not_hashed(project: Project) -> None:
    """Line numbers, for one."""
    identity = project.of_source("def f(): return f.__code__.co_firstlineno\n")
    assert any("__code__" in reason for reason in identity.unresolved)


def test_nested_functions_that_were_asked_for_first_change_nothing_at_load(project: Project) -> None:
    """Loading a module does not run the bodies of its functions, whichever identity is asked for first."""
    text = """
        SEEN = []
        def mark(fn):
            SEEN.append(fn)
            return fn
        def make():
            @mark
            def inner():
                return 1
            return inner
        def f():
            return SEEN
        """
    project.write({"alone.py": text})
    alone = identify(project.load("alone").f)
    again = project.load("alone")
    identify(again.make())
    again.SEEN.clear()
    assert identify(again.f).named == alone.named
