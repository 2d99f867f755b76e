"""Leases: who is writing a `building` row, and for how long nobody else may finish it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from jammi_dagster.errors import JammiError

RENEW_SECONDS = 10.0


class Heart:
    """Calls `beat` every `every` seconds, on a thread of its own, between `start` and `stop`.

    A beat that fails is tried again at the next one: six may fail before a lease runs out.
    """

    def __init__(self, beat: Callable[[], None], *, every: float) -> None:
        self._beat, self._every = beat, every
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins to beat."""
        self._thread = threading.Thread(target=self._run, name="jammi-lease", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends, and waits for a beat under way."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._every):
            with contextlib.suppress(JammiError):
                self._beat()
