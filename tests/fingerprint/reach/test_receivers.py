"""Annotations and docstrings that a library reads behind a call."""

import pytest
from fingerprint_kit import Project, installed

# Modules whose function `f` depends on the annotation `int` of a function or a class that a library gets.
ANNOTATED = {
    "a call": "def g(x: int): return x\nh = pydantic.validate_call(g)\ndef f(): return h('3')",
    "a call in the body": "def g(x: int): return x\ndef f(): return pydantic.validate_call(g)('3')",
    "an argument by its name": "def g(x: int): return x\ndef f(): return typeguard.typechecked(target=g)('3')",
    "within a list": "def g(x: int): return x\ndef f(): return typeguard.check([g])",
    "an own decorator": "def w(fn): return pydantic.validate_call(fn)\n@w\ndef h(x: int): return x\n"
    "def f(): return h('3')",
    "an own decorator with arguments": "def w(n):\n    def deco(fn):\n        return pydantic.validate_call(fn)\n"
    "    return deco\n@w(3)\ndef h(x: int): return x\ndef f(): return h('3')",
    "an own decorator, in two steps": "def v(fn): return pydantic.validate_call(fn)\ndef w(fn): return v(fn)\n"
    "@w\ndef h(x: int): return x\ndef f(): return h('3')",
    "an own helper": "def check(fn, x): return pydantic.validate_call(fn)(x)\ndef g(x: int): return x\n"
    "def f(): return check(g, '3')",
    "a method of an own class": "class C:\n    def wrap(self, fn): return pydantic.validate_call(fn)\nc = C()\n"
    "def g(x: int): return x\ndef f(): return c.wrap(g)('3')",
    "a dispatcher": "@functools.singledispatch\ndef d(x): return 0\ndef g(x: int): return 1\nd.register(g)\n"
    "def f(): return d('3')",
    "a dispatcher as a decorator": "@functools.singledispatch\ndef d(x): return 0\n@d.register\n"
    "def _(x: int): return 1\ndef f(): return d('3')",
    "a plain class": "class P:\n    a: int = 1\nQ = dataclasses.dataclass(P)\ndef f(): return Q()",
    "an adapter": "class P(typing.TypedDict):\n    a: int\ndef f(): return pydantic.TypeAdapter(P).validate_python({})",
    "an object of a library": "app = typer.Typer()\n@app.command()\ndef g(x: int): return x\n"
    "def f(): return app, g",
    "an imported function": "import other\ndef f(): return pydantic.validate_call(other.g)('3')",
    "another module's wrapper": "from other import w\n@w\ndef h(x: int): return x\ndef f(): return h('3')",
}
OTHER = "import pydantic\ndef g(x: int): return x\ndef w(fn): return pydantic.validate_call(fn)\n"

# The same for the text `One.` in a docstring.
DOCUMENTED = {
    "a command": "@click.command()\ndef g():\n    '''One.'''\ndef f(): return g.help",
    "a command, by a call": "def g():\n    '''One.'''\nh = click.command()(g)\nk = click.Command('x', callback=g)\n"
    "def f(): return k.help",
    "a schema": "class P(pydantic.BaseModel):\n    '''One.'''\ndef f(): return P.model_json_schema()",
    "a model that a library gets": "class P(pydantic.BaseModel):\n    '''One.'''\n"
    "def f(): return llm.ask(response_model=P)",
    "a method of a class that a library gets": "class P:\n    def go(self):\n        '''One.'''\n"
    "def f(): return fire.Fire(P)",
    "a grammar": "import ply.lex\ndef t_A(t):\n    '''One.'''\nLEXER = ply.lex.lex()\ndef f(): return LEXER",
}

# Modules with the annotation `int` and the docstring `One.`, on which `f` does not depend.
HARMLESS = {
    "map": "def g(x: int):\n    '''One.'''\n    return x\ndef f(): return list(map(g, [1]))",
    "sorted": "def g(x: int):\n    '''One.'''\n    return x\ndef f(): return sorted([1], key=g)",
    "a pool": "from concurrent.futures import ThreadPoolExecutor\ndef g(x: int):\n    '''One.'''\n    return x\n"
    "def f():\n    with ThreadPoolExecutor() as pool:\n        return list(pool.map(g, [1])) + [pool.submit(g, 1)]",
    "apply": "def g(x: int):\n    '''One.'''\n    return x\ndef f(df): return df.apply(g)",
    "functools.partial": "def g(x: int):\n    '''One.'''\n    return x\n"
    "def f(): return functools.partial(g, 1)()",
    "functools.reduce": "def g(x: int, y: int = 1):\n    '''One.'''\n    return x\n"
    "def f(): return functools.reduce(g, [1])",
    "a cache": "@functools.lru_cache\ndef g(x: int):\n    '''One.'''\n    return x\ndef f(): return g(1)",
    "an own helper that calls it": "def g(x: int):\n    '''One.'''\n    return x\ndef call(fn): return fn(1)\n"
    "def f(): return call(g)",
    "an own decorator that calls it": "def w(fn):\n    @functools.wraps(fn)\n    def inner(*a): return fn(*a)\n"
    "    return inner\n@w\ndef g(x: int):\n    '''One.'''\n    return x\ndef f(): return g(1)",
    "isinstance": "class P:\n    '''One.'''\n    def go(self, x: int): return x\ndef f(): return isinstance(1, P)",
    "a call of it": "def g(x: int):\n    '''One.'''\n    return x\ndef f(): return pydantic.conint(gt=g(1))",
    "a retry": "import tenacity\n@tenacity.retry\ndef g(x: int):\n    '''One.'''\n    return x\ndef f(): return g(1)",
    "a dict": "def g(x: int):\n    '''One.'''\n    return x\nH = {'g': g}\ndef f(): return H['g'](1)",
    "a local variable": "def g(x: int):\n    '''One.'''\n    return x\n"
    "def f():\n    y = g(1)\n    return pydantic.TypeAdapter(y)",
}
IMPORTS = "import click, dataclasses, fire, functools, llm, pydantic, typeguard, typer, typing\n"


# Libraries that need not be installed: their objects take any call.
STUBS = ("typer", "fire", "llm", "tenacity", "ply/lex")
STUB = """
    class Anything:
        def __init__(self, *a, **k): pass
        def __call__(self, *a, **k): return self
        def __getattr__(self, name): return self
    def __getattr__(name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything()
    """


@pytest.fixture
def library(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project beside libraries that read annotations and docstrings."""
    folder = project.root / "site-packages"
    for name in STUBS:
        top = name.partition("/")[0]
        files = [f"{name}.py"] if name == top else [f"{top}/__init__.py", f"{name}.py"]
        Project(folder).write({**installed(top, "1.0", files), f"{name}.py": STUB})
    monkeypatch.syspath_prepend(folder)
    return project.write({"other.py": OTHER})


def _moves(project: Project, text: str, old: str, new: str) -> bool:
    one, two = (project.of_source(IMPORTS + spelled) for spelled in (text, text.replace(old, new)))
    return one.digest != two.digest


@pytest.mark.parametrize("text", ANNOTATED.values(), ids=ANNOTATED)
def test_annotations_of_what_a_library_gets_count(library: Project, text: str) -> None:
    """A function or class that leaves first-party code as an argument counts with its annotations."""
    one = library.of_source(IMPORTS + text)
    library.replace("other.py", ": int", ": float")
    assert library.of_source(IMPORTS + text.replace(": int", ": float")).digest != one.digest


@pytest.mark.parametrize("text", DOCUMENTED.values(), ids=DOCUMENTED)
def test_docstrings_of_what_a_library_gets_count(library: Project, text: str) -> None:
    """It counts with its docstrings too: a command's help, a schema's description, a grammar."""
    assert _moves(library, text, "One.", "Two.")


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_receivers_that_only_call_read_nothing(library: Project, text: str) -> None:
    """Annotations and docstrings do not count where the receiver is known to call its argument only."""
    assert not _moves(library, text, ": int", ": float")
    assert not _moves(library, text, "One.", "Two.")
