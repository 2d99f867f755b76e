"""Upkeep of a store: recovery of what crashed writers left."""

from jammi_dagster.maintenance.recovery import GRACE_SECONDS, Recovery, RecoveryReport

__all__ = ["GRACE_SECONDS", "Recovery", "RecoveryReport"]
