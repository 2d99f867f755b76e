"""The last Dagster events of the assets that others read, as a step finds them when it starts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.data_versions import NO_EVENT, InputEvent, asset_entries
from jammi_dagster.adapters.code_location.current_asset import CurrentAsset
from jammi_dagster.adapters.code_location.upstream import Upstream
from jammi_dagster.adapters.metadata_keys import DATA_VERSION_TAG

_AT_ONCE = 100
_MOST_PARTITIONS = 100  # Dagster compares a dependency on as many by its last event alone


class InputEvents:
    """The events of parents, looked up for many assets at once. Events that the caller has stored are told."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._last: dict[dg.AssetKey, InputEvent] = {}
        self._told: dict[dg.AssetKey, dict[str | None, str]] = {}

    def tell(
        self, key: dg.AssetKey, partitions: Sequence[str | None], storage_id: int | None, version: str
    ) -> None:
        """Take note of a materialization that was stored just now, for these partitions or for the whole under None."""
        self._last[key] = InputEvent(storage_id, version)
        self._told.setdefault(key, {}).update(dict.fromkeys(partitions, version))

    def last(self, key: dg.AssetKey) -> InputEvent:
        """Return the last event of an asset that was told or looked up."""
        return self._last[key]

    def look_up(self, keys: Iterable[dg.AssetKey], *, anew: bool = False) -> None:
        """Ask the instance for the last events of these assets, unless they are known or asked for `anew`."""
        wanted = [key for key in dict.fromkeys(keys) if anew or key not in self._last]
        found = {entry.asset_key: self._event(entry) for entry in asset_entries(self._instance, wanted)}
        self._last.update({key: found.get(key, NO_EVENT) for key in wanted})

    def of(self, asset: CurrentAsset, partitions: tuple[str, ...] | None) -> Mapping[dg.AssetKey, InputEvent]:
        """Return the last events of an asset's parents, with the versions of the partitions that these ones read."""
        self.look_up(upstream.dependency.asset_key for upstream in asset.upstreams)
        found = {}
        for upstream in asset.upstreams:
            key = upstream.dependency.asset_key
            event = found[key] = self._last[key]
            if upstream.partitions_def is not None and is_compared(upstream, partitions) and event.storage_id:
                found[key] = event._replace(version=self._version(key, _read(upstream, partitions)))
        return found

    def look_up_partitions(self, key: dg.AssetKey, partitions: Iterable[str]) -> None:
        """Ask the instance once for the versions of many partitions of an asset, unless they are known."""
        known = self._told.setdefault(key, {})
        wanted = [partition for partition in dict.fromkeys(partitions) if partition not in known]
        for start in range(0, len(wanted), _AT_ONCE):
            known.update(self._versions(key, wanted[start : start + _AT_ONCE]))

    def _event(self, entry: Any) -> InputEvent:
        record = entry.last_materialization_record or entry.last_observation_record
        if record is None:
            return NO_EVENT
        tags = record.event_log_entry.tags or {}
        return InputEvent(record.storage_id, tags.get(DATA_VERSION_TAG, NO_EVENT.version))

    def _version(self, key: dg.AssetKey, partitions: Sequence[str]) -> str:
        """Return one version for several partitions, as Dagster makes it."""
        versions: Mapping[str | None, str] = self._told.get(key, {})
        if not all(partition in versions for partition in partitions):
            versions = self._versions(key, partitions)
        told = "".join(versions[partition] for partition in sorted(partitions) if partition in versions)
        return hashlib.sha256(told.encode()).hexdigest()

    def _versions(self, key: dg.AssetKey, partitions: Sequence[str]) -> dict[str | None, str]:
        tags = self._instance.event_log_storage.get_latest_tags_by_partition(
            key,
            dg.DagsterEventType.ASSET_MATERIALIZATION,
            [DATA_VERSION_TAG],
            asset_partitions=list(partitions),
        )
        return {partition: of[DATA_VERSION_TAG] for partition, of in tags.items()}


def is_compared(upstream: Upstream, partitions: tuple[str, ...] | None) -> bool:
    """Tell whether Dagster compares the version of an input: not of many partitions, nor of one without a parameter."""
    if upstream.partitions_def is None:
        return True
    return bool(upstream.dependency.input_name) and len(_read(upstream, partitions)) < _MOST_PARTITIONS


def _read(upstream: Upstream, partitions: tuple[str, ...] | None) -> list[str]:
    return [partition for partition, _ in upstream.tables(partitions) if partition is not None]
