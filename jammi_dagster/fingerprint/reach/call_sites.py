"""Calls of first-party functions in the reached code, and the constants that these give to parameters."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

from jammi_dagster.fingerprint.kept import kept
from jammi_dagster.fingerprint.known_names import ANY, CALL
from jammi_dagster.fingerprint.known_names.hidden_code import NAMED_BY_ARGUMENTS
from jammi_dagster.fingerprint.known_names.mutations import TABLE_METHODS
from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.reached import ReachedFile
from jammi_dagster.fingerprint.reach.routes import Node
from jammi_dagster.fingerprint.sources.parts import Finding
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.bindings import bound_names
from jammi_dagster.fingerprint.syntax.bound_attributes import UNSEEN, binds, bound_attributes
from jammi_dagster.fingerprint.syntax.constants import Constants, Placed
from jammi_dagster.fingerprint.syntax.inner_calls import inner_calls
from jammi_dagster.fingerprint.syntax.outside_world import hidden_code
from jammi_dagster.fingerprint.syntax.parameters import by_position, defaults
from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, Scope, chain_of
from jammi_dagster.fingerprint.syntax.sets import own_nodes
from jammi_dagster.fingerprint.syntax.texts import names_in_text, text_argument
from jammi_dagster.fingerprint.syntax.uses import Call, Site, Use

One = TypeVar("One")
Other = TypeVar("Other")


def call_sites(graph: Graph, name: str) -> Iterator[Call | None]:
    """Yield the reached uses of all functions of a name: their calls, and None for another use."""
    return (call for _, call in placed_calls(graph, name))


def placed_calls(graph: Graph, name: str) -> Iterator[tuple[Unit, Call | None]]:
    """Yield the same, each with the unit in which it stands."""
    names = {name}
    while further := _other_names(graph, names) - names:
        names |= further
    for reached in graph.reached.values():
        for unit, part, _ in reached.units():
            for one in names:
                yield from ((unit, call) for call in part.own_calls.get(one, ()))
            for use in part.uses:
                parts = use.name.split(".")
                if parts[-1] in names:
                    yield unit, use.call
                elif any(one in names and after != CALL for one, after in pairwise(parts)):
                    yield unit, None  # one of its attributes is asked for
            if any(text.rpartition(".")[2] in names for text in part.texts):
                yield unit, None


def is_used_elsewhere(graph: Graph, holder: ReachedFile, name: str) -> bool:
    """Return whether reached code uses a name of a module through an import."""
    uses = (
        graph.target_of(reached.node, use.name)
        for reached in graph.reached.values()
        for _, part, _ in reached.units()
        for use in part.uses
    )
    return any(found and found[0] is holder.node and found[1][0] == name for found in uses)


def _other_names(graph: Graph, names: set[str]) -> set[str]:
    """Return the names under which modules import these ones."""
    return {
        other
        for reached in graph.reached.values()
        for other, targets in (reached.node.source.scope.imported if reached.node.source else {}).items()
        if any(target.rpartition(".")[2] in names for target in targets)
    }


class Asked:
    """The attributes of `getattr(x, how)` and the like, where the callers of the reached code show the name.

    asked = Asked(graph)
    asked.uses(reached, finding)  # [Use("?.lower", …), …]; None: any attribute
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._attributes: dict[str, list[Placed] | None] = {}  # of objects, by their names
        self._mixtures: dict[str, list[ast.ClassDef]] = {}
        self.constants = Constants(
            _once(self._given, lambda function: function.node),
            self._imported,
            _once(self._returned),
            _once(self._held),
            lambda: self._lookers,
        )

    def uses(self, reached: ReachedFile, finding: Finding) -> Sequence[Use] | None:
        """Return the uses of the attributes that a finding asks for; None if they cannot be told."""
        call = finding.asks
        site = call.site if call else None
        if call is None or site is None or call.is_open:
            return None
        if isinstance(site.node.func, ast.Attribute) and text_argument(f"{ANY}.{site.node.func.attr}"):
            return self._of_texts(f"{ANY}.{site.node.func.attr}", site)
        function = chain_of(site.node.func) or ("",)
        known = next((name for name in site.scope.peek(function) if name in NAMED_BY_ARGUMENTS), None)
        given = site.node.args[NAMED_BY_ARGUMENTS[known]] if known else []
        found = [self.constants.of(one, site.scope) for one in given]
        texts = {text for one in found for text in one or () if isinstance(text, str)}
        if not texts or any(not one for one in found):
            return None
        holder = chain_of(site.node.args[0]) if function[-1] == "getattr" else None
        called = site.of_result or Call((), {})
        uses = [Use(f"{ANY}.{text.rpartition('.')[2]}", finding.line, called) for text in sorted(texts)]
        for name in site.scope.peek(holder) if holder else ():
            uses += [Use(f"{name}.{text}", finding.line, called) for text in sorted(texts)]
            route = self._graph.routes.of(reached.node, name)
            if route.passed and not route.leaves and not route.rest:
                return None  # the name of a submodule brings in more than the module
        return None if any(hidden_code(use.name, use.call) for use in uses) else uses

    def _of_texts(self, name: str, site: Site) -> Sequence[Use] | None:
        """Return no uses if the text of a query is told by the callers, and names no variable."""
        argument = text_argument(name)
        assert argument is not None
        words = {word.arg: word.value for word in site.node.keywords}
        given = next(iter(site.node.args[argument.position :]), words.get(argument.name))
        texts = self.constants.of(given, site.scope)
        calls = [Call((None,) * argument.position + (text,), {}) for text in texts or ()]
        is_told = bool(calls) and all(isinstance(text, str) for text in texts or ())
        return () if is_told and not any(any(names_in_text(name, call)) for call in calls) else None

    def _given(self, function: FunctionScope, name: str) -> Sequence[Placed] | None:
        """Return the expressions that all callers give to a parameter of a plain function."""
        node = function.node
        if not isinstance(node, ast.Lambda) and node.decorator_list:
            return None
        if (inner := inner_calls(function)) is not None:
            sites = [_argument(Call.of(one, Site(one, scope)), function, name) for one, scope in inner]
            return None if None in sites else [one for placed in sites for one in placed or ()]
        if isinstance(node, ast.Lambda) or id(node) not in self._plain:
            return None
        calls = list(call_sites(self._graph, node.name))
        given = [_argument(call, function, name) for call in calls]
        by_word = {id(word) for call in calls if call and call.site for word in call.site.node.keywords}
        if any(call and call.site and call.site.is_partial for call in calls) and self._gives(name, by_word):
            return None  # the result of a `partial` may get another one
        return None if None in given else [one for placed in given for one in placed or ()]

    def _imported(self, module: Scope, name: str) -> Placed | None:
        """Return the expression that a module imports by a name, if that is bound once."""
        node, names = self.nodes.get(id(module)), module.peek((name,))
        target = self._graph.target_of(node, names[0]) if node and len(names) == 1 else None
        source = target[0].source if target and len(target[1]) == 1 else None
        if target is None or source is None:
            return None
        found = source.written.get(target[1][0])
        return (found, source.scope) if found is not None else None

    def _returned(self, call: ast.Call, scope: Scope) -> Sequence[Placed] | None:
        """Return the expressions that a plain function returns, or a method of the class itself or of a new object."""
        chain = chain_of(call.func) or ()
        node = self.nodes.get(id(scope.module))
        if node is None or node.source is None or not chain:
            return None
        units = [unit for _, unit in self._graph.places.definitions(node, chain[:1])]
        if len(chain) == 2 and chain[0] in ("self", "cls"):
            around = [one.node for one in scope.lineage() if isinstance(one, FunctionScope)]
            classes = [unit for unit in node.source.units if around and around[-1] in _body_of(unit)]
            return self._of_method(classes, chain[-1])
        is_class = [unit.kind for unit in units] == ["class"]
        if is_class and (len(chain) == 2 or (len(chain) == 3 and chain[1] == CALL)):
            return self._of_method(units, chain[-1])
        found = [unit.statement for _, unit in self._graph.places.definitions(node, chain)]
        return _results(found[0].node, found[0].scope) if len(found) == 1 and found[0] else None

    def _of_method(self, classes: Sequence[Unit], name: str) -> Sequence[Placed] | None:
        """Return the expressions that a method of one class returns, if no other class and no object has another."""
        found = self._members.get(name, [])
        if len(classes) != 1 or [unit for unit, _ in found] != [classes[0]] or not classes[0].statement:
            return None
        stored = (one for one in ast.walk(classes[0].statement.node) if isinstance(one, ast.Attribute))
        is_fixed = all(isinstance(one.ctx, ast.Load) for one in stored if one.attr == name)
        return _results(found[0][1], classes[0].statement.scope) if is_fixed else None

    @kept
    def _members(self) -> dict[str, list[tuple[Unit, ast.stmt]]]:
        """The statements in the bodies of the classes of all reached files, by the names that they bind."""
        found: dict[str, list[tuple[Unit, ast.stmt]]] = {}
        sources = (reached.node.source for reached in self._graph.reached.values())
        for unit in (unit for source in sources if source for unit in source.units):
            for one in _body_of(unit):
                for name in dict.fromkeys(bound_names(one)):
                    found.setdefault(name, []).append((unit, one))
        return found

    @kept
    def _lookers(self) -> frozenset[str]:
        """Methods of tables that change nothing that they get: no class of a reached file has one of that name."""
        return TABLE_METHODS.difference(self._members)

    def _held(self, node: ast.Attribute, scope: Scope) -> Sequence[Placed] | None:
        """Return the expressions that an attribute of `self` or a class is bound to in all reached files."""
        owner = node.value.id if isinstance(node.value, ast.Name) else ""
        around = [one.node for one in scope.lineage() if isinstance(one, FunctionScope)]
        if owner in ("self", "cls") and scope.is_parameter(owner):
            own = [cls for cls in self._classes if around and around[-1] in cls.body]
        else:
            own = [cls for cls in self._classes if cls.name == owner and scope.binder(owner) is scope.module]
            own = [cls for cls in own if cls in scope.module.body]
        if len(own) != 1:
            return None
        name = own[0].name
        if name not in self._mixtures:
            self._mixtures[name] = self._mixed(name)
        if not binds(own[0], node.attr) or not all(binds(cls, node.attr) for cls in self._mixtures[name]):
            return None
        if node.attr not in self._attributes:
            sources = [node.source for node in self.nodes.values() if node.source]
            only_named = not any(UNSEEN.search(source.content) for source in sources)
            units = (unit for one in sources if node.attr.encode() in one.content for unit in one.units)
            statements = [unit.statement for unit in units if unit.statement]
            found = bound_attributes(statements, node.attr, only_named=only_named)
            self._attributes[node.attr] = found
        return self._attributes[node.attr]

    @kept
    def _classes(self) -> list[ast.ClassDef]:
        """All classes of the reached files."""
        units = (unit for node in self.nodes.values() if node.source for unit in node.source.units)
        return [cls for unit in units for cls in unit.classes]

    def _mixed(self, name: str) -> list[ast.ClassDef]:
        """Return the classes below one of a name that have further bases: an attribute may come from these."""
        names, count = {name}, 0
        below: list[ast.ClassDef] = []
        while count < len(names):
            count = len(names)
            names |= _other_names(self._graph, names)
            below = [
                one for one in self._classes if any((chain_of(to) or ("",))[-1] in names for to in one.bases)
            ]
            names.update(one.name for one in below)
        return [one for one in below if len(one.bases) > 1]

    def _gives(self, name: str, apart: Collection[int]) -> bool:
        """Return whether reached code gives an argument by a name, or by `**`, besides the keywords of known calls."""
        statements = (
            unit.statement.node
            for reached in self._graph.reached.values()
            for unit, _, _ in reached.units()
            if unit.statement
        )
        words = (one for node in statements for one in ast.walk(node) if isinstance(one, ast.keyword))
        return any(word.arg in (name, None) and id(word) not in apart for word in words)

    @kept
    def nodes(self) -> dict[int, Node]:
        """The reached files, by the `id` of the scope of their module."""
        nodes = (reached.node for reached in self._graph.reached.values())
        return {id(node.source.scope): node for node in nodes if node.source}

    @kept
    def _plain(self) -> frozenset[int]:
        """The functions that only reached calls call, by `id`: neither live values nor whole modules hold them."""
        return frozenset(
            id(unit.statement.node)
            for reached in self._graph.reached.values()
            if reached.node.source
            for unit in _units_called(reached)
            if unit.statement and not self._graph.whole_names.intersection(unit.names)
        )


def _once(
    find: Callable[[One, Other], Sequence[Placed] | None], node_of: Callable[[One], object] = lambda one: one
) -> Callable[[One, Other], Sequence[Placed] | None]:
    """Find the expressions behind a place of the code once: the second argument is a name, or that of the place."""
    known: dict[tuple[int, str], tuple[object, Sequence[Placed] | None]] = {}

    def found(one: One, other: Other) -> Sequence[Placed] | None:
        node = node_of(one)
        key = id(node), other if isinstance(other, str) else ""
        if key not in known:
            known[key] = node, find(one, other)  # the node is held, so that its id stays its own
        return known[key][1]

    return found


def _units_called(reached: ReachedFile) -> Iterator[Unit]:
    source = reached.node.source
    assert source is not None
    held = {source.unit_of(label) for label in reached.labels} | set(reached.roots)
    yield from (
        source.units[index] for index, _ in reached.parts if index not in held and index < source.loaded
    )


def _body_of(unit: Unit) -> Sequence[ast.stmt]:
    cls = unit.statement.node if unit.statement else None
    return cls.body if isinstance(cls, ast.ClassDef) else ()


def _results(function: ast.AST, scope: Scope) -> list[Placed] | None:
    """Return the expressions that a function returns; None if it returns other values."""
    if not isinstance(function, ast.FunctionDef) or any(
        chain_of(one) not in (("staticmethod",), ("classmethod",)) for one in function.decorator_list
    ):
        return None
    every = own_nodes(function)
    own = FunctionScope(scope, function)
    values = [one.value for one in every if isinstance(one, ast.Return)]
    is_plain = isinstance(function.body[-1], ast.Return) and not any(
        isinstance(one, (ast.Yield, ast.YieldFrom)) for one in every
    )
    return [(one, own) for one in values if one is not None] if is_plain and None not in values else None


def _argument(call: Call | None, function: FunctionScope, name: str) -> list[Placed] | None:
    """Return the expressions that a call gives to a parameter: several for `*args`; None where they are not known."""
    site = call.site if call else None
    if site is None:
        return None
    node, given = site.node, function.node.args
    places = [one.arg for one in by_position(given)]
    spread = next((at for at, one in enumerate(node.args) if isinstance(one, ast.Starred)), None)
    if given.vararg and given.vararg.arg == name:
        is_known = spread is None and not site.is_partial
        return [(one, site.scope) for one in node.args[len(places) :]] if is_known else None
    place = places.index(name) if name in places else None
    if place is not None and place < len(node.args[:spread]):
        return [(node.args[place], site.scope)]
    word = next((one.value for one in node.keywords if one.arg == name), None)
    if word is not None:
        return [(word, site.scope)]
    if site.is_partial or spread is not None or any(one.arg is None for one in node.keywords):
        return None
    return [(value, function.around) for one, value in defaults(given) if one.arg == name]
