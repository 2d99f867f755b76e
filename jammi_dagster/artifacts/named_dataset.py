"""A dataset whose queries name the table where its file turns out to be damaged.

pyarrow tells a damaged page by its number alone, at the query: long after the dataset was opened, and in a body that
nothing of ours surrounds. Not covered: queries of other libraries that take the dataset apart, and `scanner()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.dataset as ds

Naming: TypeAlias = Callable[[], AbstractContextManager[None]]


class NamedDataset(ds.FileSystemDataset):  # type: ignore[misc]  # pyarrow has no types
    """The dataset of one artifact. `naming` surrounds each query, and turns its error into one that names the table."""

    naming: Naming = nullcontext

    @classmethod
    def of(cls, dataset: ds.FileSystemDataset, naming: Naming) -> NamedDataset:
        """Give the same dataset, with named errors."""
        named = cls(list(dataset.get_fragments()), dataset.schema, dataset.format, dataset.filesystem)
        named.naming = naming
        return named

    def filter(self, expression: ds.Expression) -> ds.Dataset:
        filtered = super().filter(expression)
        filtered.naming = self.naming
        return filtered

    def to_batches(self, *args: Any, **options: Any) -> Iterator[pa.RecordBatch]:
        with self.naming():
            batches = super().to_batches(*args, **options)
        return self._each(batches)

    def _each(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with self.naming():
            yield from batches


def _named(name: str) -> Callable[..., Any]:
    query = getattr(ds.FileSystemDataset, name)

    def ask(self: NamedDataset, *args: Any, **options: Any) -> Any:
        with self.naming():
            return query(self, *args, **options)

    ask.__name__, ask.__doc__ = name, query.__doc__
    return ask


for _query in ("to_table", "head", "take", "count_rows", "sort_by", "join", "join_asof"):
    setattr(NamedDataset, _query, _named(_query))
