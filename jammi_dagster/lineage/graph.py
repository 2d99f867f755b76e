"""The derives-from graph over edges given as values: no I/O, no recursion.

An edge points from an input to the table that recorded it. Orders are the reference's (freshness.rs): depth first,
siblings as they come. Not done here: reading edges (see `sensing.Rows`).
"""

from __future__ import annotations

import collections
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from jammi_dagster.contract import DerivesFromEdge
from jammi_dagster.errors import DependencyCycle


def edges_by_input(edges: Iterable[DerivesFromEdge]) -> dict[str, list[DerivesFromEdge]]:
    """Group edges by their input, in the order given."""
    by_input: dict[str, list[DerivesFromEdge]] = collections.defaultdict(list)
    for edge in edges:
        by_input[edge.input].append(edge)
    return by_input


def closure(source: str, by_input: Mapping[str, Sequence[DerivesFromEdge]]) -> list[DerivesFromEdge]:
    """List every edge downstream of `source` (freshness.rs, `derives_from_closure`).

    The walk is depth first with its own stack, so no chain is too long. A node is walked once: a diamond's subtree
    comes once, with an edge for each path into it. Raise `DependencyCycle`, which names a table that is its own
    ancestor.
    """
    is_on_path = {source: True}  # every reached node: True on the path, False once walked
    collected: list[DerivesFromEdge] = []
    # edges to follow, the next one last; a node's name lies below its edges and ends its walk
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
    """Map each table downstream of a marked one to the nearest marked table above it. Cycles are allowed.

    `derived` maps a table to the tables one hop downstream.
    """
    tops = {table: table for table in marked}
    above: dict[str, str] = {}
    queue = list(tops)
    for node in queue:  # the loop appends to it
        top = tops[node]
        for table in derived.get(node, ()):
            if table not in above:
                above[table] = top
                if table not in tops:
                    tops[table] = top
                    queue.append(table)
    return above


def generations(tables: Collection[str], parents: Mapping[str, Collection[str]]) -> list[list[str]]:
    """Sort the tables into topological generations, each after all of its parents. Raise `DependencyCycle`.

    A table that is its own parent, because it reads its earlier partitions, is no cycle.

    >>> generations(["a", "b", "c"], {"b": ["a"], "c": ["a", "b"]})
    [['a'], ['b'], ['c']]
    """
    known = frozenset(tables)
    sorter = TopologicalSorter(
        {table: {one for one in parents.get(table, ()) if one in known and one != table} for table in tables}
    )
    try:
        sorter.prepare()
    except CycleError as error:
        raise DependencyCycle(table=error.args[1][0]) from None
    layers = []
    while sorter.is_active():
        layers.append(sorted(sorter.get_ready()))
        sorter.done(*layers[-1])
    return layers


class Visit(NamedTuple):
    """A name on a walk, and its hops from the start; one that `is_again` has its neighbours below another visit."""

    name: str
    hops: int
    is_again: bool


def walk(start: str, neighbours: Mapping[str, Sequence[str]], depth: int | None = None) -> Iterator[Visit]:
    """Yield everything within `depth` hops of `start`, each name below one that it is nearest by. Cycles are allowed.

    >>> [(visit.name, visit.hops, visit.is_again) for visit in walk("a", {"a": ["b", "c"], "b": ["c"]})]
    [('b', 1, False), ('c', 2, True), ('c', 1, False)]
    """
    below: dict[str, str | None] = {start: None}  # each name to the one that it is reached from first
    layer, hops = [start], 0
    while layer and (depth is None or hops < depth):
        layer, hops = (
            [
                name
                for above in layer
                for name in neighbours.get(above, ())
                if below.setdefault(name, above) == above
            ],
            hops + 1,
        )
    stack = [Visit(start, 0, False)]
    while stack:
        visit = stack.pop()
        if visit.hops:
            yield visit
        if visit.is_again or (depth is not None and visit.hops >= depth):
            continue
        for name in reversed(neighbours.get(visit.name, ())):
            stack.append(Visit(name, visit.hops + 1, below.get(name) != visit.name))
