"""One observation of everything outside of the tables that verdicts on some assets depend on."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from jammi_dagster.adapters.code_location.current_asset import CurrentAsset
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.adapters.code_location.present import Present
from jammi_dagster.catalog import CatalogMark
from jammi_dagster.contract import canonical_json
from jammi_dagster.errors import JammiError
from jammi_dagster.sensing.rows import Rows
from jammi_dagster.store import ResultStore, StoreIdentity
from jammi_dagster.surfaces import VersionSurface


@dataclass(frozen=True, slots=True)
class Observed:
    """Version surfaces, Dagster's events and partitions as they were at one moment.

    `token` changes whenever any of them changes, or a catalog does. `presents` hold the observations of each store's
    assets, `states` the marks of their catalogs from just before.
    """

    token: str = ""
    presents: Mapping[StoreIdentity, Present] = field(default_factory=dict)
    states: Mapping[StoreIdentity, CatalogMark] = field(default_factory=dict)

    def present(
        self, location: Location, store: ResultStore, rows: Rows, digests: Mapping[str, str]
    ) -> Present:
        """Return the present of a store whose catalog stands still in `rows`, without asking a surface again.

        Where the catalog moved since the observation, its rows may know newer inputs: everything is asked for anew.
        """
        known, state = self.presents.get(store.identity), rows.state()
        if known is None or state[1] < 0 or self.states[store.identity] != state:
            return Present(location, store, digests)
        return known.at(digests)


def observe(
    location: Location,
    assets: Sequence[CurrentAsset],
    digests: Mapping[StoreIdentity, Mapping[str, str]],
    absent: Mapping[StoreIdentity, Mapping[str, VersionSurface]],
    process: str,
) -> Observed:
    """Observe each version surface of the assets once.

    `digests` are those of each store's tables when they were last read, `absent` the surfaces whose input did not exist
    then: a table that was never materialized may wait for one. `process` and edited files of code are part of
    the token: another process may run other code, and an edit is to be said.
    """
    presents: dict[StoreIdentity, Present] = {}
    states: dict[StoreIdentity, CatalogMark] = {}
    versions: dict[Any, Any] = {}
    facts: list[Any] = [process, _last_events(location, assets), [list(edit) for edit in location.edits]]
    for asset in assets:
        identity = asset.store.identity
        if identity not in presents:
            states[identity] = asset.store.reader.state()
            presents[identity] = Present(location, asset.store, digests[identity], versions)
            facts.append(list(states[identity]))
            for surface in absent.get(identity, {}).values():
                with contextlib.suppress(JammiError):  # `failed` tells
                    presents[identity].observe(surface)
        facts.append(asset.outside(presents[identity]))
    for present in presents.values():
        facts.append([sorted(present.observed.items()), sorted(present.failed)])
    return Observed(hashlib.sha256(canonical_json(facts)).hexdigest(), presents, states)


def _last_events(location: Location, assets: Sequence[CurrentAsset]) -> list[list[Any]]:
    """Return when each upstream asset that is declared and not loaded was last materialized: it may store nothing."""
    listed = {up.dependency.asset_key for asset in assets for up in asset.upstreams if up.is_listed}
    last: Mapping[dg.AssetKey, Any] = (
        location.instance.get_latest_materialization_events(sorted(listed)) if listed else {}
    )
    return [[key.to_user_string(), event and event.timestamp] for key, event in sorted(last.items())]
