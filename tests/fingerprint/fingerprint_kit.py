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

from jammi_dagster.fingerprint import CodeIdentity, identify

REPOSITORY = Path(__file__).parents[2]

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
        """The identity of a function in a module that stands alone."""
        return self.write({"alone.py": text}).identity(f"alone.{function}")


def run(code: str, *, cwd: Path, path: Path, **environment: str) -> Any:
    """What a fresh process prints as JSON; `code` is a script's text or the arguments of the interpreter."""
    return run_script(["-c", textwrap.dedent(code)], cwd=cwd, path=path, **environment)


def run_script(arguments: list[str], *, cwd: Path, path: Path, **environment: str) -> Any:
    found = os.pathsep.join([str(path), str(REPOSITORY)])
    done = subprocess.run(
        [sys.executable, "-B", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": found, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
