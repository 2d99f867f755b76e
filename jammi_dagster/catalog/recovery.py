"""Recovery's statements in the catalog: only in its own tenant, and each change a compare-and-swap."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.models import AnchorEdge, AnchorSet, CatalogState, Materialization, Pointer
from jammi_dagster.catalog.queries import BUILDING, READY, core
from jammi_dagster.catalog.records import Lease, Scope, decode_anchors
from jammi_dagster.catalog.statements import EMPTIED
from jammi_dagster.catalog.writes import now_by_database
from jammi_dagster.errors import InvalidField

_m, _sets, _edges, _state = (core(t) for t in (Materialization, AnchorSet, AnchorEdge, CatalogState))
_pointers = core(Pointer)
_CHUNK = 5_000
_NO_EDGES: tuple[int | None, Iterator[Any]] = (None, iter(()))


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonedRow:
    """A `building` row whose lease has run out."""

    materialization_id: str
    table: str
    deployment: str
    artifact_path: str
    start_sequence: int
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedArtifact:
    """The artifact that a ready row records. `artifact_digest` is None where the row has none."""

    materialization_id: str
    artifact_path: str
    artifact_digest: str | None
    size_bytes: int | None


class RecoveryRows:
    """The rows of one tenant, for recovery."""

    def __init__(self, database: Database, scope: Scope) -> None:
        self._database, self._tenant = database, scope.tenant

    def abandoned(self) -> list[AbandonedRow]:
        """List the `building` rows whose lease has run out by the database's clock."""
        with self._database.reading() as connection:
            rows = connection.execute(
                sa.select(_m).where(
                    _m.c.status == BUILDING,
                    _m.c.tenant == self._tenant,
                    _m.c.lease_expires_at <= now_by_database(connection),
                )
            )
            return [
                AbandonedRow(
                    materialization_id=row.id,
                    table=row.table_name,
                    deployment=row.deployment,
                    artifact_path=row.artifact_path,
                    start_sequence=row.start_sequence,
                    created_at=row.created_at,
                )
                for row in rows
            ]

    def take(self, materialization_id: str, lease: Lease) -> bool:
        """Take an abandoned row over; False where its writer, or another recovery, was quicker."""
        with self._database.writing() as connection:
            now = now_by_database(connection)
            taken = connection.execute(
                _m.update()
                .where(
                    _m.c.id == materialization_id,
                    _m.c.status == BUILDING,
                    _m.c.tenant == self._tenant,
                    _m.c.lease_expires_at <= now,
                )
                .values(
                    lease_token=lease.token, lease_owner=lease.owner, lease_expires_at=now + lease.seconds
                )
            )
            return taken.rowcount == 1

    def ready_with_manifest(self) -> Iterator[RecordedArtifact]:
        """Stream the ready rows that must have a sidecar."""
        query = (
            sa.select(_m.c.id, _m.c.artifact_path, _m.c.artifact_digest, _m.c.size_bytes)
            .where(_m.c.status == READY, _m.c.tenant == self._tenant, _m.c.definition_hash.is_not(None))
            .order_by(_m.c.id)
            .limit(_CHUNK)
        )
        last = ""
        while True:
            with self._database.reading() as connection:
                found = list(connection.execute(query.where(_m.c.id > last)))
            for materialization, path, digest, size in found:
                yield RecordedArtifact(
                    materialization_id=materialization,
                    artifact_path=path,
                    artifact_digest=digest,
                    size_bytes=size,
                )
            if len(found) < _CHUNK:
                return
            last = found[-1].id

    def count_ready(self, materialization_ids: Sequence[str]) -> int:
        """Count the rows among these that are ready at this moment."""
        with self._database.reading() as connection:
            query = sa.select(sa.func.count()).where(
                _m.c.id.in_(materialization_ids), _m.c.status == READY, _m.c.tenant == self._tenant
            )
            return int(connection.execute(query).scalar_one())

    def lose(self, materialization_id: str) -> bool:
        """Fail a ready row whose sidecar is gone; False where it was no longer ready."""
        with self._database.writing() as connection:
            connection.execute(_state.update().values(revision=_state.c.revision + 1))
            lost = connection.execute(
                _m.update()
                .where(_m.c.id == materialization_id, _m.c.status == READY, _m.c.tenant == self._tenant)
                .values(status="failed", lease_expires_at=now_by_database(connection))
            )
            if lost.rowcount == 1:
                pointing = _pointers.c.materialization_id == materialization_id
                connection.execute(_pointers.update().where(pointing).values(**EMPTIED))
            return lost.rowcount == 1

    def named(self, paths: Sequence[str], *, grace_seconds: float) -> set[str]:
        """Find the paths that must stay: artifacts of rows, and the sidecars beside them.

        A `building` or ready row's must, and for the grace period those of one that was ready until then. Rows of other
        tenants count: their objects are not for this one to take.
        """
        ids = {_artifact_of(path).rsplit("/", 1)[-1].removesuffix(".parquet") for path in paths}
        with self._database.reading() as connection:
            since = now_by_database(connection) - grace_seconds
            query = sa.select(_m.c.artifact_path).where(
                _m.c.id.in_(sorted(ids)),
                sa.or_(_m.c.status.in_(("building", "ready")), _m.c.lease_expires_at > since),
            )
            found = set(connection.execute(query).scalars())
        return {path for path in paths if _artifact_of(path) in found}

    def sets_with_wrong_edges(self) -> list[str]:
        """List the keys of the anchor sets that the edge index does not match, without touching it.

        A set that cannot be read is none of them: there is nothing to make its edges from.
        """
        sets = sa.select(_sets).order_by(_sets.c.id)
        edges = sa.select(_edges).order_by(_edges.c.anchor_set_id)
        streamed = {"yield_per": _CHUNK}
        with (
            self._database.snapshot() as reading,
            reading() as connection,
            connection.execute(sets, execution_options=streamed) as all_sets,
            connection.execute(edges, execution_options=streamed) as all_edges,
        ):
            indexed = itertools.groupby(all_edges, key=lambda edge: edge.anchor_set_id)
            of_set, found = next(indexed, _NO_EDGES)
            wrong = []
            for row in all_sets:
                while isinstance(of_set, int) and of_set < row.id:  # a text comes after every number
                    of_set, found = next(indexed, _NO_EDGES)
                there = {(edge.source, edge.kind) for edge in found} if of_set == row.id else set()
                with contextlib.suppress(InvalidField):
                    if there != _edges_of(row.anchors_json, row.set_key):
                        wrong.append(row.set_key)
            return wrong

    def rebuild_edges(self, set_key: str) -> None:
        """Make the edges of a set again from the set itself."""
        with self._database.writing() as connection:
            connection.execute(_state.update().values(revision=_state.c.revision + 1))
            row = connection.execute(sa.select(_sets).where(_sets.c.set_key == set_key)).one()
            connection.execute(_edges.delete().where(_edges.c.anchor_set_id == row.id))
            rows = [
                {"source": source, "anchor_set_id": row.id, "kind": kind}
                for source, kind in sorted(_edges_of(row.anchors_json, set_key))
            ]
            if rows:
                connection.execute(_edges.insert(), rows)


def _edges_of(anchors_json: str, set_key: str) -> set[tuple[str, str]]:
    return {(a.source, a.kind.value) for a in decode_anchors(anchors_json, where=f"anchor set {set_key}")}


def _artifact_of(path: str) -> str:
    """Give the artifact that a path belongs to: a sidecar lies beside it."""
    return path.replace(".materialization.json", ".parquet")
