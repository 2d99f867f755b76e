"""A diamond over partitions with a plain side, and a table whose step can be killed while it writes."""

import os
import signal
from collections.abc import Iterator

import dagster as dg
import pyarrow as pa
from processes_helpers import STEPS

from jammi_dagster import result_table

months = dg.StaticPartitionsDefinition(["jan", "feb"])


@result_table(reads=[], partitions_def=months)
def monthly(context: dg.AssetExecutionContext) -> pa.Table:
    return pa.table({"x": [context.partition_key]})


@result_table
def whole(monthly: dict[str, pa.Table]) -> pa.Table:
    return pa.concat_tables(monthly.values())


@result_table
def left(whole: pa.Table) -> pa.Table:
    return STEPS["head"](whole)


@dg.asset
def right(whole: pa.Table):
    return whole.slice(1)


@result_table
def foot(left: pa.Table, right: pa.Table) -> pa.Table:
    return pa.concat_tables([right, left])


class Death(dg.Config):
    dies: bool = False


@result_table(reads=[], code_version="1")
def deadly(config: Death) -> Iterator[pa.RecordBatch]:
    yield pa.record_batch({"x": ["before"]})
    if config.dies:
        os.kill(os.getpid(), signal.SIGKILL)
    yield pa.record_batch({"x": ["after"]})


@result_table
def below(deadly: pa.Table) -> pa.Table:
    return deadly


YEAR = [monthly, whole, left, right, foot]
DEATH = [deadly, below]
