"""Read leases and pins: nothing collects the materialization of one before it runs out (ADR 22)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.moves import storable
from jammi_dagster.catalog.queries import chunks
from jammi_dagster.catalog.records import Scope, rfc3339
from jammi_dagster.catalog.statements import ARE_READY, RAISE_REVISION, UNMARK, now_by_database

_m, _leases = models.materializations, models.read_leases
# the lock makes a collection that is about to take the row wait, and then see the lease
_WANTED = ARE_READY.with_for_update(key_share=True)
_ADD = _leases.insert()
_RELEASE = _leases.delete().where(
    _leases.c.token.in_(sa.bindparam("of_tokens", expanding=True)),
    _leases.c.tenant == sa.bindparam("of_tenant"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinRecord:
    """A pin as the catalog holds it. `until` is RFC 3339 in UTC, None for a pin without end."""

    pin_id: str
    table: str
    materialization_id: str
    reason: str
    until: str | None


class ReadLeaseRows:
    """The read leases of one scope."""

    def __init__(self, database: Database, scope: Scope) -> None:
        self._database, self._scope = database, scope

    def take(self, token: str, materialization_id: str, *, owner: str, purpose: str, seconds: float) -> bool:
        """Add a lease, without end for infinite seconds; False where the materialization is no longer ready.

        A row that was marked for collection is no longer.
        """
        with self._database.writing(durable=math.isinf(seconds)) as connection:
            if math.isinf(seconds):
                connection.execute(RAISE_REVISION)
            ids = {"of_ids": [materialization_id]}
            row = connection.execute(_WANTED, {**ids, "of_readable": self._scope.readable}).first()
            if row is None:
                return False
            if row.marked_at is not None:
                connection.execute(UNMARK, ids)
            lease = {
                "token": token,
                "materialization_id": materialization_id,
                "tenant": self._scope.tenant,
                "owner": owner,
                "purpose": storable(purpose),
                "expires_at": None if math.isinf(seconds) else now_by_database(connection) + seconds,
            }
            connection.execute(_ADD, lease)
            return True

    def pins(self) -> list[PinRecord]:
        """List the pins of the tenant, those that ran out left out, by table."""
        with self._database.reading() as connection:
            live = sa.or_(_leases.c.expires_at.is_(None), _leases.c.expires_at > now_by_database(connection))
            pins = (
                sa.select(_leases, _m.c.table_name)
                .join(_m, _leases.c.materialization_id == _m.c.id)
                .where(_leases.c.tenant == self._scope.tenant, _leases.c.owner == PINNED, live)
                .order_by(_m.c.table_name, _leases.c.token)
            )
            return [_pin(row) for row in connection.execute(pins)]

    def release(self, tokens: Sequence[str]) -> int:
        """Remove leases of the tenant; give their number."""
        released = 0
        with self._database.writing(durable=False) as connection:
            for some in chunks(tokens):
                mine = {"of_tokens": some, "of_tenant": self._scope.tenant}
                released += connection.execute(_RELEASE, mine).rowcount
        return released


# the owner of leases that outlive the process which took them
PINNED = "pin"


def renew_leases(database: Database, owner: str, *, seconds: float) -> None:
    """Extend all leases of a process."""
    with database.writing(durable=False) as connection:
        expires = now_by_database(connection) + seconds
        connection.execute(_leases.update().where(_leases.c.owner == owner).values(expires_at=expires))


def release_leases(database: Database, owner: str) -> None:
    """Remove all leases of a process."""
    with database.writing(durable=False) as connection:
        connection.execute(_leases.delete().where(_leases.c.owner == owner))


def _pin(row: Any) -> PinRecord:
    return PinRecord(
        pin_id=row.token,
        table=row.table_name,
        materialization_id=row.materialization_id,
        reason=row.purpose,
        until=None if row.expires_at is None else rfc3339(row.expires_at),
    )
