"""A stand-in for Dagster's event log on SQLite, wherever Dagster and its tests name it: ours, with batches."""

from __future__ import annotations

import os
from typing import Any

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._utils import test

from jammi_dagster.adapters.event_log_storage import BatchingSqliteEventLogStorage
from tools.conformance.shim import everywhere


def install() -> None:
    """Replace the storage and the base of the one that Dagster's tests derive, and turn batches on."""
    everywhere("dagster", SqliteEventLogStorage, BatchingSqliteEventLogStorage)
    derived: Any = test.ConcurrencyEnabledSqliteTestEventLogStorage
    derived.__bases__ = (BatchingSqliteEventLogStorage, *derived.__bases__[1:])
    os.environ["DAGSTER_EVENT_BATCH_SIZE"] = "100"
