"""Files of projects, loaded as modules: `project/` is a project, `no_project/` is none, and work goes on elsewhere."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from jammi_dagster import project_paths

IMPORTS = """
import functools
import dagster as dg
from jammi_dagster import ResultStore, ResultStoreResource, ResultTableIOManager
from jammi_dagster.surfaces import file
"""


class Folders:
    """A folder with a project in it; the working folder is none of the project's."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self._patch = home, monkeypatch
        self.project, self.working = home / "project", home / "elsewhere"
        self.project.mkdir()
        (self.project / "pyproject.toml").touch()
        self.working.mkdir()
        monkeypatch.chdir(self.working)
        found_above = project_paths.pyproject_above
        monkeypatch.setattr(
            project_paths,
            "pyproject_above",  # a machine may have one above the temporary folders of all tests
            lambda file: found if (found := found_above(file)) and found[0].startswith(f"{home}/") else None,
        )

    def load(self, name: str, text: str) -> Any:
        """Write a file below the folder, and load it as a module."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(IMPORTS + text)
        return self._loaded(path)

    def _loaded(self, path: Path) -> ModuleType:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        self._patch.setitem(sys.modules, path.stem, module)
        spec.loader.exec_module(module)
        return module
