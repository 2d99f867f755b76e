"""Tables of a code location as nodes of runs, gathered from the location and the catalogs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.declaration import most_at_once, op_name, takes_entry
from jammi_dagster.adapters.assets.partitions import PartitionsGone
from jammi_dagster.adapters.assets.spec import made_along
from jammi_dagster.adapters.code_location.current_asset import CurrentAsset
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.adapters.handoff.stores import by_store
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.launching.runs import Node
from jammi_dagster.adapters.recipe.graph_config import own_config
from jammi_dagster.adapters.recipe.replay import Replay, recorded_replays
from jammi_dagster.contract.tables import table_names
from jammi_dagster.store import ResultStore

Makers = Mapping[str, CurrentAsset]
"""The asset that makes each table."""


class OtherAsset:
    """An asset that no result store keeps, as far as a run of it needs."""

    def __init__(self, location: Location, key: dg.AssetKey) -> None:
        assets_def = location.assets_def(key)
        assert assets_def is not None, "somebody found the asset here"
        self.key, self.assets_def, self.most_at_once = key, assets_def, most_at_once(assets_def)
        self.partitions_def: dg.PartitionsDefinition[Any] | None = location.graph.get(key).partitions_def
        keys: Sequence[str | None] = [None]
        if self.partitions_def is not None:
            keys = location.keys_of(self.partitions_def)
        self._tables = dict(zip(table_names(key.path, keys), keys, strict=True))

    def tables(self) -> dict[str, str | None]:
        """Return the partition of each of its tables, by the name that a result table would have."""
        return self._tables


def makers_of(evaluator: Evaluator, tables: Iterable[str]) -> dict[str, CurrentAsset]:
    """Return the asset that makes each table, and the tables that Dagster makes only together with it.

    Tables that nothing makes are left out.
    """
    found: dict[str, CurrentAsset] = {}
    for table in tables:
        asset = evaluator.maker(table)
        if asset is not None:
            found[table] = asset
            for sibling, name in _together(evaluator, asset, table):
                found.setdefault(name, sibling)
    return found


def nodes_of(
    evaluator: Evaluator, makers: Makers, replays: Mapping[str, Replay | None] | None = None
) -> dict[str, Node]:
    """Return each table as a node, with a given replay, or that of its last run; an empty one if it was never made."""
    if replays is None:
        replays = {
            table: replay
            for store, tables in tables_by_store(makers)
            for table, replay in recorded_replays(store, store.reader, tables).items()
        }
    return {
        table: replace(node, together=tuple(name for _, name in _together(evaluator, makers[table], table)))
        for table, node in with_replays(makers, replays).items()
    }


def with_replays(
    makers: Mapping[str, CurrentAsset | OtherAsset], replays: Mapping[str, Replay | None]
) -> dict[str, Node]:
    """Return each table as a node with its replay."""
    sets: list[dg.PartitionsDefinition[Any]] = []
    numbers: dict[int, int] = {}
    places: dict[dg.AssetKey, dict[str | None, int]] = {}
    found: dict[str, Node] = {}
    for table, asset in makers.items():
        partition, definition = asset.tables().get(table), asset.partitions_def
        if definition is not None and id(definition) not in numbers:
            numbers[id(definition)] = _number(definition, sets)
        if asset.most_at_once != 1 and asset.key not in places:
            places[asset.key] = {key: place for place, key in enumerate(asset.tables().values())}
        found[table] = Node(
            table=table,
            asset_key=asset.key,
            op=op_name(asset.assets_def),
            partition=partition,
            partitions=numbers.get(id(definition), 0),
            place=places.get(asset.key, {}).get(partition, -1),
            most_at_once=asset.most_at_once,
            selected=_selected(asset),
            replay=_own(replays.get(table) or Replay(), asset),
            takes_entry=takes_entry(asset.assets_def),
        )
    return found


def _own(found: Replay, asset: CurrentAsset | OtherAsset) -> Replay:
    """Return a replay with the config of the asset's own ops."""
    return replace(found, config=own_config(asset.assets_def, asset.key, found.config))


def parents_of(makers: Makers) -> dict[str, set[str]]:
    """Return the tables that each table reads now, by the declared dependencies."""
    found: dict[str, set[str]] = {}
    for table, asset in makers.items():
        above = found.setdefault(table, set())
        partition = asset.tables().get(table)
        for upstream in asset.upstreams:
            try:
                pairs = upstream.tables(None if partition is None else (partition,))
            except PartitionsGone:
                continue
            above.update(name for _, name in pairs)
    return found


def materializations_of(makers: Makers) -> dict[str, str]:
    """Return the id of each table's current materialization."""
    return {
        table: record.materialization_id
        for store, tables in tables_by_store(makers)
        for table, record in store.reader.current_of(tables).items()
    }


def tables_by_store(makers: Makers) -> list[tuple[ResultStore, list[str]]]:
    """Return the tables of each result store."""
    return by_store((asset.store, table) for table, asset in makers.items())


def _selected(asset: CurrentAsset | OtherAsset) -> tuple[dg.AssetKey, ...]:
    definition = asset.assets_def
    return (asset.key,) if definition.can_subset or len(definition.keys) == 1 else tuple(definition.keys)


def _together(evaluator: Evaluator, asset: CurrentAsset, table: str) -> list[tuple[CurrentAsset, str]]:
    """Return the other tables that a run of this one makes, with their assets."""
    others = made_along(asset.assets_def, asset.key)
    if not others:
        return []
    partition = asset.tables().get(table)
    return [(sibling, sibling.table(partition)) for sibling in evaluator.assets(sorted(others))]


def _number(definition: dg.PartitionsDefinition[Any], sets: list[dg.PartitionsDefinition[Any]]) -> int:
    """Return the place of an equal partition set in `sets`, where it is added if none is equal."""
    for number, other in enumerate(sets):
        if other == definition:
            return number
    sets.append(definition)
    return len(sets) - 1
