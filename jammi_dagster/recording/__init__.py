"""The one write path: the funnel, with leases and single flight."""

from jammi_dagster.recording.flight import MOST_SECONDS, POLL_SECONDS, hit_or_attempt
from jammi_dagster.recording.funnel import Attempt, Output, Publication, Recorder, utc_now
from jammi_dagster.recording.leases import RENEW_SECONDS, Heart
from jammi_dagster.recording.read_leases import Pin, ReadLease, ReadLeases

__all__ = [
    "MOST_SECONDS",
    "POLL_SECONDS",
    "RENEW_SECONDS",
    "Attempt",
    "Heart",
    "Output",
    "Pin",
    "Publication",
    "ReadLease",
    "ReadLeases",
    "Recorder",
    "hit_or_attempt",
    "utc_now",
]
