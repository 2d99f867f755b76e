"""The derives-from graph, over edges given as values. Nothing here does I/O, and nothing recurses.

An edge points from an input to the table that recorded it. Orders are the reference's (freshness.rs): depth first,
siblings in the order in which they come.
"""

from __future__ import annotations

import collections
from collections.abc import Collection, Iterable, Mapping, Sequence

from jammi_dagster.contract import DerivesFromEdge
from jammi_dagster.errors import DependencyCycle


def edges_by_input(edges: Iterable[DerivesFromEdge]) -> dict[str, list[DerivesFromEdge]]:
    """The one-hop edges of each input, in the order given."""
    by_input: dict[str, list[DerivesFromEdge]] = collections.defaultdict(list)
    for edge in edges:
        by_input[edge.input].append(edge)
    return by_input


def closure(source: str, by_input: Mapping[str, Sequence[DerivesFromEdge]]) -> list[DerivesFromEdge]:
    """Every edge downstream of `source` (freshness.rs, `derives_from_closure`).

    Depth first with a stack of its own, so no chain is too long; a node is walked once, so a diamond's subtree
    comes once, with an edge for each path into it. Raises `DependencyCycle`, which names the table that is its own
    ancestor.
    """
    is_on_path = {source: True}  # of the nodes that were reached; the others of them are walked
    collected: list[DerivesFromEdge] = []
    # edges to follow, the next one last, and below the edges of a node its name
    stack: list[DerivesFromEdge | str] = [*reversed(by_input.get(source, ()))]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            is_on_path[item] = False
            continue
        child = item.derived
        reached = is_on_path.get(child)
        if reached:
            raise DependencyCycle(table=child)
        collected.append(item)
        if reached is None:
            is_on_path[child] = True
            stack.append(child)
            stack.extend(reversed(by_input.get(child, ())))
    return collected


def nearest_above(marked: Iterable[str], derived: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """For each table downstream of a marked one, the nearest marked one above it; cycles are no matter.

    `derived` are the tables one hop downstream of each.
    """
    tops = {table: table for table in marked}
    above: dict[str, str] = {}
    queue = list(tops)
    for node in queue:  # it grows meanwhile
        top = tops[node]
        for table in derived.get(node, ()):
            if table not in above:
                above[table] = top
                if table not in tops:
                    tops[table] = top
                    queue.append(table)
    return above


def generations(tables: Collection[str], parents: Mapping[str, Collection[str]]) -> list[list[str]]:
    """The tables in topological generations: each after all of its parents among them. Raises `DependencyCycle`.

    That a table is its own parent, as one that reads its earlier partitions is, orders nothing.
    """
    import networkx as nx  # 0.1 s that reusing a table need not pay

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(tables)
    graph.add_edges_from(
        (parent, table)
        for table in tables
        for parent in parents.get(table, ())
        if parent in graph and parent != table
    )
    try:
        return [sorted(layer) for layer in nx.topological_generations(graph)]
    except nx.NetworkXUnfeasible:
        raise DependencyCycle(table=nx.find_cycle(graph)[0][0]) from None
