"""One pass: bytes, digests, row groups; nothing left of a write that failed; memory that does not grow."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from artifacts_kit import SMALL, sha256, write

from jammi_dagster.artifacts import DEFAULT_PROFILE, ArtifactRoot, WriterProfile, write_parquet
from jammi_dagster.errors import ArtifactExists, StorageFailed, UnstorableData

TABLE = pa.table({"id": range(30), "name": [f"name {i}" for i in range(30)]})


def test_the_digests_are_those_of_the_bytes(root: ArtifactRoot) -> None:
    """The digests of the file and of each row group equal those of the stored bytes, on every kind of root."""
    path, written = write(root, TABLE, profile=SMALL)
    data = root.read_bytes(path)
    assert written.digest == sha256(data)
    assert written.size_bytes == len(data) == root.size(path)
    assert written.row_count == 30
    assert [group.index for group in written.row_groups] == list(range(5))
    for group in written.row_groups:
        assert group.digest == sha256(data[group.offset : group.offset + group.length])


def test_row_groups_lie_one_after_the_other(memory_root: ArtifactRoot) -> None:
    """The first at 4, after the magic bytes; each has the place that the footer says it has."""
    path, written = write(memory_root, TABLE, profile=SMALL)
    at = 4
    with memory_root.open_native(path) as source, pq.ParquetFile(source) as file:
        for group in written.row_groups:
            columns = [file.metadata.row_group(group.index).column(i) for i in range(2)]
            starts = [column.dictionary_page_offset or column.data_page_offset for column in columns]
            assert group.offset == at == min(starts)
            # older versions of pyarrow repeat the metadata of each column after its pages
            assert group.length >= sum(column.total_compressed_size for column in columns)
            at += group.length
    footer_and_magic = 8
    assert at <= written.size_bytes - footer_and_magic


@pytest.mark.parametrize("rows", [0, 1])
def test_a_table_may_be_small(root: ArtifactRoot, rows: int) -> None:
    """No rows give no row group, and are read as no rows of the same schema."""
    path, written = write(root, TABLE.slice(0, rows))
    assert len(written.row_groups) == rows
    assert root.read_table(path).equals(TABLE.slice(0, rows))


def test_large_pages_are_hashed_whole(local_root: ArtifactRoot) -> None:
    """A page larger than a hashed block, and a value larger than a row group, are hashed in full."""
    blobs = [os.urandom(3 << 20), b"", os.urandom(1 << 20), b"x"]
    path, written = write(local_root, pa.table({"a": blobs}), profile=WriterProfile(byte_limit=1 << 20))
    data = local_root.read_bytes(path)
    assert written.digest == sha256(data)
    assert [sha256(data[g.offset : g.offset + g.length]) for g in written.row_groups] == [
        g.digest for g in written.row_groups
    ]
    assert len(written.row_groups) == 4
    assert local_root.read_table(path).column("a").to_pylist() == blobs


def test_the_profile_says_all_that_decides_bytes(memory_root: ArtifactRoot) -> None:
    """The profile holds its settings and the build of Arrow; another profile gives other bytes."""
    described = DEFAULT_PROFILE.to_dict()
    assert described["compression"] == "snappy"
    assert described["arrow"] == pa.cpp_version
    other = WriterProfile(compression="zstd", compression_level=1)
    assert other.to_dict() != described
    written = write(memory_root, TABLE, profile=other)[1]
    assert written.profile == other
    assert written.digest != write(memory_root, TABLE)[1].digest


def test_progress_is_told_after_each_group(memory_root: ArtifactRoot) -> None:
    """`progress` gets the number of rows so far; its exception ends the write."""
    told: list[int] = []
    write(memory_root, TABLE, profile=SMALL, progress=told.append)
    assert told == [7, 14, 21, 28, 30]

    def cancelled(rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_parquet(memory_root, "cancelled.parquet", TABLE, progress=cancelled)
    assert memory_root.size("cancelled.parquet") is None


def test_two_writers_of_one_path_do_not_mix(root: ArtifactRoot) -> None:
    """The second writer is refused, and the first one's object stays."""
    path, written = write(root, TABLE)
    with pytest.raises(ArtifactExists):
        write_parquet(root, path, TABLE.slice(1))
    assert root.digest(path) == written.digest


def _failing(after: int) -> Iterator[pa.Table]:
    for _ in range(after):
        yield TABLE
    raise RuntimeError("mine")


@pytest.mark.parametrize("after", [1, 2, 50])
def test_a_failed_write_leaves_nothing(root: ArtifactRoot, after: int) -> None:
    """No object, no thread, no upload that goes on; the user's exception comes out as it is."""
    with pytest.raises(RuntimeError, match="mine"):
        write_parquet(root, "failed.parquet", _failing(after), profile=SMALL)
    assert root.size("failed.parquet") is None
    # by name: those of fsspec's loop and of the test's S3 server come and go as they like
    assert [t.name for t in threading.enumerate() if t.name.startswith("jammi-")] == []
    assert write_parquet(root, "failed.parquet", TABLE).row_count == 30


@pytest.mark.parametrize("blocks", [0, 1, 40])
def test_a_failure_of_the_storage_is_told_as_one(
    local_root: ArtifactRoot, monkeypatch: pytest.MonkeyPatch, blocks: int
) -> None:
    """A failure in a thread beside the writer ends the write with a typed error, and nothing is left."""
    from jammi_dagster.artifacts.storage.local import LocalUpload

    def full(self: LocalUpload, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LocalUpload, "write", full)
    rows = pa.table({"a": pa.array([os.urandom(1 << 20) for _ in range(blocks)], pa.binary())})
    with pytest.raises(StorageFailed, match="free some space"):
        write_parquet(local_root, "a.parquet", rows, profile=WriterProfile(row_limit=3))
    monkeypatch.undo()
    assert local_root.size("a.parquet") is None


def test_data_that_pyarrow_refuses_is_told_as_such(memory_root: ArtifactRoot) -> None:
    """Rows that the writer turns away late name the table; nothing is left."""
    nulls = pa.array(["a", None])
    ordered = pa.DictionaryArray.from_arrays(pa.array([0, 1]), nulls, ordered=True)
    with pytest.raises(UnstorableData, match="table flights: its rows cannot be stored"):
        write_parquet(memory_root, "a.parquet", pa.table({"a": ordered}), table="flights")
    assert memory_root.size("a.parquet") is None


MEMORY = """
import os, resource, sys
import pyarrow as pa
from jammi_dagster.artifacts import ArtifactRoot, write_parquet

root, kind, total = ArtifactRoot(sys.argv[1]), sys.argv[2], int(sys.argv[3]) << 20

def blobs():
    batch = pa.record_batch({"b": [os.urandom(1 << 20) for _ in range(8)]})
    for _ in range(total >> 23):
        yield pa.RecordBatch.from_arrays([batch.column(0).take(pa.array(range(8)))], names=["b"])

def numbers():
    batch = pa.record_batch({f"c{c}": pa.array(range(c, c + 16384)) for c in range(8)})
    for i in range(total >> 20):
        yield batch.take(pa.array(range(16384)))

pa.set_cpu_count(1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
written = write_parquet(root, "a.parquet", {"blobs": blobs, "numbers": numbers}[kind]())
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10, written.row_count)
"""


@pytest.mark.parametrize(("kind", "total"), [("blobs", 1024), ("numbers", 128)])
def test_memory_does_not_grow_with_the_table(tmp_path: Path, kind: str, total: int) -> None:
    """A stream many times larger than the buffers passes in the memory of a few row groups (MiB below)."""
    run = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path), kind, str(total)],
        capture_output=True,
        text=True,
        check=True,
    )
    grown, rows = map(int, run.stdout.split())
    assert rows == (total if kind == "blobs" else total << 14)
    assert grown < 450
    assert run.stderr == ""


def test_a_process_that_reads_a_remote_table_ends_well() -> None:
    """pyarrow's own `read_table` over a Python file aborts the interpreter at exit, now and then."""
    script = (
        "import pyarrow as pa; from jammi_dagster.artifacts import ArtifactRoot, write_parquet\n"
        "root = ArtifactRoot('memory://x'); write_parquet(root, 'a.parquet', pa.table({'a': [1]}))\n"
        "root.read_table('a.parquet')"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
