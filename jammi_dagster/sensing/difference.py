"""The difference of two materializations: definition, inputs, columns, row counts and, on request, rows.

Rules:

1. Definitions are compared by their sidecars, inputs by their recorded anchors, columns and row counts by the footers.
2. Rows are compared by key columns: a key that only one side has is added or removed, one with other values is changed.
   Both sides are read in batches; of each row stay 32 bytes in memory. A key that occurs twice on a side has no row of
   its own: it is counted in `repeated`, and not compared.

Not done here: to name materializations (`store.ResultStore.diff`), to say if a table is stale (`sensing.staleness`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jammi_dagster.artifacts import ArtifactRoot, read_manifest
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import Difference, changed_inputs, explain
from jammi_dagster.contract.anchors import InputAnchor, is_written
from jammi_dagster.contract.wording import counted
from jammi_dagster.errors import InvalidField

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    import pyarrow.dataset as ds

_UNDECLARED = "undeclared:"
_MOVED = {
    "changed": "changed",
    "is new": "new",
    "is gone": "gone",
    "has no version to compare": "without a version",
}
_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDifference:
    """The rows that differ by `keys`: counts of keys. `repeated` are keys that occur more than once on a side."""

    keys: tuple[str, ...]
    added: int
    removed: int
    changed: int
    unchanged: int
    repeated: int

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as JSON."""
        counts = ("added", "removed", "changed", "unchanged", "repeated")
        return {"keys": list(self.keys), **{name: getattr(self, name) for name in counts}}


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterializationDiff:
    """Everything in which the materialization `after` differs from `before`; both are ids.

    `definition`, `inputs` and `columns` are the differences in the order of their weight. `row_counts` are those of
    both sides. `same_bytes` tells whether the artifacts are equal. `rows` is None unless keys were given.
    """

    before: str
    after: str
    definition: tuple[Difference, ...] = ()
    inputs: tuple[Difference, ...] = ()
    columns: tuple[Difference, ...] = ()
    row_counts: tuple[int | None, int | None] = (None, None)
    same_bytes: bool = False
    rows: RowDifference | None = None

    @property
    def reasons(self) -> list[str]:
        """The differences of definition and inputs in words, the first determinant first."""
        return [str(difference) for difference in (*self.definition, *self.inputs)]

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as JSON."""
        return {
            "before": self.before,
            "after": self.after,
            "definition": [one.to_dict() for one in self.definition],
            "inputs": [one.to_dict() for one in self.inputs],
            "columns": [one.to_dict() for one in self.columns],
            "row_counts": list(self.row_counts),
            "same_bytes": self.same_bytes,
            "rows": None if self.rows is None else self.rows.to_dict(),
        }


def difference(
    root: ArtifactRoot,
    before: MaterializationRecord,
    after: MaterializationRecord,
    datasets: tuple[ds.Dataset, ds.Dataset] | None = None,
    keys: Sequence[str] = (),
) -> MaterializationDiff:
    """Compare two materializations. `datasets` are their data, for columns and, with `keys`, for rows.

    Raises `InvalidField` for a key that is no column of both, and the errors of storage and catalog.
    """
    definition = _of_definitions(root, before, after)
    inputs = input_differences(definition, before.input_anchors, after.input_anchors)
    columns: list[Difference] = []
    rows = None
    if datasets is not None:
        columns = list(_columns(datasets[0].schema, datasets[1].schema))
        rows = _rows(datasets, tuple(keys)) if keys else None
    return MaterializationDiff(
        before=before.materialization_id,
        after=after.materialization_id,
        definition=tuple(definition),
        inputs=tuple(inputs),
        columns=tuple(columns),
        row_counts=(before.row_count, after.row_count),
        same_bytes=before.artifact_digest is not None and before.artifact_digest == after.artifact_digest,
        rows=rows,
    )


def input_differences(
    definition: Sequence[Difference], before: Sequence[InputAnchor], after: Sequence[InputAnchor]
) -> list[Difference]:
    """List the inputs whose state differs; those that came or went only if `definition` does not name them already."""
    is_named = any(one.kind == "inputs" for one in definition)
    states = changed_inputs(_declared(before), _declared(after))
    return [one for one in states if not is_named or None not in (one.before, one.after)]


def inputs_in_words(before: Sequence[InputAnchor] | None, after: Sequence[InputAnchor]) -> str:
    """Count the inputs, and those in another state than in the materialization before, if there was one.

    >>> old, new = ([InputAnchor.result_digest("orders", digit * 64)] for digit in "01")
    >>> inputs_in_words(old, new), inputs_in_words(old, old), inputs_in_words(None, new), inputs_in_words(None, [])
    ('1 input, 1 changed', '1 input, none changed', '1 input', 'no inputs')
    """
    declared = [anchor for anchor in _declared(after) if not is_written(anchor.source)]
    said = counted(len(declared), "input") if declared else "no inputs"
    if before is None:
        return said
    recorded = [anchor for anchor in _declared(before) if not is_written(anchor.source)]
    states = changed_inputs(recorded, declared)
    counts = Counter(one.text.removeprefix(f"input {one.name} ").partition(":")[0] for one in states)
    moved = [f"{number:,} {_MOVED[word]}" for word, number in counts.items()] or ["none changed"] * bool(
        declared
    )
    return ", ".join([said, *moved])


def _of_definitions(
    root: ArtifactRoot, before: MaterializationRecord, after: MaterializationRecord
) -> list[Difference]:
    """Compare the recorded definitions of two materializations; empty where either has no sidecar."""
    old, new = (read_manifest(root, record.artifact_path) for record in (before, after))
    if old is None or new is None:
        return []
    return explain(
        old.descriptor.fields,
        old.env.fields,
        new.descriptor.fields,
        new.env.fields,
        recorded_inputs=[anchor.source for anchor in _declared(before.input_anchors)],
        current_inputs=[anchor.source for anchor in _declared(after.input_anchors)],
    )


def _declared(anchors: Iterable[InputAnchor]) -> list[InputAnchor]:
    """Return the anchors without those that stand for reads which nobody declared."""
    return [anchor for anchor in anchors if not anchor.source.startswith(_UNDECLARED)]


def _columns(old: pa.Schema, new: pa.Schema) -> Iterable[Difference]:
    types: tuple[dict[str, str], ...] = tuple({f.name: str(f.type) for f in schema} for schema in (old, new))
    for name in dict.fromkeys([*types[0], *types[1]]):
        before, after = types[0].get(name), types[1].get(name)
        if before != after:
            text = f"column {name} {before} -> {after}"
            if before is None or after is None:
                text = f"column {name} {after or before} {'added' if before is None else 'removed'}"
            yield Difference(kind="column", name=name, before=before, after=after, text=text)


def _rows(datasets: tuple[ds.Dataset, ds.Dataset], keys: tuple[str, ...]) -> RowDifference:
    import numpy as np

    for name in keys:
        if any(name not in dataset.schema.names for dataset in datasets):
            raise InvalidField(
                what="diff", path="keys", value=name, expected="a column of both materializations"
            )
    shared = [name for name in datasets[0].schema.names if name in datasets[1].schema.names]
    (old_keys, old_rows, old_twice), (new_keys, new_rows, new_twice) = (
        _hashed(dataset, keys, shared) for dataset in datasets
    )
    repeated = np.union1d(old_twice, new_twice)
    _, in_old, in_new = np.intersect1d(old_keys, new_keys, assume_unique=True, return_indices=True)
    usable = ~np.isin(old_keys[in_old], repeated)
    same = (old_rows[in_old] == new_rows[in_new]) & usable
    only = [
        int((~np.isin(one, other) & ~np.isin(one, repeated)).sum())
        for one, other in ((new_keys, old_keys), (old_keys, new_keys))
    ]
    return RowDifference(
        keys=keys,
        added=only[0],
        removed=only[1],
        changed=int(usable.sum() - same.sum()),
        unchanged=int(same.sum()),
        repeated=int(repeated.size),
    )


def _hashed(
    dataset: ds.Dataset, keys: Sequence[str], columns: Sequence[str]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return a dataset's keys as hashes, each once, the hashes of their rows, and the keys that occur repeatedly."""
    import numpy as np

    of_keys, of_rows = [_none(np)], [_none(np)]
    for batch in dataset.to_batches(columns=list(columns), batch_size=_ROWS_AT_ONCE):
        by_column = {name: _column(batch.column(name)) for name in columns}
        of_keys.append(_folded([by_column[name] for name in keys], batch.num_rows))
        of_rows.append(_folded([by_column[name] for name in columns], batch.num_rows))
    found, rows = np.concatenate(of_keys), np.concatenate(of_rows)
    unique, first, counts = np.unique(found, return_index=True, return_counts=True)
    return unique, rows[first], unique[counts > 1]


def _none(np: Any) -> Any:
    return np.empty(0, dtype=np.dtype((np.void, 16)))


def _column(column: pa.Array) -> np.ndarray[Any, Any]:
    """Hash each value of a column to 128 bits, as two numbers; equal values of two types have one hash."""
    import numpy as np
    import pyarrow as pa

    values = column.cast(column.type.value_type) if isinstance(column.type, pa.DictionaryType) else column
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        return _numbers(values)
    try:
        encoded = values.dictionary_encode(null_encoding="encode")
        distinct, places = encoded.dictionary.to_pylist(), encoded.indices.to_numpy(zero_copy_only=False)
    except pa.ArrowNotImplementedError:  # nested values
        distinct = values.to_pylist()
        places = np.arange(len(distinct))
    digests = b"".join(hashlib.blake2b(repr(value).encode(), digest_size=16).digest() for value in distinct)
    hashes: np.ndarray[Any, Any] = np.frombuffer(digests, dtype=np.uint64).reshape(-1, 2)
    of_rows: np.ndarray[Any, Any] = hashes[places.astype(np.int64)]
    return of_rows


def _numbers(values: pa.Array) -> np.ndarray[Any, Any]:
    """Hash numbers by their bits: an integer of any width as itself, a float as a double."""
    import numpy as np
    import pyarrow as pa

    kind: Any = np.uint64(1)
    if pa.types.is_floating(values.type):
        bits = values.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False).view(np.uint64)
    elif values.type == pa.uint64():
        bits = values.fill_null(0).to_numpy(zero_copy_only=False)
        kind = np.uint64(2) + (bits >> np.uint64(63))  # beyond a signed integer, bits mean another number
    else:
        bits = values.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False).view(np.uint64)
        kind = np.uint64(2)
    null = values.is_null().to_numpy(zero_copy_only=False).astype(np.uint64)
    with np.errstate(over="ignore"):
        lanes = [_mixed(bits + np.uint64(salt) + kind, null) for salt in (44, 68)]
    return np.stack(lanes, axis=1)


def _mixed(bits: np.ndarray[Any, Any], null: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Mix 64 bits, one to one (the finalizer of SplitMix64), so that near numbers are far apart."""
    import numpy as np

    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray[Any, Any] = np.where(
        null == 1, np.uint64(0x51_7C_C1_B7_27_22_0A_95), bits ^ (bits >> np.uint64(31))
    )
    return mixed


def _folded(columns: Sequence[np.ndarray[Any, Any]], rows: int) -> np.ndarray[Any, Any]:
    """Fold the hashes of a row's values into one of 128 bits, which depends on their order."""
    import numpy as np

    folded = np.zeros((rows, 2), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for hashes in columns:
            folded = folded * np.uint64(0x9E3779B97F4A7C15) + hashes
            folded ^= folded >> np.uint64(29)
    as_one: np.ndarray[Any, Any] = np.ascontiguousarray(folded).view(np.dtype((np.void, 16))).ravel()
    return as_one
