"""Branches: deployments with a row of their own, which names their parent and the time that they have."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.branch_row import LIVE, check_branch, check_time, instant_of, renew_branch
from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.moves import Mover, add_move, add_moves_of, next_move
from jammi_dagster.catalog.records import Branch, Scope, rfc3339
from jammi_dagster.catalog.statements import CLOCKS, LOCK, now_by_database
from jammi_dagster.catalog.writes import check_not_held, own_pointer
from jammi_dagster.errors import TableHeld

_deployments, _pointers = models.deployments, models.pointers


class BranchRows:
    """The transactions on the branches of a catalog, for one scope; they touch no other deployment's rows."""

    def __init__(self, database: Database, scope: Scope, ttl_seconds: float | None = None) -> None:
        """Give a branch so long from its last move on; None: until it is dropped.

        For a branch over another store, whose scope has no parent, that is infinity: None would be no branch.
        """
        self._database, self._scope, self._ttl_seconds = database, scope, ttl_seconds

    def check(self) -> None:
        """Raise `InvalidDeployment` where the scope's parent cannot be its parent: see `check_branch`."""
        with self._database.reading() as connection:
            check_branch(connection, self._scope)

    def register(self) -> None:
        """Note the scope's deployment as a branch before it writes; each move of its pointers renews its time.

        One that has ended begins anew; moves of writes from before are refused (`check_goes_on`). Raises as
        `check_branch` does.
        """
        with self._database.writing() as connection:
            connection.execute(LOCK)
            own = sa.select(_deployments.c.name).where(_deployments.c.name == self._scope.deployment)
            check_branch(connection, self._scope)
            is_known = connection.execute(own).first() is not None
            begun = 0 if is_known else next_move(connection)
            renew_branch(connection, self._scope, self._ttl_seconds, begun=begun)

    def check_time(self) -> None:
        """Raise `InvalidDeployment` where the scope's deployment is a branch whose time has come."""
        with self._database.reading() as connection:
            check_time(connection, self._scope)

    def sequence(self) -> int:
        """Read the last sequence that was issued: those of all committed moves are up to it, later ones beyond."""
        with self._database.reading() as connection:
            return int(connection.execute(sa.select(models.catalog_state.c.start_sequence)).scalar_one())

    def hide(self, table: str) -> bool:
        """Make an empty pointer of the table, which hides the parent's; False where the branch has a pointer of it."""
        with self._database.writing() as connection:
            start, mine = next_move(connection), own_pointer(self._scope, table)
            if connection.execute(sa.select(_pointers.c.table_name).where(mine)).first() is not None:
                return False
            renew_branch(connection, self._scope, self._ttl_seconds, begun=start)
            empty = {**self._scope.place, "table_name": table, "start_sequence": start}
            connection.execute(_pointers.insert(), empty)
            add_move(connection, self._scope, table, sequence=start, mover=Mover(outcome="dropped"))
            return True

    def listed(self) -> list[Branch]:
        """List the branches in which the tenant has a pointer, and the scope's own, sorted by name."""
        with self._database.reading() as connection:
            seen = sa.select(_pointers.c.deployment).where(_pointers.c.tenant.in_(self._scope.readable))
            is_seen = sa.or_(_deployments.c.name.in_(seen), _deployments.c.name == self._scope.deployment)
            return list(map(_branch, connection.execute(LIVE.where(is_seen).order_by(_deployments.c.name))))

    def find(self, name: str) -> Branch | None:
        """Find a branch by its name, whoever has tables in it: the name was known before."""
        with self._database.reading() as connection:
            row = connection.execute(LIVE.where(_deployments.c.name == name)).first()
            return None if row is None else _branch(row)

    def drop(self, name: str) -> bool:
        """Take the tenant's pointers of a branch away; False for a deployment that is no branch.

        Each of them gets a last move. The row is marked as dropped once no tenant has a pointer in the branch. Raises
        `TableHeld`.
        """
        with self._database.writing() as connection:
            sequence = next_move(connection)
            row = connection.execute(LIVE.where(_deployments.c.name == name)).first()
            return row is not None and self._end(connection, name, sequence, "deployment dropped")

    def expire(self, until: float = math.inf) -> list[str]:
        """Take the tenant's pointers of all branches away whose time has come, and came until then; give their names.

        One in which a table is held stays.
        """
        with self._database.reading() as connection:
            has_come = _deployments.c.expires_at <= CLOCKS[connection.dialect.name]
            due = LIVE.where(has_come, _deployments.c.expires_at <= until)
            names = [row.name for row in connection.execute(due)]
        ended = []
        for name in names:
            with self._database.writing() as connection:
                sequence = next_move(connection)
                again = LIVE.where(_deployments.c.name == name)
                row = connection.execute(
                    again.where(_deployments.c.expires_at <= min(until, now_by_database(connection)))
                ).first()
                with contextlib.suppress(TableHeld):  # before anything is changed
                    if row is not None and self._end(connection, name, sequence, "deployment expired"):
                        ended.append(name)
        return ended

    def _end(self, connection: sa.Connection, name: str, sequence: int, cause: str) -> bool:
        scope = Scope(tenant=self._scope.tenant, deployment=name)
        own = sa.and_(_pointers.c.tenant == scope.tenant, _pointers.c.deployment == name)
        held = connection.execute(
            sa.select(_pointers.c.table_name).where(own, _pointers.c.held_since.is_not(None)).limit(1)
        ).first()
        if held is not None:
            check_not_held(connection, scope, held.table_name)
        add_moves_of(connection, own, sequence=sequence, mover=Mover(outcome="ended", cause=cause))
        connection.execute(_pointers.delete().where(own))
        others = sa.select(_pointers.c.deployment).where(_pointers.c.deployment == name).exists()
        ended = _deployments.update().where(_deployments.c.name == name, ~others)
        connection.execute(ended.values(dropped_at=instant_of(sequence)))
        return True


def _branch(row: sa.Row[Any]) -> Branch:
    return Branch(
        name=row.name,
        parent=row.parent,
        parent_at=row.parent_sequence,
        created_at=rfc3339(row.created_at),
        expires_at=None if row.expires_at is None else rfc3339(row.expires_at),
    )
