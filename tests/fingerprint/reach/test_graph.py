"""The code that a function reaches, by every way to a name."""

import sys
from importlib.machinery import EXTENSION_SUFFIXES

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import CodeIdentity

LAZY = """
    def __getattr__(name):
        if name != "anything":
            raise AttributeError
        from pkg.sub import K
        return K
    """


@pytest.mark.parametrize(
    "text",
    [
        "import pkg.sub\ndef f(): return pkg.sub.K",
        "import pkg.sub as other\ndef f(): return other.K",
        "from pkg import sub\ndef f(): return sub.K",
        "from pkg import sub as other\ndef f(): return other.K",
        "from pkg.sub import *\ndef f(): return K",
        "from pkg.sub import K\ndef f(): return K",
        "from pkg.sub import K as L\ndef f(): return [L for _ in 'a']",
        "from pkg.again import K\ndef f(): return K",
        "from pkg.again import sub\ndef f(): return sub.K",
        "from pkg.star import K\ndef f(): return K",
        "from pkg.lazy import anything\ndef f(): return anything",
        "import importlib; importlib.import_module('pkg.loud')\ndef f(): pass",
        "__import__('pkg.loud')\ndef f(): pass",
        "import pkg.loud\ndef f(): pass",
        "import pkg\ndef f(): return pkg.sub.K",
        "import pkg.sub\ndef f(): return vars(pkg.sub)",
        "import pkg.sub\ndef f(): return getattr(pkg.sub, 'K')",
        "import pkg.sub\ndef f(): return pkg.sub.__dict__['K']",
        "import pkg.sub\nt = pkg.sub\ndef f(): return t.K",
        "class A:\n    def g(self):\n        import pkg.sub\n        return pkg.sub.K\ndef f(): return A()",
        "def f():\n    from pkg.sub import K\n    return lambda: K",
        "try:\n    import no_such_module as m\nexcept ImportError:\n    import pkg.sub as m\ndef f(): return m.K",
        "if len('a') > 2:\n    K = 3\nelse:\n    from pkg.sub import K\ndef f(): return K",
    ],
)
def test_every_way_to_a_name_is_followed(project: Project, text: str) -> None:
    """A static use is followed whatever the form of the import, through names that modules hand on."""
    project.write(
        {"pkg/__init__.py": "", "pkg/sub.py": "K = 1\n", "pkg/loud.py": "print(1)\n", "pkg/lazy.py": LAZY}
    )
    project.write(
        {"pkg/again.py": "from .sub import K\nfrom . import sub\n", "pkg/star.py": "from .sub import *\n"}
    )
    before = project.of_source(text)
    project.write({"pkg/sub.py": "K = 2\n", "pkg/loud.py": "print(2)\n"})
    assert project.of_source(text).digest != before.digest
    assert before.unresolved == ()


@pytest.mark.parametrize(
    "text",
    [
        "import pkg.sub\ndef f(): pass",
        "import pkg.sub\ndef g(): return pkg.sub.K\ndef f(): pass",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pkg.sub\ndef f(x: 'pkg.sub.K'): pass",
        "from pkg.sub import *\ndef f(K): return K",
        "from pkg.sub import Other\ndef f(): return Other",
        "from pkg import sub\ndef f(x: sub.K) -> sub.K:\n    y: sub.K = 1\n    return y",
    ],
)
def test_what_is_imported_and_not_used_is_not_followed(project: Project, text: str) -> None:
    """A module that is merely loaded counts by its side effects only."""
    project.write({"pkg/__init__.py": "", "pkg/sub.py": "K = 1\nOther = 5\n"})
    before = project.of_source(text)
    assert project.write({"pkg/sub.py": "K = 2\nOther = 5\n"}).of_source(text) == before


def test_a_star_import_brings_the_modules_that_all_names(project: Project) -> None:
    """`from pkg import *` imports the submodules that `__all__` lists."""
    project.write(
        {"pkg/__init__.py": "__all__ = ['sub']\n", "pkg/sub.py": "print()\n", "pkg/other.py": "print()\n"}
    )
    assert set(project.of_source("from pkg import *\ndef f(): pass\n").named) == {
        "function f (alone.py)",
        "order of statements (alone.py)",
        "module-level code (alone.py)",
        "module-level code (pkg/__init__.py)",
        "module-level code (pkg/sub.py)",
    }


def test_a_missing_module_is_a_component(project: Project) -> None:
    """An optional import that finds nothing is recorded: to install it later is a change."""
    text = "try:\n    import extra_speed\nexcept ImportError:\n    extra_speed = None\ndef f(): pass\n"
    before = project.of_source(text)
    assert before.named["module extra_speed"] == "missing"
    assert project.write({"extra_speed.py": ""}).of_source(text).digest != before.digest


def test_a_namespace_package_is_followed(project: Project) -> None:
    """Folders without `__init__` are packages too, imported or not."""
    project.write({"space/inner/deep.py": "K = 1\n"})
    text = "def f():\n    import space.inner.deep\n    return space.inner.deep.K\n"
    before = project.of_source(text)
    assert set(before.named) == {"function f (alone.py)", "constant K (deep.py)"}
    assert project.write({"space/inner/deep.py": "K = 2\n"}).of_source(text).digest != before.digest


def test_a_module_that_hides_one_of_the_standard_library_is_first_party(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose a module is goes by where it lies, not by its name."""
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)  # a library may have imported the other one
    project.write({"colorsys.py": "K = 1\n"})
    text = "import colorsys\ndef f(): return colorsys.K\n"
    assert "constant K (colorsys.py)" in project.of_source(text).named


def test_an_extension_module_counts_by_its_bytes(project: Project) -> None:
    """A compiled first-party module counts by the bytes of its file."""
    name = f"native{EXTENSION_SUFFIXES[0]}"
    text = "def f():\n    import native\n"
    before = project.write({name: b"\x7fELF 1"}).of_source(text)
    after = project.write({name: b"\x7fELF 2"}).of_source(text)
    assert before.named[f"module ({name})"] != after.named[f"module ({name})"]
    assert before.unresolved == ()


def test_a_file_that_does_not_parse_is_unresolved(project: Project) -> None:
    """A reached module that is no Python says so, and does not raise."""
    project.write({"broken.py": "def (:\n"})
    (reason,) = project.of_source("def f():\n    import broken\n").unresolved
    assert reason == "broken.py cannot be read as Python source (SyntaxError): give code_version="


def test_code_that_warns_when_parsed_is_read(project: Project) -> None:
    """Warnings of the parser are the import's; under `-W error` too the source is read."""
    project.write({"loud.py": r"K = '\d'" + "\n"})
    identity = project.of_source("def f():\n    import loud\n    return loud.K\n")
    assert (identity.unresolved, "constant K (loud.py)" in identity.named) == ((), True)


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
