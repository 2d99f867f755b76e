"""Projects of several modules, written to a folder and imported from there."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from jammi_dagster.fingerprint import CodeIdentity, fix_location, identify

REPOSITORY = Path(__file__).parents[2]
SHOP = Path(__file__).parents[1] / "fingerprint" / "sample" / "shop"

PIPELINES = {
    "pipelines/__init__.py": "from pipelines import settings\n",
    "pipelines/settings.py": "LIMIT = 3\n",
    "pipelines/text.py": """
        from pipelines.steps import first
        from . import marks

        SCALE = 2

        def helper(x):
            return x * SCALE

        @marks.marked
        def f(x):
            return first.apply(helper(x))
        """,
    "pipelines/marks.py": """
        import functools

        def marked(fn):
            @functools.wraps(fn)
            def wrapper(*args):
                return fn(*args)
            return wrapper
        """,
    "pipelines/steps/__init__.py": "",
    "pipelines/steps/first.py": """
        import pipelines.steps.second as second

        def apply(x):
            return second.apply(x)
        """,
    "pipelines/steps/second.py": """
        def apply(x):
            from ..steps import third
            return third.apply(x)
        """,
    "pipelines/steps/third.py": """
        from pipelines import text  # a circle

        def apply(x):
            return x + 1
        """,
    "pipelines/aside.py": "def unused():\n    return 1\n",
}


# `factory.make(value)` is a function that closes over a value.
FACTORY = {
    "helpers.py": "def h(): return 1\n",
    "factory.py": """
        import dataclasses, datetime, decimal, enum, functools, math, pathlib, uuid
        import helpers

        class Colour(enum.Enum):
            RED = 1
            BLUE = 2

        @dataclasses.dataclass
        class Spec:
            name: str
            size: object = 0

        class Slotted:
            __slots__ = ("a", "__b")
            def __init__(self, a, b):
                self.a, self.__b = a, b

        class Job:
            def __init__(self, factor):
                self.factor = factor
            def run(self, x):
                return x * self.factor
            def __call__(self, x):
                return self.run(x)
            @classmethod
            def build(cls, x):
                return cls(x)

        def make(value):
            def f():
                return value
            return f

        def with_default(value):
            def f(x=value):
                return x
            return f

        def with_keyword_default(value):
            def f(*, x=value):
                return x
            return f

        def add(a, b=0):
            return a + b

        def recursive(n):
            def f(k):
                return f(k - n)
            return f

        def mutual(n):
            def f(k): return g(k - n)
            def g(k): return f(k)
            return f

        def local_class():
            class Local:
                pass
            return Local
        """,
}


class Project:
    """A source tree on `sys.path`. Every `load` imports it anew."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, files: Mapping[str, str | bytes]) -> Project:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode())
        return self

    def replace(self, name: str, old: str, new: str) -> Project:
        text = (self.root / name).read_text()
        assert old in text
        return self.write({name: text.replace(old, new)})

    def load(self, name: str) -> ModuleType:
        self.forget()
        return importlib.import_module(name)

    def forget(self) -> None:
        importlib.invalidate_caches()
        for name, module in list(sys.modules.items()):
            places = [getattr(module, "__file__", None) or "", *(getattr(module, "__path__", None) or ())]
            if any(place.startswith(str(self.root)) for place in places):
                del sys.modules[name]

    def identity(self, function: str = "pipelines.text.f") -> CodeIdentity:
        module, _, name = function.rpartition(".")
        return identify(getattr(self.load(module), name))

    def of_source(self, text: str, function: str = "f") -> CodeIdentity:
        """Return the identity of a function in a module that stands alone."""
        return self.write({"alone.py": text}).identity(f"alone.{function}")


def installed(name: str, release: str, files: list[str]) -> dict[str, str]:
    """Return the files that an installer leaves of a distribution."""
    info = f"{name.replace('-', '_')}-{release}.dist-info"
    return {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {release}\n",
        f"{info}/RECORD": "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"]),
        **dict.fromkeys(files, "K = 1\n"),
    }


def run(code: str, *, before: str = "", **options: Any) -> Any:
    """Run a script in a fresh process and return its printed JSON: `code` is its text, `before` leads it."""
    return run_script(["-c", before + textwrap.dedent(code)], **options)


def run_script(
    arguments: list[str],
    *,
    cwd: Path,
    path: Path,
    python: str = sys.executable,
    given: str | None = None,
    **environment: str,
) -> Any:
    """Run a script by its arguments in the same way; `given` is its standard input, `path` leads `sys.path`."""
    found = os.pathsep.join([str(path), str(REPOSITORY)])
    done = subprocess.run(
        [python, "-B", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": found, **environment},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def identity_in_location(project: Project) -> CodeIdentity:
    """Identify `assets.f` in the code location of `definitions.py`."""
    project.forget()
    for name in ("definitions", "assets"):  # another test may have loaded one of that name
        sys.modules.pop(name, None)
    definitions, assets = importlib.import_module("definitions"), importlib.import_module("assets")
    fix_location([assets.f], [assets.f], None)
    assert definitions.f is assets.f
    return identify(assets.f)


def write_location(
    project: Project, plugin: str, assets: str, reg: str = "", *, loads: bool = True
) -> Project:
    """Write a code location. Where it `loads` no plugin, the process of the test stays as it is."""
    definitions = f"if {loads}:\n    import plugin\nfrom assets import f\n"
    return project.write(
        {"reg.py": reg, "plugin.py": plugin, "assets.py": assets, "definitions.py": definitions}
    )
