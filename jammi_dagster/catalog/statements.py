"""The statements of `CatalogWriter`, built once: building one costs more than running it.

A row's new values are parameters named like its columns; the names of parameters in a condition start with `of_`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.queries import BUILDING, READY
from jammi_dagster.catalog.records import RUN_LEASE_SECONDS

_m, _state, _sets, _pointers = (
    models.materializations,
    models.catalog_state,
    models.anchor_sets,
    models.pointers,
)
_edges, _annotations, _runs = models.anchor_edges, models.annotations, models.run_results
_OF_TENANT: sa.BindParameter[str] = sa.bindparam("of_tenant")
_OF_READABLE: sa.BindParameter[str] = sa.bindparam("of_readable", expanding=True)
_OF_OWNER: sa.BindParameter[str] = sa.bindparam("of_owner")
_OF_ID: sa.BindParameter[str] = sa.bindparam("of_id")
_OF_IDS: sa.BindParameter[str] = sa.bindparam("of_ids", expanding=True)
# the seconds since the epoch by the database's clock, the one that all its writers share
CLOCKS: Mapping[str, sa.ColumnElement[float]] = {
    "postgresql": sa.literal_column("extract(epoch from clock_timestamp())", sa.Float),
    "sqlite": sa.literal_column("(julianday('now') - 2440587.5) * 86400.0", sa.Float),
}
_NOW = {dialect: sa.select(clock) for dialect, clock in CLOCKS.items()}


def now_by_database(connection: sa.Connection) -> float:
    """Read the seconds since the epoch by the database's clock, the one that all writers of a lease share."""
    return float(connection.execute(_NOW[connection.dialect.name]).scalar_one())


def _issue(dialect: str, **values: Any) -> Any:
    """Build the statement that issues a number: the last one plus 1, or the clock in milliseconds if that is larger.

    So a catalog that is restored from a backup never issues a number twice.
    """
    largest = sa.func.greatest if dialect == "postgresql" else sa.func.max
    clock = sa.cast(CLOCKS[dialect] * sa.literal_column("1000"), sa.BigInteger)
    issued = largest(_state.c.start_sequence + 1, clock)
    return _state.update().values(start_sequence=issued, **values).returning(_state.c.start_sequence)


NEXT_START = {dialect: _issue(dialect, mark=_state.c.mark) for dialect in CLOCKS}
# the sequence of a transaction that moves pointers; it raises the revision, too
NEXT_MOVE = {dialect: _issue(dialect, revision=_state.c.revision + 1) for dialect in CLOCKS}
RAISE_REVISION = _state.update().values(revision=_state.c.revision + 1)
# neither this nor a start is a change that anybody could have cached
LOCK = _state.update().values(revision=_state.c.revision, mark=_state.c.mark)

ADD = _m.insert()
ANNOTATE = _annotations.insert()
SET_ID = sa.select(_sets.c.id).where(_sets.c.set_key == sa.bindparam("of_set_key"))

# flights of others under a live lease
LIVE = sa.select(_m.c.definition_hash, _m.c.anchor_set_id, _m.c.lease_owner).where(
    _m.c.status == BUILDING,
    _m.c.tenant == _OF_TENANT,
    _m.c.lease_owner != _OF_OWNER,
    _m.c.lease_expires_at > sa.bindparam("of_now"),
)
# rows of these tables that the same owner left `building`
LEFT_BEHIND = _m.update().where(
    _m.c.status == BUILDING,
    _m.c.tenant == _OF_TENANT,
    _m.c.lease_owner == _OF_OWNER,
    _m.c.table_name.in_(sa.bindparam("of_tables", expanding=True)),
)
# the rows that are `building` under a lease, and some of them
LEASED = _m.update().where(
    _m.c.status == BUILDING, _m.c.tenant == _OF_TENANT, _m.c.lease_token == sa.bindparam("of_token")
)
LEASED_ROWS = LEASED.where(_m.c.id.in_(_OF_IDS)).returning(_m.c.id)
UPDATE = _m.update().where(_m.c.id == _OF_ID)
ARE_READY = sa.select(_m.c.id, _m.c.table_name, _m.c.marked_at).where(
    _m.c.id.in_(_OF_IDS), _m.c.status == READY, _m.c.tenant.in_(_OF_READABLE)
)
POINTED_AT = sa.select(_pointers.c.table_name).where(
    _pointers.c.tenant == _OF_TENANT,
    _pointers.c.deployment == sa.bindparam("of_deployment"),
    _pointers.c.materialization_id.in_(_OF_IDS),
)
UNMARKED = {"marked_at": None, "mark_plan": None}
UNMARK = _m.update().where(_m.c.id.in_(_OF_IDS)).values(**UNMARKED)
# the last digest of the same definition, inputs and writer profile
_alike = (
    sa.select(
        _m.c.definition_hash,
        _m.c.writer_profile,
        _m.c.artifact_digest,
        sa.func.row_number()
        .over(partition_by=(_m.c.definition_hash, _m.c.writer_profile), order_by=_m.c.start_sequence.desc())
        .label("place"),
    )
    .where(
        _m.c.definition_hash.in_(sa.bindparam("of_definitions", expanding=True)),
        _m.c.anchor_set_id == sa.bindparam("of_anchor_set"),
        _m.c.status == READY,
        _m.c.tenant.in_(_OF_READABLE),
    )
    .subquery("alike")
)
EARLIER = sa.select(_alike.c.definition_hash, _alike.c.writer_profile, _alike.c.artifact_digest).where(
    _alike.c.place == sa.literal_column("1")
)


# a pointer copies its materialization; an empty one holds nothing but the start that emptied it
COPIED = {
    "made_by_tenant": _m.c.tenant,
    "made_at_sequence": _m.c.start_sequence,
    **{name: _m.c[name] for name in ("definition_hash", "anchor_set_id", "anchor_order", "artifact_digest")},
}
HOLD = ("held_since", "held_by", "held_because", "held_for_definition")
EMPTIED = dict.fromkeys(("materialization_id", *COPIED, "restored", "lost_id"))


def _pointers_to_ids() -> sa.Select[Any]:
    """Select the rows of pointers to materializations of given ids, each under the name of its own table."""
    given = {
        "materialization_id": _m.c.id,
        "table_name": _m.c.table_name,
        **COPIED,
        **dict.fromkeys(("lost_id", *HOLD), sa.null()),
    }
    return sa.select(
        *(
            given.get(column.name, sa.bindparam(column.name, type_=column.type))
            for column in _pointers.columns
        )
    ).where(_m.c.id.in_(_OF_IDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Upserts:
    """Inserts with ON CONFLICT, which is spelt alike on both databases, but not in SQLAlchemy's common dialect.

    `pointers` gives the names of the tables whose pointers are where they were to move. A held one stays; a run of the
    definition that it is held for ends the hold. `anchor_set` gives the id of a set that is new.
    """

    pointers: Any
    run: Any
    run_lease: Any
    earlier_run: Any
    anchor_set: Any
    edges: Any
    branch: Any


@functools.cache
def upserts(dialect: str) -> Upserts:
    """Build the upserts of a database. Only its own dialect is imported."""
    insert: Any
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert
    place = ("tenant", "deployment", "table_name")
    columns = [column.name for column in _pointers.columns]
    pointers = insert(_pointers).from_select(columns, _pointers_to_ids())
    agrees = _pointers.c.held_for_definition == pointers.excluded.definition_hash
    free = {name: sa.case((agrees, sa.null()), else_=_pointers.c[name]) for name in HOLD}
    run, run_lease = insert(_runs), insert(models.run_leases)
    run_lease = run_lease.values(
        {name: sa.bindparam(name) for name in ("run_id", "tenant")}
        | {"expires_at": CLOCKS[dialect] + sa.literal_column(str(RUN_LEASE_SECONDS))}
    )
    branch = insert(models.deployments)
    return Upserts(
        pointers=pointers.on_conflict_do_update(
            index_elements=place,
            set_={**{name: pointers.excluded[name] for name in columns if name not in place}, **free},
            where=sa.and_(
                _pointers.c.start_sequence <= pointers.excluded.start_sequence,
                sa.or_(
                    _pointers.c.held_since.is_(None),
                    _pointers.c.materialization_id == pointers.excluded.materialization_id,
                    agrees,
                ),
            ),
        ).returning(_pointers.c.table_name),
        run=run.on_conflict_do_update(
            index_elements=("run_id", "tenant", "table_name"),
            set_={"materialization_id": run.excluded.materialization_id},
        ),
        run_lease=run_lease.on_conflict_do_update(
            index_elements=("run_id", "tenant"), set_={"expires_at": run_lease.excluded.expires_at}
        ),
        earlier_run=insert(_runs).on_conflict_do_nothing(),
        anchor_set=insert(_sets).on_conflict_do_nothing(index_elements=("set_key",)).returning(_sets.c.id),
        edges=insert(_edges).on_conflict_do_nothing(),
        branch=branch.on_conflict_do_update(
            index_elements=("name",),
            set_={
                **{column.name: column for column in branch.excluded},
                "created_at": sa.func.coalesce(
                    models.deployments.c.dropped_at, models.deployments.c.created_at
                ),
            },
        ),
    )
