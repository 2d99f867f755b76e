"""Verifiable identity for every table a Dagster pipeline makes.

The names below load on first use (PEP 562), so that importing the package costs nothing a user does not touch.
It begins a watch, though: of the files that modules of a pipeline read while they are loaded.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from jammi_dagster.load_reads import watch_loading

if TYPE_CHECKING:
    from jammi_dagster.adapters.automation_condition import StaleMaterialization
    from jammi_dagster.adapters.checks import build_materialization_checks, build_staleness_check_schedule
    from jammi_dagster.adapters.code_identity import code_identity
    from jammi_dagster.adapters.decorator import result_table
    from jammi_dagster.adapters.executor.reuse_first import reuse_first
    from jammi_dagster.adapters.finalize import finalize
    from jammi_dagster.adapters.handoff.store_resource import ResultStoreResource
    from jammi_dagster.adapters.io_manager import ResultTableIOManager
    from jammi_dagster.adapters.jobs import build_overview_job, build_recompute_job, build_recovery_job
    from jammi_dagster.adapters.lineage import LineageResource
    from jammi_dagster.adapters.materialize_plan import materialize_plan
    from jammi_dagster.adapters.plan import check_plan, plan
    from jammi_dagster.adapters.recompute import RecomputeReport, recompute
    from jammi_dagster.adapters.sensor.builders import build_staleness_schedule, build_staleness_sensor
    from jammi_dagster.catalog import Hold, Move
    from jammi_dagster.contract import (
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
    from jammi_dagster.planning.launch_report import LaunchReport
    from jammi_dagster.planning.plan import Plan, PlannedTable
    from jammi_dagster.store import ResultStore

__version__ = "0.1.0"

watch_loading()  # of the modules of a pipeline, which are loaded after this one

_CONTRACT = (
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
    "Move": "jammi_dagster.catalog",
    "ResultStore": "jammi_dagster.store",
    "LineageResource": "jammi_dagster.adapters.lineage",
    "ResultStoreResource": "jammi_dagster.adapters.handoff.store_resource",
    "ResultTableIOManager": "jammi_dagster.adapters.io_manager",
    "build_staleness_schedule": "jammi_dagster.adapters.sensor.builders",
    "code_identity": "jammi_dagster.adapters.code_identity",
    "build_staleness_sensor": "jammi_dagster.adapters.sensor.builders",
    "recompute": "jammi_dagster.adapters.recompute",
    "build_overview_job": "jammi_dagster.adapters.jobs",
    "build_recompute_job": "jammi_dagster.adapters.jobs",
    "build_recovery_job": "jammi_dagster.adapters.jobs",
    "build_materialization_checks": "jammi_dagster.adapters.checks",
    "build_staleness_check_schedule": "jammi_dagster.adapters.checks",
    "StaleMaterialization": "jammi_dagster.adapters.automation_condition",
    "RecomputeReport": "jammi_dagster.adapters.recompute",
    "Plan": "jammi_dagster.planning.plan",
    "LaunchReport": "jammi_dagster.planning.launch_report",
    "PlannedTable": "jammi_dagster.planning.plan",
    "check_plan": "jammi_dagster.adapters.plan",
    "finalize": "jammi_dagster.adapters.finalize",
    "materialize_plan": "jammi_dagster.adapters.materialize_plan",
    "plan": "jammi_dagster.adapters.plan",
    "result_table": "jammi_dagster.adapters.decorator",
    "reuse_first": "jammi_dagster.adapters.executor.reuse_first",
}

__all__ = [
    "AnchorKind",
    "ArtifactDigest",
    "CacheOutcome",
    "CachePolicy",
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
    "MaterializationManifest",
    "Move",
    "NotRecomputable",
    "Plan",
    "PlannedTable",
    "ProducingDescriptor",
    "RecomputeReport",
    "ResultStore",
    "ResultStoreResource",
    "ResultTableIOManager",
    "StaleMaterialization",
    "StaleReason",
    "Staleness",
    "build_materialization_checks",
    "build_overview_job",
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
    "recompute",
    "result_table",
    "reuse_first",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
