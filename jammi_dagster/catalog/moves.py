"""The history of the pointers: a row for each move, added by the transaction that moves (ADR 18).

The statements here run before the pointers are moved: they compare a pointer with the place it is about to have.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.queries import chunks
from jammi_dagster.catalog.records import MoveOutcome, Scope
from jammi_dagster.catalog.statements import CLOCKS, NEXT_MOVE, now_by_database

_m, _pointers, _moves, _outbox = (
    models.materializations,
    models.pointers,
    models.pointer_moves,
    models.outbox,
)
_LONGEST_CAUSE = 500
_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """The reason why pointers move, for their history: the act, its cause in words, and the run."""

    outcome: MoveOutcome
    cause: str | None = None
    run_id: str | None = None

    def values(self) -> dict[str, str | None]:
        """Give the parameters that stand for it."""
        cause = self.cause and storable(self.cause)[:_LONGEST_CAUSE]
        return {"outcome": self.outcome, "cause": cause, "run_id": self.run_id}


def storable(text: str) -> str:
    r"""Escape the characters that no database holds.

    >>> storable("a\0b")
    'a\\0b'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")


def next_move(connection: sa.Connection) -> int:
    """Raise the revision, and issue the sequence of this transaction's moves: larger than of all committed ones."""
    return int(connection.execute(NEXT_MOVE[connection.dialect.name]).scalar_one())


def add_moves_to(
    connection: sa.Connection,
    ids: Sequence[str],
    scope: Scope,
    *,
    sequence: int,
    start_sequence: int,
    mover: Mover,
) -> None:
    """Note that pointers of the scope move to these materializations, except where they stay as they are."""
    place = {"tenant": scope.tenant, "deployment": scope.deployment}
    given = {"sequence": sequence, "start_sequence": start_sequence, "of_ids": ids}
    connection.execute(_to_ids(connection.dialect.name), {**place, **given, **mover.values()})


def add_moves_of(
    connection: sa.Connection,
    pointers: sa.ColumnElement[bool],
    *,
    sequence: int,
    mover: Mover,
    materialization_id: str | None = None,
    start_sequence: int | None = None,
) -> bool:
    """Note that these pointers move to a materialization, or to none; False where all of them are there already.

    They keep their start unless one is given.
    """
    given = {"sequence": sequence, **mover.values()}
    values = {
        **{name: _pointers.c[name] for name in ("tenant", "deployment", "table_name", "start_sequence")},
        **({} if start_sequence is None else {"start_sequence": sa.literal(start_sequence)}),
        "materialization_id": sa.literal(materialization_id, sa.Text),
        "moved_at": CLOCKS[connection.dialect.name],
    }
    moved = _pointers.c.materialization_id.is_distinct_from(materialization_id)
    return (
        connection.execute(_insert(sa.select(*_columns(values)).where(pointers, moved)), given).rowcount > 0
    )


@functools.cache
def _to_ids(dialect: str) -> Any:
    """Build the insert of moves to materializations, for pointers that will move: the rule of `Upserts.pointers`."""
    values = {"table_name": _m.c.table_name, "materialization_id": _m.c.id, "moved_at": CLOCKS[dialect]}
    place = sa.and_(
        _pointers.c.tenant == sa.bindparam("tenant"),
        _pointers.c.deployment == sa.bindparam("deployment"),
        _pointers.c.table_name == _m.c.table_name,
    )
    stays = sa.or_(
        _pointers.c.start_sequence > sa.bindparam("start_sequence"),
        _pointers.c.held_since.is_not(None),
        _pointers.c.materialization_id == _m.c.id,
    )
    moving = sa.or_(_pointers.c.table_name.is_(None), sa.func.coalesce(stays, sa.false()).is_(sa.false()))
    rows = sa.select(*_columns(values)).select_from(_m.outerjoin(_pointers, place))
    return _insert(rows.where(_m.c.id.in_(sa.bindparam("of_ids", expanding=True)), moving))


def _columns(values: dict[str, Any]) -> list[Any]:
    return [
        values.get(column.name, sa.bindparam(column.name, type_=column.type)) for column in _moves.columns
    ]


def _insert(rows: sa.Select[Any]) -> Any:
    return _moves.insert().from_select([column.name for column in _moves.columns], rows)


class MoveRows:
    """The moves of one tenant's pointers, for their upkeep."""

    def __init__(self, database: Database, scope: Scope) -> None:
        self._database, self._tenant = database, scope.tenant

    def prune(self, *, keep_last: int, keep_seconds: float) -> int:
        """Remove moves of each pointer but its last `keep_last`, and those that tell its last `keep_seconds`.

        The last one before that time is kept: it tells where the pointer was then. Only the oldest moves go, a bounded
        number per transaction; give their number. Events of that age that nobody has sent go, too.
        """
        with self._database.writing(durable=False) as connection:
            # a sequence is at least the clock's milliseconds when it was issued
            old = _outbox.c.sequence < int((now_by_database(connection) - keep_seconds) * 1000)
            connection.execute(_outbox.delete().where(_outbox.c.tenant == self._tenant, old))
        pruned = 0
        while doomed := self._doomed(keep_last, keep_seconds):
            for some in chunks(doomed):
                with self._database.writing(durable=False) as connection:
                    connection.execute(_PRUNE, [row._asdict() for row in some])
            pruned += len(doomed)
        return pruned

    def _doomed(self, keep_last: int, keep_seconds: float) -> Sequence[sa.Row[Any]]:
        with self._database.reading() as connection:
            clock = CLOCKS[connection.dialect.name]
            pointer = (_moves.c.deployment, _moves.c.table_name)
            place = sa.func.row_number().over(partition_by=pointer, order_by=_moves.c.sequence.desc())
            # until when a move told where the pointer is; as the clock may go back, no earlier than those before it
            until = sa.func.max(_moves.c.moved_at).over(
                partition_by=pointer, order_by=_moves.c.sequence, rows=(None, 1)
            )
            ranked = (
                sa.select(
                    _moves.c.deployment.label("of_deployment"),
                    _moves.c.table_name.label("of_table"),
                    _moves.c.sequence.label("of_sequence"),
                    place.label("place"),
                    until.label("until"),
                )
                .where(_moves.c.tenant == self._tenant)
                .subquery()
            )
            old = (ranked.c.place > max(keep_last, 1), ranked.c.until <= clock - keep_seconds)
            keys = sa.select(
                sa.literal(self._tenant).label("of_tenant"),
                *(ranked.c[name] for name in ("of_deployment", "of_table", "of_sequence")),
            )
            return connection.execute(keys.where(*old).limit(_AT_ONCE)).all()


_PRUNE = _moves.delete().where(
    _moves.c.tenant == sa.bindparam("of_tenant"),
    _moves.c.deployment == sa.bindparam("of_deployment"),
    _moves.c.table_name == sa.bindparam("of_table"),
    _moves.c.sequence == sa.bindparam("of_sequence"),
)
