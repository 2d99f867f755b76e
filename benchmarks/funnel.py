"""The funnel over a bare `pyarrow.parquet.write_table`, and its peak memory beside a bare `ParquetWriter`."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
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

ABOUT = (
    "`ResultStore.materialize` (bytes, sidecar, catalog; all fsynced) over `write_table` of the same table in memory "
    "with the same writer options and row groups; then peak memory of a fresh process that writes a stream of record "
    "batches, and the same for `ParquetWriter` with the same row groups. `s` and `x` are by the least of all rounds, "
    "which are taken in turns: the machine's noise only adds. MB are 10^6 bytes."
)


def run(*, rounds: int = 7, rows: int | None = None, table_mb: int = 500, stream_mb: int = 2000) -> Report:
    """Times `flights` (the first `rows`) and a generated table, then streams up to `stream_mb`."""
    return Report(
        name="funnel",
        about=ABOUT,
        rows=[
            *_time_rows("flights", fresh(times, flights_rows=rows, table_mb=None, rounds=rounds).result),
            *_time_rows(
                f"{table_mb} MB", fresh(times, flights_rows=None, table_mb=table_mb, rounds=rounds).result
            ),
            *_memory_rows(stream_mb),
        ],
    )


def times(flights_rows: int | None, table_mb: int | None, rounds: int) -> dict[str, list[float]]:
    """In a fresh process: seconds of each way to write one table, in turns."""
    batches = (
        tables.flights(flights_rows)
        if table_mb is None
        else pa.Table.from_batches(tables.generated(table_mb))
    )
    table = batches.combine_chunks()
    with _folder() as folder:
        store = ResultStore(str(folder / "store"))
        ways: dict[str, Callable[[Path], None]] = {
            "write_table": lambda path: _write_table(table, path),
            "write_table, fsynced": lambda path: _fsynced(table, path),
            "funnel": lambda _: _materialize(store, table),
        }
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for attempt in range(rounds + 1):
            for way, write in ways.items():
                os.sync()  # so that no way pays for the dirty pages of another
                started = time.perf_counter()
                write(folder / "bare.parquet")
                if attempt:  # the first warms up
                    taken[way].append(time.perf_counter() - started)
                (folder / "bare.parquet").unlink(missing_ok=True)
                shutil.rmtree(folder / "store" / "tables", ignore_errors=True)
        return taken


def write_stream(way: str, megabytes: int) -> float:
    """In a fresh process: writes a stream of `megabytes`; its seconds, in which the stream is made too."""
    batches = tables.generated(megabytes)
    with _folder() as folder:
        store = ResultStore(str(folder / "store"))
        started = time.perf_counter()
        if way == "funnel":
            _materialize(store, batches)
        elif way == "ParquetWriter":
            _write_batches(batches, folder / "bare.parquet")
        return time.perf_counter() - started


def _time_rows(data: str, taken: dict[str, list[float]]) -> Iterator[Row]:
    for way, seconds in taken.items():
        yield Row(what=f"{data}, {way}", values={"s": min(seconds), "median s": median(seconds)})
    for baseline in ("write_table", "write_table, fsynced"):
        ratios = [ours / bare for ours, bare in zip(taken["funnel"], taken[baseline], strict=True)]
        least = min(taken["funnel"]) / min(taken[baseline])
        yield Row(
            what=f"{data}, funnel / {baseline}",
            values={"x": least, "median x": median(ratios)},
            budget=TIME_BUDGET,
            budgeted="x",
        )


def _memory_rows(most_mb: int) -> Iterator[Row]:
    sizes = [most_mb // 4, most_mb // 2, most_mb]
    idle = fresh(write_stream, way="nothing", megabytes=1).peak_mb
    yield Row(what="imports alone", values={"peak MB": idle})
    peaks: dict[tuple[str, int], float] = {}
    for size in sizes:
        for way in ("ParquetWriter", "funnel"):
            done = fresh(write_stream, way=way, megabytes=size)
            peaks[way, size] = done.peak_mb
            yield Row(what=f"{size} MB stream, {way}", values={"s": done.result, "peak MB": done.peak_mb})
    yield Row(
        what=f"funnel, peak at {sizes[-1]} MB / at {sizes[0]} MB",
        values={"x": peaks["funnel", sizes[-1]] / peaks["funnel", sizes[0]]},
        budget=FLAT,
        budgeted="x",
    )
    yield Row(
        what=f"{sizes[-1]} MB, peak of funnel / ParquetWriter",
        values={"x": peaks["funnel", sizes[-1]] / peaks["ParquetWriter", sizes[-1]]},
    )


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
    """A row group for every four batches of the stream, which is where the funnel ends them."""
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
