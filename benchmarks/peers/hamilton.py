"""Hamilton: a function a table, with its cache. Tables are kept as Parquet, and known by a hash of their buffers.

Both are quicker than its own: its hash of a table goes over the rows in Python, and its pickle of one is many times as
large as the Parquet file.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from types import FunctionType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hamilton import driver
from hamilton.caching import fingerprinting
from hamilton.caching.stores.base import ResultStore

from benchmarks.bare import digest
from benchmarks.pipelines import count_bodies, load, parameters, values


def run(pipeline: str, storage: str, reads: list[str]) -> dict[str, Any]:
    """Run all functions with Hamilton's driver and its cache in `storage`."""
    ran = count_bodies()
    fingerprinting.hash_value.register(pa.Table)(_fingerprint)
    modules = load(Path(pipeline))
    builder = driver.Builder().with_modules(*modules)
    made = builder.with_cache(path=storage, result_store=_Tables(Path(storage, "tables"))).build()
    functions = {function.__name__: parameters(function) for function in values(modules, FunctionType)}
    last = set(functions).difference(*functions.values())  # what is asked for is loaded
    inputs = {"reads": "".join(digest(Path(file)) for file in reads)} if reads else {}
    made.execute(sorted(last), inputs=inputs)
    return {"bodies": len(ran)}


class _Tables(ResultStore):  # type: ignore[misc]  # of a package that the type checker need not find
    """A result store of Parquet files; other values, such as inputs, are kept as text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def set(self, data_version: str, result: Any, **kwargs: Any) -> None:
        if isinstance(result, pa.Table):
            pq.write_table(result, self._file(data_version))
        else:
            self._file(data_version).with_suffix(".txt").write_text(result)

    def get(self, data_version: str, **kwargs: Any) -> Any:
        if self._file(data_version).exists():
            return pq.read_table(self._file(data_version))
        text = self._file(data_version).with_suffix(".txt")
        return text.read_text() if text.exists() else None

    def exists(self, data_version: str) -> bool:
        file = self._file(data_version)
        return file.exists() or file.with_suffix(".txt").exists()

    def delete(self, data_version: str) -> None:
        self._file(data_version).unlink(missing_ok=True)

    def delete_all(self) -> None:
        shutil.rmtree(self._folder)

    def _file(self, data_version: str) -> Path:
        return self._folder / f"{data_version}.parquet"


def _fingerprint(table: pa.Table, *_: Any, **__: Any) -> str:
    found = hashlib.sha256(str(table.schema).encode())
    for column in table.columns:
        for chunk in column.chunks:
            found.update(f"{chunk.offset} {len(chunk)}".encode())
            for buffer in chunk.buffers():
                found.update(b"" if buffer is None else buffer)
    return found.hexdigest()
