"""Verified reads: other bytes than the recorded ones are an error that names the table, never data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from artifacts_kit import SMALL, sha256, write
from damage_kit import DAMAGES, TABLE, flipped, swapped

from jammi_dagster import ResultStore
from jammi_dagster.artifacts import ArtifactRoot, Recorded, VerifiedReads, sidecar_path
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import Verification
from jammi_dagster.errors import ArtifactCorrupt, ArtifactMissing, ArtifactUnreadable, InvalidField

READS: dict[str, Callable[[VerifiedReads, Recorded], pa.Table]] = {
    "whole": lambda reads, artifact: reads.read_table(artifact),
    "dataset": lambda reads, artifact: reads.dataset(artifact).to_table(),
    "projection": lambda reads, artifact: reads.dataset(artifact).to_table(columns=["aa"]),
}


@pytest.fixture
def stored(root: ArtifactRoot, tmp_path: Path) -> Iterator[tuple[ResultStore, MaterializationRecord]]:
    """A table in a store over each kind of root."""
    store = ResultStore("memory://unused", f"sqlite:///{tmp_path / 'catalog.db'}")
    store.artifacts = root
    record = store.materialize("t", TABLE, descriptor={"producer": "test"}, env={}, inputs=[])
    yield store, record
    store.close()


def _put(root: ArtifactRoot, path: str, data: bytes) -> None:
    root.delete(path)
    root.write_bytes_durable(path, data)


def _without_footer(store: ResultStore, record: MaterializationRecord) -> None:
    """Take away the record of the footer, as in a store of an earlier version."""
    path = sidecar_path(record.artifact_path)
    manifest = json.loads(store.artifacts.read_bytes(path))
    del manifest["jammi_dagster"]["footer"]
    _put(store.artifacts, path, json.dumps(manifest).encode())


def _read(store: ResultStore, record: MaterializationRecord, how: str, verification: str) -> pa.Table:
    with VerifiedReads(Verification(verification)) as reads:
        return READS[how](reads, store.recorded(record))


@pytest.mark.parametrize("how", READS)
@pytest.mark.parametrize("verification", Verification)
def test_recorded_bytes_are_read(
    stored: tuple[ResultStore, MaterializationRecord], how: str, verification: Verification
) -> None:
    """Under each verification, with and without the record of the footer, the table comes back."""
    expected = TABLE.select(["aa"]) if how == "projection" else TABLE
    assert _read(*stored, how, verification).equals(expected)
    _without_footer(*stored)
    assert _read(*stored, how, verification).equals(expected)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("how", READS)
@pytest.mark.parametrize("verification", ["pages", "full"])
def test_other_bytes_are_an_error_that_names_the_table(
    stored: tuple[ResultStore, MaterializationRecord],
    damage: Callable[[bytes], bytes],
    how: str,
    verification: str,
) -> None:
    """Every kind of damage, for every way to read, with and without the record of the footer."""
    store, record = stored
    data = store.artifacts.read_bytes(record.artifact_path)
    assert damage(data) != data
    _put(store.artifacts, record.artifact_path, damage(data))
    with pytest.raises(ArtifactCorrupt, match=r"^table t: .* does not hold the recorded bytes"):
        _read(store, record, how, verification)
    _without_footer(store, record)
    with pytest.raises(ArtifactCorrupt, match=r"^table t: "):
        _read(store, record, how, verification)
    _put(store.artifacts, record.artifact_path, data)
    assert _read(store, record, how, verification).num_rows == 1000


def test_off_compares_nothing(stored: tuple[ResultStore, MaterializationRecord]) -> None:
    """Swapped names are read as they stand: a way to look at a damaged file."""
    store, record = stored
    _put(store.artifacts, record.artifact_path, swapped(store.artifacts.read_bytes(record.artifact_path)))
    assert _read(store, record, "whole", "off").column_names == ["bb", "aa"]


@pytest.mark.parametrize("sidecar", [b"", b"{}", b"[1]"])
def test_a_damaged_sidecar_leaves_the_digest_of_the_catalog(
    stored: tuple[ResultStore, MaterializationRecord], sidecar: bytes
) -> None:
    """Then the artifact is hashed: its own bytes decide."""
    store, record = stored
    _put(store.artifacts, sidecar_path(record.artifact_path), sidecar)
    assert store.read("t").equals(TABLE)
    _put(store.artifacts, record.artifact_path, swapped(store.artifacts.read_bytes(record.artifact_path)))
    with pytest.raises(ArtifactCorrupt, match="SHA-256"):
        store.read("t")


def test_a_sidecar_of_other_bytes_is_not_believed(stored: tuple[ResultStore, MaterializationRecord]) -> None:
    """A file that was replaced together with its sidecar does not have the digest of the catalog."""
    store, record = stored
    other = store.materialize("u", TABLE.slice(1), descriptor={"producer": "test"}, env={}, inputs=[])
    for path in (lambda r: r.artifact_path, lambda r: sidecar_path(r.artifact_path)):
        _put(store.artifacts, path(record), store.artifacts.read_bytes(path(other)))
    for verify in ("pages", "full"):
        with pytest.raises(ArtifactCorrupt, match="table t"):
            store.read("t", verify=verify)


def test_the_store_reads_and_opens_with_verification(
    stored: tuple[ResultStore, MaterializationRecord],
) -> None:
    """`read` and `dataset` verify by default; `verify=` takes the three values, and nothing else."""
    store, record = stored
    assert store.read("t", verify="full").equals(store.dataset("t").to_table())
    with pytest.raises(InvalidField, match="field verify is never; expected one of: pages, full, off"):
        store.read("t", verify="never")
    _put(store.artifacts, record.artifact_path, swapped(store.artifacts.read_bytes(record.artifact_path)))
    for read in (store.read, store.dataset):
        with pytest.raises(ArtifactCorrupt, match="its footer"):
            read("t")
        read("t", verify=Verification.OFF)
    store.artifacts.delete(record.artifact_path)
    with pytest.raises(ArtifactMissing):
        store.read("t")


QUERIES: dict[str, Callable[[Any], object]] = {
    "to_table": lambda data: data.to_table(),
    "to_table of a column": lambda data: data.to_table(columns=["aa"]),
    "to_batches": lambda data: list(data.to_batches()),
    "head": lambda data: data.head(1000),
    "take": lambda data: data.take([3, 999]),
    "count_rows": lambda data: data.count_rows(filter=ds.field("aa") * 2 > 7),
    "sort_by": lambda data: data.sort_by("aa").to_table(),
    "join": lambda data: data.join(data, "aa", right_suffix="_").to_table(),
    "filter": lambda data: data.filter(ds.field("aa") * 2 >= 0).to_table(),
    "polars": lambda data: pl.scan_pyarrow_dataset(data).select("aa").collect(),
}


@pytest.mark.parametrize("case", QUERIES)
def test_a_query_over_a_damaged_page_names_the_table(tmp_path: Path, case: str) -> None:
    """However late it reads the page; over an intact file each query answers, and errors of its own stay so."""
    store = ResultStore(str(tmp_path))
    record = store.materialize("t", TABLE, descriptor={"producer": "test"}, env={}, inputs=[])
    data, good = store.dataset("t"), store.artifacts.read_bytes(record.artifact_path)
    assert isinstance(data, ds.FileSystemDataset)
    QUERIES[case](data)
    with pytest.raises(pa.ArrowInvalid, match="No match"):
        data.to_table(columns=["none"])
    _put(store.artifacts, record.artifact_path, flipped(good))
    for opened in (data, store.dataset("t")):
        with pytest.raises(Exception, match="table t: ") as raised:
            QUERIES[case](opened)
        assert isinstance(raised.value, ArtifactCorrupt) or case == "polars"
    store.close()


def test_no_flipped_byte_gives_other_data(tmp_path: Path) -> None:
    """Whichever byte of a small file is other: the recorded table comes back, or the error. Nothing else."""
    columns = {
        "a": [i * 7 % 13 if i % 5 else None for i in range(40)],
        "b": [f"x{i % 7}" for i in range(40)],
        "c": [[i] * (i % 3) for i in range(40)],
    }
    table = pa.table(columns)
    store = ResultStore(str(tmp_path))
    record = store.materialize("t", table, descriptor={"producer": "test"}, env={}, inputs=[])
    path, refused = tmp_path / record.artifact_path, 0
    data = path.read_bytes()
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        try:
            assert store.read("t").equals(table)
        except ArtifactCorrupt:
            refused += 1
    assert refused > len(data) / 2
    store.close()


def test_a_file_is_hashed_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`full` reads the bytes a second time only if the file is another."""
    store = ResultStore(str(tmp_path))
    record = store.materialize("t", TABLE, descriptor={"producer": "test"}, env={}, inputs=[])
    hashed = []
    blocks = ArtifactRoot.blocks

    def counted(root: ArtifactRoot, path: str) -> Iterator[bytes]:
        hashed.append(path)
        return blocks(root, path)

    monkeypatch.setattr(ArtifactRoot, "blocks", counted)
    for _ in range(3):
        store.read("t", verify="full")
    assert hashed == [record.artifact_path]
    (tmp_path / record.artifact_path).touch()
    store.read("t", verify="full")
    assert len(hashed) == 2
    store.close()


def _fail_with(error: Exception, artifact: Recorded) -> None:
    with VerifiedReads() as reads:
        reads.dataset(artifact)
        raise error


def test_an_error_of_the_reader_stays_as_it_is(tmp_path: Path) -> None:
    """Only errors that a damaged file explains become `ArtifactCorrupt`."""
    store = ResultStore(str(tmp_path))
    record = store.materialize("t", TABLE, descriptor={"producer": "test"}, env={}, inputs=[])
    for error in (ValueError("mine"), pa.ArrowInvalid("mine"), OSError("mine")):
        with pytest.raises(type(error), match="mine"):
            _fail_with(error, store.recorded(record))
    store.close()


def test_an_object_without_any_record_is_read(memory_root: ArtifactRoot) -> None:
    """An engine's table may lack a digest in its row and a sidecar: there is nothing to compare with."""
    path, _ = write(memory_root, TABLE)
    artifact = Recorded(root=memory_root, table="t", path=path, digest=None)
    with VerifiedReads() as reads:
        assert reads.read_table(artifact).equals(TABLE)
        assert reads.dataset(artifact).to_table().equals(TABLE)
    _put(memory_root, path, b"PAR1")
    with pytest.raises(ArtifactUnreadable), VerifiedReads() as reads:
        reads.read_table(artifact)


def test_the_footer_is_all_that_lies_after_the_row_groups(root: ArtifactRoot) -> None:
    """Together with leaves and magic bytes it covers the file, and pyarrow finds the schema in it alone."""
    path, written = write(root, TABLE, profile=SMALL)
    data = root.read_bytes(path)
    last = written.row_groups[-1]
    assert written.footer.offset == last.offset + last.length
    assert written.footer.offset + written.footer.length == len(data)
    assert written.footer.digest == sha256(data[written.footer.offset :])
    footer = pa.BufferReader(data[written.footer.offset :])
    assert pq.read_metadata(footer).num_rows == 1000
    assert root.read_from(path, written.footer.offset) == (len(data), data[written.footer.offset :])
