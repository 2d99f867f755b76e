"""The flow of module-level objects through functions: the objects in which each value of a function may lie.

`rows = same(ROWS)` makes `rows` another name of `ROWS`, if `same` returns its argument. The reading of one function
is kept, with all that calls of it change and return, for as long as the index of its file stands.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.reach import callees as called
from jammi_dagster.fingerprint.reach.callees import Callee, callees
from jammi_dagster.fingerprint.reach.flow_values import (
    Value,
    Values,
)
from jammi_dagster.fingerprint.reach.function_flows import Flow
from jammi_dagster.fingerprint.reach.places import Places
from jammi_dagster.fingerprint.reach.routes import Node
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.bound_values import ANY_PART
from jammi_dagster.fingerprint.syntax.functions import Function
from jammi_dagster.fingerprint.syntax.scopes import Chain, FunctionScope, Scope

_DEEPEST = 20  # functions that call each other: Python limits the depth of calls


class ObjectFlows:
    """The flows of the functions that were asked for.

    flows = ObjectFlows(places)
    flows.of(node, function).returned  # {Value(root=("/checkout/text.py", "ROWS"))}
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        self._found: dict[int, Flow] = {}
        self._modules: dict[str, Flow] = {}
        self._depth = 0
        self._held: dict[tuple[str, str], Values] = {}
        self._named: dict[tuple[str, Chain], list[Callee]] = {}

    def of(
        self,
        home: Node,
        function: Function,
        cls: tuple[Node, Unit] | None = None,
        scope: Scope | None = None,
    ) -> Flow:
        """Return the flow of a function of a module, of a method, or of a function that stands in another's scope."""
        if id(function) not in self._found:
            around = (
                self.of(home, scope.node, None, scope.around) if isinstance(scope, FunctionScope) else None
            )
            self._found[id(function)] = Flow(self, home, function, around, cls)
        return self._found[id(function)]

    def module(self, home: Node) -> Flow:
        """Return the flow of the code of a module itself, of which all variables are those of the module."""
        if home.path not in self._modules:
            self._modules[home.path] = Flow(self, home, None, None, None)
        return self._modules[home.path]

    def named(self, home: Node, chain: Chain, depth: int) -> list[Callee]:
        """Return the functions that a name of a module stands for."""
        if (home.path, chain) not in self._named:
            self._named[home.path, chain] = []  # for a name that stands for itself
            self._named[home.path, chain] = list(self._find(home, chain, depth))
        return self._named[home.path, chain]

    def _find(self, home: Node, chain: Chain, depth: int) -> Iterator[Callee]:
        if CALL in chain:
            return
        for place, unit in self.places.definitions(home, chain):
            node = unit.statement.node if unit.statement else None
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield Callee(self.of(place, node))
                yield from called.wrappers(self.module(place), node)
            elif isinstance(node, ast.ClassDef):
                if len(chain) > 1 and chain[-1] != node.name and place is home:
                    continue  # a method by its class
                yield self.maker(place, unit)
        for place, value in self.written(home, chain):
            for class_home, cls in (
                called.classes(self.module(place), value) if isinstance(value, ast.Call) else ()
            ):
                if method := called.method_of(self, class_home, cls, "__call__"):
                    yield Callee(method, (frozenset({Value((place.path, chain[-1]))}),))
            for one in callees(self.module(place), value, depth - 1):
                held = frozenset({Value((place.path, chain[-1]), (ANY_PART,))})
                is_partial = isinstance(value, ast.Call)
                yield one._replace(
                    first=tuple(found | held for found in one.first) if is_partial else one.first,
                    words={name: found | held for name, found in one.words.items()},
                )

    @contextmanager
    def deeper(self) -> Iterator[bool]:
        """Count functions that are read for each other; yield True where they are too many, and are not followed."""
        self._depth += 1
        try:
            yield self._depth > _DEEPEST
        finally:
            self._depth -= 1

    def maker(self, home: Node, cls: Unit) -> Callee:
        """Return the constructor of a class."""
        node = cls.statement.node if cls.statement else None
        body = node.body if isinstance(node, ast.ClassDef) else []
        constructor = called.method_of(self, home, cls, "__init__")
        made = () if constructor or not isinstance(node, ast.ClassDef) else tuple(self._defaults(home, node))
        fields = [one.target for one in body if isinstance(one, ast.AnnAssign)]
        named = tuple(one.id for one in fields if isinstance(one, ast.Name))
        return Callee(constructor or self.module(home), made, makes=True, fields=named)

    def _defaults(self, home: Node, cls: ast.ClassDef) -> Iterator[Values]:
        """Yield the values that the objects of a dataclass get from `default_factory`."""
        for one in cls.body:
            value = one.value if isinstance(one, ast.AnnAssign) else None
            for word in value.keywords if isinstance(value, ast.Call) else ():
                if word.arg == "default_factory":
                    made = callees(self.module(home), word.value)
                    yield from (found.flow.returned for found in made if not found.makes)

    def held(self, home: Node, name: str) -> Values:
        """Return the object that a module holds under a name, and those of other names in which it may lie."""
        key = (home.path, name)
        if key not in self._held:
            own = self._held[key] = frozenset({Value(key)})
            value = home.source.written.get(name) if home.source else None
            if value is not None and not isinstance(value, (ast.Constant, ast.Lambda)):
                self._held[key] = own | self.module(home).values(value)
        return self._held[key]

    def written(self, home: Node, chain: Chain) -> Iterator[tuple[Node, ast.expr]]:
        """Yield the expressions that a name of a module is assigned, each with its file."""
        for place, name in self.places.of(home, chain) if chain and CALL not in chain else ():
            value = place.source.written.get(name) if place.source and name == chain[-1] else None
            if value is not None:
                yield place, value
