"""Upkeep of a store: its bond with a root, recovery from crashed writers, adoption."""

from jammi_dagster.maintenance.adoption import Adoption, AdoptionReport, restore_all
from jammi_dagster.maintenance.bulk import Progress
from jammi_dagster.maintenance.objects import ListedObjects
from jammi_dagster.maintenance.recovery import GRACE_SECONDS, Recovery, RecoveryReport
from jammi_dagster.maintenance.root_binding import RootBinding
from jammi_dagster.maintenance.tombstones import Tombstone

__all__ = [
    "GRACE_SECONDS",
    "Adoption",
    "AdoptionReport",
    "ListedObjects",
    "Progress",
    "Recovery",
    "RecoveryReport",
    "RootBinding",
    "Tombstone",
    "restore_all",
]
