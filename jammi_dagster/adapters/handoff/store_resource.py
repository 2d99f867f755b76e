"""`ResultStoreResource`: a `ResultStore`, configured the way Dagster configures resources."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeGuard
from weakref import WeakValueDictionary

import dagster as dg

from jammi_dagster import forks, project_paths
from jammi_dagster.artifacts import absolute_root
from jammi_dagster.catalog.urls import absolute_catalog, shown_catalog
from jammi_dagster.contract import CachePolicy, Verification, canonical_json
from jammi_dagster.contract.redaction import redacted_options, redacted_text, redacted_url
from jammi_dagster.deployment_names import deployment_names
from jammi_dagster.errors import InvalidStore, JammiError, NotCanonical
from jammi_dagster.store import ResultStore, StoreIdentity

_OF_PARENT = ("parent_root", "parent_catalog", "parent_storage_options")
UNDESCRIBED = frozenset({"project_folder", "parent", "parent_at", "ttl_days", *_OF_PARENT})
"""Fields that no definition holds: one follows from others, and a branch defines its tables as its parent does."""

OP_IO_MANAGER = "op_io_manager"
"""The field of our IO manager that no definition holds: values pass through it, and it makes none."""


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
        self._lock = forks.Lock()

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
    deployment: str | None = None
    parent: str | None = None
    parent_at: int | None = None
    ttl_days: float | None = None
    parent_root: str | None = None
    parent_catalog: str | None = None
    parent_storage_options: dict[str, Any] | None = None
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
            return _stores.get(key, lambda: _opened(fields))
        raise InvalidStore(root=redacted_url(str(self.root)), why=f"{place}: {why}")

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        """Show the fields without their secrets; also within the `repr` of an IO manager."""
        for name, value in self._fields().items():
            if name.endswith("storage_options"):
                yield name, None if value is None else redacted_options(value)
            else:
                show = shown_catalog if name.endswith("catalog") else redacted_url
                yield name, redacted_text(show(value)) if isinstance(value, str) else value

    @property
    def home(self) -> str:
        """The deployment that stands for this one in a definition: a branch's parent."""
        names = deployment_names(self.deployment, self.parent)
        return names.parent or names.deployment

    def _fields(self) -> dict[str, Any]:
        fields = {
            name: getattr(self, name)
            for name in ("root", "catalog", "tenant", "parent_at", "ttl_days", "storage_options", *_OF_PARENT)
        }
        return {**fields, **deployment_names(self.deployment, self.parent)._asdict()}


def _opened(fields: Mapping[str, Any]) -> ResultStore:
    """Open a store, over its parent's where that is another one, which is opened to be read."""
    given = dict(fields)
    root, catalog, options = (given.pop(name) for name in _OF_PARENT)
    if root is not None and given["parent"] is not None:
        given["parent"] = ResultStore(
            root,
            catalog,
            tenant=given["tenant"],
            deployment=given["parent"],
            storage_options=options,
            read_only=True,
        )
    return ResultStore(**given)


def _with_absolute_paths(
    kind: type[ResultStoreResource], data: Mapping[str, Any], maker: object = None
) -> dict[str, Any]:
    """Return a resource's fields with absolute paths, and with the project folder where a path comes later."""
    found = dict(data)
    for name, absolute in (
        ("root", absolute_root),
        ("catalog", absolute_catalog),
        ("parent_root", absolute_root),
        ("parent_catalog", absolute_catalog),
    ):
        value = data.get(name, kind.model_fields[name].default)
        if isinstance(value, dg.EnvVar):
            found.setdefault("project_folder", project_paths.project_folder(maker))
        elif isinstance(value, str):
            path = absolute(value, maker=maker, project=data.get("project_folder"))
            if path != value:
                found[name] = path
    return found
