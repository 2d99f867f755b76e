"""State that the steps of one process share: an object of a module that changes while a function uses it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jammi_dagster.fingerprint.known_names.config_classes import HOOKS
from jammi_dagster.fingerprint.known_names.state import CONSTRUCTORS
from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.reached import ReachedFile
from jammi_dagster.fingerprint.reach.routes import Node
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.functions import assigned
from jammi_dagster.fingerprint.syntax.parameters import defaults
from jammi_dagster.fingerprint.syntax.scopes import Chain, chain_of
from jammi_dagster.fingerprint.syntax.shared_objects import STATEFUL, only_draws
from jammi_dagster.fingerprint.syntax.trees import children

_DEEPEST = 5  # bases of bases
_HOLDERS = ("staticmethod", "classmethod", "partial", "MappingProxyType")
_PLAIN = (("staticmethod",), ("classmethod",))  # decorators of methods that are called by name


def shared_state(graph: Graph, reached: ReachedFile) -> Iterator[tuple[str, int]]:
    """Yield the names of a module whose values change while the function uses them, with the lines that bind them."""
    source = reached.node.source
    for name in sorted(reached.read_at_run) if source else ():
        assert source is not None
        for index in source.by_name.get(name, ()):
            unit = source.units[index]
            is_stateful = unit.kind == "constant" and source.kind_of(name) == STATEFUL
            if is_stateful and _only_drawn_from_at_load(graph, reached, name):
                continue
            if is_stateful or _changes(graph, reached.node, unit, name):
                yield name, unit.lines[0]


def _only_drawn_from_at_load(graph: Graph, reached: ReachedFile, name: str) -> bool:
    """Return whether only constants use a generator: their statements count, in their order."""
    for unit, part, runs in reached.units():
        if runs and name in part.own and part.own[name]:
            node = unit.statement.node if unit.statement else None
            if node is None or unit.kind not in ("constant", "code") or not only_draws(node, name):
                return False
    others = (other for other in graph.reached.values() if other is not reached)
    uses = (use.name.split(".") for other in others for _, part, _ in other.units() for use in part.uses)
    return not any(name in parts for parts in uses)


def changing_objects(graph: Graph, reached: ReachedFile) -> Iterator[tuple[str, int]]:
    """Yield the classes of given objects whose used methods change the object, with their lines.

    One object may be given to several steps of a process.
    """
    source = reached.node.source
    for name, members in reached.objects.items() if source else ():
        assert source is not None
        for index in source.by_name.get(name, ()):
            unit = source.units[index]
            changing = changing_methods(graph, reached.node, unit) - HOOKS
            own = unit.separate_methods
            used = set(own if members is None else unit.members_reached(members)) | (unit.methods - set(own))
            if changing & used or changing - unit.methods or _changes_shared_attributes(unit):
                yield name, unit.lines[0]


def _changes(graph: Graph, node: Node, unit: Unit, name: str) -> bool:
    if unit.holds_stateful or (unit.kind == "class" and _changes_shared_attributes(unit)):
        return True
    if _changes_defaults(unit):
        return True
    for chain in _makers(unit, name):
        for home, maker in graph.places.definitions(node, chain):
            if maker.keeps_state or (unit.kind != "function" and maker.is_generator):
                return True
            is_object = maker.kind == "class" and (unit.kind != "class" or chain[-1] in maker.names)
            if is_object and (maker.makes_stateful or changes_by_use(graph, home, maker)):
                return True
    return False


def changes_by_use(graph: Graph, node: Node, cls: Unit) -> bool:
    """Return whether a method that changes its object may run: it is called, or runs without a call in the code."""
    called = graph.called.union(*(_called_unseen(one) for one in _with_bases(graph, node, cls)))
    return any(one in called or one.startswith("__") for one in changing_methods(graph, node, cls))


def _changes_defaults(unit: Unit) -> bool:
    """Return whether a function or a method changes a default that is one list, dict or set for all calls."""
    node = unit.statement.node if unit.statement else None
    bodies: list[ast.AST | None] = [*node.body] if isinstance(node, ast.ClassDef) else [node]
    bodies += [getattr(one, "value", None) for one in bodies]
    functions = [
        one for one in bodies if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    ]
    shared = (ast.List, ast.Dict, ast.Set, ast.Call)
    given = {one.arg for each in functions for one, value in defaults(each.args) if isinstance(value, shared)}
    parts = unit.statement.uses.values() if unit.statement and given else ()
    return any(given & uses.changed_arguments for uses in parts)


def _called_unseen(cls: Unit) -> set[str]:
    """Return the methods of a class that run without a call in the code, such as properties."""
    node = cls.statement.node if cls.statement else None
    body = node.body if isinstance(node, ast.ClassDef) else []
    methods = [one for one in body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return {one.name for one in methods if any(chain_of(by) not in _PLAIN for by in one.decorator_list)}


def _makers(unit: Unit, name: str) -> Iterator[Chain]:
    """Yield the callables that made the value of a name: of an assignment, or the decorators of a function.

    Of a class they made its attributes.
    """
    node = unit.statement.node if unit.statement else None
    values: list[ast.expr] = []
    for one in node.body if isinstance(node, ast.ClassDef) else [node]:
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) and one is node:
            values += one.decorator_list
        elif isinstance(one, (ast.Assign, ast.AnnAssign)):
            found = [value for bound, value in assigned(one) if bound == name or one is not node]
            values += found or ([one.value] if isinstance(one, ast.Assign) else [])
    for value in values if not isinstance(node, ast.ClassDef) else [*values, *node.decorator_list]:
        for held in _held_in(value):
            if chain := chain_of(held.func if isinstance(held, ast.Call) else held):
                yield chain


def _held_in(value: ast.expr) -> Iterator[ast.expr]:
    """Yield an expression, and those of which the value holds the results: the items of a list that is written."""
    todo: list[ast.AST] = [value]
    for one in todo:  # grows while it is read
        if isinstance(one, (ast.List, ast.Tuple, ast.Set, ast.Dict)):
            todo += children(one)
        elif isinstance(one, (ast.ListComp, ast.DictComp)):
            todo.append(one.value if isinstance(one, ast.DictComp) else one.elt)
        elif isinstance(one, ast.expr):
            yield one
            is_holder = isinstance(one, ast.Call) and (chain_of(one.func) or ("",))[-1] in _HOLDERS
            todo += one.args if is_holder and isinstance(one, ast.Call) else ()


def changing_methods(graph: Graph, node: Node, cls: Unit) -> set[str]:
    """Return the methods that change the instance, those of first-party bases included."""
    found = (method for one in _with_bases(graph, node, cls) for method in one.self_changes)
    return {method for method in found if method not in CONSTRUCTORS}


def _with_bases(graph: Graph, node: Node, cls: Unit, depth: int = _DEEPEST) -> Iterator[Unit]:
    """Yield a class and its first-party bases."""
    yield cls
    definition = cls.statement.node if cls.statement else None
    for base in definition.bases if isinstance(definition, ast.ClassDef) and depth else ():
        for home, unit in graph.places.definitions(node, chain_of(base) or ()):
            yield from _with_bases(graph, home, unit, depth - 1)


def _changes_shared_attributes(cls: Unit) -> bool:
    """Return whether methods change a value that the class holds for all of its instances."""
    own = {
        attribute
        for method in CONSTRUCTORS
        for attribute, in_place in cls.self_changes.get(method, ())
        if not in_place
    }
    return any(
        (in_place and attribute in cls.shared_attributes and attribute not in own)
        or (attribute == "__dict__" and not in_place)
        for changes in cls.self_changes.values()
        for attribute, in_place in changes
    )
