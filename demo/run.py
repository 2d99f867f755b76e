"""Run the demo pipeline once in this process: `python -m demo.run [--damping 0.6 | --tick]`.

With `--tick`, the staleness sensor is evaluated once, and the runs that it requests are executed. Steps are reported on
stderr as they happen; the outcomes are printed on stdout, as JSON.
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import dagster as dg

import definitions
from demo.outcomes import Outcome, outcome, outcomes

# Dagster redirects what a step writes on stderr into its compute log; this copy leads past it.
TERMINAL = os.fdopen(os.dup(sys.stderr.fileno()), "w")


class Steps(logging.Handler):
    """A log handler that reports each step of a run as it starts and as it ends."""

    made: dg.AssetMaterialization | None = None

    def emit(self, record: logging.LogRecord) -> None:
        event: dg.DagsterEvent | None = record.__dict__["dagster_meta"]["dagster_event"]
        if event is None:
            return
        if event.event_type == dg.DagsterEventType.STEP_START:
            self.made = None
            _tell(f"  {event.step_key} ... ")
        elif event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            self.made = event.step_materialization_data.materialization
        elif event.event_type == dg.DagsterEventType.STEP_SUCCESS:
            seconds, made = event.step_success_data.duration_ms / 1000, self.made
            word = "checked" if made is None else outcome(made, seconds).outcome or "ran"
            partition = f"[{made.partition}] " if made is not None and made.partition else ""
            _tell(f"{partition}{word}, {seconds:.2f} s\n")
        elif event.event_type == dg.DagsterEventType.STEP_FAILURE:
            _tell("failed\n")


@dg.logger
def steps(_: dg.InitLoggerContext) -> logging.Logger:
    """Log only steps: Dagster's own logger would print every event."""
    logger = logging.Logger("demo.steps", logging.DEBUG)
    logger.addHandler(Steps())
    return logger


def run(damping: float | None) -> Iterator[Outcome]:
    """Run every month, then the tables over the year, and yield the outcome of every step."""
    pipeline = dg.Definitions.merge(definitions.defs, dg.Definitions(loggers={"steps": steps}))
    with dg.DagsterInstance.get() as instance:

        def execute(job: str, **options: Any) -> list[Outcome]:
            config = {"loggers": {"steps": {}}, **options.pop("run_config", {})}
            result = pipeline.resolve_job_def(job).execute_in_process(
                instance=instance, run_config=config, **options
            )
            return outcomes(result.all_events)

        for month in definitions.MONTHS.get_partition_keys():
            yield from execute("one_month", partition_key=month)
        yield from execute("the_year", run_config=spread_config(damping))


def tick() -> Iterator[Outcome]:
    """Evaluate the staleness sensor once, execute its requests, and yield the outcome of every step."""
    pipeline = dg.Definitions.merge(definitions.defs, dg.Definitions(loggers={"steps": steps}))
    repository = pipeline.get_repository_def()
    with dg.DagsterInstance.get() as instance:
        context = dg.build_sensor_context(instance=instance, repository_def=repository)
        result = repository.get_sensor_def("stale_tables").evaluate_tick(context)
        for request in result.run_requests or ():
            run = repository.get_implicit_global_asset_job_def().execute_in_process(
                instance=instance,
                asset_selection=list(request.asset_selection or ()),
                partition_key=request.partition_key,
                tags=dict(request.tags),
                run_config={**request.run_config, "loggers": {"steps": {}}},
            )
            yield from outcomes(run.all_events)


def spread_config(damping: float | None) -> dict[str, Any]:
    """Return the run config that sets the damping of `expected_delays`; None leaves the default."""
    return {} if damping is None else {"ops": {"expected_delays": {"config": {"damping": damping}}}}


def _tell(text: str) -> None:
    print(text, end="", file=TERMINAL, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m demo.run", description="Run the demo pipeline once.")
    parser.add_argument("--damping", type=float, help="of expected_delays")
    parser.add_argument("--tick", action="store_true", help="one tick of the sensor instead")
    asked = parser.parse_args()
    os.environ["DAGSTER_HOME"] = str(definitions.HOME)
    json.dump([asdict(found) for found in (tick() if asked.tick else run(asked.damping))], sys.stdout)
