"""Many unchanged steps: a whole job under `reuse_first`, on an SQLite instance with our event log storage."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import dagster as dg

from benchmarks import peers
from benchmarks.fresh import FreshRun, disk_mb, fresh
from benchmarks.pipelines import Asset, Kind
from benchmarks.report import Report, Row
from benchmarks.runs import EVENT_LOG, local_instance

JOBS = ("in_process", "multiprocess")
SECONDS = 4.0  # for 1,000 steps
HIT_SECONDS = 0.02
HAMILTON = 4.0  # times its processor time
GROWTH_MB = 0.7  # of the event log, for 20 steps

ABOUT = (
    "an unchanged job in chains of ten small steps, the creation of the run included, imports and the loading of the "
    "definitions not; seconds and processor seconds, the least of all rounds. `a hit under multiprocess` is by step. "
    "Growth is that of the store's catalog and of the event log by a run of 20 unchanged steps, in 10^6 bytes. "
    "`process s` and `process cpu s` are those of the whole process, imports included, as the peers have them: redun, "
    "DVC and Hamilton, over the same tables in chains of ten."
)


def run(*, steps: int = 1_000, rounds: int = 3, grown: int = 20, python: str = sys.executable) -> Report:
    """Measure a job of so many steps, and the growth by one of `grown` steps; `python` has the peers."""
    taken = ours(steps, rounds, JOBS)
    small = taken if grown == steps else ours(grown, 1, JOBS[:1])
    there = {name: taken["multiprocess"][name] / steps for name in ("s", "cpu s")}
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
    return Report(name="wide", about=ABOUT, rows=[*rows, *_peers(steps, rounds, python, taken["in_process"])])


def _peers(steps: int, rounds: int, python: str, here: Mapping[str, float]) -> Iterator[Row]:
    """Yield the same of each peer, or that it is missing."""
    found = peers.installed(python)
    yield from peers.missing(found)
    assets = [_asset(number) for number in range(steps)]
    for kind in (kind for kind in peers.PEERS if kind in found):
        with tempfile.TemporaryDirectory(prefix="jammi-bench-") as folder:
            again = peers.unchanged(kind, Path(folder), assets, python=python, rounds=rounds)
        cpu = min(each.cpu_seconds for each in again)
        yield Row(
            what=kind.value,
            values={"process s": min(each.seconds for each in again), "process cpu s": cpu},
        )
        yield Row(
            what=f"{steps:,} unchanged steps / {kind.value}",
            values={"x": here["process cpu s"] / cpu},
            budget=HAMILTON if kind is Kind.HAMILTON else None,
            budgeted="x" if kind is Kind.HAMILTON else "",
        )


def _asset(number: int) -> Asset:
    name, table = f"step_{number:04}", f'pa.table({{"x": [{number}]}})'
    if number % 10 == 0:
        return Asset(name=name, source=table, body="table")
    return Asset(name=name, upstream=f"step_{number - 1:04}", body=table)


def _row(what: str, taken: Mapping[str, float], budget: float) -> Row:
    values = {name: value for name, value in taken.items() if not name.endswith("MB")}
    return Row(what=what, values=values, budget=budget, budgeted="cpu s")


def ours(steps: int, rounds: int, jobs: Sequence[str]) -> dict[str, dict[str, float]]:
    """Compute the tables once, and run the unchanged jobs in fresh processes; return the least of each figure."""
    with tempfile.TemporaryDirectory(prefix="jammi-bench-") as folder:
        fresh(once, folder=folder, steps=steps, job=JOBS[0])
        taken = {
            job: [_whole(fresh(once, folder=folder, steps=steps, job=job)) for _ in range(rounds)]
            for job in jobs
        }
    return {job: {name: min(one[name] for one in each) for name in each[0]} for job, each in taken.items()}


def _whole(run: FreshRun) -> dict[str, float]:
    return {**run.result, "process s": run.seconds, "process cpu s": run.cpu_seconds}


def once(folder: str, steps: int, job: str) -> Mapping[str, float]:
    """Run the job once on the instance and the store in the folder."""
    home, store = Path(folder, "home"), Path(folder, "store")
    os.environ |= {"JAMMI_WIDE_STEPS": str(steps), "JAMMI_WIDE_STORE": str(store)}
    pipeline = importlib.import_module("benchmarks.wide_pipeline")
    recon = dg.reconstructable(getattr(pipeline, job))
    sizes = {"catalog MB": store, "event log MB": home / "history"}
    before = {name: disk_mb(path) for name, path in sizes.items()}
    with local_instance(home, event_log=EVENT_LOG) as instance:
        recon.get_definition()
        started, cpu = time.perf_counter(), time.process_time()
        with dg.execute_job(recon, instance=instance, run_config=_QUIET) as result:
            assert result.success, "a step that fails raises"
        taken = {"s": time.perf_counter() - started, "cpu s": time.process_time() - cpu}
    return taken | {name: disk_mb(path) - before[name] for name, path in sizes.items()}


_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
