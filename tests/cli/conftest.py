"""A project that ran once, and copies of it to change."""

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from cli_kit import Project, new_project


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that ran, not to be changed."""
    return new_project(tmp_path_factory.mktemp("cli") / "project")


@pytest.fixture
def project(ran: Project, tmp_path: Path) -> Project:
    """A copy of it, in a place of its own."""
    copy = Project(tmp_path / "project")
    shutil.copytree(ran.folder, copy.folder, ignore=shutil.ignore_patterns("__pycache__", "catalog.db*"))
    with (  # the log beside the file goes whenever a store that other tests asked is closed
        contextlib.closing(sqlite3.connect(Path(ran.root, "catalog.db"))) as source,
        contextlib.closing(sqlite3.connect(Path(copy.root, "catalog.db"))) as target,
    ):
        source.backup(target)
    return copy


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let pass a warning that Dagster causes itself: a resource within a resource uses its own deprecated property."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            ignored = "ignore:InitResourceContext.dagster_run is deprecated:DeprecationWarning"
            item.add_marker(pytest.mark.filterwarnings(ignored))
