"""The outbox: events for Dagster that belong to moves outside of a run, kept by the transaction that moves (ADR 18).

A sender claims events, sends them, and removes them. One that dies in between may have sent some: the next sender gets
those with `attempts` above 1, and looks in Dagster's event log for them first. So each is sent once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.records import LEASE_SECONDS, Scope
from jammi_dagster.catalog.statements import CLOCKS, LOCK, now_by_database

_outbox = models.outbox
_ADD = _outbox.insert()
_THIS = sa.and_(
    *(_outbox.c[column.name] == sa.bindparam(f"of_{column.name}") for column in _outbox.primary_key)
)
_CLAIM = _outbox.update().where(_THIS)
_REMOVE = _outbox.delete().where(_THIS)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingEvent:
    """An event to be sent. `sequence` and `table` name it; `attempts` counts the senders that claimed it so far."""

    table: str
    sequence: int
    event_json: str
    attempts: int


def add_events(connection: sa.Connection, scope: Scope, sequence: int, events: Mapping[str, str]) -> None:
    """Keep the event of each table, as JSON, with the moves of this transaction."""
    place = {**scope.place, "sequence": sequence}
    rows = [
        {**place, "table_name": table, "event_json": text, "attempts": 0} for table, text in events.items()
    ]
    if rows:
        connection.execute(_ADD, rows)


def tell_moves(
    connection: sa.Connection, scope: Scope, sequence: int, moved: Mapping[str, str], *, why: str
) -> None:
    """Keep an event for each table that this transaction moves to a materialization outside of a run."""
    events = {table: json.dumps({"materialization": one, "why": why}) for table, one in moved.items()}
    add_events(connection, scope, sequence, events)


class Outbox:
    """The events of one scope that are still to be sent."""

    def __init__(self, database: Database, scope: Scope) -> None:
        self._database, self._scope = database, scope

    def pending(self) -> list[OutgoingEvent]:
        """List the events that no sender has claimed, or whose sender's claim has run out; the oldest first."""
        with self._database.reading() as connection:
            return self._free(connection)

    def claim(
        self, events: Sequence[OutgoingEvent], *, seconds: float = LEASE_SECONDS
    ) -> list[OutgoingEvent]:
        """Take those of the events that are still free, for so long; nobody else gets them meanwhile."""
        if not events:
            return []
        wanted = {(event.sequence, event.table) for event in events}
        with self._database.writing() as connection:
            connection.execute(LOCK)
            free = [event for event in self._free(connection) if (event.sequence, event.table) in wanted]
            claimed = [replace(event, attempts=event.attempts + 1) for event in free]
            until = {"claimed_until": now_by_database(connection) + seconds}
            if claimed:
                connection.execute(
                    _CLAIM, [{**self._key(one), "attempts": one.attempts, **until} for one in claimed]
                )
            return claimed

    def sent(self, events: Sequence[OutgoingEvent]) -> None:
        """Remove events that were sent."""
        if events:
            with self._database.writing() as connection:
                connection.execute(_REMOVE, [self._key(one) for one in events])

    def _free(self, connection: sa.Connection) -> list[OutgoingEvent]:
        query = sa.select(_outbox).where(
            _outbox.c.tenant == self._scope.tenant,
            _outbox.c.deployment == self._scope.deployment,
            sa.func.coalesce(_outbox.c.claimed_until, 0) <= CLOCKS[connection.dialect.name],
        )
        return [
            OutgoingEvent(
                table=row.table_name, sequence=row.sequence, event_json=row.event_json, attempts=row.attempts
            )
            for row in connection.execute(query.order_by(*_outbox.primary_key))
        ]

    def _key(self, event: OutgoingEvent) -> dict[str, object]:
        return {
            "of_tenant": self._scope.tenant,
            "of_deployment": self._scope.deployment,
            "of_sequence": event.sequence,
            "of_table_name": event.table,
        }
