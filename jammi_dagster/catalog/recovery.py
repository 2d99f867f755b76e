"""Recovery's statements in the catalog: only in its own tenant, and each change a compare-and-swap."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.anchor_sets import anchors_json
from jammi_dagster.catalog.branch_row import ended_since
from jammi_dagster.catalog.collection import COLLECTABLE, COLLECTING, empty_pointers, pages_by_id
from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.moves import Mover, move_pointers, next_move, pointing_to
from jammi_dagster.catalog.queries import BUILDING, EVER_READY, LOST, READY, chunks
from jammi_dagster.catalog.records import Lease, Scope, artifact_of, decode_anchors, id_of
from jammi_dagster.catalog.statements import EMPTIED, RAISE_REVISION, UNMARKED, now_by_database
from jammi_dagster.contract import InputAnchor
from jammi_dagster.errors import InvalidField

_m, _sets, _edges, _pointers = (
    models.materializations,
    models.anchor_sets,
    models.anchor_edges,
    models.pointers,
)
_STREAMED = 5_000
_SOME = 10
_LOST, _RETURNED = "its objects were missing for longer than the grace period", "its objects are whole again"
_NO_EDGES: tuple[int | None, Iterator[Any]] = (None, iter(()))


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonedRow:
    """A `building` row whose lease has run out. The rows of one attempt share `attempt`; there were `attempt_size`."""

    materialization_id: str
    table: str
    deployment: str
    artifact_path: str
    start_sequence: int
    created_at: str
    attempt: str
    attempt_size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedArtifact:
    """The artifact that a row records. `artifact_digest` is None where the row has none.

    `missing_since` is when an object of it was first missed, in seconds by the database's clock.
    """

    materialization_id: str
    artifact_path: str
    artifact_digest: str | None
    size_bytes: int | None
    missing_since: float | None


class RecoveryRows:
    """The rows of one tenant, for recovery."""

    def __init__(self, database: Database, scope: Scope) -> None:
        self._database, self._tenant = database, scope.tenant

    def now(self) -> float:
        """Read the database's clock."""
        with self._database.reading() as connection:
            return now_by_database(connection)

    def abandoned(self) -> list[list[AbandonedRow]]:
        """List the `building` rows whose lease has run out by the database's clock, by attempt."""
        with self._database.reading() as connection:
            query = sa.select(_m).where(
                _m.c.status == BUILDING,
                _m.c.tenant == self._tenant,
                _m.c.lease_expires_at <= now_by_database(connection),
            )
            rows = connection.execute(query.order_by(_m.c.id)).all()
        attempts: dict[str, list[AbandonedRow]] = {}
        for row in rows:
            attempt = row.attempt_id or row.lease_token or row.id
            abandoned = AbandonedRow(
                materialization_id=row.id,
                table=row.table_name,
                deployment=row.deployment,
                artifact_path=row.artifact_path,
                start_sequence=row.start_sequence,
                created_at=row.created_at,
                attempt=attempt,
                attempt_size=row.attempt_size,
            )
            attempts.setdefault(attempt, []).append(abandoned)
        return list(attempts.values())

    def take(self, materialization_ids: Sequence[str], lease: Lease) -> bool:
        """Take abandoned rows over, all or none; False where their writer, or another recovery, was quicker."""
        with contextlib.suppress(_Quicker), self._database.writing() as connection:
            now = now_by_database(connection)
            taken = 0
            for ids in chunks(materialization_ids):
                abandoned = _m.update().where(
                    _m.c.id.in_(ids),
                    _m.c.status == BUILDING,
                    _m.c.tenant == self._tenant,
                    _m.c.lease_expires_at <= now,
                )
                lasting = {"lease_token": lease.token, "lease_owner": lease.owner}
                until = {"lease_expires_at": now + lease.seconds}
                taken += connection.execute(abandoned.values(**lasting, **until)).rowcount
            if taken != len(materialization_ids):
                raise _Quicker
            return True
        return False

    def ready_with_manifest(self) -> Iterator[RecordedArtifact]:
        """Stream the ready rows that must have a sidecar."""
        return self._artifacts(sa.and_(_m.c.status == READY, _m.c.definition_hash.is_not(None)))

    def lost(self) -> Iterator[RecordedArtifact]:
        """Stream the rows that were ready once and were lost."""
        return self._artifacts(LOST)

    def _artifacts(self, condition: sa.ColumnElement[bool]) -> Iterator[RecordedArtifact]:
        columns = (_m.c.id, _m.c.artifact_path, _m.c.artifact_digest, _m.c.size_bytes, _m.c.missing_since)
        query = sa.select(*columns).where(condition, _m.c.tenant == self._tenant)
        for page in pages_by_id(self._database, query):
            for row in page:
                yield RecordedArtifact(
                    materialization_id=row.id,
                    artifact_path=row.artifact_path,
                    artifact_digest=row.artifact_digest,
                    size_bytes=row.size_bytes,
                    missing_since=row.missing_since,
                )

    def count_ready(self, materialization_ids: Sequence[str]) -> int:
        """Count the rows among these that are ready at this moment."""
        with self._database.reading() as connection:
            counts = (
                connection.execute(sa.select(sa.func.count()).where(self._ready(ids))).scalar_one()
                for ids in chunks(materialization_ids)
            )
            return sum(int(count) for count in counts)

    def note_missing(self, materialization_ids: Sequence[str], *, missing: bool) -> None:
        """Note on ready rows since when their objects are missing, or that they are there again."""
        for ids in chunks(materialization_ids):
            with self._database.writing() as connection:
                since = now_by_database(connection) if missing else None
                connection.execute(_m.update().where(self._ready(ids)).values(missing_since=since))

    def lose(self, materialization_id: str) -> bool:
        """Fail a ready row whose objects are gone; False where it was no longer ready.

        A pointer to it resolves to nothing from then on, but remembers the row in case it comes back.
        """
        with self._database.writing() as connection:
            sequence = next_move(connection)
            lost = connection.execute(
                _m.update()
                .where(self._ready([materialization_id]))
                .values(status="failed", lease_expires_at=now_by_database(connection))
            )
            if lost.rowcount == 1:
                pointing = _pointers.c.materialization_id == materialization_id
                emptied = {**EMPTIED, "lost_id": materialization_id}
                mover = Mover(outcome="lost", cause=_LOST)
                move_pointers(connection, pointing, emptied, sequence=sequence, mover=mover)
            return lost.rowcount == 1

    def bring_back(self, materialization_id: str) -> bool:
        """Make a lost row ready again, with the pointers that nothing has moved since; False where it is not lost."""
        with self._database.writing() as connection:
            sequence = next_move(connection)
            back = connection.execute(
                _m.update()
                .where(_m.c.id == materialization_id, LOST, _m.c.tenant == self._tenant)
                .values(status="ready", lease_expires_at=None, missing_since=None, **UNMARKED)
            )
            if back.rowcount == 1:
                row = connection.execute(sa.select(_m).where(_m.c.id == materialization_id)).one()
                # a writer of 0.1 that moves the name knows nothing of `lost_id`, and leaves it
                is_empty = _pointers.c.materialization_id.is_(None)
                waits = sa.and_(_pointers.c.lost_id == materialization_id, is_empty)
                emptied = sa.or_(waits, _emptied_by_loss(row))
                again = pointing_to(connection, materialization_id)
                mover = Mover(outcome="returned", cause=_RETURNED)
                move_pointers(connection, emptied, again, sequence=sequence, mover=mover)
            return back.rowcount == 1

    def stands(self, table: str, deployment: str, start_sequence: int) -> bool:
        """Tell if the table stands as before the drop of that start, which was then never committed."""
        pointed = sa.select(_pointers.c.table_name).where(
            _pointers.c.tenant == self._tenant,
            _pointers.c.deployment == deployment,
            _pointers.c.table_name == table,
            _pointers.c.materialization_id.is_not(None),
            _pointers.c.start_sequence <= start_sequence,
        )
        with self._database.reading() as connection:
            return connection.execute(pointed).first() is not None

    def has_ended(self, deployment: str, start_sequence: int) -> bool:
        """Tell if the deployment is, or was, a branch that ended after this start."""
        with self._database.reading() as connection:
            return start_sequence < ended_since(connection, {deployment}).get(deployment, 0)

    def bury(self, materialization_ids: Sequence[str], *, dry_run: bool = False) -> list[str]:
        """Put rows that their tombstones say were collected back to `collecting`; give the ids of those that were not.

        A catalog that was restored from a backup knows nothing of it. Names do not resolve to them any more.
        """
        alive = sa.select(_m.c.id).where(COLLECTABLE, _m.c.tenant == self._tenant)
        with self._database.reading() as connection:
            of_ids = (alive.where(_m.c.id.in_(ids)) for ids in chunks(materialization_ids))
            buried = [one for query in of_ids for one in connection.execute(query).scalars()]
        if dry_run or not buried:
            return buried
        with self._database.writing() as connection:
            sequence = next_move(connection)
            for ids in chunks(buried):
                connection.execute(_m.update().where(_m.c.id.in_(ids), COLLECTABLE).values(**COLLECTING))
                empty_pointers(connection, ids, sequence)
        return buried

    def _ready(self, ids: Sequence[str]) -> sa.ColumnElement[bool]:
        return sa.and_(_m.c.id.in_(ids), _m.c.status == READY, _m.c.tenant == self._tenant)

    def named(self, paths: Sequence[str]) -> set[str]:
        """Find the paths that must stay: artifacts of rows, and the sidecars beside them.

        A `building` row's must, and those of one that was ready at any time. Rows of other tenants count: their
        objects are not for this one to take.
        """
        ids = set(map(id_of, paths))
        with self._database.reading() as connection:
            query = sa.select(_m.c.artifact_path).where(
                _m.c.id.in_(sorted(ids)), sa.or_(_m.c.status == BUILDING, EVER_READY)
            )
            found = set(connection.execute(query).scalars())
        return {path for path in paths if artifact_of(path) in found}

    def faulty_sets(self) -> tuple[list[str], list[str]]:
        """List the keys of the anchor sets that the edge index does not match, and of those that cannot be read."""
        sets = sa.select(_sets).order_by(_sets.c.id)
        edges = sa.select(_edges).order_by(_edges.c.anchor_set_id)
        streamed = {"yield_per": _STREAMED}
        with (
            self._database.snapshot() as reading,
            reading() as connection,
            connection.execute(sets, execution_options=streamed) as all_sets,
            connection.execute(edges, execution_options=streamed) as all_edges,
        ):
            indexed = itertools.groupby(all_edges, key=lambda edge: edge.anchor_set_id)
            of_set, found = next(indexed, _NO_EDGES)
            wrong, unreadable = list[str](), list[str]()
            for row in all_sets:
                while isinstance(of_set, int) and of_set < row.id:  # a text comes after every number
                    of_set, found = next(indexed, _NO_EDGES)
                there = {(edge.source, edge.kind) for edge in found} if of_set == row.id else set()
                try:
                    if there != _edges_of(row.anchors_json, row.set_key):
                        wrong.append(row.set_key)
                except InvalidField:
                    unreadable.append(row.set_key)
            return wrong, unreadable

    def artifacts_over(self, set_key: str) -> list[str]:
        """List some artifacts whose rows have this anchor set, and whose sidecars say which it is."""
        over = sa.select(_m.c.artifact_path).join(_sets, _sets.c.id == _m.c.anchor_set_id)
        latest = over.where(_sets.c.set_key == set_key, _m.c.status == READY).order_by(_m.c.id.desc())
        with self._database.reading() as connection:
            return list(connection.execute(latest.limit(_SOME)).scalars())

    def restore_set(self, set_key: str, anchors: Sequence[InputAnchor]) -> None:
        """Store the anchors of a set anew."""
        with self._database.writing() as connection:
            anew = _sets.update().where(_sets.c.set_key == set_key)
            connection.execute(anew.values(anchors_json=anchors_json(anchors)))

    def rebuild_edges(self, set_key: str) -> None:
        """Make the edges of a set again from the set itself."""
        with self._database.writing() as connection:
            connection.execute(RAISE_REVISION)
            row = connection.execute(sa.select(_sets).where(_sets.c.set_key == set_key)).one()
            connection.execute(_edges.delete().where(_edges.c.anchor_set_id == row.id))
            rows = [
                {"source": source, "anchor_set_id": row.id, "kind": kind}
                for source, kind in sorted(_edges_of(row.anchors_json, set_key))
            ]
            if rows:
                connection.execute(_edges.insert(), rows)


def _emptied_by_loss(row: sa.Row[Any]) -> sa.ColumnElement[bool]:
    """Build the test for a pointer that 0.1 emptied when it lost the row: a drop would have raised its start."""
    return sa.and_(
        _pointers.c.tenant == row.tenant,
        _pointers.c.deployment == row.deployment,
        _pointers.c.table_name == row.table_name,
        _pointers.c.start_sequence == row.start_sequence,
        _pointers.c.materialization_id.is_(None),
        _pointers.c.lost_id.is_(None),
    )


class _Quicker(Exception):
    """A row that somebody else took first."""


def _edges_of(anchors_json: str, set_key: str) -> set[tuple[str, str]]:
    return {(a.source, a.kind.value) for a in decode_anchors(anchors_json, where=f"anchor set {set_key}")}
