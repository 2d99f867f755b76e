"""Holds: a pointer that a rollback has moved stays where it is until it is released, whatever runs make."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.moves import Mover, add_moves_of, next_move, pointing_to, storable
from jammi_dagster.catalog.outbox import tell_moves
from jammi_dagster.catalog.records import Hold, Scope
from jammi_dagster.catalog.statements import HOLD, RAISE_REVISION, now_by_database
from jammi_dagster.catalog.writes import check_ready, own_pointer
from jammi_dagster.contract.wording import with_reason

_pointers = models.pointers


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
            mover = Mover(outcome="rolled_back", cause=with_reason(f"by {by}", reason))
            is_moving = add_moves_of(
                connection,
                mine,
                sequence=start,
                start_sequence=start,
                mover=mover,
                materialization_id=materialization_id,
            )
            if is_moving:
                moved_to = {table: materialization_id}
                tell_moves(connection, self._scope, start, moved_to, why=f"rolled back {mover.cause}")
            pointing = {
                **pointing_to(connection, materialization_id),
                "start_sequence": start,
                "restored": None,
            }
            hold = hold_columns(connection, by=by, reason=reason)
            moved = connection.execute(_pointers.update().where(mine).values(**pointing, **hold))
            return moved.rowcount == 1

    def release(self, table: str) -> bool:
        """Let runs move the table's own pointer again; False where it was not held."""
        with self._database.writing() as connection:
            connection.execute(RAISE_REVISION)
            return connection.execute(self._ended(table)).rowcount == 1

    def release_agreed(self, holds: Iterable[Hold]) -> None:
        """End holds that wait for a definition, all in one transaction: each that still waits for the same one."""
        with self._database.writing() as connection:
            connection.execute(RAISE_REVISION)
            for hold in holds:
                is_same = _pointers.c.held_for_definition == hold.for_definition
                connection.execute(self._ended(hold.table).where(is_same))

    def _ended(self, table: str) -> sa.Update:
        held = sa.and_(own_pointer(self._scope, table), _pointers.c.held_since.is_not(None))
        return _pointers.update().where(held).values(**dict.fromkeys(HOLD))


def hold_columns(
    connection: sa.Connection, *, by: str, reason: str | None, for_definition: str | None = None
) -> dict[str, Any]:
    """Give the columns of a pointer that is held from now on, until a run makes the definition if there is one."""
    because = None if reason is None else storable(reason)
    values = (now_by_database(connection), storable(by), because, for_definition)
    return dict(zip(HOLD, values, strict=True))
