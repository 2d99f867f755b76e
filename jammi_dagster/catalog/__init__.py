"""The catalog: which materializations there are, which one each table's name resolves to, who is writing.

Tables are on a `MetaData` of our own, so that `create_all` on a user's metadata never meets them.
Rows never leave this package: it gives out the values of `records`.
"""

from jammi_dagster.catalog.acceptances import AcceptanceRows
from jammi_dagster.catalog.adoption import AdoptedRow, AdoptionRows
from jammi_dagster.catalog.binding import BindingRows, CatalogBond
from jammi_dagster.catalog.collection import Candidate, ClockReading, CollectionRows, Doomed, Moment
from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.deployments import BranchRows
from jammi_dagster.catalog.engine_reader import EngineReader
from jammi_dagster.catalog.holds import HoldRows
from jammi_dagster.catalog.lineage import LineageRows
from jammi_dagster.catalog.moves import MoveRows
from jammi_dagster.catalog.outbox import Outbox, OutgoingEvent
from jammi_dagster.catalog.promotion import PromotionFacts, PromotionRows
from jammi_dagster.catalog.read_leases import PinRecord, ReadLeaseRows, release_leases, renew_leases
from jammi_dagster.catalog.reads import CatalogReader
from jammi_dagster.catalog.records import (
    LEASE_SECONDS,
    RUN_LEASE_SECONDS,
    Answer,
    Branch,
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
    decode_answers,
)
from jammi_dagster.catalog.recovery import AbandonedRow, RecordedArtifact, RecoveryRows
from jammi_dagster.catalog.undrop import UndropRows
from jammi_dagster.catalog.writes import (
    BuildingRow,
    Busy,
    CatalogWriter,
    Flight,
    PointerMove,
    ReadyRow,
)

__all__ = [
    "LEASE_SECONDS",
    "RUN_LEASE_SECONDS",
    "AbandonedRow",
    "AcceptanceRows",
    "AdoptedRow",
    "AdoptionRows",
    "Answer",
    "BindingRows",
    "Branch",
    "BranchRows",
    "BuildingRow",
    "Busy",
    "Candidate",
    "CatalogBond",
    "CatalogMark",
    "CatalogReader",
    "CatalogWriter",
    "ClockReading",
    "CollectionRows",
    "CurrentCost",
    "CurrentMatch",
    "CurrentRow",
    "Database",
    "Doomed",
    "EngineReader",
    "Flight",
    "Hold",
    "HoldRows",
    "Lease",
    "LineageRows",
    "MaterializationRecord",
    "Moment",
    "Move",
    "MoveRows",
    "Outbox",
    "Outcomes",
    "OutgoingEvent",
    "PinRecord",
    "PointerMove",
    "PromotionFacts",
    "PromotionRows",
    "ReadLeaseRows",
    "ReadyRow",
    "RecordedArtifact",
    "RecoveryRows",
    "Scope",
    "UndropRows",
    "decode_answers",
    "release_leases",
    "renew_leases",
]
