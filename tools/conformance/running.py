"""One run of Dagster's tests in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_TESTS = "dagster_tests/"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one test: `passed`, `failed` or `skipped`, with the text of the error and counts of ticks."""

    outcome: str
    error: str = ""
    ticks: Mapping[str, int] = field(default_factory=dict)


def run(home: Path, files: Sequence[str], *, shim: str = "", processes: int = 0) -> dict[str, Outcome]:
    """Run these files below `dagster_tests`, with the replacement that a module beside this one installs.

    Return the outcome of each test by `file::test`; a file that cannot be imported is one test. Raise
    `RuntimeError` with the end of the output if pytest itself stops.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ["-p", "tools.conformance.plugin", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
        options += [
            "--tb=short",
            "--show-capture=no",
            "-q",
            "-W",
            "ignore",
            "--continue-on-collection-errors",
        ]
        options += ["-n", str(processes), "--dist", "worksteal"] if processes else ["-p", "no:xdist"]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), str(home)]),
            "CONFORMANCE_SHIM": shim,
            "CONFORMANCE_REPORT": str(report),
            "TMPDIR": folder,
        }
        environment.pop("DAGSTER_HOME", None)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *(_TESTS + file for file in files)],
            cwd=home,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode > 1 and not report.exists():
            raise RuntimeError(f"pytest stopped:\n{(done.stdout + done.stderr)[-3000:]}")
        outcomes = json.loads(report.read_text())
    return {name.removeprefix(_TESTS): Outcome(**value) for name, value in outcomes.items()}
