"""The clock of a collection: the database's, compared with one that nobody sets."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable
from pathlib import Path

from jammi_dagster.catalog import ClockReading, Moment

# by so much the database's clock may run away from the machine's between two collections
SKEW_SECONDS = 60.0
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def machine_clock() -> tuple[str, float]:
    """Read a clock of this machine, with its name: one that only rises from boot to boot, where there is one."""
    try:
        return _BOOT.read_text().strip(), time.clock_gettime(time.CLOCK_BOOTTIME)
    except (OSError, AttributeError):
        return f"host {platform.node()}", time.time()


def set_since(earlier: Iterable[ClockReading], now: ClockReading) -> float | None:
    """Tell as of when leases count if the database's clock was set since an earlier reading; None if it was not.

    It was if it went back, or ran more than `SKEW_SECONDS` away from this machine's clock.

    >>> set_since([ClockReading("boot", 10.0, 1000.0)], ClockReading("boot", 20.0, 9010.0))
    1000.0
    """
    before = None
    for reading in earlier:
        went_back = now.database_seconds < reading.database_seconds - SKEW_SECONDS
        passed = now.database_seconds - reading.database_seconds
        ran_away = (
            reading.clock == now.clock
            and abs(passed - (now.clock_seconds - reading.clock_seconds)) > SKEW_SECONDS
        )
        if went_back or ran_away:
            before = min(reading.database_seconds, now.database_seconds, before or now.database_seconds)
    return before


def moment_of(earlier: Iterable[ClockReading], now: ClockReading) -> Moment:
    """Give the instant of a pass. Leases count as of before the clock was set until all could be renewed."""
    alive = [now.database_seconds, *([] if now.alive_since is None else [now.alive_since])]
    for reading in earlier:
        until, since = reading.suspect_until, reading.alive_since
        if until is not None and since is not None and now.database_seconds < until:
            alive.append(since)
    return Moment(now.database_seconds, min(alive))
