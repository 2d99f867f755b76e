"""Queries of the catalog. Nothing here writes."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from jammi_dagster.catalog import queries
from jammi_dagster.catalog.acceptances import acceptance_of
from jammi_dagster.catalog.database import Database, Reading
from jammi_dagster.catalog.records import (
    CatalogMark,
    CurrentCost,
    CurrentMatch,
    CurrentRow,
    Hold,
    MaterializationRecord,
    Move,
    Outcomes,
    Scope,
    rfc3339,
)
from jammi_dagster.contract import Acceptance, AnchorKind, DerivesFromEdge
from jammi_dagster.contract.fields import Fields
from jammi_dagster.errors import ArtifactOutsideRoot, InvalidField

_log = logging.getLogger("jammi_dagster")
# few enough to be gone before the garbage collector, which a sweep would keep busy, counts them among the old
_STREAMED = 500
_KINDS = {kind.value: kind for kind in AnchorKind}


class CatalogReader:
    """Queries of a catalog, as a scope sees it. `uri_of` turns an artifact's relative path into its URI."""

    def __init__(
        self,
        database: Database,
        scope: Scope,
        uri_of: Callable[[str], str],
        *,
        reading: Reading | None = None,
    ) -> None:
        """Take the connections from `reading`, or from the database itself."""
        self._database, self._uri_of = database, uri_of
        self._reading = reading or database.reading
        self._digests: dict[str, str] | None = None
        self._of, self._scope = scope, scope.parameters()
        self._queries = queries.scoped(scope.reach, is_sqlite=database.is_sqlite)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[CatalogReader]:
        """Give a reader for whom the catalog stands still, so that its answers agree with each other."""
        if self._reading != self._database.reading:  # it stands still already
            yield self
            return
        with self._database.snapshot() as reading:
            yield self._with(self._of.tenant, reading)

    def state(self) -> CatalogMark:
        """Read the catalog's id, and its revision and mark, which change whenever a row flips or a pointer moves."""
        row = {k: v for row in self._rows(queries.STATE, {}) for k, v in row._mapping.items()}
        state, mark = Fields(row, "catalog"), str(row.get("mark") or "")
        return CatalogMark(state.take("catalog_id", str), state.take("revision", int), mark)

    def get(self, materialization_id: str) -> MaterializationRecord | None:
        """Find the materialization with this id, of whatever status."""
        rows = self._rows(queries.GET, {"id": materialization_id})
        return self._record(rows[0]) if rows else None

    def records(
        self, materialization_ids: Iterable[str], *, with_anchors: bool = False
    ) -> dict[str, MaterializationRecord]:
        """Find the materializations with these ids, of whatever status; `input_anchors` only if told to."""
        found: dict[str, MaterializationRecord] = {}
        for chunk in queries.chunks(materialization_ids):
            rows = self._rows(queries.WHOLE_RECORDS if with_anchors else queries.RECORDS, {"ids": chunk})
            found.update((row.id, record) for row, record in self._decoded(rows))
        return found

    def current(self, table: str) -> MaterializationRecord | None:
        """Find the table's current materialization in the scope's deployment."""
        rows = self._rows(self._queries.current, {"table": table})
        return self._answered(rows[-1], self._record(rows[-1])) if rows else None

    def current_of(self, tables: Iterable[str]) -> dict[str, MaterializationRecord]:
        """Find the current materialization of each of `tables` that has one. `input_anchors` are not loaded."""
        return self._by_name(self._queries.current_of, tables, {})

    def of_run(self, run_id: str, tables: Iterable[str]) -> dict[str, MaterializationRecord]:
        """Find the run's own materialization of each of `tables`. `input_anchors` are not loaded."""
        return self._by_name(queries.OF_RUN, tables, {"run_id": run_id})

    def tables(self) -> list[str]:
        """List the names of all tables of the scope that have a current materialization, sorted."""
        return [row.table_name for row in self._rows(self._queries.names, {})]

    def deployments(self) -> list[str]:
        """List the names of all deployments in which a readable table is current, sorted."""
        return [row.deployment for row in self._rows(queries.DEPLOYMENTS, {})]

    def covered(self, tables: Iterable[str] | None) -> set[str]:
        """Find the names, among `tables` or all, that have a pointer in this deployment, be it an empty one."""
        if tables is None:
            return set(self._names(queries.COVERED, {}))
        return {
            name
            for chunk in queries.chunks(tables)
            for name in self._names(queries.COVERED_OF, {"tables": chunk})
        }

    def _names(self, query: queries.Query, parameters: Mapping[str, Any]) -> Iterator[str]:
        return (row.table_name for row in self._rows(query, parameters))

    def restored(self) -> list[str]:
        """List the tables of the scope whose pointer adoption has set, and nothing has moved since, sorted."""
        return sorted({row.table_name for row in self._rows(self._queries.restored, {})})

    def neighbours(self, table: str, *, most: int) -> list[str]:
        """List at most `most` names of `tables()` before `table` in sorted order, and as many after it."""
        return self._beside(table, most, self._queries.names_before, self._queries.names_after)

    def artifacts_after(self, table: str, *, most: int) -> list[tuple[str, str, int | None]]:
        """List at most `most` current tables after `table` in sorted order, each with path and size of its artifact."""
        return [
            tuple(row) for row in self._rows(self._queries.artifacts_after, {"table": table, "most": most})
        ]

    def sources(self, near: str, *, most: int) -> list[str]:
        """List at most `most` inputs of current tables before `near` in sorted order, and as many after it."""
        nearby = (self._queries.sources_before, self._queries.sources_after)
        return [
            row[0] for query in nearby for row in self._overestimated(query, {"table": near, "most": most})
        ]

    def history(self, table: str) -> list[MaterializationRecord]:
        """List all materializations of the table, of every status and deployment, the latest start first."""
        return [record for _, record in self._decoded(self._rows(queries.HISTORY, {"table": table}))]

    def moves(self, table: str) -> list[Move]:
        """List all moves of the table's name, in every deployment, the latest first."""
        return [_move(row) for row in self._rows(queries.MOVES, {"table": table})]

    def move_at(self, table: str, at: int | datetime) -> Move | None:
        """Find the last move of the table's name in this deployment up to a sequence or an instant.

        A sequence may also be that of the start that moved. A tenant's own table hides the global one from the
        tenant's first move on, until it is emptied; a branch's table, be it an emptied one, hides its parent's.
        """
        own = self._move_in(self._of.deployment, table, at)
        if self._of.parent is None or (own is not None and own.outcome != "ended"):
            return own
        past = at if self._of.parent_at is None else self._of.parent_at
        return self._move_in(self._of.parent, table, past)

    def _move_in(self, deployment: str, table: str, at: int | datetime) -> Move | None:
        emptied = None
        for tenant in self._of.readable:
            move = self._move_at({"table": table, "of_tenant": tenant, "deployment": deployment}, at)
            if move is not None and move.materialization_id is not None:
                return move
            emptied = emptied or move
        return emptied

    def _move_at(self, place: Mapping[str, Any], at: int | datetime) -> Move | None:
        if isinstance(at, datetime):
            rows = self._rows(queries.LAST_MOVE_UNTIL, {**place, "at": at.timestamp()})
        else:
            rows = self._rows(queries.LAST_MOVE_OF_START, {**place, "at": at})
            rows = rows or self._rows(queries.LAST_MOVE_UP_TO, {**place, "at": at})
        return _move(rows[0]) if rows else None

    def holds(self) -> dict[str, Hold]:
        """Map each table of the scope's own that is held to its hold."""
        return {row.table_name: hold_of(row) for row in self._rows(queries.HOLDS, {})}

    def acceptances(self) -> dict[str, Acceptance]:
        """Map each table whose current materialization is accepted in this deployment to the last acceptance of it."""
        rows = {row.table_name: acceptance_of(row._mapping) for row in self._rows(queries.ACCEPTANCES, {})}
        current = self.current_of(rows) if rows else {}
        return {
            table: acceptance
            for table, acceptance in rows.items()
            if table in current and current[table].materialization_id == acceptance.materialization_id
        }

    def matches(
        self, definition: str, set_key: str, *, only_best: bool = False
    ) -> list[MaterializationRecord]:
        """List the ready materializations of exactly this definition and anchor set: the current one, then the newest.

        Their `input_anchors` are not loaded: as a set they are the ones asked for.
        """
        query = self._queries.best_match if only_best else self._queries.matches
        rows = self._rows(query, {"definition": definition, "set_key": set_key})
        found = [record for row in rows if (record := self._decode(row, whole=True)) is not None]
        if only_best and rows and not found:
            return self.matches(definition, set_key)[:1]
        return found

    def best_matches(
        self, wanted: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], MaterializationRecord | None]:
        """Map each definition and anchor set with `matches` to the best of them; to None where that row is damaged."""
        found: dict[tuple[str, str], MaterializationRecord | None] = {}
        for chunk in queries.chunks(wanted):
            definitions, set_keys = (list(dict.fromkeys(column)) for column in zip(*chunk, strict=True))
            asked, given = set(chunk), {"definitions": definitions, "set_keys": set_keys}
            for row in self._rows(self._queries.best_matches, given):
                if (row.definition_hash, row.set_key) in asked:
                    found[row.definition_hash, row.set_key] = self._decode(row, whole=True)
        return found

    def stored_definitions(self, definitions: Iterable[str]) -> set[str]:
        """Find the definitions that any ready materialization has, over whichever inputs."""
        return {
            row.definition_hash
            for chunk in queries.chunks(definitions)
            for row in self._rows(queries.STORED_DEFINITIONS, {"definitions": chunk})
        }

    def annotation(self, materialization_id: str) -> str | None:
        """Read the JSON that was recorded beside a materialization, for a reuse to emit again."""
        return self.annotations([materialization_id]).get(materialization_id)

    def annotations(self, materialization_ids: Iterable[str]) -> dict[str, str]:
        """Read the JSON that was recorded beside each materialization that has any, by id."""
        found: dict[str, str] = {}
        for chunk in queries.chunks(materialization_ids):
            found.update(tuple(row) for row in self._rows(queries.ANNOTATIONS, {"ids": chunk}))
        return found

    def annotations_of(self, tables: Iterable[str]) -> dict[str, str]:
        """Read the JSON recorded beside the current materialization of each of `tables` that has one."""
        found: dict[str, str] = {}
        for chunk in queries.chunks(tables):
            found.update(tuple(row) for row in self._rows(self._queries.annotations_of, {"tables": chunk}))
        # a tenant's own table comes last, and hides the global one, whether it has any or not
        return {table: text for table, text in found.items() if text is not None}

    def edges(self, source: str | None = None) -> list[DerivesFromEdge]:
        """List the edges of all current materializations, or of `source`; by the start of the derived."""
        query = self._queries.edges if source is None else self._queries.edges_of
        rows = self._overestimated(query, {"source": source})
        one: dict[str, str] = {}  # a name is in many edges: they share one string
        same = one.setdefault
        try:
            return [
                DerivesFromEdge(input=same(source, source), derived=same(table, table), kind=_KINDS[kind])
                for source, table, kind in rows
            ]
        except KeyError as error:
            raise InvalidField(
                what="catalog",
                path="edge index",
                value=error.args[0],
                expected="a kind of anchor; run recover()",
            ) from None

    def current_rows(self) -> Generator[CurrentRow, None, None]:
        """Stream every current table with its recorded identity, in no order; only of a frozen reader."""
        for chunk in self._stream(self._queries.current_rows):
            yield from map(CurrentRow._make, chunk)

    def digests(self) -> Mapping[str, str]:
        """Read the artifact digest of every current table, by name; only of a frozen reader, once for all callers."""
        if self._digests is None:
            digests: dict[str, str] = {}
            for chunk in self._stream(self._queries.digests):
                digests.update(chunk)
            self._digests = digests
        return self._digests

    def current_costs(self) -> Generator[CurrentCost, None, None]:
        """Stream the cost of every current table, in no order; only of a frozen reader."""
        for chunk in self._stream(self._queries.current_costs):
            yield from map(_cost, chunk)

    def outcomes(self, *, most: int) -> Outcomes | None:
        """Count the tables that all runs of the tenant computed and reused; None for more than `most` on record."""
        if self._rows(queries.RESULTS_BEYOND, {"most": most}):
            return None
        return Outcomes._make(self._rows(queries.OUTCOMES, {})[0])

    def outcomes_of(self, runs: Iterable[str]) -> dict[str, Outcomes]:
        """Count the tables that each of these runs computed and reused; leave out runs without a table."""
        found: dict[str, Outcomes] = {}
        for chunk in queries.chunks(runs):
            rows = self._rows(queries.OUTCOMES_OF, {"runs": chunk})
            found.update((run, Outcomes._make(counts)) for *counts, run in rows)
        return found

    def current_matches(self, tables: Collection[str]) -> dict[str, CurrentMatch]:
        """Read the current materialization of each of `tables` as a probe needs it."""
        found: dict[str, CurrentMatch] = {}
        for chunk in queries.chunks(sorted(tables)):  # neighbours lie side by side
            for row, record in self._pointed(self._rows(self._queries.current_matches, {"tables": chunk})):
                set_key = row.set_key if _tells_its_bytes(record) else None
                found[row.pointed_as] = CurrentMatch(record, set_key, row.annotation_json)
        return found

    def for_tenant(self, tenant: str) -> CatalogReader:
        """Give the reader in whose scope the anchors of a row of `tenant` resolve (DESIGN 2.11).

        Raises `InvalidField` for a tenant whose rows are not to be seen here.
        """
        if tenant not in self._of.readable:
            raise InvalidField(
                what="scope", path="tenant", value=tenant, expected="the own tenant or the global one"
            )
        return self if tenant == self._of.tenant else self._with(tenant, self._reading)

    def in_scope(self, scope: Scope) -> CatalogReader:
        """Give a reader of the same catalog, as another scope sees it."""
        return CatalogReader(self._database, scope, self._uri_of)

    def _with(self, tenant: str, reading: Reading) -> CatalogReader:
        scope = replace(self._of, tenant=tenant)
        return CatalogReader(self._database, scope, self._uri_of, reading=reading)

    def _beside(self, name: str, most: int, *queries: sa.Select[Any]) -> list[str]:
        return [row[0] for query in queries for row in self._rows(query, {"table": name, "most": most})]

    def _by_name(
        self, query: sa.Select[Any], tables: Iterable[str], parameters: Mapping[str, Any]
    ) -> dict[str, MaterializationRecord]:
        found: dict[str, MaterializationRecord] = {}
        for chunk in queries.chunks(tables):
            for row, record in self._pointed(self._rows(query, {**parameters, "tables": chunk})):
                found[row.pointed_as] = record
        return found

    def _rows(self, query: queries.Query, parameters: Mapping[str, Any]) -> list[Any]:
        wanted = {**self._scope, **parameters}
        with self._reading() as connection:
            statement = query if isinstance(query, sa.Select) else query[connection.dialect.name]
            return list(connection.execute(statement, wanted).all())

    def _overestimated(self, query: queries.Query, parameters: Mapping[str, Any]) -> list[Any]:
        """Run a statement whose rows PostgreSQL overestimates in a transaction that keeps it from compiling it."""
        if self._database.is_sqlite:
            return self._rows(query, parameters)
        with self.frozen() as frozen:
            return frozen._rows(query, parameters)

    def _stream(self, query: sa.Select[Any]) -> Generator[Sequence[Any], None, None]:
        streamed = {"yield_per": _STREAMED}
        with (
            self._reading() as connection,
            connection.execute(query, self._scope, execution_options=streamed) as rows,
        ):
            yield from rows.partitions()

    def _pointed(self, rows: Iterable[sa.Row[Any]]) -> Iterator[tuple[sa.Row[Any], MaterializationRecord]]:
        """Decode the last row of each name: a tenant's own hides the global one, though it is damaged."""
        found = self._decoded({row.pointed_as: row for row in rows}.values())
        return ((row, self._answered(row, record)) for row, record in found)

    @staticmethod
    def _answered(row: sa.Row[Any], record: MaterializationRecord) -> MaterializationRecord:
        """Note whose pointer answered; a record of its own for each row, so that it may be changed."""
        record.__dict__["answered_by"] = row.answered_by
        return record

    def _decoded(self, rows: Iterable[sa.Row[Any]]) -> Iterator[tuple[sa.Row[Any], MaterializationRecord]]:
        """Decode rows; pass over the damaged ones."""
        return ((row, record) for row in rows if (record := self._decode(row)) is not None)

    def _decode(self, row: sa.Row[Any], *, whole: bool = False) -> MaterializationRecord | None:
        """Decode a row; None, with a warning, where its path leads out of the root.

        With `whole`, also where it does not tell which bytes are its own.
        """
        try:
            record = self._record(row)
            if not whole or _tells_its_bytes(record):
                return record
            why = "its row lacks the digest, size or row count of its bytes"
        except ArtifactOutsideRoot as error:
            why = str(error)
        _log.warning("table %s: a recorded materialization is passed over, %s", row.table_name, why)
        return None

    def _record(self, row: Iterable[Any]) -> MaterializationRecord:
        identity, table, status, tenant, deployment, path, digest, size, rows, definition, inputs, *rest = row
        (
            seconds,
            reproducibility,
            produced_by,
            start,
            created_at,
            completed_at,
            order,
            anchors,
            answers,
            *_,
        ) = rest
        return MaterializationRecord.of_fields(
            {
                "materialization_id": identity,
                "table": table,
                "status": status,
                "tenant": tenant,
                "deployment": deployment,
                "artifact_path": path,
                "artifact_uri": self._uri_of(path),
                "artifact_digest": digest,
                "size_bytes": size,
                "row_count": rows,
                # freshness.rs, `staleness`: a definition without anchors is no manifest
                "definition_hash": definition if inputs is not None else None,
                "compute_seconds": _number(seconds),
                "reproducibility": reproducibility,
                "produced_by": produced_by,
                "start_sequence": start,
                "created_at": created_at,
                "completed_at": completed_at,
                "anchors_json": anchors,
                "anchor_order": order,
                "answers_json": answers,
            }
        )


def hold_of(row: sa.Row[Any]) -> Hold:
    """Decode the hold of a pointer that is held."""
    return Hold(
        table=row.table_name,
        deployment=row.deployment,
        materialization_id=row.materialization_id,
        by=row.held_by,
        since=rfc3339(row.held_since),
        reason=row.held_because,
        for_definition=row.held_for_definition,
    )


def _cost(row: Sequence[Any]) -> CurrentCost:
    """Decode a row; a damaged number of seconds or bytes is none."""
    cost = CurrentCost._make(row)
    return cost._replace(seconds=_number(cost.seconds), size_bytes=_number(cost.size_bytes))


def _number(value: Any) -> Any:
    """Return a number; None for the text or bytes that SQLite keeps in its place."""
    return value if isinstance(value, int | float) else None


def _move(row: sa.Row[Any]) -> Move:
    return Move(
        table=row.table_name,
        tenant=row.tenant,
        deployment=row.deployment,
        sequence=row.sequence,
        start_sequence=row.start_sequence,
        materialization_id=row.materialization_id,
        outcome=row.outcome,
        reason=row.cause,
        run_id=row.run_id,
        at=rfc3339(row.moved_at),
    )


def _tells_its_bytes(record: MaterializationRecord) -> bool:
    return (  # SQLite keeps whatever it is given
        isinstance(record.artifact_digest, str)
        and isinstance(record.size_bytes, int)
        and isinstance(record.row_count, int)
    )
