"""The catalog's write transactions: start, begin, finish, fail, point. Each is one transaction.

A transaction that flips a row or moves a pointer raises the catalog's revision first, and so holds the lock on
it to the end: writers take turns, and a reader that saw revision N has seen everything up to N.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from jammi_dagster.catalog import models, statements
from jammi_dagster.catalog.anchor_sets import anchor_sets, recorded_order
from jammi_dagster.catalog.branch_row import check_goes_on, is_branch, renew_branch
from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.moves import Mover, lead_to, move_pointers, next_move
from jammi_dagster.catalog.outbox import add_events
from jammi_dagster.catalog.queries import chunks
from jammi_dagster.catalog.records import Lease, Scope, rfc3339
from jammi_dagster.contract import InputAnchor
from jammi_dagster.contract.anchors import has_unpinned
from jammi_dagster.errors import LeaseLost, TableHeld, UnknownTable

_m, _pointers = models.materializations, models.pointers
FAILED = {"status": "failed", "lease_token": None, "lease_expires_at": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """A computation about to begin: of two equal flights only one should compute."""

    definition_hash: str
    input_anchors: Sequence[InputAnchor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """The owner (run/step) with a live lease who is computing the same, and its table."""

    table: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildingRow:
    """A `building` row: its table, the path its bytes will have, and its start."""

    materialization_id: str
    table: str
    artifact_path: str
    start_sequence: int
    created_at: str
    attempt_id: str | None = None
    flight: Flight | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyRow:
    """The values that the flip writes into a `building` row. A reuse emits `annotation_json` again.

    `cause` says in the pointers' history why the row was made, `answers_json` which materializations its inputs were.
    `is_exact` is False for an object whose bytes may differ where it is equal: they are compared with no earlier ones.
    """

    building: BuildingRow
    definition_hash: str
    input_anchors: Sequence[InputAnchor]
    artifact_digest: str
    size_bytes: int
    row_count: int
    writer_profile: str
    compute_seconds: float | None
    completed_at: str
    annotation_json: str | None
    cause: str | None = None
    is_exact: bool = True
    answers_json: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerMove:
    """The end of a flip or a reuse: did the pointer move, and how do the bytes compare with earlier ones."""

    is_current: bool
    reproducibility: str | None = None


class _Place(NamedTuple):
    """A table's name, the materialization that it is to resolve to, and the start and act that moves it."""

    table: str
    materialization_id: str
    start_sequence: int
    mover: Mover


class CatalogWriter:
    """The write side of a catalog for one scope. Every method raises `CatalogUnavailable` and `CatalogReadOnly`."""

    def __init__(self, database: Database, scope: Scope, ttl_seconds: float | None = None) -> None:
        """Give a branch so long from its last move on; None: until it is dropped."""
        self._database, self._scope, self._ttl_seconds = database, scope, ttl_seconds
        self._goes_on: set[tuple[str, int]] = set()

    def next_start(self) -> int:
        """Issue a number for the start of a step: a later start has a larger one, whatever the clocks say."""
        with self._database.writing(durable=False) as connection:
            return _next_start(connection)

    def lease_run(self, run_id: str) -> None:
        """Give a run a lease from now on, over the values that its steps hand to each other."""
        with self._database.writing(durable=False) as connection:
            lease = statements.upserts(connection.dialect.name).run_lease
            connection.execute(lease, {"run_id": run_id, "tenant": self._scope.tenant})

    def begin(self, rows: Sequence[BuildingRow], *, produced_by: str, lease: Lease) -> Busy | None:
        """Add the rows as `building`, under the lease, all or none.

        Rows of the same tables that the same owner left `building`, in an earlier attempt, are failed. Where a row
        has a flight that another owner is computing under a live lease, nothing is added: that is `Busy`.
        """
        with self._database.writing() as connection:
            connection.execute(statements.LOCK)
            now = statements.now_by_database(connection)
            flights = _flight_keys(connection, rows)
            busy = self._busy(connection, rows, flights, lease.owner, now)
            if busy is not None:
                return busy
            of_owner = {"of_tenant": self._scope.tenant, "of_owner": lease.owner}
            for tables in chunks(row.table for row in rows):
                connection.execute(statements.LEFT_BEHIND, {**of_owner, "of_tables": tables, **FAILED})
            connection.execute(
                statements.ADD,
                [
                    {
                        "id": row.materialization_id,
                        **self._scope.place,
                        "table_name": row.table,
                        "status": "building",
                        "artifact_path": row.artifact_path,
                        "produced_by": produced_by,
                        "start_sequence": row.start_sequence,
                        "created_at": row.created_at,
                        "lease_token": lease.token,
                        "lease_owner": lease.owner,
                        "lease_expires_at": now + lease.seconds,
                        "attempt_id": row.attempt_id,
                        "attempt_size": len(rows),
                        "definition_hash": flights[row.materialization_id][0],
                        "anchor_set_id": flights[row.materialization_id][1],
                    }
                    for row in rows
                ],
            )
        return None

    def renew(self, lease: Lease) -> None:
        """Extend the lease of the rows that are still `building` under it."""
        with self._database.writing(durable=False) as connection:
            expires = statements.now_by_database(connection) + lease.seconds
            connection.execute(statements.LEASED, {**self._of(lease), "lease_expires_at": expires})

    def drop(self, table: str, before_commit: Callable[[int], None]) -> bool:
        """Empty the table's pointer in this deployment; False if it had no materialization.

        A start that was issued before does not bring the name back. `before_commit` gets the start of the drop; if it
        raises, nothing is dropped. Raises `TableHeld`.
        """
        with self._database.writing() as connection:
            start = next_move(connection)
            check_not_held(connection, self._scope, table)
            leads = sa.or_(_pointers.c.materialization_id.is_not(None), _pointers.c.lost_id.is_not(None))
            dropped = move_pointers(
                connection,
                sa.and_(own_pointer(self._scope, table), leads),
                statements.EMPTIED,
                sequence=start,
                start_sequence=start,
                mover=Mover(outcome="dropped"),
            )
            if dropped != 1:
                return False
            before_commit(start)
            return True

    def finish(
        self,
        rows: Sequence[ReadyRow],
        *,
        lease: Lease,
        run_id: str | None,
        moves: bool = True,
        reused: Sequence[tuple[str, str]] = (),
    ) -> list[PointerMove]:
        """Flip the rows to `ready` and move their pointers, all or none. Raises `LeaseLost`.

        The pointer of a table that is held stays; without `moves`, every pointer. `reused` are tables of the same start
        with materializations that become current beside them, as `point` has it; their moves come last.
        """
        with self._database.writing() as connection:
            sequence = next_move(connection)
            self._check_lease(connection, rows, lease)
            sets = anchor_sets(connection, [row.input_anchors for row in rows])
            earlier = self._earlier(connection, rows, sets)
            notes = [_reproducibility(row, earlier) for row in rows]
            flips = [
                {
                    **ready_columns(row, set_id),
                    "of_id": row.building.materialization_id,
                    "reproducibility": note,
                    "lease_token": None,
                    "lease_expires_at": None,
                }
                for row, set_id, note in zip(rows, sets, notes, strict=True)
            ]
            connection.execute(statements.UPDATE, flips)
            annotate(connection, rows)
            places = [
                _Place(
                    row.building.table,
                    row.building.materialization_id,
                    row.building.start_sequence,
                    Mover(outcome="computed", cause=row.cause, run_id=run_id),
                )
                for row in rows
            ]
            if reused:
                check_ready(connection, self._scope, reused)
                start, mover = rows[0].building.start_sequence, Mover(outcome="reused", run_id=run_id)
                places += [_Place(*pair, start, mover) for pair in reused]
            moved = self._point(connection, sequence, places, run_id, moves=moves)
            return [
                PointerMove(is_current=row.building.table in moved, reproducibility=note)
                for row, note in zip(rows, notes, strict=True)
            ] + [PointerMove(is_current=table in moved) for table, _ in reused]

    def fail(self, rows: Sequence[BuildingRow], *, lease: Lease) -> frozenset[str]:
        """Mark the rows that are still ours and `building` as `failed`; give their ids."""
        with self._database.writing(durable=False) as connection:
            ids = [row.materialization_id for row in rows]
            return frozenset(self._leased(connection, ids, lease, FAILED))

    def point(
        self,
        tables: Sequence[tuple[str, str]],
        *,
        start_sequence: int,
        run_id: str | None,
        events: Mapping[str, str] | None = None,
        moves: bool = True,
    ) -> list[PointerMove]:
        """Move the pointer of each (table, materialization id) as a reuse that started at `start_sequence`.

        All or none; the pointer of a table that is held stays. Without `moves` only the run's results are noted.
        `events` (table -> an event for Dagster, as JSON) go into the outbox: see `catalog.outbox`.
        Raises `UnknownTable` for a materialization that is no longer ready, or not the table's.
        """
        with self._database.writing() as connection:
            sequence = next_move(connection)
            check_ready(connection, self._scope, tables)
            mover = Mover(outcome="reused", run_id=run_id)
            places = [_Place(*pair, start_sequence, mover) for pair in tables]
            moved = self._point(connection, sequence, places, run_id, moves=moves)
            add_events(connection, self._scope, sequence, events or {})
            return [PointerMove(is_current=table in moved) for table, _ in tables]

    def _of(self, lease: Lease) -> dict[str, str]:
        """Give the parameters that stand for the rows under the lease."""
        return {"of_tenant": self._scope.tenant, "of_token": lease.token}

    def _leased(
        self, connection: sa.Connection, ids: Sequence[str], lease: Lease, values: Mapping[str, object]
    ) -> Iterator[str]:
        """Write values into those of the rows that are `building` under the lease; give their ids."""
        for some in chunks(ids):
            found = connection.execute(statements.LEASED_ROWS, {**self._of(lease), "of_ids": some, **values})
            yield from found.scalars()

    def _check_lease(self, connection: sa.Connection, rows: Sequence[ReadyRow], lease: Lease) -> None:
        """Lock the rows for this transaction. Raises `LeaseLost` for one that is not `building` under the lease."""
        ids = [row.building.materialization_id for row in rows]
        ours = set(self._leased(connection, ids, lease, {"lease_token": lease.token}))
        for row in rows:
            if row.building.materialization_id not in ours:
                raise LeaseLost(materialization_id=row.building.materialization_id, table=row.building.table)

    def _busy(
        self,
        connection: sa.Connection,
        rows: Sequence[BuildingRow],
        flights: Mapping[str, tuple[str | None, int | None]],
        owner: str,
        now: float,
    ) -> Busy | None:
        wanted = {flights[row.materialization_id]: row.table for row in rows if row.flight is not None}
        if not wanted:
            return None
        others = {"of_tenant": self._scope.tenant, "of_owner": owner, "of_now": now}
        live = connection.execute(statements.LIVE, others)
        taken = {(definition, set_id): other for definition, set_id, other in live}
        return next((Busy(table=wanted[key], owner=taken[key]) for key in wanted if key in taken), None)

    def _earlier(
        self, connection: sa.Connection, rows: Sequence[ReadyRow], sets: Sequence[int]
    ) -> dict[tuple[str, str], str]:
        """Find the last digest of each (definition, profile) over the same inputs (DESIGN 2.14)."""
        by_set: dict[int, set[str]] = {}
        for row, set_id in zip(rows, sets, strict=True):
            if not has_unpinned(row.input_anchors):
                by_set.setdefault(set_id, set()).add(str(row.definition_hash))
        found: dict[tuple[str, str], str] = {}
        for set_id, definitions in by_set.items():
            for some in chunks(sorted(definitions)):
                alike = {
                    "of_definitions": some,
                    "of_anchor_set": set_id,
                    "of_readable": self._scope.readable,
                }
                for definition, profile, digest in connection.execute(statements.EARLIER, alike):
                    found[definition, profile] = digest
        return found

    def _point(
        self,
        connection: sa.Connection,
        sequence: int,
        places: Sequence[_Place],
        run_id: str | None,
        *,
        moves: bool,
    ) -> set[str]:
        """Note the run's results, and move the pointers; give the tables whose pointers are where they were to move."""
        upserts = statements.upserts(connection.dialect.name)
        if run_id is not None:
            results = [
                {
                    "tenant": self._scope.tenant,
                    "table_name": place.table,
                    "materialization_id": place.materialization_id,
                    "run_id": run_id,
                }
                for place in places
            ]
            connection.execute(upserts.run, results)
            connection.execute(upserts.run_lease, {"run_id": run_id, "tenant": self._scope.tenant})
        if moves:
            return self._move(connection, sequence, places, run_id)
        scope = {"of_tenant": self._scope.tenant, "of_deployment": self._scope.deployment}
        there: set[str] = set()
        for ids in chunks(place.materialization_id for place in places):
            there.update(connection.execute(statements.POINTED_AT, {**scope, "of_ids": ids}).scalars())
        return there

    def _move(
        self, connection: sa.Connection, sequence: int, places: Sequence[_Place], run_id: str | None
    ) -> set[str]:
        """Move the pointers unless a later start has moved them, or they are held; give the tables of the moved.

        Raises `InvalidDeployment` where the branch ended meanwhile.
        """
        if is_branch(self._scope, self._ttl_seconds):
            first = min(place.start_sequence for place in places)
            check_goes_on(connection, self._scope, first, run_id, known=self._goes_on)
            renew_branch(connection, self._scope, self._ttl_seconds, begun=first)
        by_start: dict[int, dict[Mover, list[str]]] = {}
        for place in places:
            of_mover = by_start.setdefault(place.start_sequence, {}).setdefault(place.mover, [])
            of_mover.append(place.materialization_id)
        moved: set[str] = set()
        for start, movers in by_start.items():
            moved |= lead_to(connection, self._scope, movers, sequence=sequence, start_sequence=start)
        return moved


def own_pointer(scope: Scope, table: str) -> sa.ColumnElement[bool]:
    """Build the test for the pointer of the table in the scope."""
    return sa.and_(
        _pointers.c.tenant == scope.tenant,
        _pointers.c.deployment == scope.deployment,
        _pointers.c.table_name == table,
    )


def check_ready(connection: sa.Connection, scope: Scope, tables: Sequence[tuple[str, str]]) -> None:
    """Raise `UnknownTable` for a materialization collected or lost since it was found ready, or not the table's.

    One that was marked for collection is no longer.
    """
    ready: dict[str, str] = {}
    marked = list[str]()
    for ids in chunks(materialization for _, materialization in tables):
        wanted = {"of_ids": ids, "of_readable": scope.readable}
        for materialization, table, marked_at in connection.execute(statements.ARE_READY, wanted):
            ready[materialization] = table
            if marked_at is not None:
                marked.append(materialization)
    for ids in chunks(marked):
        connection.execute(statements.UNMARK, {"of_ids": ids})
    for table, materialization in tables:
        if ready.get(materialization) != table:
            gone = f" (materialization {materialization} is not ready, or not of this table)"
            raise UnknownTable(table=table, deployment=scope.deployment, near=gone)


def check_not_held(connection: sa.Connection, scope: Scope, table: str) -> None:
    """Raise `TableHeld` where the table's pointer is held."""
    held = sa.select(_pointers.c.held_by, _pointers.c.held_since).where(
        own_pointer(scope, table), _pointers.c.held_since.is_not(None)
    )
    row = connection.execute(held).first()
    if row is not None:
        since = rfc3339(row.held_since)
        raise TableHeld(table=table, deployment=scope.deployment, by=row.held_by, since=since)


def ready_columns(row: ReadyRow, set_id: int) -> dict[str, object]:
    """Give the columns that a row has from the time it is ready; `set_id` is its anchor set."""
    return {
        "status": "ready",
        "definition_hash": str(row.definition_hash),
        "anchor_set_id": set_id,
        "anchor_order": recorded_order(row.input_anchors),
        "artifact_digest": str(row.artifact_digest),
        "size_bytes": row.size_bytes,
        "row_count": row.row_count,
        "writer_profile": row.writer_profile,
        "compute_seconds": row.compute_seconds,
        "completed_at": row.completed_at,
        "answers_json": row.answers_json,
    }


def annotate(connection: sa.Connection, rows: Iterable[ReadyRow]) -> None:
    """Add the annotations of the rows that have one."""
    annotations = [
        {"materialization_id": row.building.materialization_id, "annotation_json": row.annotation_json}
        for row in rows
        if row.annotation_json is not None
    ]
    if annotations:
        connection.execute(statements.ANNOTATE, annotations)


def compared(row: ReadyRow, earlier_digest: str) -> str:
    """Compare the digest with the last of the same definition, inputs and writer profile (DESIGN 2.14)."""
    return "reproduced" if earlier_digest == row.artifact_digest else "diverged"


def _reproducibility(row: ReadyRow, earlier: Mapping[tuple[str, str], str]) -> str | None:
    digest = earlier.get((str(row.definition_hash), row.writer_profile))
    if digest is None or not row.is_exact or has_unpinned(row.input_anchors):
        return None
    return compared(row, digest)


def _next_start(connection: sa.Connection) -> int:
    return int(connection.execute(statements.NEXT_START[connection.dialect.name]).scalar_one())


def _flight_keys(
    connection: sa.Connection, rows: Sequence[BuildingRow]
) -> dict[str, tuple[str | None, int | None]]:
    """Give definition and anchor set of each row's flight, by id; None for a row without a flight."""
    flights = [(row.materialization_id, row.flight) for row in rows if row.flight is not None]
    sets = anchor_sets(connection, [flight.input_anchors for _, flight in flights])
    keys: dict[str, tuple[str | None, int | None]] = {row.materialization_id: (None, None) for row in rows}
    for (materialization, flight), set_id in zip(flights, sets, strict=True):
        keys[materialization] = str(flight.definition_hash), set_id
    return keys
