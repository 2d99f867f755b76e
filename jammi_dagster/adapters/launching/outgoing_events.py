"""Events for Dagster that belong to moves outside of a run: taken from the catalog's outbox, each sent once (ADR 18).

A sender that died may have sent an event without removing it: one that was claimed before is looked for in the log.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

import dagster as dg

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.code_location.current_asset import CurrentAsset
from jammi_dagster.adapters.execution.reused_event import dimensions
from jammi_dagster.adapters.judgement.stored_assets import StoredAssets
from jammi_dagster.catalog import MaterializationRecord, Outbox, OutgoingEvent
from jammi_dagster.errors import CatalogReadOnly
from jammi_dagster.store import ResultStore

_MOST_LOOKED_AT = 100


def send_events(assets: StoredAssets, store: ResultStore) -> None:
    """Send the waiting events of the tables that these assets make in a store.

    An event of another code location's table, or of another deployment's, waits for that one.
    """
    outbox = Outbox(store.database, store.scope)
    waiting = outbox.pending()
    found = {one.table: assets.maker(one.table) for one in waiting}
    makers = {t: maker for t, maker in found.items() if maker and maker.store.identity == store.identity}
    with contextlib.suppress(CatalogReadOnly):  # whoever may write sends them
        for event in outbox.claim([one for one in waiting if one.table in makers]):
            _send(assets.location.instance, makers[event.table], event)
            outbox.sent([event])


def _send(instance: dg.DagsterInstance, asset: CurrentAsset, event: OutgoingEvent) -> None:
    """Send one event, unless it is in the log already, or its materialization is gone."""
    told = json.loads(event.event_json)
    record = asset.store.reader.get(told["materialization"])
    partition = asset.tables()[event.table]
    if record is None or (event.attempts > 1 and _is_in_log(instance, asset.key, partition, event.sequence)):
        return
    instance.report_runless_asset_event(
        _materialization(asset, partition, record, told["why"], event.sequence)
    )


def _is_in_log(instance: dg.DagsterInstance, key: dg.AssetKey, partition: str | None, sequence: int) -> bool:
    """Look for the event of a move among the last ones of a table."""
    only = None if partition is None else [partition]
    wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=only)
    found = (
        record.asset_materialization
        for record in instance.fetch_materializations(wanted, limit=_MOST_LOOKED_AT).records
    )
    moves = (made.metadata.get(metadata_keys.MOVE) for made in found if made is not None)
    return any(move is not None and move.value == sequence for move in moves)


def _materialization(
    asset: CurrentAsset, partition: str | None, record: MaterializationRecord, why: str, sequence: int
) -> dg.AssetMaterialization:
    rows = metadata_keys.ROW_COUNT if partition is None else metadata_keys.PARTITION_ROW_COUNT
    metadata: dict[str, Any] = {
        metadata_keys.CACHE_OUTCOME: "reused",
        metadata_keys.WHY: why,
        rows: record.row_count,
        metadata_keys.REUSED_MATERIALIZATION: record.materialization_id,
        metadata_keys.MATERIALIZATION: record.materialization_id,
        metadata_keys.MOVE: sequence,
    }
    return dg.AssetMaterialization(
        asset_key=asset.key,
        partition=partition,
        metadata=metadata,
        tags={
            metadata_keys.DATA_VERSION_TAG: str(record.artifact_digest),
            metadata_keys.USER_PROVIDED_TAG: "true",
            metadata_keys.OUTCOME_TAG: "reused",
            **dimensions(asset.partitions_def, partition),
        },
    )
