"""Upkeep of a store: recovery from crashed writers."""

from jammi_dagster.maintenance.recovery import GRACE_SECONDS, Recovery, RecoveryReport

__all__ = ["GRACE_SECONDS", "Recovery", "RecoveryReport"]
