"""Collection's statements: the roots, the marks, and the compare-and-swap that begins a deletion (ADR 22).

A root is a materialization that somebody may still ask for, whatever a policy says: see `roots`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.database import Database
from jammi_dagster.catalog.moves import Mover, add_moves_of, move_pointers, next_move
from jammi_dagster.catalog.queries import BUILDING, LOST, READY, chunks
from jammi_dagster.catalog.records import GLOBAL, RUN_LEASE_SECONDS, Scope, decode_anchors
from jammi_dagster.catalog.roots import ALIVE, ROOT, ROOTS, is_live_run, is_of_ended
from jammi_dagster.catalog.statements import CLOCKS, EMPTIED, LOCK, RAISE_REVISION, UNMARKED, now_by_database
from jammi_dagster.contract import AnchorKind

_m, _pointers, _moves = models.materializations, models.pointers, models.pointer_moves
_runs, _run_leases, _reads = models.run_results, models.run_leases, models.read_leases
_sets, _annotations, _clocks = models.anchor_sets, models.annotations, models.collection_clocks

# `dropped` is the status of rows of an earlier version; a lost row may be whole again one day
COLLECTABLE: sa.ColumnElement[bool] = sa.or_(_m.c.status == READY, _m.c.status == "dropped", LOST)
COLLECTING = {"status": "collecting", "missing_since": None, "lease_expires_at": None}
_PAGE = 5_000
_CLOCKS_KEPT = 100
_IDS: sa.BindParameter[str] = sa.bindparam("ids", expanding=True)
_COLLECTED, _OF_ANOTHER = "it was collected", "in use by another tenant"
_COLLECTED_MOVE = Mover(outcome="collected", cause=_COLLECTED)
# literal, so that the partial index serves
_COLLECTING: sa.ColumnElement[str] = sa.literal_column("'collecting'")


class Moment(NamedTuple):
    """An instant by the database's clock; leases count that run out after `alive`, an earlier one if it was set."""

    now: float
    alive: float


class ClockReading(NamedTuple):
    """The database's clock beside a machine's own; `clock` names the latter. See `models.collection_clocks`."""

    clock: str
    clock_seconds: float
    database_seconds: float
    alive_since: float | None = None
    suspect_until: float | None = None


class Candidate(NamedTuple):
    """A row that may be collected. `root` names the kind of root that keeps it, None for no root."""

    materialization_id: str
    table: str
    deployment: str
    status: str
    start_sequence: int
    artifact_digest: str | None
    size_bytes: int | None
    marked_at: float | None
    root: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doomed:
    """A row that is `collecting`: its objects go, then it is `collected`."""

    materialization_id: str
    table: str
    deployment: str
    attempt: str
    start_sequence: int
    artifact_path: str
    artifact_digest: str | None
    size_bytes: int | None


_COLUMNS = (
    *(_m.c[name] for name in ("id", "table_name", "deployment", "status", "start_sequence")),
    *(_m.c[name] for name in ("artifact_digest", "size_bytes", "marked_at")),
)
_CANDIDATES = sa.select(*_COLUMNS, ROOT.label("root")).where(
    _m.c.tenant == sa.bindparam("tenant"), COLLECTABLE
)
_PLACE = sa.tuple_(_m.c.table_name, _m.c.start_sequence, _m.c.id)
_IN_ORDER = _CANDIDATES.order_by(_m.c.table_name.desc(), _m.c.start_sequence.desc(), _m.c.id.desc()).limit(
    _PAGE
)
_IS_AFTER = sa.tuple_(*(sa.bindparam(f"after_{name}") for name in ("table", "start", "id"))) > _PLACE
_OF_IDS = sa.select(*_COLUMNS, ROOT.label("root")).where(_m.c.id.in_(_IDS))
_DOOMED = (
    *(_m.c[name] for name in ("id", "table_name", "deployment", "attempt_id")),
    *(_m.c[name] for name in ("start_sequence", "artifact_path", "artifact_digest", "size_bytes")),
)
_FLIGHTS = (
    sa.select(_m.c.table_name, _m.c.tenant, _sets.c.anchors_json)
    .join(_sets, _m.c.anchor_set_id == _sets.c.id)
    .where(_m.c.status == BUILDING, _m.c.lease_expires_at > ALIVE)
)


def pages_by_id(database: Database, query: sa.Select[Any]) -> Iterator[Sequence[sa.Row[Any]]]:
    """Yield the rows of a statement about materializations by their id, which it selects, in pages."""
    by_id, last = query.order_by(_m.c.id).limit(_PAGE), ""
    while True:
        with database.reading() as connection:
            page = connection.execute(by_id.where(_m.c.id > last)).all()
        if page:
            yield page
        if len(page) < _PAGE:
            return
        last = page[-1].id


def empty_pointers(connection: sa.Connection, ids: Sequence[str], sequence: int) -> None:
    """Empty the pointers to rows that are collected, as those of a restored catalog."""
    pointing = _pointers.c.materialization_id.in_(ids)
    move_pointers(connection, pointing, EMPTIED, sequence=sequence, mover=_COLLECTED_MOVE)


def _end_pointers(connection: sa.Connection, ids: Sequence[str], alive: float, sequence: int) -> None:
    """Remove the pointers of ended branches to these rows: an empty one would hide the parent's table."""
    ended = sa.and_(_pointers.c.materialization_id.in_(ids), is_of_ended(sa.literal(alive, sa.Float)))
    add_moves_of(connection, ended, sequence=sequence, mover=_COLLECTED_MOVE)
    connection.execute(_pointers.delete().where(ended))


class CollectionRows:
    """The rows of one tenant, in all of its deployments, for a collection."""

    def __init__(self, database: Database, scope: Scope) -> None:
        self._database, self._tenant, self._deployment = database, scope.tenant, scope.deployment
        # without `concat`, SQLite would go through all rows of the tenant, which an index has (ADR 9)
        self._own = sa.and_(_m.c.id.in_(_IDS), _m.c.tenant.concat("") == scope.tenant)
        self._inputs_at: tuple[int, Mapping[str, str]] = (-1, {})

    # --- the clock -------------------------------------------------------------------------------------

    def clocks(self) -> tuple[float, list[ClockReading]]:
        """Read the database's clock, and what earlier collections read."""
        with self._database.reading() as connection:
            readings = [ClockReading._make(row) for row in connection.execute(sa.select(_clocks))]
            return now_by_database(connection), readings

    def note_clock(self, reading: ClockReading) -> None:
        """Note a reading; where it tells that the clock was set, begin the grace of all marks anew."""
        with self._database.writing() as connection:
            connection.execute(RAISE_REVISION)
            if reading.alive_since is not None:
                marked = _m.update().where(_m.c.marked_at.is_not(None))
                connection.execute(marked.values(marked_at=reading.database_seconds))
            connection.execute(_clocks.delete().where(_clocks.c.clock == reading.clock))
            connection.execute(_clocks.insert(), reading._asdict())
            kept = sa.select(_clocks.c.clock).order_by(_clocks.c.database_seconds.desc()).limit(_CLOCKS_KEPT)
            connection.execute(_clocks.delete().where(_clocks.c.clock.not_in(kept)))

    # --- looking ---------------------------------------------------------------------------------------

    def pages(self, moment: Moment, *, table: str | None = None) -> Iterator[list[Candidate]]:
        """Yield all rows that may be collected, or those of a table, by table, the latest start first, in pages."""
        given = {"tenant": self._tenant, "alive": moment.alive, "table": table}
        first = _IN_ORDER if table is None else _IN_ORDER.where(_m.c.table_name == sa.bindparam("table"))
        query, last = first, dict[str, object]()
        while True:
            with self._database.reading() as connection:
                page = [Candidate._make(row) for row in connection.execute(query, {**given, **last})]
            if page:
                yield page
            if len(page) < _PAGE:
                return
            end = page[-1]
            last = {
                "after_table": end.table,
                "after_start": end.start_sequence,
                "after_id": end.materialization_id,
            }
            query = first.where(_IS_AFTER)

    def names(self) -> list[str]:
        """List the tables that the tenant has a name of in this deployment, sorted."""
        own = (_pointers.c.tenant == self._tenant, _pointers.c.deployment == self._deployment)
        named = sa.select(_pointers.c.table_name).where(*own, _pointers.c.materialization_id.is_not(None))
        with self._database.reading() as connection:
            return list(connection.execute(named.order_by(_pointers.c.table_name)).scalars())

    def tables_of(self, materialization_ids: Sequence[str]) -> set[str]:
        """Find the tables that these materializations of the tenant are of."""
        query = sa.select(_m.c.table_name).where(self._own).distinct()
        with self._database.reading() as connection:
            chunked = (
                connection.execute(query, {"ids": ids}).scalars() for ids in chunks(materialization_ids)
            )
            return {table for tables in chunked for table in tables}

    def flying(self, moment: Moment) -> dict[tuple[str, str], str]:
        """Map the inputs (table, digest) of all computations under way to words that say who computes."""
        with self._database.reading() as connection:
            return self._flying(connection, moment)

    def _flying(self, connection: sa.Connection, moment: Moment) -> dict[tuple[str, str], str]:
        found: dict[tuple[str, str], str] = {}
        for table, tenant, text in connection.execute(_FLIGHTS, {"alive": moment.alive}):
            if self._tenant in (tenant, GLOBAL):
                said = (
                    f"an input of {table}, which is computed now" if tenant == self._tenant else _OF_ANOTHER
                )
                anchors = decode_anchors(text, where=f"table {table}")
                digests = (anchor for anchor in anchors if anchor.kind is AnchorKind.RESULT_DIGEST)
                found.update({(anchor.source, anchor.anchor): said for anchor in digests})
        return found

    def reasons(self, materialization_ids: Sequence[str], moment: Moment) -> dict[str, list[str]]:
        """Say of each materialization that is a root why it is one."""
        found: dict[str, list[str]] = {}
        with self._database.reading() as connection:
            for ids in chunks(materialization_ids):
                for table, condition, words in ROOTS.values():
                    of_ids = sa.select(_m.c.id, *table.columns).select_from(_m.join(table, condition))
                    for row in connection.execute(
                        of_ids.where(_m.c.id.in_(_IDS)), {"ids": ids, "alive": moment.alive}
                    ):
                        said = words(row) if row.tenant == self._tenant else _OF_ANOTHER
                        found.setdefault(row[0], []).append(said)
        return found

    def inputs(self, moment: Moment) -> Mapping[str, str]:
        """Map all that roots of any tenant were made over, directly or not, to the one that was made over it."""
        with self._database.reading() as connection:
            return _inputs_of(connection, ROOT.is_not(None), moment)

    def _inputs_now(self, connection: sa.Connection, then: Moment, due: float) -> Mapping[str, str]:
        """Give the inputs of roots, and of rows whose grace is not over, in a transaction that raised the revision.

        They are the known ones if nothing moved since; none is missing there, as time only adds to those that are due.
        """
        revision, (known, inputs) = _revision(connection), self._inputs_at
        if known != revision - 1:
            inputs = _inputs_of(connection, sa.or_(ROOT.is_not(None), _m.c.marked_at > due), then)
        self._inputs_at = revision, inputs
        return inputs

    # --- marking and taking ----------------------------------------------------------------------------

    def mark(self, materialization_ids: Sequence[str], moment: Moment, *, plan: str) -> None:
        """Note on rows that nothing keeps them from now on, unless that is noted already, or they are roots by now."""
        with self._database.writing(durable=False) as connection:
            connection.execute(LOCK)
            now = now_by_database(connection)
            unmarked = _m.update().where(self._own, _m.c.marked_at.is_(None), COLLECTABLE, ROOT.is_(None))
            for ids in chunks(materialization_ids):
                given = {"ids": ids, "alive": moment.alive}
                connection.execute(unmarked.values(marked_at=now, mark_plan=plan), given)

    def unmark(self, materialization_ids: Sequence[str]) -> None:
        """Note on rows that something keeps them again."""
        with self._database.writing(durable=False) as connection:
            for ids in chunks(materialization_ids):
                connection.execute(_m.update().where(self._own).values(**UNMARKED), {"ids": ids})

    def take(
        self,
        materialization_ids: Sequence[str],
        moment: Moment,
        *,
        grace_seconds: float,
        keep_inputs: bool,
    ) -> list[Doomed]:
        """Make rows `collecting` that were marked for the grace period, and are no roots at this moment.

        From here on nothing hits or resolves to them. A lease or a branch that ended within the grace period still
        counts, also one that began after the mark. With `keep_inputs` the inputs of roots stay, too, and those of rows
        whose own grace is not over: such a row may be hit, and then replayed.
        """
        with self._database.writing() as connection:
            sequence = next_move(connection)
            due = now_by_database(connection) - grace_seconds
            # a reader's lease that is not committed yet holds its row: see `read_leases`
            marked = sa.select(_m.c.id).where(self._own, _m.c.marked_at <= due, COLLECTABLE)
            ids = list(connection.execute(marked.with_for_update(), {"ids": materialization_ids}).scalars())
            then = Moment(moment.now, min(moment.alive, due))
            flights = self._flying(connection, then)
            given = {"ids": ids, "alive": then.alive}
            free = [
                row.id
                for row in connection.execute(_OF_IDS, given)
                if row.root is None and (row.table_name, row.artifact_digest) not in flights
            ]
            if keep_inputs:
                kept = self._inputs_now(connection, then, due)
                free = [one for one in free if one not in kept]
            if not free:
                return []
            taking = _m.update().where(_m.c.id.in_(_IDS)).values(**COLLECTING).returning(*_DOOMED)
            taken = [_doomed(row) for row in connection.execute(taking, {"ids": free})]
            _end_pointers(connection, free, moment.alive, sequence)
            empty_pointers(connection, free, sequence)
            return taken

    def doomed(self) -> Iterator[list[Doomed]]:
        """Yield the rows whose deletion has begun, in pages; finish each page before the next one."""
        query = sa.select(*_DOOMED).where(_m.c.status == _COLLECTING, _m.c.tenant == self._tenant)
        for page in pages_by_id(self._database, query):
            yield list(map(_doomed, page))

    def finish(self, materialization_ids: Sequence[str]) -> list[str]:
        """Make `collecting` rows `collected`; give the ids of those that nobody else did."""
        finished = list[str]()
        with self._database.writing(durable=False) as connection:
            for ids in chunks(materialization_ids):
                ending = _m.update().where(self._own, _m.c.status == _COLLECTING)
                ended = ending.values(status="collected", **UNMARKED).returning(_m.c.id)
                gone = list(connection.execute(ended, {"ids": ids}).scalars())
                for beside in (_annotations, _runs):
                    of_gone = beside.delete().where(beside.c.materialization_id.in_(_IDS))
                    connection.execute(of_gone, {"ids": gone})
                finished += gone
        return finished

    def runs(self) -> list[str]:
        """List the runs of the tenant that have a lease."""
        with self._database.reading() as connection:
            own = sa.select(_run_leases.c.run_id).where(_run_leases.c.tenant == self._tenant)
            return list(connection.execute(own.order_by(_run_leases.c.run_id)).scalars())

    def ended_runs(self, run_ids: Sequence[str]) -> list[str]:
        """Return those among these runs that have no lease, or one that has run out."""
        live: set[str] = set()
        with self._database.reading() as connection:
            for ids in chunks(run_ids):
                mine = (_run_leases.c.tenant == self._tenant, _run_leases.c.run_id.in_(ids))
                now = CLOCKS[connection.dialect.name]
                known = sa.select(_run_leases.c.run_id).where(*mine, _run_leases.c.expires_at > now)
                live.update(connection.execute(known).scalars())
        return [run_id for run_id in run_ids if run_id not in live]

    def renew_runs(self, run_ids: Sequence[str]) -> None:
        """Give runs their whole time again, from now on."""
        self._lease_runs(run_ids, RUN_LEASE_SECONDS)

    def end_runs(self, run_ids: Sequence[str]) -> None:
        """End the leases of runs."""
        self._lease_runs(run_ids, 0)

    def _lease_runs(self, run_ids: Sequence[str], seconds: float) -> None:
        if not run_ids:
            return
        with self._database.writing(durable=False) as connection:
            expires = now_by_database(connection) + seconds
            for ids in chunks(run_ids):
                mine = (_run_leases.c.tenant == self._tenant, _run_leases.c.run_id.in_(ids))
                connection.execute(_run_leases.update().where(*mine).values(expires_at=expires))

    def prune(self, moment: Moment, *, keep_runs_seconds: float, dry_run: bool) -> dict[str, int]:
        """Remove the results of runs that ended so long ago, and leases that ran out; count the rows by table."""
        given = {"tenant": self._tenant, "alive": moment.alive - keep_runs_seconds}
        ended = sa.select(_runs).where(_runs.c.tenant == sa.bindparam("tenant"), ~is_live_run())
        pruned = {}
        with self._database.reading() as connection:
            counted = sa.select(sa.func.count()).select_from(ended.subquery())
            pruned["run_results"] = int(connection.execute(counted, given).scalar_one())
        if dry_run:
            return pruned
        some = ended.with_only_columns(_runs.c.run_id).distinct().limit(_PAGE)
        while True:
            with self._database.writing(durable=False) as connection:
                runs = list(connection.execute(some, given).scalars())
                of_runs = (_runs.c.tenant == self._tenant, _runs.c.run_id.in_(_IDS))
                connection.execute(_runs.delete().where(*of_runs), {"ids": runs})
            if len(runs) < _PAGE:
                break
        with self._database.writing(durable=False) as connection:
            for leases, until in ((_run_leases, given["alive"]), (_reads, moment.alive)):
                over = leases.delete().where(leases.c.tenant == self._tenant, leases.c.expires_at <= until)
                pruned[leases.name] = connection.execute(over).rowcount
        return pruned

    def attempts_of(self, materialization_ids: Sequence[str]) -> Mapping[str, tuple[str, str]]:
        """Read the status, and the attempt, of each of these materializations that has a row."""
        query = sa.select(_m.c.id, _m.c.status, _m.c.attempt_id).where(_m.c.id.in_(_IDS))
        with self._database.reading() as connection:
            return {
                row.id: (row.status, row.attempt_id or row.id)
                for ids in chunks(materialization_ids)
                for row in connection.execute(query, {"ids": ids})
            }

    def attempts_left(self) -> frozenset[str]:
        """Find the tenant's attempts of several tables of which one is not collected; all rows are looked at."""
        several = sa.func.coalesce(_m.c.attempt_size, 2) > 1
        is_left = (_m.c.tenant == self._tenant, _m.c.status.not_in(("collected", "collecting")))
        left = sa.select(_m.c.attempt_id).where(several, *is_left)
        with self._database.reading() as connection:
            return frozenset(
                connection.execute(left.where(_m.c.attempt_id.is_not(None)).distinct()).scalars()
            )

    def statuses(self, materialization_ids: Sequence[str]) -> Mapping[str, str]:
        """Read the status of each of these materializations that has a row, of whatever tenant."""
        query = sa.select(_m.c.id, _m.c.status).where(_m.c.id.in_(_IDS))
        with self._database.reading() as connection:
            return {
                one: status
                for ids in chunks(materialization_ids)
                for one, status in connection.execute(query, {"ids": ids})
            }


def _revision(connection: sa.Connection) -> int:
    return int(connection.execute(sa.select(models.catalog_state.c.revision)).scalar_one())


def _inputs_of(connection: sa.Connection, which: sa.ColumnElement[bool], moment: Moment) -> dict[str, str]:
    tops = sa.select(_m.c.id).where(COLLECTABLE, which)
    frontier = list(connection.execute(tops, {"alive": moment.alive}).scalars())
    seen, via = set(frontier), dict[str, str]()
    while frontier:
        edges = [edge for ids in chunks(frontier) for edge in _inputs(connection, ids)]
        frontier = list(dict.fromkeys(one for _, one in edges if one not in seen))
        seen.update(frontier)
        for of, one in edges:
            via.setdefault(one, of)
    return via


def _inputs(connection: sa.Connection, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield (id, id of an input) for what these were made over: rows of the same tenant or global ones, by digest."""
    over = sa.select(_m.c.id, _m.c.tenant, _sets.c.anchors_json).join(_sets, _m.c.anchor_set_id == _sets.c.id)
    wanted: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in connection.execute(over.where(_m.c.id.in_(_IDS)), {"ids": ids}):
        for anchor in decode_anchors(row.anchors_json, where=f"materialization {row.id}"):
            if anchor.kind is AnchorKind.RESULT_DIGEST:
                wanted.setdefault((anchor.source, anchor.anchor), []).append((row.id, row.tenant))
    named = sa.select(_m.c.id, _m.c.tenant, _m.c.table_name, _m.c.artifact_digest).where(
        _m.c.table_name.in_(sa.bindparam("tables", expanding=True)), COLLECTABLE
    )
    for tables in chunks(sorted({table for table, _ in wanted})):
        for one in connection.execute(named, {"tables": tables}):
            for of, tenant in wanted.get((one.table_name, one.artifact_digest), ()):
                if one.tenant in (tenant, ""):
                    yield of, one.id


def _doomed(row: Any) -> Doomed:
    identity, table, deployment, attempt, start, path, digest, size = row
    return Doomed(
        materialization_id=identity,
        table=table,
        deployment=deployment,
        attempt=attempt or identity,
        start_sequence=start,
        artifact_path=path,
        artifact_digest=digest,
        size_bytes=size,
    )
