"""A system that refuses threads."""

import threading

import pytest


def refuse(patch: pytest.MonkeyPatch, prefix: str) -> None:
    """Let the system refuse threads of this name, as a container at its limit does."""
    start = threading.Thread.start

    def refused(thread: threading.Thread) -> None:
        if thread.name.startswith(prefix):
            raise RuntimeError("can't start new thread")
        start(thread)

    patch.setattr(threading.Thread, "start", refused)
