"""Single flight: of two who are about to compute the same, the second waits for the first and reuses its result."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from jammi_dagster.catalog import Busy
from jammi_dagster.recording.funnel import Attempt

POLL_SECONDS = 0.5
# longer than most computations; whoever waits holds a place among Dagster's runs
MOST_SECONDS = 6 * 3600.0

Hit = TypeVar("Hit")


def hit_or_attempt(
    probe: Callable[[], Hit | None],
    begin: Callable[[], Attempt | Busy],
    begin_beside: Callable[[], Attempt],
    *,
    waiting: Callable[[Busy], None],
    most_seconds: float = MOST_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Hit | Attempt:
    """Return a hit, or the right to compute; ask every `POLL_SECONDS` while somebody else computes the same.

    Ends when the other one is ready (a hit), has failed, or its lease runs out (then this one begins); after
    `most_seconds` this one begins beside the other. Nothing is held while waiting, so that an exception out of
    `sleep`, such as Dagster's interrupt, leaves nothing behind; and all of a range begins in one transaction, so no
    two can wait for each other.

    Args:
        probe: looks for a hit.
        begin: begins unless another owner computes the same.
        begin_beside: begins whoever else computes the same.
        waiting: is told for whom this one waits, once for each.
        most_seconds: the longest wait, for all others together.
        sleep: waits for some seconds.
        clock: gives seconds that only rise.
    """
    told, until = "", clock() + most_seconds
    while True:
        hit = probe()
        if hit is not None:
            return hit
        answer = begin() if clock() < until else begin_beside()
        if isinstance(answer, Attempt):
            return _after_another_look(probe, answer)
        if answer.owner != told:
            told = answer.owner
            waiting(answer)
        sleep(max(0.0, min(POLL_SECONDS, until - clock())))


def _after_another_look(probe: Callable[[], Hit | None], attempt: Attempt) -> Hit | Attempt:
    """Probe once more, since the other one may have ended just before this one began."""
    try:
        hit = probe()
    except BaseException:
        attempt.give_up()
        raise
    if hit is None:
        return attempt
    attempt.give_up()
    return hit
