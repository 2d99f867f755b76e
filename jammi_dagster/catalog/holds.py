"""Holds: a pointer that a rollback has moved stays where it is until it is released, whatever runs make."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.moves import Mover, add_moves_of, next_move, storable
from jammi_dagster.catalog.outbox import add_events
from jammi_dagster.catalog.records import Scope
from jammi_dagster.catalog.statements import COPIED, HOLD, RAISE_REVISION, now_by_database
from jammi_dagster.catalog.writes import check_ready, own_pointer

_m, _pointers = models.materializations, models.pointers


class HoldRows:
    """The transactions that hold and release the pointers of one scope."""

    def __init__(self, database: Database, scope: Scope) -> None:
        self._database, self._scope = database, scope

    def roll_back(self, table: str, materialization_id: str, *, by: str, reason: str | None) -> bool:
        """Move the table's own pointer under a new start, and hold it; False where it never had one here.

        Dagster's event for the move goes into the outbox.
        Raises `UnknownTable` for a materialization that is not ready, or not of this table.
        """
        with self._database.writing() as connection:
            start, mine = next_move(connection), own_pointer(self._scope, table)
            check_ready(connection, self._scope, [(table, materialization_id)])
            mover = Mover(outcome="rolled_back", cause=f"by {by}" + (f": {reason}" if reason else ""))
            is_moving = add_moves_of(
                connection,
                mine,
                sequence=start,
                start_sequence=start,
                mover=mover,
                materialization_id=materialization_id,
            )
            if is_moving:
                event = {"materialization": materialization_id, "why": f"rolled back {mover.cause}"}
                add_events(connection, self._scope, start, {table: json.dumps(event)})
            row = connection.execute(sa.select(_m).where(_m.c.id == materialization_id)).one()
            copied: dict[str, Any] = {name: row._mapping[column] for name, column in COPIED.items()}
            hold = dict(
                zip(
                    HOLD,
                    (now_by_database(connection), storable(by), reason and storable(reason)),
                    strict=True,
                )
            )
            moved = connection.execute(
                _pointers.update()
                .where(mine)
                .values(
                    materialization_id=materialization_id,
                    start_sequence=start,
                    restored=None,
                    lost_id=None,
                    **copied,
                    **hold,
                )
            )
            return moved.rowcount == 1

    def release(self, table: str) -> bool:
        """Let runs move the table's own pointer again; False where it was not held."""
        with self._database.writing() as connection:
            connection.execute(RAISE_REVISION)
            held = _pointers.update().where(
                own_pointer(self._scope, table), _pointers.c.held_since.is_not(None)
            )
            return connection.execute(held.values(**dict.fromkeys(HOLD))).rowcount == 1
