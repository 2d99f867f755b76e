"""Catalogs of any size: rows as the funnel writes them, loaded with plain SQL, and never analysed."""

from __future__ import annotations

import hashlib
import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jammi_dagster import DefinitionHash, InputAnchor, ResultStore
from jammi_dagster.artifacts import DEFAULT_PROFILE, artifact_path
from jammi_dagster.contract import AnchorKind, anchor_set_key, canonical_json

GRAPHS = ("chain", "fan", "lattice")
# one of so many tables has bytes, so that it can be probed
WITH_BYTES_EVERY = 97
WIDE_ANCHORS = 10_000
SIZE_BYTES = 1_000

_PROFILE = canonical_json(DEFAULT_PROFILE.to_dict()).decode()
_AT = "2026-11-22T12:00:00+00:00"
_RUN = "6c1a3c5e-0d0f-4b5e-9a33-7d2b1f0e8c11"
_LOADED_AT_ONCE = 20_000

Row = tuple[Any, ...]
_COLUMNS: Mapping[str, Sequence[str]] = {
    "anchor_sets": ("id", "set_key", "anchors_json"),
    "anchor_edges": ("source", "anchor_set_id", "kind"),
    "materializations": (
        *("id", "tenant", "deployment", "table_name", "status", "artifact_path", "definition_hash"),
        *("anchor_set_id", "artifact_digest", "size_bytes", "row_count", "writer_profile"),
        *("compute_seconds", "produced_by", "start_sequence", "created_at", "completed_at"),
    ),
    "pointers": (
        *("tenant", "deployment", "table_name", "materialization_id", "start_sequence"),
        *("made_by_tenant", "made_at_sequence", "definition_hash", "anchor_set_id", "artifact_digest"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The size of a catalog: materializations, tables, and the edges of each graph beside them."""

    materializations: int
    tables: int
    edges: int

    def versions(self, number: int) -> int:
        """Return how often a table was made: some once, some often, so that current rows lie all over the history."""
        average = self.materializations // self.tables
        return 1 + number % (2 * average - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRow:
    """One materialization of a table of a graph; `inputs` are the numbers and versions of other tables."""

    graph: str
    number: int
    version: int = 0
    is_current: bool = True
    inputs: tuple[tuple[int, int], ...] = ()

    @property
    def table(self) -> str:
        return table_name(self.graph, self.number)

    @property
    def deployment(self) -> str:
        return self.graph if self.graph in GRAPHS else "default"

    @property
    def definition(self) -> str:
        return definition(self.graph, self.number)

    @property
    def digest(self) -> str:
        return _digest(self.graph, self.number, self.version)

    @property
    def materialization_id(self) -> str:
        """The id, which sorts by time, as the funnel's ids do."""
        order = self.version * 10**8 + self.number
        return f"{order:012x}{_hex(f'id {self.graph} {order}')[:20]}"

    @property
    def artifact_path(self) -> str:
        return artifact_path(None, self.table, self.materialization_id)

    @property
    def anchors(self) -> list[InputAnchor]:
        graph, kind = self.graph if self.graph in GRAPHS else "facts", AnchorKind.RESULT_DIGEST
        return [
            InputAnchor(source=table_name(graph, number), anchor=_digest(graph, number, version), kind=kind)
            for number, version in self.inputs
        ]


def table_name(graph: str, number: int) -> str:
    """Return the name of a table: a partition of an asset."""
    return f"warehouse/{graph}_{number // 365:05}[day {number % 365:03}]"


def definition(graph: str, number: int) -> str:
    """Return the definition of a table, the same in all its materializations."""
    return _hex(f"definition {graph} {number}")


def definitions(size: Size) -> dict[str, DefinitionHash]:
    """Map every table of the default deployment to its definition."""
    facts = {table_name("facts", n): DefinitionHash(definition("facts", n)) for n in range(size.tables)}
    return {**facts, table_name("wide", 0): DefinitionHash(definition("wide", 0))}


def facts(size: Size) -> Iterator[GraphRow]:
    """Yield the default deployment in order of time: of ten tables two without inputs, the others with one or two."""
    rounds = max(map(size.versions, range(size.tables)))
    for version in range(rounds):
        for number in range(size.tables):
            if version < size.versions(number):
                yield fact(size, number, version)


def fact(size: Size, number: int, version: int | None = None) -> GraphRow:
    """Return a materialization of a table of `facts`, by default the current one, which is fresh."""
    last = size.versions(number) - 1
    version = last if version is None else version
    parents = () if number % 5 == 0 else sorted({number // 4, number // (3 + number % 2)})
    inputs = (
        (parent, newest if version == last else min(version, newest))
        for parent in parents
        if parent < number
        for newest in (size.versions(parent) - 1,)
    )
    return GraphRow(
        graph="facts", number=number, version=version, is_current=version == last, inputs=tuple(inputs)
    )


def probed(size: Size) -> list[GraphRow]:
    """List the current materializations that have bytes; like all others they are fresh."""
    return [fact(size, number) for number in range(1, size.tables, WITH_BYTES_EVERY)]


def wide(size: Size) -> GraphRow:
    """Return a table with bytes and 10,000 inputs, or as many as there are."""
    inputs = ((number, size.versions(number) - 1) for number in range(min(WIDE_ANCHORS, size.tables)))
    return GraphRow(graph="wide", number=0, inputs=tuple(inputs))


def graph_tables(graph: str, edges: int) -> Iterator[GraphRow]:
    """Yield the tables of a graph of so many edges, all downstream of its table 0; each graph is a deployment."""
    yield GraphRow(graph=graph, number=0)
    if graph == "lattice":
        yield from _lattice(edges)
        return
    for number in range(1, edges + 1):
        yield GraphRow(graph=graph, number=number, inputs=((number - 1 if graph == "chain" else 0, 0),))


def _lattice(edges: int) -> Iterator[GraphRow]:
    """Yield a square grid: each table over the one to its left and the one above it, so that countless paths meet."""
    side = int((edges / 2) ** 0.5) + 2
    made = 0
    for number in range(1, side * side):
        row, column = divmod(number, side)
        parents = [i for i, is_there in ((number - side, row), (number - 1, column)) if is_there]
        inputs = tuple((parent, 0) for parent in parents[: edges - made])
        made += len(inputs)
        yield GraphRow(graph="lattice", number=number, inputs=inputs)
        if made == edges:
            return


def load(catalog: str, root: str, size: Size) -> None:
    """Fill a new catalog, and make the bytes of the probed tables."""
    store = ResultStore(root, catalog)
    store.database.make()
    store.close()
    graphs = (graph_tables(graph, size.edges) for graph in GRAPHS)
    starts, sets = itertools.count(1), dict[str, int]()
    loader = _Postgres(catalog) if catalog.startswith("postgresql") else _Sqlite(catalog)
    made = itertools.chain(facts(size), [wide(size)], *graphs)
    while chunk := list(itertools.islice(made, _LOADED_AT_ONCE)):
        loader.add(_rows(chunk, sets, starts))
    loader.finish(starts=next(starts), sets=len(sets))
    for each in (wide(size), *probed(size)):
        path = Path(root, each.artifact_path)
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(SIZE_BYTES))


def _rows(chunk: Iterable[GraphRow], sets: dict[str, int], starts: Iterator[int]) -> dict[str, list[Row]]:
    """Group the rows by database table; `sets` maps the keys of anchor sets to their ids, and grows."""
    rows: dict[str, list[Row]] = {name: [] for name in _COLUMNS}
    for made in chunk:
        anchors, start = sorted(made.anchors, key=lambda anchor: anchor.source), next(starts)
        table, materialization, definition_hash = made.table, made.materialization_id, made.definition
        key = anchor_set_key(anchors)
        if key not in sets:
            sets[key] = len(sets) + 1
            anchors_json = json.dumps([anchor.to_dict() for anchor in anchors], ensure_ascii=False)
            rows["anchor_sets"].append((sets[key], key, anchors_json))
            rows["anchor_edges"] += [(a.source, sets[key], a.kind.value) for a in anchors]
        path = artifact_path(None, table, materialization)
        rows["materializations"].append(
            (
                *(materialization, "", made.deployment, table, "ready", path, definition_hash, sets[key]),
                *(made.digest, SIZE_BYTES, 100, _PROFILE, 1.5, _RUN, start, _AT, _AT),
            )
        )
        if made.is_current:
            pointer = ("", made.deployment, table, materialization, start)
            rows["pointers"].append((*pointer, "", start, definition_hash, sets[key], made.digest))
    return rows


class _Sqlite:
    """A loader that appends rows in one transaction, with nothing to roll back."""

    def __init__(self, catalog: str) -> None:
        self._connection = sqlite3.connect(catalog)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -500000"):
            self._connection.execute(f"PRAGMA {pragma}")
        indexes = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        self._indexes = dict(self._connection.execute(indexes).fetchall())
        for name in self._indexes:  # made again in the end, which is faster than row by row
            self._connection.execute(f"DROP INDEX {name}")

    def add(self, rows: Mapping[str, Sequence[Row]]) -> None:
        for table, columns in _COLUMNS.items():
            marks = ", ".join("?" * len(columns))
            insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
            self._connection.executemany(insert, rows[table])

    def finish(self, *, starts: int, sets: int) -> None:
        for statement in (*self._indexes.values(), _COUNTERS.format(starts)):
            self._connection.execute(statement)
        self._connection.commit()
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.close()


class _Postgres:
    """A loader that appends rows by COPY in one transaction."""

    def __init__(self, catalog: str) -> None:
        import psycopg

        self._connection: Any = psycopg.connect(catalog)
        # no foreign key is looked up for rows that are known to fit
        self._connection.execute("SET session_replication_role = replica")
        indexes = (
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE schemaname = current_schema() AND indexdef LIKE 'CREATE INDEX %'"
        )
        self._indexes = dict(self._connection.execute(indexes).fetchall())
        for name in self._indexes:
            self._connection.execute(f"DROP INDEX {name}")

    def add(self, rows: Mapping[str, Sequence[Row]]) -> None:
        for table, columns in _COLUMNS.items():
            # no value here needs escaping
            lines = "".join(["\t".join(map(str, row)) + "\n" for row in rows[table]])
            with self._connection.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                copy.write(lines)

    def finish(self, *, starts: int, sets: int) -> None:
        for statement in (*self._indexes.values(), _COUNTERS.format(starts)):
            self._connection.execute(statement)
        self._connection.execute(f"SELECT setval('anchor_sets_id_seq', {sets})")
        self._connection.commit()
        self._connection.close()


_COUNTERS = "UPDATE catalog_state SET revision = {0}, start_sequence = {0}"


def _digest(graph: str, number: int, version: int) -> str:
    return _hex(f"digest {graph} {number} {version}")


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
