"""Whether the bytes of current tables are there, a slice of the catalog at a time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from jammi_dagster.adapters.current import CurrentAsset
from jammi_dagster.results import ResultStore

_AT_ONCE = 200


def bytes_missing(
    assets: Sequence[CurrentAsset], after: str, known: Iterable[str], *, seconds: float
) -> tuple[set[str], str]:
    """The tables whose artifacts are gone, of `known` ones and of those after `after` by name, and how far it got.

    It goes round once at most, and stops when `seconds` are over; the next call goes on from there.
    """
    until = time.monotonic() + seconds
    stores = {asset.store.identity: asset.store for asset in assets}
    names = {asset.name for asset in assets}
    gone: set[str] = set()
    for store in stores.values():
        gone.update(_gone(store, list(known)))
    first, place, turned = after, after, False
    while time.monotonic() < until:
        chunk = sorted(
            {name for store in stores.values() for name in store.reader.names_after(place, most=_AT_ONCE)}
        )
        chunk = chunk[:_AT_ONCE]
        if turned and (not chunk or chunk[0] > first):
            break
        if not chunk:
            place, turned = "", True
            continue
        place = chunk[-1]
        wanted = [name for name in chunk if name.partition("[")[0] in names]
        for store in stores.values():
            gone.update(_gone(store, wanted))
    return gone, place


def _gone(store: ResultStore, tables: Sequence[str]) -> Iterable[str]:
    for table, record in store.reader.current_of(tables).items():
        size = store.artifacts.size(record.artifact_path)
        if size is None or record.size_bytes not in (None, size):
            yield table
