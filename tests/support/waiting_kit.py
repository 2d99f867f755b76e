"""How long a test waits for another process or thread: for a machine that is slow and busy, and never for ever."""

import time
from collections.abc import Callable

MOST_SECONDS = 300


def until(is_so: Callable[[], object], what: str | Callable[[], str]) -> None:
    """Wait until something that others bring about is so; fail with `what` when it never comes."""
    deadline = time.monotonic() + MOST_SECONDS
    while not is_so():
        if time.monotonic() >= deadline:
            raise AssertionError(what if isinstance(what, str) else what())
        time.sleep(0.02)
