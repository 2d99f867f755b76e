"""Classes in tables and attributes of a module that other modules take to call them."""

from __future__ import annotations

from collections.abc import Iterator

from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.reached import ReachedFile
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.access import later_uses
from jammi_dagster.fingerprint.syntax.outside_world import OutsideName, draws_when_called, outside_name
from jammi_dagster.fingerprint.syntax.uses import Use


def is_called_elsewhere(graph: Graph, holder: ReachedFile, name: str, held: frozenset[str]) -> bool:
    """Return whether reached code of another module may call a class that a module holds, without a seed.

    `held`: the variables, attributes and functions of the holder by which others can take it.
    """
    return any(
        not use.held <= held or (not use.held and outside_name(name, use.call))
        for reached in graph.reached.values()
        if reached is not holder
        for unit, _, _ in reached.units()
        if unit.statement
        for mention in unit.statement.mentions(held)
        for use in later_uses(mention, unit.statement.scope, [name])
    )


def later_draws(graph: Graph, reached: ReachedFile, unit: Unit, name: str, use: Use) -> Iterator[OutsideName]:
    """Yield the draws of a class that a module imports by way of another one, and mentions as a value."""
    if use.node is None or use.call or not (unit.statement and draws_when_called(name)):
        return
    for one in later_uses(use.node, unit.statement.scope, [name]):
        known = outside_name(name, one.call)
        if known and (not one.held or is_called_elsewhere(graph, reached, name, one.held)):
            yield known
