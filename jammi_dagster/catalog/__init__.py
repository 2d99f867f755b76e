"""The catalog: which materializations there are, which one each table's name resolves to, who is writing.

Tables are on a `MetaData` of our own, so that `create_all` on a user's metadata never meets them.
Rows never leave this package: it gives out the values of `records`.
"""

from jammi_dagster.catalog.adoption import AdoptedRow, AdoptionRows
from jammi_dagster.catalog.binding import BindingRows, CatalogBond
from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.engine_reader import EngineReader
from jammi_dagster.catalog.holds import HoldRows
from jammi_dagster.catalog.moves import MoveRows
from jammi_dagster.catalog.outbox import Outbox, OutgoingEvent
from jammi_dagster.catalog.reads import CatalogReader
from jammi_dagster.catalog.records import (
    LEASE_SECONDS,
    CatalogMark,
    CurrentCost,
    CurrentMatch,
    CurrentRow,
    Hold,
    Lease,
    MaterializationRecord,
    Move,
    Outcomes,
    Scope,
)
from jammi_dagster.catalog.recovery import AbandonedRow, RecordedArtifact, RecoveryRows
from jammi_dagster.catalog.writes import (
    BuildingRow,
    Busy,
    CatalogWriter,
    DroppedRows,
    Flight,
    PointerMove,
    ReadyRow,
)

__all__ = [
    "LEASE_SECONDS",
    "AbandonedRow",
    "AdoptedRow",
    "AdoptionRows",
    "BindingRows",
    "BuildingRow",
    "Busy",
    "CatalogBond",
    "CatalogMark",
    "CatalogReader",
    "CatalogWriter",
    "CurrentCost",
    "CurrentMatch",
    "CurrentRow",
    "Database",
    "DroppedRows",
    "EngineReader",
    "Flight",
    "Hold",
    "HoldRows",
    "Lease",
    "MaterializationRecord",
    "Move",
    "MoveRows",
    "Outbox",
    "Outcomes",
    "OutgoingEvent",
    "PointerMove",
    "ReadyRow",
    "RecordedArtifact",
    "RecoveryRows",
    "Scope",
]
