"""The row of a branch: what may begin it, what renews it, and which writes it refuses once it has ended.

Rules:

1. A branch has one parent, and is none itself.
2. A branch that was dropped, or whose time came, begins anew with the next store that writes to it. A write that began
   before the end is refused, and so is any other one of a run that had written there before: whoever ended the branch
   meant those.
3. All instants of a branch's life are sequences of the catalog, in seconds: they compare with the starts of writes,
   whatever the clock does. `created_at` of a branch that began anew is the end of the one before.
"""

from __future__ import annotations

import math

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.records import Scope, rfc3339
from jammi_dagster.catalog.statements import now_by_database, upserts
from jammi_dagster.errors import InvalidDeployment

_deployments, _runs, _m = models.deployments, models.run_results, models.materializations
LIVE = sa.select(_deployments).where(_deployments.c.dropped_at.is_(None))
_NAMES: sa.BindParameter[str] = sa.bindparam("of_names", expanding=True)
_ABOUT = LIVE.where(sa.or_(_deployments.c.name.in_(_NAMES), _deployments.c.parent.in_(_NAMES)))


def instant_of(sequence: int) -> float:
    """Give the instant that stands for a sequence in the row of a branch."""
    return sequence / 1000


def sequence_at(instant: float) -> int:
    """Give the sequence that an instant stands for.

    >>> sequence_at(instant_of(1795827634114))
    1795827634114
    """
    return math.floor(instant * 1000 + 0.001)


def is_branch(scope: Scope, ttl_seconds: float | None) -> bool:
    """Tell if a scope is a branch: one without a parent that has a time to live is a branch over another store."""
    return scope.parent is not None or ttl_seconds is not None


def check_branch(connection: sa.Connection, scope: Scope) -> None:
    """Raise `InvalidDeployment` where the scope's parent cannot be its parent.

    That is where the parent is a branch itself, or the deployment is the parent of a branch, or a
    branch of another parent, and for a parent at a sequence that is yet to come.
    """
    name, parent = scope.deployment, scope.parent
    known = {row.name: row for row in connection.execute(_ABOUT, {"of_names": [name, parent]})}
    own, above = known.get(name), known.get(parent)
    if above is not None and above.name != name and above.parent is not None:
        why = (
            f"its parent {parent} is a branch of {above.parent}, and a branch of a branch is not read through"
        )
        raise InvalidDeployment(deployment=name, why=f"{why}; name parent={above.parent!r}")
    if any(row.parent == name for row in known.values()):
        below = next(row.name for row in known.values() if row.parent == name)
        why = f"it is the parent of branch {below}, so it cannot have a parent itself; drop that branch first"
        raise InvalidDeployment(deployment=name, why=why)
    if own is not None and own.parent != parent:
        found, named = (one or "a parent in another store" for one in (own.parent, parent))
        why = f"it is a branch of {found}, not of {named}"
        raise InvalidDeployment(deployment=name, why=f"{why}; drop_deployment({name!r}) ends it")
    if scope.parent_at is not None:
        last = connection.execute(sa.select(models.catalog_state.c.start_sequence)).scalar_one()
        if scope.parent_at > last:
            why = f"its parent has no sequence {scope.parent_at} yet, the last one is {last}"
            raise InvalidDeployment(deployment=name, why=f"{why}; `store.sequence()` gives that of now")


def check_time(connection: sa.Connection, scope: Scope) -> None:
    """Raise `InvalidDeployment` where a name would end at once: the deployment is a branch whose time has come.

    That is for whoever writes there without giving the branch time.
    """
    row = connection.execute(LIVE.where(_deployments.c.name == scope.deployment)).first()
    if row is not None and row.expires_at is not None and row.expires_at <= now_by_database(connection):
        of = row.parent or "a parent in another store"
        out = "write with its parent= and ttl_days= to go on with it, or end it with expire_deployments()"
        why = f"it is a branch of {of}, whose time came on {_time(row.expires_at)}; {out}"
        raise InvalidDeployment(deployment=scope.deployment, why=why)


def renew_branch(connection: sa.Connection, scope: Scope, ttl_seconds: float | None, *, begun: int) -> None:
    """Note the scope's deployment, if it is a branch, with its parent, and that it lives for so long from now on.

    `begun` is the sequence that it begins with, if it has no row.
    """
    if not is_branch(scope, ttl_seconds):
        return
    now = now_by_database(connection)
    branch = {
        "name": scope.deployment,
        "parent": scope.parent,
        "parent_sequence": scope.parent_at,
        "created_at": instant_of(begun),
        "expires_at": None if ttl_seconds in (None, math.inf) else now + ttl_seconds,
        "dropped_at": None,
    }
    connection.execute(upserts(connection.dialect.name).branch, branch)


def check_goes_on(
    connection: sa.Connection,
    scope: Scope,
    start_sequence: int,
    run_id: str | None,
    *,
    known: set[tuple[str, int]],
) -> None:
    """Raise `InvalidDeployment` for a write to a branch that ended after the write, or its run, had begun there.

    `known` are runs that were looked at before, each with the end that counts: no result from before can come later.
    """
    row = connection.execute(sa.select(_deployments).where(_deployments.c.name == scope.deployment)).first()
    if row is None:
        return
    if row.dropped_at is not None or row.parent != scope.parent:
        check_branch(connection, scope)
    since = sequence_at(row.created_at if row.dropped_at is None else row.dropped_at)
    if start_sequence < since:
        raise _ended(scope, since, "this write began before that")
    if run_id is None or (run_id, since) in known:
        return
    if connection.execute(_wrote_before(scope, run_id, since)).first() is not None:
        raise _ended(scope, since, f"run {run_id} had written there before that")
    known.add((run_id, since))


def ended_since(connection: sa.Connection, deployments: set[str]) -> dict[str, int]:
    """Map those of the deployments that ended at any time, or began as branches, to the sequence of that."""
    query = sa.select(_deployments).where(_deployments.c.name.in_(_NAMES))
    return {
        row.name: sequence_at(row.created_at if row.dropped_at is None else row.dropped_at)
        for row in connection.execute(query, {"of_names": sorted(deployments)})
    }


def _ended(scope: Scope, since: int, why: str) -> InvalidDeployment:
    said = f"the branch was dropped, or its time came, on {_time(instant_of(since))}, and {why}"
    return InvalidDeployment(
        deployment=scope.deployment, why=f"{said}; nothing was recorded; a new run begins it anew"
    )


def _wrote_before(scope: Scope, run_id: str, since: int) -> sa.Select[tuple[str]]:
    return (
        sa.select(_m.c.id)
        .join(_runs, _runs.c.materialization_id == _m.c.id)
        .where(
            _runs.c.run_id == run_id,
            _runs.c.tenant == scope.tenant,
            _m.c.produced_by == run_id,
            _m.c.deployment == scope.deployment,
            _m.c.start_sequence < since,
        )
        .limit(1)
    )


def _time(instant: float) -> str:
    return rfc3339(instant)[:19]
