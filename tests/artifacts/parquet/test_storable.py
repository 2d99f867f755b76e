"""Schemas: the stored form of each, and the refused ones, before anything is written."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from artifacts_kit import write

from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.errors import UnstorableData, UnsupportedSchema

ENTRIES = pa.array(["a", "b"])
CODES = pa.array([0, 1, None])


class Celsius(pa.ExtensionType):  # type: ignore[misc]  # pyarrow is untyped
    """An extension type that nobody registered."""

    def __init__(self, storage: pa.DataType) -> None:
        super().__init__(storage, "celsius")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""


KEPT = {
    "null": pa.nulls(3),
    "bool": pa.array([True, None, False]),
    "uint8": pa.array([1, None, 255], pa.uint8()),
    "uint64": pa.array([1, None, 2**64 - 1], pa.uint64()),
    "float16": pa.array([1.5, None, -0.0]).cast(pa.float16()),
    "float32": pa.array([1.5, None, float("inf")], pa.float32()),
    "text": pa.array(["a", None, ""]),
    "large text": pa.array(["a", None, "c"], pa.large_string()),
    "binary": pa.array([b"a", None, b""]),
    "fixed binary": pa.array([b"abc", None, b"def"], pa.binary(3)),
    "date": pa.array([datetime.date(2013, 1, 1), None, datetime.date(1, 1, 1)]),
    "timestamp ns": pa.array([1, None, -1], pa.timestamp("ns")),
    "timestamp tz": pa.array([1, None, -1], pa.timestamp("us", "Europe/Berlin")),
    "time": pa.array([1, None, 2], pa.time64("ns")),
    "duration": pa.array([1, None, -1], pa.duration("s")),
    "decimal": pa.array([Decimal("1.1"), None, Decimal("-2.2")], pa.decimal128(5, 2)),
    "decimal256": pa.array([Decimal("1.1"), None, Decimal("-2.2")], pa.decimal256(60, 2)),
    "list": pa.array([[1], None, []], pa.list_(pa.int64())),
    "large list": pa.array([["a", None], None, []], pa.large_list(pa.string())),
    "nested": pa.array([[{"a": [1]}], None, [None]], pa.list_(pa.struct([("a", pa.list_(pa.int8()))]))),
    "struct": pa.array([{"a": 1}, None, {"a": None}], pa.struct([("a", pa.int64())])),
    "map": pa.array([[("a", 1)], None, []], pa.map_(pa.string(), pa.int64())),
    "categories": pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int32()), ENTRIES),
    "ordered": pa.DictionaryArray.from_arrays(pa.array([0, None, 0], pa.int32()), ENTRIES, ordered=True),
    "binary categories": pa.array([b"b", None, b"a"]).dictionary_encode(),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_parquet_holds_comes_back(memory_root: ArtifactRoot, name: str) -> None:
    """Type and values are read as they were written, and `schema` says so beforehand."""
    table = pa.table({name: KEPT[name]})
    path, written = write(memory_root, table)
    found = memory_root.read_table(path)
    assert found.equals(table)
    assert written.schema.equals(found.schema)


ALTERED = {
    "seconds": (pa.array([1, None], pa.timestamp("s", "UTC")), pa.timestamp("ms", "UTC")),
    "time in seconds": (pa.array([1, None], pa.time32("s")), pa.time32("ms")),
    "date64": (pa.array([86_400_000, None], pa.date64()), pa.date32()),
    "integer categories": (pa.array([7, None, 7]).dictionary_encode(), pa.int64()),
    "struct categories": (pa.DictionaryArray.from_arrays(CODES, pa.array([{"a": 1}, {"a": 2}])), None),
    "null categories": (pa.DictionaryArray.from_arrays(CODES, pa.nulls(2)), pa.null()),
    "small codes": (
        pa.DictionaryArray.from_arrays(CODES.cast(pa.uint8()), ENTRIES.cast(pa.large_string())),
        pa.dictionary(pa.int32(), pa.string()),
    ),
    "nested categories": (
        pa.ListArray.from_arrays([0, 2], pa.array(["a", "b"]).dictionary_encode()),
        pa.list_(pa.string()),
    ),
    "view": (pa.array(["a", None], pa.string_view()), pa.large_string()),
    "binary view": (pa.array([b"a", None], pa.binary_view()), pa.large_binary()),
    "nested view": (pa.array([["a"], None], pa.list_(pa.string_view())), pa.list_(pa.large_string())),
}


@pytest.mark.parametrize("name", ALTERED)
def test_what_parquet_would_alter_is_altered_openly(memory_root: ArtifactRoot, name: str) -> None:
    """Values are kept; the type is the one that a reader will see, and `schema` says so."""
    array, expected = ALTERED[name]
    if "view" in name and pa.cpp_build_info.version_info < (18,):  # that pyarrow cannot cast them
        with pytest.raises((UnsupportedSchema, UnstorableData), match="cast the column"):
            write(memory_root, pa.table({name: array}))
        return
    path, written = write(memory_root, pa.table({name: array}))
    found = memory_root.read_table(path)
    assert found.column(0).to_pylist() == array.to_pylist()
    assert written.schema.equals(found.schema)
    assert expected is None or found.schema.field(0).type.equals(expected)


REFUSED = {
    "interval": pa.array([pa.MonthDayNano([1, 2, 3])]),
    "sparse union": pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])]),
    "dense union": pa.UnionArray.from_dense(
        pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([1])]
    ),
    "run ends": pc.run_end_encode(pa.array([1])),
    "list view": pa.array([[1]], pa.list_view(pa.int64())),
    "nested list view": pa.array([{"a": [1]}], pa.struct([("a", pa.large_list_view(pa.int64()))])),
    "empty struct": pa.array([{}], pa.struct([])),
    "list of nothing": pa.array([[]], pa.list_(pa.int64(), 0)),
    "bytes of nothing": pa.array([b""], pa.binary(0)),
    "negative scale": pa.array([Decimal("1100")], pa.decimal128(5, -2)),
    "extension": pa.ExtensionArray.from_storage(Celsius(pa.time32("s")), pa.array([1], pa.time32("s"))),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_parquet_does_not_hold_is_refused(memory_root: ArtifactRoot, name: str) -> None:
    """The error names table, column, type and a way out; no object is made."""
    table = pa.table({"fine": [1], name: REFUSED[name]})
    with pytest.raises(UnsupportedSchema, match=r"table t: column .* cannot be stored: .*; .*cast") as caught:
        write(memory_root, table)
    assert caught.value.column == name
    assert caught.value.type == str(REFUSED[name].type)


def test_two_columns_of_one_name_are_refused(memory_root: ArtifactRoot) -> None:
    """A reader could not tell them apart."""
    with pytest.raises(UnsupportedSchema, match="more than one column of this name"):
        write(memory_root, pa.table([[1], [2]], ["a", "a"]))


def test_rows_without_columns_are_refused(memory_root: ArtifactRoot) -> None:
    """Parquet would forget how many there were; without rows, no columns are fine."""
    with pytest.raises(UnsupportedSchema, match="keeps no rows without columns"):
        write(memory_root, pa.table({"a": [1]}).drop_columns(["a"]))
    path, written = write(memory_root, pa.table({}))
    assert (written.row_count, written.row_groups) == (0, ())
    assert memory_root.read_table(path).equals(pa.table({}))


def test_an_extension_type_keeps_its_name(memory_root: ArtifactRoot) -> None:
    """An unregistered type is read as its storage, with its name in the field's metadata."""
    array = pa.ExtensionArray.from_storage(Celsius(pa.float64()), pa.array([1.5, None]))
    found = memory_root.read_table(write(memory_root, pa.table({"a": array}))[0])
    assert found.column(0).to_pylist() == [1.5, None]
    assert found.schema.field(0).metadata[b"ARROW:extension:name"] == b"celsius"


@pytest.mark.parametrize(
    "name", ["", " ", "a.b", "a b", 'quo"te', "new\nline", "nul\0", "emoji 🛫", "x" * 10_000]
)
def test_any_column_name_is_kept(memory_root: ArtifactRoot, name: str) -> None:
    """A column may be called what Arrow can call it."""
    table = pa.table({name: [1]})
    assert memory_root.read_table(write(memory_root, table)[0]).equals(table)


def _not_null(array: pa.Array, type_: pa.DataType | None = None, *, nullable: bool = False) -> pa.Table:
    return pa.Table.from_arrays([array], schema=pa.schema([pa.field("a", type_ or array.type, nullable)]))


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (_not_null(pa.array([1, None])), "a"),
        (
            _not_null(pa.array([[1, None]], pa.list_(pa.field("x", pa.int64(), False))), nullable=True),
            "a.element",
        ),
        (
            _not_null(pa.array([{"b": None}], pa.struct([pa.field("b", pa.int64(), False)])), nullable=True),
            "a.b",
        ),
    ],
)
def test_a_null_where_none_may_be_is_refused(memory_root: ArtifactRoot, table: pa.Table, column: str) -> None:
    """Older versions of pyarrow would store a zero."""
    with pytest.raises(UnstorableData, match=f"column {column} is declared as not nullable"):
        write(memory_root, table)


def test_a_null_parent_is_no_null_child(memory_root: ArtifactRoot) -> None:
    """A missing struct or list says nothing of its fields."""
    inner = pa.field("b", pa.int64(), False)
    for type_, values in ((pa.struct([inner]), [None, {"b": 1}]), (pa.list_(inner), [None, [1]])):
        table = pa.table({"a": pa.array(values, type_)})
        path, _ = write(memory_root, table)
        assert memory_root.read_table(path).to_pylist() == table.to_pylist()


@pytest.mark.parametrize("array", [pa.array([5], pa.date64()), pa.array([2**62], pa.timestamp("s"))])
def test_a_value_that_its_stored_type_does_not_hold_is_refused(
    memory_root: ArtifactRoot, array: pa.Array
) -> None:
    """Nothing is rounded or wrapped around silently."""
    with pytest.raises(UnstorableData, match="column a, "):
        write(memory_root, pa.table({"a": array}))


def test_the_order_of_categories_is_data(memory_root: ArtifactRoot) -> None:
    """An ordered dictionary keeps all its entries; two orders are two tables, and one table has one order."""

    def grades(*entries: str) -> pa.Table:
        return pa.table(
            {"g": pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(entries), ordered=True)}
        )

    path, written = write(memory_root, grades("lo", "hi", "unused"))
    assert memory_root.read_table(path).column(0).chunk(0).dictionary.to_pylist() == ["lo", "hi", "unused"]
    assert write(memory_root, grades("lo", "hi"))[1].digest != written.digest
    with pytest.raises(UnstorableData, match="give all batches the same categories"):
        write(memory_root, iter([grades("lo", "hi"), grades("hi", "lo")]))


def test_metadata_is_kept_and_its_order_is_not(memory_root: ArtifactRoot) -> None:
    """Metadata of schema, fields and inner fields is kept, sorted."""

    def table(*keys: str) -> pa.Table:
        metadata = dict.fromkeys(keys, "v")
        inner = pa.struct([pa.field("x", pa.int64(), metadata=metadata)])
        field = pa.field("a", inner, metadata=metadata)
        return pa.table([pa.array([{"x": 1}], inner)], schema=pa.schema([field], metadata))

    path, written = write(memory_root, table("one", "two"))
    assert write(memory_root, table("two", "one"))[1].digest == written.digest
    found = memory_root.read_table(path).schema
    assert found.metadata == found.field(0).metadata == {b"one": b"v", b"two": b"v"}


def test_metadata_that_only_looks_like_that_of_pandas_is_kept(memory_root: ArtifactRoot) -> None:
    """Any other value under the key `pandas` is data and stays."""
    for value in (b"not json", b"[]", b"{}", b'{"index_columns": 3}', b"\xff"):
        table = pa.table({"a": [1]}).replace_schema_metadata({b"pandas": value})
        path, _ = write(memory_root, table)
        assert memory_root.read_table(path).schema.metadata == {b"pandas": value}
