"""Files that modules read while they are loaded, through readers that no table knows."""

import importlib
import shutil
import sys
from pathlib import Path

import pytest
from fingerprint_kit import Project, installed, run

from jammi_dagster.fingerprint import CodeIdentity, edited_files, identify, loaded_files, one_look
from jammi_dagster.load_reads import content_of

# A reader of a library, installed beside the project: no table of names knows it.
READER = """
    from pathlib import Path
    def read(path):
        try:
            with open(path) as file:
                return file.read()
        except FileNotFoundError:
            return None
    def names(folder):
        import os
        return sorted(os.listdir(folder))
    class Reader:
        def __init__(self, path): self.text = read(path)
    """

# Modules that read `a.txt` in their folder while they are loaded; `f` uses LIMIT.
READS = {
    "a function": "LIMIT = readerlib.read('a.txt')",
    "an object": "LIMIT = readerlib.Reader('a.txt').text",
    "a method as a statement": "c = configparser.ConfigParser()\nc.read('a.txt')\nLIMIT = c",
    "a helper": "def load(): return readerlib.read('a.txt')\nLIMIT = load()",
    "a loop": "LIMIT = []\nfor n in ('a.txt',):\n    LIMIT.append(readerlib.read(n))",
    "a branch": "if 1 < 2:\n    LIMIT = readerlib.read('a.txt')\nelse:\n    LIMIT = None",
    "the body of a class": "class LIMIT:\n    text = readerlib.read('a.txt')",
    "a default": "def LIMIT(text=readerlib.read('a.txt')): return text",
    "a decorator": "def wrap(text):\n    return lambda fn: lambda: text\n@wrap(readerlib.read('a.txt'))\n"
    "def LIMIT(): pass",
    "a template": "LIMIT = jinja2.Environment(loader=jinja2.FunctionLoader(readerlib.read))"
    ".get_template('a.txt').render()",
    "a cached function": "@functools.lru_cache\ndef load(): return readerlib.read('a.txt')\nLIMIT = load()",
}
IMPORTS = "import configparser, functools, jinja2, readerlib\n"
# Modules with reads on which `f` does not depend.
HARMLESS = {
    "a name that is not reached": "OTHER = readerlib.read('a.txt')\nLIMIT = 1",
    "a log": "import logging\nlogging.getLogger().debug(readerlib.read('a.txt'))\nLIMIT = 1",
    "a function that is not called": "def load(): return readerlib.read('a.txt')\nLIMIT = 1",
    "a file that it wrote": "open('own.txt', 'w').close()\nLIMIT = readerlib.read('own.txt')",
}


@pytest.fixture
def reading(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with a library that reads files, and a file `a.txt` in the working folder."""
    folder = project.root / "site-packages"
    library = Project(folder).write(installed("readerlib", "1.0", ["readerlib.py"]))
    library.write({"readerlib.py": READER})
    monkeypatch.syspath_prepend(folder)
    monkeypatch.chdir(project.root)
    assets = "from settings import LIMIT\ndef f(): return LIMIT\n"
    return project.write({"a.txt": "[a]\nb = 1\n", "assets.py": assets})


def _identity(project: Project, settings: str) -> CodeIdentity:
    return project.write({"settings.py": IMPORTS + settings}).identity("assets.f")


@pytest.mark.parametrize("settings", READS.values(), ids=READS)
def test_a_file_that_loading_read_counts_by_its_content(reading: Project, settings: str) -> None:
    """A read by an unknown reader at load is a component; another content is another identity."""
    one = _identity(reading, settings)
    assert "file a.txt" in one.named
    assert (one.unresolved, one.outside) == ((), ())
    assert _identity(reading, settings).digest == one.digest
    reading.write({"a.txt": "[a]\nb = 2\n"})
    assert _identity(reading, settings).digest != one.digest


@pytest.mark.parametrize("settings", HARMLESS.values(), ids=HARMLESS)
def test_a_read_that_does_not_flow_to_the_function_does_not_count(reading: Project, settings: str) -> None:
    """A read of a statement that the function does not reach brings no component."""
    assert not [name for name in _identity(reading, settings).named if name.startswith("file")]


def test_a_missing_file_counts_as_missing(reading: Project) -> None:
    """A reader that takes a missing file for empty depends on that it is missing."""
    one = _identity(reading, "LIMIT = readerlib.read('b.txt')")
    reading.write({"b.txt": "1"})
    assert _identity(reading, "LIMIT = readerlib.read('b.txt')").digest != one.digest


def test_a_listing_counts_by_the_names_in_it(reading: Project) -> None:
    """A folder that loading lists counts by its entries, not by their content."""
    reading.write({"data/a.csv": "1"})
    one = _identity(reading, "LIMIT = readerlib.names('data')")
    reading.write({"data/a.csv": "2"})
    assert _identity(reading, "LIMIT = readerlib.names('data')").digest == one.digest
    reading.write({"data/b.csv": "2"})
    assert _identity(reading, "LIMIT = readerlib.names('data')").digest != one.digest


def test_a_file_that_changed_since_asks_for_a_reload(reading: Project) -> None:
    """The loaded content is what runs: where the disk differs by now, the code location is outdated."""
    _identity(reading, "LIMIT = readerlib.read('a.txt')")
    reading.write({"a.txt": "[a]\nb = 3\n"})
    found = identify(sys.modules["assets"].f)
    assert "a.txt" in found.outdated[0]
    assert str(reading.root / "a.txt") in dict(edited_files())
    reading.write({"a.txt": "[a]\nb = 1\n"})
    assert not identify(sys.modules["assets"].f).outdated


def test_reloading_forgets_the_reads_of_before(reading: Project) -> None:
    """A module that is reloaded holds what it read the last time."""
    _identity(reading, "LIMIT = readerlib.read('a.txt')")
    reading.write({"a.txt": "[a]\nb = 3\n"})
    importlib.reload(sys.modules["settings"])
    assert not identify(sys.modules["assets"].f).outdated


def test_a_read_of_a_library_while_it_is_loaded_belongs_to_it(reading: Project) -> None:
    """A read below the module body of a distribution stands behind its version."""
    library = reading.root / "site-packages" / "readerlib.py"
    library.write_text(library.read_text() + "\nDATA = Path('a.txt').read_text()\n")
    found = _identity(reading, "LIMIT = readerlib.DATA")
    assert "file a.txt" not in found.named
    assert found.libraries["readerlib"] == "1.0"


def test_the_place_of_the_tree_does_not_count(
    reading: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A file is named by its path below the source tree: a checkout elsewhere has the same identity."""
    code = "import json, jammi_dagster, assets\nfrom jammi_dagster.fingerprint import identify\n"
    code += "print(json.dumps(identify(assets.f).digest))\n"
    reading.write({"settings.py": f"{IMPORTS}LIMIT = readerlib.read('a.txt')\n"})
    other = tmp_path_factory.mktemp("other")
    shutil.copytree(reading.root, other, dirs_exist_ok=True)
    found = {
        run(f"import sys; sys.path.append({str(root / 'site-packages')!r})\n{code}", cwd=root, path=root)
        for root in (reading.root, other)
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    ("settings", "is_known"),
    [
        ("import readerlib\nLIMIT = readerlib.read('a.txt')", False),
        ("import configparser\nLIMIT = configparser.ConfigParser().read('a.txt')", False),
        ("import re, datetime\nLIMIT = re.compile('a'), datetime.date(2020, 1, 1)", True),
        ("import numpy as np\nLIMIT = np.arange(3)", True),
        ("def make(): return 3\nLIMIT = make()", True),
        ("import readerlib\nOTHER = readerlib.read('a.txt')\nLIMIT = 1", True),
        ("import readerlib, jammi_dagster\nLIMIT = readerlib.read('a.txt')", True),
    ],
)
def test_a_module_from_before_the_watch_is_read_statically(
    reading: Project, settings: str, *, is_known: bool
) -> None:
    """Of a module that was loaded before this package, a reached call that may read leaves the identity unresolved."""
    reading.write({"settings.py": settings})
    code = "import json, settings, assets\nfrom jammi_dagster.fingerprint import identify\n"
    code += "print(json.dumps(list(identify(assets.f).unresolved)))\n"
    places = f"import sys; sys.path.append({str(reading.root / 'site-packages')!r})\n"
    found = run(places + code, cwd=Path.cwd(), path=reading.root)
    assert (found == []) == is_known, found


def test_a_file_of_loading_is_digested_once_at_a_look(
    reading: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The identities of a look share the content of the files that loading read; the next look reads them again."""
    reading.write({"settings.py": f"{IMPORTS}LIMIT = readerlib.read('a.txt')"})
    reading.write(
        {"assets.py": "from settings import LIMIT\ndef f(): return LIMIT\ndef g(): return [LIMIT]\n"}
    )
    module = reading.load("assets")
    read: list[str] = []

    def counted(path: str) -> str:
        read.append(Path(path).name)
        return content_of(path)

    def reasons() -> list[int]:
        with one_look():
            return [len(identify(function).unresolved) for function in (module.f, module.g)]

    monkeypatch.setattr(loaded_files, "content_of", counted)
    assert [reasons(), reasons()] == [[0, 0], [0, 0]]
    assert read == ["a.txt", "a.txt"]
    reading.write({"a.txt": "[a]\nb = 2\n"})
    assert reasons() == [1, 1]
