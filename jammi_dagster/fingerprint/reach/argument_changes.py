"""Changes of module-level objects by functions that get them as arguments: `add(ROWS)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.reached import ReachedFile
from jammi_dagster.fingerprint.reach.routes import Node
from jammi_dagster.fingerprint.sources.parts import Part
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.parameters import by_position
from jammi_dagster.fingerprint.syntax.shared_objects import IMMUTABLE
from jammi_dagster.fingerprint.syntax.uses import Call

_DEEPEST = 4  # functions that hand an argument on


def changed_arguments(
    graph: Graph, reached: ReachedFile, part: Part
) -> Iterator[tuple[ReachedFile, str, int]]:
    """Yield the module-level objects that calls of a part change: the file, the name, and the line of the call."""
    source = reached.node.source
    for homes, call in _calls(graph, reached.node, part):
        for position, chain in call.chains.items():
            binder = call.site.scope.binder(chain[0]) if call.site else None
            if source is None or binder is None or binder.around is not None:
                continue
            if not any(changes_parameter(graph, home, unit, position) for home, unit in homes):
                continue
            for home, name in graph.places.of(reached.node, chain):
                holder = graph.reached.get(home.path)
                if holder is not None and home.source and home.source.kind_of(name) != IMMUTABLE:
                    yield holder, name, call.place[0]


def _calls(graph: Graph, node: Node, part: Part) -> Iterator[tuple[list[tuple[Node, Unit]], Call]]:
    """Yield the calls of first-party functions that get a variable, each with these functions."""
    for callee, calls in part.own_calls.items():
        given = [call for call in calls if call is not None and call.chains]
        homes = list(graph.places.definitions(node, (callee,))) if given else []
        yield from ((homes, call) for call in given if homes)
    for use in part.uses:
        target = graph.target_of(node, use.name) if use.call is not None and use.call.chains else None
        if target is not None and use.call is not None and len(target[1]) == 1:
            yield list(graph.places.definitions(target[0], target[1])), use.call


def changes_parameter(graph: Graph, node: Node, unit: Unit, position: int, depth: int = _DEEPEST) -> bool:
    """Return whether a function changes the value of the parameter at a position, or hands it on to one that does."""
    function = unit.statement.node if unit.statement else None
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) or not depth:
        return False
    parameters = by_position(function.args)
    if position >= len(parameters):
        return False
    parameter = parameters[position].arg
    if parameter in unit.changed_arguments:
        return True
    return any(
        changes_parameter(graph, home, inner, at, depth - 1)
        for homes, call in _calls(graph, node, unit.parts["code"])
        for at, chain in call.chains.items()
        if chain == (parameter,)
        for home, inner in homes
    )
