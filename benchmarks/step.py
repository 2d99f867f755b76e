"""The cost of the plugin per step, warm and cold, against the same graph on Dagster's own IO manager."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from typing import TypedDict

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import runs
from benchmarks.fresh import fresh
from benchmarks.pipelines import Asset, Kind, load, write
from benchmarks.report import Report, Row

# the compared ways, and the most that they may differ, in milliseconds
_COMPARED: tuple[tuple[str, tuple[str, ...], float | None], ...] = (
    ("jammi, warm", ("dagster",), 5.0),
    ("jammi, cold", ("dagster", "the write"), 15.0),
    ("jammi, warm", ("empty",), None),
    ("jammi, warm", ("bare_steps",), None),
)
_KINDS = (Kind.BARE_STEPS, Kind.EMPTY, Kind.DAGSTER, Kind.JAMMI)
_WRITES = 20
INSTANCES = ("ephemeral", "sqlite")
GRAPHS: Mapping[str, int] = {"chain": 50, "wide": 100}

ABOUT = (
    "milliseconds a step, in process: from the end of one step to the end of the next, by Dagster's event log. `ms` "
    "is the lowest tenth of all steps of all rounds, `cpu ms` the processor time of the run by its steps, the least of "
    "all rounds; rounds are taken in turns, and the machine's noise only adds. Tables of ten rows. `dagster` is "
    "FilesystemIOManager (pickle), `empty` the same with bodies that return None, `bare_steps` hands on nothing "
    "(`deps=`, `-> None`). `the write` is `write_table` to a new file, fsynced with its folder; no sidecar."
)


class StepTimes(TypedDict):
    """The wall time of each step of a run, and the processor time per step, in milliseconds."""

    steps: list[float]
    cpu: float


def run(
    *, rounds: int = 9, graphs: Mapping[str, int] = GRAPHS, instances: Sequence[str] = INSTANCES
) -> Report:
    """Measure graphs, `chain` or `wide`, of so many steps, on an ephemeral instance and on a local one in SQLite."""
    rows: list[Row] = []
    for graph, size in graphs.items():
        for instance in instances:
            taken = fresh(times, graph=graph, steps=size, instance=instance, rounds=rounds).result
            rows += _rows(f"{graph} of {size}, {instance}", taken)
    return Report(name="step", about=ABOUT, rows=rows)


def times(graph: str, steps: int, instance: str, rounds: int) -> dict[str, list[StepTimes]]:
    """Measure, in a fresh process, each way to run the graph, in turns."""
    taken: dict[str, list[StepTimes]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="jammi-bench-") as name, ExitStack() as stack:
        folder, assets = Path(name), _assets(graph, steps)
        cases = [_Case(folder / kind.value, kind, assets, instance, stack) for kind in _KINDS]
        for attempt in range(rounds + 1):
            measured = {"the write": _writes(folder)}
            for case in cases:
                measured.update(case.measure())
            if attempt:  # the first one fills the store and warms up
                for what, each in measured.items():
                    taken[what].append(each)
    return taken


class _Case:
    """One kind of pipeline, with an instance and a storage of its own."""

    def __init__(
        self, folder: Path, kind: Kind, assets: list[Asset], instance: str, stack: ExitStack
    ) -> None:
        self._kind = kind
        write(folder / "code", kind, assets, one_file=f"pipeline_{kind.value}")
        self._modules = load(folder / "code")
        self._manager = runs.io_manager(kind, folder / "storage")
        ephemeral = instance == "ephemeral"
        opened = dg.DagsterInstance.ephemeral() if ephemeral else runs.local_instance(folder / "home")
        self._instance = stack.enter_context(opened)

    def measure(self) -> dict[str, StepTimes]:
        if self._kind is not Kind.JAMMI:
            return {self._kind.value: self._once({})}
        cold = self._once({"jammi/cache": "bypass"})
        return {"jammi, cold": cold, "jammi, warm": self._once({"jammi/cache": "use"})}

    def _once(self, tags: Mapping[str, str]) -> StepTimes:
        started = time.process_time()
        result = runs.materialize(self._modules, self._instance, self._manager, tags=tags)
        cpu = time.process_time() - started
        steps = [seconds * 1000 for seconds in runs.step_seconds(result, self._instance)]
        return {"steps": steps, "cpu": cpu / (len(steps) + 1) * 1000}


def _writes(folder: Path) -> StepTimes:
    """Write tables of ten rows, each to a new file that is fsynced with its folder."""
    steps = []
    cpu = time.process_time()
    for number in range(_WRITES):
        path = folder / f"write-{number}.parquet"
        started = time.perf_counter()
        pq.write_table(pa.table({"a": range(10)}), path)
        runs.sync(path)
        steps.append((time.perf_counter() - started) * 1000)
        path.unlink()
    return {"steps": steps, "cpu": (time.process_time() - cpu) / _WRITES * 1000}


def _assets(graph: str, steps: int) -> list[Asset]:
    first = Asset(name="step_000", source='pa.table({"a": range(10)})', body="table")
    rest = []
    for step in range(1, steps + 1):
        upstream = f"step_{step - 1:03}" if graph == "chain" else first.name
        body = f'table.set_column(0, "a", pc.add(table["a"], {step}))'
        rest.append(Asset(name=f"step_{step:03}", upstream=upstream, body=body))
    return [first, *rest]


def _rows(where: str, taken: Mapping[str, Sequence[StepTimes]]) -> Iterator[Row]:
    figures = {what: _figures(rounds) for what, rounds in taken.items()}
    for what, values in figures.items():
        yield Row(what=f"{where}: {what}", values=values)
    for ours, others, budget in _COMPARED:
        values = {
            unit: value - sum(figures[other][unit] for other in others)
            for unit, value in figures[ours].items()
        }
        what = f"{where}: {' - '.join((ours, *others))}"
        yield Row(what=what, values=values, budget=budget, budgeted="" if budget is None else "ms")


def _figures(rounds: Sequence[StepTimes]) -> dict[str, float]:
    steps = [milliseconds for each in rounds for milliseconds in each["steps"]]
    return {
        "ms": quantiles(steps, n=10)[0],
        "median ms": median(steps),
        "cpu ms": min(each["cpu"] for each in rounds),
    }
