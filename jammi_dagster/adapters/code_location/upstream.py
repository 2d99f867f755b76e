"""One dependency of an asset with no step running: its role, and the upstream tables that each partition reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.partitions import mapped_partitions
from jammi_dagster.adapters.code_location.location import Location, is_identity
from jammi_dagster.adapters.recipe.inputs import DeclaredInput, Role
from jammi_dagster.contract import TableName
from jammi_dagster.contract.tables import table_names

Partitions = tuple[str, ...] | None
Tables = tuple[tuple[str | None, str], ...]


class Upstream:
    """A declared input of the asset `key`, with its tables by partition of the asset."""

    def __init__(self, location: Location, key: dg.AssetKey, declared: DeclaredInput) -> None:
        self.declared = declared
        self.dependency, self.store = declared.dependency, declared.store
        self._location, self._key = location, key
        self._path = self.dependency.asset_key.path
        self.name = str(TableName.of(self._path))
        self.partitions_def: Any = location.graph.get(self.dependency.asset_key).partitions_def
        self._is_identity = self.dependency.input_name is None or self._maps_to_itself()
        self._tables: dict[Partitions, Tables] = {}
        self._keys: Partitions = None
        self.refresh()

    @property
    def is_listed(self) -> bool:
        """Tell whether it is a table of the asset's own store that is declared and not loaded."""
        return self.declared.role is Role.LISTED

    def refresh(self) -> bool:
        """Ask for the partitions of the upstream asset; return whether they are the same as before."""
        keys = None if self.partitions_def is None else self._location.keys_of(self.partitions_def)
        if keys is self._keys:
            return True
        self._keys = keys
        self._tables.clear()
        return False

    def tables(self, partitions: Partitions) -> Tables:
        """Return the upstream tables that these partitions of the asset read, by upstream partition, in their order.

        Raises `PartitionsGone`.
        """
        found = self._tables.get(partitions)
        if found is None:
            found = self._tables[partitions] = self._look_up(partitions)
        return found

    def every(self) -> Tables:
        """Return all tables of the upstream asset, by partition."""
        if self.partitions_def is None:
            return ((None, self.name),)
        keys = self._location.keys_of(self.partitions_def)
        return tuple(zip(keys, table_names(self._path, keys), strict=True))

    def _look_up(self, partitions: Partitions) -> Tables:
        keys = partitions
        if not self._is_identity:
            keys = upstream_partitions(self._location, self._key, partitions, self.dependency.asset_key)
        if keys is None:
            return ((None, self.name),)
        return tuple(zip(keys, table_names(self._path, keys), strict=True))

    def _maps_to_itself(self) -> bool:
        own: Any = self._location.graph.get(self._key).partitions_def
        if own is None or self.partitions_def is None or own != self.partitions_def:
            return False
        return is_identity(self._location.graph.get_partition_mapping(self._key, self.dependency.asset_key))


def upstream_partitions(
    location: Location, key: dg.AssetKey, partitions: Sequence[str] | None, upstream: dg.AssetKey
) -> tuple[str, ...] | None:
    """Return the partitions of `upstream` that these partitions of `key` read by Dagster's mapping, in order.

    While a step runs, `execution.step.Step.upstream_partitions` answers the same. Raises `PartitionsGone` where a step
    would be refused for them.
    """
    return mapped_partitions(location.graph, location.instance, key, partitions, upstream)
