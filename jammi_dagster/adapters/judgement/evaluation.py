"""What one evaluation found: verdicts, counts, and how far it came."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field

from jammi_dagster.adapters.code_location.present import Present
from jammi_dagster.adapters.judgement.table_state import TableState
from jammi_dagster.store import ResultStore, StoreIdentity


@dataclass(slots=True)
class Evaluation:
    """What one look found. `tables` are those that are not plainly fresh; `counts` are of all, by verdict.

    `looked_at` are the tables that it came to, in order, and whether each is there. `gone` are tables in the store that
    nothing here makes any more, with the reason. Where time ran out, `is_complete` is false: what comes after the last
    table that was looked at is left, and `gone` too.
    """

    tables: dict[str, TableState] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    gone: dict[str, str] = field(default_factory=dict)
    stores: dict[StoreIdentity, ResultStore] = field(default_factory=dict)
    looks: dict[StoreIdentity, Present] = field(default_factory=dict)
    looked_at: dict[str, bool] = field(default_factory=dict)
    is_complete: bool = True

    @property
    def last(self) -> str:
        """The last table that was looked at."""
        return next(reversed(self.looked_at), "")

    def cut(self, most: int) -> None:
        """Leaves what comes after so many tables that are not plainly fresh."""
        if len(self.tables) <= most:
            return
        places = (i for i, table in enumerate(self.looked_at, 1) if table in self.tables)
        end = next(itertools.islice(places, most - 1, None))
        self.looked_at = dict(itertools.islice(self.looked_at.items(), end))
        self.tables = {table: self.tables[table] for table in self.looked_at if table in self.tables}
        self.is_complete = False

    def count(self) -> None:
        """Counts the tables by verdict."""
        self.counts = Counter(state.kind for state in self.tables.values())
        there = sum(not state.is_missing for state in self.tables.values())
        self.counts["fresh"] += sum(self.looked_at.values()) - there
