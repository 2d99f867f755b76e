"""The catalog: which materializations there are, which one each table's name resolves to, who is writing.

Tables are SQLModel's on a registry of our own, so that `create_all` on a user's metadata never meets them.
Rows never leave this package: what it gives out are the values of `records`.
"""

from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.engine_reader import EngineReader
from jammi_dagster.catalog.reads import CatalogReader
from jammi_dagster.catalog.records import LEASE_SECONDS, CurrentRow, Lease, MaterializationRecord, Scope
from jammi_dagster.catalog.recovery import Abandoned, Kept, RecoveryRows
from jammi_dagster.catalog.writes import Begun, Busy, CatalogWriter, Finished, Flight, Pointed

__all__ = [
    "LEASE_SECONDS",
    "Abandoned",
    "Begun",
    "Busy",
    "CatalogReader",
    "CatalogWriter",
    "CurrentRow",
    "Database",
    "EngineReader",
    "Finished",
    "Flight",
    "Kept",
    "Lease",
    "MaterializationRecord",
    "Pointed",
    "RecoveryRows",
    "Scope",
]
