"""Tables of a store that a caller names by a table name, or by an asset in any form of Dagster's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import dagster as dg

from jammi_dagster.adapters.code_location.location import (
    Definitions,
    is_record,
    named_keys,
    repository_of,
    select,
    selection_of,
)
from jammi_dagster.contract import TableName
from jammi_dagster.contract.tables import asset_of
from jammi_dagster.errors import InvalidTarget
from jammi_dagster.store import ResultStore

_MOST_NAMED = 3


def table_named(store: ResultStore, name: Any) -> str:
    """Return the one table that a table name, key, spec or asset means.

    Raises `InvalidTarget` for an asset with several tables in the store, and for a value that names no asset.
    """
    tables = _tables(store, name, None)
    if len(tables) != 1:
        named = ", ".join(tables[:_MOST_NAMED])
        raise InvalidTarget(
            target=name, why=f"it has {len(tables):,} tables ({named}, …), so name one of them"
        )
    return tables[0]


def tables_named(store: ResultStore, names: Any, defs: Definitions | None = None) -> list[str]:
    """Return the tables that one or many table names, keys, specs, assets or selections mean, each once.

    An asset means all of its tables in the store. `defs` resolve selections that do not list their assets; with them
    a text that no table or input is called may be a selection too (`key:"a"+`). Raises `InvalidTarget`.
    """
    is_many = isinstance(names, Iterable) and not isinstance(names, (str, bytes)) and not is_record(names)
    found = [table for name in (names if is_many else [names]) for table in _tables(store, name, defs)]
    return list(dict.fromkeys(found))


def _tables(store: ResultStore, name: Any, defs: Definitions | None) -> list[str]:
    if isinstance(name, str) and (defs is None or not _is_selection(store, name)):
        return [name]
    selection = selection_of(name)
    keys = named_keys(selection)
    if keys is None and defs is not None:
        keys = select(selection, repository_of(defs).asset_graph)
    if keys is None:
        raise InvalidTarget(target=selection, why="only definitions tell which assets it selects")
    by_asset: dict[str, list[str]] = {}
    for table in store.tables():
        by_asset.setdefault(asset_of(table), []).append(table)
    return [table for key in keys for table in by_asset.get(_name(key), [_name(key)])]


def _is_selection(store: ResultStore, name: str) -> bool:
    """Tell a selection in Dagster's syntax from the name of a table, or of another input, that the store knows."""
    if store.reader.current_of([name]) or store.reader.edges(name):
        return False
    try:
        selection_of(name)
    except InvalidTarget:
        return False
    return True


def _name(key: dg.AssetKey) -> str:
    return str(TableName.of(key.path))
