"""The pointers that a scope sees: the one place where a name is resolved by tenant, deployment and parent.

Rules, for statements with the parameters of `Scope.parameters`:

1. Within a deployment a tenant's own table hides the global one of its name; an empty pointer resolves to nothing.
2. A branch reads its parent's tables where it has no pointer of that name: neither a full one nor an empty one, of
   the tenant or global. So the order is: own in the branch, global in the branch, own in the parent, global in the
   parent.
3. A parent is read as it is now, or as its pointers were at one sequence of `pointer_moves`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.records import Reach

_pointers, _moves = models.pointers, models.pointer_moves
_made = models.materializations.alias("made")

Which: TypeAlias = "Callable[[Mapping[str, sa.ColumnElement[Any]]], sa.ColumnElement[bool]]"
"""A condition on the columns of pointers, by name."""

READABLE: sa.BindParameter[str] = sa.bindparam("readable", expanding=True)
OWN: sa.BindParameter[str] = sa.bindparam("tenant")
DEPLOYMENT: sa.BindParameter[str] = sa.bindparam("deployment")
_PARENT: sa.BindParameter[str] = sa.bindparam("parent")
_PARENT_AT: sa.BindParameter[int] = sa.bindparam("parent_at")
# literal, so that the partial indexes over ready rows serve
READY: sa.ColumnElement[str] = sa.literal_column("'ready'")
ANY: sa.Select[Any] = sa.select(sa.literal_column("1"))
# PostgreSQL leaves a subquery with OFFSET where and as it stands
APART: sa.ColumnElement[int] = sa.literal_column("0")


class SeenPointers:
    """The rows of pointers to select from, and the condition under which a scope of this reach sees one."""

    def __init__(self, reach: Reach, *, is_sqlite: bool) -> None:
        self._reach: Reach = reach
        self._is_sqlite = is_sqlite

    def rows(self, which: Which | None = None, *outer: sa.FromClause) -> sa.FromClause:
        """Give the rows to select from, where only those of `which` are asked for; the caller repeats the condition.

        `outer` are the tables of enclosing statements that the condition names. No index over the past of a parent
        serves a condition that stands outside.
        """
        return self._with_past_of_parent(which, outer) if self._reach == "pinned" else _pointers

    def is_seen(
        self, rows: sa.FromClause, *, by_own: bool = False, of_few: bool = False, by_index: bool = True
    ) -> sa.ColumnElement[bool]:
        """Build the test that the scope sees a row; with `by_own` that its own tenant has it.

        With `of_few` it is asked of a few rows, else of all. Without `by_index` no index serves it: else a database
        without statistics begins with all pointers of the deployment, not with the few of a source.
        """
        tenant: sa.ColumnElement[str] = rows.c.tenant if by_index else rows.c.tenant.concat("")
        deployment: sa.ColumnElement[str] = rows.c.deployment if by_index else rows.c.deployment.concat("")
        return sa.and_(
            tenant == OWN if by_own else tenant.in_(READABLE),
            *self._is_near(rows, deployment, of_few=of_few),
            rows.c.materialization_id.is_not(None),
        )

    def own_has(
        self, name: sa.ColumnElement[str], rows: sa.FromClause, *, of_few: bool
    ) -> sa.ColumnElement[bool]:
        """Build the test that the scope's own tenant has this table; for a few names, or for all at once.

        `rows` are the table that has the column `name`.
        """
        own = self.rows(lambda column: column["table_name"] == name, rows) if of_few else self.rows()
        own = own.alias("own")
        return self._has(own, name, self.is_seen(own, by_own=True, of_few=of_few), of_few=of_few)

    def _is_near(
        self, rows: sa.FromClause, deployment: sa.ColumnElement[str], *, of_few: bool
    ) -> list[sa.ColumnElement[bool]]:
        if self._reach == "own":
            return [deployment == DEPLOYMENT]
        if self._reach == "pinned":  # the rows themselves are near
            return []
        uncovered = ~self._is_covered(rows.c.table_name, of_few=of_few)
        return [deployment.in_([DEPLOYMENT, _PARENT]), sa.or_(deployment == DEPLOYMENT, uncovered)]

    def _is_covered(self, name: sa.ColumnElement[str], *, of_few: bool) -> sa.ColumnElement[bool]:
        """Build the test that the branch has a pointer of this name, be it an empty one."""
        branch = _pointers.alias("branch")
        is_own = sa.and_(branch.c.tenant.in_(READABLE), branch.c.deployment == DEPLOYMENT)
        return self._has(branch, name, is_own, of_few=of_few, gathers=True)

    def _has(
        self,
        rows: sa.FromClause,
        name: sa.ColumnElement[str],
        which: sa.ColumnElement[bool],
        *,
        of_few: bool,
        gathers: bool = False,
    ) -> sa.ColumnElement[bool]:
        """Build the test that these rows have a name. Those of all are gathered once, by SQLite or where it `gathers`.

        PostgreSQL without statistics looks each name up, unless it is told to gather them.
        """
        if (self._is_sqlite or gathers) and not of_few:
            return name.in_(sa.select(rows.c.table_name).where(which))
        found = ANY.where(which, rows.c.table_name == name)
        return (found.offset(APART) if of_few else found).exists()

    def _with_past_of_parent(self, which: Which | None, outer: Sequence[sa.FromClause]) -> sa.FromClause:
        """Select the branch's pointers, and those that its parent had at the sequence and the branch does not cover.

        A name that has not moved since is read from the pointers, as of a live parent; the history tells the others.
        """
        of_few = which is not None
        now = {column.name: column for column in _pointers.columns}

        def of_parent(rows: sa.FromClause) -> list[sa.ColumnElement[bool]]:
            covered = self._is_covered(rows.c.table_name, of_few=of_few)
            return [rows.c.tenant.in_(READABLE), rows.c.deployment == _PARENT, ~covered]

        later = _moves.alias("moved")
        since = (later.c.tenant.in_(READABLE), later.c.deployment == _PARENT, later.c.sequence > _PARENT_AT)
        has_moved = functools.partial(self._has, later, which=sa.and_(*since), of_few=of_few)
        own = sa.select(_pointers).where(
            _pointers.c.tenant.in_(READABLE), _pointers.c.deployment == DEPLOYMENT
        )
        if of_few or self._is_sqlite:
            last: sa.FromClause = _moves
            lasting = sa.and_(
                has_moved(_moves.c.table_name), _moves.c.sequence <= _PARENT_AT, ~is_overtaken(_PARENT_AT)
            )
            is_moved = has_moved(_pointers.c.table_name)
        else:
            pairs = sa.select(later.c.tenant, later.c.table_name).where(*since)
            last, lasting = _last_moves(pairs), sa.true()
            is_moved = sa.tuple_(_pointers.c.tenant, _pointers.c.table_name).in_(pairs)
        past = {
            **{column.name: column for column in last.columns if column.name in _pointers.c},
            "made_by_tenant": _made.c.tenant,
            "made_at_sequence": _made.c.start_sequence,
            **{name: _made.c[name] for name in ("definition_hash", "anchor_set_id")},
            **{name: _made.c[name] for name in ("anchor_order", "artifact_digest")},
        }
        still = {name: now[name] for name in past}
        unmoved = sa.select(*_columns(still)).where(*of_parent(_pointers), ~is_moved)
        is_made = sa.and_(last.c.materialization_id == _made.c.id, _made.c.status == READY)
        moved = (
            sa.select(*_columns(past)).select_from(last.join(_made, is_made)).where(*of_parent(last), lasting)
        )
        arms: list[tuple[sa.Select[Any], Mapping[str, sa.ColumnElement[Any]]]] = [
            (own, now),
            (unmoved, now),
            (moved, past),
        ]
        some = [arm if which is None else arm.where(which(columns)) for arm, columns in arms]
        return sa.union_all(*(arm.correlate(*outer) for arm in some)).subquery("seen")


def _last_moves(pairs: sa.Select[Any]) -> sa.FromClause:
    """Select the last moves up to the sequence of the parent's pointers (tenant, name), each looked up by itself."""
    name = pairs.distinct().subquery("name")
    last = (
        sa.select(_moves)
        .where(*(_moves.c[key] == name.c[key] for key in ("tenant", "table_name")))
        .where(_moves.c.deployment == _PARENT, _moves.c.sequence <= _PARENT_AT)
        .order_by(_moves.c.sequence.desc())
        .limit(1)
        .lateral("last")
    )
    return sa.select(last).select_from(name.join(last, sa.true())).subquery("last_move")


def _columns(known: Mapping[str, sa.ColumnElement[Any]]) -> list[Any]:
    """List the columns of a pointer; the unknown ones are NULL."""
    return [
        known.get(column.name, sa.cast(sa.null(), column.type)).label(column.name)
        for column in _pointers.columns
    ]


def is_overtaken(until: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Build the test that a move is not the last one of its pointer up to a sequence."""
    later = _moves.alias("later")
    place = (later.c[name] == _moves.c[name] for name in ("tenant", "table_name", "deployment"))
    return ANY.where(*place, later.c.sequence > _moves.c.sequence, later.c.sequence <= until).exists()
