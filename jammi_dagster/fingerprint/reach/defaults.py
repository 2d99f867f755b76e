"""Parameters with the default None, such as a seed: a call that leaves them out draws by chance."""

from __future__ import annotations

import ast
from collections.abc import Collection

from jammi_dagster.fingerprint.known_names.ambient_values import SEED_OF_BASE
from jammi_dagster.fingerprint.reach.call_sites import call_sites
from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.parameters import by_position


def may_take_default(graph: Graph, unit: Unit, parameters: Collection[str]) -> bool:
    """Return whether reached code may call a function without one of these parameters.

    A function of a class, or within another, is taken to be called so, and so is one that is handed on as a value.
    """
    node = unit.statement.node if unit.statement else None
    if isinstance(node, ast.ClassDef) and SEED_OF_BASE in parameters:
        positions, named = list(parameters), set(parameters)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        positions = [one.arg for one in by_position(node.args)]
        named = {*positions, *(one.arg for one in node.args.kwonlyargs)}
    else:
        return True
    if not named.issuperset(parameters):
        return True
    places = {name: positions.index(name) if name in positions else len(positions) for name in parameters}
    return any(
        call is None or not all(call.surely_gives(place, name) for name, place in places.items())
        for call in call_sites(graph, node.name)
    )
