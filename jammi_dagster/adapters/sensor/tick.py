"""One tick: observe, judge, gather, decide, request. All queries of a tick are made from here (docs/adr/0011)."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

import dagster as dg

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.adapters.judgement.evaluation import Evaluation
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.judgement.missing_bytes import bytes_missing
from jammi_dagster.adapters.judgement.wording import expectation, reasons
from jammi_dagster.adapters.launching.in_flight import states_of_requests, tables_in_flight
from jammi_dagster.adapters.launching.nodes import makers_of, materializations_of
from jammi_dagster.adapters.launching.outgoing_events import send_events
from jammi_dagster.adapters.launching.run_requests import policies_of, run_request
from jammi_dagster.adapters.sensor.cursor import Cursor, Round
from jammi_dagster.adapters.sensor.groups import Group
from jammi_dagster.adapters.sensor.requests_of_tick import (
    Options,
    Past,
    Request,
    SensorDecision,
    decide,
    due_of,
    waiting_tables,
)
from jammi_dagster.adapters.sensor.summary import LEFT_AS_IT_WAS, UNCHANGED, line, round_after, summary, told
from jammi_dagster.adapters.sensor.surroundings import surroundings_of
from jammi_dagster.catalog import HoldRows
from jammi_dagster.contract.wording import counted
from jammi_dagster.errors import CatalogReadOnly

PROCESS = uuid.uuid4().hex
"""Dagster loads a code location again in a new process."""

_LONGEST_WHY = 120


@dataclass(frozen=True, slots=True)
class Tick:
    """The outcome of a tick: run requests, a text for a person, and the cursor for the next one."""

    requests: list[dg.RunRequest] = field(default_factory=list)
    said: str = ""
    cursor: Cursor = field(default_factory=Cursor)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of the last tick: all of them, and the lines about tables of the round that it left under way.

    `after` is the table after which that round goes on. They live as long as the process: Dagster keeps them in the
    log of each tick, and the cursor holds only numbers.
    """

    said: str = ""
    after: str = ""
    lines: tuple[str, ...] = ()


class Ticker:
    """The ticks of one sensor. It keeps the evaluator of a code location for as long as that is loaded."""

    def __init__(self, name: str, options: Options) -> None:
        self.name, self.options = name, options
        self._words = Words()
        self._evaluator: Evaluator | None = None
        # a tick that Dagster gave up on may still be at work, and a person may try the sensor meanwhile
        self._one_at_a_time = threading.Lock()

    def tick(
        self,
        repository: dg.RepositoryDefinition,
        instance: dg.DagsterInstance,
        text: str | None = None,
        *,
        key_prefix: str = "",
    ) -> Tick:
        """Tick once. `text` is the cursor that the last tick left; run keys begin with `key_prefix`."""
        with self._one_at_a_time:
            cursor = Cursor.load(text).loaded_by(PROCESS)
            return self._tick(self._of(repository, instance), cursor, key_prefix)

    def _tick(self, evaluator: Evaluator, cursor: Cursor, key_prefix: str) -> Tick:
        started, now = time.monotonic(), time.time()
        assets = evaluator.assets(evaluator.location.select(self.options.target))
        for store in {asset.store.identity: asset.store for asset in assets}.values():
            send_events(evaluator, store)
        seen = evaluator.observe(assets)
        is_quiet = seen.token == cursor.token and (cursor.again_at or now + 1) > now
        gone, bytes_after = bytes_missing(
            assets, cursor.bytes_after, cursor.bytes_missing, seconds=0.01 if is_quiet else 0.2
        )
        if is_quiet and gone == set(cursor.bytes_missing):
            return Tick(
                said=f"{self._words.said}\n{UNCHANGED}", cursor=replace(cursor, bytes_after=bytes_after)
            )
        begun = cursor.round
        if not any(begun.after in asset.tables() for asset in assets):  # a new round, or its table is gone
            begun = Round(token=seen.token)
        elif seen.token != begun.token or gone != set(cursor.bytes_missing):
            begun = replace(begun, token=None)
        found = evaluator.evaluate(
            assets,
            missing=self.options.missing == "materialize",
            after=begun.after,
            deadline=started + self.options.most_seconds,
            seen=seen,
        )
        _release_agreed(found)
        _mark_missing(evaluator, found, gone)
        past = _past(evaluator, found, cursor)
        decision = self._decided(evaluator, found, past, now)
        before = self._words.lines if begun.after and begun.after == self._words.after else ()
        if not before:
            begun = replace(begun, told=0)
        groups = told(found, decision, len(before))
        why = {group.first.table: reasons(group.first) for group in groups}
        lines = (*before, *(_line(group, why[group.first.table], decision) for group in groups))
        so_far = round_after(begun, found, decision, sum(len(group.states) for group in groups))
        problems = {key.to_user_string(): why for key, why in evaluator.problems.items()}
        keys = self._keys(evaluator, decision)
        text = summary(so_far, lines, found, decision, problems)
        cursor = replace(
            _after(begun, so_far, found, decision),
            bytes_after=bytes_after,
            bytes_missing=sorted(gone),
            asked=decision.asked_with(keys, now),
            process=PROCESS,
        )
        self._words = Words(text, cursor.round.after, before if decision.has_more else lines)
        requests = _run_requests(decision, keys, key_prefix, lambda request: _why(request, found, why))
        return Tick(requests, text, cursor)

    def _decided(self, evaluator: Evaluator, found: Evaluation, past: Past, now: float) -> SensorDecision:
        due = due_of(found, past, self.options, now)
        waiting = waiting_tables(found, past, due)
        surroundings = surroundings_of(evaluator, found, self.options, due.goals, waiting)
        return decide(found, past, surroundings, self.options, now)

    def _keys(self, evaluator: Evaluator, decision: SensorDecision) -> list[str]:
        tables = [table for request in decision.requests for table in request.run.tables]
        materializations = materializations_of(makers_of(evaluator, tables))
        return [request.key(self.name, materializations) for request in decision.requests]

    def _of(self, repository: dg.RepositoryDefinition, instance: dg.DagsterInstance) -> Evaluator:
        known = self._evaluator
        if known is None or known.location.repository is not repository or not known.location.is_on(instance):
            self._evaluator = known = Evaluator(Location(repository, instance))
        known.location.refresh()
        return known


def _line(group: Group, why: Sequence[str], decision: SensorDecision) -> str:
    return line(group, why, decision, expectation(group.first, why))


def _past(evaluator: Evaluator, found: Evaluation, cursor: Cursor) -> Past:
    """Ask Dagster for runs under way, and for the runs of earlier requests."""
    beyond = (table for table in cursor.asked if table not in found.looked_at)
    location = evaluator.location
    return Past(
        asked=cursor.asked,
        states=states_of_requests(location.instance, {asked.key for asked in cursor.asked.values()}),
        in_flight=tables_in_flight(location),
        made_here={table for table in beyond if evaluator.maker(table) is not None},
    )


def _after(begun: Round, so_far: Round, found: Evaluation, decision: SensorDecision) -> Cursor:
    """Return where the next tick goes on: with these tables if they have more runs, else after them."""
    if decision.has_more:
        return Cursor(round=replace(begun, token=None))
    if not found.is_complete:
        return Cursor(round=so_far)
    return Cursor(token=so_far.token, again_at=so_far.again_at)


def _run_requests(
    decision: SensorDecision, keys: list[str], key_prefix: str, why: Callable[[Request], str]
) -> list[dg.RunRequest]:
    """Return the decided runs as Dagster launches them; a tag says why.

    A table that is made for its own sake follows its own policy: after a revert the store holds its result already.
    """
    return [
        run_request(
            request.run,
            cache=policies_of(request.run, left=request.goals, bypassed=request.bypassed),
            run_key=f"{key_prefix}{key}",
            tags={metadata_keys.REQUEST_TAG: key, metadata_keys.WHY: why(request)},
        )
        for key, request in zip(keys, decision.requests, strict=True)
    ]


def _why(request: Request, found: Evaluation, said: Mapping[str, Sequence[str]]) -> str:
    """Say in short why a run is requested: the first table that is made for its own sake, and its first reason.

    `said` are the reasons that were found already: each takes a read of a sidecar.
    """
    tables = [table for table in (*request.goals, *request.run.tables) if table in found.tables]
    if not tables:
        return "an input is made first"
    why = said.get(tables[0])
    if why is None:
        why = reasons(found.tables[tables[0]])
    first = why[0] if why else LEFT_AS_IT_WAS
    others = len(request.run.tables) - 1
    more = f" (and {counted(others, 'more table')})" if others else ""
    return f"{tables[0]}: {first[:_LONGEST_WHY]}{more}"


def _release_agreed(found: Evaluation) -> None:
    """End the holds of promotions that came before the code, where the code agrees."""
    with contextlib.suppress(CatalogReadOnly):  # they hold nothing back, ended or not
        for identity, holds in found.agreed.items():
            if holds:
                store = found.stores[identity]
                HoldRows(store.database, store.scope).release_agreed(holds)


def _mark_missing(evaluator: Evaluator, found: Evaluation, gone: Set[str]) -> None:
    """Note of each judged table whose bytes are gone that they are, also where it is fresh."""
    lost = found.looked_at.keys() & gone
    found.tables.update(evaluator.fresh(found, lost - found.tables.keys()))
    for table in lost & found.tables.keys():
        found.tables[table].bytes_missing = True
