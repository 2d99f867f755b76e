"""Runs one asset in this process, as a run worker does. A script: `root name-of-this-run seconds-to-wait`.

Its function says that it began and then waits for a file, so that a second run of it waits for the first. What the run
comes to is the last line that it prints.
"""

import sys
import time
from pathlib import Path

import dagster as dg
import pyarrow as pa

from jammi_dagster import CachePolicy, ResultStoreResource, ResultTableIOManager, result_table

ROOT = Path(sys.argv[1])


@result_table(cache=CachePolicy.USE, reads=[], code_version="1")
def slow() -> pa.Table:
    (ROOT.parent / f"began-{time.time_ns()}").touch()
    while not (ROOT.parent / "go").exists():
        time.sleep(0.02)
    return pa.table({"n": [1, 2, 3]})


def main() -> None:
    """Run the asset, and print its outcome or how it ended."""
    manager = ResultTableIOManager(store=ResultStoreResource(root=str(ROOT)))
    with dg.DagsterInstance.ephemeral() as instance:
        try:
            ran = dg.materialize(
                [slow],
                resources={"io_manager": manager},
                instance=instance,
                tags={"jammi/most_wait_seconds": sys.argv[2]},
                raise_on_error=False,
            )
        except BaseException as error:
            print(f"ended: {type(error).__name__}", flush=True)
            return
        made = ran.get_asset_materialization_events()
        outcome = made[0].materialization.metadata["jammi/cache_outcome"].value if made else "nothing"
        print(f"ended: {outcome}", flush=True)


if __name__ == "__main__":
    main()
