"""Adoption and recovery over an object store with a latency: a catalog that was lost, a quiet night, a clear-up."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from benchmarks.report import Report, Row
from jammi_dagster import ResultStore
from jammi_dagster.artifacts import StoredObject, artifact_path, sidecar_path
from jammi_dagster.artifacts.storage.remote import RemoteStorage

BUDGET_SECONDS = 300.0
_BUDGETED_OBJECTS = 100_000
_PAGE = 1_000
_ROOT = "memory://upkeep"
_OLD = time.time() - 99 * 24 * 3600

ABOUT = (
    "`ResultStore.adopt` of a lost catalog, `recover` with nothing to do, and `recover` that removes as many objects "
    "as it keeps, over a bucket in memory in which each request takes `latency` (a listing one for 1,000 objects, a "
    "delete one for 1,000). `s for 100,000` is the time scaled to as many objects; the budget is for 20 ms."
)


class SlowBucket(RemoteStorage):
    """A bucket in memory: each request sleeps first. Nothing uploads tables to it, or reads them."""

    def __init__(self, latency: float) -> None:
        super().__init__(_ROOT, {})
        self.latency, self.data = latency, dict[str, bytes]()

    def size(self, path: str) -> int | None:
        """Ask for the size of an object."""
        time.sleep(self.latency)
        found = self.data.get(path)
        return None if found is None else len(found)

    def version(self, path: str) -> str:
        """Tell objects apart by their bytes' length."""
        return str(self.size(path))

    def open_read(self, path: str) -> BinaryIO:
        """Open an object."""
        return BytesIO(self.fetch(path))

    def fetch(self, path: str) -> bytes:
        """Read an object."""
        time.sleep(self.latency)
        if path not in self.data:
            raise FileNotFoundError(path)
        return self.data[path]

    def create(self, path: str, data: bytes) -> bool:
        """Write an object unless there is one."""
        time.sleep(self.latency)
        return self.data.setdefault(path, data) is data

    def replace(self, path: str, data: bytes) -> None:
        """Write an object."""
        time.sleep(self.latency)
        self.data[path] = data

    def delete(self, path: str) -> None:
        """Remove an object."""
        time.sleep(self.latency)
        del self.data[path]

    def delete_many(self, paths: Sequence[str]) -> None:
        """Remove objects in one request."""
        time.sleep(self.latency)
        for path in paths:
            self.data.pop(path, None)

    def objects(self, folder: str) -> Iterator[StoredObject]:
        """List objects, page by page."""
        for i, (path, data) in enumerate(list(self.data.items())):
            if i % _PAGE == 0:
                time.sleep(self.latency)
            if path.startswith(f"{folder}/"):
                yield StoredObject(path, len(data), _OLD)

    def abort_uploads(self, folder: str, *, before: float, dry_run: bool) -> list[str]:
        """Ask for uploads: there are none."""
        time.sleep(self.latency)
        return []


def run(*, objects: int = 20_000, latency_ms: Sequence[float] = (2.0, 20.0)) -> Report:
    """Measure the three passes at each latency."""
    rows = [row for latency in latency_ms for row in _measured(objects, latency / 1_000)]
    return Report(name="upkeep", about=ABOUT, rows=rows)


def _measured(objects: int, latency: float) -> Iterator[Row]:
    bucket = SlowBucket(latency)
    with tempfile.TemporaryDirectory() as folder:
        store = ResultStore(_ROOT, str(Path(folder) / "catalog.db"))
        store.artifacts._storage = bucket
        _fill(bucket, objects // 2)
        yield _row("adopt", objects, latency, lambda: len(store.adopt().adopted), objects // 2)
        yield _row("recover, nothing to do", objects, latency, lambda: len(store.recover().damaged), 0)
        for i in range(objects):
            bucket.data[artifact_path(None, f"t{i // 100}", f"{'f' * 20}{i:012x}")] = b"x"
        yield _row("recover, removing", objects, latency, lambda: len(store.recover().reclaimed), objects)
        store.close()


def _row(what: str, objects: int, latency: float, work: Callable[[], int], expected: int) -> Row:
    started = time.perf_counter()
    assert work() == expected
    seconds = time.perf_counter() - started
    scaled = seconds * _BUDGETED_OBJECTS / objects
    values = {"latency ms": latency * 1_000, "objects": objects, "s": seconds, "s for 100,000": scaled}
    return Row(what=what, values=values, budget=BUDGET_SECONDS, budgeted="s for 100,000")


def _fill(bucket: SlowBucket, count: int) -> None:
    """Put as many materializations into the bucket, in tables of a hundred each."""
    with tempfile.TemporaryDirectory() as folder:
        store = ResultStore(folder)
        data, descriptor = pa.table({"n": [1, 2, 3]}), {"producer": "benchmark"}
        made = store.materialize("t", data, descriptor=descriptor, env={}, inputs=[])
        artifact = (Path(folder) / made.artifact_path).read_bytes()
        sidecar: dict[str, Any] = json.loads((Path(folder) / sidecar_path(made.artifact_path)).read_text())
        store.close()
    for i in range(count):
        own = {"table": f"t{i // 100}", "materialization": f"{i:032x}", "start_sequence": i + 1}
        own["attempt"] = {"id": f"{i:032x}", "size": 1}
        path = artifact_path(None, str(own["table"]), str(own["materialization"]))
        bucket.data[path] = artifact
        changed = {**sidecar, "jammi_dagster": {**sidecar["jammi_dagster"], **own}}
        bucket.data[sidecar_path(path)] = json.dumps(changed).encode()
