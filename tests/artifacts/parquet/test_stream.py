"""Kinds of table that are accepted, and values that are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest
from artifacts_kit import batches, write

from jammi_dagster.artifacts import ArtifactRoot, as_stream
from jammi_dagster.artifacts.parquet.nulls import fixed_size_nulls_survive
from jammi_dagster.artifacts.parquet.pandas_frames import pandas_of
from jammi_dagster.artifacts.parquet.polars_frames import polars_of
from jammi_dagster.errors import EmptyStream, NotATable, SchemaChanged, UnsupportedSchema

TABLE = pa.table({"id": pa.array([1, 2, 3]), "name": pa.array(["a", None, "c"], pa.large_string())})


class Capsule:
    """An object with Arrow's C stream protocol and nothing else."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return TABLE.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "make",
    [
        lambda: TABLE,
        lambda: TABLE.to_batches()[0],
        lambda: TABLE.to_reader(),
        lambda: ds.dataset(TABLE),
        lambda: ds.dataset(TABLE).scanner(),
        lambda: Capsule(),
        lambda: pl.DataFrame(TABLE),
        lambda: pl.LazyFrame(pl.DataFrame(TABLE)),
        lambda: batches(TABLE.slice(0, 1), TABLE.slice(1)),
        lambda: iter([TABLE.slice(0, 0), Capsule()]),
        lambda: iter([TABLE.slice(0, 2), pl.DataFrame(TABLE.slice(2))]),
    ],
)
def test_every_kind_of_table_gives_the_same_bytes(memory_root: ArtifactRoot, make: object) -> None:
    """A table is its schema and rows, whatever library holds it."""
    _, expected = write(memory_root, TABLE)
    _, written = write(memory_root, make())  # type: ignore[operator]
    assert written.digest == expected.digest
    assert as_stream(make(), "t").read_all().equals(TABLE)  # type: ignore[operator]


NO_TABLES = [
    None,
    [],
    [TABLE],
    {},
    {"a": [1]},
    "table",
    b"x",
    3,
    object(),
    pa.array([1]),
    pa.chunked_array([[1]]),
]
NO_TABLES += [pl.Series([1]), pd.Series([1]), pd.DataFrame, iter(["x"]), iter([[TABLE]]), open]


@pytest.mark.parametrize("value", NO_TABLES)
def test_what_is_no_table_is_refused(value: object) -> None:
    """The error names the table, the given type and the accepted ones."""
    with pytest.raises(NotATable, match=r"table flights: got .*; give one of: pyarrow Table") as caught:
        as_stream(value, "flights")
    assert caught.value.table == "flights"


def test_an_iterator_has_to_yield_something() -> None:
    """Without a batch there is no schema; a batch without rows is enough."""
    with pytest.raises(EmptyStream, match="yield at least one batch"):
        as_stream(iter([]), "t")
    assert as_stream(iter([TABLE.slice(0, 0)]), "t").read_all().num_rows == 0


@pytest.mark.parametrize(
    ("later", "column", "expected", "got"),
    [
        (pa.table({"id": ["x"], "name": ["a"]}), "id", "id: int64", "id: string"),
        (pa.table({"id": [1]}), "name", "name: large_string", "absent"),
        (TABLE.append_column("extra", pa.array([1, 2, 3])), "extra", "absent", "extra: int64"),
    ],
)
def test_all_batches_have_one_schema(later: pa.Table, column: str, expected: str, got: str) -> None:
    """The error names the first field that differs, and both types."""
    for stream in (
        iter([TABLE, later]),
        pa.RecordBatchReader.from_batches(TABLE.schema, batches(TABLE, later)),
    ):
        with pytest.raises(SchemaChanged) as caught:
            as_stream(stream, "t").read_all()
        assert (caught.value.column, caught.value.expected, caught.value.got) == (column, expected, got)


def test_metadata_may_differ_between_batches() -> None:
    """Metadata does not refuse a batch; the first batch's metadata counts."""
    described = TABLE.replace_schema_metadata({"a": "b"})
    assert as_stream(iter([described, TABLE]), "t").read_all().schema.metadata == {b"a": b"b"}


def test_an_exception_of_the_generator_passes_unchanged(memory_root: ArtifactRoot) -> None:
    """A generator's exception keeps its type and traceback, and the object is removed."""
    error = ValueError("mine")

    def rows() -> Iterator[pa.Table]:
        yield TABLE
        raise error

    with pytest.raises(ValueError, match="mine") as caught:
        write(memory_root, rows())
    assert caught.value is error


# --- pandas -------------------------------------------------------------------------------------------


def _round_trip(root: ArtifactRoot, frame: object) -> pd.DataFrame:
    back: pd.DataFrame = pandas_of(root.read_table(write(root, frame)[0]))
    return back


def test_pandas_comes_back_as_it_was(memory_root: ArtifactRoot) -> None:
    """Types survive, nullable ones, times, categories and their order included."""
    frame = pd.DataFrame(
        {
            "int": [1, 2, 3],
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "float": [1.5, None, -0.0],
            "text": ["a", None, "c"],
            "bool": pd.array([True, None, False], dtype="boolean"),
            "time": pd.to_datetime(pd.Series(["2013-01-01", None, "2013-01-03"])).dt.tz_localize(
                "Europe/Berlin"
            ),
            "delta": pd.to_timedelta([1, 2, 3], unit="s"),
            "kind": pd.Categorical(["x", "y", "x"]),
            "grade": pd.Categorical(["lo", "hi", "lo"], categories=["lo", "mid", "hi"], ordered=True),
            "period": pd.period_range("2013-01", periods=3, freq="M"),
        }
    )
    pd.testing.assert_frame_equal(_round_trip(memory_root, frame), frame)


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(3),
        pd.RangeIndex(5, 8),
        pd.RangeIndex(3, name="n"),
        pd.Index([7, 3, 5]),
        pd.Index(["x", "y", "z"], name="key"),
        pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["p", "q"]),
        pd.date_range("2013-01-01", periods=3, name="day"),
    ],
)
def test_an_index_comes_back(memory_root: ArtifactRoot, index: pd.Index) -> None:
    """A range without a name costs no column; any other index is one, with its name."""
    frame = pd.DataFrame({"v": [1.0, 2.0, 3.0]}, index=index)
    pd.testing.assert_frame_equal(_round_trip(memory_root, frame), frame)
    columns = as_stream(frame, "t").schema.names
    is_plain = isinstance(index, pd.RangeIndex) and index.name is None
    assert columns == ["v"] if is_plain else len(columns) == 1 + index.nlevels


def _described() -> pd.DataFrame:
    frame: pd.DataFrame = pd.DataFrame(
        {"a": [1, 2], "b": [3, 4], "c": pd.Categorical(["x", "y"], categories=["z", "y", "x"])},
        index=pd.Index([7, 5], name="k"),
    )
    frame.attrs = {"unit": "m", "by": ["us"]}
    return frame


def test_equal_frames_give_equal_bytes(memory_root: ArtifactRoot) -> None:
    """How a frame lies in memory leaves no trace: blocks, order of making, a longer frame that it was cut from."""
    frame = _described()
    other = frame[["c", "a"]].copy()
    other.insert(1, "b", [3, 4])
    cut = pd.concat([frame, frame]).iloc[:2]
    cut.attrs = dict(reversed(frame.attrs.items()))
    digests = {write(memory_root, same)[1].digest for same in (frame, other[["a", "b", "c"]], cut)}
    assert len(digests) == 1


def test_what_a_frame_is_counts(memory_root: ArtifactRoot) -> None:
    """Categories, index, labels, dtypes and `attrs` come back, so they are data."""
    frame = _described()
    others = [
        frame.assign(c=frame["c"].cat.set_categories(["x", "y", "z"])),
        frame.assign(c=frame["c"].cat.as_ordered()),
        frame.assign(a=frame["a"].astype("Int64")),
        frame.rename_axis("other"),
        frame.rename_axis("labels", axis="columns"),
        frame.reset_index(),
    ]
    unit = frame.copy()
    unit.attrs = {"unit": "km"}
    digests = {write(memory_root, one)[1].digest for one in (frame, unit, *others)}
    assert len(digests) == len(others) + 2


def test_attributes_are_not_touched(memory_root: ArtifactRoot) -> None:
    """Writing a frame leaves it and its `attrs` as they are."""
    frame, before = _described(), _described()
    write(memory_root, frame)
    pd.testing.assert_frame_equal(frame, before)
    assert frame.attrs == before.attrs


def test_pandas_reads_the_file_by_itself(local_root: ArtifactRoot) -> None:
    """The file carries pandas' own description too: index, labels and types that pandas knows."""
    frame = _described().drop(columns="c")
    path, _ = write(local_root, frame)
    found = pd.read_parquet(f"{local_root.local_root}/{path}")
    pd.testing.assert_frame_equal(found, frame)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda table: table.filter(pc.equal(table["a"], 1)), {"index": [7], "c": ["x"]}),
        (lambda table: table.drop_columns(["k"]), {"index": [0, 1], "c": ["x", "y"]}),
        (lambda table: table.append_column("n", pa.array([1, None])), {"index": [7, 5], "c": ["x", "y"]}),
        (
            lambda table: table.set_column(2, "c", pa.array(["new", "x"]).dictionary_encode()),
            {"index": [7, 5], "c": ["new", "x"]},
        ),
        (lambda table: table.set_column(2, "c", pa.array([1.5, 2.5])), {"index": [7, 5], "c": [1.5, 2.5]}),
    ],
)
def test_a_table_changed_in_arrow_is_read_as_it_is(
    memory_root: ArtifactRoot, change: Callable[[pa.Table], pa.Table], expected: dict[str, list[object]]
) -> None:
    """A description that no longer fits a column changes none of its values."""
    table = memory_root.read_table(write(memory_root, _described())[0])
    found = pandas_of(memory_root.read_table(write(memory_root, change(table))[0]))
    assert {"index": found.index.tolist(), "c": found["c"].tolist()} == expected


@pytest.mark.parametrize("value", [b"not json", b"[]", b"{}", b"null", b"\xff", b'{"columns": {}}'])
def test_what_only_looks_like_a_description_is_none(memory_root: ArtifactRoot, value: bytes) -> None:
    """A table with somebody else's metadata under the keys of ours is read as any other."""
    metadata = {b"jammi:pandas": value, b"jammi:polars": value}
    table = pa.table({"a": [1]}).replace_schema_metadata(metadata)
    found = memory_root.read_table(write(memory_root, table)[0])
    assert pandas_of(found)["a"].tolist() == [1]
    assert polars_of(found)["a"].to_list() == [1]


def _refilled(kind: str) -> Iterator[object]:
    numbers = np.zeros(2, "int64")
    frame = pd.DataFrame({"x": numbers}, copy=False)
    for number in range(3):
        numbers[:] = number
        frame.isetitem(0, numbers)
        batch = pa.RecordBatch.from_arrays([pa.array(numbers)], ["x"])
        yield {"batch": batch, "table": pa.Table.from_batches([batch]), "pandas": frame}[kind]


class Stream:
    """Gives the batches of an iterator by Arrow's C stream protocol."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        schema = pa.schema([("x", pa.int64())])
        return pa.RecordBatchReader.from_batches(schema, _refilled("batch")).__arrow_c_stream__()


@pytest.mark.parametrize(
    "make",
    [
        lambda: _refilled("batch"),
        lambda: _refilled("table"),
        lambda: _refilled("pandas"),
        lambda: pa.RecordBatchReader.from_batches(pa.schema([("x", pa.int64())]), _refilled("batch")),
        Stream,
        lambda: iter([Stream()]),
    ],
)
def test_a_buffer_may_be_filled_again(memory_root: ArtifactRoot, make: Callable[[], object]) -> None:
    """A source that uses one buffer for all batches is stored batch by batch."""
    rows = memory_root.read_table(write(memory_root, make())[0])["x"].to_pylist()
    assert rows == [0, 0, 1, 1, 2, 2]


def test_frames_of_an_iterator_are_one_frame(memory_root: ArtifactRoot) -> None:
    """Their range indexes go, other indexes stay; the kind of a missing object may differ."""
    parts = [
        pd.DataFrame({"x": [1, 2], "o": pd.Series(["a", "b"], dtype=object)}),
        pd.DataFrame({"x": [3, 4], "o": pd.Series([float("nan"), "c"], dtype=object)}),
    ]
    parts[1].index = pd.RangeIndex(2, 4)
    found = _round_trip(memory_root, iter(parts))
    assert found.index.equals(pd.RangeIndex(4))
    assert found["o"].tolist() == ["a", "b", None, "c"]
    keyed = [part.set_index("x") for part in parts]
    assert _round_trip(memory_root, iter(keyed)).index.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        (lambda f: f.assign(c=f["c"].cat.set_categories(["x", "y"])), "c"),
        (lambda f: f.assign(a=f["a"].astype("Int64")), "a"),
        (lambda f: f.rename_axis("labels", axis="columns"), r"\(labels\)"),
        (lambda f: f.set_flags(allows_duplicate_labels=False), r"\(unique_labels\)"),
        (lambda f: f.pipe(lambda g: (g.attrs.update(unit="km"), g)[1]), r"\(attrs\)"),
    ],
)
def test_frames_of_an_iterator_are_alike(change: Callable[[pd.DataFrame], pd.DataFrame], column: str) -> None:
    """A later frame with other categories, dtypes, labels or `attrs` is refused: one table has one of each."""
    with pytest.raises(SchemaChanged, match=f"column {column} "):
        as_stream(iter([_described(), change(_described())]), "t").read_all()


def test_metadata_of_pandas_holds_no_versions(memory_root: ArtifactRoot) -> None:
    """An upgrade of pandas alone does not change a table's bytes."""
    metadata = write(memory_root, pd.DataFrame({"a": [1]}))[1].schema.metadata[b"pandas"]
    assert pd.__version__.encode() not in metadata
    assert pa.__version__.encode() not in metadata


@pytest.mark.parametrize("values", [[1, "x"], [object(), object()], [1 << 70, 1], [["x"], 1]])
def test_a_column_without_an_arrow_type_is_named(values: list[object]) -> None:
    """A column of mixed Python objects is a typed error with the column's name."""
    with pytest.raises(UnsupportedSchema, match="column mixed") as caught:
        as_stream(pd.DataFrame({"mixed": pd.Series(values, dtype=object)}), "t")
    assert caught.value.column == "mixed"


def test_duplicate_columns_of_pandas_are_refused() -> None:
    """Nobody could tell them apart in the file."""
    with pytest.raises(UnsupportedSchema, match=r"column a .*more than one column of this name"):
        as_stream(pd.DataFrame([[1, 2]], columns=["a", "a"]), "t")


# --- polars -------------------------------------------------------------------------------------------


def test_polars_comes_back_as_it_was(memory_root: ArtifactRoot, local_root: ArtifactRoot) -> None:
    """Categories and enums included, read by pyarrow or by polars itself."""
    frame = pl.DataFrame(
        {
            "text": ["a", None, "c"],
            "cat": pl.Series(["x", "y", "x"], dtype=pl.Categorical),
            "enum": pl.Series(["lo", "hi", "lo"], dtype=pl.Enum(["lo", "mid", "hi"])),
            "list": [["p"], [], None],
            "struct": [{"a": 1, "b": "x"}, {"a": None, "b": "y"}, None],
            "time": pl.Series([1, 2, 3]).cast(pl.Time),
            "binary": [b"1", None, b"3"],
        }
    )
    if fixed_size_nulls_survive():
        frame = frame.with_columns(array=pl.Series([[1, 2], None, [5, 6]], dtype=pl.Array(pl.Int64, 2)))
    path, written = write(local_root, frame)
    assert written.digest == write(memory_root, frame)[1].digest
    assert pl.DataFrame(local_root.read_table(path)).equals(frame)
    assert pl.read_parquet(f"{local_root.local_root}/{path}").equals(frame)


NOT_IN_ARROW = [([object()], pl.Object)] + [
    ([1], getattr(pl, name)) for name in ("Int128",) if hasattr(pl, name)
]


@pytest.mark.parametrize(("values", "dtype"), NOT_IN_ARROW)
def test_what_arrow_has_no_type_for_is_refused(values: list[object], dtype: pl.DataType) -> None:
    """Polars' objects would go to Arrow as addresses in memory, so their bytes would mean nothing."""
    frame = pl.DataFrame({"fine": [1], "thing": pl.Series(values, dtype=dtype)})
    with pytest.raises(UnsupportedSchema, match=f"column thing of type {dtype}"):
        as_stream(frame, "t")


def test_a_dataset_is_read_in_order(tmp_path: Path, memory_root: ArtifactRoot) -> None:
    """The rows of a dataset of many files keep the order of files and rows."""
    for number in range(4):
        ds.write_dataset(
            pa.table({"n": [number * 2, number * 2 + 1]}), tmp_path / str(number), format="parquet"
        )
    files = sorted(map(str, tmp_path.rglob("*.parquet")))
    assert as_stream(ds.dataset(files), "t").read_all().column("n").to_pylist() == list(range(8))
