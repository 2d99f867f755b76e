"""Databases and locks over `fork()`: a child makes its own, and leaves its parent's alone.

PostgreSQL's connections are sockets that two processes must not share. SQLite keeps notes on its locks in the
process: a child that inherits them believes in locks that it does not hold. So idle connections to files are closed
before a fork; one that is in use then makes the file unusable in the child.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any, Protocol


class Forked(Protocol):
    """A holder of connections that is told of forks."""

    def before_fork(self) -> None:
        """Close idle connections, and let nobody open others."""

    def after_fork_in_parent(self) -> None:
        """Let others open connections again."""

    def after_fork_in_child(self) -> None:
        """Make locks and connections anew."""


class Lock:
    """A lock that a forked child finds free: a thread of its parent that held it does not go on there."""

    def __init__(self) -> None:
        self.make_anew()
        _locks.add(self)

    def make_anew(self) -> None:
        """Forget who holds it."""
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()


# connections of the parent: closing them here, or their collection as garbage, would speak on its sockets
inherited: list[Any] = []
_holders: weakref.WeakSet[Any] = weakref.WeakSet()
_held: list[Forked] = []
_locks: weakref.WeakSet[Lock] = weakref.WeakSet()
_one_fork = threading.Lock()


def watch(holder: Forked) -> None:
    """Tell the holder of forks as long as it lives."""
    _holders.add(holder)


def _before() -> None:
    _one_fork.acquire()
    _held[:] = list(_holders)
    for holder in _held:
        holder.before_fork()


def _in_parent() -> None:
    while _held:
        _held.pop().after_fork_in_parent()
    _one_fork.release()


def _in_child() -> None:
    global _one_fork
    _one_fork = threading.Lock()
    for lock in list(_locks):
        lock.make_anew()
    while _held:
        _held.pop().after_fork_in_child()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no forks
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
