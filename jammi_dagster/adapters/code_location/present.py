"""The present of a code location where nothing runs: current tables, external versions, Dagster's last events."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.data_versions import EventVersion, last_version, last_versions
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.adapters.recipe.inputs import DeclaredInput, Tables
from jammi_dagster.errors import JammiError
from jammi_dagster.store import ResultStore, StoreIdentity
from jammi_dagster.surfaces import VersionSurface

_NO_TABLES: Mapping[str, str] = {}


class Present:
    """The state of one store and its surroundings, with no step running; everything is asked for once.

    `digests` are the artifact digests of the store's current tables. `observed` are the versions of external inputs
    that were seen, None for an input that is gone; `failed` are the errors of inputs that could not be observed, and
    `absent` the surfaces whose input does not exist. Implements the protocol of `recipe.inputs`.
    """

    def __init__(
        self,
        location: Location,
        store: ResultStore,
        digests: Mapping[str, str],
        versions: dict[Any, str | JammiError | None] | None = None,
        others: dict[StoreIdentity, Mapping[str, str]] | None = None,
    ) -> None:
        """Begin with nothing observed. The presents of several stores may share `versions`, those of surfaces.

        `others` are the digests of other stores' tables that are known already.
        """
        self._location, self.store, self.digests = location, store, digests
        self.identity = store.identity
        self._versions = {} if versions is None else versions
        self.observed: dict[str, str | None] = {}
        self.failed: dict[str, JammiError] = {}
        self.absent: dict[str, VersionSurface] = {}
        self._last: dict[dg.AssetKey, dict[str | None, EventVersion]] = {}
        self._shown: dict[dg.AssetKey, EventVersion | None] = {}
        self._others = {} if others is None else others

    def at(self, digests: Mapping[str, str]) -> Present:
        """Return the same observations beside other digests of the store's tables: nothing is asked for again."""
        same = copy.copy(self)
        same.digests = digests
        return same

    def references(self, declared: DeclaredInput, tables: Tables) -> Mapping[str, str]:
        """Map the tables of the store that a parameter gets references from to their digests."""
        store = declared.store
        assert store is not None, "references come from a store"
        if store is self.store or store.identity == self.identity:
            return self.digests
        digests = self._elsewhere(store)
        for _, table in tables:
            self.observed[f"dagster:{store.scope.home}/{table}"] = digests.get(table)
        return digests

    def listed(self, declared: DeclaredInput, tables: Tables) -> Mapping[str, str]:
        """Map the store's tables to their digests, unless the one table is not its asset's last materialization."""
        if len(tables) == 1 and tables[0][0] is None and self._is_outdated(declared, tables[0][1]):
            return _NO_TABLES
        return self.digests

    def events(self, declared: DeclaredInput, tables: Tables) -> Mapping[str | None, str | None]:
        """Map each partition with an event to its supplied data version."""
        last = self._events(declared)
        found: dict[str | None, str | None] = {}
        for partition, table in tables:
            version = last.get(partition)
            if version is None:
                continue
            found[partition] = version.supplied
            if version.supplied is not None:
                self.observed[f"dagster:{self.identity.home}/{table}"] = version.supplied
        return found

    def observe(self, surface: VersionSurface) -> str | None:
        """Ask a surface for its version, once; raise the same error again for one that could not be observed."""
        source = surface.source
        if source not in self.observed and source not in self.failed:
            version = self._version(surface)
            if isinstance(version, JammiError):
                self.failed[source] = version
            else:
                self.observed[source] = version
                if version is None:
                    self.absent[source] = surface
        if source in self.failed:
            raise self.failed[source]
        return self.observed[source]

    def _version(self, surface: VersionSurface) -> str | JammiError | None:
        try:
            if surface in self._versions:
                return self._versions[surface]
        except TypeError:  # a surface without a hash is known by its source alone
            return _observed(surface)
        self._versions[surface] = version = _observed(surface)
        return version

    def _is_outdated(self, declared: DeclaredInput, table: str) -> bool:
        """Tell whether the asset stored nothing at its last materialization, so that the table is an earlier one."""
        if table not in self.digests:
            return False
        last = self._events(declared).get(None)
        if last is None or not last.stored_nothing:
            return False
        return last.given is not None and last.given != self.digests[table]

    def _events(self, declared: DeclaredInput) -> dict[str | None, EventVersion]:
        key = declared.dependency.asset_key
        if key not in self._last:
            partitions_def = self._location.graph.get(key).partitions_def
            keys = None if partitions_def is None else self._location.keys_of(partitions_def)
            instance, dependency = self._location.instance, declared.dependency
            self._last[key] = last_versions(
                instance,
                key,
                keys,
                observable=dependency.is_observable,
                dbt=dependency.dbt,
                shown=self._last_shown,
            )
        return self._last[key]

    def _last_shown(self, key: dg.AssetKey) -> EventVersion | None:
        """Return the last event of a table that models of dbt show as views."""
        if key not in self._shown:
            self._shown[key] = last_version(self._location.instance, key)
        return self._shown[key]

    def _elsewhere(self, store: ResultStore) -> Mapping[str, str]:
        if store.identity not in self._others:
            with store.reader.frozen() as frozen:
                self._others[store.identity] = frozen.digests() or {}
        return self._others[store.identity]


def _observed(surface: VersionSurface) -> str | JammiError | None:
    try:
        return surface.observe()
    except JammiError as error:
        return error
