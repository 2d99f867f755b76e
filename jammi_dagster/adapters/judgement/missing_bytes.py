"""A search for current tables whose bytes are gone, a slice of the catalog at a time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from jammi_dagster.adapters.code_location.current_asset import CurrentAsset
from jammi_dagster.contract.tables import asset_of
from jammi_dagster.sensing.probe import damage
from jammi_dagster.store import ResultStore

_AT_ONCE = 200


def bytes_missing(
    assets: Sequence[CurrentAsset], after: str, known: Iterable[str], *, seconds: float
) -> tuple[set[str], str]:
    """Return tables whose artifacts are gone, among `known` ones and the tables after `after`, and the last table.

    The search goes round once at most, and stops when `seconds` are over; the next call goes on from the last table.
    """
    until = time.monotonic() + seconds
    stores = {asset.store.identity: asset.store for asset in assets}
    names = {asset.name for asset in assets}
    gone: set[str] = set()
    for store in stores.values():
        gone.update(_gone(store, list(known)))
    first, place, turned = after, after, False
    while time.monotonic() < until:
        chunk: dict[str, tuple[ResultStore, str, int | None]] = {}
        for store in stores.values():
            for name, path, size in store.reader.artifacts_after(place, most=_AT_ONCE):
                chunk[name] = store, path, size
        wanted = sorted(chunk)[:_AT_ONCE]
        if turned and (not wanted or wanted[0] > first):
            break
        if not wanted:
            place, turned = "", True
            continue
        place = wanted[-1]
        for name in wanted:
            store, path, size = chunk[name]
            if asset_of(name) in names and is_gone(store, path, size):
                gone.add(name)
    return gone, place


def _gone(store: ResultStore, tables: Sequence[str]) -> Iterable[str]:
    for table, record in store.reader.current_of(tables).items():
        if is_gone(store, record.artifact_path, record.size_bytes):
            yield table


def is_gone(store: ResultStore, path: str, recorded: int | None) -> bool:
    """Tell whether an artifact is not there, or not of its recorded size."""
    return bool(damage(store.artifacts, path, recorded))
