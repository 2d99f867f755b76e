"""One dependency of an asset, as its tables read it: which upstream tables, and under which names they are inputs."""

from __future__ import annotations

from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.declaration import Dependency, is_result_table
from jammi_dagster.adapters.code_location.location import Location, is_identity
from jammi_dagster.adapters.code_location.present import Look
from jammi_dagster.contract import TableName
from jammi_dagster.contract.tables import table_names
from jammi_dagster.store import ResultStore

Partitions = tuple[str, ...] | None
Tables = tuple[tuple[str | None, str], ...]


class Upstream:
    """`store` is where a parameter's references come from; None where another IO manager loads it, or nothing.

    `is_listed`: it is a table of the asset's own store that is declared and not loaded.
    """

    def __init__(
        self,
        location: Location,
        key: dg.AssetKey,
        dependency: Dependency,
        store: ResultStore | None,
        *,
        is_loaded: bool,
        io_manager_key: str,
    ) -> None:
        self.dependency, self.store = dependency, store
        self._location, self._key = location, key
        self.is_listed = not is_loaded and is_result_table(io_manager_key, dependency)
        self._path = dependency.asset_key.path
        self.name = str(TableName.of(self._path))
        self.partitions_def: Any = location.graph.get(dependency.asset_key).partitions_def
        self._is_identity = dependency.input_name is None or self._maps_to_itself()
        self._tables: dict[Partitions, Tables] = {}
        self._keys: Partitions = None
        self.refresh()

    def refresh(self) -> bool:
        """Asks for the partitions of the upstream asset; whether they are the same as before."""
        keys = None if self.partitions_def is None else self._location.keys_of(self.partitions_def)
        if keys is self._keys:
            return True
        self._keys = keys
        self._tables.clear()
        return False

    def tables(self, partitions: Partitions) -> Tables:
        """The upstream tables that these partitions of the asset read, by upstream partition, in their order.

        Raises `PartitionsGone`.
        """
        if partitions not in self._tables:
            self._tables[partitions] = self._look_up(partitions)
        return self._tables[partitions]

    def every(self) -> Tables:
        """All of the upstream asset's tables, by partition."""
        if self.partitions_def is None:
            return ((None, self.name),)
        keys = self._location.keys_of(self.partitions_def)
        return tuple(zip(keys, table_names(self._path, keys), strict=True))

    def source(self, partition: str | None, table: str, look: Look) -> str | None:
        """The name under which an upstream table is an input, or None where it is not there."""
        if self.store is not None:
            return look.referenced(table, self.store)
        if (
            self.is_listed
            and table in look.digests
            and not (partition is None and look.is_outdated(self.dependency, table))
        ):
            return table
        return look.event(self.dependency, partition, table)

    def _look_up(self, partitions: Partitions) -> Tables:
        keys = partitions
        if not self._is_identity:
            keys = self._location.upstream_keys(self._key, partitions, self.dependency.asset_key)
        if keys is None:
            return ((None, self.name),)
        return tuple(zip(keys, table_names(self._path, keys), strict=True))

    def _maps_to_itself(self) -> bool:
        own: Any = self._location.graph.get(self._key).partitions_def
        if own is None or self.partitions_def is None or own != self.partitions_def:
            return False
        return is_identity(self._location.graph.get_partition_mapping(self._key, self.dependency.asset_key))
