"""The pins of a run as a code location sees them where nothing runs: the store of each, and the steps they refuse."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence

import dagster as dg

from jammi_dagster.adapters.assets.partitions import PartitionsGone
from jammi_dagster.adapters.assets.run_tags import pins_of
from jammi_dagster.adapters.code_location.current_asset import CurrentAsset
from jammi_dagster.adapters.judgement.stored_assets import StoredAssets
from jammi_dagster.adapters.recipe.inputs import Role
from jammi_dagster.adapters.recipe.pins import NOT_LOADED
from jammi_dagster.contract import TableName
from jammi_dagster.store import ResultStore


def stores_of_pins(assets: StoredAssets, tags: Mapping[str, str]) -> dict[str, ResultStore | None]:
    """Map each pinned table to the store of the asset that makes it; None where nothing here does."""
    found: dict[str, ResultStore | None] = {}
    for table in pins_of(tags):
        maker = assets.asset(dg.AssetKey(TableName.parse(table).asset_key))
        found[table] = None if maker is None else maker.store
    return found


def refusal(asset: CurrentAsset, partitions: Sequence[str] | None, pins: Collection[str]) -> str:
    """Say which pinned table keeps a step from beginning: one that it makes, or an input that no parameter gets.

    Empty where none does.
    """
    if not pins:
        return ""
    for made in map(asset.table, partitions or (None,)):
        if made in pins:
            return f"the run pins {made} as an input: leave its asset out"
    for upstream in asset.upstreams:
        if upstream.declared.role is Role.REFERENCES:
            continue
        with contextlib.suppress(PartitionsGone):
            for _, table in upstream.tables(None if partitions is None else tuple(partitions)):
                if table in pins:
                    return NOT_LOADED.format(asset=asset.shown, table=table)
    return ""
