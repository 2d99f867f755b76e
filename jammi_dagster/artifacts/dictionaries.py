"""Dictionaries that depend on the values of their column alone."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def rebuilt(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """The column in one chunk, its entries those that occur, in order of first occurrence."""
    type_ = column.type
    if any(chunk.dictionary.null_count for chunk in column.chunks):
        return column.cast(type_.value_type).combine_chunks().dictionary_encode()
    array = column.unify_dictionaries().combine_chunks()
    used = pc.unique(array.indices).drop_null()
    entries = array.dictionary.take(used)
    if len(pc.unique(entries)) < len(entries):  # one value under several indices
        return array.cast(type_.value_type).dictionary_encode()
    place = pc.index_in(pa.array(range(len(array.dictionary)), used.type), used)
    return pa.DictionaryArray.from_arrays(place.take(array.indices), entries)
