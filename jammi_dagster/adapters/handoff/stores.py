"""Items of several result stores, sorted by store: a catalog is asked once for all of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from jammi_dagster.store import ResultStore, StoreIdentity

_Item = TypeVar("_Item")


def by_store(items: Iterable[tuple[ResultStore, _Item]]) -> list[tuple[ResultStore, list[_Item]]]:
    """Return the items of each store, in their order; stores with one identity count as one."""
    found: dict[StoreIdentity, tuple[ResultStore, list[_Item]]] = {}
    for store, item in items:
        found.setdefault(store.identity, (store, []))[1].append(item)
    return list(found.values())
