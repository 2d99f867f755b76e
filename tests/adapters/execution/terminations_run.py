"""Runs of one job, some of which are ended between the sidecars and the flip. A script: `ROOT HOW NUMBER …`.

HOW is `terminate` (SIGTERM to the run worker, as a run launcher sends it), `kill`, or `no`: so the last run ends.
Prints the outcomes of the runs as JSON, one line each.
"""

import json
import os
import signal
import sys
from typing import Any
from unittest import mock

import dagster as dg
import pyarrow as pa
from dagster._utils.interrupts import capture_interrupts, setup_interrupt_handlers

from jammi_dagster import ResultStoreResource, ResultTableIOManager, result_table
from jammi_dagster.catalog import CatalogWriter

ROOT, HOW, *NUMBERS = sys.argv[1:] if __name__ == "__main__" else (os.environ["TERMINATIONS_ROOT"], "no")
DAYS = dg.StaticPartitionsDefinition(["a", "b"])


class Number(dg.Config):
    """The value of the tables."""

    number: int


@result_table(cache="use", reads=[])
def single(config: Number) -> pa.Table:
    """One table."""
    return pa.table({"n": [config.number]})


@result_table(
    cache="use", reads=[], partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run(), deps=[single]
)
def days(context: dg.AssetExecutionContext, config: Number) -> dict[str, pa.Table]:
    """A range that is published together."""
    return {key: pa.table({"n": [config.number]}) for key in context.partition_keys}


def job() -> dg.JobDefinition:
    """The job of both."""
    manager = ResultTableIOManager(store=ResultStoreResource(root=ROOT), cache="use")
    defs = dg.Definitions(
        assets=[single, days],
        resources={"io_manager": manager},
        jobs=[dg.define_asset_job("all", selection=[single, days], partitions_def=DAYS)],
        executor=dg.in_process_executor,
    )
    return defs.resolve_job_def("all")


def _end(how: str) -> None:
    """End this process, or ask it to end, when the range is about to be flipped."""
    real = CatalogWriter.finish

    def finish(writer: CatalogWriter, rows: Any, **more: Any) -> Any:
        if len(rows) == 2:
            if how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            signal.raise_signal(signal.SIGTERM)
        return real(writer, rows, **more)

    mock.patch.object(CatalogWriter, "finish", finish).start()


def main() -> None:
    """Make the runs."""
    setup_interrupt_handlers()
    tags = {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": "b"}
    for number in NUMBERS:
        if number == NUMBERS[-1] and HOW != "no":
            _end(HOW)
        config = {"ops": {name: {"config": {"number": int(number)}} for name in ("single", "days")}}
        with dg.DagsterInstance.ephemeral() as instance, capture_interrupts():
            result = job().execute_in_process(
                instance=instance, run_config=config, tags=tags, raise_on_error=False
            )
            made = result.get_asset_materialization_events()
            outcomes = [event.materialization.metadata["jammi/cache_outcome"].value for event in made]
            print(json.dumps({"success": result.success, "outcomes": outcomes}), flush=True)


if __name__ == "__main__":
    main()
