"""Collection of materializations that nothing keeps, with proof (ADR 22)."""

from jammi_dagster.maintenance.collection.clock import SKEW_SECONDS
from jammi_dagster.maintenance.collection.judge import Judge
from jammi_dagster.maintenance.collection.policy import RetentionPolicy, RetentionRule
from jammi_dagster.maintenance.collection.report import CollectionReport, PruneReport, WhyAlive
from jammi_dagster.maintenance.collection.run import CollectionPass

__all__ = [
    "SKEW_SECONDS",
    "CollectionPass",
    "CollectionReport",
    "Judge",
    "PruneReport",
    "RetentionPolicy",
    "RetentionRule",
    "WhyAlive",
]
