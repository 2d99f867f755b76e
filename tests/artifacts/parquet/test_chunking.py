"""Equal data gives equal bytes, however it was cut, buffered or encoded in memory."""

from __future__ import annotations

import datetime
import itertools
import uuid
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from artifacts_kit import SMALL, batches, rechunked, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jammi_dagster.artifacts import ArtifactRoot, WriterProfile

_TEXT = st.text(max_size=20)
_STRUCT = pa.struct([("a", pa.int64()), ("b", pa.string())])
_DAYS = st.dates(min_value=datetime.date(1900, 1, 1))

# type -> values; with `None` mixed in below
KINDS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.int8(), st.integers(-128, 127)),
    (pa.float64(), st.floats(allow_nan=False)),
    (pa.bool_(), st.booleans()),
    (pa.string(), _TEXT),
    (pa.large_string(), _TEXT),
    (pa.binary(), st.binary(max_size=60)),
    (pa.binary(2), st.binary(min_size=2, max_size=2)),
    (pa.decimal128(12, 2), st.decimals(-1000, 1000, places=2)),
    (pa.timestamp("us", "UTC"), st.integers(0, 2**40)),
    (pa.timestamp("s"), st.integers(0, 2**32)),
    (pa.date32(), _DAYS),
    (pa.null(), st.none()),
    (pa.list_(pa.int32()), st.lists(st.integers(0, 9) | st.none(), max_size=5)),
    (pa.list_(pa.string()), st.lists(_TEXT | st.none(), max_size=4)),
    (
        pa.large_list(pa.list_(pa.int8())),
        st.lists(st.lists(st.integers(0, 9), max_size=3) | st.none(), max_size=3),
    ),
    (_STRUCT, st.fixed_dictionaries({"a": st.integers(0, 9) | st.none(), "b": _TEXT | st.none()})),
    (
        pa.list_(_STRUCT),
        st.lists(st.fixed_dictionaries({"a": st.integers(0, 9), "b": _TEXT}) | st.none(), max_size=3),
    ),
    (pa.map_(pa.string(), pa.int64()), st.lists(st.tuples(_TEXT, st.integers(0, 9)), max_size=3)),
    (pa.dictionary(pa.int32(), pa.string()), st.sampled_from(["a", "b", "c", ""])),
    (pa.dictionary(pa.int8(), pa.large_string()), _TEXT),
    (pa.dictionary(pa.int8(), pa.int64()), st.integers(0, 5)),
]


def _array(type_: pa.DataType, values: list[Any]) -> pa.Array:
    if pa.types.is_dictionary(type_):
        return pa.array(values, type_.value_type).dictionary_encode().cast(type_)
    return pa.array(values, type_)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    rows = draw(st.integers(0, 40))
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4))
    nullable = draw(st.booleans())
    columns = {
        f"c{i}": _array(
            type_, draw(st.lists(values | st.none() if nullable else values, min_size=rows, max_size=rows))
        )
        for i, (type_, values) in enumerate(kinds)
    }
    return pa.table(columns)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=tables(), seed=st.integers(0, 2**32), by_batch=st.booleans())
def test_chunks_leave_no_trace(table: pa.Table, seed: int, by_batch: bool) -> None:
    """Random cuts, new buffers, slices, bytes under nulls and other dictionaries: the same digest, the same groups."""
    root = ArtifactRoot(f"memory://{uuid.uuid4().hex}")
    path, written = write(root, table, profile=SMALL)
    other = rechunked(table, seed)
    _, again = write(root, batches(other) if by_batch and other.num_rows else other, profile=SMALL)
    assert again.digest == written.digest
    assert again.row_groups == written.row_groups
    assert root.read_table(path).to_pylist() == table.to_pylist()
    assert written.row_count == table.num_rows


def test_chunks_leave_no_trace_in_pages(memory_root: ArtifactRoot) -> None:
    """Pages end by what was written since the chunk began, so a row group has to be one chunk."""
    rows = 60_000
    whole = pa.table(
        {
            "int": pa.array(range(rows)),
            "text": [None if i % 7 == 0 else f"{i:0100}" for i in range(rows)],
            "list": [[i] * (i % 3) for i in range(rows)],
            "kind": pa.array([str(i % 11) for i in range(rows)]).dictionary_encode(),
            "names": pa.array([str(i) for i in range(rows)]).dictionary_encode(),
        }
    )
    digests = {write(memory_root, whole)[1].digest}
    for cuts in ([1], [1000, 1500, 33_333], range(7, rows, 777)):
        bounds = [0, *cuts, rows]
        pieces = [whole.slice(a, b - a) for a, b in itertools.pairwise(bounds)]
        digests.add(write(memory_root, pa.concat_tables(pieces))[1].digest)
        digests.add(write(memory_root, iter(pieces))[1].digest)
    assert len(digests) == 1


@pytest.mark.parametrize(
    "type_", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_a_group_ends_by_rows_and_bytes(memory_root: ArtifactRoot, type_: pa.DataType) -> None:
    """A group ends before the row that would make it too long or too large; a larger single row is a group."""
    if type_ == pa.string_view() and pa.cpp_build_info.version_info < (18,):
        pytest.skip("this pyarrow cannot cast views")
    lengths = [1, 1, 1, 1, 50, 1, 36, 10, 30, 0, 0, 0]
    table = pa.table({"a": _array(type_, ["x" * length for length in lengths])})
    profile = WriterProfile(row_limit=3, byte_limit=44)
    for data in (table, batches(*(table.slice(i, 1) for i in range(12)))):
        path, _ = write(memory_root, data, profile=profile)
        with memory_root.open_native(path) as source, pq.ParquetFile(source) as file:
            sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        assert sizes == [3, 1, 1, 1, 1, 1, 3, 1]


def test_many_tiny_batches_cost_no_more_groups(memory_root: ArtifactRoot) -> None:
    """A batch per row, or all in one: the same bytes."""
    kinds = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2] * 1000), pa.array(["a", None, "b"]))
    table = pa.table({"n": range(3000), "k": kinds})
    _, whole = write(memory_root, table)
    _, rows = write(memory_root, batches(*(table.slice(i, 1) for i in range(3000))))
    assert rows.digest == whole.digest
    assert len(whole.row_groups) == 1


def test_names_of_inner_fields_leave_no_trace(memory_root: ArtifactRoot) -> None:
    """Arrow calls lists equal whatever their item is called."""
    digests = set()
    for name in ("item", "element", "x"):
        array = pa.array([[1], None], pa.list_(pa.field(name, pa.int64())))
        digests.add(write(memory_root, pa.table({"a": array}))[1].digest)
    assert len(digests) == 1


def test_what_is_not_equal_is_not_the_same_bytes(memory_root: ArtifactRoot) -> None:
    """Types, nulls, order and the sign of zero are data."""
    tables_ = [
        pa.table({"a": [0.0]}),
        pa.table({"a": [-0.0]}),
        pa.table({"a": [None]}),
        pa.table({"a": pa.array([None], pa.float64())}),
        pa.table({"a": pa.array([float("nan")])}),
        pa.table({"a": [0]}),
        pa.table({"b": [0]}),
        pa.table({"a": [0, 1]}),
        pa.table({"a": [1, 0]}),
        pa.table({"a": pa.array([0], pa.int32())}),
        pa.table([pa.array([0])], schema=pa.schema([pa.field("a", pa.int64(), nullable=False)])),
    ]
    assert len({write(memory_root, table)[1].digest for table in tables_}) == len(tables_)
