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
    "pointers": ("tenant", "deployment", "table_name", "materialization_id", "start_sequence"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of a graph and its only materialization; `inputs` are numbers of tables of the graph."""

    graph: str
    number: int
    inputs: tuple[int, ...]

    @property
    def name(self) -> str:
        return table_name(self.graph, self.number)

    @property
    def definition(self) -> DefinitionHash:
        return DefinitionHash(_hex("definition", self.graph, self.number))

    @property
    def digest(self) -> str:
        return _hex("digest", self.graph, self.number)

    @property
    def materialization_id(self) -> str:
        return (
            f"{GRAPHS.index(self.graph) + 1 if self.graph in GRAPHS else 0:02x}{self.number:010x}"
            + (_hex("id", self.graph, self.number)[:20])
        )

    @property
    def artifact_path(self) -> str:
        return artifact_path(None, self.name, self.materialization_id)

    @property
    def anchors(self) -> tuple[InputAnchor, ...]:
        """The inputs; of every 50th table as they were before."""
        return tuple(
            InputAnchor(
                source=table_name(self.graph, i),
                anchor=_hex("older" if self.number % _STALE_EVERY == 0 else "digest", self.graph, i),
                kind=AnchorKind.RESULT_DIGEST,
            )
            for i in self.inputs
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A catalog that is loaded: `size` materializations in the default deployment, and beside them the graphs."""

    catalog: str
    root: str
    size: int

    def open(self, deployment: str = "default") -> ResultStore:
        """A store on the catalog, with its caches empty."""
        return ResultStore(self.root, self.catalog, deployment=deployment)


def table_name(graph: str, number: int) -> str:
    """The name of a table: partitions of assets."""
    return f"warehouse/{graph}_{number // 365:05}[day {number % 365:03}]"


def tables(size: int) -> Iterator[Table]:
    """The tables of the default deployment: of each ten one without inputs, five with one, four with two."""
    for number in range(size):
        parents = {number // 4, number // 3 + 1} if number % 10 > 5 else {number // 4}
        inputs = () if number % 10 == 0 else tuple(sorted(parent for parent in parents if parent < number))
        yield Table(graph="facts", number=number, inputs=inputs)


def wide(size: int) -> Table:
    """The table with 10,000 inputs, or as many as there are."""
    return Table(graph="facts", number=size, inputs=tuple(range(min(WIDE_ANCHORS, size))))


def graph_tables(graph: str, edges: int) -> Iterator[Table]:
    """The tables of a graph of so many edges, all downstream of its table 0."""
    yield Table(graph=graph, number=0, inputs=())
    if graph == "chain":
        yield from (Table(graph=graph, number=i, inputs=(i - 1,)) for i in range(1, edges + 1))
    elif graph == "fan":
        yield from (Table(graph=graph, number=i, inputs=(0,)) for i in range(1, edges + 1))
    else:
        yield from _lattice(edges)


def _lattice(edges: int) -> Iterator[Table]:
    """A square grid: each table over the one to its left and the one above, so paths without number meet again."""
    side = int((edges / 2) ** 0.5) + 1
    made = 0
    for number in range(1, side * side):
        row, column = divmod(number, side)
        inputs = tuple(i for i, there in ((number - side, row), (number - 1, column)) if there)
        made += len(inputs)
        yield Table(graph="lattice", number=number, inputs=inputs)
        if made >= edges:
            return


def kept(database: str, size: int, edges: int) -> Kept:
    """The catalog of this size, loaded where it is not there yet. Delete `KEPT` to be rid of them all."""
    code = hashlib.sha256(Path(__file__).read_bytes())
    for revision in sorted((Path(migrations.__file__).parent / "versions").glob("*.py")):
        code.update(revision.read_bytes())
    name = f"{database}_{size}_{edges}_{code.hexdigest()[:8]}"
    folder = KEPT / name
    catalog = str(folder / "catalog.db") if database == "sqlite" else _postgres_url(name)
    found = Kept(catalog=catalog, root=str(folder / "root"), size=size)
    if not (folder / "loaded").exists():
        for older in KEPT.glob(f"{database}_{size}_{edges}_*"):
            shutil.rmtree(older)
        _load(found, edges, folder)
        (folder / "loaded").touch()
    return found


def _load(into: Kept, edges: int, folder: Path) -> None:
    folder.mkdir(parents=True)
    if into.catalog.startswith("postgresql"):
        _make_database(into.catalog)
    into.open().close()  # makes the schema
    all_tables = itertools.chain(
        tables(into.size), [wide(into.size)], *(graph_tables(graph, edges) for graph in GRAPHS)
    )
    with _Loader(into.catalog) as loader:
        starts = itertools.count(1)
        sets: dict[str, int] = {}
        for chunk in _chunks(all_tables):
            loader.add(_rows(chunk, sets, starts))
        loader.finish(next(starts))
    for table in itertools.chain(tables(into.size), [wide(into.size)]):
        if table.number % WITH_BYTES_EVERY == 0 or table.number == into.size:
            path = Path(into.root, table.artifact_path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(SIZE_BYTES))


def _rows(chunk: Iterable[Table], sets: dict[str, int], starts: Iterator[int]) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {name: [] for name in _COLUMNS}
    for table in chunk:
        anchors, start = sorted(table.anchors, key=lambda anchor: anchor.source), next(starts)
        key = anchor_set_key(anchors)
        if key not in sets:
            sets[key] = len(sets) + 1
            anchors_json = json.dumps([anchor.to_dict() for anchor in anchors], ensure_ascii=False)
            rows["anchor_sets"].append((sets[key], key, anchors_json))
            rows["anchor_edges"] += [(a.source, sets[key], a.kind.value) for a in anchors]
        deployment = table.graph if table.graph in GRAPHS else "default"
        rows["materializations"].append(
            (
                *(table.materialization_id, "", deployment, table.name, "ready", table.artifact_path),
                *(str(table.definition), sets[key], table.digest, SIZE_BYTES, 100, _PROFILE),
                *(1.5, _RUN, start, _AT, _AT),
            )
        )
        rows["pointers"].append(("", deployment, table.name, table.materialization_id, start))
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


def _chunks(items: Iterable[Table]) -> Iterator[list[Table]]:
    rest = iter(items)
    while chunk := list(itertools.islice(rest, _LOADED_AT_ONCE)):
        yield chunk
