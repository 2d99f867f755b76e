"""Dagster's event log on SQLite, with connections that stay open and batches that are stored as one.

    event_log_storage:
      module: jammi_dagster.adapters.event_log_storage
      class: BatchingSqliteEventLogStorage
      config:
        base_dir: /path/to/dagster_home/history/runs

Files, tables and rows are those of Dagster's own `SqliteEventLogStorage`: each run has a database, its shard, and
events of assets, checks and run status stand in the index shard too. One can take the other's place at any time.

PostgreSQL has a module of its own, which needs `dagster_postgres`.
"""

from __future__ import annotations

import os
import re
import threading
import weakref
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import dagster._core.storage
import sqlalchemy as sa
from dagster._core.definitions.events import AssetKey
from dagster._core.event_api import EventLogRecord
from dagster._core.events import (
    ASSET_CHECK_EVENTS,
    ASSET_EVENTS,
    EVENT_TYPE_TO_PIPELINE_RUN_STATUS,
    DagsterEventType,
)
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqlEventLogStorage
from dagster._core.storage.event_log.schema import (
    AssetKeyTable,
    SqlEventLogStorageMetadata,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData, deserialize_value, serialize_value
from dagster._time import datetime_from_timestamp
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import NullPool, Pool, QueuePool

from jammi_dagster import forks
from jammi_dagster.durable import identity_of

STEPS_AT_ONCE = 200  # of reused steps in one batch, so that other writers do not wait for long
_BUSY_SECONDS = 30  # so long a writer waits for another, as in Dagster
_MOST_KEYS = 500  # in a query: SQLite limits the parameters of a statement
_MOST_SHARDS = 16  # with open connections; each takes three file descriptors
_REVISION = re.compile(r"^(down_|)revision\b.*?=(.*)$", re.MULTILINE)
_VERSION = sa.Table(  # as alembic makes it
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
_INSERT = SqlEventLogStorageTable.insert()
_LAST = sa.select(sa.func.max(SqlEventLogStorageTable.c.id))
_MIRRORED = ASSET_EVENTS | ASSET_CHECK_EVENTS | EVENT_TYPE_TO_PIPELINE_RUN_STATUS.keys()


class _Shard(NamedTuple):
    """The engine of a shard, and the file that its connections opened."""

    engine: sa.Engine
    file: tuple[int, int] | None


class Stored(NamedTuple):
    """An event with its id in the index, and its text."""

    event: EventLogEntry
    id: int
    text: str


class BatchingStorage(SqlEventLogStorage):
    """An event log storage on a database that stores batches whole: the part that all databases share."""

    _insert_or_update: Callable[..., Any]  # the dialect's `INSERT … ON CONFLICT`

    @abstractmethod
    def together(self, run_id: str) -> AbstractContextManager[None]:
        """Store everything that is stored within of a run as one batch."""

    @abstractmethod
    def store_numbered(self, events: Sequence[EventLogEntry]) -> list[int | None]:
        """Store events in order, all or none; return their ids in the index, None for those that it lacks."""

    @abstractmethod
    def mirror(self, run_id: str) -> None:
        """Store in the index the events of a run that it lacks, where a killed process can leave it behind the log."""

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events in order, all or none."""
        self.store_numbered(events)

    def _store_details(self, events: Iterable[Stored]) -> None:
        """Store tags and states of assets and evaluations of checks. All calls join the open transaction."""
        of_assets = []
        for one in events:
            kind = one.event.dagster_event_type
            if kind in ASSET_EVENTS:
                of_assets.append(one)
            elif kind in ASSET_CHECK_EVENTS:
                self.store_asset_check_event(one.event, one.id)
        if of_assets:
            self.store_asset_event_tags([one.event for one in of_assets], [one.id for one in of_assets])
            self._store_asset_keys(of_assets)

    def _store_asset_keys(self, events: Iterable[Stored]) -> None:
        """Store the state of each asset: of several events of one type the last one sets it."""
        last: dict[tuple[str, Any], Stored] = {}
        for one in events:
            if asset_key := one.event.get_dagster_event().asset_key:
                kind = asset_key.to_string(), one.event.dagster_event_type
                last.pop(kind, None)  # it moves to the end
                last[kind] = one
        with_times = self.has_asset_key_index_cols()
        rows = [
            {"asset_key": asset, **self._asset_values(one, with_times)}
            for (asset, _), one in sorted(
                last.items(), key=lambda kind: kind[0][0]
            )  # no two wait for each other
        ]
        for (_, *columns), each in groupby(rows, tuple):
            if columns:
                insert = self._insert_or_update(AssetKeyTable)
                update = {column: insert.excluded[column] for column in columns}
                upsert = insert.on_conflict_do_update(index_elements=["asset_key"], set_=update)
                with self.index_connection() as index:
                    index.execute(upsert, list(each))

    def _get_latest_materialization_records(self, raw_asset_rows: Iterable[Any]) -> Any:
        """Read the last materialization of an asset from its row.

        Dagster asks the log as well, be it for no asset at all; so do we for assets that were wiped, or lack a record.
        """
        found, rest = {}, []
        for row in raw_asset_rows:
            key = AssetKey.from_db_string(row["asset_key"])
            text = row["last_materialization"]
            record = deserialize_value(text) if key and text and not row["asset_details"] else None
            if isinstance(record, EventLogRecord):
                found[key] = record
            else:
                rest.append(row)
        return found | dict(super()._get_latest_materialization_records(rest)) if rest else found

    def _asset_values(self, stored: Stored, with_times: bool) -> dict[str, Any]:
        """Return the state that an event gives its asset. Dagster would serialize a materialization once more."""
        event = stored.event
        if event.dagster_event_type is not DagsterEventType.ASSET_MATERIALIZATION:
            return self._get_asset_entry_values(event, stored.id, with_times)
        record = _record_text().replace("-1", str(stored.id)).replace("null", stored.text)
        values = {"last_materialization": record, "last_run_id": event.run_id}
        times = {"last_materialization_timestamp": datetime_from_timestamp(event.timestamp)}
        return values | (times if with_times else {})


@cache
def _record_text() -> str:
    """Return the text of a record with the id -1, and null as its event."""
    nothing: Any = None
    return serialize_value(EventLogRecord(storage_id=-1, event_log_entry=nothing))


def together(storage: Any, run_id: str) -> AbstractContextManager[None]:
    """Store everything that is stored within of a run as one batch where the storage can, else one by one."""
    return storage.together(run_id) if isinstance(storage, BatchingStorage) else nullcontext()


class BatchingSqliteEventLogStorage(BatchingStorage, SqliteEventLogStorage):
    """An event log storage for `dagster.yaml`, in the place of Dagster's own on SQLite.

    It keeps a connection to each shard that it used lately, and stores a batch of events in one transaction a shard.
    Dagster hands over batches where the environment variable `DAGSTER_EVENT_BATCH_SIZE` is above 0: the planned
    events of a new run, and the materializations of a range of partitions.
    """

    _insert_or_update = staticmethod(sqlite.insert)

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._lock = threading.RLock()  # held as long as a connection is in use
        self._shards: OrderedDict[str, _Shard] = OrderedDict()  # the one used last at the end
        self._in_use: dict[str, sa.Connection] = {}
        self._known: set[str] = set()  # tables and columns that are there
        weakref.finalize(self, _drop_all, self._shards)
        forks.watch(self)
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> BatchingSqliteEventLogStorage:
        """Return the storage that `dagster.yaml` describes."""
        return cls(inst_data=inst_data, **config_value)

    # --- batches ---------------------------------------------------------------------------------------

    @contextmanager
    def together(self, run_id: str) -> Iterator[None]:
        """Store everything that is stored within of a run as one batch."""
        with self.index_connection(), self.run_connection(run_id):
            yield

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event."""
        if _is_mirrored(event):
            self.store_numbered([event])
        else:
            with self.run_connection(event.run_id) as run:
                run.execute(_INSERT, self._event_to_row(event))

    def store_numbered(self, events: Sequence[EventLogEntry]) -> list[int | None]:
        """Store events in order, all or none; return their ids in the index, None for those that it lacks.

        A run's shard is committed first, then the index, as for one event.
        """
        stored, numbers = [], list[int | None]()
        try:
            with self.index_connection() as index:
                for run_id, each in groupby(events, lambda event: event.run_id):
                    with self.run_connection(run_id) as run:
                        ids, in_index = self._store(list(each), run, index)
                    stored.append((run_id, ids))
                    numbers += in_index
        except BaseException:
            for run_id, ids in stored:  # Dagster stores the events of a failed batch once more, one by one
                with self.run_connection(run_id) as run:
                    column = SqlEventLogStorageTable.c.id
                    run.execute(SqlEventLogStorageTable.delete().where(column.between(ids[0], ids[-1])))
            raise
        return numbers

    def mirror(self, run_id: str) -> None:
        """Store in the index the events of a run that it lacks: a process was killed between the two commits.

        An asset that was materialized later on keeps its last event.
        """
        if not Path(self.path_for_shard(run_id)).exists():
            return
        column = SqlEventLogStorageTable.c
        kinds = [kind.value for kind in _MIRRORED]
        query = (
            sa.select(column.event, column.asset_key, column.timestamp)
            .where(column.run_id == run_id, column.dagster_event_type.in_(kinds))
            .order_by(column.id)
        )
        with self.index_connection() as index, self.run_connection(run_id) as run:
            there = {row.event for row in index.execute(query)}
            lacking = [row for row in run.execute(query) if row.event not in there]
            last = _last_materialized(index, {row.asset_key for row in lacking if row.asset_key is not None})
            events = [
                deserialize_value(row.event, EventLogEntry)
                for row in lacking
                if row.asset_key not in last or last[row.asset_key] <= row.timestamp
            ]
            if events:
                rows = [self._event_to_row(event) for event in events]
                self._store_details(with_ids(events, _insert(index, rows), rows))

    def _store(
        self, events: Sequence[EventLogEntry], run: sa.Connection, index: sa.Connection
    ) -> tuple[Sequence[int], list[int | None]]:
        """Store events of one run in both shards, and return their ids in the run's, and in the index."""
        rows = [self._event_to_row(event) for event in events]
        ids = _insert(run, rows)
        mirrored = [at for at, event in enumerate(events) if _is_mirrored(event)]
        numbers = list[int | None]([None] * len(events))
        if mirrored:
            found = _insert(index, [rows[at] for at in mirrored])
            self._store_details(
                with_ids([events[at] for at in mirrored], found, [rows[at] for at in mirrored])
            )
            for at, id in zip(mirrored, found, strict=True):
                numbers[at] = id
        return ids, numbers

    # --- connections -----------------------------------------------------------------------------------

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        """Open a transaction on a shard, or join the one that this thread has open."""
        with self._lock:
            if shard in self._in_use:
                yield self._in_use[shard]
                return
            try:
                with self._engine(shard).connect() as connection, connection.begin():
                    self._in_use[shard] = connection
                    yield connection
                    driver: Any = connection.connection.driver_connection
                    has_written = driver.in_transaction
                if has_written:  # to the log beside the file, and watchers look at the file
                    with suppress(PermissionError):  # some file systems ask for its owner
                        os.utime(self.path_for_shard(shard))
            except BaseException:
                self._drop(shard)
                raise
            finally:
                self._in_use.pop(shard, None)

    def _engine(self, shard: str) -> sa.Engine:
        """Return the engine of a shard, which is made where it is missing; a replaced file needs another engine."""
        path = self.path_for_shard(shard)
        kept = self._shards.get(shard)
        if kept is None or kept.file != identity_of(path):
            self._drop(shard)
            url = self.conn_string_for_shard(shard)
            engine = _new_engine(url, QueuePool, pool_size=1)
            self._shards[shard] = _Shard(engine, None)  # until it is made, or fails to be
            if not _has_schema(engine):
                self._initdb(_new_engine(url, NullPool))
            kept = self._shards[shard] = _Shard(engine, identity_of(path))
        self._shards.move_to_end(shard)
        if len(self._shards) > _MOST_SHARDS:
            self._drop(next(iter(self._shards)))
        return kept.engine

    def _initdb(self, engine: sa.Engine, for_index_shard: bool = False) -> None:
        """Make a shard; Dagster does so where the file has tables already, or is busy."""
        if not _make(engine):
            super()._initdb(engine, for_index_shard)

    def _drop(self, shard: str) -> None:
        if shard == INDEX_SHARD_NAME:
            self._known.clear()
        if kept := self._shards.pop(shard, None):
            kept.engine.dispose()

    def has_table(self, table_name: str) -> bool:
        """Tell if the index has a table."""
        return self._remembers(table_name, super().has_table, table_name)

    def has_asset_key_col(self, column_name: str) -> bool:
        """Tell if the table of assets has a column."""
        return self._remembers(f"{AssetKeyTable.name}.{column_name}", super().has_asset_key_col, column_name)

    def _has_asset_key_col_on_connection(self, conn: sa.Connection, column_name: str) -> bool:
        what = f"{AssetKeyTable.name}.{column_name}"
        return self._remembers(what, super()._has_asset_key_col_on_connection, conn, column_name)

    def has_secondary_index(self, name: str) -> bool:
        """Tell if a migration of data is done."""
        return self._remembers(f"migration {name}", super().has_secondary_index, name)

    def _remembers(self, what: str, ask: Callable[..., bool], *arguments: Any) -> bool:
        """Ask, and remember a yes: nothing that the index has ever goes away."""
        found = what in self._known or ask(*arguments)
        if found:
            self._known.add(what)
        return found

    # --- ends ------------------------------------------------------------------------------------------

    def delete_events(self, run_id: str) -> None:
        """Delete a run's events, and close its shard."""
        super().delete_events(run_id)
        with self._lock:
            self._drop(run_id)

    def wipe(self) -> None:
        """Delete all events, with the files of the runs."""
        with self._lock:
            _drop_all(self._shards)
            super().wipe()

    def dispose(self) -> None:
        """Stop watching, and close the connections."""
        super().dispose()
        with self._lock:
            _drop_all(self._shards)

    def before_fork(self) -> None:
        """Close the connections, and let nobody open others until the fork is done."""
        self._lock.acquire()
        _drop_all(self._shards)

    def after_fork_in_parent(self) -> None:
        """Let others open connections again."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Let the child open connections of its own: only the thread that forked is there, and holds the lock."""
        self._lock.release()


def _is_mirrored(event: EventLogEntry) -> bool:
    """Tell if an event stands in the index too."""
    return event.is_dagster_event and event.dagster_event_type in _MIRRORED


def with_ids(
    events: Iterable[EventLogEntry], ids: Iterable[int], rows: Iterable[Mapping[str, Any]]
) -> Iterator[Stored]:
    """Yield events with their ids, and the texts of their rows."""
    for event, id, row in zip(events, ids, rows, strict=True):
        yield Stored(event, id, row["event"])


def _new_engine(url: str, pool: type[Pool], **options: int) -> sa.Engine:
    return sa.create_engine(url, poolclass=pool, connect_args={"timeout": _BUSY_SECONDS}, **options)


def _make(engine: sa.Engine) -> bool:
    """Make the tables of an empty shard as Dagster does, all or none; False where that is left to Dagster.

    It takes a tenth of the time: alembic would import all migrations, twice, to find the newest one.
    """
    head = _newest_revision()
    with suppress(sa.exc.DatabaseError), engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.exec_driver_sql("PRAGMA synchronous=NORMAL")  # it waits for the disk as it is closed
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        if head is None or sa.inspect(connection).get_table_names():
            return False
        SqlEventLogStorageMetadata.create_all(connection, checkfirst=False)
        _VERSION.create(connection)
        connection.execute(_VERSION.insert(), {"version_num": head})
        connection.commit()
        return True
    return False


@cache
def _newest_revision() -> str | None:
    """Return the revision that no migration of Dagster replaces, by their text; None if that is not exactly one."""
    revisions: dict[str, set[str]] = {"": set(), "down_": set()}
    for script in Path(dagster._core.storage.__path__[0], "alembic", "versions").glob("*.py"):
        for kind, value in _REVISION.findall(script.read_text(encoding="utf-8")):
            revisions[kind].update(re.findall(r"\w{12}", value))
    newest = revisions[""] - revisions["down_"]
    return newest.pop() if len(newest) == 1 else None


def _drop_all(shards: dict[str, _Shard]) -> None:
    while shards:
        shards.popitem()[1].engine.dispose()


def _has_schema(engine: sa.Engine) -> bool:
    """Tell if a shard has its tables: the stamp of the revision is set last. Reading it needs no alembic."""
    with engine.connect() as connection:
        if not engine.dialect.has_table(connection, "alembic_version"):
            return False
        return bool(connection.scalar(sa.text("SELECT version_num FROM alembic_version")))


def _last_materialized(index: sa.Connection, assets: Iterable[str]) -> dict[str, datetime]:
    """Return when each asset was last materialized."""
    column, found, keys = SqlEventLogStorageTable.c, dict[str, datetime](), sorted(assets)
    made = column.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION.value
    for start in range(0, len(keys), _MOST_KEYS):
        some = column.asset_key.in_(keys[start : start + _MOST_KEYS])
        query = sa.select(column.asset_key, sa.func.max(column.timestamp)).where(some, made)
        found.update(tuple(row) for row in index.execute(query.group_by(column.asset_key)))
    return found


def _insert(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> range:
    """Insert rows and return their ids, which are in sequence: SQLite has one writer at a time."""
    connection.execute(_INSERT, rows)
    last: int = connection.execute(_LAST).scalar_one()
    return range(last - len(rows) + 1, last + 1)
