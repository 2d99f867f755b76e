"""A ledger of the references that steps got from the IO manager before their bodies ran.

Dagster loads inputs first. The materializations that were read then, and the start that was issued then, are recorded
with the output, wherever the pointers have gone meanwhile; until then the ledger keeps them.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from jammi_dagster.store import ResultStore, StoreIdentity

_MOST_STEPS = 1_000


@dataclass(slots=True)
class Loading:
    """One attempt of one step: its place in the order of starts, and its references by input name."""

    start_sequence: int
    references: dict[str, Any] = field(default_factory=dict)


_Key = tuple[str, str, int, StoreIdentity]
_loadings: OrderedDict[_Key, Loading] = OrderedDict()


def loading(step_context: Any, store: ResultStore) -> Loading:
    """Return the entry for the running attempt of a step on `store`; make it, with a new start, on first use."""
    store.database.make()  # a store has another identity once its catalog is made
    key = _key(step_context, store)
    if key not in _loadings:
        _loadings[key] = Loading(store.writer.next_start())
        while len(_loadings) > _MOST_STEPS:  # steps that failed before their output left theirs behind
            _loadings.popitem(last=False)
    return _loadings[key]


def close(step_context: Any, store: ResultStore) -> None:
    """Forget the entry."""
    _loadings.pop(_key(step_context, store), None)


def _key(step_context: Any, store: ResultStore) -> _Key:
    attempt = step_context.previous_attempt_count
    return step_context.run_id, step_context.step.key, attempt, store.identity
