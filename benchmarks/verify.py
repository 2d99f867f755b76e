"""Verified reads over a bare read of the same whole table, warm."""

from __future__ import annotations

import functools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import tables
from benchmarks.fresh import fresh
from benchmarks.report import Report, Row
from jammi_dagster import ResultStore

BUDGET = 1.15
ABOUT = (
    "`ResultStore.read` of a whole table under each `verify=`, over `pyarrow.parquet.ParquetFile.read` of the same "
    "file, which lies in the page cache. `s` and `x` are by the least of all rounds, taken in turns; `cpu` is the "
    "processor time of all threads. The budget is for `pages`, the default of steps and of `read`."
)
Seconds = dict[str, list[float]]  # by clock


def run(*, rounds: int = 9, table_mb: int = 200) -> Report:
    """Time each way to read a table of `table_mb` in memory."""
    taken: dict[str, Seconds] = fresh(times, table_mb=table_mb, rounds=rounds).result
    least = {way: {clock: min(found) for clock, found in each.items()} for way, each in taken.items()}
    rows = []
    for way, clocks in least.items():
        values = {
            "s": clocks["s"],
            "median s": median(taken[way]["s"]),
            "x": clocks["s"] / least["bare"]["s"],
            "cpu s": clocks["cpu s"],
            "cpu x": clocks["cpu s"] / least["bare"]["cpu s"],
        }
        budget, budgeted = (BUDGET, "x") if way == "pages" else (None, "")
        rows.append(Row(what=f"{table_mb} MB, {way}", values=values, budget=budget, budgeted=budgeted))
    return Report(name="verify", about=ABOUT, rows=rows)


def times(table_mb: int, rounds: int) -> dict[str, Seconds]:
    """Measure, in a fresh process, the seconds of each way to read the table."""
    with tempfile.TemporaryDirectory() as folder:
        store = ResultStore(folder)
        data = pa.Table.from_batches(tables.generated(table_mb))
        record = store.materialize("t", data, descriptor={"producer": "benchmark"}, env={}, inputs=[])
        del data
        path = Path(folder) / record.artifact_path
        ways: dict[str, Callable[[], object]] = {"bare": lambda: _bare(path)}
        for verify in ("off", "pages", "full"):
            ways[verify] = functools.partial(store.read, "t", verify=verify)
        taken: dict[str, Seconds] = {way: {"s": [], "cpu s": []} for way in ways}
        for attempt in range(rounds + 1):
            for way, read in ways.items():
                path.touch()  # so that each round of `full` hashes anew
                started, processor = time.perf_counter(), time.process_time()
                read()
                if attempt:  # the first warms up
                    taken[way]["s"].append(time.perf_counter() - started)
                    taken[way]["cpu s"].append(time.process_time() - processor)
        store.close()
    return taken


def _bare(path: Path) -> object:
    with pq.ParquetFile(path) as file:
        return file.read()
