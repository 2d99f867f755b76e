"""Promotions: pointers of one deployment that come to lead where those of another one do, all or none (ADR 24).

The transaction looks at everything again under the lock that orders the writers, so a plan that was made earlier, by
whomever, moves nothing but what it says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.branch_row import check_time
from jammi_dagster.catalog.database import Database, reading_on
from jammi_dagster.catalog.holds import hold_columns
from jammi_dagster.catalog.moves import Mover, lead_to, move_pointers, next_move
from jammi_dagster.catalog.outbox import tell_moves
from jammi_dagster.catalog.queries import chunks
from jammi_dagster.catalog.reads import CatalogReader, hold_of
from jammi_dagster.catalog.records import Hold, MaterializationRecord, Scope, rfc3339
from jammi_dagster.catalog.statements import EMPTIED, HOLD, now_by_database
from jammi_dagster.catalog.writes import check_ready
from jammi_dagster.contract import AnchorKind
from jammi_dagster.contract.wording import counted, with_reason
from jammi_dagster.errors import JammiError, PlanOutdated, PromotionRefused, TableHeld
from jammi_dagster.planning.promotion import PromotedTable, Promotion, PromotionPlan

_pointers, _moves, _promotions = models.pointers, models.pointer_moves, models.promotions
_SEQUENCE = (
    sa.select(sa.func.max(_moves.c.sequence))
    .where(*(_moves.c[name] == _pointers.c[name] for name in ("tenant", "table_name", "deployment")))
    .scalar_subquery()
    .label("sequence")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """A pointer: its materialization, the sequence of its last move, and its hold. All are None where it is none."""

    materialization_id: str | None = None
    sequence: int | None = None
    hold: Hold | None = None

    def __str__(self) -> str:
        """Word the place for people."""
        return f"{self.materialization_id or 'nothing'} (sequence {self.sequence})"


_NO_POINTER = Pointer()


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionFacts:
    """The pointers of some tables in both deployments, and the materializations that are to be promoted, by id.

    `digests` are those of the tables that they were made over, as the target resolves them.
    """

    source: Mapping[str, Pointer]
    target: Mapping[str, Pointer]
    records: Mapping[str, MaterializationRecord]
    digests: Mapping[str, str | None]


class PromotionRows:
    """The pointers of one tenant in two deployments: `source` gives tables, `target` gets them."""

    def __init__(
        self, database: Database, source: Scope, target: Scope, uri_of: Callable[[str], str]
    ) -> None:
        self._database, self._source, self._target, self._uri_of = database, source, target, uri_of

    def pointers(
        self, tables: Collection[str] | None = None
    ) -> tuple[dict[str, Pointer], dict[str, Pointer]]:
        """Read the pointers of both deployments, in one state of the catalog; without `tables` those of all.

        An emptied one is none of the source's.
        """
        with self._database.snapshot() as reading, reading() as connection:
            source = _read(connection, self._source, tables)
            there = {table: one for table, one in source.items() if one.materialization_id is not None}
            return there, _read(connection, self._target, there)

    def facts(self, plan: PromotionPlan) -> PromotionFacts:
        """Read the facts of a plan's tables in one state of the catalog."""
        with self._database.snapshot() as reading, reading() as connection:
            return self._facts(connection, plan)

    def recorded(self) -> list[Promotion]:
        """List the promotions into the target, the latest first."""
        with self._database.reading() as connection:
            return self._recorded(connection, sa.true())

    def promote(self, plan: PromotionPlan, *, by: str, reason: str | None) -> Promotion:
        """Move the pointers of the target under a new start, and hold those that are ahead of its code; all or none.

        Dagster's events go into the outbox, the promotion on record. Raises `PlanOutdated` where a pointer is not as
        planned, `TableHeld` and `PromotionRefused`.
        """
        with self._database.writing() as connection:
            sequence = next_move(connection)
            if plan.undoes is not None:
                self._check_undo(connection, plan, plan.undoes)
            facts = self._facts(connection, plan)
            check_pointers(plan, facts)
            check_holds(plan, facts)
            refuse(plan, faults(plan, facts))
            at = rfc3339(now_by_database(connection))
            promotion = Promotion(sequence=sequence, at=at, by=by, reason=reason, plan=plan)
            check_time(connection, self._target)
            if any(row.moves or row.is_ahead for row in plan.rows):
                self._move(connection, promotion)
            return promotion

    def _facts(self, connection: sa.Connection, plan: PromotionPlan) -> PromotionFacts:
        tables = [row.table for row in plan.rows]
        reader = CatalogReader(self._database, self._target, self._uri_of, reading=reading_on(connection))
        ids = (row.materialization for row in plan.rows if row.materialization is not None)
        records = reader.records(ids, with_anchors=True)
        sources = {anchor.source for record in records.values() for anchor in _results(record)}
        found = reader.current_of(sorted(sources))
        return PromotionFacts(
            source={} if plan.undoes is not None else _read(connection, self._source, tables),
            target=_read(connection, self._target, tables),
            records=records,
            digests={source: one.artifact_digest for source, one in found.items()},
        )

    def _recorded(self, connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[Promotion]:
        of_target = (_promotions.c[name] == value for name, value in self._target.place.items())
        query = sa.select(_promotions.c.promotion_json).where(*of_target, condition)
        found = connection.execute(query.order_by(_promotions.c.sequence.desc())).scalars()
        return [Promotion.from_dict(json.loads(text)) for text in found]

    def _check_undo(self, connection: sa.Connection, plan: PromotionPlan, sequence: int) -> None:
        """Raise `PromotionRefused` unless the plan is the way back of a promotion on record."""
        found = self._recorded(connection, _promotions.c.sequence == sequence)
        if [_back(done.undo()) for done in found] != [_back(plan)]:
            why = f"promotion {sequence} is not on record, or went another way; take its tables back with `rollback`"
            refuse(plan, {row.table: why for row in plan.rows} or {"(none)": why})

    def _move(self, connection: sa.Connection, promotion: Promotion) -> None:
        plan, sequence = promotion.plan, promotion.sequence
        told = f"from {plan.source}" if plan.undoes is None else f"back from promotion {plan.undoes}"
        cause = with_reason(f"{told} by {promotion.by}", promotion.reason)
        mover = Mover(outcome="promoted", cause=cause)
        moving = [row for row in plan.rows if row.moves]
        pairs = [(row.table, row.materialization) for row in moving if row.materialization is not None]
        check_ready(connection, self._target, pairs)
        if plan.undoes is not None:
            self._update(connection, (row.table for row in moving), dict.fromkeys(HOLD))
        moves = {mover: [materialization for _, materialization in pairs]}
        lead_to(connection, self._target, moves, sequence=sequence, start_sequence=sequence)
        for tables in chunks(row.table for row in moving if row.materialization is None):
            mine = _own(self._target, tables)
            move_pointers(connection, mine, EMPTIED, sequence=sequence, start_sequence=sequence, mover=mover)
        self._hold(connection, promotion)
        tell_moves(connection, self._target, sequence, dict(pairs), why=f"promoted {cause}")
        connection.execute(
            _promotions.insert(),
            {**self._target.place, "sequence": sequence, "promotion_json": json.dumps(promotion.to_dict())},
        )

    def _hold(self, connection: sa.Connection, promotion: Promotion) -> None:
        """Hold the tables that are ahead of the target's code, until that has the same definition of them."""
        reason = with_reason("ahead of the code", promotion.reason)
        for row in promotion.plan.rows:
            if row.is_ahead:
                hold = hold_columns(connection, by=promotion.by, reason=reason, for_definition=row.definition)
                self._update(connection, [row.table], hold)

    def _update(self, connection: sa.Connection, tables: Iterable[str], values: Mapping[str, Any]) -> None:
        for some in chunks(tables):
            connection.execute(_pointers.update().where(_own(self._target, some)).values(**values))


def check_pointers(plan: PromotionPlan, facts: PromotionFacts) -> None:
    """Raise `PlanOutdated` for pointers that are not as planned; it names the table and both places."""
    moved = list[str]()
    for row in plan.rows:
        before = Pointer(materialization_id=row.materialization, sequence=row.source_sequence)
        after = Pointer(materialization_id=row.target_materialization, sequence=row.target_sequence)
        pairs = [(plan.target, after, facts.target.get(row.table, _NO_POINTER))]
        if plan.undoes is None:
            pairs.insert(0, (plan.source, before, facts.source.get(row.table, _NO_POINTER)))
        moved += [
            f"table {row.table} in deployment {deployment} is at {now}, not at {planned}"
            for deployment, planned, now in pairs
            if (planned.materialization_id, planned.sequence) != (now.materialization_id, now.sequence)
        ]
    if moved:
        raise PlanOutdated(moved=", ".join(moved))


def check_holds(plan: PromotionPlan, facts: PromotionFacts) -> None:
    """Raise `TableHeld` for a table that is held in the target."""
    for hold in _holds(plan, facts).values():
        raise TableHeld(table=hold.table, deployment=hold.deployment, by=hold.by, since=hold.since)


def faults(plan: PromotionPlan, facts: PromotionFacts) -> dict[str, str]:
    """Map each table that cannot be promoted to the reason and the way out; see `check_pointers` for pointers."""
    found = {
        table: f"it is {hold} in {plan.target}; release it there first"
        for table, hold in _holds(plan, facts).items()
    }
    along = {
        row.table: record.artifact_digest
        for row in plan.rows
        if (record := facts.records.get(str(row.materialization))) is not None
    }
    for row in plan.rows:
        if row.table not in found and row.materialization is not None:
            why = _fault(row, plan, facts, along)
            if why is not None:
                found[row.table] = why
    return found


def refuse(plan: PromotionPlan, refusals: Mapping[str, str]) -> None:
    """Raise `PromotionRefused` where there are any refusals; its message tells the first of them."""
    if not refusals:
        return
    table, why = next(iter(refusals.items()))
    more = f" (and {counted(len(refusals) - 1, 'more table')})" if len(refusals) > 1 else ""
    given = {"table": table, "why": why, "more": more, "refusals": dict(refusals)}
    raise PromotionRefused(source=plan.source, target=plan.target, **given)


def _fault(
    row: PromotedTable, plan: PromotionPlan, facts: PromotionFacts, along: Mapping[str, str | None]
) -> str | None:
    record = facts.records.get(str(row.materialization))
    named = f"materialization {row.materialization}"
    if record is None or record.status != "ready" or record.table != row.table:
        return f"{named} is not ready, or not of this table; {plan.remedy}"
    if record.tenant != plan.tenant:
        owner = f"of tenant {record.tenant}" if record.tenant else "a global one, of no tenant"
        return f"{named} is {owner}; compute the table in {plan.source} with the policy bypass"
    if plan.undoes is not None:
        return None
    try:
        anchors = list(_results(record))
    except JammiError as error:
        return f"the inputs of {named} cannot be read ({error}); {plan.remedy}"
    for anchor in anchors:
        there = along[anchor.source] if anchor.source in along else facts.digests.get(anchor.source)
        if there != anchor.anchor:
            has = "has no such table" if there is None else f"would have {there[:12]}"
            made = f"{named} was made over {anchor.anchor[:12]} of {anchor.source}"
            return f"{made}, and {plan.target} {has}; promote {anchor.source} along, or make the table over that one"
    return None


def _results(record: MaterializationRecord) -> Iterable[Any]:
    return (anchor for anchor in record.input_anchors if anchor.kind is AnchorKind.RESULT_DIGEST)


def _holds(plan: PromotionPlan, facts: PromotionFacts) -> dict[str, Hold]:
    """Map tables to the holds that refuse. An undo takes the holds of its own promotion along."""
    held = {row.table: facts.target.get(row.table, _NO_POINTER).hold for row in plan.rows}
    return {
        table: hold
        for table, hold in held.items()
        if hold is not None and (plan.undoes is None or hold.for_definition is None)
    }


def _back(plan: PromotionPlan) -> tuple[Any, ...]:
    rows = [
        (row.table, row.materialization, row.target_materialization, row.target_sequence) for row in plan.rows
    ]
    return plan.tenant, plan.target, rows


def _read(connection: sa.Connection, scope: Scope, tables: Collection[str] | None) -> dict[str, Pointer]:
    query = sa.select(_pointers, _SEQUENCE).where(
        _pointers.c.tenant == scope.tenant, _pointers.c.deployment == scope.deployment
    )
    some = (
        [query]
        if tables is None
        else [query.where(_pointers.c.table_name.in_(names)) for names in chunks(sorted(tables))]
    )
    return {
        row.table_name: Pointer(
            materialization_id=row.materialization_id,
            sequence=row.sequence,
            hold=None if row.held_since is None else hold_of(row),
        )
        for one in some
        for row in connection.execute(one)
    }


def _own(scope: Scope, tables: Sequence[str]) -> sa.ColumnElement[bool]:
    return sa.and_(
        _pointers.c.tenant == scope.tenant,
        _pointers.c.deployment == scope.deployment,
        _pointers.c.table_name.in_(tables),
    )
