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
from waiting_kit import MOST_SECONDS

from jammi_dagster import ResultStore

pytestmark = pytest.mark.slow  # each step is a process; `make slow` runs it

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

# The code identities that a code location shows, by asset.
IDENTITIES = """
import json
import os
import dagster as dg
from processes_assets import YEAR
from jammi_dagster import ResultStoreResource, ResultTableIOManager, finalize

manager = ResultTableIOManager(store=ResultStoreResource(root=os.path.abspath("store")))
graph = finalize(dg.Definitions(assets=YEAR, resources={"io_manager": manager})).resolve_asset_graph()
print(json.dumps({key.to_user_string(): graph.get(key).code_version for key in graph.get_all_asset_keys()}))
"""

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
    command = [str(HERE / "processes_run.py"), json.dumps(list(JOBS.values()))]
    environment = {"ADAPTERS_TEST_ROOT": str(root / "store"), "DAGSTER_HOME": str(home)}
    return dict(zip(JOBS, answer(command, root, PYTHONHASHSEED="1", **environment), strict=True))


def answer(command: list[str], cwd: Path, **environment: str) -> Any:
    """What a Python process of its own prints last, as JSON."""
    path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    given = {**os.environ, "PYTHONPATH": path, **environment}
    ended = subprocess.run(
        [sys.executable, *command], env=given, cwd=cwd, capture_output=True, text=True, timeout=MOST_SECONDS
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


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


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("seed", ["1", "2"])
def test_every_step_records_the_identity_that_its_code_location_shows(
    store: ResultStore, tmp_path: Path, seed: str
) -> None:
    """In another process and folder, also under another hash seed: that of what a closure and a registry hold too."""
    recorded = {
        table: store.producing_descriptor(table).to_dict()["code"]
        for table in ("monthly[jan]", "monthly[feb]", "whole", "left", "right", "foot")
    }
    assert {code["kind"] for code in recorded.values()} == {"source"}
    assert set(recorded["left"]["components"]) >= {
        "closure variable 'names' of keeping.<locals>.kept",
        "helper head (processes_helpers.py)",
        "value of STEPS",
    }
    shown = answer(["-c", IDENTITIES], tmp_path, PYTHONHASHSEED=seed)
    for table, code in recorded.items():
        assert code["digest"] == shown[table.partition("[")[0]]


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
