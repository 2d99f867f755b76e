"""Verifiable identity for every table a Dagster pipeline makes.

The names below load on first use (PEP 562), so that importing the package costs nothing a user does not touch.
It begins a watch, though: of the files that modules of a pipeline read while they are loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jammi_dagster.lazy_names import loading
from jammi_dagster.load_reads import watch_loading

if TYPE_CHECKING:
    from jammi_dagster.adapters.accept import accept
    from jammi_dagster.adapters.automation_condition import StaleMaterialization
    from jammi_dagster.adapters.checks import build_materialization_checks, build_staleness_check_schedule
    from jammi_dagster.adapters.code_identity import code_identity
    from jammi_dagster.adapters.decorator import result_table
    from jammi_dagster.adapters.executor.reuse_first import reuse_first
    from jammi_dagster.adapters.finalize import finalize
    from jammi_dagster.adapters.handoff.store_resource import ResultStoreResource
    from jammi_dagster.adapters.io_manager import ResultTableIOManager
    from jammi_dagster.adapters.jobs import (
        build_collection_job,
        build_overview_job,
        build_promotion_job,
        build_recompute_job,
        build_recovery_job,
    )
    from jammi_dagster.adapters.lineage import LineageResource
    from jammi_dagster.adapters.materialize_plan import materialize_plan
    from jammi_dagster.adapters.plan import check_plan, plan
    from jammi_dagster.adapters.promotion import promote, promotion_plan
    from jammi_dagster.adapters.recompute import RecomputeReport, recompute
    from jammi_dagster.adapters.restore import restore
    from jammi_dagster.adapters.result_tables import result_tables
    from jammi_dagster.adapters.sensor.builders import build_staleness_schedule, build_staleness_sensor
    from jammi_dagster.catalog import Hold, Move
    from jammi_dagster.contract import (
        Acceptance,
        AnchorKind,
        ArtifactDigest,
        CacheOutcome,
        CachePolicy,
        CurrentAnchor,
        DefinitionHash,
        DerivesFromEdge,
        InputAnchor,
        MatchVerdict,
        MaterializationEnv,
        MaterializationManifest,
        ProducingDescriptor,
        Staleness,
        StaleReason,
    )
    from jammi_dagster.errors import DependencyCycle, JammiError, NotRecomputable
    from jammi_dagster.lineage.materializations import MaterializationLineage
    from jammi_dagster.maintenance import (
        CollectionReport,
        PruneReport,
        Restoration,
        RetentionPolicy,
        RetentionRule,
        WhyAlive,
    )
    from jammi_dagster.objects import ObjectFormat, register_format
    from jammi_dagster.planning.launch_report import LaunchReport
    from jammi_dagster.planning.plan import Plan, PlannedTable
    from jammi_dagster.planning.promotion import PromotedTable, Promotion, PromotionPlan
    from jammi_dagster.store import ResultStore

__version__ = "0.1.0"

watch_loading()  # of the modules of a pipeline, which are loaded after this one

_CONTRACT = (
    "Acceptance",
    "AnchorKind",
    "ArtifactDigest",
    "CacheOutcome",
    "CachePolicy",
    "CurrentAnchor",
    "DefinitionHash",
    "DerivesFromEdge",
    "InputAnchor",
    "MatchVerdict",
    "MaterializationEnv",
    "MaterializationManifest",
    "ProducingDescriptor",
    "StaleReason",
    "Staleness",
)
_HOMES = {
    **dict.fromkeys(_CONTRACT, "jammi_dagster.contract"),
    "DependencyCycle": "jammi_dagster.errors",
    "JammiError": "jammi_dagster.errors",
    "NotRecomputable": "jammi_dagster.errors",
    "Hold": "jammi_dagster.catalog",
    "ObjectFormat": "jammi_dagster.objects",
    "register_format": "jammi_dagster.objects",
    "Move": "jammi_dagster.catalog",
    "MaterializationLineage": "jammi_dagster.lineage.materializations",
    "ResultStore": "jammi_dagster.store",
    "LineageResource": "jammi_dagster.adapters.lineage",
    "ResultStoreResource": "jammi_dagster.adapters.handoff.store_resource",
    "ResultTableIOManager": "jammi_dagster.adapters.io_manager",
    "build_staleness_schedule": "jammi_dagster.adapters.sensor.builders",
    "code_identity": "jammi_dagster.adapters.code_identity",
    "build_staleness_sensor": "jammi_dagster.adapters.sensor.builders",
    "recompute": "jammi_dagster.adapters.recompute",
    "build_overview_job": "jammi_dagster.adapters.jobs",
    "build_promotion_job": "jammi_dagster.adapters.jobs",
    "build_recompute_job": "jammi_dagster.adapters.jobs",
    "CollectionReport": "jammi_dagster.maintenance",
    "PruneReport": "jammi_dagster.maintenance",
    "RetentionPolicy": "jammi_dagster.maintenance",
    "RetentionRule": "jammi_dagster.maintenance",
    "WhyAlive": "jammi_dagster.maintenance",
    "build_collection_job": "jammi_dagster.adapters.jobs",
    "build_recovery_job": "jammi_dagster.adapters.jobs",
    "build_materialization_checks": "jammi_dagster.adapters.checks",
    "build_staleness_check_schedule": "jammi_dagster.adapters.checks",
    "accept": "jammi_dagster.adapters.accept",
    "restore": "jammi_dagster.adapters.restore",
    "Restoration": "jammi_dagster.maintenance",
    "StaleMaterialization": "jammi_dagster.adapters.automation_condition",
    "RecomputeReport": "jammi_dagster.adapters.recompute",
    "Plan": "jammi_dagster.planning.plan",
    "LaunchReport": "jammi_dagster.planning.launch_report",
    "PlannedTable": "jammi_dagster.planning.plan",
    "PromotedTable": "jammi_dagster.planning.promotion",
    "Promotion": "jammi_dagster.planning.promotion",
    "PromotionPlan": "jammi_dagster.planning.promotion",
    "promote": "jammi_dagster.adapters.promotion",
    "promotion_plan": "jammi_dagster.adapters.promotion",
    "check_plan": "jammi_dagster.adapters.plan",
    "finalize": "jammi_dagster.adapters.finalize",
    "materialize_plan": "jammi_dagster.adapters.materialize_plan",
    "plan": "jammi_dagster.adapters.plan",
    "result_table": "jammi_dagster.adapters.decorator",
    "result_tables": "jammi_dagster.adapters.result_tables",
    "reuse_first": "jammi_dagster.adapters.executor.reuse_first",
}

__all__ = [
    "Acceptance",
    "AnchorKind",
    "ArtifactDigest",
    "CacheOutcome",
    "CachePolicy",
    "CollectionReport",
    "CurrentAnchor",
    "DefinitionHash",
    "DependencyCycle",
    "DerivesFromEdge",
    "Hold",
    "InputAnchor",
    "JammiError",
    "LaunchReport",
    "LineageResource",
    "MatchVerdict",
    "MaterializationEnv",
    "MaterializationLineage",
    "MaterializationManifest",
    "Move",
    "NotRecomputable",
    "ObjectFormat",
    "Plan",
    "PlannedTable",
    "ProducingDescriptor",
    "PromotedTable",
    "Promotion",
    "PromotionPlan",
    "PruneReport",
    "RecomputeReport",
    "Restoration",
    "ResultStore",
    "ResultStoreResource",
    "ResultTableIOManager",
    "RetentionPolicy",
    "RetentionRule",
    "StaleMaterialization",
    "StaleReason",
    "Staleness",
    "WhyAlive",
    "accept",
    "build_collection_job",
    "build_materialization_checks",
    "build_overview_job",
    "build_promotion_job",
    "build_recompute_job",
    "build_recovery_job",
    "build_staleness_check_schedule",
    "build_staleness_schedule",
    "build_staleness_sensor",
    "check_plan",
    "code_identity",
    "finalize",
    "materialize_plan",
    "plan",
    "promote",
    "promotion_plan",
    "recompute",
    "register_format",
    "restore",
    "result_table",
    "result_tables",
    "reuse_first",
]


__getattr__ = loading(globals(), _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
