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
    "a computed name": "A = (Path(__file__).parent / str('q.sql')).read_text()",
    "a way out of the folder": "A = (Path(__file__).parent / '../p/q.sql').read_text()",
    "a folder that is bound twice": "H = Path(__file__).parent\nif A0: H = Path('p')\nA = (H / 'q.sql').read_text()",
    "a relative path": "A = Path('p/q.sql').read_text()",
    "a mode to write": "with open(os.path.join(os.path.dirname(__file__), 'q.sql'), 'r+') as h:\n    A = h.read()",
}
HEAD = "import importlib.resources, os\nfrom pathlib import Path\nA0 = ''\n"


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
    project.write({"p/q.sql": "select 1"})
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


def test_a_file_of_a_library_counts_by_its_version(project: Project) -> None:
    """The data of an installed package belongs to the package."""
    found = project.of_source(
        "import importlib.resources\ndef f(): return importlib.resources.files('pandas').joinpath('x.txt').read_text()"
    )
    assert (found.outside, found.unresolved) == ((), ())
    assert "pandas" in found.libraries
