"""Dictionary columns in a form that depends on their values alone."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def with_entries(column: pa.DictionaryArray, type_: pa.DictionaryType) -> pa.DictionaryArray:
    """Cast the column to the entry and index types of `type_`, and move nulls from the entries to the indices.

    pyarrow neither unifies nor writes dictionaries that hold a null.
    """
    if column.dictionary.null_count:
        column = column.dictionary_decode().dictionary_encode()
    entries = column.dictionary.cast(type_.value_type)
    return pa.DictionaryArray.from_arrays(
        column.indices.cast(type_.index_type), entries, ordered=type_.ordered
    )


def rebuilt(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """Rebuild the column in one chunk, with only the entries that occur, in order of first occurrence.

    No entry may be null.
    """
    array = column.unify_dictionaries().combine_chunks()
    used = pc.unique(array.indices).drop_null()
    entries = array.dictionary.take(used)
    if len(pc.unique(entries)) < len(entries):  # one value under several indices
        return array.dictionary_decode().dictionary_encode()
    place = pc.index_in(pa.array(range(len(array.dictionary)), used.type), used)
    return pa.DictionaryArray.from_arrays(place.take(array.indices), entries)
