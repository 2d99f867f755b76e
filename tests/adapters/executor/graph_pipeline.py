"""Jobs of a graph asset whose ops run in processes of their own; the environment names the store."""

import os
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa

from jammi_dagster import ResultStoreResource, ResultTableIOManager, result_table, reuse_first

FOLDER = Path(os.environ["JAMMI_FOLDER"])


@result_table(reads=[], code_version="1")
def raw() -> pa.Table:
    return pa.table({"x": [1, 2]})


@dg.op(out=dg.DynamicOut(), code_version="1")
def split(data: pa.Table) -> Any:
    for x in data["x"].to_pylist():
        yield dg.DynamicOutput(x, mapping_key=str(x))


@dg.op(code_version="1")
def grow(x):
    return x + 1


@dg.op(code_version="1")
def total(xs) -> pa.Table:
    if (FOLDER / "fail").exists():
        raise RuntimeError("asked to fail")
    return pa.table({"x": [sum(xs)]})


@dg.graph_asset(ins={"data": dg.AssetIn("raw")})
def summed(data):
    return total(split(data).map(grow).collect())


_store = ResultStoreResource(root=str(FOLDER / "store"))
defs = dg.Definitions(
    assets=[raw, summed],
    jobs=[
        dg.define_asset_job("in_process", executor_def=reuse_first(dg.in_process_executor)),
        dg.define_asset_job("multiprocess", executor_def=reuse_first(dg.multiprocess_executor)),
    ],
    resources={"io_manager": ResultTableIOManager(store=_store, cache="use")},
)
in_process, multiprocess = (defs.resolve_job_def(name) for name in ("in_process", "multiprocess"))
