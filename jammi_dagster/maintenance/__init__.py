"""Upkeep of a store: its bond with a root, recovery from crashed writers, adoption."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jammi_dagster.lazy_names import loading

if TYPE_CHECKING:
    from jammi_dagster.maintenance.adoption import Adoption, AdoptionReport, restore_all
    from jammi_dagster.maintenance.bulk import Progress
    from jammi_dagster.maintenance.collection import (
        CollectionPass,
        CollectionReport,
        Judge,
        PruneReport,
        RetentionPolicy,
        RetentionRule,
        WhyAlive,
    )
    from jammi_dagster.maintenance.objects import ListedObjects
    from jammi_dagster.maintenance.promotion import Promoter
    from jammi_dagster.maintenance.recovery import Recovery, RecoveryReport
    from jammi_dagster.maintenance.restoration import Restoration, restore_record
    from jammi_dagster.maintenance.root_binding import RootBinding
    from jammi_dagster.maintenance.run_folders import RunFolders
    from jammi_dagster.maintenance.tombstones import Tombstone, drop_with_tombstone, forget_drops

GRACE_SECONDS = 24 * 3600.0
_NAMES = {
    "adoption": ("Adoption", "AdoptionReport", "restore_all"),
    "bulk": ("Progress",),
    "collection": (
        "CollectionPass",
        "CollectionReport",
        "Judge",
        "PruneReport",
        "RetentionPolicy",
        "RetentionRule",
        "WhyAlive",
    ),
    "objects": ("ListedObjects",),
    "promotion": ("Promoter",),
    "recovery": ("Recovery", "RecoveryReport"),
    "restoration": ("Restoration", "restore_record"),
    "root_binding": ("RootBinding",),
    "run_folders": ("RunFolders",),
    "tombstones": ("Tombstone", "drop_with_tombstone", "forget_drops"),
}
__all__ = [
    "GRACE_SECONDS",
    "Adoption",
    "AdoptionReport",
    "CollectionPass",
    "CollectionReport",
    "Judge",
    "ListedObjects",
    "Progress",
    "Promoter",
    "PruneReport",
    "Recovery",
    "RecoveryReport",
    "Restoration",
    "RetentionPolicy",
    "RetentionRule",
    "RootBinding",
    "RunFolders",
    "Tombstone",
    "WhyAlive",
    "drop_with_tombstone",
    "forget_drops",
    "restore_all",
    "restore_record",
]

__getattr__ = loading(
    globals(), {name: f"{__name__}.{home}" for home, names in _NAMES.items() for name in names}
)
