"""Relative paths start at the project of the file that gives them, from whichever folder a process works."""

import logging
import os
import pickle
import subprocess
import sys
import sysconfig
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from project_kit import IMPORTS, Folders

from jammi_dagster import ResultStoreResource
from jammi_dagster.errors import NoProjectFolder


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    return Folders(tmp_path, monkeypatch)


WAYS = {
    "plainly": "store = ResultStoreResource(root='results')",
    "in an IO manager": "store = ResultTableIOManager(store=ResultStoreResource(root='results')).store",
    "with a catalog": "store = ResultStoreResource(root='results', catalog='catalog.db')",
    "with a URL of a file": "store = ResultStoreResource(root='results', catalog='sqlite:///catalog.db')",
    "by a subclass with a default": """
class Ours(ResultStoreResource):
    root: str = 'results'
store = Ours()
""",
    "by a subclass with a constructor": """
class Ours(ResultStoreResource):
    def __init__(self, name='results', **more):
        super().__init__(root=name, **more)
store = Ours()
""",
    "by a function": "store = (lambda name: ResultStoreResource(root=name))('results')",
    "by a partial function": "store = functools.partial(ResultStoreResource, root='results')()",
    "by validation": "store = ResultStoreResource.model_validate({'root': 'results'})",
    "within the definitions": """
@dg.definitions
def defs():
    return dg.Definitions(resources={'store': ResultStoreResource(root='results')})
store = defs().resources['store']
""",
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_resource_holds_absolute_paths(folders: Folders, way: str) -> None:
    """The config of a resource, which other processes get, holds the paths below its own project."""
    store = folders.load("project/src/store_of_project.py", way).store
    assert store.root == str(folders.project / "results")
    assert store.catalog in (None, str(folders.project / "catalog.db"))


def test_other_addresses_stay_as_they_are(folders: Folders) -> None:
    """Absolute paths and URLs need no project, and neither do catalogs in memory and on a server."""
    given = [
        {"root": "/data/results", "catalog": "/data/catalog.db"},
        {"root": "s3://bucket/results", "catalog": "postgresql://me@db/store"},
        {"root": "file:///data/results", "catalog": "sqlite:////data/catalog.db"},
        {"root": "~/results", "catalog": "sqlite://"},
        {"root": "memory://results", "catalog": "host=db password=secret"},
    ]
    loaded = folders.load(
        "no_project/store_of_none.py", f"stores = [ResultStoreResource(**each) for each in {given!r}]"
    )
    assert [{"root": store.root, "catalog": store.catalog} for store in loaded.stores] == given


def test_a_store_and_a_file_follow_the_same_rule(folders: Folders) -> None:
    """The library and `file()` resolve as the resource does; an anchor still names the path as it was given."""
    found = folders.load(
        "project/src/rule.py",
        "store = ResultStore('results', 'catalogs.db')\nsurface = file('raw/orders.csv')",
    )
    assert found.store.artifacts.local_root == str(folders.project / "results")
    assert found.store.database.name == "sqlite:///" + str(folders.project / "catalogs.db")
    assert found.surface.path == str(folders.project / "raw" / "orders.csv")
    assert found.surface.source == "file:raw/orders.csv"


def test_the_nearest_project_counts(folders: Folders) -> None:
    """A project within a project, and a helper of another one, each have their own folder."""
    (folders.project / "libs" / "inner").mkdir(parents=True)
    (folders.project / "libs" / "inner" / "pyproject.toml").touch()
    folders.load(
        "project/libs/inner/inner_helper.py", "def store(): return ResultStoreResource(root='results')"
    )
    used = folders.load("project/src/user_of_helper.py", "import inner_helper\nstore = inner_helper.store()")
    assert used.store.root == str(folders.project / "libs" / "inner" / "results")


@pytest.mark.parametrize(
    "call", ["ResultStoreResource(root='results')", "ResultStore('results')", "file('results')"]
)
def test_without_a_project_an_error_says_the_way_out(folders: Folders, call: str) -> None:
    """No `pyproject.toml` above the file is an error; a thing at the place of before is named in it."""
    (folders.working / "results").mkdir()
    (folders.working / "results" / "catalog.db").touch()
    with pytest.raises(
        NoProjectFolder, match=r"no pyproject.toml lies above .*; give an absolute path"
    ) as caught:
        folders.load("no_project/alone.py", f"found = {call}")
    assert str(folders.working / "results") in str(caught.value)
    assert ("or a URL" in str(caught.value)) is not call.startswith("file")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("folder", ["site-packages", "dist-packages"])
def test_installed_code_has_no_project(folders: Folders, folder: str) -> None:
    """A `pyproject.toml` above an installed package is the one of whoever installed it."""
    with pytest.raises(NoProjectFolder, match="is installed, not part of a project"):
        folders.load(
            f"project/.venv/lib/{folder}/installed_helper.py", "store = ResultStoreResource(root='results')"
        )


def test_code_in_an_archive_has_no_project(tmp_path: Path) -> None:
    """Its place is told as it is: an archive, below which nothing is kept."""
    (tmp_path / "pyproject.toml").touch()
    with zipfile.ZipFile(tmp_path / "shop.zip", "w") as archive:
        archive.writestr("shop/__init__.py", "")
        archive.writestr("shop/defs.py", "from jammi_dagster import ResultStore\nResultStore('results')\n")
    code = "import sys; sys.path.insert(0, 'shop.zip'); import shop.defs"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    said = f"{tmp_path}/shop.zip, from which the code is imported, is an archive and no folder; give an absolute path"
    assert said in done.stderr


def test_code_without_a_file_has_no_project(tmp_path: Path) -> None:
    """At a prompt nothing says where a path starts, though the working folder may be a project."""
    (tmp_path / "pyproject.toml").touch()
    code = "from jammi_dagster import ResultStore; ResultStore('results')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "NoProjectFolder: store results: it is relative, and no file constructs it" in done.stderr


def test_a_store_at_the_place_of_before_is_named(folders: Folders, caplog: pytest.LogCaptureFixture) -> None:
    """A store below the working folder is not orphaned in silence; the same one by another path is no other."""
    (folders.working / "results").mkdir()
    text = "store = ResultStoreResource(root='results')"
    with caplog.at_level(logging.WARNING, "jammi_dagster"):
        folders.load("project/src/before.py", text)
        assert not caplog.messages, "an empty folder is no store"
        (folders.working / "results" / "jammi-root.json").touch()
        folders.load("project/src/before.py", text)
        (line,) = caplog.messages
        assert str(folders.working / "results") in line
        assert str(folders.project / "results") in line
        caplog.clear()
        os.rename(folders.working / "results", folders.project / "results")
        (folders.working / "results").symlink_to(folders.project / "results")
        folders.load("project/src/before.py", text)
        assert not caplog.messages


@pytest.mark.slow
def test_two_working_folders_share_one_store(tmp_path: Path) -> None:
    """The same project run from its own folder and from another one reuses what the first run made."""
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "one_store.py").write_text(
        IMPORTS
        + """
import pyarrow as pa

from jammi_dagster import result_table

@result_table(cache="use", reads=[])
def made() -> pa.Table:
    return pa.table({"x": [1]})

ran = dg.materialize([made], resources={"io_manager": ResultTableIOManager(store=ResultStoreResource(root="results"))})
(event,) = ran.get_asset_materialization_events()
print(event.materialization.metadata["jammi/cache_outcome"].value)
"""
    )
    outcomes = []
    for folder in (tmp_path, tmp_path / "other"):
        command = [sys.executable, str(tmp_path / "one_store.py")]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        outcomes.append(done.stdout.splitlines()[-1])
    assert outcomes == ["computed", "reused"]
    assert not (tmp_path / "other" / "results").exists()


def test_code_of_the_standard_library_is_no_project() -> None:
    """A call from a thread of a pool has no file of the user's above it."""
    with ThreadPoolExecutor(1) as pool, pytest.raises(NoProjectFolder, match=sysconfig.get_path("stdlib")):
        pool.submit(ResultStoreResource, root="results").result()
