"""A step that waits for another run that makes the same: bounded, and cancelled by Dagster's termination."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting_kit import MOST_SECONDS, until

from jammi_dagster import ResultStore

pytestmark = pytest.mark.slow  # up to four processes, each of which imports Dagster

_SCRIPT = Path(__file__).with_name("waiting_run.py")


class Worker:
    """A process that runs the asset, as a run worker of Dagster's does."""

    def __init__(self, root: Path, most_wait: float) -> None:
        command = [sys.executable, str(_SCRIPT), str(root), str(most_wait)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def until(self, text: str) -> str:
        """Read its log up to a line with this text."""
        assert self._process.stdout is not None
        return next(line for line in self._process.stdout if text in line)

    def terminate(self) -> None:
        """Interrupt it, as Dagster's run launcher does to terminate a run."""
        self._process.send_signal(signal.SIGINT)

    def ended(self) -> str:
        """How its run ended."""
        said, _ = self._process.communicate(timeout=MOST_SECONDS)
        return said.strip().splitlines()[-1].removeprefix("ended: ")

    def close(self) -> None:
        """End it, if it is still there."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.communicate()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def first(root: Path) -> Iterator[Worker]:
    """A run that has begun to compute, and computes until there is a file `go`."""
    worker = Worker(root, 3600)
    until(lambda: list(root.parent.glob("began-*")), "the run does not begin")
    yield worker
    worker.close()


@pytest.fixture
def second(first: Worker, root: Path, request: pytest.FixtureRequest) -> Iterator[Worker]:
    """A run of the same that waits for the first, for at most as long as the test says."""
    worker = Worker(root, request.param)
    worker.until("is making the same just now; waiting for it")
    yield worker
    worker.close()


def _history(root: Path) -> list[str]:
    store = ResultStore(str(root))
    try:
        return [record.status for record in store.history("slow")]
    finally:
        store.close()


@pytest.mark.parametrize("second", [3600], indirect=True)
def test_termination_ends_the_wait(root: Path, first: Worker, second: Worker) -> None:
    """It ends while the first goes on, and leaves no row; the first is not disturbed, and a third reuses it."""
    second.terminate()
    assert second.ended() == "nothing"
    assert _history(root) == ["building"]
    (root.parent / "go").touch()
    assert first.ended() == "computed"
    assert _history(root) == ["ready"]
    with contextlib.closing(Worker(root, 3600)) as third:
        assert third.ended() == "reused"


@pytest.mark.parametrize("second", [1], indirect=True)
def test_the_run_tag_bounds_the_wait(root: Path, first: Worker, second: Worker) -> None:
    """After its seconds the second computes beside the first; both are published, the later start is current."""
    until(lambda: len(list(root.parent.glob("began-*"))) == 2, "the second does not begin")
    (root.parent / "go").touch()
    assert {first.ended(), second.ended()} == {"computed"}
    assert _history(root) == ["ready", "ready"]


@pytest.mark.parametrize("second", [3600], indirect=True)
def test_the_second_reuses_what_it_waited_for(root: Path, first: Worker, second: Worker) -> None:
    """Its function never runs."""
    (root.parent / "go").touch()
    assert (first.ended(), second.ended()) == ("computed", "reused")
    assert len(list(root.parent.glob("began-*"))) == 1
