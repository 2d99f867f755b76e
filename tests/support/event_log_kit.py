"""Events of a real run, event logs on SQLite, and what stands in their files."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as sa
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage

MODULE = "jammi_dagster.adapters.event_log_storage"
# filled by the database's clock
_LEFT_OUT = {"create_timestamp", "migration_completed"}


class Fault(Exception):
    """A failure of a statement."""


def events_of_runs() -> list[EventLogEntry]:
    """Run assets and checks of each kind, and return the events of both runs: one succeeds, the other does not."""

    @dg.asset(check_specs=[dg.AssetCheckSpec(name, asset="first") for name in ("good", "bad")])
    def first(context: dg.AssetExecutionContext) -> Iterator[Any]:
        context.log_event(dg.AssetObservation("first", tags={"team": "one"}))
        context.log.info("a line")
        yield dg.MaterializeResult(
            metadata={"rows": 1}, tags={"team": "one"}, data_version=dg.DataVersion("1")
        )
        yield dg.AssetCheckResult(check_name="good", passed=True)
        yield dg.AssetCheckResult(check_name="bad", passed=False, severity=dg.AssetCheckSeverity.WARN)

    @dg.asset(deps=[first])
    def second(context: dg.AssetExecutionContext) -> None:
        context.log_event(dg.AssetObservation("first", tags={"team": "two"}))
        context.log_event(dg.AssetMaterialization("first", tags={"seen": "again"}))

    @dg.asset(deps=[second])
    def failing() -> None:
        raise ValueError("a failure")

    parts = dg.StaticPartitionsDefinition(["a", "b", "c"])

    @dg.asset(partitions_def=parts, backfill_policy=dg.BackfillPolicy.single_run())
    def ranged() -> None:
        pass

    range_tags = {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": "c"}
    with dg.DagsterInstance.ephemeral() as instance:
        failed = dg.materialize([first, second, failing], instance=instance, raise_on_error=False)
        ranges = dg.materialize([ranged], instance=instance, tags=range_tags)
        return [*instance.all_logs(failed.run_id), *instance.all_logs(ranges.run_id)]


def rows_of(folder: Path) -> dict[str, list[Any]]:
    """Return the rows of each table in each file of an event log, with empty ones left out."""
    found = {}
    for file in sorted(folder.glob("*.db")):
        with contextlib.closing(sqlite3.connect(file)) as connection:
            connection.row_factory = sqlite3.Row
            for (table,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
            ).fetchall():
                # assets are numbered by who came first, which nothing reads
                order, ignored = (
                    ("asset_key", {"id", *_LEFT_OUT}) if table == "asset_keys" else ("1", _LEFT_OUT)
                )
                rows = [
                    {key: row[key] for key in row.keys() if key not in ignored}  # noqa: SIM118  # no mapping
                    for row in connection.execute(f"SELECT * FROM {table} ORDER BY {order}")
                ]
                found[f"{file.stem}.{table}"] = rows
    return {name: rows for name, rows in found.items() if rows}


def in_batches(storage: SqliteEventLogStorage, events: Sequence[EventLogEntry], size: int) -> None:
    """Store events in batches, and one by one where that fails, as Dagster's instance does."""
    for start in range(0, len(events), size):
        batch = events[start : start + size]
        try:
            storage.store_event_batch(batch)
        except Fault:
            for event in batch:
                storage.store_event(event)


@contextlib.contextmanager
def without_waiting_for_the_disk() -> Iterator[None]:
    """Let SQLite hand its writes to the system only: no test here cuts the power."""

    def hurry(connection: Any, _: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    sa.event.listen(sa.Engine, "connect", hurry)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "connect", hurry)


@contextlib.contextmanager
def at_statement(number: int, act: Callable[[], object]) -> Iterator[list[str]]:
    """Act at the statement or commit of this number, of all SQLAlchemy's; give those that were seen."""
    seen: list[str] = []
    lock = threading.Lock()

    def note(what: str) -> None:
        with lock:
            seen.append(what)
            is_turn = len(seen) == number
        if is_turn:
            act()

    def on_statement(*arguments: Any) -> None:
        note(arguments[2])

    def on_commit(_: sa.Connection) -> None:
        note("COMMIT")

    listeners: dict[str, Callable[..., None]] = {"before_cursor_execute": on_statement, "commit": on_commit}
    for name, listener in listeners.items():
        sa.event.listen(sa.Engine, name, listener)
    try:
        yield seen
    finally:
        for name, listener in listeners.items():
            sa.event.remove(sa.Engine, name, listener)


def write_instance(home: Path, *, storage: bool = True) -> None:
    """Write the `dagster.yaml` of an instance with our event log, or with Dagster's own, in the same folder."""
    lines = ["telemetry: {enabled: false}"]
    if storage:
        lines += [
            "event_log_storage:",
            f"  module: {MODULE}",
            "  class: BatchingSqliteEventLogStorage",
            f"  config: {{base_dir: '{home / 'history' / 'runs'}'}}",
        ]
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text("\n".join(lines) + "\n")
