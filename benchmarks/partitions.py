"""The cost of small partitions: one run over a range of them, against an IO manager that only writes Parquet files."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import pyarrow.parquet as pq

from benchmarks import runs
from benchmarks.fresh import fresh
from benchmarks.pipelines import Kind, load
from benchmarks.report import Report, Row

# against the bare write, in processor time: an fsync that waits says more of the disk than of the plugin
_BUDGETS = {"cold": 3.0, "reused": 2.0}
_START, _END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"

ABOUT = (
    "one run over a range of partitions of ten rows each (`BackfillPolicy.single_run()`), in process, on an ephemeral "
    "instance; milliseconds of one partition. `bare` writes each as a Parquet file, without fsync or record; `bare, "
    "durable` fsyncs file and folder. `cold` computes and records, `reused` finds everything. Ratios are to `bare`; "
    "`growth` compares a partition of the range with one of a range a fourth as long."
)

_SOURCE = """import dagster as dg
import pyarrow as pa

from jammi_dagster import result_table

PARTITIONS = dg.StaticPartitionsDefinition([f"{{n:06}}" for n in range({size})])


@{decorator}(partitions_def=PARTITIONS, backfill_policy=dg.BackfillPolicy.single_run(){options})
def small(context: dg.AssetExecutionContext){returns}:
    return {{key: pa.table({{"a": range(10)}}) for key in context.partition_keys}}
"""


class ParquetFolder(dg.IOManager):
    """The bare way: a Parquet file for each partition, and nothing about it."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self._folder, self._durable = folder, durable
        folder.mkdir(parents=True)

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Write the partitions of a range."""
        for key, table in obj.items():
            path = self._folder / f"{key}.parquet"
            pq.write_table(table, path)
            if self._durable:
                runs.sync(path)

    def load_input(self, context: dg.InputContext) -> Any:
        """Load nothing: the asset has no input."""


def run(*, size: int = 3_000) -> Report:
    """Measure a range of `size` partitions, and one of a fourth of it."""
    long, short = fresh(times, size=size).result, fresh(times, size=size // 4).result
    rows = [Row(what=f"{way}: a partition of {size:,}", values=values) for way, values in long.items()]
    for way, most in _BUDGETS.items():
        ratios = {
            f"{unit} / bare": long[way][f"{unit} ms"] / long["bare"][f"{unit} ms"] for unit in ("cpu", "wall")
        }
        growth = long[way]["cpu ms"] / short[way]["cpu ms"]
        values = {**ratios, "growth": growth}
        rows.append(Row(what=f"{way}, against bare", values=values, budget=most, budgeted="cpu / bare"))
    return Report(name="partitions", about=ABOUT, rows=rows)


def times(size: int) -> dict[str, dict[str, float]]:
    """Run each way once, in a fresh process; return the milliseconds of one partition."""
    with tempfile.TemporaryDirectory(prefix="jammi-bench-") as name:
        folder = Path(name)
        ours, bare = _module(folder, Kind.JAMMI, size), _module(folder, Kind.DAGSTER, size)
        manager = runs.io_manager(Kind.JAMMI, folder / "store")
        _measured(_module(folder, Kind.JAMMI, 2), runs.io_manager(Kind.JAMMI, folder / "warm-up"), 2)
        return {
            "bare": _measured(bare, ParquetFolder(folder / "bare", durable=False), size),
            "bare, durable": _measured(bare, ParquetFolder(folder / "durable", durable=True), size),
            "cold": _measured(ours, manager, size),
            "reused": _measured(ours, manager, size),
        }


def _module(folder: Path, kind: Kind, size: int) -> ModuleType:
    is_ours = kind is Kind.JAMMI
    source = _SOURCE.format(
        size=size,
        decorator="result_table" if is_ours else "dg.asset",
        options=', cache="use", reads=[]' if is_ours else "",
        returns=" -> dict[str, pa.Table]" if is_ours else "",
    )
    code = folder / f"code-{kind.value}-{size}"
    code.mkdir(exist_ok=True)
    (code / f"partitions_{kind.value}_{size}.py").write_text(source)
    (module,) = load(code)
    return module


def _measured(module: ModuleType, manager: Any, size: int) -> dict[str, float]:
    keys = module.PARTITIONS.get_partition_keys()
    tags: Mapping[str, str] = {_START: keys[0], _END: keys[-1]}
    with dg.DagsterInstance.ephemeral() as instance:
        started, cpu = time.perf_counter(), time.process_time()
        runs.materialize([module], instance, manager, tags=tags)
        wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    return {"wall ms": wall / size * 1000, "cpu ms": cpu / size * 1000}
