"""`jammi-dagster lineage`: the recorded inputs of a table, and the tables that derive from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from jammi_dagster.cli.render import Output, output
from jammi_dagster.cli.target import Target, target

if TYPE_CHECKING:
    from jammi_dagster.contract import DerivesFromEdge


@click.command()
@click.argument("table")
@click.option("--up", is_flag=True, help="Only the inputs.")
@click.option("--down", is_flag=True, help="Only the tables that derive from it.")
@click.option("--depth", type=click.IntRange(min=1), metavar="N", help="At most so many hops.")
@target()
@output
def lineage(table: str, *, up: bool, down: bool, depth: int | None, target: Target, out: Output) -> None:
    """Show the recorded inputs of TABLE, and the tables that derive from it. TABLE may also be another input."""
    store = target.open()
    store.derives_from(table)  # raises for a name that is none
    edges = store.reader.edges()
    data: dict[str, Any] = {"table": table}
    blocks: list[str] = []
    if up or not down:
        above = _neighbours((edge.derived, edge.input) for edge in edges)
        data["upstream"] = _shown(edges, table, above, depth, upward=True)
        blocks += ["upstream", *_tree(table, above, depth)]
    if down or not up:
        below = _neighbours((edge.input, edge.derived) for edge in edges)
        data["downstream"] = _shown(edges, table, below, depth, upward=False)
        blocks += ["downstream", *_tree(table, below, depth)]
    out.show(data, *blocks)


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
