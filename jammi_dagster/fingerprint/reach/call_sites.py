"""Calls of first-party functions in the reached code, and the constants that these give to parameters."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from jammi_dagster.fingerprint.kept import kept
from jammi_dagster.fingerprint.known_names import ANY, CALL
from jammi_dagster.fingerprint.known_names.hidden_code import NAMED_BY_ARGUMENTS
from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.reached import ReachedFile
from jammi_dagster.fingerprint.sources.units import Finding, Unit
from jammi_dagster.fingerprint.syntax.constants import Constants, Placed
from jammi_dagster.fingerprint.syntax.outside_world import hidden_code
from jammi_dagster.fingerprint.syntax.parameters import by_position, defaults
from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, Scope, chain_of
from jammi_dagster.fingerprint.syntax.uses import Call, Use


def call_sites(graph: Graph, name: str) -> Iterator[Call | None]:
    """Yield the reached uses of all functions of a name: their calls, and None for another use."""
    names = {name}
    while further := _other_names(graph, names) - names:
        names |= further
    for reached in graph.reached.values():
        for _, part, _ in reached.units():
            for one in names:
                yield from part.own_calls.get(one, ())
            for use in part.uses:
                parts = use.name.split(".")
                if parts[-1] in names:
                    yield use.call
                elif any(one in names and after != CALL for one, after in pairwise(parts)):
                    yield None  # one of its attributes is asked for
            if any(text.rpartition(".")[2] in names for text in part.texts):
                yield None


def users_of(graph: Graph, holder: ReachedFile, name: str) -> Iterator[ReachedFile]:
    """Yield the reached modules that use a name of a module through an import."""
    for reached in graph.reached.values():
        uses = (
            graph.target_of(reached.node, use.name) for _, part, _ in reached.units() for use in part.uses
        )
        if any(found and found[0] is holder.node and found[1][0] == name for found in uses):
            yield reached


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
        self._constants = Constants(self._given, self._imported)

    def uses(self, reached: ReachedFile, finding: Finding) -> Sequence[Use] | None:
        """Return the uses of the attributes that a finding asks for; None if they cannot be told."""
        call = finding.asks
        site = call.site if call else None
        if call is None or site is None or call.is_open:
            return None
        function = chain_of(site.node.func) or ("",)
        known = next((name for name in site.scope.peek(function) if name in NAMED_BY_ARGUMENTS), None)
        given = site.node.args[NAMED_BY_ARGUMENTS[known]] if known else []
        found = [self._constants.of(one, site.scope) for one in given]
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

    def _given(self, function: FunctionScope, name: str) -> Sequence[Placed] | None:
        """Return the expressions that all callers give to a parameter of a plain function of a module."""
        node = function.node
        if isinstance(node, ast.Lambda) or node.decorator_list or id(node) not in self._plain:
            return None
        calls = list(call_sites(self._graph, node.name))
        given = [_argument(call, function, name) for call in calls]
        by_word = {id(word) for call in calls if call and call.site for word in call.site.node.keywords}
        if any(call and call.site and call.site.is_partial for call in calls) and self._gives(name, by_word):
            return None  # the result of a `partial` may get another one
        return None if None in given else [one for placed in given for one in placed or ()]

    def _imported(self, module: Scope, name: str) -> Placed | None:
        """Return the expression that a module imports by a name, if that is bound once."""
        nodes = [
            one.node
            for one in self._graph.reached.values()
            if one.node.source and one.node.source.scope is module
        ]
        names = module.peek((name,))
        target = self._graph.target_of(nodes[0], names[0]) if nodes and len(names) == 1 else None
        source = target[0].source if target and len(target[1]) == 1 else None
        if target is None or source is None:
            return None
        found = source.written.get(target[1][0])
        return (found, source.scope) if found is not None else None

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
    def _plain(self) -> frozenset[int]:
        """The functions that only reached calls call, by `id`: neither live values nor whole modules hold them."""
        return frozenset(
            id(unit.statement.node)
            for reached in self._graph.reached.values()
            if reached.node.source
            for unit in _units_called(reached)
            if unit.statement and not self._graph.whole_names.intersection(unit.names)
        )


def _units_called(reached: ReachedFile) -> Iterator[Unit]:
    source = reached.node.source
    assert source is not None
    held = {source.unit_of(label) for label in reached.labels} | set(reached.roots)
    yield from (
        source.units[index] for index, _ in reached.parts if index not in held and index < source.loaded
    )


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
