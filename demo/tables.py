"""The demo's work on tables: reading, joining, averaging.

pyarrow's joins and groupings run on one thread here: on several, the order of rows and of additions, and with it the
bytes of the result, would change from run to run.
"""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

TIME = pa.timestamp("ms", tz="UTC")
FLIGHTS = {
    "origin": pa.string(),
    "dest": pa.string(),
    "carrier": pa.string(),
    "flight": pa.int32(),
    "tailnum": pa.string(),
    "month": pa.int8(),
    "day": pa.int8(),
    "hour": pa.int8(),
    "time_hour": TIME,
    "distance": pa.int32(),
    "dep_delay": pa.float64(),
    "arr_delay": pa.float64(),
}
MEASURES = ("temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib")
WEATHER = {"origin": pa.string(), "time_hour": TIME} | dict.fromkeys(MEASURES, pa.float64())
PLANES = {"tailnum": pa.string(), "year": pa.int32(), "manufacturer": pa.string(), "seats": pa.int32()}
ROUTE_DAY = ("origin", "dest", "month", "day")


def read(path: Path, types: dict[str, pa.DataType]) -> pa.Table:
    """Read the columns of a CSV file that `types` names, with those types."""
    options = pa.csv.ConvertOptions(
        include_columns=list(types), column_types=types, null_values=["NA", ""], strings_can_be_null=True
    )
    with open(path, "rb") as source:  # a file that Python opens is seen while the step runs
        return pa.csv.read_csv(source, convert_options=options)


def join(left: pa.Table, right: pa.Table, keys: str | Sequence[str]) -> pa.Table:
    """Append to every row of `left`, in order, the columns of the row of `right` with equal keys."""
    keys = [keys] if isinstance(keys, str) else list(keys)
    right = right.group_by(keys, use_threads=False).aggregate(
        [(name, "first") for name in right.column_names if name not in keys]
    )
    right = right.rename_columns([name.removesuffix("_first") for name in right.column_names])
    numbered = left.append_column("row", pa.array(range(len(left))))
    joined = numbered.join(right, keys, join_type="left outer", use_threads=False)
    return joined.sort_by("row").drop_columns(["row"])


def means(table: pa.Table, keys: Sequence[str], columns: Sequence[str]) -> pa.Table:
    """Average each column, and count the rows, per combination of keys, in the order of the keys."""
    grouped = table.group_by(list(keys), use_threads=False).aggregate(
        [([], "count_all"), *((name, "mean") for name in columns)]
    )
    return (
        grouped.select([*keys, "count_all", *(f"{name}_mean" for name in columns)])
        .rename_columns([*keys, "count", *columns])
        .sort_by([(key, "ascending") for key in keys])
    )
