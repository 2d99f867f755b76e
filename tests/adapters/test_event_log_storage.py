"""The event log on SQLite beside Dagster's own: the same rows, in fewer transactions, whatever fails."""

import contextlib
import gc
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dagster as dg
import psutil  # type: ignore[import-untyped]  # it has no annotations
import pytest
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetEventTagsTable
from dagster._serdes import serialize_value
from event_log_kit import (
    Fault,
    at_statement,
    events_of_runs,
    in_batches,
    rows_of,
    without_waiting_for_the_disk,
    write_instance,
)
from waiting_kit import MOST_SECONDS

from jammi_dagster.adapters import event_log_storage
from jammi_dagster.adapters.event_log_storage import BatchingSqliteEventLogStorage

RUN, OTHER = "first-run", "second-run"
MATERIALIZED = dg.DagsterEventType.ASSET_MATERIALIZATION


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with without_waiting_for_the_disk():
        yield


@pytest.fixture(scope="module")
def events() -> list[EventLogEntry]:
    return events_of_runs()


@pytest.fixture(scope="module")
def by_stock(events: list[EventLogEntry], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """The rows that Dagster's own storage makes of the events, one by one."""
    folder = tmp_path_factory.mktemp("stock")
    storage = SqliteEventLogStorage(str(folder))
    for event in events:
        storage.store_event(event)
    return rows_of(folder)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[BatchingSqliteEventLogStorage]:
    made = BatchingSqliteEventLogStorage(str(tmp_path))
    yield made
    made.dispose()


def line(text: str, run_id: str = RUN) -> EventLogEntry:
    """An event of the user's log."""
    return EventLogEntry(error_info=None, level=20, user_message=text, run_id=run_id, timestamp=1.0)


def texts(storage: SqliteEventLogStorage, run_id: str = RUN) -> list[str]:
    return [entry.user_message for entry in storage.get_logs_for_run(run_id)]


def open_files(folder: Path) -> set[str]:
    """The names of the databases that this process has open."""
    files = (Path(file.path) for file in psutil.Process().open_files())
    return {file.name for file in files if file.parent == folder and file.suffix == ".db"}


# --- rows ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_batches_leave_the_rows_of_single_events(
    storage: BatchingSqliteEventLogStorage,
    events: list[EventLogEntry],
    by_stock: Any,
    tmp_path: Path,
    size: int,
) -> None:
    """Both shards, asset keys of many assets, tags, checks and run status are as by Dagster's own, over two runs."""
    in_batches(storage, events, size)
    assert rows_of(tmp_path) == by_stock
    assert {event.dagster_event_type.value for event in events if event.dagster_event_type} >= {
        "ASSET_MATERIALIZATION_PLANNED",
        "ASSET_MATERIALIZATION",
        "ASSET_OBSERVATION",
        "ASSET_CHECK_EVALUATION_PLANNED",
        "ASSET_CHECK_EVALUATION",
        "PIPELINE_START",
        "PIPELINE_FAILURE",
        "PIPELINE_SUCCESS",
    }


def test_single_events_leave_the_rows_of_single_events(
    storage: BatchingSqliteEventLogStorage, events: list[EventLogEntry], by_stock: Any, tmp_path: Path
) -> None:
    """An event by itself is stored as by Dagster's own, over connections that stay open."""
    for event in events:
        storage.store_event(event)
    assert rows_of(tmp_path) == by_stock


def test_both_storages_take_turns_on_one_folder(
    storage: BatchingSqliteEventLogStorage, events: list[EventLogEntry], by_stock: Any, tmp_path: Path
) -> None:
    """A process of an older image writes beside ours: neither sees a difference."""
    stock = SqliteEventLogStorage(str(tmp_path))
    for start in range(0, len(events), 10):
        in_batches(storage, events[start : start + 5], 5)
        for event in events[start + 5 : start + 10]:
            stock.store_event(event)
    assert rows_of(tmp_path) == by_stock
    for run_id in {event.run_id for event in events}:
        assert stock.get_logs_for_run(run_id) == storage.get_logs_for_run(run_id)


def test_assets_have_the_records_of_dagster(
    storage: BatchingSqliteEventLogStorage, events: list[EventLogEntry], tmp_path: Path
) -> None:
    """Materialized, only planned, wiped, or with a record that an older Dagster wrote: each is read alike."""
    stock = SqliteEventLogStorage(str(tmp_path))
    in_batches(storage, events, 1000)
    keys = stock.all_asset_keys()
    storage.wipe_asset(keys[0])
    materialization = dg.AssetMaterialization(keys[1])
    with contextlib.closing(sqlite3.connect(tmp_path / "index.db")) as index, index:
        written = serialize_value(materialization), keys[1].to_string()
        index.execute("UPDATE asset_keys SET last_materialization = ? WHERE asset_key = ?", written)
    storage.store_event(next(event for event in events if event.dagster_event_type is MATERIALIZED))
    assert storage.get_asset_records() == stock.get_asset_records()
    assert [storage.get_asset_records([key]) for key in keys] == [
        stock.get_asset_records([key]) for key in keys
    ]


def test_an_empty_batch_is_nothing(storage: BatchingSqliteEventLogStorage, tmp_path: Path) -> None:
    """No row is stored for no event."""
    before = rows_of(tmp_path)
    storage.store_event_batch([])
    assert rows_of(tmp_path) == before


# --- faults --------------------------------------------------------------------------------------------


def _fail() -> None:
    raise Fault


def _interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("fault", [_fail, pytest.param(_interrupt, marks=pytest.mark.slow)])
def test_a_batch_that_fails_leaves_nothing(
    storage: BatchingSqliteEventLogStorage,
    events: list[EventLogEntry],
    by_stock: Any,
    tmp_path: Path,
    fault: Callable[[], None],
) -> None:
    """At each statement and each commit, of one batch over two runs: then Dagster stores its events one by one."""
    for run_id in {event.run_id for event in events}:
        storage.get_logs_for_run(run_id)  # makes the shard
    before, number = rows_of(tmp_path), 0
    while True:
        number += 1
        with at_statement(number, fault) as seen:
            try:
                storage.store_event_batch(events)
            except (Fault, KeyboardInterrupt):
                assert rows_of(tmp_path) == before, seen[-1]
            else:
                break
    assert rows_of(tmp_path) == by_stock
    assert seen.count("COMMIT") == 3
    assert number > 15


@pytest.mark.parametrize("number", [1, 4, 7, 9])
def test_events_of_a_failed_batch_are_stored_once(
    storage: BatchingSqliteEventLogStorage,
    events: list[EventLogEntry],
    by_stock: Any,
    tmp_path: Path,
    number: int,
) -> None:
    """None is lost and none is doubled."""
    with at_statement(number, _fail):
        in_batches(storage, events, 1000)
    assert rows_of(tmp_path) == by_stock


def test_a_run_is_created_once_whatever_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster's own way through a batch that fails: each asset is planned once, and made once."""
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "10")
    write_instance(tmp_path)

    @dg.multi_asset(specs=[dg.AssetSpec(f"asset_{number}") for number in range(15)])
    def many() -> Iterator[dg.MaterializeResult]:
        for number in range(15):
            yield dg.MaterializeResult(f"asset_{number}")

    store = BatchingSqliteEventLogStorage.store_event_batch
    faults: list[str] = []

    def failing_at_its_end(self: BatchingSqliteEventLogStorage, events: Sequence[EventLogEntry]) -> None:
        with at_statement(6 + len(faults), _fail) as seen:
            try:
                store(self, events)
            except Fault:
                faults.append(seen[-1])
                raise

    monkeypatch.setattr(BatchingSqliteEventLogStorage, "store_event_batch", failing_at_its_end)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert type(instance.event_log_storage) is BatchingSqliteEventLogStorage
        result = dg.materialize([many], instance=instance)
        stored = [
            entry.get_dagster_event() for entry in instance.all_logs(result.run_id) if entry.is_dagster_event
        ]
        kinds = Counter((event.event_type, event.asset_key) for event in stored if event.asset_key)
        assert len(instance.get_asset_keys()) == 15
    assert len(faults) == 2, "the planned events are two batches"
    assert len(kinds) == 30
    assert set(kinds.values()) == {1}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no forks")
def test_a_kill_leaves_no_event_that_its_run_does_not_have(
    events: list[EventLogEntry], tmp_path: Path
) -> None:
    """A run's shard is committed first: at whatever statement a process dies, the index is not ahead of it."""
    own = [event for event in events if event.run_id == events[0].run_id]
    empty, shard = tmp_path / "empty", f"{own[0].run_id}.event_logs"
    BatchingSqliteEventLogStorage(str(empty)).get_logs_for_run(own[0].run_id)
    number, is_whole = 0, False
    while not is_whole:
        number += 1
        folder = tmp_path / str(number)
        shutil.copytree(empty, folder)
        child = os.fork()
        if not child:
            code = 1
            try:
                with at_statement(number, lambda: os._exit(9)):
                    BatchingSqliteEventLogStorage(str(folder)).store_event_batch(own)
                code = 0
            finally:
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (0, 9)
        is_whole = code == 0
        found = rows_of(folder)
        assert len(found.get(shard, [])) in (0, len(own))
        assert "index.event_logs" not in found or shard in found
    assert number > 8


# --- many at once --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_four_writers_lose_and_double_nothing(events: list[EventLogEntry], tmp_path: Path) -> None:
    """Each of four storages stores a run of its own, in batches and singly, while the others do."""

    def write(number: int) -> str:
        storage = BatchingSqliteEventLogStorage(str(tmp_path))
        own = [event._replace(run_id=f"run-{number}") for event in events]
        in_batches(storage, own[: len(own) // 2], 9)
        for event in own[len(own) // 2 :]:
            storage.store_event(event)
        storage.dispose()
        return f"run-{number}"

    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(write, range(4)))
    found = rows_of(tmp_path)
    mirrored = Counter(row["run_id"] for row in found["index.event_logs"])
    assert len(set(mirrored.values())) == 1
    for run_id in runs:
        stored = [row["event"] for row in found[f"{run_id}.event_logs"]]
        assert len(stored) == len(events)
        assert mirrored[run_id] == len(
            {row["id"] for row in found["index.event_logs"] if row["run_id"] == run_id}
        )
    assert mirrored.keys() == set(runs)


@pytest.mark.slow
def test_four_runs_at_once_are_whole(tmp_path: Path) -> None:
    """Four processes create and run a job each, with batches: every event is in its run and in the index once."""
    write_instance(tmp_path)
    dg.DagsterInstance.from_config(
        str(tmp_path)
    ).dispose()  # Dagster's other storages are not made by four at once
    environment = {**os.environ, "DAGSTER_HOME": str(tmp_path), "DAGSTER_EVENT_BATCH_SIZE": "1000"}
    pipeline = Path(__file__).with_name("event_log_pipeline.py")
    command = [sys.executable, "-m", "dagster", "job", "execute", "-f", str(pipeline), "-j", "row"]
    with open(tmp_path / "log", "wb") as log:
        running = [
            subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log) for _ in range(4)
        ]
        assert [each.wait(MOST_SECONDS) for each in running] == [0] * 4, (tmp_path / "log").read_text()[
            -3000:
        ]
    found = rows_of(tmp_path / "history" / "runs")
    mirrored = Counter(
        (row["run_id"], row["dagster_event_type"], row["asset_key"]) for row in found["index.event_logs"]
    )
    assert set(mirrored.values()) == {1, 20}  # a check's event has no asset key: 20 of a run are alike
    shards = [name for name in found if name.endswith(".event_logs") and name != "index.event_logs"]
    in_runs = Counter(
        (row["run_id"], row["dagster_event_type"], row["asset_key"]) for name in shards for row in found[name]
    )
    assert {key: in_runs[key] for key in mirrored} == mirrored
    assert len(shards) == 4
    of_run = Counter(run_id for run_id, _, _ in mirrored.elements())
    assert set(of_run.values()) == {4 * 20 + 2}, (
        "planned, made and two of a check for each asset; start and success"
    )
    assert len(found["index.asset_keys"]) == 20
    assert len(found["index.asset_check_executions"]) == 4 * 20
    assert len(found["index.asset_event_tags"]) == 4 * 20


def test_threads_share_one_storage(storage: BatchingSqliteEventLogStorage) -> None:
    """Each thread's events are in its run, in order."""

    def write(number: int) -> list[str]:
        for count in range(10):
            storage.store_event_batch([line(f"{count}", f"run-{number}"), line(f"{count}+", f"run-{number}")])
        return texts(storage, f"run-{number}")

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(write, range(4)))
    assert found == [[text for count in range(10) for text in (f"{count}", f"{count}+")]] * 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no forks")
def test_a_fork_carries_no_connection(storage: BatchingSqliteEventLogStorage, tmp_path: Path) -> None:
    """Parent and child go on with connections of their own, in the same shards, and no event is lost."""
    storage.store_event_batch([line("before")])
    child = os.fork()
    if not child:
        code = 1
        try:
            assert open_files(tmp_path) == set()
            storage.store_event_batch([line("child"), line("child", OTHER)])
            code = 0
        finally:
            os._exit(code)
    storage.store_event(line("parent"))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    storage.store_event(line("after"))
    assert sorted(texts(storage)) == sorted(["before", "parent", "child", "after"])
    assert texts(storage)[-1] == "after"
    assert texts(storage, OTHER) == ["child"]


@pytest.mark.parametrize("kind", [SqliteEventLogStorage, BatchingSqliteEventLogStorage])
def test_a_watcher_sees_each_event_once(
    storage: BatchingSqliteEventLogStorage, tmp_path: Path, kind: type[SqliteEventLogStorage]
) -> None:
    """Live, with either storage: a writer whose connections stay open tells of each commit, a reader of none."""
    storage.store_event(line("before"))
    reader = kind(str(tmp_path))
    cursor = reader.get_records_for_run(RUN).cursor
    seen: list[str] = []
    done = threading.Event()

    def watch(event: EventLogEntry, _: str) -> None:
        seen.append(event.user_message)
        if event.user_message == "last":
            done.set()

    reader.watch(RUN, cursor, watch)
    try:
        for number in range(5):
            storage.store_event(line(f"{number}"))
            assert texts(storage)[-1] == f"{number}"
        storage.store_event_batch([line("batch"), line("last")])
        assert done.wait(20)
    finally:
        reader.end_watch(RUN, watch)
        reader.dispose()
    assert seen == ["0", "1", "2", "3", "4", "batch", "last"]


# --- connections ---------------------------------------------------------------------------------------


def test_connections_stay_open_and_are_bounded(
    storage: BatchingSqliteEventLogStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shards that were used last stay open, and are not opened again."""
    monkeypatch.setattr(event_log_storage, "_MOST_SHARDS", 3)
    runs = [f"run-{number}" for number in range(5)]
    for run_id in runs:
        storage.store_event_batch([line("one", run_id), line("two", run_id)])
    assert open_files(tmp_path) == {"index.db", "run-3.db", "run-4.db"}
    assert [texts(storage, run_id) for run_id in runs] == [["one", "two"]] * 5


@pytest.mark.parametrize(
    ("end", "left"),
    [
        (lambda storage: storage.delete_events(RUN), {"index.db", f"{OTHER}.db"}),
        (lambda storage: storage.wipe(), {"index.db"}),
        (lambda storage: storage.dispose(), set()),
    ],
)
def test_what_ends_a_shard_closes_it(
    storage: BatchingSqliteEventLogStorage,
    tmp_path: Path,
    end: Callable[[SqliteEventLogStorage], None],
    left: set[str],
) -> None:
    """No connection stays to a deleted run, a wiped log or a storage that is done with; it can be used again."""
    storage.store_event_batch([line("one"), line("two", OTHER)])
    assert open_files(tmp_path) == {"index.db", f"{RUN}.db", f"{OTHER}.db"}
    end(storage)
    assert open_files(tmp_path) == left
    storage.store_event(line("again"))
    assert texts(storage)[-1] == "again"


@pytest.mark.slow
def test_a_storage_that_nobody_holds_closes_its_files(tmp_path: Path) -> None:
    """An instance that is never disposed leaves no open file."""
    storage = BatchingSqliteEventLogStorage(str(tmp_path))
    storage.store_event(line("one"))
    del storage
    gc.collect()
    assert open_files(tmp_path) == set()


@pytest.mark.parametrize("shard", [RUN, "index"])
def test_a_file_that_was_removed_is_made_anew(
    storage: BatchingSqliteEventLogStorage, tmp_path: Path, events: list[EventLogEntry], shard: str
) -> None:
    """Another process wipes the log: no event goes to a file without a name."""
    own = [event._replace(run_id=RUN) for event in events if event.dagster_event_type == MATERIALIZED]
    storage.store_event_batch(own)
    for file in tmp_path.glob(f"{shard}.db*"):
        file.unlink()
    storage.store_event_batch(own)
    found = rows_of(tmp_path)
    times = {f"{RUN}.event_logs": 2, "index.event_logs": 2} | {f"{shard}.event_logs": 1}
    assert {name: len(found[name]) for name in times} == {
        name: len(own) * count for name, count in times.items()
    }
    assert len(found["index.asset_keys"]) == len({event.get_dagster_event().asset_key for event in own})


def schema_of(file: Path) -> tuple[set[tuple[str, ...]], ...]:
    """Tables and indexes of a database, its revision and its journal."""
    asked = (
        "SELECT name, tbl_name, sql FROM sqlite_master",
        "SELECT * FROM alembic_version",
        "PRAGMA journal_mode",
    )
    with contextlib.closing(sqlite3.connect(file)) as connection:
        return tuple(set(connection.execute(one)) for one in asked)


@pytest.mark.parametrize("shard", [RUN, "index"])
def test_a_shard_is_made_as_by_dagster(
    storage: BatchingSqliteEventLogStorage, tmp_path: Path, shard: str
) -> None:
    """Tables, indexes and revision are those of Dagster's own, whose alembic is not asked for them."""
    storage.get_logs_for_run(RUN)
    SqliteEventLogStorage(str(tmp_path / "stock")).get_logs_for_run(RUN)
    assert schema_of(tmp_path / f"{shard}.db") == schema_of(tmp_path / "stock" / f"{shard}.db")


def test_a_shard_that_was_left_half_made_is_finished(
    storage: BatchingSqliteEventLogStorage, tmp_path: Path
) -> None:
    """A process of Dagster's own storage died between the tables and the revision."""
    storage.get_logs_for_run("whole")
    with contextlib.closing(sqlite3.connect(tmp_path / f"{RUN}.db")) as connection:
        connection.execute("CREATE TABLE secondary_indexes (id INTEGER NOT NULL PRIMARY KEY)")
        connection.commit()
    storage.store_event(line("kept"))
    assert texts(storage) == ["kept"]
    version = "SELECT version_num FROM alembic_version"
    for run_id in (RUN, "whole"):
        with contextlib.closing(sqlite3.connect(tmp_path / f"{run_id}.db")) as connection:
            (found,) = connection.execute(version).fetchall()
        assert found == (storage.alembic_version()[1],)


def test_a_damaged_shard_is_told_as_by_dagster(
    storage: BatchingSqliteEventLogStorage, tmp_path: Path
) -> None:
    """The error is SQLite's, and once the file is mended the storage goes on."""
    file = tmp_path / f"{RUN}.db"
    file.write_text("no database at all " * 100)
    with pytest.raises(Exception, match="file is not a database"):
        storage.store_event(line("lost"))
    file.unlink()
    storage.store_event(line("kept"))
    assert texts(storage) == ["kept"]


# --- instances -----------------------------------------------------------------------------------------


def test_the_example_of_the_guide_is_an_instance(tmp_path: Path) -> None:
    """Its lines, with a folder of one's own, are a `dagster.yaml`."""
    guide = (Path(__file__).parents[2] / "docs/guides/fast-event-log.md").read_text()
    example = guide.partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "dagster.yaml").write_text(example.replace("/path/to/dagster_home", str(tmp_path)))
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert type(instance.event_log_storage) is BatchingSqliteEventLogStorage
        assert (tmp_path / "history/runs/index.db").exists()


def test_migrate_brings_an_old_log_up_to_date(tmp_path: Path, events: list[EventLogEntry]) -> None:
    """No table is taken to be missing once it is there: tags are stored from the migration on."""
    write_instance(tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        storage: Any = instance.event_log_storage
        with storage.index_connection() as connection:  # as it was before the revision that adds tags
            for table in ("asset_event_tags", "dynamic_partitions", "asset_check_executions"):
                connection.exec_driver_sql(f"DROP TABLE {table}")
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'a00dd8d936a1'")
    tagged = [event for event in events if event.dagster_event_type == MATERIALIZED]
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        storage = instance.event_log_storage
        storage.store_event_batch(tagged)
        assert not storage.has_table(AssetEventTagsTable.name)
        instance.upgrade()
        storage.store_event_batch(tagged)
        version, head = storage.alembic_version()
        assert version == head
    found = rows_of(tmp_path / "history" / "runs")
    assert len(found["index.event_logs"]) == 2 * len(tagged)
    before, after = found["index.event_logs"][: len(tagged)], found["index.event_logs"][len(tagged) :]
    of_tags = {row["event_id"] for row in found["index.asset_event_tags"]}
    assert of_tags < {row["id"] for row in after}
    assert not of_tags & {row["id"] for row in before}


@pytest.mark.slow
def test_the_module_loads_nothing_of_the_store() -> None:
    """Every process of an instance imports it, also those that know no result table."""
    module = event_log_storage.__name__
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"pyarrow", "jammi_dagster.store", "jammi_dagster.catalog"}
    assert module in loaded
