"""Run jobs of the demo once under Dagster's multiprocess executor, on the instance of DAGSTER_HOME.

A script, run in a copy of the project: takes the run config of `the_year` as JSON and the names of the jobs, prints
the outcomes as JSON.
"""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import dagster as dg

import definitions
from demo.outcomes import Outcome, outcomes

JOBS = {name: definitions.defs.resolve_job_def(name) for name in ("one_month", "the_year")}
with dg.DagsterInstance.get():
    """Load the modules of its storages."""

# What stands above happens once, in the fork server; in spawned workers it would take seconds of each step.
FORKED = {"forkserver": {"preload_modules": ["run_multiprocess"]}}
CONFIG = {
    "execution": {"config": {"multiprocess": {"max_concurrent": 2, "start_method": FORKED}}},
    "loggers": {"console": {"config": {"log_level": "ERROR"}}},
}


def job(name: str) -> dg.JobDefinition:
    return JOBS[name]


def execute(
    instance: dg.DagsterInstance, name: str, config: dict[str, Any], tags: dict[str, str]
) -> list[Outcome]:
    reconstructable = dg.build_reconstructable_job(
        "run_multiprocess", "job", reconstructable_args=(name,), reconstructor_working_directory=os.getcwd()
    )
    with dg.execute_job(
        reconstructable, instance, run_config=CONFIG | config, tags=tags, raise_on_error=True
    ) as run:
        assert run.success, [event.message for event in run.all_events if event.is_failure]
        return outcomes(run.all_events)


def main(config: str, *jobs: str) -> Iterator[Outcome]:
    with dg.DagsterInstance.get() as instance:
        if "one_month" in jobs:
            for month in definitions.MONTHS.get_partition_keys():
                yield from execute(instance, "one_month", {}, {"dagster/partition": month})
        if "the_year" in jobs:
            yield from execute(instance, "the_year", json.loads(config), {})


if __name__ == "__main__":
    json.dump([asdict(each) for each in main(*sys.argv[1:])], sys.stdout)
