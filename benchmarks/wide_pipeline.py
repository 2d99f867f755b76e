"""Many small steps in chains of ten, under `reuse_first`. The environment names the folder and the number of steps."""

import os
import tempfile
from typing import Any

import dagster as dg
import pyarrow as pa

from jammi_dagster import CachePolicy, ResultStoreResource, ResultTableIOManager, result_table, reuse_first

STEPS = int(os.environ.get("JAMMI_WIDE_STEPS", "10"))
STORE = os.environ.get("JAMMI_WIDE_STORE") or tempfile.gettempdir()
IN_A_CHAIN = 10


def _asset(number: int) -> Any:
    arguments: dict[str, Any] = {"name": f"step_{number:04}", "cache": CachePolicy.USE, "code_version": "1"}
    if number % IN_A_CHAIN == 0:

        @result_table(reads=[], **arguments)
        def first() -> pa.Table:
            return pa.table({"x": [number]})

        return first

    @result_table(ins={"up": dg.AssetIn(f"step_{number - 1:04}")}, **arguments)
    def one(up: pa.Table) -> pa.Table:
        return pa.table({"x": [number]})

    return one


EXECUTORS = {"in_process": dg.in_process_executor, "multiprocess": dg.multiprocess_executor}
jobs = [
    dg.define_asset_job(name, selection="*", executor_def=reuse_first(each))
    for name, each in EXECUTORS.items()
]
manager = ResultTableIOManager(store=ResultStoreResource(root=STORE))
defs = dg.Definitions(
    [_asset(number) for number in range(STEPS)], jobs=jobs, resources={"io_manager": manager}
)


def in_process() -> dg.JobDefinition:
    return defs.resolve_job_def("in_process")


def multiprocess() -> dg.JobDefinition:
    return defs.resolve_job_def("multiprocess")
