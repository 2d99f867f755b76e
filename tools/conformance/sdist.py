"""Dagster's tests: unpacked from the source distribution of one version into a folder that git ignores."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

_TESTS = "dagster_tests"


class SourceUnavailable(Exception):
    """A source distribution that could not be had."""


def fetch(version: str, cache: Path) -> Path:
    """Return the folder with `dagster_tests` of this version, and download it where it is not there yet.

    Raise `SourceUnavailable`.
    """
    home = cache / version
    if home.exists():
        return home
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        scratch = Path(folder)
        _download(version, scratch)
        top = f"dagster-{version}"
        with tarfile.open(scratch / f"{top}.tar.gz") as archive:
            members = [item for item in archive if item.name.startswith(f"{top}/{_TESTS}/")]
            archive.extractall(scratch, members=members, filter="data")
        # it imports `dagster_test`, which is not on the index; `plugin` stands for it
        (scratch / top / _TESTS / "conftest.py").unlink()
        (scratch / top / "pytest.ini").write_text("[pytest]\n")  # keeps this project's settings out
        shutil.move(scratch / top, home)
    return home


def _download(version: str, folder: Path) -> None:
    options = [
        "--quiet",
        "--no-deps",
        "--no-binary",
        "dagster",
        "--no-build-isolation",
        "--dest",
        str(folder),
    ]
    command = [sys.executable, "-m", "pip", "download", *options, f"dagster=={version}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SourceUnavailable(f"the source of dagster {version} could not be downloaded:\n{done.stderr}")
