"""A copy of the demo project over a fortieth of its flights."""

import shutil
from pathlib import Path

import pytest

from demo import raw

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "definitions.py", folder)
    shutil.copytree(ROOT / "demo", folder / "demo", ignore=shutil.ignore_patterns("__pycache__"))
    raw.write(folder / "dagster_home" / "raw", every=40)
    shutil.copy(ROOT / "dagster_home" / "dagster.yaml", folder / "dagster_home")
    return folder
