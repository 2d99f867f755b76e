"""The settings of a project, `[tool.jammi_dagster]` in its `pyproject.toml`."""

import os

import pytest
from fingerprint_kit import Project

from jammi_dagster.errors import InvalidField
from jammi_dagster.fingerprint.sources.project_settings import settings_for

TEXT = """
    MEMO = {}
    def f(x=1):
        if x not in MEMO:
            MEMO[x] = eval("x + 1")
        return MEMO[x]
    def plain(): return 1
    """


@pytest.fixture
def alone(project: Project) -> Project:
    return project.write({"alone.py": TEXT, "rates.csv": "1"})


SETTINGS = """
    [tool.jammi_dagster]
    first_party = ["lib"]
    depends_on = ["rates.csv"]
    ignore = ["MEMO", "eval"]
    libraries = {"*" = "full", "NumPy" = "minor", pyyaml = "ignore"}
    """


def test_a_project_has_settings(alone: Project) -> None:
    """The nearest `pyproject.toml` above the function's file holds the settings for all its functions."""
    before = alone.identity("alone.f")
    alone.write({"pyproject.toml": SETTINGS})
    after = alone.identity("alone.f")
    assert before.unresolved
    assert after.unresolved == ()
    assert "file rates.csv" in after.named
    found = settings_for(os.path.join(alone.root, "alone.py"))
    assert found.first_party == {"lib"}
    versions = {"numpy": "2.4.6", "pyyaml": "6.0", "pandas": "3.1.1"}
    assert found.versions(versions) == {"numpy": "2.4", "pandas": "3.1.1"}


def test_an_installed_distribution_may_be_first_party(
    alone: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A distribution in `first_party` counts by its code, not by its version."""
    info = {"lib-1.dist-info/METADATA": "Name: lib\nVersion: 1\n", "lib-1.dist-info/RECORD": "lib.py,,\n"}
    site = Project(alone.root / "site-packages").write({**info, "lib.py": "K = 1\n"})
    monkeypatch.syspath_prepend(site.root)
    text = "import lib\ndef f(): return lib.K\n"
    assert alone.of_source(text).libraries == {"lib": "1"}
    alone.write({"pyproject.toml": SETTINGS})
    found = alone.of_source(text)
    assert found.libraries == {}
    assert "constant K (lib.py)" in found.named


@pytest.mark.parametrize(
    "text",
    [
        "[tool.jammi_dagster]\nignore = 'MEMO'",
        "[tool.jammi_dagster]\nignore = [3]",
        "[tool.jammi_dagster]\nignored = []",
        "[tool.jammi_dagster]\nlibraries = ['a']",
        "[tool.jammi_dagster]\nlibraries = {a = 'major'}",
        "[tool]\njammi_dagster = 3",
        "[tool.jammi_dagster",
    ],
)
def test_settings_that_make_no_sense_are_an_error(alone: Project, text: str) -> None:
    """A misspelled setting is an error: it would give another identity than its author expects."""
    alone.write({"pyproject.toml": text + "\n"})
    with pytest.raises(InvalidField, match=r"tool\.jammi_dagster"):
        alone.identity("alone.plain")


READING = {
    "a function": "import mysdk\ndef f(): return mysdk.fetch('a')",
    "by another name": "from mysdk import fetch as get\ndef f(): return get('a')",
    "handed on": "import mysdk\ndef f(): return list(map(mysdk.fetch, 'a'))",
    "a module": "import warehouse.tables\ndef f(): return warehouse.tables.read()",
    "a method of its result": "import warehouse\ndef f(): return warehouse.connect().query('a')",
    "by another module": "from hands import fetch\ndef f(): return fetch('a')",
}


@pytest.mark.parametrize("text", READING.values(), ids=READING)
def test_readers_of_the_project_are_reads(project: Project, text: str) -> None:
    """`readers` names functions, and modules of functions, that read the outside world."""
    project.write(
        {
            "mysdk.py": "def fetch(x): return x\ndef other(x): return x\n",
            "warehouse/__init__.py": "def connect(): return connect\n",
            "warehouse/tables.py": "def read(): return 1\n",
            "hands.py": "from json import loads as fetch\n",
        }
    )
    assert project.of_source(text).outside == ()
    project.write(
        {"pyproject.toml": '[tool.jammi_dagster]\nreaders = ["mysdk.fetch", "warehouse", "json.loads"]\n'}
    )
    project.forget()
    assert all(read.is_declarable for read in project.of_source(text).outside)
    assert project.of_source(text).outside
    assert project.of_source("import mysdk\ndef f(): return mysdk.other('a')").outside == ()
