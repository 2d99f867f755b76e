"""The one write path: the funnel, with leases, single flight and recovery."""

from jammi_dagster.recording.flight import POLL_SECONDS, hit_or_attempt
from jammi_dagster.recording.funnel import Attempt, Output, Published, Recorder, utc_now
from jammi_dagster.recording.leases import LEASE_SECONDS, RENEW_SECONDS
from jammi_dagster.recording.recovery import GRACE_SECONDS, Recovery, RecoveryReport

__all__ = [
    "GRACE_SECONDS",
    "LEASE_SECONDS",
    "POLL_SECONDS",
    "RENEW_SECONDS",
    "Attempt",
    "Output",
    "Published",
    "Recorder",
    "Recovery",
    "RecoveryReport",
    "hit_or_attempt",
    "utc_now",
]
