"""Leases: for how long nobody but its writer may finish a `building` row."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable

from jammi_dagster.errors import JammiError
from jammi_dagster.threads import start_thread

RENEW_SECONDS = 10.0


class Heart:
    """A thread that calls `beat` every `every` seconds between `start` and `stop`.

    A beat that fails is tried again at the next one: six may fail before a lease runs out.
    """

    def __init__(self, beat: Callable[[], None], *, every: float) -> None:
        self._beat, self._every = beat, every
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()

    def start(self) -> None:
        """Begin to beat. Raises `ThreadNotStarted`."""
        self._thread = start_thread(self._run, name="jammi-lease", purpose="renew the lease of a table")

    def stop(self) -> None:
        """End, and wait for a beat under way. A forked child has no such thread, and its locks may be held for ever."""
        if os.getpid() != self._pid:
            return
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._every):
            with contextlib.suppress(JammiError):
                self._beat()
