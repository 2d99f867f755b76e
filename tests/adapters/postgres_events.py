"""The event log on PostgreSQL; `make postgres-events` runs these, in an environment that has `dagster_postgres`."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
import sqlalchemy as sa
import yaml
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.events.log import EventLogEntry
from dagster._core.execution.api import execute_run
from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
from dagster_postgres.event_log import PostgresEventLogStorage
from event_log_kit import Fault, at_statement, events_of_runs, in_batches

from benchmarks.postgres import Server, server
from jammi_dagster import ResultStoreResource, ResultTableIOManager, result_table, reuse_first
from jammi_dagster.adapters.postgres_event_log_storage import BatchingPostgresEventLogStorage

_BY_CLOCK = {"create_timestamp", "migration_completed"}
_names = (f"events_{number}" for number in count())


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with server(fsync="off", synchronous_commit="off") as started:
        yield started


@pytest.fixture
def url(running: Server) -> str:
    """A new database."""
    return running.new(next(_names)).replace("postgresql+psycopg", "postgresql")


@pytest.fixture
def storage(url: str) -> Iterator[BatchingPostgresEventLogStorage]:
    made = BatchingPostgresEventLogStorage(url)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def events() -> list[EventLogEntry]:
    return events_of_runs()


@pytest.fixture(scope="module")
def by_stock(running: Server, events: Sequence[EventLogEntry]) -> dict[str, list[Any]]:
    """The rows of Dagster's own storage, which gets one event at a time."""
    stock = PostgresEventLogStorage(running.new(next(_names)))
    for event in events:
        stock.store_event(event)
    return rows_of(stock)


def rows_of(storage: PostgresEventLogStorage) -> dict[str, list[Any]]:
    """The rows of each table but empty ones; assets are numbered by who came first, which nothing reads."""
    found = {}
    with storage._engine.connect() as connection:
        for table in SqlEventLogStorageMetadata.sorted_tables:
            is_asset = table.name == "asset_keys"
            rows = connection.execute(
                sa.select(table).order_by(table.c.asset_key if is_asset else table.c.id)
            )
            ignored = {"id", *_BY_CLOCK} if is_asset else _BY_CLOCK
            found[table.name] = [
                {key: value for key, value in row.items() if key not in ignored} for row in rows.mappings()
            ]
    return {name: rows for name, rows in found.items() if rows}


@contextlib.contextmanager
def connects() -> Iterator[list[None]]:
    """Collect the connections that are opened meanwhile."""
    opened: list[None] = []

    def note(*_: Any) -> None:
        opened.append(None)

    sa.event.listen(sa.pool.Pool, "connect", note)
    try:
        yield opened
    finally:
        sa.event.remove(sa.pool.Pool, "connect", note)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_batches_leave_the_rows_of_single_events(
    storage: BatchingPostgresEventLogStorage, events: list[EventLogEntry], by_stock: Any, size: int
) -> None:
    """Events, asset keys of many assets, tags and checks are as by Dagster's own, over two runs."""
    in_batches(storage, events, size)
    assert rows_of(storage) == by_stock


def test_single_events_leave_the_rows_of_single_events(
    storage: BatchingPostgresEventLogStorage, events: list[EventLogEntry], by_stock: Any
) -> None:
    """Dagster's own code stores an event by itself, over one connection that stays open."""
    storage.store_event(events[0])
    with connects() as opened:
        for event in events[1:]:
            storage.store_event(event)
    assert opened == []
    assert rows_of(storage) == by_stock


def test_a_batch_that_fails_leaves_nothing(url: str, events: list[EventLogEntry], by_stock: Any) -> None:
    """At whatever statement: Dagster stores the events once more, one by one, and none is lost or doubled."""

    def fail() -> None:
        raise Fault

    storage = BatchingPostgresEventLogStorage(url)
    for number in count(1):
        with at_statement(number, fail) as seen:
            in_batches(storage, events, 1000)
        found = rows_of(storage)
        assert {name: len(rows) for name, rows in found.items()} == {n: len(r) for n, r in by_stock.items()}
        assert [row["event"] for row in found["event_logs"]] == [
            row["event"] for row in by_stock["event_logs"]
        ]
        if len(seen) < number:
            break
        with storage._engine.begin() as connection:
            for table in SqlEventLogStorageMetadata.sorted_tables:
                if table.name != "secondary_indexes":
                    connection.exec_driver_sql(f"TRUNCATE {table.name} RESTART IDENTITY CASCADE")
    assert number > 5
    storage.dispose()


def test_a_batch_takes_few_statements(
    storage: BatchingPostgresEventLogStorage, events: list[EventLogEntry]
) -> None:
    """The number of statements does not grow with the number of events."""
    planned = [e for e in events if e.dagster_event_type is dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED]
    counts = []
    for batch in (planned, planned * 20):
        storage.store_event_batch(batch)  # what it looks up once is known
        with at_statement(0, lambda: None) as seen:
            storage.store_event_batch(batch)
        counts.append(len(seen))
    assert counts[0] == counts[1] < 10


def test_a_connection_that_was_cut_is_opened_again(
    running: Server, storage: BatchingPostgresEventLogStorage, events: list[EventLogEntry]
) -> None:
    """A server that was started again, or a firewall, costs no event."""
    storage.store_event(events[0])
    running.admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = %s",
        [storage._engine.url.database],
    )
    storage.store_event_batch(events[1:3])
    assert len(rows_of(storage)["event_logs"]) == 3


def test_threads_store_side_by_side(
    storage: BatchingPostgresEventLogStorage, events: list[EventLogEntry]
) -> None:
    """Batches over the same assets from many threads lose no event and wait for none for ever."""
    batches = [
        [e._replace(run_id=f"run-{number}") for e in events if e.is_dagster_event] for number in range(8)
    ]
    batches[1::2] = [batch[::-1] for batch in batches[1::2]]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(storage.store_event_batch, batches))
    assert len(rows_of(storage)["event_logs"]) == sum(map(len, batches))


def test_a_forked_child_opens_a_connection_of_its_own(
    storage: BatchingPostgresEventLogStorage, events: list[EventLogEntry]
) -> None:
    """Parent and child do not speak on one socket."""
    storage.store_event(events[0])
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            storage.store_event_batch(events[1:3])
            os._exit(0)
        os._exit(1)
    storage.store_event(events[3])
    assert os.waitpid(child, 0)[1] == 0
    storage.store_event(events[4])
    assert len(rows_of(storage)["event_logs"]) == 5


@pytest.fixture
def instance(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance whose `dagster.yaml` names our storage."""
    settings = {
        "telemetry": {"enabled": False},
        "event_log_storage": {
            "module": BatchingPostgresEventLogStorage.__module__,
            "class": BatchingPostgresEventLogStorage.__name__,
            "config": {"postgres_url": url},
        },
    }
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "1000")
    with dg.DagsterInstance.from_config(str(tmp_path)) as opened:
        assert type(opened.event_log_storage) is BatchingPostgresEventLogStorage
        yield opened


def test_dagster_finds_all_that_it_looks_for(instance: dg.DagsterInstance) -> None:
    """Planned events, the last materialization of each asset, and the end of the run."""

    @dg.asset
    def upstream() -> None: ...

    @dg.asset(deps=[upstream])
    def downstream() -> None: ...

    run = dg.materialize([upstream, downstream], instance=instance)
    for key in (upstream.key, downstream.key):
        found = instance.get_latest_materialization_event(key)
        assert found is not None
        assert found.run_id == run.run_id
    kinds = [event.dagster_event_type for event in instance.all_logs(run.run_id)]
    assert kinds.count(dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED) == 2
    assert kinds[-1] is dg.DagsterEventType.RUN_SUCCESS


def test_reuse_first_stores_levels_in_bulk(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    """Fifty unchanged tables take fewer than a statement each, and each step succeeds once."""

    def asset(number: int) -> Any:
        @result_table(name=f"table_{number}", cache="use", reads=[])
        def table() -> pa.Table:
            return pa.table({"x": [1]})

        return table

    manager = ResultTableIOManager(store=ResultStoreResource(root=str(tmp_path / "store")))
    defs = dg.Definitions(
        assets=[asset(number) for number in range(50)],
        jobs=[dg.define_asset_job("job", "*")],
        resources={"io_manager": manager},
        executor=reuse_first(dg.in_process_executor),
    )
    job = defs.resolve_job_def("job")
    statements = []
    for _ in range(2):
        run = instance.create_run_for_job(job)
        with at_statement(0, lambda: None) as seen:
            assert execute_run(InMemoryJob(job), run, instance).success
        statements.append([one for one in seen if "event_logs" in one])
    kinds = [event.dagster_event_type for event in instance.all_logs(run.run_id)]
    assert kinds.count(dg.DagsterEventType.STEP_SUCCESS) == 50
    assert dg.DagsterEventType.HANDLED_OUTPUT not in kinds
    assert len(statements[1]) < 50 < len(statements[0])
