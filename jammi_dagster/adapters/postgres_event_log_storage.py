"""Dagster's event log on PostgreSQL, with a connection that stays open and batches that are stored as one.

    event_log_storage:
      module: jammi_dagster.adapters.postgres_event_log_storage
      class: BatchingPostgresEventLogStorage
      config:
        postgres_db: {username: …, password: …, hostname: …, db_name: …}

Config, tables and rows are those of `dagster_postgres`, which nothing else in this package needs. Either storage can
take the other's place at any time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import sqlalchemy as sa
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._serdes import ConfigurableClassData
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.utils import create_pg_engine
from sqlalchemy.dialects import postgresql

from jammi_dagster import forks
from jammi_dagster.adapters.event_log_storage import BatchingStorage, with_ids


class BatchingPostgresEventLogStorage(BatchingStorage, PostgresEventLogStorage):  # type: ignore[misc]  # not installed here
    """An event log storage for `dagster.yaml`, in the place of `dagster_postgres`' own.

    A process keeps one connection; threads that need more at once open others for as long as they do. A batch of
    events, see `DAGSTER_EVENT_BATCH_SIZE`, is one transaction with few statements.
    """

    _insert_or_update = staticmethod(postgresql.insert)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._own = threading.local()
        super().__init__(*arguments, **named)  # type: ignore[no-untyped-call]  # of a package not installed here
        self._engine = create_pg_engine(
            self.postgres_url,
            self._token_provider,
            isolation_level="AUTOCOMMIT",
            pool_size=1,
            max_overflow=-1,
            pool_pre_ping=True,  # a server that was started again, or a firewall, closes it
        )
        forks.watch(self)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> BatchingPostgresEventLogStorage:
        """Return the storage that `dagster.yaml` describes."""
        stock = PostgresEventLogStorage.from_config_value(inst_data, config_value)
        return cls(stock.postgres_url, stock.should_autocreate_tables, inst_data, stock._token_provider)

    @contextmanager
    def together(self, run_id: str) -> Iterator[None]:
        """Store everything that is stored within as one batch."""
        with self.index_transaction():
            yield

    def store_numbered(self, events: Sequence[EventLogEntry]) -> list[int | None]:
        """Store events in order, all or none, and return their ids."""
        if not events:
            return []
        insert = SqlEventLogStorageTable.insert().returning(
            SqlEventLogStorageTable.c.id, sort_by_parameter_order=True
        )
        rows = [self._event_to_row(event) for event in events]
        with self.index_transaction() as connection:
            numbers = list(connection.scalars(insert, rows))
            self._store_details(one for one in with_ids(events, numbers, rows) if one.event.is_dagster_event)
        return numbers

    def mirror(self, run_id: str) -> None:
        """Do nothing: log and index are one table."""

    def _connect(self) -> AbstractContextManager[sa.Connection]:
        """Open a connection, or join the transaction that this thread has open."""
        opened: sa.Connection | None = getattr(self._own, "connection", None)
        return super()._connect() if opened is None else nullcontext(opened)

    @contextmanager
    def index_transaction(self) -> Iterator[sa.Connection]:
        """Open a transaction, which everything that this thread asks within joins."""
        with super().index_transaction() as connection:
            if is_outermost := getattr(self._own, "connection", None) is None:
                self._own.connection = connection
            try:
                yield connection
            finally:
                if is_outermost:
                    self._own.connection = None

    def dispose(self) -> None:
        """Stop watching, and close the connection."""
        super().dispose()
        self._engine.dispose()

    def before_fork(self) -> None:
        """Leave the connection to the parent."""

    def after_fork_in_parent(self) -> None:
        """Go on with the connection."""

    def after_fork_in_child(self) -> None:
        """Open a connection of the child's own, and leave the parent's alone."""
        self._own = threading.local()
        self._engine.dispose(close=False)
