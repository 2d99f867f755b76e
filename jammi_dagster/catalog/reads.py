"""Queries of the catalog. Nothing here writes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.models import (
    AnchorEdge,
    AnchorSet,
    Annotation,
    Base,
    CatalogState,
    Materialization,
    Pointer,
    RunResult,
)
from jammi_dagster.catalog.records import CurrentRow, MaterializationRecord, Scope
from jammi_dagster.contract import AnchorKind, DerivesFromEdge

_CHUNK = 5_000


def core(model: type[Base]) -> sa.Table:
    """The SQLAlchemy table of a model: statements on it cost a tenth of a session's."""
    return model.__table__  # type: ignore[attr-defined,no-any-return]


_m, _sets, _pointers, _runs = (core(t) for t in (Materialization, AnchorSet, Pointer, RunResult))
_edges = core(AnchorEdge)
_READY: sa.ColumnElement[str] = sa.literal_column("'ready'")
_READABLE: sa.BindParameter[str] = sa.bindparam("readable", expanding=True)
_TABLES: sa.BindParameter[str] = sa.bindparam("tables", expanding=True)
_OWN: sa.BindParameter[str] = sa.bindparam("tenant")
_DEPLOYMENT: sa.BindParameter[str] = sa.bindparam("deployment")

_WITH_ANCHORS = _m.outerjoin(_sets, _m.c.anchor_set_id == _sets.c.id)
_RECORD = sa.select(_m, _sets.c.anchors_json).select_from(_WITH_ANCHORS)
_GET = _RECORD.where(_m.c.id == sa.bindparam("id"), _m.c.tenant.in_(_READABLE))
_HISTORY = _RECORD.where(_m.c.table_name == sa.bindparam("table"), _m.c.tenant.in_(_READABLE)).order_by(
    _m.c.start_sequence.desc(), _m.c.id.desc()
)

_IN_DEPLOYMENT = sa.and_(_pointers.c.tenant.in_(_READABLE), _pointers.c.deployment == _DEPLOYMENT)
_NAMES = sa.select(_pointers.c.table_name).where(_IN_DEPLOYMENT).distinct().order_by(_pointers.c.table_name)
_BEFORE = _NAMES.where(_pointers.c.table_name < sa.bindparam("table")).order_by(None)
_BEFORE = _BEFORE.order_by(_pointers.c.table_name.desc()).limit(sa.bindparam("most"))
_AFTER = _NAMES.where(_pointers.c.table_name > sa.bindparam("table")).limit(sa.bindparam("most"))
# the tenant's own pointer comes last, so that it wins where both it and a global one are there
_CURRENT = (
    sa.select(_m, _sets.c.anchors_json)
    .select_from(_WITH_ANCHORS.join(_pointers, _pointers.c.materialization_id == _m.c.id))
    .where(_IN_DEPLOYMENT, _pointers.c.table_name == sa.bindparam("table"))
    .order_by(_pointers.c.tenant)
)

# of many tables at once the anchors are not read: references need none, and a fan-in's take a millisecond each
_BARE = sa.select(_m, sa.null().label("anchors_json"))
_CURRENT_OF = (
    _BARE.add_columns(_pointers.c.table_name.label("pointed_as"))
    .select_from(_pointers.join(_m, _pointers.c.materialization_id == _m.c.id))
    .where(_IN_DEPLOYMENT, _pointers.c.table_name.in_(_TABLES))
    .order_by(_pointers.c.tenant)
)
_OF_RUN = (
    _BARE.add_columns(_runs.c.table_name.label("pointed_as"))
    .select_from(_runs.join(_m, _runs.c.materialization_id == _m.c.id))
    .where(_runs.c.run_id == sa.bindparam("run_id"), _runs.c.tenant == _OWN, _runs.c.table_name.in_(_TABLES))
)
# what the match's own table resolves to: the tenant's pointer, and where it has none the global one
_RESOLVED = (
    sa.select(_pointers.c.materialization_id)
    .where(_IN_DEPLOYMENT, _pointers.c.table_name == _m.c.table_name)
    .order_by(_pointers.c.tenant.desc())
    .limit(1)
    .scalar_subquery()
)
_IS_CURRENT = sa.case((_m.c.id == _RESOLVED, 1), else_=0)
_MATCHES = _BARE.where(
    _m.c.definition_hash == sa.bindparam("definition"),
    _m.c.anchor_set_id
    == sa.select(_sets.c.id).where(_sets.c.set_key == sa.bindparam("set_key")).scalar_subquery(),
    _m.c.status == sa.literal_column("'ready'"),
    _m.c.tenant.in_(_READABLE),
).order_by(_IS_CURRENT.desc(), _m.c.start_sequence.desc(), _m.c.id.desc())
# a tenant's own table hides the global one of its name
_own = _pointers.alias("own")
_NOT_HIDDEN = sa.or_(
    _pointers.c.tenant == _OWN,
    ~sa.exists(
        sa.select(_own.c.table_name).where(
            _own.c.tenant == _OWN,
            _own.c.deployment == _DEPLOYMENT,
            _own.c.table_name == _pointers.c.table_name,
        )
    ),
)
_POINTED = _pointers.join(_m, _pointers.c.materialization_id == _m.c.id)
_EDGES = (
    sa.select(_edges.c.source, _pointers.c.table_name, _edges.c.kind)
    .select_from(_POINTED.join(_edges, _edges.c.anchor_set_id == _m.c.anchor_set_id))
    .where(_IN_DEPLOYMENT, _NOT_HIDDEN)
    .order_by(_m.c.start_sequence, _m.c.id)
)
# from the few sets that hold the source, not from the many tables
_EDGES_OF = (
    sa.select(_edges.c.source, _pointers.c.table_name, _edges.c.kind)
    .select_from(
        _edges.join(_m, sa.and_(_m.c.anchor_set_id == _edges.c.anchor_set_id, _m.c.status == _READY)).join(
            _pointers,
            sa.and_(_pointers.c.table_name == _m.c.table_name, _pointers.c.materialization_id == _m.c.id),
        )
    )
    .where(_edges.c.source == sa.bindparam("source"), _IN_DEPLOYMENT, _NOT_HIDDEN)
    .order_by(_m.c.start_sequence, _m.c.id)
)
_CURRENT_ROWS = (
    sa.select(
        _pointers.c.table_name,
        _pointers.c.tenant,
        _m.c.definition_hash,
        _sets.c.anchors_json,
        _m.c.anchor_order,
    )
    .select_from(_POINTED.outerjoin(_sets, _m.c.anchor_set_id == _sets.c.id))
    .where(_IN_DEPLOYMENT, _NOT_HIDDEN)
    .order_by(_pointers.c.table_name)
)
_DIGESTS = (
    sa.select(_pointers.c.table_name, _m.c.artifact_digest)
    .select_from(_POINTED)
    .where(_IN_DEPLOYMENT)
    .order_by(_pointers.c.tenant)
)
_annotations, _state = core(Annotation), core(CatalogState)
_ANNOTATION = sa.select(_annotations.c.annotation_json).where(
    _annotations.c.materialization_id == sa.bindparam("id")
)
_STATE = sa.select(_state.c.catalog_id, _state.c.revision)


class CatalogReader:
    """What a scope can see of a catalog. `uri_of` turns an artifact's relative path into its URI."""

    def __init__(self, database: Database, scope: Scope, uri_of: Callable[[str], str]) -> None:
        self._database, self._uri_of = database, uri_of
        self._scope = {"readable": scope.readable, "tenant": scope.tenant, "deployment": scope.deployment}

    def state(self) -> tuple[str, int]:
        """The catalog's id, and its revision, which is raised whenever a row flips or a pointer moves."""
        row = self._rows(_STATE, {})[0]
        return row.catalog_id, row.revision

    def get(self, materialization_id: str) -> MaterializationRecord | None:
        """The materialization with this id, of whatever status."""
        rows = self._rows(_GET, {"id": materialization_id})
        return self._record(rows[0]) if rows else None

    def current(self, table: str) -> MaterializationRecord | None:
        """What the table's name resolves to now, in the scope's deployment."""
        rows = self._rows(_CURRENT, {"table": table})
        return self._record(rows[-1]) if rows else None

    def current_of(self, tables: Iterable[str]) -> dict[str, MaterializationRecord]:
        """The current materialization of each of `tables` that has one. `input_anchors` are not loaded."""
        return self._by_name(_CURRENT_OF, tables, {})

    def of_run(self, run_id: str, tables: Iterable[str]) -> dict[str, MaterializationRecord]:
        """What the run made or reused for each of `tables`. `input_anchors` are not loaded."""
        return self._by_name(_OF_RUN, tables, {"run_id": run_id})

    def tables(self) -> list[str]:
        """The names of all tables of the scope that have a current materialization, sorted."""
        return [row.table_name for row in self._rows(_NAMES, {})]

    def neighbours(self, table: str, *, most: int) -> list[str]:
        """At most `most` names of `tables()` before `table` in sorted order, and as many after it."""
        return [
            row.table_name
            for query in (_BEFORE, _AFTER)
            for row in self._rows(query, {"table": table, "most": most})
        ]

    def history(self, table: str) -> list[MaterializationRecord]:
        """All materializations of the table, of every status and deployment, the latest start first."""
        return [self._record(row) for row in self._rows(_HISTORY, {"table": table})]

    def matches(self, definition: str, set_key: str) -> list[MaterializationRecord]:
        """The ready materializations of exactly this definition and anchor set: the current one, then the newest.

        Their `input_anchors` are not loaded: as a set they are the ones asked for.
        """
        rows = self._rows(_MATCHES, {"definition": definition, "set_key": set_key})
        return [self._record(row) for row in rows]

    def annotation(self, materialization_id: str) -> str | None:
        """The JSON that was recorded beside a materialization, for a reuse to emit again."""
        rows = self._rows(_ANNOTATION, {"id": materialization_id})
        return rows[0].annotation_json if rows else None

    def edges(self, source: str | None = None) -> list[DerivesFromEdge]:
        """Every edge that a current materialization records, or those of `source`; by the start of the derived."""
        query, wanted = (_EDGES, {}) if source is None else (_EDGES_OF, {"source": source})
        return [
            DerivesFromEdge(input=row.source, derived=row.table_name, kind=AnchorKind(row.kind))
            for row in self._rows(query, wanted)
        ]

    def current_rows(self) -> Iterator[CurrentRow]:
        """Every current table with what it recorded, streamed, by name."""
        with self._database.reading() as connection:
            rows = connection.execution_options(yield_per=_CHUNK).execute(_CURRENT_ROWS, self._scope)
            for table, tenant, definition, anchors_json, order in rows:
                yield CurrentRow(
                    table=table,
                    tenant=tenant,
                    definition_hash=definition,
                    anchors_json=anchors_json,
                    anchor_order=order,
                )

    def digests(self) -> dict[str, str]:
        """The artifact digest of every current table."""
        return {row.table_name: row.artifact_digest for row in self._rows(_DIGESTS, {})}

    def for_tenant(self, tenant: str) -> CatalogReader:
        """The reader in whose scope the anchors of a row of `tenant` resolve (DESIGN 2.11)."""
        if tenant == self._scope["tenant"]:
            return self
        scope = Scope(tenant=tenant, deployment=str(self._scope["deployment"]))
        return CatalogReader(self._database, scope, self._uri_of)

    def _by_name(
        self, query: sa.Select[Any], tables: Iterable[str], parameters: Mapping[str, Any]
    ) -> dict[str, MaterializationRecord]:
        found: dict[str, MaterializationRecord] = {}
        for chunk in _chunks(tables):
            for row in self._rows(query, {**parameters, "tables": chunk}):
                found[row.pointed_as] = self._record(row)
        return found

    def _rows(self, query: sa.Select[Any], parameters: Mapping[str, Any]) -> list[sa.Row[Any]]:
        wanted = {**self._scope, **parameters}
        with self._database.reading() as connection:
            return list(connection.execute(query, wanted))

    def _record(self, row: sa.Row[Any]) -> MaterializationRecord:
        return MaterializationRecord(
            materialization_id=row.id,
            table=row.table_name,
            status=row.status,
            tenant=row.tenant,
            deployment=row.deployment,
            artifact_path=row.artifact_path,
            artifact_uri=self._uri_of(row.artifact_path),
            artifact_digest=row.artifact_digest,
            size_bytes=row.size_bytes,
            row_count=row.row_count,
            definition_hash=row.definition_hash,
            compute_seconds=row.compute_seconds,
            reproducibility=row.reproducibility,
            produced_by=row.produced_by,
            start_sequence=row.start_sequence,
            created_at=row.created_at,
            completed_at=row.completed_at,
            anchors_json=row.anchors_json,
            anchor_order=row.anchor_order,
        )


def _chunks(items: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(items)
    while chunk := list(itertools.islice(rest, _CHUNK)):
        yield chunk
