"""Pins: inputs that a run takes from a named materialization, in the place of the current one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.run_tags import pins_of
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import Difference, TableName
from jammi_dagster.contract.pins import PinnedInput
from jammi_dagster.errors import InvalidField, InvalidTableName, NotInHistory
from jammi_dagster.sensing import has_bytes, materialization_at, moves_behind
from jammi_dagster.store import ResultStore

_OF_RUN = "a table that assets of the run read"
_NOT_MADE = (
    "a table that the run reads and does not make: leave its asset out of the selection, or out of the pins"
)
NOT_LOADED = "{asset} names {table} without loading it, so it would read another one than the run pins"
_LOADED = "a table that each of its readers in the run loads by a parameter; {why}: leave {asset} out"


def resolved_pins(
    store: ResultStore, tags: Mapping[str, str], tables: Collection[str]
) -> dict[str, MaterializationRecord]:
    """Resolve the pins of a run among some tables of a store.

    Raises `InvalidField` for tags that are no pins, and `NotInHistory` for a materialization that the table never had,
    that is not ready, or whose bytes are gone.
    """
    found: dict[str, MaterializationRecord] = {}
    for table, at in pins_of(tags).items():
        if table not in tables:
            continue
        found[table] = record = materialization_at(store.reader, table, at)
        if not has_bytes(store.artifacts, record):
            why = f"the bytes of materialization {record.materialization_id} are gone or altered"
            raise NotInHistory(table=table, at=at, why=why)
    return found


def pinned_input(store: ResultStore, table: str, materialization_id: str) -> PinnedInput:
    """Tell how a pinned materialization stands to the current one."""
    behind = moves_behind(store.reader.moves(table), store.scope, materialization_id)
    return PinnedInput(table=table, materialization_id=materialization_id, behind=behind)


def check_pins(
    tags: Mapping[str, str], graph: Any, instance: dg.DagsterInstance, made: Iterable[str] = ()
) -> None:
    """Raise `InvalidField` for a pin of a table that no asset of the graph has, or that the step itself makes."""
    pins = pins_of(tags)
    if not pins:
        return
    partitions_of = functools.cache(functools.partial(_partitions, graph, instance))
    for table in pins:
        if not _is_there(table, partitions_of):
            raise InvalidField(what="run", path="pins", value=table, expected=_OF_RUN)
    for table in made:
        if table in pins:
            raise InvalidField(what="run", path="pins", value=table, expected=_NOT_MADE)


def check_loaded(asset: str, named: Iterable[str], tags: Mapping[str, str]) -> None:
    """Raise `InvalidField` for a pin of a table that an asset names without loading it: its body reads at will."""
    pins = pins_of(tags)
    for table in named if pins else ():
        if table in pins:
            expected = _LOADED.format(why=NOT_LOADED.format(asset=asset, table=table), asset=asset)
            raise InvalidField(what="run", path="pins", value=table, expected=expected)


def _is_there(table: str, partitions_of: Callable[[dg.AssetKey], Collection[str | None]]) -> bool:
    try:
        name = TableName.parse(table)
    except InvalidTableName:
        return False
    return name.partition in partitions_of(dg.AssetKey(name.asset_key))


def _partitions(graph: Any, instance: dg.DagsterInstance, key: dg.AssetKey) -> Collection[str | None]:
    """Return the partitions of an asset: None alone where it has none; nothing where the graph has no such asset."""
    if not graph.has(key):
        return ()
    partitions_def = graph.get(key).partitions_def
    if partitions_def is None:
        return (None,)
    return frozenset(partitions_def.get_partition_keys(dynamic_partitions_store=instance))


def worded(difference: Difference, pins: Mapping[str, PinnedInput]) -> str:
    """Word a determinant that differs; of a pinned input, to which materialization it is pinned."""
    if difference.kind == "input" and difference.name in pins:
        return f"input {pins[difference.name]}"
    return difference.text
