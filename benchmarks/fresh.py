"""Fresh processes: run a function in one, and measure seconds, processor time and peak memory of the whole process."""

from __future__ import annotations

import compileall
import functools
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_REPOSITORY = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshRun:
    """The result of a function in a fresh process, and the costs of the process, imports included.

    `seconds` last from before the process starts until after its end; `cpu_seconds` are those of all its threads, and
    of the processes that it waited for; `peak_mb` is that of the largest of them.
    """

    result: Any
    seconds: float
    cpu_seconds: float
    peak_mb: float


def fresh(function: Callable[..., Any], /, **arguments: Any) -> FreshRun:
    """Call a module-level function in a new interpreter. Arguments and result are JSON.

    The child imports only the function's module and this one. The package has its bytecode, as an installed one has.
    """
    return fresh_by_name(f"{function.__module__}:{function.__qualname__}", arguments)


def fresh_by_name(name: str, arguments: Mapping[str, Any], *, python: str = sys.executable) -> FreshRun:
    """Call the function `module:name` in a new interpreter, which may be that of another environment."""
    _compile()
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        command = [python, "-m", "benchmarks.fresh", name, json.dumps(arguments), str(answer)]
        started = time.perf_counter()
        done = subprocess.run(command, cwd=_REPOSITORY, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - started
        if done.returncode:
            raise RuntimeError(f"{name}({arguments}) failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
        return FreshRun(seconds=seconds, **json.loads(answer.read_text()))


@functools.cache
def _compile() -> None:
    compileall.compile_dir(_REPOSITORY / "jammi_dagster", quiet=1)


def peak_mb() -> float:
    """Return the peak of this process's resident memory, in 10^6 bytes; of the largest child's where that is more."""
    children = _megabytes(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    status = Path("/proc/self/status")
    if status.exists():  # unlike `ru_maxrss`, not inherited from the parent
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return max(children, int(line.split()[1]) * 1024 / 1e6)
    return max(children, _megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


def disk_mb(folder: Path) -> float:
    """Return the size of all files below a folder, in 10^6 bytes."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def _megabytes(peak: int) -> float:
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _answer(name: str, arguments: Mapping[str, Any], answer: Path) -> None:
    module, function = name.split(":")
    result = getattr(importlib.import_module(module), function)(**arguments)
    used = {"cpu_seconds": sum(os.times()[:4]), "peak_mb": peak_mb()}
    answer.write_text(json.dumps({"result": result, **used}))


if __name__ == "__main__":
    _answer(sys.argv[1], json.loads(sys.argv[2]), Path(sys.argv[3]))
