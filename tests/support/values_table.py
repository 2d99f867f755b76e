"""The table of values: what is given, and what a function gets of it. The page `docs/reference/values.md` shows it."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb
import geopandas as gpd
import ibis
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from shapely.geometry import LinearRing, LineString, Point, Polygon

EQUAL, CHANGED, REFUSED = "equal", "documented change", "refused"
BIG = 2**60 + 1

NAMES = {
    "pd": pd,
    "np": np,
    "pa": pa,
    "pl": pl,
    "gpd": gpd,
    "ibis": ibis,
    "duckdb": duckdb,
    "dt": dt,
    "uuid": uuid,
    "Decimal": Decimal,
    "BIG": BIG,
    "Point": Point,
    "LineString": LineString,
    "LinearRing": LinearRing,
    "Polygon": Polygon,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One value that is stored, and the outcome where a parameter asks for it as `kind`.

    `code` makes the part that the row is about, `frame` the whole; `becomes` is the code of the value that comes back
    where it is another one, `note` says how it differs, or why it is refused.
    """

    group: str
    code: str
    frame: str
    kind: str
    outcome: str = EQUAL
    note: str = ""
    becomes: str | None = None

    def __str__(self) -> str:
        return f"{self.group}: {self.code}"

    def value(self) -> Any:
        """Return the value that is stored."""
        return evaluated(self.frame.replace("…", self.code))

    def expected(self) -> Any:
        """Return the value that comes back."""
        if self.becomes is None:
            return self.value()
        return evaluated(self.becomes)


def evaluated(code: str) -> Any:
    """Return the value of the table's own code."""
    return eval(code, dict(NAMES))


def rows_of(group: str, frame: str, kind: str, cells: list[Any]) -> list[Row]:
    """Return rows of one group: a text is an equal value, a tuple says outcome, note and the value that comes back."""
    rows = []
    for cell in cells:
        code, outcome, note, becomes = (
            (*cell, None)[:4] if isinstance(cell, tuple) else (cell, EQUAL, "", None)
        )
        row = Row(group=group, code=code, frame=frame, kind=kind, outcome=outcome, note=note, becomes=becomes)
        rows.append(row)
    return rows


PANDAS = "pandas.DataFrame"
POLARS = "polars.DataFrame"
ARROW = "pyarrow.Table"

COLUMNS = rows_of(
    "a column of pandas",
    "pd.DataFrame({'v': …})",
    PANDAS,
    [
        "[1, -2]",
        "[1.5, float('nan')]",
        "[True, False]",
        "['a', 'b']",
        "['a', None]",
        "np.array([1, 255], 'uint8')",
        "np.array([2**64 - 1, 0], 'uint64')",
        "np.array([1.5, -0.0], 'float16')",
        "np.array([1.5, float('inf')], 'float32')",
        "pd.Series([], dtype='int64')",
        "pd.array([BIG, None], dtype='Int64')",
        "pd.array([2**64 - 1, None], dtype='UInt64')",
        "pd.array([1, None], dtype='Int8')",
        "pd.array([1.5, None], dtype='Float64')",
        "pd.array([1.5, None], dtype='Float32')",
        "pd.array([True, None], dtype='boolean')",
        "pd.array(['a', None], dtype='string')",
        "pd.array(['a', None], dtype='string[python]')",
        "pd.to_datetime(['2020-01-01', None])",
        "pd.Series(['2020-01-01', None], dtype='datetime64[s]')",
        "pd.Series(['0001-01-01', '9999-12-31'], dtype='datetime64[s]')",
        "pd.Series(['2020-01-01', None], dtype='datetime64[ms]')",
        "pd.to_datetime(['2020-07-01', None]).tz_localize('Europe/Berlin')",
        "pd.to_datetime(['2020-07-01', None]).tz_localize('Europe/Berlin').as_unit('s')",
        "pd.to_datetime(['2020-07-01 00:00+02:00'])",
        "pd.to_timedelta([1, None], unit='s')",
        "pd.Series([1, 2], dtype='timedelta64[s]')",
        "pd.Categorical(['a', 'b'], categories=['z', 'b', 'a'])",
        "pd.Categorical(['lo', None], categories=['lo', 'mid', 'hi'], ordered=True)",
        "pd.Categorical([1, None], categories=[3, 2, 1])",
        "pd.Categorical([1.5, None])",
        "pd.Categorical([True, False])",
        "pd.Categorical([None, None])",
        "pd.Categorical([], categories=['x'])",
        "pd.Categorical([dt.date(2020, 1, 1), None])",
        "pd.Categorical(pd.to_datetime(['2020-01-01', None]))",
        "pd.Categorical(pd.period_range('2020-01', periods=2, freq='M'))",
        "pd.Categorical(pd.array(['a', None], dtype='string'))",
        "pd.cut([1, 5], 3)",
        "pd.cut([1, 50], [0, 10, 20])",
        "pd.qcut([1, 2, 3, 4], 2)",
        "pd.PeriodIndex(['2020-01', None], freq='M')",
        "pd.period_range('2020-01-05', periods=2, freq='W-SUN')",
        "pd.interval_range(0, 2)",
        "pd.arrays.IntervalArray.from_tuples([(0.0, 1.0), None], closed='both')",
        "pd.interval_range(pd.Timestamp('2020'), periods=2)",
        "pd.arrays.SparseArray([0, 1])",
        "pd.arrays.SparseArray([float('nan'), 1.0])",
        "pd.Series([1, None], dtype='int64[pyarrow]')",
        "pd.Series(['a', None], dtype=pd.ArrowDtype(pa.string()))",
        "pd.Series([[1, None], None], dtype=pd.ArrowDtype(pa.list_(pa.int64())))",
        "pd.Series([[('a', 1)], None], dtype=pd.ArrowDtype(pa.map_(pa.string(), pa.int64())))",
        "pd.Series([{'a': BIG}, {'a': None}], dtype=pd.ArrowDtype(pa.struct([('a', pa.int64())])))",
        "pd.Series(['a', None], dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string())))",
        "pd.Series(['a', None], dtype=pd.ArrowDtype(pa.dictionary(pa.int8(), pa.large_string())))",
        "pd.Series([5, None], dtype=pd.ArrowDtype(pa.dictionary(pa.int8(), pa.int64())))",
        "pd.Series([['a']], dtype=pd.ArrowDtype(pa.list_(pa.dictionary(pa.int32(), pa.string()))))",
        "pd.Series([1, None], dtype=pd.ArrowDtype(pa.timestamp('s', 'UTC')))",
        "pd.Series([Decimal('1.10'), None], dtype=pd.ArrowDtype(pa.decimal128(5, 2)))",
        "pd.Series(['a', None], dtype=pd.ArrowDtype(pa.string_view()))",
        (
            "pd.Series([(1, 2, 3)], dtype=pd.ArrowDtype(pa.month_day_nano_interval()))",
            REFUSED,
            "Parquet has no such intervals",
        ),
        "pd.Series(['a', None], dtype=object)",
        "pd.Series(['a', float('nan')], dtype=object)",
        "pd.Series(['a', pd.NA], dtype=object)",
        (
            "pd.Series(['a', None, float('nan')], dtype=object)",
            CHANGED,
            "missing objects of several kinds are `None`",
            "pd.DataFrame({'v': pd.Series(['a', None, None], dtype=object)})",
        ),
        "pd.Series([None, None], dtype=object)",
        "pd.Series([BIG, None], dtype=object)",
        "pd.Series([True, None], dtype=object)",
        "pd.Series([1.5, None], dtype=object)",
        "pd.Series([b'a', None], dtype=object)",
        "pd.Series([dt.date(2020, 1, 1), None], dtype=object)",
        "pd.Series([dt.date(2020, 1, 1), pd.NaT], dtype=object)",
        "pd.Series([dt.datetime(2020, 1, 1), None], dtype=object)",
        "pd.Series([dt.time(1, 2, 3), None], dtype=object)",
        "pd.Series([dt.timedelta(1), None], dtype=object)",
        "pd.Series([pd.Timestamp('2020', tz='UTC'), None], dtype=object)",
        "pd.Series([Decimal('1.1'), None], dtype=object)",
        "pd.Series([uuid.UUID(int=5), None], dtype=object)",
        "pd.Series([np.int64(1), None], dtype=object)",
        "pd.Series([[1, None], None], dtype=object)",
        "pd.Series([[1.0, float('nan')], []], dtype=object)",
        "pd.Series([[[1], [2, 3]], None], dtype=object)",
        "pd.Series([(1, 2), None], dtype=object)",
        "pd.Series([np.array([1, 2]), None], dtype=object)",
        "pd.Series([{'a': BIG, 'b': [dt.date(2020, 1, 1)]}, {'a': None, 'b': None}], dtype=object)",
        ("pd.Series([{'a': 1}, {'b': 2}], dtype=object)", REFUSED, "a struct has the same keys in all rows"),
        ("pd.Series([{1, 2}], dtype=object)", REFUSED, "a set would be a list"),
        ("pd.Series([bytearray(b'a')], dtype=object)", REFUSED, "it would be bytes"),
        ("pd.Series([1, 2.5], dtype=object)", REFUSED, "1 would be 1.0"),
        ("pd.Series([1, True], dtype=object)", REFUSED, "Arrow has no mixed columns"),
        ("pd.Series([1, 'a'], dtype=object)", REFUSED, "Arrow has no mixed columns"),
        ("pd.Series([2**70], dtype=object)", REFUSED, "too large for Arrow"),
        (
            "pd.Series([pd.Period('2020', 'M')], dtype=object)",
            REFUSED,
            "Arrow does not know it; use `astype`",
        ),
        ("pd.Series([object()], dtype=object)", REFUSED, "Arrow does not know it"),
        ("pd.Categorical([1, 'a'])", REFUSED, "Arrow has no mixed columns"),
        ("np.array([1j])", REFUSED, "Arrow has no complex numbers"),
    ],
)

_LABELS = [
    "pd.Index(['a', 'b'])",
    "pd.Index(['a', 'b'], name='n')",
    "pd.Index(['a', 'b'], name=('n', 1))",
    "pd.Index(['a', None], dtype=object)",
    "pd.RangeIndex(5, 7)",
    "pd.RangeIndex(2, name='n')",
    "pd.Index([7, 3])",
    "pd.Index([7, 3], name=1)",
    "pd.Index([1.5, 2.5])",
    "pd.Index([True, False])",
    "pd.Index([1, 2], dtype=object)",
    "pd.Index([BIG, 1], dtype='Int64')",
    "pd.Index(['a', 'b'], dtype='string')",
    "pd.CategoricalIndex(['a', 'b'], categories=['b', 'a', 'c'])",
    "pd.CategoricalIndex([1, 2], ordered=True)",
    "pd.interval_range(0, 2)",
    "pd.period_range('2020-01', periods=2, freq='M')",
    "pd.date_range('2020', periods=2, freq='D', name='day')",
    "pd.date_range('2020', periods=2, freq='h', tz='Europe/Berlin')",
    "pd.timedelta_range('1h', periods=2, freq='h')",
    "pd.Index([dt.date(2020, 1, 1), dt.date(2020, 1, 2)])",
    "pd.Index([(1, 2), (3, 4)], tupleize_cols=False)",
    "pd.MultiIndex.from_tuples([('a', 1), ('b', 2)], names=['x', None])",
    "pd.MultiIndex.from_arrays([pd.Categorical(['a', 'b']), pd.period_range('2020', periods=2, freq='M')])",
]
INDEXES = rows_of(
    "an index of pandas",
    "pd.DataFrame({'v': [1, 2]}, index=…)",
    PANDAS,
    [
        *_LABELS,
        "pd.Index(['a', 'a'])",
        "pd.Index(['x', 'y'], name='v')",
        "pd.Index([1, None], dtype='Int64')",
        "pd.MultiIndex.from_arrays([[BIG, None], [True, None]])",
        (
            "pd.Index([1, 'a'], dtype=object)",
            REFUSED,
            "Arrow has no mixed columns",
        ),
        (
            "pd.date_range('2020-01-06', periods=2, freq=pd.offsets.CDay(holidays=['2020-01-08']))",
            CHANGED,
            "no `freq`, where its name does not tell all of it",
            "pd.DataFrame({'v': [1, 2]}, index=pd.DatetimeIndex(['2020-01-06', '2020-01-07'])"
            ".astype(pd.date_range('2020', periods=2).dtype))",
        ),
        (
            "pd.MultiIndex(levels=[['unused', 'a']], codes=[[1, 1]])",
            CHANGED,
            "levels lose the values that no row has",
            "pd.DataFrame({'v': [1, 2]}, index=pd.MultiIndex.from_arrays([['a', 'a']]))",
        ),
    ],
)
LABELS = rows_of(
    "column labels of pandas",
    "pd.DataFrame([[1, 2]], columns=…)",
    PANDAS,
    [
        *_LABELS,
        "pd.Index([1, 'a', None], dtype=object)[:2]",
        "pd.cut([1, 5], 2)",
        ("pd.Index(['a', 'a'])", REFUSED, "two columns of one name"),
        ("pd.Index([1, '1'], dtype=object)", REFUSED, "two columns of one name in Arrow"),
        ("pd.Index([frozenset({1}), 'a'], dtype=object)", REFUSED, "the label has no form in JSON"),
    ],
)
FRAMES = rows_of(
    "a frame of pandas",
    "…",
    PANDAS,
    [
        "pd.DataFrame()",
        "pd.DataFrame({'a': []}, index=pd.Index([], name='k', dtype='int64'))",
        "pd.DataFrame({'a': [1]}).set_flags(allows_duplicate_labels=False)",
        "gpd.GeoDataFrame({'n': [1, 2]}, geometry=[Point(0.1, 1), None], crs=4326)",
        (
            "pd.DataFrame(index=[1, 2])[[]].reset_index(drop=True)",
            REFUSED,
            "Parquet keeps no rows without columns",
        ),
    ],
) + rows_of(
    "`attrs` of pandas",
    "pd.concat([pd.DataFrame({'a': [1]}).assign()]).pipe(lambda f: (f.attrs.update(…), f)[1])",
    PANDAS,
    [
        "{'unit': 'm', 'sources': ['x', 'y']}",
        "{'made': dt.date(2020, 1, 1), 'n': (1, None), 3: {'x': float('nan')}}",
        ("{'x': object()}", REFUSED, "it has no form in JSON"),
    ],
)

TO_PANDAS = rows_of(
    "Arrow as pandas",
    "pa.table({'v': …})",
    PANDAS,
    [
        (code, outcome, note, f"pd.DataFrame({{'v': {becomes}}})")
        for code, outcome, note, becomes in [
            ("pa.array([1, 2])", EQUAL, "", "[1, 2]"),
            (
                "pa.array([BIG, None])",
                EQUAL,
                "`Int64`: no float holds it",
                "pd.array([BIG, None], dtype='Int64')",
            ),
            ("pa.array([-BIG, None])", EQUAL, "`Int64`", "pd.array([-BIG, None], dtype='Int64')"),
            (
                "pa.array([2**64 - 1, None], pa.uint64())",
                EQUAL,
                "`UInt64`",
                "pd.array([2**64 - 1, None], dtype='UInt64')",
            ),
            (
                "pa.array([1, None])",
                CHANGED,
                "floats, which hold all of them, as pandas reads",
                "[1.0, None]",
            ),
            ("pa.array([1, None], pa.int8())", CHANGED, "floats, as pandas reads", "[1.0, None]"),
            ("pa.nulls(2, pa.int64())", CHANGED, "floats, as pandas reads", "[float('nan'), float('nan')]"),
            ("pa.array([True, None])", EQUAL, "", "pd.Series([True, None], dtype=object)"),
            (
                "pa.array([1.5, float('nan'), None])",
                CHANGED,
                "a null is a NaN, as pandas reads",
                "[1.5, float('nan'), float('nan')]",
            ),
            ("pa.array(['a', 'b'])", EQUAL, "", "['a', 'b']"),
            ("pa.array([b'a', None])", EQUAL, "", "pd.Series([b'a', None], dtype=object)"),
            (
                "pa.array([dt.date(2020, 1, 1), None])",
                EQUAL,
                "",
                "pd.Series([dt.date(2020, 1, 1), None], dtype=object)",
            ),
            (
                "pa.array([2**30], pa.date32())",
                EQUAL,
                "Arrow's own: Python has no such date",
                "pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.array([2**30], pa.date32())]))",
            ),
            (
                "pa.array([1], pa.time64('ns'))",
                EQUAL,
                "Arrow's own: Python has no nanoseconds",
                "pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.array([1], pa.time64('ns'))]))",
            ),
            ("pa.array([1], pa.time64('us'))", EQUAL, "", "pd.Series([dt.time(0, 0, 0, 1)], dtype=object)"),
            (
                "pa.array([1, None], pa.timestamp('us'))",
                EQUAL,
                "",
                "pd.Series(np.array([1, 'NaT'], 'M8[us]'))",
            ),
            (
                "pa.array([1], pa.timestamp('s'))",
                CHANGED,
                "milliseconds: Parquet has no seconds",
                "pd.Series(np.array([1000], 'M8[ms]'))",
            ),
            ("pa.array([1, None], pa.duration('s'))", EQUAL, "", "pd.Series(np.array([1, 'NaT'], 'm8[s]'))"),
            (
                "pa.array([Decimal('1.10'), None])",
                EQUAL,
                "",
                "pd.Series([Decimal('1.10'), None], dtype=object)",
            ),
            (
                "pa.array(['b', 'a', 'b']).dictionary_encode()",
                EQUAL,
                "",
                "pd.Categorical(['b', 'a', 'b'], categories=['b', 'a'])",
            ),
            ("pa.array([[1, 2], None])", EQUAL, "", "pd.Series([np.array([1, 2]), None], dtype=object)"),
            (
                "pa.array([[BIG, None], None])",
                EQUAL,
                "lists: no array of floats holds it",
                "pd.Series([[BIG, None], None], dtype=object)",
            ),
            ("pa.array([[[BIG, None]]])", EQUAL, "lists", "pd.Series([[[BIG, None]]], dtype=object)"),
            (
                "pa.array([{'a': BIG}, {'a': None}])",
                EQUAL,
                "",
                "pd.Series([{'a': BIG}, {'a': None}], dtype=object)",
            ),
            (
                "pa.array([{'t': 1}], pa.struct([('t', pa.timestamp('ns'))]))",
                EQUAL,
                "",
                "pd.Series([{'t': pd.Timestamp(1)}], dtype=object)",
            ),
            (
                "pa.array([[('a', BIG), ('b', None)]], pa.map_(pa.string(), pa.int64()))",
                EQUAL,
                "",
                "pd.Series([[('a', BIG), ('b', None)]], dtype=object)",
            ),
            (
                "pa.array([1, 0], pa.int8()).cast(pa.bool8())",
                CHANGED,
                "integers, as pyarrow converts",
                "np.array([1, 0], 'int8')",
            ),
        ]
    ],
)

_E = "pl.Enum(['z', 'lo', 'hi'])"
POLARS_COLUMNS = rows_of(
    "a column of polars",
    "pl.DataFrame({'v': …})",
    POLARS,
    [
        "pl.Series([BIG, None])",
        "pl.Series([2**64 - 1, None], dtype=pl.UInt64)",
        "pl.Series([1.5, None], dtype=pl.Float32)",
        "pl.Series([float('nan'), None, -0.0])",
        "pl.Series([True, None])",
        "pl.Series(['a', None])",
        "pl.Series([b'a', None])",
        "pl.Series([None, None])",
        "pl.Series([dt.date(2020, 1, 1), None])",
        "pl.Series([1, 2]).cast(pl.Time)",
        "pl.Series([1, 2]).cast(pl.Duration('ms'))",
        "pl.Series([1, 2]).cast(pl.Datetime('ns', 'Europe/Berlin'))",
        "pl.Series([Decimal('1.10'), None])",
        "pl.Series(['b', 'a', 'b'], dtype=pl.Categorical)",
        f"pl.Series(['lo', None], dtype={_E})",
        f"pl.Series([], dtype={_E})",
        f"pl.Series([['lo'], None], dtype=pl.List({_E}))",
        f"pl.Series([['lo', 'hi']], dtype=pl.Array({_E}, 2))",
        f"pl.Series([{{'a': 'lo'}}, None], dtype=pl.Struct({{'a': {_E}}}))",
        f"pl.Series([[{{'a': ['lo']}}]], dtype=pl.List(pl.Struct({{'a': pl.List({_E})}})))",
        "pl.Series([['b'], ['a']], dtype=pl.List(pl.Categorical))",
        "pl.Series([{'a': 'b'}], dtype=pl.Struct({'a': pl.Categorical}))",
        "pl.Series([[1, None], None])",
        "pl.Series([[[1], [2]]])",
        "pl.Series([{'a': 1, 'b': None}, None])",
        "pl.Series([[1, 2]], dtype=pl.Array(pl.Int64, 2))",
        "pl.Series([[[1, 2], [3, 4]]], dtype=pl.Array(pl.Int64, (2, 2)))",
        ("pl.Series([1], dtype=pl.Int128)", REFUSED, "Arrow has no such integers"),
        ("pl.Series([[1]], dtype=pl.List(pl.Int128))", REFUSED, "Arrow has no such integers"),
        ("pl.Series([object()], dtype=pl.Object)", REFUSED, "Python objects would be addresses"),
        ("pl.Series([{}], dtype=pl.Struct({}))", REFUSED, "Parquet has no empty structs"),
        ("pl.Series([[]], dtype=pl.Array(pl.Int64, 0))", REFUSED, "Parquet has no lists of fixed size 0"),
    ],
) + rows_of(
    "a frame of polars",
    "…",
    POLARS,
    [
        "pl.DataFrame()",
        "pl.DataFrame({'a': [1, 2]}).clear()",
        (
            "pl.LazyFrame({'a': [1, 2]})",
            CHANGED,
            "collected; ask for `pl.LazyFrame` to get one",
            "pl.DataFrame({'a': [1, 2]})",
        ),
    ],
)

ARROW_COLUMNS = rows_of(
    "Arrow as Arrow",
    "pa.table({'v': …})",
    ARROW,
    [
        "pa.array([BIG, None])",
        "pa.array([1.5, float('nan'), None])",
        "pa.array(['a', None], pa.large_string())",
        "pa.array([1, None], pa.time64('ns'))",
        "pa.array([1, None], pa.timestamp('ns', 'Europe/Berlin'))",
        "pa.array([Decimal('1.10'), None], pa.decimal256(60, 2))",
        "pa.array([[1, None], None])",
        "pa.array([{'a': 1}, None])",
        "pa.array([[('a', 1)], None], pa.map_(pa.string(), pa.int64()))",
        "pa.nulls(2)",
        "pa.array([b'0' * 16], pa.uuid())",
        "pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array(['hi', 'lo', 'unused']), ordered=True)"
        ".cast(pa.dictionary(pa.int32(), pa.string(), True))",
        (
            "pa.DictionaryArray.from_arrays(pa.array([1, 0], pa.int32()), pa.array(['b', 'a', 'unused']))",
            CHANGED,
            "entries in order of first occurrence",
            "pa.table({'v': pa.array(['a', 'b']).dictionary_encode()})",
        ),
        (
            "pa.array([7, None]).dictionary_encode()",
            CHANGED,
            "a dictionary of other than texts is its values",
            "pa.table({'v': [7, None]})",
        ),
        (
            "pa.array([1], pa.timestamp('s'))",
            CHANGED,
            "seconds are milliseconds",
            "pa.table({'v': pa.array([1000], pa.timestamp('ms'))})",
        ),
        (
            "pa.array(['a'], pa.string_view())",
            CHANGED,
            "views are large texts",
            "pa.table({'v': pa.array(['a'], pa.large_string())})",
        ),
        (
            "pa.array([86_400_000], pa.date64())",
            CHANGED,
            "`date64` is `date32`",
            "pa.table({'v': pa.array([1], pa.date32())})",
        ),
        (
            "pa.array([['a']], pa.list_(pa.dictionary(pa.int8(), pa.string())))",
            CHANGED,
            "a nested dictionary is its values",
            "pa.table({'v': [['a']]})",
        ),
        ("pa.array([5], pa.date64())", REFUSED, "`date32` does not hold it"),
        ("pa.array([(1, 2, 3)], pa.month_day_nano_interval())", REFUSED, "Parquet has no intervals"),
        ("pa.array([[1]], pa.list_view(pa.int64()))", REFUSED, "Parquet has no list views"),
        ("pa.array([{}], pa.struct([]))", REFUSED, "Parquet has no empty structs"),
        (
            "pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])",
            REFUSED,
            "Parquet has no unions",
        ),
    ],
)

AS_ARROW = rows_of(
    "pandas as Arrow",
    "pd.DataFrame({'v': …})",
    ARROW,
    [
        (code, CHANGED if note else EQUAL, note, f"pa.table({{'v': {becomes}}})")
        for code, note, becomes in [
            ("[1, 2]", "", "[1, 2]"),
            ("[1.5, float('nan')]", "a NaN of numpy is a null", "[1.5, None]"),
            ("pd.array([BIG, None], dtype='Int64')", "", "[BIG, None]"),
            (
                "pd.Categorical(['a', 'b'], categories=['z', 'b', 'a'])",
                "a dictionary of the values that occur",
                "pa.array(['a', 'b']).dictionary_encode()",
            ),
            ("pd.Categorical([1, None], categories=[3, 2, 1])", "its values", "[1, None]"),
            (
                "pd.Series(['2020-01-01'], dtype='datetime64[s]')",
                "milliseconds",
                "pa.array([dt.datetime(2020, 1, 1)], pa.timestamp('ms'))",
            ),
            ("pd.arrays.SparseArray([0, 1])", "dense", "[0, 1]"),
            ("pd.Series([(1, 2), None], dtype=object)", "tuples are lists", "[[1, 2], None]"),
            ("pd.Series(['a', float('nan')], dtype=object)", "a missing value is a null", "['a', None]"),
        ]
    ],
)

ACROSS = rows_of(
    "pandas as polars",
    "pd.DataFrame({'v': …})",
    POLARS,
    [
        ("[1, 2]", EQUAL, "", "pl.DataFrame({'v': [1, 2]})"),
        ("pd.array([BIG, None], dtype='Int64')", EQUAL, "", "pl.DataFrame({'v': [BIG, None]})"),
        ("['a', 'b']", EQUAL, "", "pl.DataFrame({'v': ['a', 'b']})"),
        (
            "pd.period_range('1970-01', periods=2, freq='M')",
            CHANGED,
            "a period is its ordinal",
            "pl.DataFrame({'v': [0, 1]})",
        ),
        (
            "pd.interval_range(0, 1)",
            CHANGED,
            "an interval is a struct of its ends",
            "pl.DataFrame({'v': [{'left': 0, 'right': 1}]})",
        ),
    ],
) + rows_of(
    "polars as pandas",
    "pl.DataFrame({'v': …})",
    PANDAS,
    [
        ("[1, 2]", EQUAL, "", "pd.DataFrame({'v': [1, 2]})"),
        ("[BIG, None]", EQUAL, "`Int64`", "pd.DataFrame({'v': pd.array([BIG, None], dtype='Int64')})"),
        (
            "[[BIG, None]]",
            EQUAL,
            "lists",
            "pd.DataFrame({'v': pd.Series([[BIG, None]], dtype=object)})",
        ),
        (
            f"pl.Series(['lo', None], dtype={_E})",
            EQUAL,
            "ordered categories",
            "pd.DataFrame({'v': pd.Categorical(['lo', None], categories=['z', 'lo', 'hi'], ordered=True)})",
        ),
        (
            f"pl.Series([['lo']], dtype=pl.List({_E}))",
            CHANGED,
            "nested categories are texts",
            "pd.DataFrame({'v': pd.Series([np.array(['lo'], dtype=object)], dtype=object)})",
        ),
    ],
)

DUCKDB = rows_of(
    "a relation of duckdb as Arrow",
    "duckdb.connect().sql('select ' + … + ' as v')",
    ARROW,
    [
        (code, CHANGED if note else EQUAL, note, f"pa.table({{'v': {becomes}}})")
        for code, note, becomes in [
            ('"1::bigint"', "", "[1]"),
            ('"null::integer"', "", "pa.nulls(1, pa.int32())"),
            ("\"'a'\"", "", "['a']"),
            ('"1.5::decimal(10, 2)"', "", "pa.array([Decimal('1.50')], pa.decimal128(10, 2))"),
            ("\"date '2020-01-01'\"", "", "[dt.date(2020, 1, 1)]"),
            ("\"timestamp '2020-01-01'\"", "", "[dt.datetime(2020, 1, 1)]"),
            ("\"time '01:02:03'\"", "", "[dt.time(1, 2, 3)]"),
            ('"[1::bigint, null]"', "", "[[1, None]]"),
            ("\"{'a': 1::bigint}\"", "", "[{'a': 1}]"),
            ("\"map {'a': 1::bigint}\"", "", "pa.array([[('a', 1)]], pa.map_(pa.string(), pa.int64()))"),
            ("\"'x'::blob\"", "", "[b'x']"),
            ('"5::hugeint"', "decimals", "pa.array([Decimal(5)], pa.decimal128(38, 0))"),
            (
                "\"'00000000-0000-0000-0000-000000000005'::uuid\"",
                "text",
                "['00000000-0000-0000-0000-000000000005']",
            ),
        ]
    ]
    + [
        ('"interval 1 day"', REFUSED, "Parquet has no intervals"),
        ("\"timetz '01:02:03+02'\"", REFUSED, "duckdb gives Arrow the time without its offset"),
        ("\"[timetz '01:02:03+02']\"", REFUSED, "duckdb gives Arrow the time without its offset"),
        ("\"'101'::bit\"", REFUSED, "duckdb gives Arrow its own bytes"),
        ('"union_value(a := 1)"', REFUSED, "Parquet has no unions"),
    ],
) + rows_of(
    "Arrow as a relation of duckdb",
    "pa.table({'v': …})",
    "duckdb.DuckDBPyRelation",
    [
        "pa.array([BIG, None])",
        "pa.array(['a', None])",
        "pa.array([[1, None], None])",
        "pa.array([{'a': 1}, None])",
        "pa.array([dt.date(2020, 1, 1), None])",
    ],
)
IBIS = rows_of(
    "a table of ibis as Arrow",
    "ibis.memtable(pa.table({'v': …}))",
    ARROW,
    [
        ("pa.array([BIG, None])", EQUAL, "", "pa.table({'v': [BIG, None]})"),
        ("pa.array(['a', None])", EQUAL, "", "pa.table({'v': ['a', None]})"),
        ("pa.array([[1, None], None])", EQUAL, "", "pa.table({'v': [[1, None], None]})"),
        ("pa.array([dt.date(2020, 1, 1)])", EQUAL, "", "pa.table({'v': [dt.date(2020, 1, 1)]})"),
    ],
) + rows_of(
    "Arrow as a table of ibis",
    "pa.table({'v': …})",
    "ibis.Table",
    ["pa.array([BIG, None])", "pa.array(['a', None])", "pa.array([[1, None], None])"],
)
GEO = rows_of(
    "a frame of geopandas",
    "…",
    "geopandas.GeoDataFrame",
    [
        "gpd.GeoDataFrame({'n': [1, 2]}, geometry=[Point(0.1, 1), None], crs=4326)",
        "gpd.GeoDataFrame({'g': gpd.GeoSeries([Point(), Polygon([(0, 0), (1, 0), (1, 1)])])}, geometry='g')",
        "gpd.GeoDataFrame({'g': gpd.GeoSeries([Point(0, 1)], crs=4326), "
        "'h': gpd.GeoSeries([LineString([(0, 0), (1, 1)])], crs=3857)}, geometry='g')",
        "gpd.GeoDataFrame(geometry=[Point(0, 1, 2)], crs='ESRI:54009', index=['x'])",
        "gpd.GeoDataFrame({'n': [1]}, geometry=[Point(0, 1)], crs=4326).iloc[:0]",
        ("gpd.GeoDataFrame(geometry=[LinearRing([(0, 0), (1, 0), (1, 1)])])", REFUSED, "it would be a line"),
    ],
)

ROWS = [
    *COLUMNS,
    *INDEXES,
    *LABELS,
    *FRAMES,
    *TO_PANDAS,
    *POLARS_COLUMNS,
    *ARROW_COLUMNS,
    *AS_ARROW,
    *ACROSS,
    *DUCKDB,
    *IBIS,
    *GEO,
]
