"""The result of one evaluation: verdicts, counts, and how far it came."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field

from jammi_dagster.adapters.code_location.present import Present
from jammi_dagster.adapters.judgement.observed import Observed
from jammi_dagster.adapters.judgement.table_state import TableState
from jammi_dagster.catalog import Hold
from jammi_dagster.contract import Acceptance
from jammi_dagster.store import ResultStore, StoreIdentity


@dataclass(slots=True)
class Evaluation:
    """The verdicts of one evaluation.

    `tables` holds the tables that are not plainly fresh, `counts` all of them by verdict. `looked_at` names the tables
    that were judged, in order, and tells if each is there. `gone` gives, for tables in the store that nothing here
    makes any more, the reason. Where time ran out, `is_complete` is false: later tables and `gone` are left out.
    `is_from_start` is false where the evaluation went on after an earlier one. `seen` and `looks` are the observations
    that it judged by. `holds` are the tables that are held, whatever the verdict on them, and `accepted` the ones that
    are fresh by an acceptance. `agreed` are, by store, holds ahead of the code that hold nothing any more, since the
    code has the definition that they wait for.
    """

    tables: dict[str, TableState] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    gone: dict[str, str] = field(default_factory=dict)
    looked_at: dict[str, bool] = field(default_factory=dict)
    is_complete: bool = True
    is_from_start: bool = True
    stores: dict[StoreIdentity, ResultStore] = field(default_factory=dict)
    looks: dict[StoreIdentity, Present] = field(default_factory=dict)
    seen: Observed = field(default_factory=Observed)
    holds: dict[str, Hold] = field(default_factory=dict)
    accepted: dict[str, Acceptance] = field(default_factory=dict)
    agreed: dict[StoreIdentity, list[Hold]] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Tell if every table of the assets was judged."""
        return self.is_complete and self.is_from_start

    @property
    def last(self) -> str:
        """Return the last table that was judged."""
        return next(reversed(self.looked_at), "")

    def cut(self, most: int) -> None:
        """Leave out everything after so many tables that are not plainly fresh."""
        if len(self.tables) <= most:
            return
        places = (i for i, table in enumerate(self.looked_at, 1) if table in self.tables)
        end = next(itertools.islice(places, most - 1, None))
        self.looked_at = dict(itertools.islice(self.looked_at.items(), end))
        self.tables = {table: self.tables[table] for table in self.looked_at if table in self.tables}
        self.is_complete = False

    def count(self) -> None:
        """Count the tables by verdict."""
        self.counts = Counter(state.word for state in self.tables.values())
        there = sum(not state.is_missing for state in self.tables.values())
        self.counts["fresh"] += sum(self.looked_at.values()) - there
