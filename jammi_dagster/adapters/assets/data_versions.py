"""What Dagster's event log knows of an asset: its last events, and the data versions that somebody gave to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from jammi_dagster.adapters.metadata_keys import DATA_VERSION_TAG, MATERIALIZATION, USER_PROVIDED_TAG

_MOST_EVENTS = 500  # in one query: SQLite takes a limited number of parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class EventVersion:
    """The last event of an asset or partition: its place in the event log, and the data version given to it.

    `given` is that of whatever origin; `supplied` is None where Dagster made it up from code and inputs: its own is
    no identity. `after_start`: the event came after the step that asks had started. `stored_nothing`: it is a
    materialization that put no result table into any store.
    """

    storage_id: int
    given: str | None
    supplied: str | None
    stored_nothing: bool
    after_start: bool = False


def last_versions(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: Sequence[str] | None, *, observable: bool
) -> dict[str | None, EventVersion]:
    """The last event of each of `partitions`, or of the whole under None; without those that have none.

    Observations count where the asset is `observable`: nothing in Dagster materializes it.
    """
    found: dict[str | None, EventVersion] = {}
    for record in _last_events(instance, key, partitions, observable=observable):
        partition = None if partitions is None else record.partition_key
        if partition not in found or found[partition].storage_id < record.storage_id:
            found[partition] = _version(record)
    return found


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
    )


def _last_events(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: Sequence[str] | None, *, observable: bool
) -> Iterator[Any]:
    """The last materialization, and for an observable asset the last observation, of each partition or of all."""
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
