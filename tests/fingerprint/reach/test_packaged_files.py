"""Files of the own package that code reads: when a module is loaded, or when a function runs."""

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import CodeIdentity, disk_state, identify

READS = {
    "a path of the module": "A = (Path(__file__).parent / 'q.sql').read_text()",
    "a resolved path": "A = Path(__file__).resolve().parent.joinpath('q.sql').read_text(encoding='utf-8')",
    "a folder in a variable": "HERE = Path(__file__).parent\nA = (HERE / 'q.sql').read_bytes()",
    "open": "with open(os.path.join(os.path.dirname(__file__), 'q.sql')) as h:\n    A = h.read()",
    "a body that loading calls": "def g(): return (Path(__file__).parent / 'q.sql').read_text()\nA = g()",
    "data of a package": "import pkgutil\nA = pkgutil.get_data(__name__, 'q.sql')",
    "a resource of a module": "import p\nA = (importlib.resources.files(p) / 'q.sql').read_text()",
    "a resource": "A = importlib.resources.files('p').joinpath('q.sql').read_text()",
}
OUTSIDE = {
    "a computed name": "A = (Path(__file__).parent / A0.join('q.sql')).read_text()",
    "a way out of the folder": "A = (Path(__file__).parent / '../q.sql').read_text()",
    "a folder that is bound twice": "H = Path(__file__).parent\nif A0: H = Path('p')\nA = (H / 'q.sql').read_text()",
    "a relative path": "A = Path('p/q.sql').read_text()",
    "a mode to write": "with open(os.path.join(os.path.dirname(__file__), 'q.sql'), 'r+') as h:\n    A = h.read()",
}
HEAD = "import importlib.resources, os\nfrom pathlib import Path\nA0 = ''\n"
# reads of q1.sql or q2.sql, and whether a run sees which of them it is
BY_NAME = "os.path.join(os.path.dirname(__file__), f'q{x}.sql')"
DECLARED = {
    "a method": ("def f(x): return (Path(__file__).parent / f'q{x}.sql').read_text()", True),
    "open": (f"def f(x):\n    with open({BY_NAME}) as h: return h.read()", True),
    "a constant name": ("def f(): return (Path(__file__).parent / 'q1.sql').read_text()", False),
    "a reader that no run sees": (f"import pandas as pd\ndef f(x): return pd.read_parquet({BY_NAME})", False),
    "a read by loading too": (
        "def g(x): return (Path(__file__).parent / f'q{x}.sql').read_text()\nA = g(1)\ndef f(x): return A, g(x)",
        False,
    ),
}


def of(project: Project, text: str) -> CodeIdentity:
    project.write({"p/__init__.py": "", "p/a.py": f"{HEAD}{text}\ndef f(): return A\n"})
    return project.identity("p.a.f")


@pytest.mark.parametrize("text", READS.values(), ids=READS)
def test_a_file_of_the_package_is_a_component(project: Project, text: str) -> None:
    """A constant path within the package is hashed with the code; a change of it asks for a restart."""
    project.write({"p/q.sql": "select 1"})
    found = of(project, text)
    assert (found.outside, found.unresolved) == ((), ())
    assert "file p/q.sql" in found.named
    project.write({"p/q.sql": "select 2"})
    assert any("restart" in reason for reason in project.identity("p.a.f").unresolved)


@pytest.mark.parametrize("text", OUTSIDE.values(), ids=OUTSIDE)
def test_any_other_path_is_a_read(project: Project, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that is computed or leaves the package is an undeclared read."""
    project.write({"p/q.sql": "select 1", "q.sql": ""})
    monkeypatch.chdir(project.root)
    assert of(project, text).outside


BODIES = {
    "a path of the module": "def f(): return (Path(__file__).parent / 'q.sql').read_text()",
    "a path in a name": "Q = Path(__file__).parent / 'q.sql'\ndef f(): return Q.read_text()",
    "a path in a variable": "def f():\n    here = Path(__file__).parent\n    return open(here / 'q.sql').read()",
    "opened": "def f():\n    with (Path(__file__).parent / 'q.sql').open() as h: return h.read()",
    "a reader": "import pandas as pd\ndef f(): return pd.read_csv(Path(__file__).parent / 'q.sql', sep=';')",
    "a native reader": "import polars as pl\ndef f(): return pl.read_csv(Path(__file__).parent / 'q.sql')",
    "a resource": "def f(): return importlib.resources.files('p').joinpath('q.sql').read_text()",
    "a resource of the own package": "def f(): return (importlib.resources.files(__package__) / 'q.sql').read_text()",
    "read_text of a package": "from importlib import resources\ndef f(): return resources.read_text('p', 'q.sql')",
    "data": "import pkgutil\ndef f(): return pkgutil.get_data('p', 'q.sql')",
    "a helper": "def g(): return (Path(__file__).parent / 'q.sql').read_text()\ndef f(): return g()",
    "its existence": "def f(): return (Path(__file__).parent / 'q.sql').read_text() if A0 else 1",
}
# Bodies with paths that are put together, of files that begin with `q`.
COMPUTED = {
    "a constant of another module": "from p.b import HERE\ndef f(): return open(os.path.join(HERE, 'q.sql')).read()",
    "a path of a constant": "from p.b import HERE, NAME\nQ = Path(HERE)\ndef f(): return (Q / NAME).read_text()",
    "a text that is added": "import pandas as pd\nfrom p.b import HERE\ndef f(): return pd.read_csv(HERE + '/q.sql')",
    "an argument": "def g(name): return (Path(__file__).parent / name).read_text()\ndef f(): return g('q.sql')",
    "a default": "def g(name='q.sql'): return (Path(__file__).parent / name).read_text()\ndef f(): return g()",
    "a path as an argument": "def g(path): return path.read_bytes()\n"
    "def f(): return g(Path(__file__).parent / 'q.sql')",
    "a helper that makes the path": "def g(name):\n    return Path(__file__).parent.joinpath(name)\n"
    "def f():\n    with g('q.sql').open() as file: return file.read()",
    "an f-string of constants": "def f():\n    for n in ('q', 'q2'):\n"
    "        yield open(f'{Path(__file__).parent}/{n}.sql').read()",
    "an f-string of anything": "def f(x): return (Path(__file__).parent / f'q{x}.sql').read_text()",
    "format": "def f(x):\n    name = 'q{}.sql'.format(x.split('_')[0])\n"
    "    return open(os.path.join(os.path.dirname(__file__), name)).read()",
    "a percent": "def f(x): return (Path(__file__).parent / ('q%s.sql' % x)).read_text()",
    "a text of anything": "def f(x): return (Path(__file__).parent / ('q' + x)).read_text()",
    "a loop over choices": "def f(x):\n    for name in ('q.sql', 'r.sql'):\n"
    "        path = os.path.join(os.path.dirname(__file__), name)\n        yield open(path, 'rb').read()",
    "a folder above": "Q = Path(__file__).parents[1] / 'p' / 'q.sql'\ndef f(): return Q.read_text()",
    "a way up and down again": "def f():\n    "
    "return open(os.path.join(os.path.dirname(__file__), '..', 'p', 'q.sql')).read()",
    "existence first": "def f():\n    path = Path(__file__).parent / 'q.sql'\n"
    "    if not path.exists() or not path.is_file(): raise FileNotFoundError(path)\n    return path.read_text()",
    "an attribute of a class": "class A:\n"
    "    HERE = Path(os.path.dirname(os.path.abspath(__file__))).parents[0] / 'p'\n"
    "    @classmethod\n    def read(cls):\n        path = cls.HERE / 'q.sql'\n        return path.read_text()\n"
    "def f(): return A.read()",
    "an attribute of a class by its name": "class A:\n    HERE = Path(__file__).parent\n"
    "    @staticmethod\n    def read(): return (A.HERE / 'q.sql').read_text()\ndef f(): return A.read(), A.HERE",
    "a property of each class": "HERE = os.path.dirname(__file__)\nclass A:\n    @property\n"
    "    def name(self): raise NotImplementedError\n    def read(self): return open(HERE + self.name).read()\n"
    "class B(A):\n    @property\n    def name(self): return '/q.sql'\ndef f(): return B().read()",
    "an attribute": "class A:\n    name = 'q.sql'\n    def __init__(self): self.here = Path(__file__).parent\n"
    "    def read(self): return (self.here / self.name).read_text()\ndef f(): return A().read()",
}
# The same of files that may be any.
NOWHERE = {
    "a name of anything": "def f(x): return (Path(__file__).parent / x).read_text()",
    "a name that begins with anything": "def f(x): return (Path(__file__).parent / f'{x}.sql').read_text()",
    "a folder of anything": "def f(x): return (Path(__file__).parent / f'q{x}' / 'q.sql').read_text()",
    "a way up": "def f(x): return (Path(__file__).parent / '..' / f'q{x}').read_text()",
    "a pattern": "import polars as pl\ndef f(x): return pl.read_csv(Path(__file__).parent / '*.sql')",
    "a file with others": "import geopandas\ndef f(x): return geopandas.read_file(Path(__file__).parent / 'q.shp')",
    "a folder above the package": "Q = Path(__file__).parents[1] / 'q.sql'\ndef f(x): return Q.read_text()",
    "a program": "import subprocess\nQ = Path(__file__).parent / 'q.sql'\ndef f(x): return subprocess.check_output(Q)",
    "a program of anything": "import subprocess\n"
    "def f(x): return subprocess.run(os.path.join(os.path.dirname(__file__), f'q{x}'))",
    "a time": "Q = Path(__file__).parent / 'q.sql'\ndef f(x): return os.path.getmtime(Q)",
    "a database": "import sqlite3\nQ = Path(__file__).parent / 'q.sql'\ndef f(x): return sqlite3.connect(Q)",
    "a shelf": "import shelve\nQ = str(Path(__file__).parent / 'q.sql')\ndef f(x): return shelve.open(Q)",
    "an archive to write": "import zipfile\nQ = Path(__file__).parent / 'q.sql'\n"
    "def f(x): return zipfile.ZipFile(Q, 'a')",
    "another file": "def f(x): return open(f'/etc/q{x}').read()",
    "one of two folders": "def f(x):\n    here = Path(__file__).parent if x else Path('p')\n"
    "    return (here / 'q.sql').read_text()",
    "a caller that gives anything": "def g(name): return (Path(__file__).parent / name).read_text()\n"
    "def f(x): return g('q.sql'), g(x)",
    "a helper as a value": "def g(name): return (Path(__file__).parent / name).read_text()\n"
    "def f(x): return g('q.sql'), list(map(g, x))",
    "a constant that a body changes": "from p import b\n"
    "def f(x):\n    b.HERE = x\n    return open(os.path.join(b.HERE, 'q.sql')).read()",
    "a file to write": "def f(x): return open(os.path.join(os.path.dirname(__file__), f'q{x}'), 'a+').read()",
    "an attribute that a caller sets": "class A:\n    name = 'q.sql'\n"
    "    def read(self): return (Path(__file__).parent / self.name).read_text()\n"
    "def f(x):\n    a = A()\n    a.name = x\n    return a.read()",
    "a way out and back by a name": "def f(x):\n    return open(Path(__file__).parent / '..' / x / 'q').read()",
    "a way out": "def f(x): return open(os.path.join(os.path.dirname(__file__), '..', 'q.sql')).read()",
    "an attribute of a class that a caller sets": "class A:\n    HERE = Path(__file__).parent\n"
    "    @classmethod\n    def read(cls): return (cls.HERE / 'q.sql').read_text()\n"
    "def f(x):\n    A.HERE = x\n    return A.read()",
    "an attribute of a class that a derived one sets": "class A:\n    HERE = Path(__file__).parent\n"
    "    @classmethod\n    def read(cls): return (cls.HERE / 'q.sql').read_text()\n"
    "class B(A):\n    HERE = Path('p')\ndef f(x): return B.read()",
    "the existence of a folder": "def f(x): return (Path(__file__).parent / 'sub').is_dir()",
    "an attribute of any name": "class A:\n    name = 'q.sql'\n"
    "    def __init__(self, **all): self.__dict__.update(all)\n"
    "    def read(self): return (Path(__file__).parent / self.name).read_text()\ndef f(x): return A(name=x).read()",
    "an attribute of a dataclass": "import dataclasses\n@dataclasses.dataclass\nclass A:\n    name: str = 'q.sql'\n"
    "    def read(self): return (Path(__file__).parent / self.name).read_text()\ndef f(x): return A(x).read()",
    "a property that tells more": "class A:\n    @property\n    def name(self): return self.x or 'q.sql'\n"
    "    def read(self): return (Path(__file__).parent / self.name).read_text()\ndef f(x): return A().read()",
}
KEPT = {
    "loading calls it": "def g(): return (Path(__file__).parent / 'q.sql').read_text()\nA = g()\ndef f(): return A",
    "a cache": "import functools\n@functools.cache\ndef g(): return (Path(__file__).parent / 'q.sql').read_text()\n"
    "def f(): return g()",
    "a cache around another": "import functools\ndef h(): return (Path(__file__).parent / 'q.sql').read_text()\n"
    "@functools.cache\ndef g(): return h()\ndef f(): return g()",
    "a cache as a value": "import functools\ndef h(): return (Path(__file__).parent / 'q.sql').read_text()\n"
    "g = functools.lru_cache(h)\ndef f(): return g()",
    "an object of the module": "class C:\n    def __init__(self): self.q = h()\n"
    "def h(): return (Path(__file__).parent / 'q.sql').read_text()\nc = C()\ndef f(): return c.q",
    "a decorator": "def deco(g):\n    value = g()\n    return lambda: value\n@deco\n"
    "def g(): return (Path(__file__).parent / 'q.sql').read_text()\ndef f(): return g()",
}


@pytest.mark.parametrize("text", BODIES.values(), ids=BODIES)
def test_a_file_that_a_body_reads_counts_at_each_look(project: Project, text: str) -> None:
    """A body reads the file anew: a change of it is another identity, without a restart."""
    project.write({"p/q.sql": "select 1", "p/__init__.py": "", "p/a.py": f"{HEAD}{text}\n"})
    found = [project.identity("p.a.f")]
    assert (found[0].outside, found[0].unresolved) == ((), ())
    project.write({"p/q.sql": "select 2"})
    found.append(project.identity("p.a.f"))
    (project.root / "p/q.sql").unlink()
    found.append(project.identity("p.a.f"))
    assert len({one.digest for one in found}) == 3
    assert all(one.unresolved == () for one in found)


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_a_file_that_was_read_before_asks_for_a_restart(project: Project, text: str) -> None:
    """A body that loading runs, or whose result something keeps, may hold the file's content from before."""
    project.write({"p/q.sql": "select 1", "p/__init__.py": "", "p/a.py": f"{HEAD}{text}\n"})
    assert project.identity("p.a.f").unresolved == ()
    project.write({"p/q.sql": "select 2"})
    assert project.identity("p.a.f").unresolved != ()


def test_a_file_that_a_body_reads_belongs_to_the_state_of_the_disk(project: Project) -> None:
    """A sensor that keeps running looks at it again."""
    text = "def f(): return (Path(__file__).parent / 'q.sql').read_text()"
    project.write({"p/q.sql": "select 1", "p/__init__.py": "", "p/a.py": f"{HEAD}{text}\n"})
    function = project.load("p.a").f
    assert identify(function).unresolved == ()
    before = disk_state(function)
    assert disk_state(function) == before
    project.write({"p/q.sql": "select 2"})
    assert disk_state(function) != before


@pytest.mark.parametrize("text", COMPUTED.values(), ids=COMPUTED)
def test_a_path_that_is_put_together_counts_with_its_files(project: Project, text: str) -> None:
    """Every file that a path may lead to is hashed."""
    package = {"p/__init__.py": "", "p/b.py": "import os\nHERE = os.path.dirname(__file__)\nNAME = 'q.sql'\n"}
    project.write(
        {"p/q.sql": "select 1", "p/q2.sql": "", "p/r.sql": "", **package, "p/a.py": f"{HEAD}{text}\n"}
    )
    found = [project.identity("p.a.f")]
    assert (found[0].outside, found[0].unresolved) == ((), ())
    assert "file p/q.sql" in found[0].named
    project.write({"p/q.sql": "select 2"})
    found.append(project.identity("p.a.f"))
    assert found[0].digest != found[1].digest or found[1].unresolved


@pytest.mark.parametrize("text", NOWHERE.values(), ids=NOWHERE)
def test_a_path_that_may_lead_anywhere_is_a_read(project: Project, text: str) -> None:
    """A path that no text begins within the package is an undeclared read."""
    package = {"p/__init__.py": "", "p/b.py": "import os\nHERE = os.path.dirname(__file__)\n", "p/q.sql": ""}
    project.write({**package, "p/a.py": f"{HEAD}{text}\n"})
    found = project.identity("p.a.f")
    assert found.outside or found.unresolved


@pytest.mark.parametrize(("text", "is_seen"), DECLARED.values(), ids=DECLARED)
def test_a_declared_file_takes_the_place_of_all_that_a_computed_name_may_be(
    project: Project, text: str, is_seen: bool
) -> None:
    """Where surfaces are declared, the code says that it reads, and a run sees what: any other file is undeclared."""
    project.write({"p/__init__.py": "", "p/a.py": f"{HEAD}{text}\n", "p/q1.sql": "", "p/q2.sql": ""})
    function = project.load("p.a").f
    found = [identify(function, declares_reads=declares) for declares in (False, True)]
    assert (found[0].outside, [one.is_declarable for one in found[1].outside]) == ((), [True] * is_seen)
    project.write({"p/q1.sql": "select 1"})
    moved = [
        one.unresolved or one.digest != before.digest
        for one, before in zip(
            (identify(function, declares_reads=declares) for declares in (False, True)), found, strict=True
        )
    ]
    assert [bool(one) for one in moved] == [True, not is_seen]


def test_a_file_that_comes_to_a_path_with_a_hole_counts(project: Project) -> None:
    """A new file of a name that the path may be is another identity, and so is the disk; a folder is unresolved."""
    text = "def f(x): return (Path(__file__).parent / f'q{x}.sql').read_text()"
    project.write({"p/__init__.py": "", "p/a.py": f"{HEAD}{text}\n", "p/q1.sql": "", "p/r2.sql": ""})
    function = project.load("p.a").f
    found, disk = [identify(function).digest], [disk_state(function)]
    for name in ("q2.sql", "r3.sql"):
        project.write({f"p/{name}": ""})
        found.append(identify(function).digest)
        disk.append(disk_state(function))
    assert (len(set(found)), found[1]) == (2, found[2])
    assert (len(set(disk)), disk[1]) == (2, disk[2])
    (project.root / "p/q3").mkdir()
    assert any("folder" in one for one in identify(function).unresolved)


def test_a_file_of_a_library_counts_by_its_version(project: Project) -> None:
    """The data of an installed package belongs to the package."""
    found = project.of_source(
        "import importlib.resources\ndef f(): return importlib.resources.files('pandas').joinpath('x.txt').read_text()"
    )
    assert (found.outside, found.unresolved) == ((), ())
    assert "pandas" in found.libraries
