"""Threads of the package: one that the system refuses is an error of ours, with the purpose that it had."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from jammi_dagster.errors import ThreadNotStarted

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


def start_thread(run: Callable[[], object], *, name: str, purpose: str) -> threading.Thread:
    """Start a daemon thread. Raises `ThreadNotStarted`."""
    thread = threading.Thread(target=run, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise ThreadNotStarted(purpose=purpose, why=str(error)) from error
    return thread


class Workers(ThreadPoolExecutor):
    """A pool of threads, which start when there is work for them. `submit` and `map` raise `ThreadNotStarted`."""

    def __init__(self, most: int, name: str, *, purpose: str) -> None:
        super().__init__(most, name)
        self._purpose = purpose

    def submit(
        self, fn: Callable[_Given, _Result], /, *args: _Given.args, **kwargs: _Given.kwargs
    ) -> Future[_Result]:
        """Run `fn` in one of the threads."""
        try:
            return super().submit(fn, *args, **kwargs)
        except RuntimeError as error:
            raise ThreadNotStarted(purpose=self._purpose, why=str(error)) from error
