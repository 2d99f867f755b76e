"""One tick: look at every table, decide what to make, and say what was found (docs/adr/0011)."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field

import dagster as dg

from jammi_dagster.adapters.cursor import Cursor
from jammi_dagster.adapters.decision import Decision, Options
from jammi_dagster.adapters.evaluation import Evaluation, Evaluator
from jammi_dagster.adapters.extant import bytes_missing
from jammi_dagster.adapters.location import Location


@dataclass(slots=True)
class Tick:
    """What a tick asks for, what it says, and what the next one is to know."""

    requests: list[dg.RunRequest] = field(default_factory=list)
    said: str = ""
    cursor: Cursor = field(default_factory=Cursor)


class Ticker:
    """Ticks for one sensor. It keeps what it has worked out of a code location for as long as that is loaded."""

    def __init__(self, name: str, options: Options) -> None:
        self.name, self.options = name, options
        self._evaluator: Evaluator | None = None

    def tick(
        self, repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, text: str | None = None
    ) -> Tick:
        """One tick. `text` is the cursor that the last one left."""
        started, now = time.monotonic(), time.time()
        cursor = Cursor.load(text)
        evaluator = self._of(repository, instance)
        assets = evaluator.assets(evaluator.location.select(self.options.target))
        token = evaluator.token(assets)
        is_quiet = evaluator.has_judged and token == cursor.token and (cursor.again_at or now + 1) > now
        gone, cursor.bytes_after = bytes_missing(
            assets, cursor.bytes_after, cursor.bytes_missing, seconds=0.01 if is_quiet else 0.2
        )
        if is_quiet and gone == set(cursor.bytes_missing):
            return Tick(said=f"{cursor.said} Nothing changed since.", cursor=cursor)
        cursor.bytes_missing = sorted(gone)
        found = evaluator.evaluate(
            assets,
            missing=self.options.missing == "materialize",
            deadline=started + self.options.most_seconds,
        )
        if not found.is_complete:
            cursor.token = None
            said = f"Looked at {found.looked_at:,} tables in {self.options.most_seconds:g} s; the next tick goes on."
            return Tick(said=said, cursor=cursor)
        _mark_missing(evaluator, found, gone)
        decision = Decision(self.name, self.options, evaluator, found, cursor, now)
        requests = decision.requests()
        tick = Tick(requests, decision.summary(requests), cursor)
        is_at_rest = not requests and not decision.left_over
        cursor.said, cursor.again_at = tick.said, decision.again_at
        is_still = is_at_rest and evaluator.token(assets) == token  # nothing moved during the tick
        cursor.token = token if is_still else None
        return tick

    def _of(self, repository: dg.RepositoryDefinition, instance: dg.DagsterInstance) -> Evaluator:
        known = self._evaluator
        if known is None or known.location.repository is not repository or not known.location.is_on(instance):
            self._evaluator = known = Evaluator(Location(repository, instance))
        known.location.refresh()
        return known


def _mark_missing(evaluator: Evaluator, found: Evaluation, gone: Collection[str]) -> None:
    """Notes of each table whose bytes are gone that they are, also where its verdict is fresh."""
    for table in gone:
        state = found.tables.get(table) or evaluator.fresh(table)
        if state is not None:
            state.bytes_missing = True
            found.tables[table] = state
