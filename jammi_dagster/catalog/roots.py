"""Roots: the rows that no collection takes, whatever a policy says. All conditions of roots are here (ADR 22).

Each has the parameter `alive`: leases and branches count that run out after it, in seconds by the database's clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.queries import BUILDING
from jammi_dagster.catalog.records import rfc3339
from jammi_dagster.catalog.seen import ANY, is_overtaken

_m, _pointers, _moves = models.materializations, models.pointers, models.pointer_moves
_deployments = models.deployments
_runs, _run_leases, _reads = models.run_results, models.run_leases, models.read_leases
ALIVE: sa.BindParameter[float] = sa.bindparam("alive", type_=sa.Float)


def _has_ended(deployments: sa.FromClause, alive: sa.ColumnElement[float] = ALIVE) -> sa.ColumnElement[bool]:
    """Build the test that a branch keeps nothing alive any more: it was dropped, or its time has come."""
    ends = (deployments.c.dropped_at, deployments.c.expires_at)
    # without the coalesce a branch without end would be neither ended nor not
    return sa.or_(*(sa.func.coalesce(end <= alive, sa.false()) for end in ends))


def is_of_ended(alive: sa.ColumnElement[float] = ALIVE) -> sa.ColumnElement[bool]:
    """Build the test that a pointer is one of a branch whose time has come.

    A drop leaves no pointer: one in a deployment that was dropped came later, and lasts.
    """
    of_branch = (_deployments.c.name == _pointers.c.deployment, _deployments.c.dropped_at.is_(None))
    return ANY.where(*of_branch, _deployments.c.expires_at <= alive).exists()


def _points(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Build the test that a pointer names the row, held or in a deployment that has not ended."""
    return sa.and_(column == _m.c.id, sa.or_(~is_of_ended(), _pointers.c.held_since.is_not(None)))


def _pinned_parents() -> sa.Subquery:
    """Build the moves of parents that branches read at the sequence they are pinned to: the last ones up to it."""
    return (
        sa.select(
            *(_moves.c[name] for name in ("materialization_id", "tenant", "deployment")),
            _deployments.c.name.label("branch"),
            _deployments.c.parent_sequence,
        )
        .join(_deployments, _deployments.c.parent == _moves.c.deployment)
        .where(
            _deployments.c.parent_sequence >= _moves.c.sequence,
            ~_has_ended(_deployments),
            ~is_overtaken(_deployments.c.parent_sequence),
        )
        .subquery("pinned")
    )


def is_live_run() -> sa.ColumnElement[bool]:
    """Build the test that the run of a result has a lease, or a step that computes."""
    building = _m.alias("building")
    leased = ANY.where(_run_leases.c.run_id == _runs.c.run_id, _run_leases.c.expires_at > ALIVE)
    computes = ANY.where(
        building.c.status == BUILDING,
        building.c.produced_by == _runs.c.run_id,
        building.c.lease_expires_at > ALIVE,
    )
    return sa.or_(leased.exists(), computes.exists())


def _is_leased() -> sa.ColumnElement[bool]:
    return sa.or_(_reads.c.expires_at.is_(None), _reads.c.expires_at > ALIVE)


def _pointed(row: Any) -> str:
    held = (
        f", held by {row.held_by} since {rfc3339(row.held_since)[:19]}" if row.held_since is not None else ""
    )
    return f"current in deployment {row.deployment}{held}"


def _awaited(row: Any) -> str:
    return f"lost, and current again in deployment {row.deployment} once its objects are back"


def _read(row: Any) -> str:
    return f"pinned ({row.purpose})" if row.expires_at is None else f"being read ({row.purpose}, {row.owner})"


def _of_branch(row: Any) -> str:
    return f"current in deployment {row.deployment} at sequence {row.parent_sequence}, which branch {row.branch} reads"


def _of_run(row: Any) -> str:
    return f"a result of run {row.run_id}, which has a live lease"


# the kinds of roots: a table whose rows name the materialization, the condition, and its words for such a row
_pinned = _pinned_parents()
ROOTS: dict[str, tuple[sa.FromClause, sa.ColumnElement[bool], Callable[[Any], str]]] = {
    "pointer": (_pointers, _points(_pointers.c.materialization_id), _pointed),
    "awaited": (_pointers, sa.and_(_m.c.status == "failed", _points(_pointers.c.lost_id)), _awaited),
    "parent": (_pinned, _pinned.c.materialization_id == _m.c.id, _of_branch),
    "reader": (_reads, sa.and_(_reads.c.materialization_id == _m.c.id, _is_leased()), _read),
    "run": (_runs, sa.and_(_runs.c.materialization_id == _m.c.id, is_live_run()), _of_run),
}
ROOT = sa.case(
    *(
        (ANY.select_from(table).where(condition).correlate(_m).exists(), sa.literal_column(f"'{kind}'"))
        for kind, (table, condition, _) in ROOTS.items()
    ),
    else_=sa.null(),
)
