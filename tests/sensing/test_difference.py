"""The difference of two materializations, and the reason why one was made."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jammi_dagster import InputAnchor, JammiError, ResultStore
from jammi_dagster.errors import InvalidField, UnknownTable

DESCRIPTOR: dict[str, Any] = {"producer": "test", "config": {"alpha": 1}}


def made(store: ResultStore, data: Any, *, alpha: int = 1, inputs: tuple[InputAnchor, ...] = ()) -> str:
    """Materialize a table, and return the id."""
    descriptor = {**DESCRIPTOR, "config": {"alpha": alpha}}
    return store.materialize(
        "t", pa.table(data), descriptor=descriptor, env={}, inputs=inputs
    ).materialization_id


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = ResultStore(str(tmp_path / "store"))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"k": [1, 2]}, {"k": [1, 2]}, (0, 0, 0, 2, 0)),
        ({"k": [1, 2]}, {"k": [2, 3]}, (1, 1, 0, 1, 0)),
        ({"k": [1, 2], "v": ["a", None]}, {"k": [2, 1], "v": ["b", "a"]}, (0, 0, 1, 1, 0)),
        ({"k": [1, 1, 2]}, {"k": [1, 2]}, (0, 0, 0, 1, 1)),
        ({"k": [None, 0]}, {"k": [0]}, (0, 1, 0, 1, 0)),
        ({"k": ["a"], "v": [1.0]}, {"k": ["a"], "v": [float("nan")]}, (0, 0, 1, 0, 0)),
        ({"k": ["a"], "v": [[1, 2]]}, {"k": ["a"], "v": [[2, 1]]}, (0, 0, 1, 0, 0)),
        ({"k": pa.array([1, 2], pa.int8())}, {"k": pa.array([1, 2], pa.int64())}, (0, 0, 0, 2, 0)),
        (
            {"k": pa.array(["a", "b"]).dictionary_encode()},
            {"k": pa.array(["b", "a"]).dictionary_encode()},
            (0, 0, 0, 2, 0),
        ),
        ({"k": pa.array([], pa.int64())}, {"k": [1]}, (1, 0, 0, 0, 0)),
        ({"k": [-1]}, {"k": pa.array([2**64 - 1], pa.uint64())}, (1, 1, 0, 0, 0)),
    ],
)
def test_rows_are_compared_by_key(
    store: ResultStore, before: Any, after: Any, expected: tuple[int, ...]
) -> None:
    """Added, removed, changed, unchanged, and keys that occur repeatedly; the order of rows means nothing."""
    found = store.diff(made(store, before), made(store, after), keys=["k"]).rows
    assert found is not None
    assert (found.added, found.removed, found.changed, found.unchanged, found.repeated) == expected


def test_rows_in_several_batches_are_compared(store: ResultStore) -> None:
    rows = 200_000
    old = {"k": list(range(rows)), "v": [i % 7 for i in range(rows)]}
    new = {"k": [*old["k"][1:], rows], "v": [v + (i == 5) for i, v in enumerate([*old["v"][1:], 0])]}
    found = store.diff(made(store, old), made(store, new), keys=["k"]).rows
    assert found is not None
    assert (found.added, found.removed, found.changed) == (1, 1, 1)


def test_several_keys_count_together_and_in_order(store: ResultStore) -> None:
    before, after = {"a": [1, 2], "b": [2, 1]}, {"a": [2, 1], "b": [1, 3]}
    found = store.diff(made(store, before), made(store, after), keys=["a", "b"]).rows
    assert found is not None
    assert (found.added, found.removed, found.unchanged) == (1, 1, 1)


def test_definition_inputs_columns_and_counts_are_compared(store: ResultStore) -> None:
    old = InputAnchor.source_version("file:a", "1")
    new = InputAnchor.source_version("file:a", "2")
    before = made(store, {"x": [1], "y": [1]}, inputs=(old,))
    after = made(store, {"x": ["1", "2"], "z": [1, 2]}, alpha=2, inputs=(new,))
    found = store.diff(before, after)
    assert found.reasons == ["config.alpha 1 -> 2", "input file:a changed"]
    assert [str(one) for one in found.columns] == [
        "column x int64 -> string",
        "column y int64 removed",
        "column z int64 added",
    ]
    assert (found.row_counts, found.same_bytes, found.rows) == ((1, 2), False, None)
    assert found.to_dict()["definition"][0]["before"] == 1


def test_a_table_stands_for_its_current_materialization(store: ResultStore) -> None:
    first, second = made(store, {"x": [1]}), made(store, {"x": [1]})
    found = store.diff(first, "t")
    assert (found.before, found.after, found.same_bytes) == (first, second, True)


def test_gone_data_leaves_columns_and_rows_out(store: ResultStore, tmp_path: Path) -> None:
    first = made(store, {"x": [1]})
    made(store, {"x": [2]}, alpha=2)
    record = store.reader.get(first)
    assert record is not None
    (tmp_path / "store" / record.artifact_path).unlink()
    found = store.diff(first, "t", keys=["x"])
    assert found.reasons == ["config.alpha 1 -> 2"]
    assert found.rows is None


def test_unknown_names_and_keys_are_refused(store: ResultStore) -> None:
    made(store, {"x": [1]})
    with pytest.raises(UnknownTable, match="near names: t"):
        store.diff("t", "tt")
    with pytest.raises(InvalidField, match="nothing"):
        store.diff("t", "t", keys=["nothing"])


def test_a_library_s_table_says_why_by_comparison(store: ResultStore) -> None:
    """Nothing was recorded, so the materialization before it tells; the first one has none."""
    first = made(store, {"x": [1]})
    assert store.why("t").reasons == ("first time",)
    made(store, {"x": [1]}, alpha=2)
    why = store.why("t")
    assert (why.reasons, why.compared_with, why.is_recorded) == (("config.alpha 1 -> 2",), first, False)
    made(store, {"x": [1]}, alpha=2)
    assert "nothing differs" in store.why("t").reasons[0]
    assert str(store.why("t")).startswith("t was made by run library on ")


def test_why_of_an_unknown_table_is_refused(store: ResultStore) -> None:
    with pytest.raises(JammiError):
        store.why("nowhere")
