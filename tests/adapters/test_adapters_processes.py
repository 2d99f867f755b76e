"""The multiprocess executor: each step in a process of its own, and one that is killed (issue 2)."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from adapters_kit import values

from jammi_dagster import ResultStore

HERE = Path(__file__).parent
DIES = {"run_config": {"ops": {"deadly": {"config": {"dies": True}}}}}
JOBS: dict[str, tuple[str, dict[str, Any]]] = {
    "january": ("month", {"tags": {"dagster/partition": "jan"}}),
    "february": ("month", {"tags": {"dagster/partition": "feb"}}),
    "diamond": ("diamond", {}),
    "diamond again": ("diamond", {}),
    "killed": ("death", DIES),
    "after the kill": ("death", {}),
    "death again": ("death", {}),
}

Runs = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("processes")


@pytest.fixture(scope="module")
def runs(root: Path) -> Runs:
    """All jobs, one after the other, by a process that has a fork server, on an SQLite instance."""
    home = root / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    environment = {
        **os.environ,
        "ADAPTERS_TEST_ROOT": str(root / "store"),
        "DAGSTER_HOME": str(home),
        "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, str(HERE / "processes_run.py"), json.dumps(list(JOBS.values()))]
    ended = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return dict(zip(JOBS, json.loads(ended.stdout.splitlines()[-1]), strict=True))


@pytest.fixture
def store(root: Path) -> Iterator[ResultStore]:
    opened = ResultStore(str(root / "store"))
    yield opened
    opened.close()


def test_every_step_in_a_process_of_its_own(runs: Runs, store: ResultStore) -> None:
    """Partitions, a fan-in and a diamond with a plain side: computed once, then reused by other processes."""
    assert runs["january"]["outcomes"] == {"monthly[jan]": "computed"}
    assert runs["february"]["outcomes"] == {"monthly[feb]": "computed"}
    assert runs["diamond"]["outcomes"] == dict.fromkeys(("whole", "left", "right", "foot"), "computed")
    assert runs["diamond again"]["outcomes"] == {
        "whole": "reused",
        "left": "reused",
        "right": "computed",
        "foot": "reused",
    }
    assert values(store.read("foot")) == ["feb", "jan"]
    assert store.current("right").reproducibility == "reproduced"


def test_a_killed_step_leaves_nothing_wrong(runs: Runs, store: ResultStore) -> None:
    """SIGKILL in the middle of the write: nothing is published, and the next run computes and succeeds."""
    killed = runs["killed"]

    assert not killed["success"]
    assert killed["outcomes"] == {}
    assert "ChildProcessCrashException" in killed["errors"][0]
    assert runs["after the kill"]["outcomes"] == {"deadly": "computed", "below": "computed"}
    assert values(store.read("below")) == ["before", "after"]
    assert runs["death again"]["outcomes"] == {"deadly": "reused", "below": "reused"}
    statuses = [record.status for record in store.history("deadly")]
    assert statuses[0] == "ready"
    assert set(statuses[1:]) <= {"building", "failed"}
