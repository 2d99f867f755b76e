"""The statements of `CatalogReader`, built once: building one costs more than running it.

Parameters: those of `Scope.parameters` are the scope's, the others the query's. The statements about current tables
are in `ScopedQueries`, once for each reach of a scope.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias, TypeVar

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.records import Reach
from jammi_dagster.catalog.seen import ANY, APART, DEPLOYMENT, OWN, READABLE, SeenPointers
from jammi_dagster.catalog.seen import READY as READY

# a statement, or one for each dialect
Query: TypeAlias = "sa.Select[Any] | Mapping[str, sa.Select[Any]]"

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
_moves, _acceptances = models.pointer_moves, models.acceptances

# literal, so that the partial index over building rows serves
BUILDING: sa.ColumnElement[str] = sa.literal_column("'building'")
LOST: sa.ColumnElement[bool] = sa.and_(_m.c.status == "failed", _m.c.completed_at.is_not(None))
# a row that was ready at any time: only a collection deletes its objects
EVER_READY: sa.ColumnElement[bool] = _m.c.completed_at.is_not(None)
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
_RECORD = sa.select(*_COLUMNS, _sets.c.anchors_json, _m.c.answers_json)
_WHOLE = _RECORD.select_from(_m.outerjoin(_sets, _m.c.anchor_set_id == _sets.c.id))
GET = _WHOLE.where(_m.c.id == sa.bindparam("id"), _m.c.tenant.in_(READABLE))
HISTORY = _WHOLE.where(_m.c.table_name == _TABLE, _m.c.tenant.in_(READABLE)).order_by(
    _m.c.start_sequence.desc(), _m.c.id.desc()
)
MOVES = (
    sa.select(_moves)
    .where(_moves.c.table_name == _TABLE, _moves.c.tenant.in_(READABLE))
    .order_by(_moves.c.sequence.desc(), _moves.c.tenant.desc(), _moves.c.deployment)
)
_PLACE_OF = (
    _moves.c.table_name == _TABLE,
    _moves.c.tenant == sa.bindparam("of_tenant"),
    _moves.c.deployment == DEPLOYMENT,
)
_LAST_MOVE = (
    sa.select(_moves).where(*_PLACE_OF).order_by(_moves.c.sequence.desc()).limit(sa.literal_column("1"))
)
LAST_MOVE_OF_START = _LAST_MOVE.where(_moves.c.start_sequence == sa.bindparam("at"))
LAST_MOVE_UP_TO = _LAST_MOVE.where(_moves.c.sequence <= sa.bindparam("at"))
LAST_MOVE_UNTIL = _LAST_MOVE.where(_moves.c.moved_at <= sa.bindparam("at"))
COVERED = sa.select(_pointers.c.table_name).where(
    _pointers.c.tenant.in_(READABLE), _pointers.c.deployment == DEPLOYMENT
)
COVERED_OF = COVERED.where(_pointers.c.table_name.in_(_TABLES))
HOLDS = (
    sa.select(
        _pointers.c.table_name,
        *(_pointers.c[name] for name in ("deployment", "materialization_id", "held_by", "held_since")),
        *(_pointers.c[name] for name in ("held_because", "held_for_definition")),
    )
    .where(
        _pointers.c.tenant == OWN, _pointers.c.deployment == DEPLOYMENT, _pointers.c.held_since.is_not(None)
    )
    .order_by(_pointers.c.table_name)
)
# a tenant's own come last, and of each table the newest; one is void once its pointer has moved
ACCEPTANCES = (
    sa.select(_acceptances)
    .where(
        _acceptances.c.tenant.in_(READABLE),
        _acceptances.c.deployment == DEPLOYMENT,
        ~sa.select(_moves.c.sequence)
        .where(
            *(_moves.c[name] == _acceptances.c[name] for name in ("tenant", "table_name", "deployment")),
            _moves.c.sequence > _acceptances.c.sequence,
        )
        .exists(),
    )
    .order_by(_acceptances.c.tenant, _acceptances.c.sequence)
)
ANNOTATIONS = (
    sa.select(_m.c.id, _annotations.c.annotation_json)
    .select_from(_annotations.join(_m, _annotations.c.materialization_id == _m.c.id))
    .where(_m.c.id.in_(_IDS), _m.c.tenant.in_(READABLE))
)
STATE = sa.select(_state.c.catalog_id, _state.c.revision, _state.c.mark)
DEPLOYMENTS = (
    sa.select(_pointers.c.deployment)
    .where(_pointers.c.tenant.in_(READABLE), _pointers.c.materialization_id.is_not(None))
    .distinct()
    .order_by(_pointers.c.deployment)
)

# of many tables at once the anchors are not read: references need none, and a fan-in's take a millisecond each
_BARE = sa.select(*_COLUMNS, sa.null().label("anchors_json"), sa.null().label("answers_json"))
RECORDS = _BARE.where(_m.c.id.in_(_IDS), _m.c.tenant.in_(READABLE))
WHOLE_RECORDS = _WHOLE.where(_m.c.id.in_(_IDS), _m.c.tenant.in_(READABLE))
OF_RUN = (
    _BARE.add_columns(_runs.c.table_name.label("pointed_as"), DEPLOYMENT.label("answered_by"))
    .select_from(_runs.join(_m, sa.and_(_runs.c.materialization_id == _m.c.id, _m.c.status == READY)))
    .where(_runs.c.run_id == sa.bindparam("run_id"), _runs.c.tenant == OWN, _runs.c.table_name.in_(_TABLES))
)
STORED_DEFINITIONS = (
    sa.select(_m.c.definition_hash)
    .where(
        _m.c.definition_hash.in_(sa.bindparam("definitions", expanding=True)),
        _m.c.status == READY,
        _m.c.tenant.concat("").in_(READABLE),
    )
    .distinct()
)

# --- an overview of runs ----------------------------------------------------------------------------------

_unpinned_sets = sa.select(_edges.c.anchor_set_id).where(
    _edges.c.kind == sa.literal_column("'unpinned_at_instant'")
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
    .where(_runs.c.tenant == OWN)
    .limit(sa.literal_column("1"))
    .offset(sa.bindparam("most"))
)
OUTCOMES = (
    sa.select(*_counts)
    .select_from(_runs.join(_m, _runs.c.materialization_id == _m.c.id))
    .where(_runs.c.tenant == OWN)
)
OUTCOMES_OF = (
    OUTCOMES.add_columns(_runs.c.run_id)
    .where(_runs.c.run_id.in_(sa.bindparam("runs", expanding=True)))
    .group_by(_runs.c.run_id)
)


def _pointed(pointers: sa.FromClause) -> sa.Join:
    """Join pointers with the ready materializations that they lead to."""
    return pointers.join(_m, sa.and_(pointers.c.materialization_id == _m.c.id, _m.c.status == READY))


class ScopedQueries:
    """The statements about current tables, as a scope of one reach sees them: see `seen`."""

    def __init__(self, reach: Reach, *, is_sqlite: bool) -> None:
        self._seen = SeenPointers(reach, is_sqlite=is_sqlite)
        self._pointers = self._seen.rows()
        self._in_scope = self._seen.is_seen(self._pointers)
        self._name_the_current()
        self._name_tables()
        self._match()
        self._derive()
        self._sum_up()

    def _name_the_current(self) -> None:
        """Build the statements about named tables.

        All rows of a name that are seen are of one deployment. The tenant's own comes last, so that it wins.
        """
        one = self._seen.rows(lambda column: column["table_name"] == _TABLE)
        some = self._seen.rows(lambda column: column["table_name"].in_(_TABLES))
        of_some = self._seen.is_seen(some), some.c.table_name.in_(_TABLES)
        answer = some.c.table_name.label("pointed_as"), some.c.deployment.label("answered_by")
        self.current = (
            _RECORD.add_columns(one.c.deployment.label("answered_by"))
            .select_from(_pointed(one).outerjoin(_sets, _m.c.anchor_set_id == _sets.c.id))
            .where(self._seen.is_seen(one), one.c.table_name == _TABLE)
            .order_by(one.c.tenant)
        )
        self.current_of = (
            _BARE.add_columns(*answer).select_from(_pointed(some)).where(*of_some).order_by(some.c.tenant)
        )
        with_annotations = (
            _pointed(some)
            .outerjoin(_sets, _m.c.anchor_set_id == _sets.c.id)
            .outerjoin(_annotations, _m.c.id == _annotations.c.materialization_id)
        )
        self.current_matches = (
            _BARE.add_columns(*answer, _sets.c.set_key, _annotations.c.annotation_json)
            .select_from(with_annotations)
            .where(*of_some)
            .order_by(some.c.tenant)
        )
        has_annotation = some.c.materialization_id == _annotations.c.materialization_id
        self.annotations_of = (
            sa.select(some.c.table_name, _annotations.c.annotation_json)
            .select_from(some.outerjoin(_annotations, has_annotation))
            .where(*of_some)
            .order_by(some.c.tenant)
        )

    def _name_tables(self) -> None:
        pointers, name = self._pointers, self._pointers.c.table_name
        most: sa.BindParameter[int] = sa.bindparam("most")
        self.names = sa.select(name).where(self._in_scope).distinct().order_by(name)
        self.restored = sa.select(name).where(self._in_scope, pointers.c.restored == 1)
        few = self._seen.is_seen(pointers, of_few=True)
        some = sa.select(name).where(few).distinct().limit(most)
        self.names_before = some.where(name < _TABLE).order_by(name.desc())
        self.names_after = some.where(name > _TABLE).order_by(name)
        self.artifacts_after = (
            sa.select(name, _m.c.artifact_path, _m.c.size_bytes)
            .select_from(_pointed(pointers))
            .where(few, self._not_hidden(pointers, of_few=True), name > _TABLE)
            .order_by(name)
            .limit(most)
        )

    def _match(self) -> None:
        """Build the probe's statements."""
        # the current materialization of the match's own table: the tenant's pointer, else the global one
        own_name = self._seen.rows(lambda column: column["table_name"] == _m.c.table_name, _m)
        resolved = (
            sa.select(own_name.c.materialization_id)
            .where(self._seen.is_seen(own_name, of_few=True), own_name.c.table_name == _m.c.table_name)
            .order_by(own_name.c.tenant.desc())
            .limit(1)
            .scalar_subquery()
        )
        best_first = (
            sa.case((_m.c.id == resolved, 1), else_=0).desc(),
            _m.c.start_sequence.desc(),
            _m.c.id.desc(),
        )
        set_id = sa.select(_sets.c.id).where(_sets.c.set_key == sa.bindparam("set_key")).scalar_subquery()
        over_inputs = (_m.c.anchor_set_id == set_id, _m.c.status == READY, _m.c.tenant.in_(READABLE))
        self.matches = _BARE.where(_m.c.definition_hash == sa.bindparam("definition"), *over_inputs).order_by(
            *best_first
        )
        self.best_match = self.matches.limit(sa.literal_column("1"))
        place = sa.func.row_number().over(
            partition_by=(_m.c.definition_hash, _m.c.anchor_set_id), order_by=best_first
        )
        # only the index by definition serves: many tables have the same tenant, and the same anchor set, such as none
        ranked = (
            _BARE.add_columns(_sets.c.set_key, place.label("place"))
            .select_from(_m.join(_sets, _m.c.anchor_set_id + 0 == _sets.c.id))
            .where(
                _m.c.definition_hash.in_(sa.bindparam("definitions", expanding=True)),
                _sets.c.set_key.concat("").in_(sa.bindparam("set_keys", expanding=True)),
                _m.c.status == READY,
                _m.c.tenant.concat("").in_(READABLE),
            )
            .subquery("ranked")
        )
        self.best_matches = sa.select(ranked).where(ranked.c.place == sa.literal_column("1"))

    def _derive(self) -> None:
        """Build the statements of lineage, from the pointers and their copies."""
        pointers, seen = self._pointers, self._seen
        same_set = _edges.c.anchor_set_id == pointers.c.anchor_set_id
        self.edges = self._edge(pointers, pointers.join(_edges, same_set)).where(self._in_scope)
        # from the edges of the source to their pointers, whatever a database thinks of the tables' sizes
        of_source = _edges.c.source == sa.bindparam("source")
        of_set = sa.select(pointers).where(same_set).offset(APART).lateral("of_set")
        self.edges_of: Query = {
            dialect: self._edge(rows, _edges.join(rows, on), of_few=True).where(
                of_source, seen.is_seen(rows, of_few=True, by_index=False)
            )
            for dialect, rows, on in (("postgresql", of_set, sa.true()), ("sqlite", pointers, same_set))
        }
        is_current = (
            ANY.where(same_set, seen.is_seen(pointers, of_few=True, by_index=False))
            .offset(APART)
            .correlate(_edges)
            .exists()
        )
        self.sources_before, self.sources_after = (
            sa.select(_edges.c.source)
            .where(beside, is_current)
            .distinct()
            .order_by(order)
            .limit(sa.bindparam("most"))
            for beside, order in (
                (_edges.c.source < _TABLE, _edges.c.source.desc()),
                (_edges.c.source > _TABLE, _edges.c.source),
            )
        )

    def _edge(
        self, pointers: sa.FromClause, joined: sa.FromClause, *, of_few: bool = False
    ) -> sa.Select[Any]:
        """Select the edges of `joined`, without the hidden names that a global row recorded as inputs."""
        is_own = pointers.c.made_by_tenant == OWN
        return (
            sa.select(_edges.c.source, pointers.c.table_name, _edges.c.kind)
            .select_from(joined)
            .where(self._not_hidden(pointers, of_few=of_few))
            .where(sa.or_(is_own, ~self._seen.own_has(_edges.c.source, _edges, of_few=of_few)))
            .order_by(pointers.c.made_at_sequence, pointers.c.materialization_id)
        )

    def _not_hidden(self, pointers: sa.FromClause, *, of_few: bool = False) -> sa.ColumnElement[bool]:
        """Build the test that no table of the tenant hides the global one of its name."""
        own_has = self._seen.own_has(pointers.c.table_name, pointers, of_few=of_few)
        return sa.or_(pointers.c.tenant == OWN, ~own_has)

    def _sum_up(self) -> None:
        """Build the statements that read the whole scope at once."""
        pointers, shown = self._pointers, (self._in_scope, self._not_hidden(self._pointers))
        self.current_rows = (
            sa.select(
                pointers.c.table_name,
                pointers.c.made_by_tenant,
                sa.and_(pointers.c.tenant == OWN, pointers.c.tenant != ""),
                pointers.c.definition_hash,
                _sets.c.anchors_json,
                pointers.c.anchor_order,
            )
            .select_from(pointers.outerjoin(_sets, pointers.c.anchor_set_id == _sets.c.id))
            .where(*shown)
        )
        self.digests = (
            sa.select(pointers.c.table_name, pointers.c.artifact_digest)
            .where(self._in_scope)
            .order_by(pointers.c.tenant)
        )
        self.current_costs = (
            sa.select(
                pointers.c.table_name,
                *(_m.c[name] for name in ("compute_seconds", "size_bytes", "reproducibility")),
                *(_m.c[name] for name in ("created_at", "produced_by", "artifact_path")),
                pointers.c.anchor_set_id.in_(_unpinned_sets),
            )
            .select_from(_pointed(pointers))
            .where(*shown)
        )


scoped = functools.cache(ScopedQueries)
