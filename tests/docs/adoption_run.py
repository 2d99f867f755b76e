"""Takes the project of the guide `adopt-gradually` through its steps, each run in a fork. A script: steps are JSON.

`[{"file": name, "text": …} | {"script": name}, …]` -> for each script its output, and the values of all assets then.
"""

import contextlib
import importlib
import io
import json
import multiprocessing
import runpy
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import sklearn.linear_model

from jammi_dagster.adapters import decorator, finalize, io_manager

LOADED = (sklearn.linear_model, decorator, finalize, io_manager)  # once, for all forks

FRAMES = dict.fromkeys(("cleaned", "enriched", "by_day", "by_country", "forecast"), pd.DataFrame)
TYPES: dict[str, Any] = {**FRAMES, "model": object, "chart": object}


def comparable(value: Any) -> Any:
    """Return a frame, a model or a file as a text or a list."""
    if isinstance(value, pd.DataFrame):
        return value.to_csv(index=False)
    if isinstance(value, Path):
        return value.read_text()
    return [*value.coef_.tolist(), value.intercept_]


def ran(script: str, told: Any) -> None:
    """Run a script as a process of its own would, and load the value of each asset."""
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        runpy.run_path(script, run_name="__main__")
    found = importlib.import_module("shop.definitions").defs()
    with dg.DagsterInstance.local_temp("home") as instance:
        values = {
            key: comparable(found.load_asset_value(key, python_type=kind, instance=instance))
            for key, kind in TYPES.items()
        }
    told.send({"output": shown.getvalue(), "values": values})


if __name__ == "__main__":
    sys.path.insert(0, "")
    forks = multiprocessing.get_context("fork")
    found = []
    for step in json.loads(sys.stdin.read()):
        if "file" in step:
            Path(step["file"]).parent.mkdir(parents=True, exist_ok=True)
            Path(step["file"]).write_text(step["text"])
            continue
        here, there = forks.Pipe(duplex=False)
        fork = forks.Process(target=ran, args=(step["script"], there))
        fork.start()
        there.close()
        found.append(here.recv())
        fork.join()
    print(json.dumps(found))
