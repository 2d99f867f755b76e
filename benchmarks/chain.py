"""The chain: 20 table-to-table steps over the flights, each adds one column, every table is kept on disk."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pyarrow.parquet as pq

from benchmarks import bare, peers, tables
from benchmarks.fresh import FreshRun, disk_mb, fresh
from benchmarks.pipelines import Asset, Kind, write
from benchmarks.report import Report, Row

RUNS = ("cold", "warm", "changed")
COLD_BUDGET = 1.0
# to the floor, and to redun by the run
FLOOR_BUDGET = 1.6
REDUN_BUDGETS = {"cold": 1.2, "warm": 1.6, "changed": 1.2}
STEPS_BUDGET = 1.1
# to the floor and a run of Dagster that makes nothing, together: neither can be spared
BOTH_BUDGET = 1.2
PEAK_BUDGET = 1.5
EVERY: Mapping[Kind, Sequence[str]] = dict.fromkeys(Kind, RUNS)

ABOUT = (
    "seconds and processor seconds of a whole fresh process, imports included; peak and disk in 10^6 bytes; how many "
    "bodies ran. `warm`: nothing changed. `changed`: the code of one step in the middle changed. In process on SQLite "
    "instances with our event log, in turns; seconds are the least of all rounds: noise only adds. pyarrow is the "
    "floor: plain Parquet files, and a skip by the digests of code and input. `dagster`: its own IO manager; `empty`: "
    "on that one too, same imports, bodies return None; `bare_steps`: no values at all (`deps=`, `-> None`), no "
    "pyarrow; of these two the least of all their runs. `must run` is pyarrow changed - pyarrow warm. "
    "redun hands on files, and looks at path, size and time of each; DVC starts a process for each stage; Hamilton "
    "keeps Parquet files, by a hash of a table's buffers (see `peers`)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRounds:
    """All rounds of one run of one kind of pipeline."""

    rounds: list[FreshRun]
    disk_mb: float

    @property
    def seconds(self) -> tuple[float, float]:
        """The least time, and the least processor time, of the whole process."""
        return min(each.seconds for each in self.rounds), min(each.cpu_seconds for each in self.rounds)

    @property
    def peak_mb(self) -> float:
        """The median peak memory."""
        return median(each.peak_mb for each in self.rounds)

    @property
    def bodies(self) -> int:
        """The number of bodies that ran, which is the same in every round."""
        (bodies,) = {each.result["bodies"] for each in self.rounds}
        return int(bodies)


Results = Mapping[tuple[Kind, str], RunRounds]


def run(
    *,
    rounds: int = 3,
    rows: int | None = None,
    steps: int = 20,
    changed: int = 10,
    kinds: Mapping[Kind, Sequence[str]] = EVERY,
    python: str = sys.executable,
) -> Report:
    """Run the chain of `steps` over the first `rows` flights; `changed` is the number of the step that changes.

    `kinds` names the runs of each kind of pipeline; the budgets need all of pyarrow and jammi, and of Dagster the cold
    one. `python` is the interpreter that has the peers.
    """
    found = peers.installed(python)
    kinds = {kind: names for kind, names in kinds.items() if kind not in peers.PEERS or kind in found}
    rounds_of: dict[tuple[Kind, str], list[FreshRun]] = defaultdict(list)
    disk: dict[tuple[Kind, str], float] = {}
    with tempfile.TemporaryDirectory(prefix="jammi-bench-") as name:
        flights = Path(name, "flights.parquet")
        pq.write_table(tables.flights(rows), flights)
        for turn in range(rounds):
            folder = Path(name, f"round-{turn}")
            for run_name in RUNS:
                assets = chain(flights, steps, changed if run_name == "changed" else None)
                for kind in (kind for kind in kinds if run_name in kinds[kind]):
                    write(folder / kind.value / "code", kind, assets)
                    done = _once(kind, folder / kind.value, flights, python)
                    rounds_of[kind, run_name].append(done)
                    disk[kind, run_name] = disk_mb(folder / kind.value / "storage")
            shutil.rmtree(folder)
    results = {key: RunRounds(rounds=done, disk_mb=disk[key]) for key, done in rounds_of.items()}
    rows_of_peers = peers.missing(found)
    return Report(name="chain", about=ABOUT, rows=[*_figures(results), *rows_of_peers, *_ratios(results)])


def chain(flights: Path, steps: int, changed: int | None) -> list[Asset]:
    """Build the assets; the step number `changed` multiplies by another constant."""

    def asset(step: int) -> Asset:
        factor = 3 if step == changed else 2
        body = f'table.append_column("c{step}", pc.add(pc.multiply(table["distance"], {factor}), {step}))'
        if step == 1:
            file = str(flights)
            return Asset(name="step_01", source=f"pq.read_table({file!r})", reads=(file,), body=body)
        return Asset(name=f"step_{step:02}", upstream=f"step_{step - 1:02}", body=body)

    return [asset(step) for step in range(1, steps + 1)]


def _once(kind: Kind, folder: Path, flights: Path, python: str) -> FreshRun:
    if kind in peers.PEERS:
        return peers.once(kind, folder, [flights], python=python)
    code, storage = str(folder / "code"), str(folder / "storage")
    if kind is Kind.PYARROW:
        return fresh(bare.run, pipeline=code, storage=storage, reads=[str(flights)])
    from benchmarks import runs  # imports Dagster, which the floor does without

    return fresh(runs.run, kind=kind.value, pipeline=code, home=str(folder / "home"), storage=storage)


def _figures(results: Results) -> Iterator[Row]:
    for kind in dict.fromkeys(kind for kind, _ in results):
        of = {run_name: results[kind, run_name] for run_name in RUNS if (kind, run_name) in results}
        yield Row(
            what=kind.value,
            values={
                **{f"{run_name} s": measured.seconds[0] for run_name, measured in of.items()},
                **{f"{run_name} cpu s": measured.seconds[1] for run_name, measured in of.items()},
                "bodies": "/".join(str(measured.bodies) for measured in of.values()),
                "peak MB": "/".join(f"{measured.peak_mb:.0f}" for measured in of.values()),
                "disk MB": next(iter(of.values())).disk_mb,
            },
        )


def _ratios(results: Results) -> Iterator[Row]:
    wall, cpu = ({key: measured.seconds[clock] for key, measured in results.items()} for clock in (0, 1))
    for (what, x, budget), (_, cpu_x, _) in zip(_time_ratios(wall), _time_ratios(cpu), strict=True):
        yield _row(what, {"x": x, "cpu x": cpu_x}, budget)
    for run_name in RUNS:
        ours, floor = results[Kind.JAMMI, run_name], results[Kind.PYARROW, run_name]
        budget = PEAK_BUDGET if run_name == "cold" else None
        yield _row(f"peak, {run_name} / pyarrow {run_name}", {"x": ours.peak_mb / floor.peak_mb}, budget)


def _time_ratios(seconds: Mapping[tuple[Kind, str], float]) -> Iterator[tuple[str, float, float | None]]:
    cold, warm, changed = (seconds[Kind.JAMMI, run_name] for run_name in RUNS)
    must_run = seconds[Kind.PYARROW, "changed"] - seconds[Kind.PYARROW, "warm"]
    yield "cold / dagster cold", cold / seconds[Kind.DAGSTER, "cold"], COLD_BUDGET
    yield "cold / pyarrow cold", cold / seconds[Kind.PYARROW, "cold"], FLOOR_BUDGET
    for run_name, most in REDUN_BUDGETS.items():
        if (Kind.REDUN, run_name) in seconds:
            ours, redun = seconds[Kind.JAMMI, run_name], seconds[Kind.REDUN, run_name]
            yield f"{run_name} / redun {run_name}", ours / redun, most
    if (Kind.EMPTY, "cold") in seconds:
        both = seconds[Kind.EMPTY, "cold"] + seconds[Kind.PYARROW, "cold"]
        yield "cold / (empty cold + pyarrow cold)", cold / both, BOTH_BUDGET
    for base, budget in ((Kind.EMPTY, STEPS_BUDGET), (Kind.BARE_STEPS, None)):
        empty, name = min(each for (kind, _), each in seconds.items() if kind is base), base.value
        yield f"warm / {name}", warm / empty, budget
        yield f"changed / ({name} + must run)", changed / (empty + must_run), budget


def _row(what: str, values: Mapping[str, float], budget: float | None) -> Row:
    return Row(what=what, values=values, budget=budget, budgeted="" if budget is None else "x")
