"""The peers: redun, DVC and Hamilton, each in a module of its own that only its process imports.

They need not be installed beside this package: `--peers PYTHON` names an interpreter that has them. They get the
pipelines of `pipelines`; every module's `run` has the arguments of `bare.run`, and uses the peer as its documentation
does: in one process, with its Python interface, and without telemetry.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.fresh import FreshRun, fresh_by_name
from benchmarks.pipelines import Asset, Kind, write
from benchmarks.report import Row

PEERS = (Kind.REDUN, Kind.DVC, Kind.HAMILTON)
MISSING = (
    "not installed: pip install 'jammi-dagster[peers]' into an environment of its own; --peers ITS_PYTHON"
)


def installed(python: str) -> frozenset[Kind]:
    """Return the peers that the interpreter `python` can import."""
    names = [kind.value for kind in PEERS]
    code = f"import importlib.util as u; print(*[name for name in {names} if u.find_spec(name)])"
    found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout
    return frozenset(map(Kind, found.split()))


def once(kind: Kind, folder: Path, reads: Sequence[Path], *, python: str) -> FreshRun:
    """Run the peer's pipeline in `folder / "code"` once, in a fresh process; its tables are in `folder / "storage"`."""
    return _call(kind, "run", folder, reads, python)


def unchanged(
    kind: Kind, folder: Path, assets: Sequence[Asset], *, python: str, rounds: int
) -> list[FreshRun]:
    """Run a pipeline of one module, and so many times again, where no body may run; return the runs that are again."""
    write(folder / "code", kind, assets, one_file="pipeline")
    first = _call(kind, "record" if kind is Kind.DVC else "run", folder, (), python)
    assert first.result["bodies"] == len(assets), f"{kind.value}: {first.result}"
    again = [_call(kind, "run", folder, (), python) for _ in range(rounds)]
    assert not any(each.result["bodies"] for each in again), f"{kind.value}: {again}"
    return again


def _call(kind: Kind, name: str, folder: Path, reads: Sequence[Path], python: str) -> FreshRun:
    arguments = {
        "pipeline": str(folder / "code"),
        "storage": str(folder / "storage"),
        "reads": [str(file) for file in reads],
    }
    return fresh_by_name(f"benchmarks.peers.{kind.value}:{name}", arguments, python=python)


def missing(found: frozenset[Kind]) -> Iterator[Row]:
    """Yield a row for each peer that is not installed."""
    yield from (Row(what=kind.value, values={"note": MISSING}) for kind in PEERS if kind not in found)
