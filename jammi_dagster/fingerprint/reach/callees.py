"""The first-party functions that a call may call, with the arguments that each of them gets."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from jammi_dagster.fingerprint.reach.flow_values import NONE, Values, copy, item, wrap
from jammi_dagster.fingerprint.reach.routes import Node
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.parameters import by_position
from jammi_dagster.fingerprint.syntax.scopes import Chain, chain_of

if TYPE_CHECKING:
    from jammi_dagster.fingerprint.reach.function_flows import Flow
    from jammi_dagster.fingerprint.reach.object_flows import ObjectFlows

_DEEPEST = 4  # names of names, bases of bases
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_TABLES = (ast.Dict, ast.List, ast.Tuple)


class Callee(NamedTuple):
    """A function that a call may call.

    `first`: the values that it gets before the arguments of the call, such as the object of a method. `words`: by
    keyword. `makes`: it is the constructor of a class with these `fields`.
    """

    flow: Flow
    first: tuple[Values, ...] = ()
    words: Mapping[str, Values] = {}
    makes: bool = False
    fields: tuple[str, ...] = ()


class Arguments(NamedTuple):
    """The values, and the expressions, that a function gets for its parameters."""

    values: Mapping[str, Values]
    written: Mapping[str, ast.expr]


def callees(flow: Flow, function: ast.expr, depth: int = _DEEPEST) -> list[Callee]:
    """Return the first-party functions that an expression may stand for."""
    if depth <= 0:
        return []
    if isinstance(function, ast.Lambda):
        return [Callee(flow.inner_of(function))]
    if isinstance(function, (ast.IfExp, ast.BoolOp)):
        parts = [function.body, function.orelse] if isinstance(function, ast.IfExp) else function.values
        return [one for part in parts for one in callees(flow, part, depth - 1)]
    if isinstance(function, ast.Subscript):
        return list(_of_table(flow, function.value, depth))
    if isinstance(function, ast.Call):
        return list(_of_partial(flow, function, depth))
    if isinstance(function, ast.Name) and (place := flow.binder(function.id)) is not None:
        return list(_of_variable(place, function, depth))
    chain = chain_of(function)
    if chain and flow.is_of_module(chain[0]) and (found := flow.flows.named(flow.home, chain, depth)):
        return found
    return list(_of_method(flow, function, depth)) if isinstance(function, ast.Attribute) else []


def _of_variable(place: Flow, name: ast.Name, depth: int) -> Iterator[Callee]:
    """Yield the functions that a variable of a function may hold."""
    for one in place.code.inner:
        if getattr(one, "name", None) == name.id:
            yield Callee(place.inner_of(one))
    if name.id == "cls" and place.cls is not None:
        yield place.flows.maker(*place.cls)
    for bound in place.code.bound.get(name.id, ()):
        if not bound.steps:
            yield from callees(place, bound.value, depth - 1)
        else:
            asked = bound.value.func if isinstance(bound.value, ast.Call) else None
            is_view = isinstance(asked, ast.Attribute) and asked.attr in ("items", "values")
            table = asked.value if is_view and isinstance(asked, ast.Attribute) else bound.value
            yield from _of_table(place, table, depth - 1)


def _of_table(flow: Flow, table: ast.expr, depth: int) -> Iterator[Callee]:
    """Yield the functions that a written table holds."""
    if isinstance(table, ast.Name):
        place = flow.binder(table.id)
        written = [one.value for one in place.code.bound.get(table.id, ())] if place else []
        if place is not None:
            for one in written:
                yield from _of_items(place, one, depth)
            return
    for home, value in flow.flows.written(flow.home, chain_of(table) or ()):
        yield from _of_items(flow.flows.module(home), value, depth)
    yield from _of_items(flow, table, depth)


def _of_items(flow: Flow, table: ast.expr, depth: int) -> Iterator[Callee]:
    values = table.values if isinstance(table, ast.Dict) else getattr(table, "elts", [])
    for one in values if isinstance(table, _TABLES) else ():
        yield from callees(flow, one, depth - 1)


def _of_partial(flow: Flow, call: ast.Call, depth: int) -> Iterator[Callee]:
    """Yield the functions that a `partial` calls, with the arguments that it holds."""
    if (chain_of(call.func) or ("",))[-1] not in ("partial", "partialmethod") or not call.args:
        return
    first = tuple(flow.values(one) for one in call.args[1:])
    words = {word.arg: flow.values(word.value) for word in call.keywords if word.arg}
    for one in callees(flow, call.args[0], depth - 1):
        yield one._replace(first=(*one.first, *first), words={**one.words, **words})


def _of_method(flow: Flow, function: ast.Attribute, depth: int) -> Iterator[Callee]:
    """Yield the methods of first-party classes that a call of a method may call, as far as the class is told."""
    held = function.value
    if isinstance(held, ast.Call) and chain_of(held.func) == ("super",) and flow.cls is not None:
        for home, base in bases(flow.flows, *flow.cls):
            if method := method_of(flow.flows, home, base, function.attr):
                yield Callee(method, (flow.values_of("self", function.lineno),))
        return
    found = list(classes(flow, held, depth))
    if not found and flow.home.source is not None and not _of_library(flow, held):
        units = (
            unit for unit in flow.home.source.units if unit.kind == "class"
        )  # any that has one of the name
        found = [(flow.home, unit) for unit in units if function.attr in unit.methods]
    for home, cls in found:
        if method := method_of(flow.flows, home, cls, function.attr):
            is_static = _is_decorated(method, "staticmethod")
            yield Callee(method, () if is_static else (flow.values(held),))


def _of_library(flow: Flow, held: ast.expr) -> bool:
    """Return whether an expression is a module, or an object, that a known name of a library tells."""
    chain = chain_of(held)
    return bool(chain and flow.scope.peek(chain))


def _is_decorated(flow: Flow, name: str) -> bool:
    return any((chain_of(one) or ("",))[-1] == name for one in getattr(flow.node, "decorator_list", ()))


def classes(flow: Flow, expression: ast.expr, depth: int = _DEEPEST) -> Iterator[tuple[Node, Unit]]:
    """Yield the first-party classes of which an expression may be an object, or which it names."""
    if depth <= 0:
        return
    chain = chain_of(expression)
    if isinstance(expression, ast.Call):
        called = chain_of(expression.func) or ()
        yield from _named_classes(flow, called)
        return
    if not chain:
        return
    if chain in (("self",), ("cls",)) and flow.cls is not None:
        yield flow.cls
        return
    place = flow.binder(chain[0]) if len(chain) == 1 else None
    if place is not None:
        annotation = place.annotation_of(chain[0])
        if annotation is not None:
            yield from _named_classes(place, chain_of(annotation) or ())
        for bound in place.code.bound.get(chain[0], ()):
            if not bound.steps:
                yield from classes(place, bound.value, depth - 1)
    elif flow.is_of_module(chain[0]):
        yield from _named_classes(flow, chain)
        for home, value in flow.flows.written(flow.home, chain):
            yield from classes(flow.flows.module(home), value, depth - 1)


def _named_classes(flow: Flow, chain: Chain) -> Iterator[tuple[Node, Unit]]:
    if chain and flow.is_of_module(chain[0]):
        found = flow.flows.places.definitions(flow.home, chain)
        yield from ((home, unit) for home, unit in found if unit.kind == "class")


def bases(flows: ObjectFlows, home: Node, cls: Unit) -> list[tuple[Node, Unit]]:
    """Return the first-party bases of a class."""
    node = cls.statement.node if cls.statement else None
    chains = [chain for one in getattr(node, "bases", ()) if (chain := chain_of(one))]
    found = [pair for chain in chains for pair in flows.places.definitions(home, chain)]
    return [(place, unit) for place, unit in found if unit is not cls and unit.kind == "class"]


def method_of(flows: ObjectFlows, home: Node, cls: Unit, name: str, depth: int = _DEEPEST) -> Flow | None:
    """Return a method of a class, or of its first-party bases."""
    node = cls.statement.node if cls.statement else None
    for one in getattr(node, "body", ()):
        if isinstance(one, _FUNCTIONS) and one.name == name:
            return flows.of(home, one, (home, cls))
    for place, base in bases(flows, home, cls) if depth > 0 else ():
        if found := method_of(flows, place, base, name, depth - 1):
            return found
    return None


def arguments(flow: Flow, callee: Callee, call: ast.Call) -> Arguments:
    """Return the values that a function gets for its parameters by a call."""
    given = callee.flow.parameters
    if given is None:
        return Arguments({}, {})
    places = [one.arg for one in by_position(given)]
    words = [*places, *(one.arg for one in given.kwonlyargs)]
    more = given.vararg.arg if given.vararg else ""
    rest = given.kwarg.arg if given.kwarg else ""
    found: dict[str, Values] = {}
    written: dict[str, ast.expr] = {}

    def add(name: str, values: Values) -> None:
        found[name] = found.get(name, NONE) | values

    at = 0
    for values in (NONE, *callee.first) if callee.makes else callee.first:
        add(places[at] if at < len(places) else more, values)
        at += 1
    for one in call.args:
        if isinstance(one, ast.Starred):
            items = flow.values(one)
            for name in places[at:]:
                add(name, items)
            add(more, wrap(items))
        elif at < len(places):
            add(places[at], flow.values(one))
            written[places[at]] = one
        else:
            add(more, wrap(flow.values(one)))
        at += 1
    for name, values in callee.words.items():
        add(name, values)
    told = {*places[:at], *(word.arg for word in call.keywords)}
    for word in call.keywords:
        values = flow.values(word.value)
        if word.arg is None:
            for name in words:
                add(name, item(values, name) if name not in told else NONE)
            add(rest, copy(values))
        elif word.arg in words:
            add(word.arg, values)
            written[word.arg] = word.value
        else:
            add(rest, wrap(values, word.arg))
    return Arguments(found, written)


def wrappers(module: Flow, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Callee]:
    """Yield the functions that the decorators of a function put in its place."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call):
            yield from _returned(_returned(callees(module, decorator.func)))
        else:
            yield from _returned(callees(module, decorator))


def _returned(makers: Iterable[Callee]) -> list[Callee]:
    """Return the functions within others that these return."""
    found = []
    for maker in makers:
        for one in maker.flow.code.nodes:
            if isinstance(one, ast.Return) and one.value is not None:
                made = callees(maker.flow, one.value)
                found += [inner for inner in made if inner.flow.around is maker.flow]
    return found
