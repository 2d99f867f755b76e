"""DVC: a stage a table, each a program from Parquet to Parquet, which DVC starts in a process of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FunctionType
from typing import Any

from dvc.repo import Repo

from benchmarks.pipelines import load, parameters, values


def run(pipeline: str, storage: str, reads: list[str]) -> dict[str, Any]:
    """Reproduce all stages, without git; the bodies that ran are the stages that DVC says it ran."""
    return {"bodies": len(_repository(Path(storage)).reproduce(targets=[f"{pipeline}/dvc.yaml"]))}


def record(pipeline: str, storage: str, reads: list[str]) -> dict[str, Any]:
    """Write all tables in this process, and have DVC record them: a thousand processes take minutes."""
    import pyarrow.parquet as pq

    repository = _repository(Path(storage))
    made: dict[str, Any] = {}
    for function in values(load(Path(pipeline)), FunctionType):
        made[function.__name__] = function(*(made[name] for name in parameters(function)))
        pq.write_table(made[function.__name__], Path(storage, f"{function.__name__}.parquet"))
    repository.commit(force=True)
    return {"bodies": len(made)}


def _repository(storage: Path) -> Repo:
    """Open the repository beside the storage, in which its cache is; make it at the first time."""
    os.environ |= {"DVC_NO_ANALYTICS": "1", "PYTHON": sys.executable}
    folder = storage.parent
    if not (folder / ".dvc").exists():
        storage.mkdir(parents=True)
        Repo.init(str(folder), no_scm=True)
        (folder / ".dvc" / "config.local").write_text(f"[cache]\n    dir = {storage / 'cache'}\n")
    os.chdir(folder)  # DVC runs stages below the working directory only
    return Repo()
