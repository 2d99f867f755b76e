"""redun: a task a table, from `File` to `File`; it looks at path, size and time of files, and at the tasks' code."""

from __future__ import annotations

import inspect
import logging
from pathlib import Path
from typing import Any

from redun import File, Scheduler, Task
from redun.config import Config

from benchmarks.pipelines import count_bodies, load, values


def run(pipeline: str, storage: str, reads: list[str]) -> dict[str, Any]:
    """Run all tasks with redun's scheduler and its SQLite database."""
    ran = count_bodies()
    logging.getLogger("redun").setLevel(logging.WARNING)
    folder = Path(storage)
    folder.mkdir(parents=True, exist_ok=True)
    database = f"sqlite:///{folder / 'redun.db'}"
    scheduler = Scheduler(config=Config({"backend": {"db_uri": database, "automigrate": "True"}}))
    scheduler.load()
    made: dict[str, Any] = {f"read_{number}": File(path) for number, path in enumerate(reads)}
    for task in values(load(Path(pipeline)), Task):
        *given, _ = inspect.signature(task.func).parameters
        made[task.name] = task(*(made[name] for name in given), str(folder / f"{task.name}.parquet"))
    scheduler.run([value for name, value in made.items() if not name.startswith("read_")])
    return {"bodies": len(ran)}
