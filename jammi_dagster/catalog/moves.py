"""The history of the pointers: a row for each move, added by the transaction that moves (ADR 18).

The statements here run before the pointers are moved: they compare a pointer with the place it is about to have.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.queries import chunks
from jammi_dagster.catalog.records import MoveOutcome, Scope
from jammi_dagster.catalog.statements import CLOCKS, COPIED, NEXT_MOVE, now_by_database, upserts

_m, _pointers, _moves, _outbox, _deployments = (
    models.materializations,
    models.pointers,
    models.pointer_moves,
    models.outbox,
    models.deployments,
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


def lead_to(
    connection: sa.Connection,
    scope: Scope,
    movers: Mapping[Mover, Sequence[str]],
    *,
    sequence: int,
    start_sequence: int,
    restored: int | None = None,
) -> set[str]:
    """Move pointers of the scope to the materializations of each mover; give the tables whose pointers are there now.

    A pointer that a later start has moved, or that is held, stays.
    """
    move = {**scope.place, "start_sequence": start_sequence}
    for mover, materializations in movers.items():
        noted = {**move, "sequence": sequence, **mover.values()}
        for ids in chunks(materializations):
            _add_moves_to(connection, {**noted, "of_ids": ids})
    moved: set[str] = set()
    for ids in chunks(one for some in movers.values() for one in some):
        given = {**move, "restored": restored, "of_ids": ids}
        moved.update(connection.execute(upserts(connection.dialect.name).pointers, given).scalars())
    return moved


def _add_moves_to(connection: sa.Connection, given: Mapping[str, Any]) -> None:
    """Note that pointers move to materializations, except where they stay as they are."""
    connection.execute(_to_ids(connection.dialect.name), given)


def move_pointers(
    connection: sa.Connection,
    pointers: sa.ColumnElement[bool],
    values: Mapping[str, Any],
    *,
    sequence: int,
    mover: Mover,
    start_sequence: int | None = None,
) -> int:
    """Write these columns into pointers, and note the moves of it; give the number of the pointers.

    They keep their start unless one is given.
    """
    to = values["materialization_id"]
    add_moves_of(
        connection,
        pointers,
        sequence=sequence,
        mover=mover,
        materialization_id=to,
        start_sequence=start_sequence,
    )
    start = {} if start_sequence is None else {"start_sequence": start_sequence}
    return connection.execute(_pointers.update().where(pointers).values(**values, **start)).rowcount


def pointing_to(connection: sa.Connection, materialization_id: str) -> dict[str, Any]:
    """Give the columns of a pointer that leads to a materialization."""
    row = connection.execute(sa.select(*COPIED.values()).where(_m.c.id == materialization_id)).one()
    return {"materialization_id": materialization_id, "lost_id": None, **dict(zip(COPIED, row, strict=True))}


def add_move(connection: sa.Connection, scope: Scope, table: str, *, sequence: int, mover: Mover) -> None:
    """Note that the scope's pointer of a table leads to nothing from now on, whether there is one or not."""
    at = {"sequence": sequence, "start_sequence": sequence, "moved_at": now_by_database(connection)}
    connection.execute(_moves.insert(), {**scope.place, "table_name": table, **at, **mover.values()})


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
        sa.and_(
            _pointers.c.held_since.is_not(None),
            sa.or_(
                _pointers.c.held_for_definition.is_(None),
                _pointers.c.held_for_definition.is_distinct_from(_m.c.definition_hash),
            ),
        ),
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

        The last one before that time is kept: it tells where the pointer was then; so is one that a branch reads at its
        pinned sequence. Only the oldest moves go, a bounded number per transaction; give their number. Events of that
        age that nobody has sent go, too, and promotions and void acceptances.
        """
        pruned = 0
        while doomed := self._doomed(keep_last, keep_seconds):
            for some in chunks(doomed):
                with self._database.writing(durable=False) as connection:
                    connection.execute(_PRUNE, [row._asdict() for row in some])
            pruned += len(doomed)
        if not self._database.is_there:  # looked for above; nothing is made to be tidied
            return pruned
        with self._database.writing(durable=False) as connection:
            # a sequence is at least the clock's milliseconds when it was issued
            before = int((now_by_database(connection) - keep_seconds) * 1000)
            for table in (_outbox, models.promotions, models.acceptances):
                old = table.delete().where(table.c.tenant == self._tenant, table.c.sequence < before)
                connection.execute(old.where(_IS_VOID) if table is models.acceptances else old)
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
            next_move = sa.func.lead(_moves.c.sequence).over(partition_by=pointer, order_by=_moves.c.sequence)
            ranked = (
                sa.select(
                    _moves.c.deployment.label("of_deployment"),
                    _moves.c.table_name.label("of_table"),
                    _moves.c.sequence.label("of_sequence"),
                    place.label("place"),
                    until.label("until"),
                    next_move.label("next_sequence"),
                )
                .where(_moves.c.tenant == self._tenant)
                .subquery()
            )
            old = (ranked.c.place > max(keep_last, 1), ranked.c.until <= clock - keep_seconds)
            keys = sa.select(
                sa.literal(self._tenant).label("of_tenant"),
                *(ranked.c[name] for name in ("of_deployment", "of_table", "of_sequence")),
            )
            is_pinned = sa.exists().where(
                _deployments.c.parent == ranked.c.of_deployment,
                _deployments.c.dropped_at.is_(None),
                _deployments.c.parent_sequence >= ranked.c.of_sequence,
                _deployments.c.parent_sequence < ranked.c.next_sequence,
            )
            return connection.execute(keys.where(*old, ~is_pinned).limit(_AT_ONCE)).all()


# the last move of a pointer is never pruned, so that none comes into force again
_IS_VOID = sa.exists().where(
    *(_moves.c[name] == models.acceptances.c[name] for name in ("tenant", "table_name", "deployment")),
    _moves.c.sequence > models.acceptances.c.sequence,
)
_PRUNE = _moves.delete().where(
    _moves.c.tenant == sa.bindparam("of_tenant"),
    _moves.c.deployment == sa.bindparam("of_deployment"),
    _moves.c.table_name == sa.bindparam("of_table"),
    _moves.c.sequence == sa.bindparam("of_sequence"),
)
