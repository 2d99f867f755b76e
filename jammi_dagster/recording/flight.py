"""Single flight: of two who are about to compute the same, the second waits for the first and reuses its result."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from jammi_dagster.catalog import Busy
from jammi_dagster.recording.funnel import Attempt

POLL_SECONDS = 0.5

Hit = TypeVar("Hit")


def hit_or_attempt(
    probe: Callable[[], Hit | None],
    begin: Callable[[], Attempt | Busy],
    *,
    waiting: Callable[[Busy], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Hit | Attempt:
    """Return a hit, or the right to compute; ask every `POLL_SECONDS` while somebody else computes the same.

    Ends when the other one is ready (a hit), has failed, or its lease runs out (then this one begins). `waiting` is
    told for whom, once for each. Nothing is held while waiting, and all of a range begins in one transaction, so no
    two can wait for each other.
    """
    told = ""
    while True:
        hit = probe()
        if hit is not None:
            return hit
        answer = begin()
        if isinstance(answer, Attempt):
            hit = probe()  # the other one may have ended between the two
            if hit is None:
                return answer
            answer.give_up()
            return hit
        if answer.owner != told:
            told = answer.owner
            waiting(answer)
        sleep(POLL_SECONDS)
