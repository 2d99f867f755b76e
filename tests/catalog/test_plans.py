"""Without statistics a database answers every look-up by an index."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
import sqlalchemy as sa
from catalog_kit import Catalog, new_database
from core_kit import DEFINITION

from benchmarks.scale_catalogs import Size, fact, load
from benchmarks.statements import statements
from jammi_dagster.catalog import CatalogReader, CollectionRows, Database, Moment, Scope
from jammi_dagster.contract import anchor_set_key

NOTHING = anchor_set_key([])
PINNED = {"tenant": "acme", "parent": "prod", "parent_at": 7}
IDS = [f"{number:032x}" for number in range(500)]


def _plan(catalog: Catalog, ask: Callable[[CatalogReader], object]) -> str:
    """SQLite's plan for the queries of `ask`."""
    return _plan_of(catalog, lambda: ask(catalog.reader))


def _plan_of(catalog: Catalog, act: Callable[[], object]) -> str:
    with statements() as asked:
        act()
    with catalog.database.reading() as connection:
        plans = [
            connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values).all() for query, values in asked
        ]
    return "\n".join(row.detail for plan in plans for row in plan)


def test_the_probe_uses_the_index_over_definition_and_anchor_set(catalog: Catalog) -> None:
    """An exact match is one look-up in an index, whatever the number of materializations."""
    plan = _plan(catalog, lambda reader: reader.matches(DEFINITION, NOTHING))
    assert "materializations_by_definition (definition_hash=? AND anchor_set_id=?)" in plan
    assert "SCAN" not in plan


@pytest.mark.parametrize(
    "ask",
    [
        lambda reader: reader.get("m"),
        lambda reader: reader.current("t"),
        lambda reader: reader.current_of(["t", "u"]),
        lambda reader: reader.current_matches(["t", "u"]),
        lambda reader: reader.of_run("r", ["t", "u"]),
        lambda reader: reader.history("t"),
        lambda reader: reader.moves("t"),
        lambda reader: reader.move_at("t", 1),
        lambda reader: reader.move_at("t", datetime(2026, 1, 1, tzinfo=timezone.utc)),
        lambda reader: reader.holds(),
        lambda reader: reader.neighbours("t", most=3),
        lambda reader: reader.annotation("m"),
        lambda reader: reader.edges("s"),
    ],
    ids=[
        "get",
        "current",
        "current_of",
        "current_matches",
        "of_run",
        "history",
        "moves",
        "move_at a sequence",
        "move_at a time",
        "holds",
        "neighbours",
        "annotation",
        "edges",
    ],
)
@pytest.mark.parametrize(
    "scope",
    [{}, {"tenant": "acme"}, {"tenant": "acme", "parent": "prod"}],
    ids=["global", "tenant", "branch"],
)
def test_no_look_up_scans_a_table(
    catalog: Catalog, scope: dict[str, str], ask: Callable[[CatalogReader], object]
) -> None:
    """Every question about named tables is answered through an index, for a tenant and in a branch too."""
    plan = _plan(catalog.beside(**scope), ask)
    assert "SEARCH" in plan
    assert "SCAN" not in plan


@pytest.mark.parametrize("scope", [{"tenant": "acme", "parent": "prod"}, PINNED], ids=["live", "pinned"])
@pytest.mark.parametrize("ask", [CatalogReader.current_rows, CatalogReader.digests, CatalogReader.edges])
def test_a_look_at_all_tables_of_a_branch_asks_once_which_are_its_own(
    catalog: Catalog, scope: dict[str, Any], ask: Callable[[CatalogReader], Iterable[object]]
) -> None:
    """Names that the branch covers, and that moved since the pin, are gathered once, not looked up for each pointer.

    Only of moved tables does the history tell which move was the last one then.
    """
    plan = _plan(catalog.beside(**scope), lambda reader: list(ask(reader))).splitlines()
    looked_up = {after for line, after in itertools.pairwise(plan) if line.startswith("CORRELATED")}
    assert all(line.startswith("SEARCH later ") for line in looked_up)
    assert any(line.startswith("LIST SUBQUERY") for line in plan)


# --- PostgreSQL ---------------------------------------------------------------------------------------------

SIZE = Size(materializations=10_000, tables=10_000, edges=5_000)
SOME = fact(SIZE, 7)


@pytest.fixture(scope="module")
def filled(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A catalog that has just been filled, with 10,000 tables, and half as many in each of three more deployments."""
    engine = sa.create_engine(postgres.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema("filled"))
    engine.dispose()
    url = f"{postgres}&options=-csearch_path%3Dfilled"
    load(url, str(tmp_path_factory.mktemp("root")), SIZE)
    database = new_database(url)
    yield database
    database.close()


def _touched(database: Database, ask: Callable[[CatalogReader], object], **scope: Any) -> int:
    """The rows that PostgreSQL looks at for the queries of `ask`, found fit or not."""
    with statements(but=["set_config"]) as asked:
        assert ask(Catalog(database, **scope).reader)
    with database.reading() as connection:
        explain = "EXPLAIN (ANALYZE, FORMAT JSON) "
        plans = [connection.exec_driver_sql(explain + query, values).scalar_one() for query, values in asked]
    return sum(_rows(plan[0]["Plan"]) for plan in plans)


def _rows(node: dict[str, Any]) -> int:
    kinds = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Join Filter")
    here = sum(node.get(kind, 0) for kind in kinds) * node["Actual Loops"]
    return int(here) + sum(map(_rows, node.get("Plans", ())))


LOOK_UPS: dict[str, Callable[[CatalogReader], object]] = {
    "get": lambda reader: reader.get(SOME.materialization_id),
    "current": lambda reader: reader.current(SOME.table),
    "current_matches": lambda reader: reader.current_matches([SOME.table]),
    "history": lambda reader: reader.history(SOME.table),
    "neighbours": lambda reader: reader.neighbours(SOME.table, most=3),
    "matches": lambda reader: reader.matches(SOME.definition, anchor_set_key(SOME.anchors)),
    "best_matches": lambda reader: reader.best_matches([(SOME.definition, anchor_set_key(SOME.anchors))]),
    "records": lambda reader: reader.records([SOME.materialization_id]),
}
# the rows of these are overestimated a thousand times
OVERESTIMATED: dict[str, Callable[[CatalogReader], object]] = {
    "sources": lambda reader: reader.sources(SOME.table, most=3),
    "edges": lambda reader: reader.edges(SOME.table),
}
_ALL = {**LOOK_UPS, **OVERESTIMATED}
# a server compiles a statement from a cost of 100,000 on; a million tables are a hundred times these
_MOST_COST = 1_000


@pytest.mark.parametrize("ask", _ALL.values(), ids=_ALL)
def test_postgres_looks_at_few_rows(filled: Database, ask: Callable[[CatalogReader], object]) -> None:
    """Though nobody has analysed the tables yet, so that it takes each for full of the same few values."""
    assert _touched(filled, ask) < 200


# the names near one, for a message: of two deployments, as of two tenants, no index gives them in order
_OF_BRANCH = {name: ask for name, ask in _ALL.items() if name != "neighbours"}


@pytest.mark.parametrize("ask", _OF_BRANCH.values(), ids=_OF_BRANCH)
def test_postgres_looks_at_few_rows_for_a_branch(
    filled: Database, ask: Callable[[CatalogReader], object]
) -> None:
    """A branch finds the few rows of its parent as its parent does."""
    assert _touched(filled, ask, deployment="branch", parent="default") < 250


# no index serves the inputs of the past
_OF_PINNED = {name: ask for name, ask in LOOK_UPS.items() if name != "neighbours"}


@pytest.mark.parametrize("ask", _OF_PINNED.values(), ids=_OF_PINNED)
def test_postgres_looks_at_few_rows_for_a_pinned_branch(
    filled: Database, ask: Callable[[CatalogReader], object]
) -> None:
    """Names are found in the past of a parent as they are found now."""
    assert _touched(filled, ask, deployment="branch", parent="default", parent_at=10**9) < 250


@pytest.mark.parametrize("ask", LOOK_UPS.values(), ids=LOOK_UPS)
def test_postgres_compiles_no_look_up(filled: Database, ask: Callable[[CatalogReader], object]) -> None:
    """A look-up stands alone, without a setting of its session: by its estimated cost alone nobody compiles it."""
    with statements() as asked:
        ask(Catalog(filled).reader)
    with filled.reading() as connection:
        for query, values in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {query}", values).scalar_one()
            assert plan[0]["Plan"]["Total Cost"] < _MOST_COST, query


@pytest.mark.parametrize("ask", OVERESTIMATED.values(), ids=OVERESTIMATED)
def test_postgres_does_not_compile_an_overestimated_look_up(
    filled: Database, ask: Callable[[CatalogReader], object]
) -> None:
    """It runs in a transaction of its own, which switches the compiler off first."""
    with statements() as asked:
        ask(Catalog(filled).reader)
    switched = ["set_config('jit', 'off', true)" in query for query, _ in asked]
    assert switched == [True, False] * (len(asked) // 2)


def test_postgres_compiles_nothing_in_a_transaction(filled: Database) -> None:
    """Sweeps and writes switch the compiler off for their own transaction, and for no other."""
    with filled.snapshot() as reading, reading() as connection:
        assert connection.exec_driver_sql("SHOW jit").scalar_one() == "off"
    for durable in (True, False):
        with filled.writing(durable=durable) as connection:
            assert connection.exec_driver_sql("SHOW jit").scalar_one() == "off"
    with filled.reading() as connection:
        assert connection.exec_driver_sql("SHOW jit").scalar_one() == "on"


@pytest.mark.parametrize(
    "act",
    [
        lambda rows, at: rows.mark(IDS, at, plan="p"),
        lambda rows, at: rows.unmark(IDS),
        lambda rows, at: rows.take(IDS, at, grace_seconds=0.0, keep_inputs=False),
        lambda rows, at: rows.finish(IDS),
        lambda rows, at: rows.tables_of(IDS),
    ],
    ids=["mark", "unmark", "take", "finish", "tables_of"],
)
def test_a_batch_of_a_collection_looks_at_its_own_rows(
    catalog: Catalog, act: Callable[[CollectionRows, Moment], object]
) -> None:
    """Rows are found by id: the index over tenant and table would lead to all rows of the store."""
    rows = CollectionRows(catalog.database, Scope())
    plan = _plan_of(catalog, lambda: act(rows, Moment(0.0, 0.0)))
    assert "materializations_by_table" not in plan
