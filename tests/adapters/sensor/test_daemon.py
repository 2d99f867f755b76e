"""A real daemon with the sensor switched on: files change, exactly what they affect is made again, then it rests."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
from waiting_kit import until

from jammi_dagster.adapters.metadata_keys import RANGE_TAGS

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
CONFIG = """
telemetry: {enabled: false}
run_coordinator: {module: dagster.core.run_coordinator, class: DefaultRunCoordinator}
"""


@contextlib.contextmanager
def daemon(home: Path) -> Iterator[dg.DagsterInstance]:
    """`dagster-daemon run` on the instance in `home`, with the code server that it starts."""
    home.mkdir()
    (home / "dagster.yaml").write_text(CONFIG)
    shutil.copy(HERE / "daemon_assets.py", home / "pipeline.py")
    for key in "ab":
        (home / f"raw-{key}").write_text(f"{key}1")
    for key in "12":
        (home / f"range-{key}").write_text("1")
    environment = {**os.environ, "DAGSTER_HOME": str(home)}
    instance = dg.DagsterInstance.from_config(str(home))  # Dagster's storages are not made by several at once
    command = [sys.executable, "-m", "dagster._daemon", "run", "-f", str(home / "pipeline.py")]
    with instance, open(home / "daemon.log", "wb") as log:
        process = subprocess.Popen(
            command, cwd=home, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield instance
        finally:  # the daemon, its code server and the runs of it are one group of processes
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def put(texts: dict[Path, str]) -> None:
    """Write files at nearly one moment: no tick of the daemon sees one of them empty."""
    new = {path.with_suffix(".new"): path for path in texts}
    for written, path in new.items():
        written.write_text(texts[path])
    for written, path in new.items():
        written.replace(path)


class Watch:
    """What an instance has done since this was last asked."""

    def __init__(self, instance: dg.DagsterInstance, log: Path) -> None:
        self._instance, self._log, self._seen = instance, log, set[str]()

    def wait(self, is_so: Callable[[], bool], what: str) -> None:
        until(is_so, lambda: f"{what}: {self._log.read_text()[-3000:]}")

    def runs(self) -> list[dg.DagsterRun]:
        return [run for run in self._instance.get_runs() if run.run_id not in self._seen]

    def ticks(self) -> int:
        (state,) = self._instance.all_instigator_state()
        return len(self._instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=10_000))

    def rests(self) -> None:
        """Waits until two ticks in a row have found nothing to do and nothing runs."""
        before = -1, -1

        def is_quiet() -> bool:
            nonlocal before
            runs, ticks = len(self.runs()), self.ticks()
            if runs != before[0] or any(not run.is_finished for run in self.runs()):
                before = runs, ticks
            return runs > 0 and ticks >= before[1] + 2

        self.wait(is_quiet, "the sensor does not rest")

    def made(self) -> dict[str, list[str]]:
        """How each table came about in the runs since then, in order; none for a step that failed."""
        found: dict[str, list[str]] = {}
        for run in reversed(self.runs()):
            self._seen.add(run.run_id)
            for entry in self._instance.all_logs(
                run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
            ):
                made = entry.asset_materialization
                assert made is not None
                name = made.asset_key.to_user_string() + (f"[{made.partition}]" if made.partition else "")
                found.setdefault(name, []).append(str(made.metadata["jammi/cache_outcome"].value))
        return found


def test_the_daemon_makes_again_exactly_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First everything that is missing; then a change, one that is cut off, ranges in one run, and one that fails."""
    home = tmp_path / "home"
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with daemon(home) as instance:
        watch = Watch(instance, home / "daemon.log")
        watch.wait(lambda: bool(instance.all_instigator_state()), "the sensor does not tick")
        watch.rests()
        ranged = {f"ranged[{key}]" for key in "12"}  # the files of the others are not there yet
        everything = {"raw[a]", "raw[b]", "initial[a]", "initial[b]", "initials", "apart", *ranged}
        assert watch.made() == {name: ["computed"] for name in everything}

        put({home / "raw-a": "c1"})
        watch.rests()
        assert watch.made() == {name: ["computed"] for name in ("raw[a]", "initial[a]", "initials")}

        put({home / "raw-b": "b2"})
        watch.rests()
        assert watch.made() == {"raw[b]": ["computed"], "initial[b]": ["computed"], "initials": ["reused"]}

        for changed in ("34", "3"):  # what was made of both files goes stale with either
            put({home / f"range-{key}": f"{key} of {changed}" for key in changed})
            watch.rests()
            (run,) = watch.runs()
            assert [run.tags[tag] for tag in RANGE_TAGS] == ["3", "4"]
            assert watch.made() == {"ranged[3]": ["computed"], "ranged[4]": ["computed"]}

        put({home / "raw-a": "bad"})
        watch.rests()
        failed = watch.runs()
        assert [run.status for run in failed] == [dg.DagsterRunStatus.FAILURE]
        assert watch.made() == {}
