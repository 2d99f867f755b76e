"""Changes of module-level objects by reached code: by any other name of the object, or by a function that gets it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jammi_dagster.fingerprint.known_names.sharing import ARRAY_MODULES
from jammi_dagster.fingerprint.reach.flow_values import EVERY_NAME, Given
from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.object_changes import Changed
from jammi_dagster.fingerprint.reach.reached import ReachedFile
from jammi_dagster.fingerprint.reach.routes import Node
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.functions import Function
from jammi_dagster.fingerprint.syntax.members import method_part
from jammi_dagster.fingerprint.syntax.parameters import by_position
from jammi_dagster.fingerprint.syntax.scopes import chain_of
from jammi_dagster.fingerprint.syntax.shared_objects import IMMUTABLE

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def changed_objects(
    graph: Graph, reached: ReachedFile, index: int, part: str
) -> Iterator[tuple[ReachedFile, str, int]]:
    """Yield the module-level objects that a part of a unit changes when it runs: the file, the name and the line."""
    source = reached.node.source
    unit = source.units[index] if source else None
    for function in _functions(unit, part) if unit else ():
        is_method = isinstance(getattr(unit.statement, "node", None), ast.ClassDef) if unit else False
        flow = graph.flows.of(reached.node, function, (reached.node, unit) if is_method and unit else None)
        for change in sorted(graph.changes.of(flow), key=lambda one: one.line):
            if isinstance(change.value.root, Given):
                continue
            path, name = change.value.root
            holder = graph.reached.get(path)
            if holder is not None and holder.node.source and name == EVERY_NAME:
                yield from ((holder, one, change.line) for one in holder.node.source.by_name)
            elif holder is not None and holder.node.source and _may_change(holder.node, name, change):
                yield holder, name, change.line


def _functions(unit: Unit, part: str) -> Iterator[Function]:
    node = unit.statement.node if unit.statement else None
    if isinstance(node, _FUNCTIONS):
        yield node
    elif isinstance(node, ast.ClassDef):
        methods = [one for one in node.body if isinstance(one, _FUNCTIONS)]
        apart = unit.separate_methods
        yield from (
            one for one in methods if (method_part(one.name) if one.name in apart else "code") == part
        )
    elif isinstance(getattr(node, "value", None), ast.Lambda):
        yield node.value  # type: ignore[union-attr]


def _may_change(node: Node, name: str, change: Changed) -> bool:
    """Return whether an object of a module can change so."""
    source = node.source
    assert source is not None
    kinds = {source.units[at].kind for at in source.by_name.get(name, ())}
    if kinds <= {"import"} or source.kind_of(name) == IMMUTABLE:
        return bool(kinds & {"function", "class"}) and (change.value.depth > 0 or change.of_attribute)
    if not change.value.copied:
        return True
    written = source.written.get(name)
    maker = source.scope.peek(chain_of(written.func) or ("",)) if isinstance(written, ast.Call) else []
    return not any(one.partition(".")[0] in ARRAY_MODULES for one in maker)


def changes_parameter(graph: Graph, node: Node, unit: Unit, position: int) -> bool:
    """Return whether a function changes the value of the parameter at a position, or hands it on to one that does."""
    function = unit.statement.node if unit.statement else None
    if not isinstance(function, _FUNCTIONS):
        return False
    parameters = by_position(function.args)
    if position >= len(parameters):
        return False
    root = Given(id(function), parameters[position].arg)
    return any(one.value.root == root for one in graph.changes.of(graph.flows.of(node, function)))
