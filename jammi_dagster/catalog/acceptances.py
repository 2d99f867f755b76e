"""Acceptances: the rows that one deployment keeps of them (see `contract.acceptance`)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.moves import next_move, storable
from jammi_dagster.catalog.records import Scope, rfc3339
from jammi_dagster.catalog.statements import now_by_database
from jammi_dagster.catalog.writes import own_pointer
from jammi_dagster.contract import Acceptance
from jammi_dagster.errors import NotAcceptable

_acceptances, _pointers = models.acceptances, models.pointers
_ADD = _acceptances.insert()


class AcceptanceRows:
    """The transaction that records the acceptances of one scope."""

    def __init__(self, database: Database, scope: Scope) -> None:
        self._database, self._scope = database, scope

    def add(self, acceptance: Acceptance) -> Acceptance | None:
        """Record an acceptance, and return it with its time; None where the scope has no pointer of its own.

        Raises `NotAcceptable` where the pointer has moved meanwhile.
        """
        with self._database.writing() as connection:
            sequence = next_move(connection)
            pointed = sa.select(_pointers.c.materialization_id).where(
                own_pointer(self._scope, acceptance.table)
            )
            found = connection.execute(pointed).scalar_one_or_none()
            if found is None:
                return None
            if found != acceptance.materialization_id:
                raise NotAcceptable(table=acceptance.table, why="a run has made it anew meanwhile")
            row: dict[str, Any] = {
                "tenant": acceptance.tenant,
                "deployment": acceptance.deployment,
                "table_name": acceptance.table,
                "sequence": sequence,
                "materialization_id": acceptance.materialization_id,
                "from_definition": acceptance.from_definition,
                "to_definition": acceptance.to_definition,
                "anchor_set_key": acceptance.anchor_set,
                "artifact_digest": acceptance.artifact_digest,
                "accepted_by": storable(acceptance.by),
                "accepted_because": storable(acceptance.reason),
                "accepted_at": now_by_database(connection),
                "proof": acceptance.proof,
            }
            connection.execute(_ADD, row)
        return acceptance_of(row)


def acceptance_of(row: Any) -> Acceptance:
    """Return a row, by its columns' names, as a value."""
    return Acceptance(
        table=row["table_name"],
        tenant=row["tenant"],
        deployment=row["deployment"],
        materialization_id=row["materialization_id"],
        from_definition=row["from_definition"],
        to_definition=row["to_definition"],
        anchor_set=row["anchor_set_key"],
        artifact_digest=row["artifact_digest"],
        by=row["accepted_by"],
        reason=row["accepted_because"],
        at=rfc3339(row["accepted_at"]),
        proof=row["proof"],
    )
