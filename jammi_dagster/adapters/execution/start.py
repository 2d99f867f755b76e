"""The start of many reuses at once: its place in the order of starts, and the pointers that move as of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from jammi_dagster.adapters.handoff.stores import by_store
from jammi_dagster.store import ResultStore, StoreIdentity


class Pointed(NamedTuple):
    """The tables of one store whose pointers were to move: those that are current now, and those that stayed."""

    store: ResultStore
    current: list[str]
    stayed: list[str]


class Start:
    """A start in each of some stores, issued when this is made: before anything is read that a reuse depends on."""

    def __init__(self, stores: Iterable[ResultStore]) -> None:
        self._places: dict[StoreIdentity, int] = {}
        for store, _ in by_store((store, None) for store in stores):
            place = store.writer.next_start()
            self._places[store.identity] = (
                place  # read after the write: a catalog that it made has another one
            )

    def point(
        self,
        pairs: Iterable[tuple[ResultStore, tuple[str, str]]],
        *,
        run_id: str | None,
        moves: bool = True,
    ) -> list[Pointed]:
        """Make materializations current, as (table, materialization id), those of one store in one transaction.

        A pointer that a later start has moved, or of a table that is held, stays; without `moves`, every pointer.
        Raises `UnknownTable` for a materialization that is no longer ready.
        """
        found = []
        for store, of_store in by_store(pairs):
            place = self._places[store.identity]
            moved = store.writer.point(of_store, start_sequence=place, run_id=run_id, moves=moves)
            pointed = Pointed(store, [], [])
            for (table, _), move in zip(of_store, moved, strict=True):
                (pointed.current if move.is_current else pointed.stayed).append(table)
            found.append(pointed)
        return found
