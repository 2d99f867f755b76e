"""A plan of every table, over catalogs as large as those of the ticks."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from benchmarks import tick
from benchmarks.fresh import fresh
from benchmarks.report import Report, Row
from benchmarks.statements import statements
from jammi_dagster import plan

SIZES = (1_000, 100_000)
_MOST_S = 5.0
ABOUT = (
    "seconds of `plan()` over partitions of two assets, one above the other, on a local SQLite catalog with every "
    "artifact there: nothing changed, all code changed, ten upstream partitions have other bytes. `statements` are "
    "those over materializations; each of at most 1,000 differences that are explained takes one."
)


def run(*, sizes: Sequence[int] = SIZES) -> Report:
    """Measure plans of so many tables."""
    rows: list[Row] = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="jammi-bench-") as folder:
            root = f"{folder}/store"
            fresh(tick.load, size=size, root=root)
            for what in ("unchanged", "code changed", "ten changed"):
                found = fresh(planned, size=size, root=root, what=what)
                values = {**found.result, "peak MB": found.peak_mb}
                rows.append(Row(what=f"{size:,} tables: {what}", values=values, budget=_MOST_S, budgeted="s"))
    return Report(name="plan", about=ABOUT, rows=rows)


def planned(size: int, root: str, what: str) -> dict[str, float]:
    """Measure, in a fresh process, one plan; and count its statements."""
    version = "2" if what == "code changed" else "1"
    if what == "ten changed":
        tick.change(Path(root))
    with statements() as asked, dg.DagsterInstance.ephemeral() as instance:
        defs = tick.definitions(Path(root), size // 2, version=version)
        started = time.perf_counter()
        found = plan(defs, instance=instance)
        seconds = time.perf_counter() - started
    assert found.counts == _expected(size, what), found.counts
    own = [statement for statement, _ in asked if "materializations" in statement]
    return {"s": seconds, "statements": len(own)}


def _expected(size: int, what: str) -> dict[str, int]:
    if what == "code changed":
        return {"compute": size}
    return {"reuse": size - tick.STALE, "compute": tick.STALE} if what == "ten changed" else {"reuse": size}
