"""Rows that adoption adds: of materializations that the root has and the catalog has lost."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from jammi_dagster.catalog import models, statements
from jammi_dagster.catalog.anchor_sets import anchor_sets
from jammi_dagster.catalog.branch_row import ended_since
from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.moves import Mover, lead_to, next_move
from jammi_dagster.catalog.queries import EVER_READY, READY
from jammi_dagster.catalog.records import Scope
from jammi_dagster.catalog.writes import ReadyRow, annotate, compared, ready_columns
from jammi_dagster.contract.anchors import has_unpinned

_m, _state = models.materializations, models.catalog_state
_KEY = ("definition_hash", "anchor_set_id", "writer_profile")
_ALIKE = (
    sa.select(_m.c.start_sequence, _m.c.tenant, _m.c.artifact_digest)
    .where(*(_m.c[name] == sa.bindparam(f"of_{name}") for name in _KEY), _m.c.status == READY)
    .order_by(_m.c.start_sequence)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedRow:
    """A ready row to be added. `is_pointed_at` is False where a later drop took the table's name away."""

    ready: ReadyRow
    tenant: str
    deployment: str
    produced_by: str
    run_id: str | None
    attempt_size: int
    is_pointed_at: bool


class AdoptionRows:
    """The statements of adoption, for the tenants that the rows name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, materialization_ids: Iterable[str]) -> set[str]:
        """Find the ids that have a row, of whatever tenant and status."""
        with self._database.reading() as connection:
            return _known(connection, list(materialization_ids))

    def ready_of_attempts(self, attempts: Sequence[str]) -> Mapping[str, int]:
        """Count the rows of each attempt that were ready at any time."""
        if not attempts:
            return {}
        with self._database.reading() as connection:
            query = sa.select(_m.c.attempt_id, sa.func.count()).where(
                _m.c.attempt_id.in_(attempts), EVER_READY
            )
            return dict(map(tuple, connection.execute(query.group_by(_m.c.attempt_id))))

    def add(self, rows: Sequence[AdoptedRow]) -> list[str]:
        """Add rows, all or none, without those that are known by now; give the ids of the added ones.

        Each deployment's pointer moves to the row of the latest start, unless it was moved by a later one; a pointer
        that moves so says `restored`.
        """
        with self._database.writing() as connection:
            sequence = next_move(connection)
            known = _known(connection, [row.ready.building.materialization_id for row in rows])
            new = [row for row in rows if row.ready.building.materialization_id not in known]
            if not new:
                return []
            latest = max(row.ready.building.start_sequence for row in new)
            ahead = _state.c.start_sequence < latest
            connection.execute(_state.update().where(ahead).values(start_sequence=latest))
            sets = anchor_sets(connection, [row.ready.input_anchors for row in new])
            values = [_values(row, set_id) for row, set_id in zip(new, sets, strict=True)]
            connection.execute(_m.insert(), values)
            _compare(connection, new, values)
            self._beside(connection, new, sequence)
            return [row.ready.building.materialization_id for row in new]

    def _beside(self, connection: sa.Connection, rows: Sequence[AdoptedRow], sequence: int) -> None:
        """Add the rows' annotations, results of runs and pointers."""
        annotate(connection, (row.ready for row in rows))
        in_order = sorted(rows, key=_start)
        results = [
            {**_name(row), "run_id": row.run_id, **_of(row)} for row in in_order if row.run_id is not None
        ]
        if results:
            connection.execute(statements.upserts(connection.dialect.name).earlier_run, results)
        last = {
            (row.tenant, row.deployment, row.ready.building.table): row
            for row in in_order
            if row.is_pointed_at
        }
        ended = ended_since(connection, {row.deployment for row in last.values()})
        for row in last.values():
            if row.ready.building.start_sequence < ended.get(row.deployment, 0):
                continue  # its name went with the branch
            start, ids = row.ready.building.start_sequence, [row.ready.building.materialization_id]
            scope = Scope(tenant=row.tenant, deployment=row.deployment)
            moves = {Mover(outcome="adopted", run_id=row.run_id): ids}
            lead_to(connection, scope, moves, sequence=sequence, start_sequence=start, restored=1)


def _known(connection: sa.Connection, ids: Sequence[str]) -> set[str]:
    return set(connection.execute(sa.select(_m.c.id).where(_m.c.id.in_(ids))).scalars())


def _start(row: AdoptedRow) -> tuple[int, str]:
    return row.ready.building.start_sequence, row.ready.building.materialization_id


def _name(row: AdoptedRow) -> Mapping[str, str]:
    return {"tenant": row.tenant, "table_name": row.ready.building.table}


def _of(row: AdoptedRow) -> Mapping[str, str]:
    return {"materialization_id": row.ready.building.materialization_id}


def _compare(
    connection: sa.Connection, rows: Sequence[AdoptedRow], values: Sequence[Mapping[str, Any]]
) -> None:
    """Note how digests compare with the last earlier ones of the same definition, inputs and writer profile.

    One query for all rows alike: a table that is made again and again has thousands of them.
    """
    alike = defaultdict[tuple[Any, ...], list[AdoptedRow]](list)
    for row, columns in zip(rows, values, strict=True):
        if not has_unpinned(row.ready.input_anchors):
            alike[tuple(columns[name] for name in _KEY)].append(row)
    notes = list[dict[str, str]]()
    for key, group in alike.items():
        of_key = {f"of_{name}": value for name, value in zip(_KEY, key, strict=True)}
        found = connection.execute(_ALIKE, of_key).all()
        for row in group:
            readable = Scope(tenant=row.tenant).readable
            place = bisect_left(found, row.ready.building.start_sequence, key=_first)
            before = (found[i] for i in range(place - 1, -1, -1))
            earlier = next((other for other in before if other.tenant in readable), None)
            if earlier is not None:
                note = compared(row.ready, earlier.artifact_digest)
                notes.append({"of_id": row.ready.building.materialization_id, "reproducibility": note})
    if notes:
        connection.execute(statements.UPDATE, notes)


def _first(row: Sequence[Any]) -> int:
    return int(row[0])


def _values(row: AdoptedRow, set_id: int) -> dict[str, Any]:
    building = row.ready.building
    return {
        **ready_columns(row.ready, set_id),
        "id": building.materialization_id,
        "tenant": row.tenant,
        "deployment": row.deployment,
        "table_name": building.table,
        "artifact_path": building.artifact_path,
        "produced_by": row.produced_by,
        "start_sequence": building.start_sequence,
        "created_at": building.created_at,
        "attempt_id": building.attempt_id,
        "attempt_size": row.attempt_size,
    }
