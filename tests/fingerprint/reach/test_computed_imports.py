"""Imports by computed names: of one package only, they reach all of its modules."""

from textwrap import dedent

import pytest
from fingerprint_kit import Project

LIST = "for one in pkgutil.iter_modules(__path__):\n    ROWS.update(importlib.import_module({}).ROWS)\n"
WHOLE = LIST.replace("iter_modules(__path__)", "walk_packages(__path__, __name__ + '.')")
BY_KEY = "def rows(key): return importlib.import_module({}).ROWS\nROWS.update(rows('one'))\n"
OF_PACKAGE = {
    "a list, and a text": LIST.format("f'{__name__}.{one.name}'"),
    "a list, and a sum": LIST.format("__name__ + '.' + one.name"),
    "a list, and the package": LIST.format("f'{__package__}.{one.name}'"),
    "whole names of a list": WHOLE.format("one.name"),
    "a key": BY_KEY.format("f'{__name__}.{key}'"),
    "a key below the written name": BY_KEY.format("'shop.rows.' + key"),
    "names of a list that is unpacked": "for _, name, _ in pkgutil.iter_modules(__path__, __name__ + '.'):\n"
    "    ROWS.update(importlib.import_module(name).ROWS)\n",
}
OF_ANYTHING = {
    "a whole name that is a parameter": "return importlib.import_module(key)",
    "a beginning that is a parameter": "return importlib.import_module(key + '.one')",
    "a beginning that ends within a name": "return importlib.import_module(f'{__name__}{key}')",
    "folders that are given": "return list(pkgutil.iter_modules([key]))",
    "a relative name, which may lead upwards": "return importlib.import_module(f'.{key}', __package__)",
    "names of a list without a beginning": "for one in pkgutil.iter_modules(__path__):\n"
    "        importlib.import_module(one.name)",
    "a package of a library": "return importlib.import_module(f'json.{key}')",
}


def _files(code: str, one: str = "ROWS = {'a': 1}\n", **more: str) -> dict[str, str]:
    head = "import importlib, pkgutil\nROWS = {}\nkey = 'shop'\n"
    return {
        "shop/__init__.py": "",
        "shop/rows/__init__.py": head + code,
        "shop/rows/one.py": one,
        "flow.py": "from shop.rows import ROWS\ndef f(): return ROWS\n",
        **{f"shop/rows/{name}.py": text for name, text in more.items()},
    }


@pytest.mark.parametrize("code", OF_PACKAGE.values(), ids=OF_PACKAGE)
def test_modules_of_one_package_count(project: Project, code: str) -> None:
    """All modules of the package count with their code, and so does the set of them."""
    found = project.write(_files(code)).identity("flow.f")
    assert (found.outside, found.unresolved) == ((), ())
    edited = project.write(_files(code, "ROWS = {'a': 2}\n")).identity("flow.f")
    further = project.write(_files(code, two="ROWS = {'b': 1}\n")).identity("flow.f")
    assert len({found.digest, edited.digest, further.digest}) == 3


@pytest.mark.parametrize("code", OF_PACKAGE.values(), ids=OF_PACKAGE)
def test_reads_of_modules_of_the_package_are_caught(
    project: Project, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module that only the computed name reaches is read as any other."""
    monkeypatch.setenv("A", "1")
    found = project.write(_files(code, "import os\nROWS = {'a': os.environ['A']}\n")).identity("flow.f")
    assert [read.what for read in found.outside] == ["os.environ"]


@pytest.mark.parametrize("code", OF_ANYTHING.values(), ids=OF_ANYTHING)
def test_any_other_computed_name_hides_the_code(project: Project, code: str) -> None:
    """A name that may lead out of the package cannot be followed."""
    flow = "from shop.rows import load\ndef f(key): return load(key)\n"
    project.write({**_files(f"def load(key):\n    {code}\n"), "flow.py": flow})
    found = project.identity("flow.f")
    assert found.outside or any("import_module" in reason for reason in found.unresolved)


def test_a_path_that_the_module_binds(project: Project) -> None:
    """A `__path__` of the module's own making may name any folder."""
    text = (
        "import importlib, pkgutil\n__path__ = ['.']\ndef f(): return list(pkgutil.iter_modules(__path__))\n"
    )
    assert project.write({"shop/__init__.py": text}).identity("shop.f").outside


def test_a_package_of_a_module_that_is_none(project: Project) -> None:
    """`__name__` of a module that is no package leads to no modules."""
    text = "import importlib\ndef f(key): return importlib.import_module(f'{__name__}.{key}')\n"
    found = project.write({"shop/__init__.py": "", "shop/one.py": text}).identity("shop.one.f")
    assert any("import_module" in reason for reason in found.unresolved)


def test_plugins_that_only_a_computed_import_loads(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that registers itself counts for a function that reaches the registry alone."""
    monkeypatch.setenv("A", "1")
    files = {
        "shop/__init__.py": "",
        "shop/core.py": "STEPS = {}\n",
        "shop/plugins/__init__.py": dedent(
            """
            import importlib, pkgutil
            loaded = [importlib.import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__)]
            """
        ),
        "shop/plugins/one.py": "import os\nfrom shop.core import STEPS\nSTEPS['one'] = os.environ['A']\n",
        "flow.py": "import shop.plugins\nfrom shop.core import STEPS\ndef f(): return STEPS\n",
    }
    found = project.write(files).identity("flow.f")
    assert [read.what for read in found.outside] == ["os.environ"]
