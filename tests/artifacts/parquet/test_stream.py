"""Kinds of table that are accepted, and values that are refused."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from artifacts_kit import batches, write

from jammi_dagster.artifacts import ArtifactRoot, as_stream
from jammi_dagster.artifacts.parquet.nulls import fixed_size_nulls_survive
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


def _round_trip(root: ArtifactRoot, frame: pd.DataFrame) -> pd.DataFrame:
    back: pd.DataFrame = root.read_table(write(root, frame)[0]).to_pandas()
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
    """A default index costs no column; one with a meaning is kept, as pyarrow keeps it."""
    frame = pd.DataFrame({"v": [1.0, 2.0, 3.0]}, index=index)
    pd.testing.assert_frame_equal(_round_trip(memory_root, frame), frame, check_freq=False)
    columns = as_stream(frame, "t").schema.names
    assert columns == ["v"] if isinstance(index, pd.RangeIndex) else len(columns) > 1


def test_equal_frames_give_equal_bytes(memory_root: ArtifactRoot) -> None:
    """Frames that `DataFrame.equals` calls equal give equal bytes, whatever their attrs, blocks and categories."""
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4], "c": pd.Categorical(["x", "y"])})
    other = frame[["c", "a"]].copy()
    other.insert(1, "b", [3, 4])
    other = other[["a", "b", "c"]]
    other["c"] = other["c"].cat.set_categories(["unused", "y", "x"])
    other.attrs["made"] = object()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert write(memory_root, other)[1].digest == write(memory_root, frame)[1].digest
    assert "made" in other.attrs


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
