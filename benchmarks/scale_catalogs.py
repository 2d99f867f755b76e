"""Catalogs of any size: rows as the funnel writes them, loaded with plain SQL, kept between runs."""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jammi_dagster import DefinitionHash, InputAnchor, ResultStore
from jammi_dagster.artifacts import DEFAULT_PROFILE, artifact_path
from jammi_dagster.catalog import migrations
from jammi_dagster.contract import AnchorKind, anchor_set_key, canonical_json

KEPT = Path(tempfile.gettempdir()) / "jammi-bench-catalogs"
DATABASES = ("sqlite", "postgres")
GRAPHS = ("chain", "fan", "lattice")
# every so many tables one has bytes, so that it can be probed
WITH_BYTES_EVERY = 97
WIDE_ANCHORS = 10_000
SIZE_BYTES = 1_000

_PROFILE = canonical_json(DEFAULT_PROFILE.to_dict()).decode()
_AT = "2026-11-22T12:00:00+00:00"
_RUN = "6c1a3c5e-0d0f-4b5e-9a33-7d2b1f0e8c11"
_STALE_EVERY = 50
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
    """So many materializations of so many tables, and beside them graphs of so many edges each."""

    materializations: int
    tables: int
    edges: int

    def __str__(self) -> str:
        return f"{self.materializations:,} of {self.tables:,} tables"

    def versions(self, number: int) -> int:
        """How often a table was made: some once, some often, so that what is current lies all over the history."""
        average = self.materializations // self.tables
        return 1 + number % (2 * average - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One materialization of a table of a graph; `inputs` are the numbers and versions of other tables of it."""

    graph: str
    number: int
    version: int = 0
    is_current: bool = True
    inputs: tuple[tuple[int, int], ...] = ()

    @property
    def table(self) -> str:
        return table_name(self.graph, self.number)

    @property
    def definition(self) -> DefinitionHash:
        return definition(self.graph, self.number)

    @property
    def digest(self) -> str:
        return _hex("digest", self.graph, self.number, self.version)

    @property
    def materialization_id(self) -> str:
        """Sorts by the time of making, as the funnel's do."""
        order = self.version * 10**8 + self.number
        return f"{order:012x}{_hex('id', self.graph, order)[:20]}"

    @property
    def artifact_path(self) -> str:
        return artifact_path(None, self.table, self.materialization_id)

    @property
    def anchors(self) -> tuple[InputAnchor, ...]:
        """The inputs; of every 50th table in a state that they had before they were first recorded."""
        return tuple(
            InputAnchor(
                source=table_name(self.graph, number),
                anchor=_hex(
                    "digest", self.graph, number, -1 if self.number % _STALE_EVERY == 49 else version
                ),
                kind=AnchorKind.RESULT_DIGEST,
            )
            for number, version in self.inputs
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A catalog that is loaded."""

    catalog: str
    root: str
    size: Size

    def open(self, deployment: str = "default") -> ResultStore:
        """A store on the catalog, with its caches empty."""
        return ResultStore(self.root, self.catalog, deployment=deployment)


def table_name(graph: str, number: int) -> str:
    """The name of a table: partitions of assets."""
    return f"warehouse/{graph}_{number // 365:05}[day {number % 365:03}]"


def definition(graph: str, number: int) -> DefinitionHash:
    """The definition of a table, which is the same in all its materializations."""
    return DefinitionHash(_hex("definition", graph, number))


def facts(size: Size) -> Iterator[Made]:
    """The default deployment, in the order of making: of ten tables two without inputs, four each with one and two."""
    rounds = max(map(size.versions, range(size.tables)))
    for version in range(rounds):
        for number in range(size.tables):
            if version < size.versions(number):
                yield fact(size, number, version)


def fact(size: Size, number: int, version: int | None = None) -> Made:
    """A materialization of a table of `facts`, by default the current one."""
    last = size.versions(number) - 1
    version = last if version is None else version
    parents = {0: (), 5: ()}.get(number % 10, sorted({number // 4, number // (3 + number % 2)}))
    inputs = tuple(
        (parent, min(version, size.versions(parent) - 1) if version < last else size.versions(parent) - 1)
        for parent in parents
        if parent < number
    )
    return Made(graph="facts", number=number, version=version, is_current=version == last, inputs=inputs)


def wide(size: Size) -> Made:
    """A table with 10,000 inputs, or as many as there are."""
    inputs = ((number, size.versions(number) - 1) for number in range(min(WIDE_ANCHORS, size.tables)))
    return Made(graph="wide", number=0, inputs=tuple(inputs))


def graph_tables(graph: str, edges: int) -> Iterator[Made]:
    """The tables of a graph of so many edges, all downstream of its table 0."""
    yield Made(graph=graph, number=0)
    if graph == "lattice":
        yield from _lattice(edges)
        return
    for number in range(1, edges + 1):
        yield Made(graph=graph, number=number, inputs=((number - 1 if graph == "chain" else 0, 0),))


def _lattice(edges: int) -> Iterator[Made]:
    """A square grid: each table over the one to its left and the one above, so that paths without number meet."""
    side = int((edges / 2) ** 0.5) + 2
    made = 0
    for number in range(1, side * side):
        row, column = divmod(number, side)
        inputs = tuple((i, 0) for i, there in ((number - side, row), (number - 1, column)) if there)
        made += len(inputs)
        yield Made(graph="lattice", number=number, inputs=inputs)
        if made >= edges:
            return


def kept(database: str, size: Size) -> Kept:
    """The catalog of this size, loaded where it is not there yet. Delete `KEPT` to be rid of them all."""
    code = hashlib.sha256(Path(__file__).read_bytes())
    for revision in sorted((Path(migrations.__file__).parent / "versions").glob("*.py")):
        code.update(revision.read_bytes())
    shape = f"{database}_{size.materializations}_{size.tables}_{size.edges}"
    name = f"{shape}_{code.hexdigest()[:8]}"
    folder = KEPT / name
    catalog = str(folder / "catalog.db") if database == "sqlite" else _postgres_url(name)
    found = Kept(catalog=catalog, root=str(folder / "root"), size=size)
    if not (folder / "loaded").exists():
        for older in KEPT.glob(f"{shape}_*"):
            shutil.rmtree(older)
        _load(found, folder)
        (folder / "loaded").touch()
    return found


def _load(into: Kept, folder: Path) -> None:
    folder.mkdir(parents=True)
    if into.catalog.startswith("postgresql"):
        _make_database(into.catalog)
    into.open().close()  # makes the schema
    size = into.size
    graphs = (graph_tables(graph, size.edges) for graph in GRAPHS)
    with _Loader(into.catalog) as loader:
        starts = itertools.count(1)
        sets: dict[str, int] = {}
        for chunk in _chunks(itertools.chain(facts(size), [wide(size)], *graphs)):
            loader.add(_rows(chunk, sets, starts))
        loader.finish(next(starts))
    for made in [wide(size), *(fact(size, number) for number in range(0, size.tables, WITH_BYTES_EVERY))]:
        path = Path(into.root, made.artifact_path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(SIZE_BYTES))


def _rows(chunk: Iterable[Made], sets: dict[str, int], starts: Iterator[int]) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {name: [] for name in _COLUMNS}
    for made in chunk:
        anchors, start = sorted(made.anchors, key=lambda anchor: anchor.source), next(starts)
        key = anchor_set_key(anchors)
        if key not in sets:
            sets[key] = len(sets) + 1
            anchors_json = json.dumps([anchor.to_dict() for anchor in anchors], ensure_ascii=False)
            rows["anchor_sets"].append((sets[key], key, anchors_json))
            rows["anchor_edges"] += [(a.source, sets[key], a.kind.value) for a in anchors]
        deployment = made.graph if made.graph in GRAPHS else "default"
        rows["materializations"].append(
            (
                *(made.materialization_id, "", deployment, made.table, "ready", made.artifact_path),
                *(str(made.definition), sets[key], made.digest, SIZE_BYTES, 100, _PROFILE),
                *(1.5, _RUN, start, _AT, _AT),
            )
        )
        if made.is_current:
            pointer = ("", deployment, made.table, made.materialization_id, start)
            rows["pointers"].append((*pointer, "", start, str(made.definition), sets[key], made.digest))
    return rows


class _Loader:
    """Appends rows to the catalog's tables, in one transaction."""

    def __init__(self, catalog: str) -> None:
        self._connection: Any
        self._is_sqlite = not catalog.startswith("postgresql")
        if self._is_sqlite:
            self._connection = sqlite3.connect(catalog)
            self._connection.execute("PRAGMA cache_size = -500000")
        else:
            import psycopg

            self._connection = psycopg.connect(catalog)
            # no foreign key is looked up for rows that are known to fit
            self._connection.execute("SET session_replication_role = replica")

    def __enter__(self) -> _Loader:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def add(self, rows: Mapping[str, Sequence[Row]]) -> None:
        for table, columns in _COLUMNS.items():
            names = ", ".join(columns)
            if self._is_sqlite:
                marks = ", ".join("?" * len(columns))
                insert = f"INSERT INTO {table} ({names}) VALUES ({marks})"
                self._connection.executemany(insert, rows[table])
            else:
                with self._connection.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                    for row in rows[table]:
                        copy.write_row(row)

    def finish(self, starts: int) -> None:
        self._connection.execute(f"UPDATE catalog_state SET revision = {starts}, start_sequence = {starts}")
        if not self._is_sqlite:
            self._connection.execute("SELECT setval('anchor_sets_id_seq', (SELECT max(id) FROM anchor_sets))")
        self._connection.commit()
        if not self._is_sqlite:  # what autovacuum does within a minute
            self._connection.autocommit = True
            self._connection.execute("VACUUM ANALYZE")


def _postgres_url(name: str) -> str:
    """The URL of the database of this name in a server of the benchmarks' own, which is started if need be."""
    import pgserver

    KEPT.mkdir(parents=True, exist_ok=True)
    return str(pgserver.get_server(KEPT / "postgres").get_uri(database=name))


def _make_database(url: str) -> None:
    import psycopg

    name, _, query = url.removeprefix("postgresql://postgres:@/").partition("?")
    with psycopg.connect(f"postgresql://postgres:@/postgres?{query}", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')


def _hex(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _chunks(items: Iterable[Made]) -> Iterator[list[Made]]:
    rest = iter(items)
    while chunk := list(itertools.islice(rest, _LOADED_AT_ONCE)):
        yield chunk
