from collections.abc import Iterator
from pathlib import Path

import pytest
from fingerprint_kit import PIPELINES, Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A source tree with nothing in it."""
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    monkeypatch.syspath_prepend(tmp_path)
    made = Project(tmp_path)
    yield made
    made.forget()


@pytest.fixture
def pipelines(project: Project) -> Project:
    """A package in which `pipelines.text.f` reaches every module but `aside`."""
    return project.write(PIPELINES)
