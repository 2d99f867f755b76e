"""Tables for the tests of `artifacts/`: equal values with different chunks, buffers and hidden bytes."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from jammi_dagster.artifacts import ArtifactRoot, WriterProfile, WrittenArtifact, write_parquet

SMALL = WriterProfile(row_limit=7, byte_limit=300)

_names = itertools.count()


def write(root: ArtifactRoot, data: object, **more: Any) -> tuple[str, WrittenArtifact]:
    path = f"t/{next(_names)}.parquet"
    return path, write_parquet(root, path, data, table="t", **more)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def rechunked(table: pa.Table, seed: int) -> pa.Table:
    """Equal values, each column cut at other places, with other buffers below them."""
    shuffle = random.Random(seed)
    columns = [_rechunked(column.combine_chunks(), shuffle) for column in table.columns]
    return pa.Table.from_arrays(columns, schema=table.schema)


def _rechunked(column: pa.Array, shuffle: random.Random) -> pa.ChunkedArray:
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks else pa.array([], column.type)
    cuts = sorted(shuffle.randint(0, len(column)) for _ in range(shuffle.randint(0, 4)))
    bounds = [0, *cuts, len(column)]
    chunks = [_copied(column.slice(a, b - a), shuffle) for a, b in itertools.pairwise(bounds)]
    return pa.chunked_array(chunks, column.type)


def _copied(array: pa.Array, shuffle: random.Random) -> pa.Array:
    how = shuffle.randrange(4)
    if how == 0 or len(array) == 0 or isinstance(array.type, pa.BaseExtensionType):
        return array
    if pa.types.is_dictionary(array.type):
        return _other_dictionary(array, shuffle) if not array.type.ordered else array
    if how == 1:  # new buffers, with a validity bitmap only where it is needed
        return array.take(pa.array(range(len(array))))
    if how == 2:  # a slice in the middle of something longer
        return pa.concat_arrays([array, array, array]).slice(len(array), len(array))
    return _with_hidden_bytes(array)


def _with_hidden_bytes(array: pa.Array) -> pa.Array:
    """The same values over buffers that hold something under the nulls."""
    missing = array.is_null()
    filler = next((value for value in array if value.is_valid), None)
    if filler is None or not (pa.types.is_string(array.type) or pa.types.is_list(array.type)):
        return array
    full = pa.concat_arrays(
        [array.slice(i, 1) if array[i].is_valid else _one(filler) for i in range(len(array))]
    )
    if pa.types.is_list(array.type):
        if pa.cpp_build_info.version_info < (18,):  # that pyarrow refuses to write them
            return array
        return pa.ListArray.from_arrays(full.offsets, full.values, type=array.type, mask=missing)
    bits = pa.array([not m.as_py() for m in missing]).buffers()[1]
    return pa.Array.from_buffers(array.type, len(full), [bits, *full.buffers()[1:]])


def _one(value: pa.Scalar) -> pa.Array:
    return pa.array([value.as_py()], value.type)


def _other_dictionary(array: pa.DictionaryArray, shuffle: random.Random) -> pa.DictionaryArray:
    """Entries in another order, an unused one among them, and nulls now in the indices, now in the entries."""
    if array.type.value_type not in (pa.string(), pa.large_string()):
        return array
    values = array.to_pylist()
    entries: list[str | None] = [*{v for v in values if v is not None}, "unused"]
    if shuffle.random() < 0.3:
        entries.append(None)
    shuffle.shuffle(entries)
    places = {entry: place for place, entry in enumerate(entries)}
    indices = pa.array([places.get(value) for value in values], array.type.index_type)
    return pa.DictionaryArray.from_arrays(indices, pa.array(entries, array.type.value_type))


def batches(*tables: pa.Table) -> Iterator[pa.RecordBatch]:
    for table in tables:
        yield from table.to_batches()
