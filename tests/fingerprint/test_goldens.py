"""Digests that are written down in `goldens.json`: the same in every process, on every Python that is supported.

They are asked of the Python that runs the tests, and of each other one that is found. None needs anything installed.
"""

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fingerprint_kit import FACTORY, SHOP, Project, installed, run

GOLDENS = json.loads((Path(__file__).parent / "goldens.json").read_text())
SUPPORTED = [f"3.{minor}" for minor in range(10, 14)]

# One of everything that Python 3.10 can say.
EVERYTHING = '''
"""A docstring."""
from __future__ import annotations
import a.b as c, d
from . import e
from ..f import *
X: int = -1 + 2j * 3.5 // 0x10 ** 1_000
Y = b"bytes" if X else ...  # a comment
Z = u"text", r"\\d", """long
text""", {**{}, 1: 2}, {1, 2}, [*[], 3], (x := 5), None, True
W = f"{X!r:>{Y}} and {Z[1:2, ::3]=} {{}} {X:}" "tail" f"{W:%Y-%m}"
assert not X, "why"
del X, Z[0], W.a

@c.deco(1, *Y, k=2, **{})
async def g(p, /, q: int = 1, *r, s, t=2, **u) -> None:
    """Another."""
    global X
    async with p as v, q: pass
    async for i in p: await i
    return [i async for i in p if i if not i for j in i]

class H(c.I, metaclass=d):
    """A third."""
    k: "str"
    def l(self):
        nonlocal_ = lambda *a, b=1, **c: (yield)
        def m():
            nonlocal nonlocal_
            yield from m()
        while 1 < 2 <= 3 != 4 is not None in ():
            break
        else:
            raise ValueError from None
        for n, *o in []:
            continue
        try:
            pass
        except (A, B) as error:
            raise
        else:
            ...
        finally:
            X += 1; X @= 2
        match self:
            case None | 1 | -1j | "s" | c.K:
                pass
            case [1, *rest] if rest:
                pass
            case {"k": v, **more}:
                pass
            case H(a, b=1) as whole:
                pass
            case _:
                pass
'''

# Python 3.10 reads TOML by a package that every pip brings along.
READY = """
import json, sys
if sys.version_info < (3, 11):
    try:
        import tomli
    except ImportError:
        from pip._vendor import tomli
        sys.modules["tomli"] = tomli
from jammi_dagster.fingerprint import identify
"""


def version_of(python: str) -> str | None:
    """Return the version of a Python, such as `3.12.1`; None if it does not run."""
    asked = [python, "-c", "import platform; print(platform.python_version())"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def pythons() -> dict[str, str]:
    """By version: the running one, and of the other supported ones those on the path, or installed beside it."""
    found = {platform.python_version(): sys.executable}
    for version in SUPPORTED:
        beside = sorted(Path(sys.base_prefix).parent.glob(f"*{version}.*/bin/python{version}"))
        for python in (shutil.which(f"python{version}"), *map(str, beside)):
            known = version_of(python) if python else None
            if known and python:
                found.setdefault(known, python)
    return found


PYTHONS = pythons()


@pytest.fixture(params=PYTHONS)
def python(request: pytest.FixtureRequest) -> str:
    return PYTHONS[request.param]


def test_values(project: Project, python: str) -> None:
    """Closures over values have the recorded digests, here by their first digits."""
    project.write(FACTORY)
    code = """
        import factory
        def identity(value):
            return identify(factory.make(eval(value, {"m": factory}))).digest[:12]
        print(json.dumps({value: identity(value) for value in json.loads(sys.stdin.read())}))
        """
    given = json.dumps(list(GOLDENS["values"]))
    found = run(code, cwd=project.root, path=project.root, python=python, before=READY, given=given)
    assert found == GOLDENS["values"]


def test_the_sample(project: Project, python: str) -> None:
    """A small project. A library in it counts by its name: one that is only called so will do."""
    shutil.copytree(SHOP, project.root / "shop", ignore=shutil.ignore_patterns("__pycache__"))
    libraries = Project(project.root / "site-packages")
    libraries.write({**installed("pydantic", "2", ["pydantic.py"]), "pydantic.py": "class BaseModel: pass\n"})
    code = """
        sys.path.insert(0, "site-packages")
        import shop.flow
        found = identify(shop.flow.report)
        print(json.dumps([found.digest, found.unresolved, dict(found.libraries)]))
        """
    found = run(code, cwd=project.root, path=project.root, python=python, before=READY)
    assert found == [GOLDENS["sample"], [], {"pydantic": "2"}]


def test_syntax(tmp_path: Path, python: str) -> None:
    """Syntax trees differ between Python versions; their normal form does not, and it never changes."""
    code = """
        from jammi_dagster.fingerprint.syntax.trees import digests, parse
        print(json.dumps(digests(parse(sys.stdin.buffer.read()))[:2]))
        """
    assert (
        run(code, cwd=tmp_path, path=tmp_path, python=python, before=READY, given=EVERYTHING)
        == GOLDENS["syntax"]
    )
