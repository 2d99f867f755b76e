"""The table work of the demo is right, and gives rows in one order."""

from pathlib import Path

import pyarrow as pa

from demo import tables


def test_reading_takes_the_named_columns_and_knows_what_is_missing(tmp_path: Path) -> None:
    """Types do not depend on the content of a month's file."""
    path = tmp_path / "flights.csv"
    path.write_text("flight,other,tailnum,time_hour\n7,x,NA,2013-01-01T10:00:00Z\nNA,y,,NA\n")
    found = tables.read(path, {"tailnum": pa.string(), "flight": pa.int32(), "time_hour": tables.TIME})
    assert found.schema.types == [pa.string(), pa.int32(), tables.TIME]
    assert found["tailnum"].to_pylist() == [None, None]
    assert found["flight"].to_pylist() == [7, None]


def test_joining_keeps_each_row_once_and_in_place() -> None:
    """A key that is absent on the right gives nulls, one that is there twice the first."""
    left = pa.table({"key": ["c", "a", "b", "a"], "left": [1, 2, 3, 4]})
    right = pa.table({"key": ["a", "b", "a"], "right": [10, 20, 30]})
    assert tables.join(left, right, "key").to_pydict() == {
        "key": ["c", "a", "b", "a"],
        "left": [1, 2, 3, 4],
        "right": [None, 10, 20, 10],
    }


def test_means_are_grouped_and_ordered_by_keys() -> None:
    """With the number of rows; the mean of nothing is unknown."""
    table = pa.table({"key": ["b", "a", "b"], "value": [1.0, None, 2.0]})
    assert tables.means(table, ["key"], ["value"]).to_pydict() == {
        "key": ["a", "b"],
        "count": [1, 2],
        "value": [None, 1.5],
    }
