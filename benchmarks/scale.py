"""Probe, lineage, sweep and memory over catalogs of up to a million materializations, on SQLite and PostgreSQL."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import scale_measures
from benchmarks.fresh import fresh
from benchmarks.report import Report, Row
from benchmarks.scale_catalogs import WIDE_ANCHORS, Size, load
from benchmarks.scale_measures import Figures

DATABASES = ("sqlite", "postgres")
SIZES = ((1_000, 1_000), (100_000, 100_000), (1_000_000, 100_000))
EDGES = 100_000

PROBE_GROWTH = 1.3
MOST_QUERIES = 5
MOST_MB = 500
MOST_MS: Mapping[str, float] = {
    "probe": 1,
    "probe, wide": 2,
    "derives_from": 1,
    "sweep, fresh": 1_000,
    "sweep, 10 stale": 1_000,
    "tick, no change": 50,
    "tick, no change, store opened": 50,
    "closure, chain": 1_000,
    "closure, fan": 1_000,
    "closure, lattice": 1_000,
    "overview": 2_000,
}

ABOUT = (
    "a catalog of so many materializations of at most 100,000 tables, never analysed, in a file of SQLite and in "
    "PostgreSQL over a socket of this machine; measured in fresh processes. Look-ups are the median of many, warm, the "
    f"catalogs taking turns; `probe, wide` has {WIDE_ANCHORS:,} anchors, or as many as there are tables. Sweeps are of "
    "all current tables, closures of a graph of so many edges; `ms` is the least of all rounds. `queries` are "
    "statements that SQLAlchemy ran. MB are 10^6 bytes; a tick compares `ResultStore.revision()`."
)


def run(
    *,
    databases: Sequence[str] = DATABASES,
    sizes: Sequence[tuple[int, int]] = SIZES,
    edges: int = EDGES,
    rounds: int = 5,
) -> Report:
    """Measure catalogs of ascending `sizes`, numbers of materializations and of tables, and remove them."""
    rows = [row for name in databases for row in _rows(name, [_size(*each, edges) for each in sizes], rounds)]
    return Report(name="scale", about=ABOUT, rows=rows)


def _size(materializations: int, tables: int, edges: int) -> Size:
    return Size(materializations=materializations, tables=tables, edges=min(edges, tables))


def _rows(database: str, sizes: Sequence[Size], rounds: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="jammi-scale-") as folder, _served(database, folder) as new:
        catalogs = []
        for size in sizes:
            name = f"of_{size.materializations}_{size.tables}"
            loaded: dict[str, Any] = {
                "catalog": new(name),
                "root": str(Path(folder, name)),
                "size": asdict(size),
            }
            started = time.perf_counter()
            load(loaded["catalog"], loaded["root"], size)
            taken = time.perf_counter() - started
            yield Row(what=f"{_named(database, size)}, load", values={"ms": taken * 1e3})
            catalogs.append(loaded)
        found: list[Figures] = [
            {**once, **whole}
            for once, whole in zip(
                fresh(scale_measures.look_ups, catalogs=catalogs, rounds=rounds).result,
                fresh(scale_measures.wholes, catalogs=catalogs, rounds=rounds).result,
                strict=True,
            )
        ]
        for size, measured in zip(sizes, found, strict=True):
            yield from _timed(_named(database, size), measured)
        yield from _growth(database, sizes, found)
        peak = fresh(scale_measures.everything, loaded=catalogs[-1]).peak_mb
        yield _row(f"{_named(database, sizes[-1])}, everything once", "peak MB", peak, MOST_MB)


def _named(database: str, size: Size) -> str:
    return f"{database} {size.materializations:,}"


def _timed(catalog: str, measured: Figures) -> Iterator[Row]:
    for what, values in measured.items():
        most = MOST_MS.get(what)
        yield Row(what=f"{catalog}, {what}", values=values, budget=most, budgeted="ms" if most else "")
    whole = [values for what, values in measured.items() if what.startswith(("sweep", "closure"))]
    most_queries = max(values["queries"] for values in whole)
    yield _row(f"{catalog}, most queries of a sweep or closure", "queries", most_queries, MOST_QUERIES)


def _growth(database: str, sizes: Sequence[Size], found: Sequence[Figures]) -> Iterator[Row]:
    """Compare the probe of the largest catalog with that of the one before, if there are two."""
    if len(found) < 2:
        return
    before, last = (measured["probe"]["ms"] for measured in found[-2:])
    what = f"{database}, probe at {sizes[-1].materializations:,} / at {sizes[-2].materializations:,}"
    yield _row(what, "x", last / before, PROBE_GROWTH)


def _row(what: str, column: str, value: float, most: float) -> Row:
    return Row(what=what, values={column: value}, budget=most, budgeted=column)


@contextmanager
def _served(database: str, folder: str) -> Iterator[Callable[[str], str]]:
    """Serve databases: the yielded function makes one by its name and returns its URL."""
    if database == "sqlite":
        yield lambda name: str(Path(folder, f"{name}.db"))
        return
    from benchmarks.postgres import server

    with server(autovacuum="off", fsync="off", max_wal_size="8GB") as running:
        yield running.new
