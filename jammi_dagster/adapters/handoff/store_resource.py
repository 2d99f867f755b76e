"""`ResultStoreResource`: a `ResultStore`, configured the way Dagster configures resources."""

from __future__ import annotations

import os
from typing import Any, Protocol, TypeGuard

import dagster as dg

from jammi_dagster.contract import CachePolicy, Verification, canonical_json
from jammi_dagster.store import ResultStore, StoreIdentity


class StoreBacked(Protocol):
    """An IO manager on a result store, with the cache policy and the verification of assets that state none."""

    @property
    def result_store(self) -> ResultStore: ...
    @property
    def policy(self) -> CachePolicy: ...
    @property
    def verification(self) -> Verification: ...


def is_store_backed(resource: object) -> TypeGuard[StoreBacked]:
    """Tell an IO manager on a result store from any other resource, without opening the store."""
    return hasattr(type(resource), "result_store")


_open: dict[tuple[int, bytes], ResultStore] = {}


def open_store(identity: StoreIdentity) -> ResultStore:
    """Return the store with this identity, which this process opened when it loaded a reference to it."""
    return next(s for (pid, _), s in _open.items() if pid == os.getpid() and s.identity == identity)


class ResultStoreResource(dg.ConfigurableResource):  # type: ignore[type-arg]  # gives itself, not another value
    """The place of result tables and their catalog, as a Dagster resource. Its fields are `ResultStore`'s arguments.

    The store is opened on first use, once per process, and shared by all steps of the process.

        resources = {"io_manager": ResultTableIOManager(store=ResultStoreResource(root="results"))}
    """

    root: str
    catalog: str | None = None
    tenant: str | None = None
    deployment: str = "default"
    storage_options: dict[str, Any] | None = None

    def get(self) -> ResultStore:
        """Open the store, or return the open one. Raise as `ResultStore(…)` does."""
        # a forked process must not share a database connection with its parent
        key = (os.getpid(), canonical_json(self._fields(), name="store"))
        if key not in _open:
            _open[key] = ResultStore(**self._fields())
        return _open[key]

    def _fields(self) -> dict[str, Any]:
        return {
            name: getattr(self, name)
            for name in ("root", "catalog", "tenant", "deployment", "storage_options")
        }
