"""Values of partitions come back as single ones do: through ranges, dicts, readers and refilled buffers."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from adapters_kit import Lab

from jammi_dagster import result_table

BIG = 2**60 + 1
letters = dg.StaticPartitionsDefinition(["a", "b", "c"])


def labelled(key: str) -> pd.DataFrame:
    """A frame whose labels, index, categories and attributes Parquet does not keep by itself."""
    months = pd.period_range("2020-01", periods=2, freq="M")
    frame = pd.DataFrame(
        {
            1: pd.Categorical([key, None], categories=["z", key], ordered=True),
            2: pd.array([BIG, None], dtype="Int64"),
        },
        index=months,
    )
    frame.columns = pd.interval_range(0, 2)
    frame.attrs = {"key": key}
    return frame


def listed(key: str) -> pd.DataFrame:
    dtype = pd.ArrowDtype(pa.map_(pa.string(), pa.int64()))
    return pd.DataFrame({"m": pd.Series([[(key, BIG)], None], dtype=dtype)})


def nested(key: str) -> pl.DataFrame:
    enum = pl.List(pl.Enum(["z", "a", "b", "c"]))
    return pl.DataFrame({"e": pl.Series([[key], None], dtype=enum), "n": [BIG, None]})


def arrow(key: str) -> pa.Table:
    return pa.table({"x": pa.array([BIG, None]), "d": pa.array([key, None]).dictionary_encode()})


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_flags=True, check_freq=True)
        return bool(one.attrs == other.attrs)
    if isinstance(one, pl.DataFrame):
        return bool(one.schema == other.schema and one.equals(other))
    return bool(one.equals(other) and one.schema.equals(other.schema))


@pytest.mark.parametrize("as_range", [True, False], ids=["one range", "one by one"])
@pytest.mark.parametrize("make", [labelled, listed, nested, arrow])
def test_a_dict_of_partitions(lab: Lab, make: Callable[[str], Any], as_range: bool) -> None:
    """Each value of the dict is the value of its partition."""
    seen: dict[str, Any] = {}
    kind: Any = type(make("a"))
    policy = dg.BackfillPolicy.single_run() if as_range else None

    def parts(context: dg.AssetExecutionContext) -> Any:
        made = {key: make(key) for key in context.partition_keys}
        return made if as_range else made[context.partition_key]

    def together(parts: Any) -> pa.Table:
        seen.update(parts)
        return pa.table({"x": [len(parts)]})

    together.__annotations__["parts"] = dict[str, kind]
    upstream = result_table(partitions_def=letters, backfill_policy=policy, code_version="1")(parts)
    if as_range:
        lab.run(upstream, span=("a", "c"))
    else:
        for key in "abc":
            lab.run(upstream, partition=key)
    lab.run([upstream, result_table(code_version="1")(together)], select=["together"])
    assert list(seen) == ["a", "b", "c"]
    assert all(equal(make(key), value) for key, value in seen.items())


def refilled(key: str) -> Iterator[pa.RecordBatch]:
    """Batches over one buffer, which is filled anew for each."""
    buffer = np.zeros(2, dtype="int64")
    for number in range(3):
        buffer[:] = number
        yield pa.record_batch({"x": pa.array(buffer)})


def refilled_frames(key: str) -> Iterator[pd.DataFrame]:
    frame = pd.DataFrame({"x": np.zeros(2, dtype="int64")})
    for number in range(3):
        frame.loc[:, "x"] = number
        yield frame


def reader(key: str) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(pa.schema({"x": pa.int64()}), refilled(key))


def lazy(key: str) -> pl.LazyFrame:
    return pl.LazyFrame({"x": [0, 0, 1, 1, 2, 2]})


@pytest.mark.parametrize("make", [refilled, refilled_frames, reader, lazy])
def test_streams_as_the_values_of_a_range(lab: Lab, make: Callable[[str], Any]) -> None:
    """Each partition of a range may be a stream; it is written as it goes, and a refilled buffer changes nothing."""

    def parts(context: dg.AssetExecutionContext) -> Any:
        return {key: make(key) for key in context.partition_keys}

    policy = dg.BackfillPolicy.single_run()
    lab.run(
        result_table(partitions_def=letters, backfill_policy=policy, code_version="1")(parts), span=("a", "c")
    )
    for key in "abc":
        assert lab.store.read(f"parts[{key}]")["x"].to_pylist() == [0, 0, 1, 1, 2, 2]


def test_partitions_as_lazy_frames_and_readers(lab: Lab) -> None:
    """A dict of lazy frames, or of readers, gives each partition in that kind."""

    @result_table(partitions_def=letters, reads=[])
    def parts(context: dg.AssetExecutionContext) -> pl.DataFrame:
        return nested(context.partition_key)

    @result_table
    def by_frames(parts: dict[str, pl.LazyFrame]) -> pl.DataFrame:
        return pl.concat(list(parts.values())).collect()

    @result_table
    def by_readers(parts: dict[str, pa.RecordBatchReader]) -> pa.Table:
        return pa.concat_tables([part.read_all().select(["n"]) for part in parts.values()])

    for key in "abc":
        lab.run(parts, partition=key)
    result = lab.run([parts, by_frames, by_readers], select=["by_frames", "by_readers"]).result
    expected = pl.concat([nested(key) for key in "abc"])
    assert equal(expected, result.asset_value("by_frames"))
    assert result.asset_value("by_readers")["n"].to_pylist() == [BIG, None] * 3
