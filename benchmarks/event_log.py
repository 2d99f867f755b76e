"""The cost of a run in the event log: ours beside Dagster's own, on SQLite, with the same events."""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import TypeAlias

import dagster as dg
import sqlalchemy as sa
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import EventLogStorage, SqliteEventLogStorage

from benchmarks.fresh import fresh
from benchmarks.report import Report, Row
from jammi_dagster.adapters.event_log_storage import BatchingSqliteEventLogStorage

_Costs: TypeAlias = dict[str, dict[str, float]]
_STORAGES = {"Dagster's": SqliteEventLogStorage, "ours": BatchingSqliteEventLogStorage}
_COUNTED = {
    "statements": (sa.Engine, "before_cursor_execute"),
    "transactions": (sa.Engine, "commit"),
    "connections": (sa.pool.Pool, "connect"),
}
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
    parts = dict(zip(("creation", "step"), _events(assets), strict=True))
    counts: Counter[str] = Counter()
    for what, (target, name) in _COUNTED.items():
        sa.event.listen(target, name, lambda *_, what=what: counts.update([what]))
    found: dict[str, list[dict[str, float]]] = {part: [] for part in parts}
    with TemporaryDirectory(prefix="jammi-bench-") as folder:
        made = _STORAGES[storage](folder)
        singly = functools.partial(EventLogStorage.store_event_batch, made)  # which is a loop
        for number in range(rounds + 1):  # the first one warms up
            for part, events in parts.items():
                own = [event._replace(run_id=f"run-{number}") for event in events]
                counts.clear()
                started = time.process_time()
                (made.store_event_batch if part == "creation" else singly)(own)
                cpu = (time.process_time() - started) * 1000
                found[part].append(
                    {"cpu ms": cpu / assets} | {what: counts[what] / assets for what in _COUNTED}
                )
        made.dispose()
    return {part: min(each[1:], key=lambda one: one["cpu ms"]) for part, each in found.items()}


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
