"""Row groups: where one ends is decided by rows and values, never by the chunks of the data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from jammi_dagster.artifacts.parquet.writer_profile import WriterProfile

_SMALL_PIECES = 256
_LENGTH_BYTES = 4


def row_groups(
    pieces: Iterable[pa.Table], schema: pa.Schema, profile: WriterProfile
) -> Iterator[list[pa.Table]]:
    """Split the rows into row groups; each is yielded as a list of tables.

    A group ends before the row that would take it beyond the profile's `row_limit` or `byte_limit`. No rows, no group.
    """
    size = LogicalSize(schema)
    group = _Group()
    for piece in pieces:
        at = 0
        while at < piece.num_rows:
            rest = piece.slice(at, profile.row_limit - group.rows)
            fitting, used = size.fitting(rest, profile.byte_limit - group.bytes)
            if not (fitting or group.rows):  # a row beyond the limits is a group of its own
                fitting, used = 1, profile.byte_limit
            group.add(rest.slice(0, fitting), used)
            at += fitting
            if fitting < rest.num_rows or group.rows == profile.row_limit:
                yield group.take()
                group = _Group()
    if group.rows:
        yield group.take()


class _Group:
    """The rows of a group so far. Many small tables are merged on the way, since each costs far more than its rows."""

    def __init__(self) -> None:
        self.rows = 0
        self.bytes = 0
        self._merged: list[pa.Table] = []
        self._recent: list[pa.Table] = []

    def add(self, piece: pa.Table, size: int) -> None:
        if not piece.num_rows:
            return
        self.rows += piece.num_rows
        self.bytes += size
        self._recent.append(piece)
        if len(self._recent) == _SMALL_PIECES:
            self._merged.append(pa.concat_tables(self._recent).unify_dictionaries().combine_chunks())
            self._recent = []

    def take(self) -> list[pa.Table]:
        """Return the group's rows and let go of them."""
        pieces = self._merged + self._recent
        self._merged, self._recent = [], []
        return pieces


class LogicalSize:
    """Sizes of rows by their values alone: about the size of Parquet's plain encoding.

    A value of fixed width takes that width, null or not. A string, binary or list takes four bytes for its length and
    the size of its content. A dictionary entry counts wherever it is used. Validity bitmaps, offsets, and bytes that no
    value refers to depend on how an array was made, so they do not count.
    """

    def __init__(self, schema: pa.Schema) -> None:
        widths = [_width(field.type) for field in schema]
        self._fixed = sum(width for width in widths if width is not None)
        self._variable = [index for index, width in enumerate(widths) if width is None]

    def of(self, piece: pa.Table) -> int:
        """Return the logical bytes of a piece. Any split of the piece adds up to the same sum."""
        chunks = (chunk for index in self._variable for chunk in piece.column(index).chunks)
        return int(piece.num_rows) * self._fixed + sum(map(_logical_bytes, chunks))

    def fitting(self, piece: pa.Table, room: int) -> tuple[int, int]:
        """Return the largest number of first rows that take at most `room` bytes, and the bytes they take."""
        used = self.of(piece)
        if used <= room:
            return piece.num_rows, used
        low, high, used = 0, piece.num_rows, 0  # `low` rows fit and take `used`, `high` rows do not fit
        while high - low > 1:
            middle = (low + high) // 2
            more = self.of(piece.slice(low, middle - low))
            if used + more <= room:
                low, used = middle, used + more
            else:
                high = middle
        return low, used


def _width(type_: pa.DataType) -> int | None:
    """Return the bytes of one value of fixed width, at least 1; None for other types."""
    if isinstance(type_, pa.BaseExtensionType):
        return _width(type_.storage_type)
    if pt.is_null(type_):
        return 1
    try:
        return None if pt.is_nested(type_) or pt.is_dictionary(type_) else max(1, type_.bit_width // 8)
    except ValueError:
        return None


def _logical_bytes(array: pa.Array) -> int:
    type_ = array.type
    if (width := _width(type_)) is not None:
        return len(array) * width
    if isinstance(array, pa.ExtensionArray):
        return _logical_bytes(array.storage)
    if pt.is_struct(type_):
        return sum(map(_logical_bytes, array.flatten()))
    if pt.is_dictionary(type_):
        return _summed(pc.binary_length(array.dictionary).take(array.indices))
    if pt.is_map(type_):
        array = array.view(pa.list_(pa.struct([type_.key_field, type_.item_field])))
    if pt.is_nested(type_):
        return len(array) * _LENGTH_BYTES + _logical_bytes(array.flatten())
    if array.null_count == 0 and len(array):
        return len(array) * _LENGTH_BYTES + _spanned(array)
    return _summed(pc.binary_length(array))


def _spanned(array: pa.Array) -> int:
    """Return the bytes of all values of a binary array without nulls, from its first and last offset."""
    offset = pa.int64() if pt.is_large_string(array.type) or pt.is_large_binary(array.type) else pa.int32()
    offsets = pa.Array.from_buffers(offset, len(array) + 1, [None, array.buffers()[1]], offset=array.offset)
    return int(offsets[-1].as_py() - offsets[0].as_py())


def _summed(lengths: pa.Array) -> int:
    return len(lengths) * _LENGTH_BYTES + (pc.sum(lengths).as_py() or 0)
