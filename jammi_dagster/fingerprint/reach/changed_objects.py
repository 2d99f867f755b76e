"""Changes of module-level objects by reached code: by any other name of the object, or by a function that gets it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jammi_dagster.fingerprint.known_names.mutations import MUTATING_METHODS
from jammi_dagster.fingerprint.known_names.sharing import ARRAY_METHODS
from jammi_dagster.fingerprint.reach.callees import wrappers
from jammi_dagster.fingerprint.reach.flow_values import COPIED, EVERY_NAME, SLICED, Given
from jammi_dagster.fingerprint.reach.function_flows import Flow
from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.object_changes import SETS, Changed
from jammi_dagster.fingerprint.reach.reached import ReachedFile
from jammi_dagster.fingerprint.reach.routes import Node
from jammi_dagster.fingerprint.sources.source import Source
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.functions import Function
from jammi_dagster.fingerprint.syntax.members import method_part
from jammi_dagster.fingerprint.syntax.scopes import chain_of
from jammi_dagster.fingerprint.syntax.shared_objects import IMMUTABLE

_OF_LISTS = frozenset({"append", "clear", "extend", "insert", "pop", "remove"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def changed_objects(
    graph: Graph, reached: ReachedFile, index: int, part: str
) -> Iterator[tuple[ReachedFile, str, int]]:
    """Yield the module-level objects that a part of a unit changes when it runs: the file, the name and the line."""
    source = reached.node.source
    unit = source.units[index] if source else None
    scope = unit.statement.scope if unit and unit.statement else None
    for function in _functions(unit, part) if unit else ():
        is_method = isinstance(getattr(unit.statement, "node", None), ast.ClassDef) if unit else False
        flow = graph.flows.of(
            reached.node, function, (reached.node, unit) if is_method and unit else None, scope
        )
        yield from _in_modules(graph, flow)


def _in_modules(graph: Graph, flow: Flow) -> Iterator[tuple[ReachedFile, str, int]]:
    """Yield the objects of modules that a function changes."""
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
    elif isinstance(value := getattr(node, "value", None), ast.Lambda):
        yield value


def _may_change(node: Node, name: str, change: Changed) -> bool:
    """Return whether an object of a module can change so."""
    source = node.source
    assert source is not None
    value = change.value
    kinds = {source.units[at].kind for at in source.by_name.get(name, ())}
    if kinds <= {"import"} or source.kind_of(name) == IMMUTABLE:
        return bool(kinds & {"function", "class"}) and bool(value.parts or change.by == SETS)
    if is_method_of_copy(source, name, change.by) and not value.parts:
        return False
    written, library = source.written.get(name), _library_of(source, name)
    if value.via == COPIED:
        return not library
    if value.via == SLICED and not library:
        is_list = isinstance(written, (ast.List, ast.ListComp)) and not value.parts
        return not is_list and change.by not in _OF_LISTS
    return True


def _library_of(source: Source, name: str) -> str:
    """Return the library of arrays or tables that made the value of a name."""
    written = source.written.get(name)
    maker = source.scope.peek(chain_of(written.func) or ("",)) if isinstance(written, ast.Call) else []
    return next((top for one in maker if (top := one.partition(".")[0]) in ARRAY_METHODS), "")


def is_method_of_copy(source: Source, name: str, method: str) -> bool:
    """Return whether a method returns a changed copy: `frame.sort("a")` of polars."""
    library = _library_of(source, name)
    return bool(library) and method in MUTATING_METHODS and method not in ARRAY_METHODS[library]


def changed_by_wrappers(
    graph: Graph, reached: ReachedFile, index: int, part: str
) -> Iterator[tuple[ReachedFile, str, int]]:
    """Yield the objects that the decorators of a function change each time that it is called."""
    unit = reached.node.source.units[index] if reached.node.source and part == "code" else None
    node = unit.statement.node if unit and unit.statement else None
    module = graph.flows.module(reached.node)
    for wrapper in wrappers(module, node) if isinstance(node, _FUNCTIONS) else ():
        yield from _in_modules(graph, wrapper.flow)
