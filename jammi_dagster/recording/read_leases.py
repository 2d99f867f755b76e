"""Read leases: while somebody reads a materialization, no collection takes it.

A process holds the leases of a catalog together, and one thread renews them. A handle that is garbage ends its lease
through a queue, since a finalizer may run in any thread, in the middle of a transaction too.
"""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import secrets
import threading
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from jammi_dagster.catalog import (
    LEASE_SECONDS,
    Database,
    MaterializationRecord,
    ReadLeaseRows,
    Scope,
    release_leases,
    renew_leases,
)
from jammi_dagster.errors import CatalogReadOnly, JammiError
from jammi_dagster.recording.leases import RENEW_SECONDS
from jammi_dagster.threads import start_thread

if TYPE_CHECKING:
    import pyarrow.dataset as ds


class ReadLease:
    """A lease on one materialization, until it is released or garbage. Leave its `with` block to release it."""

    def __init__(self, leases: ReadLeases, token: str) -> None:
        self._leases, self._token = leases, token
        self._ended = weakref.finalize(self, leases.forget, token)
        self._ended.atexit = False

    def release(self) -> None:
        """End the lease now."""
        if self._ended.detach():
            self._leases.release(self._token)

    def held_by(self, dataset: ds.Dataset) -> ds.Dataset:
        """Hold the lease as long as the dataset, or one that was filtered out of it, is in use."""
        from jammi_dagster.artifacts.named_dataset import NamedDataset  # it imports pyarrow.dataset

        if isinstance(dataset, NamedDataset):
            dataset.naming = functools.partial(_holding, self, dataset.naming)
        else:
            weakref.finalize(dataset, ReadLease.release, self).atexit = False
        return dataset

    def __enter__(self) -> ReadLease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _holding(lease: ReadLease, naming: Callable[[], AbstractContextManager[None]]) -> Any:
    """Name a query's errors; whoever can ask one holds the lease."""
    return naming()


class ReadLeases:
    """The read leases that this process holds on one catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._begin()

    def _begin(self) -> None:
        self._pid, self._owner = os.getpid(), f"reader/{secrets.token_hex(8)}"
        self._lock = threading.Lock()
        self._held: dict[str, Scope] = {}
        self._garbage: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._refused = False

    def nominal(self) -> ReadLease:
        """Give a lease in name: only the grace period of its own store protects such a materialization."""
        return ReadLease(self, "")

    def take(self, scope: Scope, materialization_id: str, purpose: str) -> ReadLease | None:
        """Take a lease; None where the materialization is no longer ready.

        A catalog that cannot be written has none: then the lease is one in name, and only the grace period protects.
        """
        if os.getpid() != self._pid:  # the parent's leases are its own
            self._begin()
        token = secrets.token_hex(16)
        if self._database.read_only or self._refused or not self._database.is_there:
            return self.nominal()
        try:
            rows = ReadLeaseRows(self._database, scope)
            owner, seconds = self._owner, LEASE_SECONDS
            if not rows.take(token, materialization_id, owner=owner, purpose=purpose, seconds=seconds):
                return None
        except CatalogReadOnly:  # this user may only read
            self._refused = True
            return self.nominal()
        with self._lock:
            self._held[token] = scope
            if self._thread is None:
                garbage = self._garbage
                renew = functools.partial(_renew, weakref.ref(self, lambda gone: garbage.put(_STOP)), garbage)
                self._thread = start_thread(renew, name="jammi-readers", purpose="renew read leases")
        return ReadLease(self, token)

    def forget(self, token: str) -> None:
        """Note that a handle is garbage."""
        if token:
            self._garbage.put(token)

    def release(self, token: str) -> None:
        """End a lease; one that another process took is left to it."""
        with self._lock:
            scope = self._held.pop(token, None) if os.getpid() == self._pid else None
        if scope is not None:
            with contextlib.suppress(JammiError):  # it runs out by itself
                ReadLeaseRows(self._database, scope).release([token])

    def close(self) -> None:
        """End all leases of this process on the catalog."""
        with self._lock:
            held, self._held = self._held, {}
        if held and os.getpid() == self._pid:
            with contextlib.suppress(JammiError):
                release_leases(self._database, self._owner)

    def renew(self) -> bool:
        """Renew the leases; False, and the end of the thread that does it, where none is held any more."""
        with self._lock:
            if not self._held:
                self._thread = None
                return False
        with contextlib.suppress(JammiError):
            renew_leases(self._database, self._owner, seconds=LEASE_SECONDS)
        return True


_STOP = ""  # no lease has it as its token


def _renew(leases: weakref.ref[ReadLeases], garbage: queue.SimpleQueue[str]) -> None:
    """Renew leases while any is held, and end those of garbage at once; their store may go out of sight meanwhile."""
    while True:
        try:
            token = garbage.get(timeout=RENEW_SECONDS)
        except queue.Empty:
            token = None
        held = leases()
        if held is None or token == _STOP:
            return
        if token is not None:
            held.release(token)
        elif not held.renew():
            return
        del held


class Pin:
    """A pin on one materialization: no collection takes it before the pin ends. Leave its `with` block to end it.

    `pin_id` is for `ResultStore.unpin`, also from another process.
    """

    def __init__(self, record: MaterializationRecord, pin_id: str, release: Callable[[], object]) -> None:
        self.record, self.pin_id, self._release = record, pin_id, release

    @property
    def table(self) -> str:
        """The table's name."""
        return self.record.table

    @property
    def materialization_id(self) -> str:
        """The id of the pinned materialization, for `ResultStore.read(table, at=…)`."""
        return self.record.materialization_id

    def release(self) -> None:
        """End the pin."""
        self._release()

    def __enter__(self) -> Pin:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
