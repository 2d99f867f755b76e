"""Many unchanged steps: a whole job under `reuse_first`, on an SQLite instance with our event log storage."""

from __future__ import annotations

import importlib
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import dagster as dg

from benchmarks.fresh import fresh
from benchmarks.report import Report, Row

JOBS = ("in_process", "multiprocess")
SECONDS = 4.0  # for 1,000 steps
HIT_SECONDS = 0.02
GROWTH_MB = 0.7  # of the event log, for 20 steps

ABOUT = (
    "an unchanged job in chains of ten small steps, the creation of the run included, imports and the loading of the "
    "definitions not; seconds and processor seconds, the least of all rounds. `a hit under multiprocess` is by step. "
    "Growth is that of the store's catalog and of the event log by a run of 20 unchanged steps, in 10^6 bytes."
)


def run(*, steps: int = 1_000, rounds: int = 3, grown: int = 20) -> Report:
    """Measure a job of so many steps, and the growth by one of `grown` steps."""
    taken = ours(steps, rounds, JOBS)
    small = taken if grown == steps else ours(grown, 1, JOBS[:1])
    there = {name: value / steps for name, value in taken["multiprocess"].items()}
    rows = [
        _row(f"{steps:,} unchanged steps", taken["in_process"], SECONDS * steps / 1_000),
        _row("a hit under multiprocess", there, HIT_SECONDS),
        Row(
            what=f"growth by {grown} unchanged steps",
            values={name: small["in_process"][name] for name in ("catalog MB", "event log MB")},
            budget=GROWTH_MB,
            budgeted="event log MB",
        ),
    ]
    return Report(name="wide", about=ABOUT, rows=rows)


def _row(what: str, taken: Mapping[str, float], budget: float) -> Row:
    values = {name: taken[name] for name in ("s", "cpu s")}
    return Row(what=what, values=values, budget=budget, budgeted="cpu s")


def ours(steps: int, rounds: int, jobs: Sequence[str]) -> dict[str, dict[str, float]]:
    """Compute the tables once, and run the unchanged jobs in fresh processes; return the least of each figure."""
    with tempfile.TemporaryDirectory(prefix="jammi-bench-") as folder:
        fresh(once, folder=folder, steps=steps, job=JOBS[0])
        taken = {
            job: [fresh(once, folder=folder, steps=steps, job=job).result for _ in range(rounds)]
            for job in jobs
        }
    return {job: {name: min(one[name] for one in each) for name in each[0]} for job, each in taken.items()}


def once(folder: str, steps: int, job: str) -> Mapping[str, float]:
    """Run the job once on the instance and the store in the folder."""
    home, store = Path(folder, "home"), Path(folder, "store")
    _configure(home)
    os.environ |= {
        "DAGSTER_HOME": str(home),
        "DAGSTER_EVENT_BATCH_SIZE": "1000",
        "JAMMI_WIDE_STEPS": str(steps),
        "JAMMI_WIDE_STORE": str(store),
    }
    pipeline = importlib.import_module("benchmarks.wide_pipeline")
    recon = dg.reconstructable(getattr(pipeline, job))
    sizes = {"catalog MB": store, "event log MB": home / "history"}
    before = {name: _megabytes(path) for name, path in sizes.items()}
    with dg.DagsterInstance.get() as instance:
        recon.get_definition()
        started, cpu = time.perf_counter(), time.process_time()
        with dg.execute_job(recon, instance=instance, run_config=_QUIET) as result:
            assert result.success, "a step that fails raises"
        taken = {"s": time.perf_counter() - started, "cpu s": time.process_time() - cpu}
    return taken | {name: _megabytes(path) - before[name] for name, path in sizes.items()}


_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def _configure(home: Path) -> None:
    home.mkdir(exist_ok=True)
    storage = (
        "  module: jammi_dagster.adapters.event_log_storage\n"
        "  class: BatchingSqliteEventLogStorage\n"
        f"  config: {{base_dir: {home / 'history' / 'runs'}}}\n"
    )
    (home / "dagster.yaml").write_text(f"telemetry: {{enabled: false}}\nevent_log_storage:\n{storage}")


def _megabytes(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
