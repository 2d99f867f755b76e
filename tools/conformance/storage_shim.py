"""A storage of ours in the place of Dagster's own event log on SQLite, wherever Dagster and its tests name it."""

from __future__ import annotations

import dagster._utils.test
from dagster._core.storage.event_log import SqliteEventLogStorage

from jammi_dagster.adapters.event_log_storage import BatchingSqliteEventLogStorage
from tools.conformance.shim import everywhere


def install() -> None:
    everywhere("dagster", SqliteEventLogStorage, BatchingSqliteEventLogStorage)
    kind = dagster._utils.test.ConcurrencyEnabledSqliteTestEventLogStorage
    kind.__bases__ = (BatchingSqliteEventLogStorage, *kind.__bases__[1:])
