"""The bytes of an object as a table of one column: rows of at most `CHUNK` bytes, described in the schema's metadata.

The description is part of the artifact's bytes, so that an object that is read otherwise has another digest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa

CHUNK = 1 << 22
COLUMN = "object"
_KEY = b"jammi:object"


def table_of(chunks: Iterable[bytes], described: Mapping[str, str]) -> pa.RecordBatchReader:
    """Return the chunks as a stream of one column, with the description of the object in its schema."""
    field = pa.field(COLUMN, pa.large_binary(), nullable=False)
    text = json.dumps(dict(described), sort_keys=True, separators=(",", ":"))
    schema = pa.schema([field], {_KEY: text.encode()})
    batches = (pa.record_batch([pa.array([chunk], pa.large_binary())], schema=schema) for chunk in chunks)
    return pa.RecordBatchReader.from_batches(schema, batches)


def in_chunks(data: bytes) -> Iterator[bytes]:
    """Yield bytes in chunks."""
    for at in range(0, len(data), CHUNK):
        yield data[at : at + CHUNK]


def description_of(schema: pa.Schema) -> dict[str, str] | None:
    """Return the description of the object that a table holds; None for a table of its own."""
    text = (schema.metadata or {}).get(_KEY)
    return None if text is None else dict(json.loads(text))


def is_object(schema: pa.Schema) -> bool:
    """Tell whether a schema is that of an object's bytes."""
    return _KEY in (schema.metadata or {})


def media_type_of(schema: pa.Schema) -> str | None:
    """Return the media type of the object that a table holds; None for a table of its own."""
    described = description_of(schema)
    return None if described is None else described["media_type"]


def chunks_of(table: pa.Table) -> Iterator[bytes]:
    """Yield the chunks of an object in order."""
    for chunk in table.column(COLUMN).chunks:
        for value in chunk:
            yield value.as_py()
