"""One tick: look at every table, decide what to make, and say what was found (docs/adr/0011)."""

from __future__ import annotations

import threading
import time
from collections.abc import Set
from dataclasses import dataclass, field

import dagster as dg

from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.adapters.judgement.evaluation import Evaluation
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.judgement.missing_bytes import bytes_missing
from jammi_dagster.adapters.sensor.cursor import Cursor, Round
from jammi_dagster.adapters.sensor.requests_of_tick import Decision, Options


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
        # one that Dagster gave up on may still be at work, and a person may try the sensor meanwhile
        self._one_at_a_time = threading.Lock()

    def tick(
        self, repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, text: str | None = None
    ) -> Tick:
        """One tick. `text` is the cursor that the last one left."""
        with self._one_at_a_time:
            return self._tick(repository, instance, text)

    def _tick(
        self, repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, text: str | None
    ) -> Tick:
        started, now = time.monotonic(), time.time()
        cursor = Cursor.load(text)
        evaluator = self._of(repository, instance)
        assets = evaluator.assets(evaluator.location.select(self.options.target))
        token = evaluator.token(assets)
        is_quiet = token == cursor.token and (cursor.again_at or now + 1) > now
        gone, cursor.bytes_after = bytes_missing(
            assets, cursor.bytes_after, cursor.bytes_missing, seconds=0.01 if is_quiet else 0.2
        )
        if is_quiet and gone == set(cursor.bytes_missing):
            return Tick(said=f"{cursor.said} Nothing changed since.", cursor=cursor)
        cursor.token = None
        if not any(cursor.round.after in asset.tables() for asset in assets):  # a new round, or it is gone
            cursor.round = Round(token=token)
        elif token != cursor.round.token or gone != set(cursor.bytes_missing):
            cursor.round.token = None
        cursor.bytes_missing = sorted(gone)
        found = evaluator.evaluate(
            assets,
            missing=self.options.missing == "materialize",
            after=cursor.round.after,
            deadline=started + self.options.most_seconds,
        )
        _mark_missing(evaluator, found, gone)
        decision = Decision(self.name, self.options, evaluator, found, cursor, now)
        requests = decision.requests()
        so_far = decision.added_to(cursor.round)
        cursor.said = decision.summary(so_far, requests)
        if not found.is_complete:
            cursor.said = (
                f"Looked at {len(found.looked_at):,} tables, the last of them {found.last}; the next tick goes on. "
                f"So far: {cursor.said}"
            )
        if decision.has_more:  # of these tables first
            cursor.round.token = None
        elif not found.is_complete:
            cursor.round = so_far
        else:
            is_still = so_far.token is not None and evaluator.token(assets) == so_far.token
            cursor.token = so_far.token if is_still else None
            cursor.again_at, cursor.round = so_far.again_at, Round()
        return Tick(requests, cursor.said, cursor)

    def _of(self, repository: dg.RepositoryDefinition, instance: dg.DagsterInstance) -> Evaluator:
        known = self._evaluator
        if known is None or known.location.repository is not repository or not known.location.is_on(instance):
            self._evaluator = known = Evaluator(Location(repository, instance))
        known.location.refresh()
        return known


def _mark_missing(evaluator: Evaluator, found: Evaluation, gone: Set[str]) -> None:
    """Notes of each table that was looked at and whose bytes are gone that they are, also where it is fresh."""
    for table in found.looked_at.keys() & gone:
        state = found.tables.get(table) or evaluator.fresh(table)
        if state is not None:
            state.bytes_missing = True
            found.tables[table] = state
