"""What is there at one moment: current tables, versions of external inputs, Dagster's last events."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.data_versions import EventVersion, last_versions
from jammi_dagster.adapters.assets.declaration import Dependency
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.errors import JammiError
from jammi_dagster.store import ResultStore, StoreIdentity
from jammi_dagster.surfaces import VersionSurface


class Look:
    """One look at a store and what surrounds it; each thing is asked for once.

    `digests` are the artifact digests of the store's current tables. `observed` are the versions of external inputs
    that were seen, None for one that is gone; an input that could not be observed is in `failed`, with the reason.
    """

    def __init__(
        self,
        location: Location,
        store: ResultStore,
        digests: Mapping[str, str],
        versions: dict[Any, str | JammiError | None] | None = None,
    ) -> None:
        """Begin with nothing observed. Looks at several stores may share `versions`, those of surfaces by surface."""
        self._location, self.store, self.digests = location, store, digests
        self._versions = {} if versions is None else versions
        self._deployment = store.scope.deployment
        self.observed: dict[str, str | None] = {}
        self.failed: dict[str, str] = {}
        self.absent: dict[str, VersionSurface] = {}  # the surfaces whose input does not exist
        self._last: dict[dg.AssetKey, dict[str | None, EventVersion]] = {}
        self._others: dict[StoreIdentity, Mapping[str, str]] = {}

    def at(self, digests: Mapping[str, str]) -> Look:
        """Return the same observations beside other digests of the store's tables: nothing is asked for again."""
        same = copy.copy(self)
        same.digests = digests
        return same

    def observe(self, surface: VersionSurface) -> bool:
        """Asks a surface; whether its input exists. One that cannot be observed is taken to be there."""
        source = surface.source
        if source not in self.observed and source not in self.failed:
            version = self._version(surface)
            if isinstance(version, JammiError):
                self.failed[source] = str(version)
            else:
                self.observed[source] = version
                if version is None:
                    self.absent[source] = surface
        return source in self.failed or self.observed[source] is not None

    def referenced(self, table: str, store: ResultStore) -> str | None:
        """The name of a table that is loaded from a store, this one or another; None where it is not there."""
        if store is self.store or store.identity == self.store.identity:
            return table if table in self.digests else None
        source = f"dagster:{store.scope.deployment}/{table}"
        digest = self._elsewhere(store).get(table)
        self.observed[source] = digest
        return None if digest is None else source

    def event(self, dependency: Dependency, partition: str | None, table: str) -> str | None:
        """The name of an asset that Dagster alone knows; None for a partition without any event."""
        version = self._events(dependency).get(partition)
        if version is None and partition is not None:
            return None
        source = f"dagster:{self._deployment}/{table}"
        if version is not None and version.supplied is not None:
            self.observed[source] = version.supplied
        return source

    def is_outdated(self, dependency: Dependency, table: str) -> bool:
        """Whether the asset stored nothing at its last materialization, so that the catalog's table is not its last."""
        last = self._events(dependency).get(None)
        if last is None or not last.stored_nothing:
            return False
        return last.given is not None and last.given != self.digests.get(table)

    def _version(self, surface: VersionSurface) -> str | JammiError | None:
        try:
            if surface in self._versions:
                return self._versions[surface]
        except TypeError:  # a surface without a hash is known by its source alone
            return _observed(surface)
        self._versions[surface] = version = _observed(surface)
        return version

    def _events(self, dependency: Dependency) -> dict[str | None, EventVersion]:
        key = dependency.asset_key
        if key not in self._last:
            partitions_def = self._location.graph.get(key).partitions_def
            keys = None if partitions_def is None else self._location.keys_of(partitions_def)
            instance, observable = self._location.instance, dependency.is_observable
            self._last[key] = last_versions(instance, key, keys, observable=observable)
        return self._last[key]

    def _elsewhere(self, store: ResultStore) -> Mapping[str, str]:
        if store.identity not in self._others:
            with store.reader.frozen() as frozen:
                self._others[store.identity] = frozen.digests() or {}
        return self._others[store.identity]


def _observed(surface: VersionSurface) -> str | JammiError | None:
    """Observe a surface; return the error of one that cannot be observed."""
    try:
        return surface.observe()
    except JammiError as error:
        return error
