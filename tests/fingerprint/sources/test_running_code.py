"""An identity stands for the code that runs, not for a file that was edited since."""

import importlib
import sys

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import CodeIdentity, identify

EDITED = (
    "{file}: the running code of {what} differs from the file: "
    "restart the code location, or give code_version="
)


@pytest.mark.parametrize(
    ("file", "old", "new", "what"),
    [
        ("pipelines/text.py", "helper(x))", "helper(x) + 1)", "f"),
        ("pipelines/text.py", "x * SCALE", "x / SCALE", "helper"),
        ("pipelines/text.py", "SCALE = 2", "SCALE = 3", "SCALE"),
        ("pipelines/text.py", "SCALE = 2", "SCALE = 2.0", "SCALE"),
        ("pipelines/steps/third.py", "x + 1", "x - 1", "apply"),
        ("pipelines/marks.py", "return fn(*args)", "return -fn(*args)", "marked"),
    ],
)
def test_an_edit_after_the_import_is_noticed(
    pipelines: Project, file: str, old: str, new: str, what: str
) -> None:
    """A module that was imported before its file changed runs other code than the file holds."""
    function = pipelines.load("pipelines.text").f
    function(1)  # imports the third step
    pipelines.replace(file, old, new)
    assert EDITED.format(file=file, what=what) in identify(function).unresolved


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("SCALE = 2", "SCALE = 4", "SCALE"),
        ("SCALE = 2", "SCALE = [3]\nMORE = 1", "SCALE"),
        ("x * S", "x - S", "helper"),
    ],
)
def test_an_edit_after_a_first_look_is_noticed(pipelines: Project, old: str, new: str, what: str) -> None:
    """Once a module was seen, any edit that means something is noticed, whether live values show it or not."""
    function = pipelines.load("pipelines.text").f
    assert identify(function).unresolved == ()
    pipelines.replace("pipelines/text.py", old, new)
    expected = EDITED.format(file="pipelines/text.py", what=what)
    assert identify(function).unresolved == (expected,)
    pipelines.replace("pipelines/text.py", new, old)
    assert identify(function).unresolved == ()


def test_a_neutral_edit_after_a_first_look_is_none(pipelines: Project) -> None:
    """Comments may move every line of a running module: its functions are still found."""
    function = pipelines.load("pipelines.text").f
    before = identify(function)
    pipelines.replace("pipelines/text.py", "SCALE = 2", "# One\n# two\nSCALE = 2")
    assert identify(function) == before


def test_a_reload_is_a_new_start(pipelines: Project) -> None:
    """After `importlib.reload` the edited file runs."""
    module = pipelines.load("pipelines.steps.third")
    function = importlib.import_module("pipelines.text").f
    before = identify(function)
    pipelines.replace("pipelines/steps/third.py", "x + 1", "x + 2")
    importlib.reload(module)
    after = identify(function)
    assert after.unresolved == ()
    assert after.digest != before.digest


def test_a_constant_that_was_patched_is_noticed(pipelines: Project) -> None:
    """A module constant that other code set is in no source, for as long as it is set."""
    function = pipelines.load("pipelines.text").f
    for value, reasons in [
        (2, ()),
        (99, (EDITED.format(file="pipelines/text.py", what="SCALE"),)),
        (2, ()),
    ]:
        sys.modules["pipelines.text"].SCALE = value  # type: ignore[attr-defined]
        assert identify(function).unresolved == reasons


def test_a_function_that_was_patched_is_noticed(pipelines: Project) -> None:
    """A function that other code put in the place of a reached one is noticed; one that is not reached may change."""
    function = pipelines.load("pipelines.text").f
    third = importlib.import_module("pipelines.steps.third")
    vars(third)["unreached"] = len
    assert identify(function).unresolved == ()
    vars(third)["apply"] = lambda x: x
    (reason,) = identify(function).unresolved
    assert reason == EDITED.format(file="pipelines/steps/third.py", what="apply")


COUNTING = {
    "global": "CACHE = None\ndef f():\n    global CACHE\n    CACHE = CACHE or 1\n",
    "counter": "COUNT = 0\ndef f():\n    global COUNT\n    COUNT += 1\n    return COUNT\n",
    "append": "LIST = []\ndef f():\n    LIST.append(1)\n    return LIST\n",
    "item": "MEMO = {}\ndef f(x=1):\n    if x not in MEMO:\n        MEMO[x] = x\n    return MEMO[x]\n",
    "alias": "MEMO = {}\ndef f(x=1):\n    memo = MEMO\n    memo[x] = 1\n    return memo\n",
    "attribute": "class A:\n    n = 0\ndef f():\n    A.n += 1\n    return A.n\n",
    "classmethod": "class A:\n    n = 0\n    @classmethod\n    def g(cls):\n        cls.n = 1\ndef f():\n    A.g()\n",
    "of a helper": "SEEN = set()\ndef f(): return g()\ndef g():\n    SEEN.add(1)\n    return SEEN\n",
    "delete": "MEMO = {1: 2}\ndef f():\n    del MEMO[1]\n    return MEMO\n",
    "setattr": "class A: pass\ndef f():\n    setattr(A, 'n', 1)\n    return A.n\n",
    "elsewhere": "import other\ndef f():\n    other.K = 1\n    return other.K\n",
    "elsewhere, a list": "from other import L\ndef f():\n    L.append(1)\n    return L\n",
}


@pytest.mark.parametrize("text", COUNTING.values(), ids=COUNTING)
def test_what_changes_while_it_runs_is_unresolved(project: Project, text: str) -> None:
    """A result that may depend on earlier calls in the process is unresolved; `ignore=` names harmless state."""
    function = project.write({"alone.py": text, "other.py": "K = 0\nL = []\n"}).load("alone").f
    (reason,) = {reason.partition(" changes ")[2] for reason in identify(function).unresolved}
    assert " while it runs, so that a result may depend on earlier calls: " in reason
    assert "ignore=[" in reason
    function()
    assert identify(function).unresolved


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


REGISTRY = """
    def base(x):
        return x

    HANDLERS = {}

    def handles(name):
        def mark(fn):
            HANDLERS[name] = fn
            return fn
        return mark
    """


@pytest.mark.parametrize("written", ["{{}}", "dict()", "{{'base': base}}", "{{'base': base, 'one': None}}"])
def test_a_registry_is_what_was_registered(project: Project, written: str) -> None:
    """Lists and dicts that are filled while modules are loaded count by their items."""
    project.write({"registry.py": REGISTRY.format(written.format())})
    plugin = "from registry import handles\n@handles('one')\ndef one(x): return x + {}\n"
    text = "def f(x):\n    import registry\n    return registry.HANDLERS['one'](x)\n"
    application = "import alone, plugin\nf = alone.f\n"
    project.write({"alone.py": text, "application.py": application})

    def registered(number: int) -> CodeIdentity:
        return project.write({"plugin.py": plugin.format(number)}).identity("application.f")

    before, after = registered(1), registered(2)
    assert "value of HANDLERS" in before.named
    assert after.digest != before.digest
    away = project.write({"plugin.py": ""}).identity("application.f")
    assert "value of HANDLERS" not in away.named


@pytest.mark.parametrize(
    ("written", "filled", "is_told"),
    [
        ("[K]", "H.append(2)", True),
        ("[K]", "H[0] = 2", True),
        ("[K, 1]", "H[1] = 2", True),
        ("{K}", "H.add(2)", True),
        ("list()", "H.append(2)", True),
        ("[K, 1]", "pass", False),
        ("{'a': K, **{}}", "pass", False),
        ("{K}", "pass", False),
    ],
)
def test_what_is_other_than_written_is_told(
    project: Project, written: str, filled: str, is_told: bool
) -> None:
    """A list, dict or set counts by its value where that differs from the source."""
    project.write({"held.py": f"K = object\nH = {written}\n", "fills.py": f"from held import H\n{filled}\n"})
    project.write({"alone.py": "import held\ndef f(): return held.H\n"})
    identity = project.write({"application.py": "import alone, fills\nf = alone.f\n"}).identity(
        "application.f"
    )
    assert ("value of H" in identity.named) is is_told


def test_a_value_that_leads_back_to_its_module(project: Project) -> None:
    """The items of a registry may reach more of the module that holds it."""
    text = """
        REGISTRY = {}

        class Field:
            def __set_name__(self, owner, name):
                REGISTRY[name] = owner

        class Record:
            width = 1
            field = Field()

        def f():
            return REGISTRY["field"].width
        """
    before, after = project.of_source(text), project.of_source(text.replace("width = 1", "width = 2"))
    assert before.digest != after.digest
    assert "value of REGISTRY" in before.named


def test_generated_methods_are_left_alone(project: Project) -> None:
    """Methods that `dataclass` and `namedtuple` generate stand in no file, and follow from the code that does."""
    text = """
        import collections, dataclasses, functools

        Pair = collections.namedtuple("Pair", "a b")

        @dataclasses.dataclass(order=True)
        class Spec:
            a: int = 1
            @property
            def b(self): return self.a
            @staticmethod
            def c(): return 1
            @functools.cached_property
            def d(self): return 1

        @functools.lru_cache
        def f(): return Spec().b
        """
    assert project.of_source(text).unresolved == ()


def test_a_function_edited_in_a_class_is_noticed(project: Project) -> None:
    """Methods, properties and decorated functions are compared too."""
    text = """
        import functools
        class A:
            @property
            def p(self): return 1
        @functools.lru_cache
        def f(): return A().p
        """
    function = project.write({"alone.py": text}).load("alone").f
    project.write({"alone.py": text.replace("return 1", "return 2")})
    assert identify(function).unresolved == (EDITED.format(file="alone.py", what="p"),)


def test_a_file_that_is_gone_is_unresolved(pipelines: Project) -> None:
    """The running code of a module without its file is unknown."""
    function = pipelines.load("pipelines.text").f
    (pipelines.root / "pipelines/text.py").unlink()
    (reason,) = identify(function).unresolved
    assert (
        reason == "pipelines/text.py cannot be read as Python source (FileNotFoundError): give code_version="
    )
