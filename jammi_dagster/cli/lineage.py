"""`jammi-dagster lineage`: the recorded inputs of a table, and the tables that derive from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from jammi_dagster.cli.render import Output, output
from jammi_dagster.cli.target import Target, target

if TYPE_CHECKING:
    from jammi_dagster.contract import DerivesFromEdge
    from jammi_dagster.lineage.materializations import MaterializationLineage


@click.command()
@click.argument("table", required=False)
@click.option(
    "--materialization",
    metavar="ID",
    help="Show the materializations above and below this one instead, current or not.",
)
@click.option("--up", is_flag=True, help="Only the inputs.")
@click.option("--down", is_flag=True, help="Only the tables that derive from it.")
@click.option("--mermaid", is_flag=True, help="Draw the lineage of --materialization as a Mermaid flowchart.")
@click.option("--depth", type=click.IntRange(min=1), metavar="N", help="At most so many hops.")
@target()
@output
def lineage(
    table: str | None,
    *,
    materialization: str | None,
    up: bool,
    down: bool,
    mermaid: bool,
    depth: int | None,
    target: Target,
    out: Output,
) -> None:
    """Show the recorded inputs of TABLE, and the tables that derive from it. TABLE may also be another input."""
    if (table is None) == (materialization is None):
        raise click.UsageError("give TABLE or --materialization ID")
    if mermaid and materialization is None:
        raise click.UsageError("--mermaid belongs to --materialization")
    store = target.open()
    if materialization is not None:
        found = store.lineage(materialization, depth=depth)
        drawn = found.to_mermaid().splitlines()
        blocks = drawn if mermaid else list(_of_materialization(found, up=up, down=down))
        out.show(found.to_dict(), *blocks)
        return
    assert table is not None, "one of the two is there"
    store.derives_from(table)  # raises for a name that is none
    edges = store.reader.edges()
    data: dict[str, Any] = {"table": table}
    blocks = []
    if up or not down:
        above = _neighbours((edge.derived, edge.input) for edge in edges)
        data["upstream"] = _shown(edges, table, above, depth, upward=True)
        blocks += ["upstream", *_tree(table, above, depth)]
    if down or not up:
        below = _neighbours((edge.input, edge.derived) for edge in edges)
        data["downstream"] = _shown(edges, table, below, depth, upward=False)
        blocks += ["downstream", *_tree(table, below, depth)]
    out.show(data, *blocks)


def _of_materialization(found: MaterializationLineage, *, up: bool, down: bool) -> Iterator[str]:
    """Yield the tree above a materialization, and the one below it, each node with its kind."""
    if up or not down:
        yield "upstream"
        yield from _side(found, ((edge.derived, edge.name) for edge in found.upstream))
    if down or not up:
        yield "downstream"
        yield from _side(found, ((edge.name, edge.derived) for edge in found.downstream))


def _side(found: MaterializationLineage, pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    shown = _neighbours((_named(found, one), _named(found, other)) for one, other in pairs)
    yield from _tree(_named(found, found.materialization_id), shown, None)


def _named(found: MaterializationLineage, name: str) -> str:
    return f"{found.label(name)} ({found.kind(name)})"


def _neighbours(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for one, other in pairs:
        found.setdefault(one, {})[other] = None
    return {one: list(others) for one, others in found.items()}


def _tree(table: str, neighbours: Mapping[str, Sequence[str]], depth: int | None) -> Iterator[str]:
    """Yield one line for each name, indented by its hops."""
    from jammi_dagster.lineage.graph import walk

    if not neighbours.get(table):
        yield "  nothing"
    for visit in walk(table, neighbours, depth):
        yield f"{'  ' * visit.hops}{visit.name}{' (shown elsewhere)' if visit.is_again else ''}"


def _shown(
    edges: Iterable[DerivesFromEdge],
    table: str,
    neighbours: Mapping[str, Sequence[str]],
    depth: int | None,
    *,
    upward: bool,
) -> list[dict[str, Any]]:
    """List the edges within the depth, as JSON."""
    from jammi_dagster.lineage.graph import walk

    hops = {table: 0} | {v.name: v.hops for v in walk(table, neighbours, depth) if not v.is_again}
    return [
        edge.to_dict()
        for edge in edges
        for start in (edge.derived if upward else edge.input,)
        if start in hops and (depth is None or hops[start] < depth)
    ]
