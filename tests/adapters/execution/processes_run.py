"""Runs jobs over `processes_assets`, each step in a process of its own. A script: what it is to do comes as JSON.

`[[job, arguments of dg.execute_job], …]` -> `[{"success", "outcomes", "errors"}, …]`
"""

import json
import os
import sys
from typing import Any

import dagster as dg
from processes_assets import DEATH, YEAR

from jammi_dagster import ResultStoreResource, ResultTableIOManager, finalize

ROOT = os.environ["ADAPTERS_TEST_ROOT"]
DEFS = finalize(
    dg.Definitions(
        assets=[*YEAR, *DEATH],
        resources={"io_manager": ResultTableIOManager(store=ResultStoreResource(root=ROOT), cache="use")},
        jobs=[
            dg.define_asset_job("month", selection=YEAR[:1]),
            dg.define_asset_job("diamond", selection=YEAR[1:]),
            dg.define_asset_job("death", selection=DEATH),
        ],
    )
)
JOBS = {name: DEFS.resolve_job_def(name) for name in ("month", "diamond", "death")}
with dg.DagsterInstance.get():
    """Load the modules of its storages, here in the fork server and not in each step."""

FORKED = {"forkserver": {"preload_modules": ["processes_run"]}}
EXECUTION = {"execution": {"config": {"multiprocess": {"max_concurrent": 2, "start_method": FORKED}}}}


def job(name: str) -> dg.JobDefinition:
    """Found by each step's process."""
    return JOBS[name]


def execute(
    instance: dg.DagsterInstance, name: str, *, run_config: Any = None, **more: Any
) -> dict[str, Any]:
    """One run."""
    found = dg.build_reconstructable_job(
        "processes_run", "job", reconstructable_args=(name,), reconstructor_working_directory=os.getcwd()
    )
    given = {**EXECUTION, **(run_config or {})}
    with dg.execute_job(found, instance, run_config=given, raise_on_error=False, **more) as result:
        events = result.all_events
        made = [
            event.step_materialization_data.materialization
            for event in events
            if event.is_step_materialization
        ]
        return {
            "success": result.success,
            "outcomes": {
                "".join(
                    [m.asset_key.to_user_string(), f"[{m.partition}]" if m.partition else ""]
                ): m.metadata["jammi/cache_outcome"].value
                for m in made
            },
            "errors": [str(event.step_failure_data.error) for event in events if event.is_step_failure],
        }


if __name__ == "__main__":
    with dg.DagsterInstance.get() as dagster:
        print(json.dumps([execute(dagster, name, **more) for name, more in json.loads(sys.argv[1])]))
