"""Collection of a large store: a report, the marks, the deletion, and the reasons of everything that stays."""

from __future__ import annotations

import json
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.report import Report, Row
from benchmarks.upkeep import SlowBucket
from jammi_dagster import ResultStore
from jammi_dagster.artifacts import artifact_path

VERSIONS = 10
BUDGET_US = {"dry run": 60.0, "mark": 90.0, "delete": 400.0, "reasons": 60.0}
BUDGET_MB = 700.0
_LOADED_AT_ONCE = 50_000
_SIZE = 1_000
_AT = "2026-01-01T00:00:00+00:00"

ABOUT = (
    "`ResultStore.collect` over tables of ten materializations each, of which only the last is kept: a dry run, a pass "
    "that marks, one that deletes nine of ten, and the reason of each one that stays. The root answers at once and "
    "holds no table, only tombstones, so the numbers are those of catalog and code. `us each` is the processor time "
    "for each materialization of the store, `peak MB` by how much the process grew in all."
)


class _Bucket(SlowBucket):
    """A bucket that has the same sidecar everywhere, and counts the objects that are written and removed."""

    def __init__(self) -> None:
        super().__init__(0.0)
        self.sidecar = json.dumps({"manifest_version": 5, "jammi_dagster": {"filler": "x" * 2_000}}).encode()
        self.written = self.removed = 0

    def fetch(self, path: str) -> bytes:
        return self.sidecar if path.startswith("tables/") else super().fetch(path)

    def create(self, path: str, data: bytes) -> bool:
        if path.endswith(".collected.json"):
            self.written += 1
            return True
        return super().create(path, data)

    def delete_many(self, paths: Sequence[str]) -> None:
        self.removed += len(paths)


def run(*, sizes: Sequence[int] = (100_000, 1_000_000)) -> Report:
    """Measure the passes at each size."""
    return Report(name="collection", about=ABOUT, rows=[row for size in sizes for row in _measured(size)])


def _measured(size: int) -> Iterator[Row]:
    bucket, before = _Bucket(), _grown()
    with tempfile.TemporaryDirectory() as folder:
        catalog = Path(folder) / "catalog.db"
        store = ResultStore("memory://collection", str(catalog))
        store.artifacts._storage = bucket
        store.writer.next_start()
        store.close()
        _load(catalog, size)
        gone = size - size // VERSIONS
        policy = {"keep_last": 1, "grace_seconds": 3_600}
        passes: list[tuple[str, Callable[[], int], int]] = [
            ("dry run", lambda: len(store.collect(policy).marked), gone),
            ("mark", lambda: len(store.collect(policy, dry_run=False).marked), gone),
            (
                "delete",
                lambda: len(store.collect({**policy, "grace_seconds": 0}, dry_run=False).collected),
                gone,
            ),
            ("reasons", lambda: sum(1 for _ in store.collect(policy).kept.values()), size - gone),
        ]
        for what, work, expected in passes:
            started = time.process_time()
            assert work() == expected
            seconds = time.process_time() - started
            values = {"materializations": size, "s": seconds, "us each": seconds * 1e6 / size}
            yield Row(what=f"{what}, {size:,}", values=values, budget=BUDGET_US[what], budgeted="us each")
        assert (bucket.written, bucket.removed) == (gone, 2 * gone)
        yield Row(
            what=f"memory, {size:,}",
            values={"peak MB": _grown() - before},
            budget=BUDGET_MB,
            budgeted="peak MB",
        )
        store.close()


def _grown() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _load(catalog: Path, size: int) -> None:
    """Add tables of ten materializations each, with a name that the last one has."""
    with sqlite3.connect(catalog) as connection:
        for start in range(0, size, _LOADED_AT_ONCE):
            rows = [_row(i) for i in range(start, min(start + _LOADED_AT_ONCE, size))]
            connection.executemany(
                "INSERT INTO materializations (id, tenant, deployment, table_name, status, artifact_path,"
                " artifact_digest, size_bytes, row_count, produced_by, start_sequence, created_at, completed_at)"
                f" VALUES (?, '', 'default', ?, 'ready', ?, ?, {_SIZE}, 1, 'run', ?, '{_AT}', '{_AT}')",
                rows,
            )
            last = [(row[1], row[0], row[4]) for row in rows if (row[4] - 1) % VERSIONS == VERSIONS - 1]
            connection.executemany(
                "INSERT INTO pointers (tenant, deployment, table_name, materialization_id, start_sequence)"
                " VALUES ('', 'default', ?, ?, ?)",
                last,
            )
    connection.close()


def _row(number: int) -> tuple[str, str, str, str, int]:
    identity, table = f"{number:012x}{number:020x}", f"t{number // VERSIONS:07}"
    return identity, table, artifact_path(None, table, identity), f"{number:064x}", number + 1
