"""How SQLite answers: every look-up by an index."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from catalog_kit import Catalog
from core_kit import DEFINITION

from jammi_dagster.catalog import CatalogReader
from jammi_dagster.contract import anchor_set_key

NOTHING = anchor_set_key([])


def _plan(catalog: Catalog, ask: Callable[[CatalogReader], object]) -> str:
    """How SQLite answers what `ask` asks."""
    asked: list[tuple[str, Any]] = []

    def keep(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        asked.append((statement, parameters))

    sa.event.listen(sa.Engine, "before_cursor_execute", keep)
    try:
        ask(catalog.reader)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", keep)
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
        lambda reader: reader.of_run("r", ["t", "u"]),
        lambda reader: reader.history("t"),
        lambda reader: reader.neighbours("t", most=3),
        lambda reader: reader.annotation("m"),
        lambda reader: reader.edges("s"),
    ],
    ids=["get", "current", "current_of", "of_run", "history", "neighbours", "annotation", "edges"],
)
@pytest.mark.parametrize("tenant", ["", "acme"])
def test_no_look_up_scans_a_table(
    catalog: Catalog, tenant: str, ask: Callable[[CatalogReader], object]
) -> None:
    """Every question about named tables is answered through an index, for a tenant too."""
    plan = _plan(catalog.beside(tenant=tenant), ask)
    assert "SEARCH" in plan
    assert "SCAN" not in plan
