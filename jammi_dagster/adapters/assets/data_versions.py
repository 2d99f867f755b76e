"""Data versions in Dagster's event log: the last events of an asset, and the versions that somebody gave to them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import dagster as dg

from jammi_dagster.adapters.assets.dbt_models import DbtModel
from jammi_dagster.adapters.metadata_keys import DATA_VERSION_TAG, MATERIALIZATION, USER_PROVIDED_TAG

_MOST_EVENTS = 500  # per query: SQLite limits the parameters of a statement
_MOST_ASSETS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class EventVersion:
    """The last event of an asset or partition, with its data version.

    Attributes:
        storage_id: the event's place in the event log.
        given: the data version, whatever its origin.
        supplied: the data version that a user or an observation gave, or that of a model of dbt; None if Dagster
            derived one from code and inputs, which is no identity.
        stored_nothing: True for a materialization that put no result table into any store.
        after_start: True if the event came after the start of the step in question.
        run_id: the run that the event is of; empty for an event without a run.
        timestamp: the event's instant, in seconds.
    """

    storage_id: int
    given: str | None
    supplied: str | None
    stored_nothing: bool
    after_start: bool = False
    run_id: str = ""
    timestamp: float = 0.0

    @property
    def event(self) -> str:
        """The event's place with its run, or its instant: another event log has another event at the same place."""
        return f"{self.storage_id}.{self.run_id or self.timestamp}"


class LastMaterialization(NamedTuple):
    """The last materialization event of a table: its place in the event log, the id in the store, and its tags."""

    storage_id: int
    materialization: str | None
    tags: Mapping[str, str]


class InputEvent(NamedTuple):
    """The last event of an upstream asset: its place in the event log, and the version of the partitions that are read.

    An asset without any event has no place.
    """

    storage_id: int | None
    version: str


NO_EVENT = InputEvent(None, "INITIAL")  # Dagster's own words for it


def last_versions(
    instance: dg.DagsterInstance,
    key: dg.AssetKey,
    partitions: Sequence[str] | None,
    *,
    observable: bool,
    dbt: DbtModel | None = None,
    shown: Callable[[dg.AssetKey], EventVersion | None] | None = None,
) -> dict[str | None, EventVersion]:
    """Return the last event of each of `partitions`, or of the whole asset under None.

    Partitions without events are left out. Observations count if the asset is `observable`: nothing in Dagster
    materializes it. An event without a version of a user's gets that of the model of `dbt` that the asset is; `shown`
    gives the last event of a table that it shows, by default the instance does.
    """
    found: dict[str | None, EventVersion] = {}
    for record in _last_events(instance, key, partitions, observable=observable):
        partition = None if partitions is None else record.partition_key
        if partition not in found or found[partition].storage_id < record.storage_id:
            found[partition] = _version(record)
    if dbt is None or all(version.supplied is not None for version in found.values()):
        return found
    events = map(shown or functools.partial(last_version, instance), dbt.shows)
    version_at = dbt.versions([one.event if one else "" for one in events])
    return {
        partition: one if one.supplied is not None else replace(one, supplied=version_at(one.event))
        for partition, one in found.items()
    }


def last_version(instance: dg.DagsterInstance, key: dg.AssetKey) -> EventVersion | None:
    """Return the last materialization of an asset, of whichever partition."""
    return last_versions(instance, key, None, observable=False).get(None)


def last_materializations(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: Sequence[str]
) -> dict[str | None, LastMaterialization]:
    """Return the last materialization event of each of `partitions` that has one."""
    records = _last_events(instance, key, partitions, observable=False)
    return {record.partition_key: _last(record) for record in records}


def last_of_assets(
    instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey]
) -> dict[dg.AssetKey, LastMaterialization]:
    """Return the last materialization event of each asset that has one, of whichever partition."""
    return {
        entry.asset_key: _last(entry.last_materialization_record)
        for entry in asset_entries(instance, keys)
        if entry.last_materialization_record is not None
    }


def asset_entries(instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey]) -> Iterator[Any]:
    """Yield Dagster's entry of each asset that has one, with its last events."""
    for start in range(0, len(keys), _MOST_ASSETS):
        for record in instance.get_asset_records(keys[start : start + _MOST_ASSETS]):
            yield record.asset_entry


def _last(record: Any) -> LastMaterialization:
    event = record.event_log_entry.asset_materialization
    made = event.metadata.get(MATERIALIZATION)
    return LastMaterialization(record.storage_id, None if made is None else str(made.value), event.tags or {})


def _version(record: Any) -> EventVersion:
    entry = record.event_log_entry
    event = entry.asset_observation or entry.asset_materialization
    tags = event.tags or {}
    supplied = entry.asset_observation or not record.run_id or tags.get(USER_PROVIDED_TAG) == "true"
    return EventVersion(
        storage_id=record.storage_id,
        given=tags.get(DATA_VERSION_TAG),
        supplied=tags.get(DATA_VERSION_TAG) if supplied else None,
        stored_nothing=entry.asset_observation is None and MATERIALIZATION not in event.metadata,
        run_id=record.run_id or "",
        timestamp=record.timestamp,
    )


def _last_events(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: Sequence[str] | None, *, observable: bool
) -> Iterator[Any]:
    """Yield the last materialization, and an observable asset's last observation, of each partition or of the whole."""
    kinds = {dg.DagsterEventType.ASSET_MATERIALIZATION: instance.fetch_materializations}
    if observable:
        kinds[dg.DagsterEventType.ASSET_OBSERVATION] = instance.fetch_observations
    for kind, fetch in kinds.items():
        if partitions is None:
            yield from fetch(key, limit=1).records
            continue
        latest = instance.get_latest_storage_id_by_partition(key, kind, partitions=set(partitions))
        ids = sorted(latest.values())
        for start in range(0, len(ids), _MOST_EVENTS):
            chunk = ids[start : start + _MOST_EVENTS]
            only = dg.AssetRecordsFilter(asset_key=key, storage_ids=chunk)
            yield from fetch(only, limit=len(chunk)).records
