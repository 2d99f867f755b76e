"""Runs the training pipeline of the guide `objects`, each step in a process of its own. A script: `alpha` by `alpha`.

Prints the computed tables of each run, as JSON.
"""

import json
import sys
from pathlib import Path

import dagster as dg
from training import assets, resources  # type: ignore[import-not-found]  # the guide's code, beside this script

DEFS = dg.Definitions(assets, resources=resources, jobs=[dg.define_asset_job("training_job")])
FORKED = {"forkserver": {"preload_modules": ["training_run"]}}
EXECUTION = {"execution": {"config": {"multiprocess": {"max_concurrent": 2, "start_method": FORKED}}}}


def job() -> dg.JobDefinition:
    """Find the job, in each step's process."""
    return DEFS.resolve_job_def("training_job")


def computed(instance: dg.DagsterInstance, alpha: float) -> list[str]:
    """List the tables that a run computes."""
    found = dg.build_reconstructable_job(
        "training_run", "job", reconstructor_working_directory=str(Path(__file__).parent)
    )
    config = {**EXECUTION, "ops": {"model": {"config": {"alpha": alpha}}}}
    with dg.execute_job(found, instance, run_config=config, raise_on_error=True) as result:
        made = [
            e.step_materialization_data.materialization
            for e in result.all_events
            if e.is_step_materialization
        ]
    assert len(made) == len(assets)
    return [one.label for one in made if one.metadata["jammi/cache_outcome"].value == "computed"]


if __name__ == "__main__":
    with dg.DagsterInstance.get() as opened:
        print(json.dumps([computed(opened, float(alpha)) for alpha in sys.argv[1:]]))
