"""The one write path: the funnel, with leases and single flight."""

from jammi_dagster.recording.flight import MOST_SECONDS, POLL_SECONDS, hit_or_attempt
from jammi_dagster.recording.funnel import Attempt, Output, Publication, Recorder, utc_now
from jammi_dagster.recording.leases import RENEW_SECONDS

__all__ = [
    "MOST_SECONDS",
    "POLL_SECONDS",
    "RENEW_SECONDS",
    "Attempt",
    "Output",
    "Publication",
    "Recorder",
    "hit_or_attempt",
    "utc_now",
]
