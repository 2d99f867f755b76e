"""The cost of a run in the event log: ours beside Dagster's own, on SQLite, with the same events."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from tempfile import TemporaryDirectory
from typing import TypeAlias

import dagster as dg
import sqlalchemy as sa
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage

from benchmarks.fresh import fresh
from benchmarks.report import Report, Row
from jammi_dagster.adapters.event_log_storage import BatchingSqliteEventLogStorage

_Costs: TypeAlias = dict[str, dict[str, float]]
_STORAGES = {"Dagster's": SqliteEventLogStorage, "ours": BatchingSqliteEventLogStorage}
_COUNTED = {"statements": "before_cursor_execute", "transactions": "commit"}
# the most processor time of ours as a part of that of Dagster's own, and the most new connections of a step
RATIO, CONNECTIONS = 0.35, 0.1

ABOUT = (
    "the events of a run of assets that do nothing, stored as Dagster stores them: `creation` is the planned events, "
    "in one batch, and the files of the run, by its assets; `step` is all others, one by one, by its steps. `cpu ms` "
    "is processor time, the least of all rounds; statements, transactions and new connections are counts."
)


def run(*, assets: int = 100, rounds: int = 3) -> Report:
    """Store the events of a run of so many assets in both storages."""
    taken = {name: fresh(costs, storage=name, assets=assets, rounds=rounds).result for name in _STORAGES}
    return Report(name="event_log", about=ABOUT, rows=list(_rows(taken)))


def _rows(taken: dict[str, _Costs]) -> Iterator[Row]:
    for part in ("creation", "step"):
        yield from (Row(what=f"{part}, {name}", values=found[part]) for name, found in taken.items())
        stock, ours = (taken[name][part] for name in _STORAGES)
        ratios = {key: ours[key] / stock[key] for key in stock}
        yield Row(what=f"{part}, ours / Dagster's", values=ratios, budget=RATIO, budgeted="cpu ms")
    connections = {"connections": taken["ours"]["step"]["connections"]}
    yield Row(
        what="new connections of a step", values=connections, budget=CONNECTIONS, budgeted="connections"
    )


def costs(storage: str, assets: int, rounds: int) -> _Costs:
    """Measure one of the storages in a fresh process, by asset."""
    planned, others = _events(assets)
    counts: Counter[str] = Counter()
    for what, name in _COUNTED.items():
        sa.event.listen(sa.Engine, name, lambda *_, what=what: counts.update([what]))
    sa.event.listen(sa.pool.Pool, "connect", lambda *_: counts.update(["connections"]))
    found: dict[str, list[dict[str, float]]] = {"creation": [], "step": []}
    with TemporaryDirectory(prefix="jammi-bench-") as folder:
        made = _STORAGES[storage](folder)
        for number in range(rounds + 1):  # the first one warms up
            own, rest = (
                [event._replace(run_id=f"run-{number}") for event in each] for each in (planned, others)
            )

            def store_singly(events: Sequence[EventLogEntry] = rest) -> None:
                for event in events:
                    made.store_event(event)

            works = {"creation": lambda own=own: made.store_event_batch(own), "step": store_singly}
            for part, work in works.items():
                found[part].append(_measured(work, counts, assets))
        made.dispose()
    return {part: min(each[1:], key=lambda one: one["cpu ms"]) for part, each in found.items()}


def _measured(work: Callable[[], None], counts: Counter[str], by: int) -> dict[str, float]:
    counts.clear()
    started = time.process_time()
    work()
    cpu = (time.process_time() - started) * 1000
    return {"cpu ms": cpu / by} | {what: counts[what] / by for what in (*_COUNTED, "connections")}


def _events(assets: int) -> tuple[list[EventLogEntry], list[EventLogEntry]]:
    """Run a chain of assets, and return the planned events and all others."""
    made: list[dg.AssetsDefinition] = []
    for number in range(assets):

        @dg.asset(name=f"asset_{number:04}", deps=made[-1:])
        def nothing() -> None: ...

        made.append(nothing)
    planned: list[EventLogEntry] = []
    others: list[EventLogEntry] = []
    with dg.DagsterInstance.ephemeral() as instance:
        for event in instance.all_logs(dg.materialize(made, instance=instance).run_id):
            is_planned = event.dagster_event_type is dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
            (planned if is_planned else others).append(event)
    return planned, others
