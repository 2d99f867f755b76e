"""The statements of `CatalogReader`, built once: building one costs more than running it.

Parameters: `readable`, `tenant` and `deployment` are the scope's, the others the query's.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import sqlalchemy as sa

from jammi_dagster.catalog import models

_Item = TypeVar("_Item")
# fewer than the parameters that a statement may have
_CHUNK = 5_000


def chunks(values: Iterable[_Item]) -> Iterator[list[_Item]]:
    """Cut values into lists that are short enough for one statement."""
    rest = iter(values)
    while chunk := list(itertools.islice(rest, _CHUNK)):
        yield chunk


_m, _sets, _pointers, _runs = models.materializations, models.anchor_sets, models.pointers, models.run_results
_edges, _annotations, _state = models.anchor_edges, models.annotations, models.catalog_state
_moves = models.pointer_moves

# literal, so that the partial indexes over ready and over building rows serve
READY: sa.ColumnElement[str] = sa.literal_column("'ready'")
BUILDING: sa.ColumnElement[str] = sa.literal_column("'building'")
LOST: sa.ColumnElement[bool] = sa.and_(_m.c.status == "failed", _m.c.completed_at.is_not(None))
WAS_READY: sa.ColumnElement[bool] = sa.or_(_m.c.status == READY, LOST)
_READABLE: sa.BindParameter[str] = sa.bindparam("readable", expanding=True)
_OWN: sa.BindParameter[str] = sa.bindparam("tenant")
_DEPLOYMENT: sa.BindParameter[str] = sa.bindparam("deployment")
_TABLE: sa.BindParameter[str] = sa.bindparam("table")
_TABLES: sa.BindParameter[str] = sa.bindparam("tables", expanding=True)
_IDS: sa.BindParameter[str] = sa.bindparam("ids", expanding=True)

# --- one materialization --------------------------------------------------------------------------------

# the columns of a `MaterializationRecord`, in the order in which `CatalogReader` unpacks them
_COLUMNS = [
    *(_m.c[name] for name in ("id", "table_name", "status", "tenant", "deployment", "artifact_path")),
    *(_m.c[name] for name in ("artifact_digest", "size_bytes", "row_count", "definition_hash")),
    *(_m.c[name] for name in ("anchor_set_id", "compute_seconds", "reproducibility", "produced_by")),
    *(_m.c[name] for name in ("start_sequence", "created_at", "completed_at", "anchor_order")),
]
_RECORD = sa.select(*_COLUMNS, _sets.c.anchors_json)
_WHOLE = _RECORD.select_from(_m.outerjoin(_sets, _m.c.anchor_set_id == _sets.c.id))
GET = _WHOLE.where(_m.c.id == sa.bindparam("id"), _m.c.tenant.in_(_READABLE))
HISTORY = _WHOLE.where(_m.c.table_name == _TABLE, _m.c.tenant.in_(_READABLE)).order_by(
    _m.c.start_sequence.desc(), _m.c.id.desc()
)
MOVES = (
    sa.select(_moves)
    .where(_moves.c.table_name == _TABLE, _moves.c.tenant.in_(_READABLE))
    .order_by(_moves.c.sequence.desc(), _moves.c.tenant.desc(), _moves.c.deployment)
)
_PLACE_OF = (
    _moves.c.table_name == _TABLE,
    _moves.c.tenant == sa.bindparam("of_tenant"),
    _moves.c.deployment == _DEPLOYMENT,
)
_LAST_MOVE = (
    sa.select(_moves).where(*_PLACE_OF).order_by(_moves.c.sequence.desc()).limit(sa.literal_column("1"))
)
LAST_MOVE_OF_START = _LAST_MOVE.where(_moves.c.start_sequence == sa.bindparam("at"))
LAST_MOVE_UP_TO = _LAST_MOVE.where(_moves.c.sequence <= sa.bindparam("at"))
LAST_MOVE_UNTIL = _LAST_MOVE.where(_moves.c.moved_at <= sa.bindparam("at"))
HOLDS = (
    sa.select(
        _pointers.c.table_name,
        *(_pointers.c[name] for name in ("deployment", "materialization_id", "held_by", "held_since")),
        _pointers.c.held_because,
    )
    .where(
        _pointers.c.tenant == _OWN, _pointers.c.deployment == _DEPLOYMENT, _pointers.c.held_since.is_not(None)
    )
    .order_by(_pointers.c.table_name)
)
ANNOTATIONS = (
    sa.select(_m.c.id, _annotations.c.annotation_json)
    .select_from(_annotations.join(_m, _annotations.c.materialization_id == _m.c.id))
    .where(_m.c.id.in_(_IDS), _m.c.tenant.in_(_READABLE))
)
ANNOTATIONS_OF = (
    sa.select(_pointers.c.table_name, _annotations.c.annotation_json)
    .select_from(
        _pointers.outerjoin(_annotations, _pointers.c.materialization_id == _annotations.c.materialization_id)
    )
    .where(
        _pointers.c.tenant.in_(_READABLE),
        _pointers.c.deployment == _DEPLOYMENT,
        _pointers.c.table_name.in_(_TABLES),
    )
    .order_by(_pointers.c.tenant)
)
STATE = sa.select(_state.c.catalog_id, _state.c.revision, _state.c.mark)

# --- the current ones ------------------------------------------------------------------------------------

_POINTED = _pointers.join(_m, sa.and_(_pointers.c.materialization_id == _m.c.id, _m.c.status == READY))
# an empty pointer resolves to nothing
_IN_SCOPE = sa.and_(
    _pointers.c.tenant.in_(_READABLE),
    _pointers.c.deployment == _DEPLOYMENT,
    _pointers.c.materialization_id.is_not(None),
)
# the tenant's own table comes last, so that it wins where both it and a global one are there
_OWN_LAST = _pointers.c.tenant

NAMES = sa.select(_pointers.c.table_name).where(_IN_SCOPE).distinct().order_by(_pointers.c.table_name)
DEPLOYMENTS = (
    sa.select(_pointers.c.deployment)
    .where(_pointers.c.tenant.in_(_READABLE), _pointers.c.materialization_id.is_not(None))
    .distinct()
    .order_by(_pointers.c.deployment)
)
RESTORED = sa.select(_pointers.c.table_name).where(_IN_SCOPE, _pointers.c.restored == 1)
NAMES_BEFORE = (
    NAMES.where(_pointers.c.table_name < _TABLE)
    .order_by(None)
    .order_by(_pointers.c.table_name.desc())
    .limit(sa.bindparam("most"))
)
NAMES_AFTER = NAMES.where(_pointers.c.table_name > _TABLE).limit(sa.bindparam("most"))
CURRENT = (
    _RECORD.select_from(_POINTED.outerjoin(_sets, _m.c.anchor_set_id == _sets.c.id))
    .where(_IN_SCOPE, _pointers.c.table_name == _TABLE)
    .order_by(_OWN_LAST)
)

# of many tables at once the anchors are not read: references need none, and a fan-in's take a millisecond each
_BARE = sa.select(*_COLUMNS, sa.null().label("anchors_json"))
RECORDS = _BARE.where(_m.c.id.in_(_IDS), _m.c.tenant.in_(_READABLE))
CURRENT_OF = (
    _BARE.add_columns(_pointers.c.table_name.label("pointed_as"))
    .select_from(_POINTED)
    .where(_IN_SCOPE, _pointers.c.table_name.in_(_TABLES))
    .order_by(_OWN_LAST)
)
OF_RUN = (
    _BARE.add_columns(_runs.c.table_name.label("pointed_as"))
    .select_from(_runs.join(_m, sa.and_(_runs.c.materialization_id == _m.c.id, _m.c.status == READY)))
    .where(_runs.c.run_id == sa.bindparam("run_id"), _runs.c.tenant == _OWN, _runs.c.table_name.in_(_TABLES))
)

# --- the probe ------------------------------------------------------------------------------------------

# the current materialization of the match's own table: the tenant's pointer, and where it has none the global one
_RESOLVED = (
    sa.select(_pointers.c.materialization_id)
    .where(_IN_SCOPE, _pointers.c.table_name == _m.c.table_name)
    .order_by(_pointers.c.tenant.desc())
    .limit(1)
    .scalar_subquery()
)
_IS_CURRENT = sa.case((_m.c.id == _RESOLVED, 1), else_=0)
_OVER_INPUTS = sa.and_(
    _m.c.anchor_set_id
    == sa.select(_sets.c.id).where(_sets.c.set_key == sa.bindparam("set_key")).scalar_subquery(),
    _m.c.status == READY,
    _m.c.tenant.in_(_READABLE),
)
_BEST_FIRST = (_IS_CURRENT.desc(), _m.c.start_sequence.desc(), _m.c.id.desc())
MATCHES = _BARE.where(_m.c.definition_hash == sa.bindparam("definition"), _OVER_INPUTS).order_by(*_BEST_FIRST)
BEST_MATCH = MATCHES.limit(sa.literal_column("1"))
_place = (
    sa.func.row_number()
    .over(partition_by=(_m.c.definition_hash, _m.c.anchor_set_id), order_by=_BEST_FIRST)
    .label("place")
)
# only the index by definition serves: many tables have the same tenant, and the same anchor set, such as none
_ranked = (
    _BARE.add_columns(_sets.c.set_key, _place)
    .select_from(_m.join(_sets, _m.c.anchor_set_id + 0 == _sets.c.id))
    .where(
        _m.c.definition_hash.in_(sa.bindparam("definitions", expanding=True)),
        _sets.c.set_key.concat("").in_(sa.bindparam("set_keys", expanding=True)),
        _m.c.status == READY,
        _m.c.tenant.concat("").in_(_READABLE),
    )
    .subquery("ranked")
)
BEST_MATCHES = sa.select(_ranked).where(_ranked.c.place == sa.literal_column("1"))
STORED_DEFINITIONS = (
    sa.select(_m.c.definition_hash)
    .where(
        _m.c.definition_hash.in_(sa.bindparam("definitions", expanding=True)),
        _m.c.status == READY,
        _m.c.tenant.concat("").in_(_READABLE),
    )
    .distinct()
)

# --- lineage, from the pointers and their copies ---------------------------------------------------------

_own = _pointers.alias("own")
_ANY: sa.Select[Any] = sa.select(sa.literal_column("1"))
# PostgreSQL leaves a subquery with OFFSET where and as it stands
_APART: sa.ColumnElement[int] = sa.literal_column("0")


def _own_table(name: sa.ColumnElement[str], *, of_few: bool) -> sa.ColumnElement[bool]:
    """Build the test that the scope's own tenant has this table; for a few names, or for all by one hash."""
    found = _ANY.where(
        _own.c.tenant == _OWN,
        _own.c.deployment == _DEPLOYMENT,
        _own.c.table_name == name,
        _own.c.materialization_id.is_not(None),
    )
    return (found.offset(_APART) if of_few else found).exists()


def _not_hidden(pointers: sa.FromClause, *, of_few: bool = False) -> sa.ColumnElement[bool]:
    """Build the test that no table of the tenant hides the global one of its name."""
    return sa.or_(pointers.c.tenant == _OWN, ~_own_table(pointers.c.table_name, of_few=of_few))


def _edge(pointers: sa.FromClause, joined: sa.FromClause, *, of_few: bool = False) -> sa.Select[Any]:
    """Select the edges of `joined`, without the hidden names that a global row recorded as inputs."""
    is_seen = sa.or_(pointers.c.made_by_tenant == _OWN, ~_own_table(_edges.c.source, of_few=of_few))
    return (
        sa.select(_edges.c.source, pointers.c.table_name, _edges.c.kind)
        .select_from(joined)
        .where(_not_hidden(pointers, of_few=of_few), is_seen)
        .order_by(pointers.c.made_at_sequence, pointers.c.materialization_id)
    )


def _is_in_scope(pointers: sa.FromClause) -> sa.ColumnElement[bool]:
    """Build the condition of `_IN_SCOPE` in a form that no index serves.

    Else a database without statistics begins with all pointers of the deployment, not with the few of a source.
    """
    return sa.and_(
        pointers.c.tenant.concat("").in_(_READABLE),
        pointers.c.deployment.concat("") == _DEPLOYMENT,
        pointers.c.materialization_id.is_not(None),
    )


_SAME_SET = _edges.c.anchor_set_id == _pointers.c.anchor_set_id
EDGES = _edge(_pointers, _pointers.join(_edges, _SAME_SET)).where(_IN_SCOPE)
# from the edges of the source to their pointers, whatever a database thinks of the tables' sizes
_OF_SOURCE = _edges.c.source == sa.bindparam("source")
_of_set = sa.select(_pointers).where(_SAME_SET).offset(_APART).lateral("of_set")
EDGES_OF_ON_POSTGRES = _edge(_of_set, _edges.join(_of_set, sa.true()), of_few=True).where(
    _OF_SOURCE, _is_in_scope(_of_set)
)
EDGES_OF_ON_SQLITE = _edge(_pointers, _edges.join(_pointers, _SAME_SET), of_few=True).where(
    _OF_SOURCE, _is_in_scope(_pointers)
)
SOURCES_BEFORE, SOURCES_AFTER = (
    sa.select(_edges.c.source)
    .where(beside, _ANY.where(_SAME_SET, _is_in_scope(_pointers)).offset(_APART).correlate(_edges).exists())
    .distinct()
    .order_by(order)
    .limit(sa.bindparam("most"))
    for beside, order in (
        (_edges.c.source < _TABLE, _edges.c.source.desc()),
        (_edges.c.source > _TABLE, _edges.c.source),
    )
)

# --- the whole scope at once ------------------------------------------------------------------------------

CURRENT_ROWS = (
    sa.select(
        _pointers.c.table_name,
        _pointers.c.made_by_tenant,
        sa.and_(_pointers.c.tenant == _OWN, _pointers.c.tenant != ""),
        _pointers.c.definition_hash,
        _sets.c.anchors_json,
        _pointers.c.anchor_order,
    )
    .select_from(_pointers.outerjoin(_sets, _pointers.c.anchor_set_id == _sets.c.id))
    .where(_IN_SCOPE, _not_hidden(_pointers))
)
ARTIFACTS_AFTER = (
    sa.select(_pointers.c.table_name, _m.c.artifact_path, _m.c.size_bytes)
    .select_from(_POINTED)
    .where(_IN_SCOPE, _not_hidden(_pointers, of_few=True), _pointers.c.table_name > _TABLE)
    .order_by(_pointers.c.table_name)
    .limit(sa.bindparam("most"))
)
CURRENT_MATCHES = (
    _BARE.add_columns(
        _pointers.c.table_name.label("pointed_as"), _sets.c.set_key, _annotations.c.annotation_json
    )
    .select_from(
        _POINTED.outerjoin(_sets, _m.c.anchor_set_id == _sets.c.id).outerjoin(
            _annotations, _m.c.id == _annotations.c.materialization_id
        )
    )
    .where(_IN_SCOPE, _pointers.c.table_name.in_(_TABLES))
    .order_by(_OWN_LAST)
)
DIGESTS = sa.select(_pointers.c.table_name, _pointers.c.artifact_digest).where(_IN_SCOPE).order_by(_OWN_LAST)

# --- an overview ------------------------------------------------------------------------------------------

_unpinned_sets = sa.select(_edges.c.anchor_set_id).where(
    _edges.c.kind == sa.literal_column("'unpinned_at_instant'")
)
CURRENT_COSTS = (
    sa.select(
        _pointers.c.table_name,
        *(_m.c[name] for name in ("compute_seconds", "size_bytes", "reproducibility")),
        *(_m.c[name] for name in ("created_at", "produced_by", "artifact_path")),
        _pointers.c.anchor_set_id.in_(_unpinned_sets),
    )
    .select_from(_POINTED)
    .where(_IN_SCOPE, _not_hidden(_pointers))
)
_is_computed = _m.c.produced_by == _runs.c.run_id
_each: tuple[sa.ColumnElement[Any], ...] = (sa.literal_column("1"), sa.func.coalesce(_m.c.compute_seconds, 0))
_counts = [
    sa.func.coalesce(sa.func.sum(sa.case((made, amount), else_=0)), 0)
    for amount in _each
    for made in (_is_computed, ~_is_computed)
]
RESULTS_BEYOND = (
    sa.select(_runs.c.run_id)
    .where(_runs.c.tenant == _OWN)
    .limit(sa.literal_column("1"))
    .offset(sa.bindparam("most"))
)
OUTCOMES = (
    sa.select(*_counts)
    .select_from(_runs.join(_m, _runs.c.materialization_id == _m.c.id))
    .where(_runs.c.tenant == _OWN)
)
OUTCOMES_OF = (
    OUTCOMES.add_columns(_runs.c.run_id)
    .where(_runs.c.run_id.in_(sa.bindparam("runs", expanding=True)))
    .group_by(_runs.c.run_id)
)
