"""Undrop: a name that was taken away comes back, under a new start; in a branch the parent's shows again."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.database import Database, reading_on
from jammi_dagster.catalog.moves import Mover, add_move, lead_to, move_pointers, next_move, pointing_to
from jammi_dagster.catalog.outbox import tell_moves
from jammi_dagster.catalog.queries import READY
from jammi_dagster.catalog.reads import CatalogReader
from jammi_dagster.catalog.records import Scope
from jammi_dagster.catalog.writes import check_not_held, check_ready, own_pointer
from jammi_dagster.errors import NotDropped

_m, _pointers, _moves = models.materializations, models.pointers, models.pointer_moves


class UndropRows:
    """The empty pointers of one scope, and the transaction that fills one again."""

    def __init__(self, database: Database, scope: Scope, uri_of: Callable[[str], str]) -> None:
        self._database, self._scope, self._uri_of = database, scope, uri_of

    def before(self, table: str) -> list[str] | None:
        """List the materializations that an empty pointer may resolve to again, the latest move first.

        Give None where there is no empty pointer. Where the history was pruned, ready ones that were made here follow.
        """
        with self._database.reading() as connection:
            if connection.execute(self._empty(table)).first() is None:
                return None
            place = {**self._scope.place, "table_name": table}
            moved = sa.select(_moves.c.materialization_id).where(
                *(_moves.c[name] == value for name, value in place.items()),
                _moves.c.materialization_id.is_not(None),
            )
            made = sa.select(_m.c.id).where(
                *(_m.c[name] == value for name, value in place.items()), _m.c.status == READY
            )
            ids = [
                *connection.execute(moved.order_by(_moves.c.sequence.desc())).scalars(),
                *connection.execute(made.order_by(_m.c.start_sequence.desc())).scalars(),
            ]
            return list(dict.fromkeys(ids))

    def lead_on(self, table: str, materialization_id: str, to: str) -> bool:
        """Move the table's pointer to `to` if it leads to a materialization, or did until that was lost.

        Both have the same bytes: its start and a hold on it stay. Raises `UnknownTable` where `to` is not ready.
        """
        led = (_pointers.c[name] == materialization_id for name in ("materialization_id", "lost_id"))
        mine = sa.and_(own_pointer(self._scope, table), sa.or_(*led))
        mover = Mover(outcome="returned", cause=f"materialization {materialization_id} was restored")
        with self._database.writing() as connection:
            sequence = next_move(connection)
            check_ready(connection, self._scope, [(table, to)])
            again = pointing_to(connection, to)
            return move_pointers(connection, mine, again, sequence=sequence, mover=mover) == 1

    def undrop(
        self, table: str, materialization_id: str | None, *, cause: str, above: str | None = None
    ) -> tuple[str, int]:
        """Fill the table's empty pointer under a new start; give the id that its name resolves to, and the start.

        In a branch the pointer goes, where the parent has the table; `above` is that of a parent in another catalog.
        Raises `NotDropped`, and `TableHeld`.
        """
        with self._database.writing() as connection:
            sequence, mine = next_move(connection), own_pointer(self._scope, table)
            if connection.execute(self._empty(table)).first() is None:
                raise self._not(table, "it is not dropped")
            check_not_held(connection, self._scope, table)
            shown = None
            if self._scope.parent is not None or above is not None:
                connection.execute(_pointers.delete().where(mine))
                shown = above or self._parents(connection, table)
            if shown is not None:
                ended = Mover(outcome="ended", cause=f"undropped {cause}")
                add_move(connection, self._scope, table, sequence=sequence, mover=ended)
            found = shown or materialization_id
            if found is None:
                raise self._not(table, "no materialization of it is intact; make it again")
            if shown is None:
                check_ready(connection, self._scope, [(table, found)])
                moves = {Mover(outcome="undropped", cause=cause): [found]}
                lead_to(connection, self._scope, moves, sequence=sequence, start_sequence=sequence)
            tell_moves(connection, self._scope, sequence, {table: found}, why=f"undropped {cause}")
            return found, sequence

    def _parents(self, connection: sa.Connection, table: str) -> str | None:
        """Give the materialization that shows without a pointer in the branch."""
        reader = CatalogReader(self._database, self._scope, self._uri_of, reading=reading_on(connection))
        shown = reader.current(table)
        return None if shown is None else shown.materialization_id

    def _empty(self, table: str) -> sa.Select[tuple[str]]:
        empty = _pointers.c.materialization_id.is_(None)
        return sa.select(_pointers.c.table_name).where(own_pointer(self._scope, table), empty)

    def _not(self, table: str, why: str) -> NotDropped:
        return NotDropped(table=table, deployment=self._scope.deployment, why=why)
