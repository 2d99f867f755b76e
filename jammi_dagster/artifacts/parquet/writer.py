"""The writer: one pass from a stream of tables to a durable Parquet object and the digests of its bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from jammi_dagster.artifacts.parquet.footer import Footer
from jammi_dagster.artifacts.parquet.groups import row_groups
from jammi_dagster.artifacts.parquet.hashing import HashingSink
from jammi_dagster.artifacts.parquet.storable import Storable
from jammi_dagster.artifacts.parquet.stream import as_pieces
from jammi_dagster.artifacts.parquet.writer_profile import DEFAULT_PROFILE, WriterProfile
from jammi_dagster.artifacts.storage.root import ArtifactRoot
from jammi_dagster.contract.manifest import Leaf
from jammi_dagster.errors import UnstorableData


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenArtifact:
    """The facts about a durable object.

    Attributes:
        digest: the SHA-256 of all its bytes, in hex.
        size_bytes: its length.
        row_count: the number of its rows.
        row_groups: index, offset, length and SHA-256 of the bytes of each row group.
        footer: offset, length and SHA-256 of the bytes after them.
        schema: the schema that a reader gets.
        profile: the settings with which it was written.
    """

    digest: str
    size_bytes: int
    row_count: int
    row_groups: tuple[Leaf, ...]
    footer: Footer
    schema: pa.Schema
    profile: WriterProfile


def write_parquet(
    root: ArtifactRoot,
    path: str,
    data: object,
    *,
    table: str | None = None,
    profile: WriterProfile = DEFAULT_PROFILE,
    progress: Callable[[int], None] | None = None,
) -> WrittenArtifact:
    """Write `data` (see `as_pieces`) to a new object: durable on return, absent after an error.

    Equal data under an equal profile gives equal bytes, however the data was chunked (see `storable`). Memory holds
    about two row groups, not the table.

    Args:
        root: the root of the store.
        path: the object's path below the root.
        data: anything that `as_pieces` accepts.
        table: the table's name for errors, by default the path.
        profile: the settings of the file.
        progress: called with the number of rows so far after each row group; an exception from it ends the write.

    Raises:
        UnsupportedSchema: before anything is written.
        UnstorableData: for rows that do not fit their schema.
        StorageFailed: if the storage refuses or fails.
        JammiError: as `as_pieces` and `ArtifactRoot.open_sink` do. Exceptions of the data's own iterator pass through.
    """
    name = path if table is None else table
    source = as_pieces(data, name)
    storable = Storable(source.schema, name)
    pieces = (stored for piece in source.tables for stored in storable.pieces(piece))
    groups = row_groups(pieces, storable.schema, profile)
    with root.open_sink(path) as sink:
        file = ParquetFileWriter(HashingSink(sink), storable.schema, profile, name)
        try:
            # with `map` no variable keeps a group's pieces in memory while the group is written
            for group in map(storable.row_group, groups):
                file.append(group)
                if progress is not None:
                    progress(file.row_count)
            return file.finish()
        finally:
            file.stop()


_Part = tuple[int, int, Callable[[], str]]  # offset, length, and the digest once the sink is drained


class ParquetFileWriter:
    """A Parquet file that grows by one row group at a time."""

    def __init__(self, sink: HashingSink, schema: pa.Schema, profile: WriterProfile, table: str) -> None:
        self.row_count = 0
        self._sink = sink
        self._schema = schema
        self._profile = profile
        self._table = table
        self._groups: list[_Part] = []
        self._writer = pq.ParquetWriter(sink, schema, **profile.options())

    def append(self, group: pa.Table) -> None:
        """Write one row group. Raise `UnstorableData` for rows that pyarrow refuses."""
        with self._part(self._groups), self._refusals():
            self._writer.write_table(group, row_group_size=group.num_rows)
        self.row_count += group.num_rows

    def finish(self) -> WrittenArtifact:
        """Write the footer and return the facts about the object."""
        footers: list[_Part] = []
        with self._part(footers), self._refusals():
            self._writer.close()
        digest = self._sink.drain()
        ((footer_offset, footer_length, footer_digest),) = footers
        leaves = (
            Leaf(index=index, offset=offset, length=length, digest=group_digest())
            for index, (offset, length, group_digest) in enumerate(self._groups)
        )
        return WrittenArtifact(
            digest=digest,
            size_bytes=self._sink.tell(),
            row_count=self.row_count,
            row_groups=tuple(leaves),
            footer=Footer(offset=footer_offset, length=footer_length, digest=footer_digest()),
            schema=self._schema,
            profile=self._profile,
        )

    def stop(self) -> None:
        """Release the threads and pyarrow's writer, which writes a footer even to a file that failed."""
        self._sink.stop()
        with suppress(Exception):
            self._writer.close()

    @contextmanager
    def _part(self, parts: list[_Part]) -> Iterator[None]:
        """Add the bytes that are written meanwhile to `parts`."""
        self._sink.begin_part()
        offset = self._sink.tell()
        yield
        parts.append((offset, self._sink.tell() - offset, self._sink.end_part()))

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError) as error:  # the sink raises JammiErrors, which pass through
            way_out = "make them fit their schema, or give the schema that they have"
            raise UnstorableData(table=self._table, why=str(error), way_out=way_out) from error
