"""`ResultStoreResource`: a `ResultStore`, configured the way Dagster configures resources."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeGuard
from weakref import WeakValueDictionary

import dagster as dg

from jammi_dagster import project_paths
from jammi_dagster.artifacts import absolute_root
from jammi_dagster.catalog.urls import absolute_catalog, shown_catalog
from jammi_dagster.contract import CachePolicy, Verification, canonical_json
from jammi_dagster.contract.redaction import redacted_options, redacted_text, redacted_url
from jammi_dagster.errors import InvalidStore, JammiError, NotCanonical
from jammi_dagster.store import ResultStore, StoreIdentity

FOUND_FIELDS = frozenset({"project_folder"})
"""Fields that a resource fills in by itself: they follow from others, so no definition holds them."""


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


class OpenStores:
    """The stores that this process opened, by their arguments: each once, though resources come and go.

    The last few used keep their connections; the others give them back, and live on for as long as somebody uses them.
    """

    def __init__(self, most: int = 4) -> None:
        """Keep the connections of at most so many stores."""
        self._most = most
        self._kept: OrderedDict[bytes, ResultStore] = OrderedDict()
        self._known: WeakValueDictionary[bytes, ResultStore] = WeakValueDictionary()
        self._lock = threading.Lock()

    def get(self, key: bytes, make: Callable[[], ResultStore]) -> ResultStore:
        """Return the store of this key, and open it if it is not open."""
        with self._lock:
            found = self._kept.get(key) or self._known.get(key)
        if found is None:
            found = make()
        with self._lock:
            store = self._known.setdefault(key, found)  # another thread may have been quicker
            self._kept[key] = store
            self._kept.move_to_end(key)
            given_back = [old for old in self._kept if self._kept[old].database.is_gone() and old != key]
            given_back += [old for old in self._kept if old not in given_back][: -self._most]
            closed = [self._kept.pop(old) for old in given_back]
        for old_store in closed:
            old_store.close()
        return store

    def find(self, identity: StoreIdentity) -> ResultStore | None:
        """Return the store with this identity. A store that cannot be asked for its own is another one's fault."""
        with self._lock:
            stores = list(self._known.values())
        for store in reversed(stores):
            with contextlib.suppress(JammiError):
                if store.identity == identity:
                    return store
        return None


_stores = OpenStores()


def _forget_locks() -> None:
    """Make the lock anew in a forked child: another thread of the parent may have held it."""
    _stores.__dict__["_lock"] = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_locks)


def open_store(identity: StoreIdentity) -> ResultStore:
    """Return the store with this identity, which this process opened when it loaded a reference to it.

    Raise `InvalidStore` if it opened none.
    """
    store = _stores.find(identity)
    if store is None:
        why = "this process has not opened the store of a reference that it was handed; give it the same resource"
        raise InvalidStore(root=identity.root, why=why)
    return store


class ResultStoreResource(dg.ConfigurableResource):  # type: ignore[type-arg]  # gives itself, not another value
    """The place of result tables and their catalog, as a Dagster resource. Its fields are `ResultStore`'s arguments.

    The store is opened on first use, once per process, and shared by all steps of the process.

    A relative `root` or `catalog` starts at the folder of the nearest `pyproject.toml` above the file that constructs
    the resource, and is an absolute path from then on. `project_folder` keeps that folder for a path that comes later,
    from an `EnvVar` or from run config; leave it out. Raises `NoProjectFolder`.

        resources = {"io_manager": ResultTableIOManager(store=ResultStoreResource(root="results"))}
    """

    root: str
    catalog: str | None = None
    tenant: str | None = None
    deployment: str = "default"
    storage_options: dict[str, Any] | None = None
    project_folder: str | None = None

    def __init__(self, **data: Any) -> None:
        super().__init__(**_with_absolute_paths(type(self), data, maker=self))

    @classmethod
    def configure_at_launch(cls, **kwargs: Any) -> Any:
        """Return a resource that takes its other fields from run config; its relative paths start at this project."""
        kwargs.setdefault("project_folder", project_paths.project_folder())
        return super().configure_at_launch(**_with_absolute_paths(cls, kwargs))

    def get(self) -> ResultStore:
        """Open the store, or return the open one. Raise as `ResultStore(…)` does."""
        fields = self._fields()
        try:
            key = canonical_json(fields, name="store")
        except NotCanonical as error:
            # the value may be a secret: neither the message nor a cause shows it
            place, why = error.path, "it is not JSON, as Dagster's config must be"
        else:
            return _stores.get(key, lambda: ResultStore(**fields))
        raise InvalidStore(root=redacted_url(str(self.root)), why=f"{place}: {why}")

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        """Show the fields without their secrets; also within the `repr` of an IO manager."""
        for name, value in self._fields().items():
            if name == "storage_options":
                yield name, None if value is None else redacted_options(value)
            else:
                show = shown_catalog if name == "catalog" else redacted_url
                yield name, redacted_text(show(value)) if isinstance(value, str) else value

    def _fields(self) -> dict[str, Any]:
        return {
            name: getattr(self, name)
            for name in ("root", "catalog", "tenant", "deployment", "storage_options")
        }


def _with_absolute_paths(
    kind: type[ResultStoreResource], data: Mapping[str, Any], maker: object = None
) -> dict[str, Any]:
    """Return a resource's fields with absolute paths, and with the project folder where a path comes later."""
    found = dict(data)
    for name, absolute in (("root", absolute_root), ("catalog", absolute_catalog)):
        value = data.get(name, kind.model_fields[name].default)
        if isinstance(value, dg.EnvVar):
            found.setdefault("project_folder", project_paths.project_folder(maker))
        elif isinstance(value, str):
            path = absolute(value, maker=maker, project=data.get("project_folder"))
            if path != value:
                found[name] = path
    return found
