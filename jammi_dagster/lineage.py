"""The derives-from graph, over edges given as values. Nothing here does I/O, and nothing recurses.

An edge points from an input to the table that recorded it. Orders are the reference's (freshness.rs): depth first,
siblings in the order in which they come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from jammi_dagster.contract import DerivesFromEdge
from jammi_dagster.errors import DependencyCycle


def edges_by_input(edges: Iterable[DerivesFromEdge]) -> dict[str, list[DerivesFromEdge]]:
    """The one-hop edges of each input, in the order given."""
    by_input: dict[str, list[DerivesFromEdge]] = {}
    for edge in edges:
        by_input.setdefault(edge.input, []).append(edge)
    return by_input


def closure(source: str, by_input: Mapping[str, Sequence[DerivesFromEdge]]) -> list[DerivesFromEdge]:
    """Every edge downstream of `source` (freshness.rs, `derives_from_closure`).

    Depth first with a stack of its own, so no chain is too long; a node is walked once, so a diamond's subtree
    comes once, with an edge for each path into it. Raises `DependencyCycle`, which names the table that is its own
    ancestor.
    """
    on_path, walked = {source}, set[str]()
    collected: list[DerivesFromEdge] = []
    stack: list[tuple[str, Iterator[DerivesFromEdge]]] = [(source, iter(by_input.get(source, ())))]
    while stack:
        node, rest = stack[-1]
        edge = next(rest, None)
        if edge is None:
            stack.pop()
            on_path.remove(node)
            walked.add(node)
            continue
        child = edge.derived
        if child in on_path:
            raise DependencyCycle(table=child)
        collected.append(edge)
        if child not in walked:
            on_path.add(child)
            stack.append((child, iter(by_input.get(child, ()))))
    return collected


def nearest_above(marked: Iterable[str], derived: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """For each table downstream of a marked one, the nearest marked one above it; cycles are no matter.

    `derived` are the tables one hop downstream of each.
    """
    layer = {table: table for table in marked}
    above: dict[str, str] = {}
    while layer:
        reached = [(table, top) for node, top in layer.items() for table in derived.get(node, ())]
        layer = {}
        for table, top in reached:
            if table not in above:
                above[table] = layer[table] = top
    return above


def generations(edges: Sequence[DerivesFromEdge]) -> list[list[str]]:
    """The tables that the edges lead to, in topological generations: each after all its inputs among them.

    Raises `DependencyCycle`.
    """
    import networkx as nx  # 0.1 s that reusing a table need not pay

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_edges_from((edge.input, edge.derived) for edge in edges)
    derived = {edge.derived for edge in edges}
    try:
        layers = [sorted(derived.intersection(layer)) for layer in nx.topological_generations(graph)]
    except nx.NetworkXUnfeasible:
        raise DependencyCycle(table=nx.find_cycle(graph)[0][0]) from None
    return [layer for layer in layers if layer]
