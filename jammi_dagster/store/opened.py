"""The opening of a store: root, catalog, scope, and the stores beside it."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jammi_dagster import maintenance
from jammi_dagster.artifacts import CATALOG_FILE, ArtifactRoot, absolute_root
from jammi_dagster.catalog import CatalogReader, CatalogWriter, Database, EngineReader, Scope
from jammi_dagster.catalog.secret import StoreKey
from jammi_dagster.catalog.urls import absolute_catalog
from jammi_dagster.contract import DerivesFromEdge
from jammi_dagster.deployment_names import deployment_names
from jammi_dagster.deployments import Deployments, checked_name, rows_of_parent, scope_of
from jammi_dagster.errors import InvalidStore
from jammi_dagster.maintenance import RootBinding
from jammi_dagster.parent_store import RootOverParent, RowsOverParent, WriterOverParent
from jammi_dagster.recording import ReadLeases
from jammi_dagster.sensing import Rows

if TYPE_CHECKING:
    from typing_extensions import Self

_log = logging.getLogger("jammi_dagster")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreIdentity:
    """The catalog, root and scope of a store: stores with one identity see the same tables."""

    catalog_id: str
    root: str
    tenant: str
    deployment: str
    parent: str | None = None
    parent_at: int | None = None
    parent_root: str | None = None

    @property
    def home(self) -> str:
        """The deployment whose outside inputs are meant: see `Scope.home`."""
        return self.parent or self.deployment


class OpenedStore:
    """An open store: its catalog, root and scope."""

    def __init__(
        self,
        root: str,
        catalog: str | None = None,
        *,
        tenant: str | None = None,
        deployment: str | None = None,
        parent: str | OpenedStore | None = None,
        parent_at: int | None = None,
        ttl_days: float | None = None,
        storage_options: Mapping[str, Any] | None = None,
        read_only: bool = False,
    ) -> None:
        artifacts = ArtifactRoot(absolute_root(root, maker=self), storage_options)
        above = parent if isinstance(parent, OpenedStore) else None
        parent = parent.scope.deployment if isinstance(parent, OpenedStore) else parent
        names = deployment_names(deployment, parent)
        is_pinned = (
            names.parent is not None or parent is None
        )  # a parent that is this deployment itself pins nothing
        scope = scope_of(artifacts, tenant, *names, parent_at=parent_at if is_pinned else None)
        if catalog is None:
            if artifacts.local_root is None:
                why = "a remote root needs catalog=… (a path or a database URL)"
                raise InvalidStore(root=artifacts.name, why=why)
            catalog = str(Path(artifacts.local_root) / CATALOG_FILE)
        database = Database(absolute_catalog(catalog, maker=self), read_only=read_only)
        place = database.name, artifacts.name
        if scope.parent is None or above is None or (above.database.name, above.artifacts.name) == place:
            above = None  # the parent is a deployment of this very store
        self._bind(artifacts, database, scope, ttl_days, over_another=above is not None)
        if above is not None:
            self._read_through(above)

    @classmethod
    def attach_engine(
        cls, catalog: str, root: str, *, storage_options: Mapping[str, Any] | None = None
    ) -> Self:
        """Open a jammi engine's own catalog, read-only: `catalog` is its SQLite file or PostgreSQL URL.

        `root` is the folder (or URL) below which its artifacts lie; nothing outside is ever opened. Sees the tables
        without a tenant. Every question can be asked; a write raises `CatalogReadOnly`.
        """
        store = cls.__new__(cls)
        database = Database(absolute_catalog(catalog), foreign=True)
        store._bind(ArtifactRoot(absolute_root(root), storage_options), database, Scope())
        return store

    def beside(
        self,
        *,
        tenant: str | None = None,
        deployment: str = "default",
        parent: str | None = None,
        parent_at: int | None = None,
        ttl_days: float | None = None,
    ) -> Self:
        """Open the same root and catalog as another tenant, from another deployment, or as a branch of one.

        The two share their connections: closing one closes both. Raises `InvalidStore`, also for an engine's catalog,
        which is seen without a tenant.
        """
        if self.database.is_foreign:
            raise InvalidStore(root=self.artifacts.name, why="an attached engine's tables have one scope")
        store = type(self).__new__(type(self))
        scope = scope_of(self.artifacts, tenant, deployment, parent, parent_at=parent_at)
        store._bind(self.artifacts, self.database, scope, ttl_days)
        store._readers = self._readers
        return store

    def of_deployment(self, deployment: str, parent: str | None = None) -> Self:
        """Open another deployment of the same tenant as its own runs see it: a branch with the parent on record.

        `parent` names another one. What is done there does not change when the branch ends. Raises as `beside` does.
        """
        parent_at = None
        checked_name(self.artifacts, deployment)
        found = None if self.database.is_foreign else self._deployments.find(deployment)
        if parent is None and found is not None:
            parent, parent_at = found.parent, found.parent_at
        return self.beside(
            tenant=self.scope.tenant or None,
            deployment=deployment,
            parent=parent,
            parent_at=parent_at,
            ttl_days=None if found is None else self._deployments.days_left(found),
        )

    def _bind(
        self,
        artifacts: ArtifactRoot,
        database: Database,
        scope: Scope,
        ttl_days: float | None = None,
        *,
        over_another: bool = False,
    ) -> None:
        self.database, self.scope = database, scope
        self.artifacts: ArtifactRoot = artifacts
        own = scope.without_parent if over_another else scope
        self._deployments = Deployments(database, own, ttl_days, over_another=over_another)
        self._parent: OpenedStore | None = None
        self.reader: Rows
        if database.is_foreign:
            self.reader = EngineReader(database, artifacts.local_root or artifacts.name)
        else:
            self.reader = CatalogReader(database, scope, artifacts.uri)
        self._readers = ReadLeases(database)
        self._edges_at: tuple[str, dict[str, list[DerivesFromEdge]]] | None = None

    def _read_through(self, parent: OpenedStore) -> None:
        """Read the tables of a parent that is another store, where this one has none."""
        if not parent.database.is_there:  # a share that is not mounted looks so, too
            told = (self.scope.deployment, self.scope.parent, parent.database.name)
            _log.warning(
                "deployment %s: its parent %s has no catalog at %s, so its tables are not seen", *told
            )
        rows = rows_of_parent(parent.reader, parent.scope, self.scope)
        own = CatalogReader(self.database, self.scope.without_parent, self.artifacts.uri)
        self.reader = RowsOverParent(own, rows, str(self.scope.parent))
        self.artifacts = RootOverParent(self.artifacts, parent.artifacts)
        self._parent = parent

    @functools.cached_property
    def writer(self) -> CatalogWriter:
        """The write side of the catalog, once catalog and root name each other. Raises `RootOfAnotherCatalog`."""
        self.binding.bind()
        self.__dict__.pop("identity", None)  # a catalog that was not there had another id
        self._deployments.begin()
        if isinstance(self.reader, RowsOverParent):
            own = CatalogWriter(self.database, self.scope.without_parent, self._deployments.ttl_seconds)
            return WriterOverParent(own, self.reader)
        return CatalogWriter(self.database, self.scope, self._deployments.ttl_seconds)

    @functools.cached_property
    def binding(self) -> RootBinding:
        """The bond of catalog and root; the first write makes it."""
        return RootBinding(self.database, self.artifacts, self._restore)

    def _restore(self) -> list[str]:
        """Rebuild a catalog that was lost out of its own root, under the id that the root names."""
        report = maintenance.restore_all(self.database, self.artifacts)
        self.__dict__.pop("identity", None)
        return report.adopted

    @functools.cached_property
    def key(self) -> StoreKey:
        """The store's key, for values that must not be recorded in the clear."""
        return StoreKey(self.database, root=self.artifacts.local_root)

    @functools.cached_property
    def identity(self) -> StoreIdentity:
        """The store's identity, for whoever hands its tables on."""
        catalog_id = self.reader.state().catalog_id
        return StoreIdentity(
            catalog_id=catalog_id,
            root=self.artifacts.name,
            tenant=self.scope.tenant,
            deployment=self.scope.deployment,
            parent=self.scope.parent,
            parent_at=self.scope.parent_at,
            parent_root=None if self._parent is None else self._parent.artifacts.name,
        )

    def close(self) -> None:
        """Close the database connections, and end the leases of datasets; a later use opens new connections."""
        self._readers.close()
        self.database.close()
