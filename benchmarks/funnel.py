"""The funnel over a bare `pyarrow.parquet.write_table`, and its peak memory beside a bare `ParquetWriter`."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import tables
from benchmarks.fresh import fresh
from benchmarks.report import Report, Row
from jammi_dagster import ResultStore
from jammi_dagster.artifacts import DEFAULT_PROFILE

TIME_BUDGET = 1.1
FLAT = 1.1
CLOCKS = ("s", "thread cpu s", "cpu s")
Seconds = dict[str, float]  # by clock

ABOUT = (
    "`ResultStore.materialize` (bytes, sidecar, catalog; all fsynced) over `write_table` of the same table in memory "
    "with the same writer options and row groups; then peak memory of a fresh process that writes a stream of record "
    "batches, and the same for `ParquetWriter` with the same row groups. `s` and `x` are by the least of all rounds, "
    "which are taken in turns: the machine's noise only adds. `thread cpu` is the processor time of the calling "
    "thread, `cpu` with that of the threads that hash beside it. MB are 10^6 bytes."
)


def run(
    *,
    rounds: int = 7,
    rows: int | None = None,
    table_mb: int = 500,
    streams_mb: Sequence[int] = (500, 1000, 2000),
) -> Report:
    """Time `flights` (the first `rows`) and a generated table, then write streams of growing size."""
    taken = fresh(times, rows=rows, table_mb=table_mb, rounds=rounds).result
    timed = [row for data, of_data in taken.items() for row in _time_rows(data, of_data)]
    return Report(name="funnel", about=ABOUT, rows=[*timed, *_memory_rows(streams_mb)])


def times(rows: int | None, table_mb: int, rounds: int) -> dict[str, dict[str, list[Seconds]]]:
    """Measure, in a fresh process, the seconds of each way to write each table."""
    return {
        "flights": _taken(tables.flights(rows), rounds),
        f"{table_mb} MB": _taken(pa.Table.from_batches(tables.generated(table_mb)), rounds),
    }


def _taken(data: pa.Table, rounds: int) -> dict[str, list[Seconds]]:
    table = data.combine_chunks()
    with _folder() as folder:
        store = ResultStore(str(folder / "store"))
        ways: dict[str, Callable[[Path], None]] = {
            "write_table": lambda path: _write_table(table, path),
            "write_table, fsynced": lambda path: _fsynced(table, path),
            "funnel": lambda _: _materialize(store, table),
        }
        taken: dict[str, list[Seconds]] = {way: [] for way in ways}
        for attempt in range(rounds + 1):
            for way, write in ways.items():
                os.sync()  # so that no way pays for the dirty pages of another
                before = _clocks()
                write(folder / "bare.parquet")
                if attempt:  # the first warms up
                    taken[way].append({clock: now - before[clock] for clock, now in _clocks().items()})
                (folder / "bare.parquet").unlink(missing_ok=True)
                for made in (folder / "store" / "tables").rglob("*.*"):
                    made.unlink()
        store.close()
        return taken


def write_stream(way: str, megabytes: int) -> float:
    """Write, in a fresh process, a stream of `megabytes`; return the seconds, the making of the stream included."""
    batches = tables.generated(megabytes)
    with _folder() as folder:
        store = ResultStore(str(folder / "store"))
        started = time.perf_counter()
        if way == "funnel":
            _materialize(store, batches)
        elif way == "ParquetWriter":
            _write_batches(batches, folder / "bare.parquet")
        return time.perf_counter() - started


def _clocks() -> Seconds:
    return {"s": time.perf_counter(), "thread cpu s": time.thread_time(), "cpu s": time.process_time()}


def _time_rows(data: str, taken: dict[str, list[Seconds]]) -> Iterator[Row]:
    least = {
        way: {clock: min(each[clock] for each in rounds) for clock in CLOCKS} for way, rounds in taken.items()
    }
    for way, rounds in taken.items():
        values = {**least[way], "median s": median(each["s"] for each in rounds)}
        yield Row(what=f"{data}, {way}", values=values)
    for bare in ("write_table", "write_table, fsynced"):
        ratios = {clock: least["funnel"][clock] / least[bare][clock] for clock in CLOCKS}
        pairs = zip(taken["funnel"], taken[bare], strict=True)
        yield Row(
            what=f"{data}, funnel / {bare}",
            values={
                "x": ratios["s"],
                "median x": median(ours["s"] / other["s"] for ours, other in pairs),
                "thread cpu x": ratios["thread cpu s"],
                "cpu x": ratios["cpu s"],
            },
            budget=TIME_BUDGET,
            budgeted="x",
        )


def _memory_rows(sizes: Sequence[int]) -> Iterator[Row]:
    idle = fresh(write_stream, way="nothing", megabytes=1).peak_mb
    yield Row(what="imports alone", values={"peak MB": idle})
    peaks: dict[tuple[str, int], float] = {}
    for size in sizes:
        for way in ("ParquetWriter", "funnel"):
            done = fresh(write_stream, way=way, megabytes=size)
            peaks[way, size] = done.peak_mb
            yield Row(what=f"{size} MB stream, {way}", values={"s": done.result, "peak MB": done.peak_mb})
    least, most = sizes[0], sizes[-1]
    yield Row(
        what=f"funnel, peak at {most} MB / at {least} MB",
        values={"x": peaks["funnel", most] / peaks["funnel", least]},
        budget=FLAT,
        budgeted="x",
    )
    beside = peaks["funnel", most] / peaks["ParquetWriter", most]
    yield Row(what=f"{most} MB, peak of funnel / ParquetWriter", values={"x": beside})


def _materialize(store: ResultStore, data: object) -> None:
    store.materialize("bench", data, descriptor={"producer": "benchmark"}, env={}, inputs=[])


def _write_table(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, row_group_size=DEFAULT_PROFILE.row_limit, **DEFAULT_PROFILE.options())


def _fsynced(table: pa.Table, path: Path) -> None:
    _write_table(table, path)
    for made in (path, path.parent):
        descriptor = os.open(made, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def _write_batches(batches: Iterator[pa.RecordBatch], path: Path) -> None:
    """Write a row group for every four batches of the stream, the place where the funnel ends them too."""
    with pq.ParquetWriter(path, tables.generated_schema(), **DEFAULT_PROFILE.options()) as writer:
        group: list[pa.RecordBatch] = []
        for batch in batches:
            group.append(batch)
            if sum(b.num_rows for b in group) >= DEFAULT_PROFILE.row_limit:
                writer.write_table(pa.Table.from_batches(group), row_group_size=DEFAULT_PROFILE.row_limit)
                group = []
        if group:
            writer.write_table(pa.Table.from_batches(group))


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="jammi-bench-") as folder:
        yield Path(folder)
