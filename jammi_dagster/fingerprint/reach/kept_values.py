"""Values that a global keeps from call to call: constants, where nothing that varies makes or changes them."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import NamedTuple

from jammi_dagster.fingerprint.kept import kept
from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.mutations import MUTATING_METHODS
from jammi_dagster.fingerprint.known_names.services import READER_MODULES
from jammi_dagster.fingerprint.known_names.state import MUTATING_FUNCTIONS, OBJECT_MUTATORS, STATEFUL_MAKERS
from jammi_dagster.fingerprint.reach.call_sites import call_sites, is_used_elsewhere
from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.packaged_reads import led_to
from jammi_dagster.fingerprint.reach.reached import ReachedFile
from jammi_dagster.fingerprint.reach.shared_state import changes_by_use
from jammi_dagster.fingerprint.sources.parts import Part
from jammi_dagster.fingerprint.sources.source import Source
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.lazy_values import is_constant_slot
from jammi_dagster.fingerprint.syntax.load_effects import looks_mutating
from jammi_dagster.fingerprint.syntax.outside_world import outside_name
from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import nodes, parents_of

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_IMMUTABLE = frozenset({"bool", "bytes", "complex", "date", "datetime", "Decimal", "float", "int", "str"})
# Parents of an expression that make a new value of it, and ones that hold it or hand it on.
_MAKE_NEW = (
    ast.Compare,
    ast.UnaryOp,
    ast.BinOp,
    ast.AugAssign,
    ast.FormattedValue,
    ast.Expr,
    ast.Assert,
    ast.Slice,
)
_TESTS = (ast.If, ast.While, ast.IfExp)
_HOLD = (
    *(ast.Tuple, ast.List, ast.Set, ast.Dict, ast.Starred, ast.keyword, ast.BoolOp, ast.IfExp, ast.Lambda),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
# Functions and methods whose results hold items of an object, not copies of them.
_SHARING = frozenset(
    [
        *("copy", "dict", "enumerate", "filter", "get", "items", "iter", "keys", "list", "map", "max", "min"),
        *("reversed", "sorted", "tuple", "values", "zip"),
        # ones whose results are views of an array
        *("asanyarray", "asarray", "ascontiguousarray", "atleast_1d", "atleast_2d", "memoryview", "ravel"),
        *("reshape", "squeeze", "swapaxes", "to_numpy", "transpose", "view"),
    ]
)


class _Place(NamedTuple):
    """The unit of a file, and the parents of the nodes in its statement."""

    reached: ReachedFile
    at: int
    parents: dict[int, ast.AST]

    @property
    def unit(self) -> Unit:
        assert self.reached.node.source is not None
        return self.reached.node.source.units[self.at]


class ReachedCode:
    """The reached code: its statements, its calls, and the methods of its classes, each read once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._parents: dict[int, dict[int, ast.AST]] = {}

    def place(self, reached: ReachedFile, index: int) -> _Place:
        source = reached.node.source
        node = _node(source.units[index]) if source else None
        if id(node) not in self._parents:
            self._parents[id(node)] = parents_of(nodes(node)) if node else {}
        return _Place(reached, index, self._parents[id(node)])

    @kept
    def calls(self) -> dict[int, tuple[ReachedFile, int]]:
        """The calls in reached code, by `id`, each with its unit."""
        return {
            id(one): (reached, index)
            for reached in self.graph.reached.values()
            if reached.node.source
            for index in {index for index, _ in reached.parts}
            for one in ast.walk(_node(reached.node.source.units[index]) or ast.Pass())
            if isinstance(one, ast.Call)
        }

    @kept
    def methods(self) -> frozenset[str]:
        """The names of the methods of all classes."""
        return frozenset(
            method
            for reached in self.graph.reached.values()
            for unit, _, _ in reached.units()
            for method in unit.methods
        )


def is_kept_constant(code: ReachedCode, holder: ReachedFile, name: str) -> bool:
    """Return whether a global that one function fills always holds the same value, for each key."""
    graph, source = code.graph, holder.node.source
    if source is None or not (slot := source.slot_of(name)):
        return False
    if is_used_elsewhere(graph, holder, name):
        return False
    if is_constant_slot(slot, source.scope):
        return True
    index = next(
        (at for at in source.by_name[slot.function.name] if _node(source.units[at]) is slot.function), None
    )
    if index is None or not _is_pure(graph, holder, index):
        return False
    if _name_of(slot.function.returns) in _IMMUTABLE:
        return True
    return _Flows(code).is_only_looked_at(slot.kept, code.place(holder, index))


def _node(unit: Unit) -> ast.AST | None:
    return unit.statement.node if unit.statement else None


def _is_pure(graph: Graph, holder: ReachedFile, index: int) -> bool:
    """Return whether the code behind a function reads nothing outside, and keeps nothing besides slots."""
    todo = [(holder.node.path, index)]
    seen = set(todo)
    for path, at in todo:  # grows while it is read
        reached = graph.reached.get(path)
        if reached is None or reached.node.source is None:
            return False
        unit = reached.node.source.units[at]
        parts = [unit.parts[part] for index, part in reached.parts if index == at]
        if not all(_is_pure_part(part, reached.node.source) for part in parts):
            return False
        if any(
            one is unit and outside_name(used, use.call) for one, used, use in graph.foreign_uses(reached)
        ):
            return False
        if unit.keeps_state or unit.is_generator:
            return False
        if unit.kind == "class" and changes_by_use(graph, reached.node, unit):
            return False
        fresh = [one for one in led_to(graph, reached.node, unit) if one not in seen]
        seen.update(fresh)
        todo += fresh
    return True


def _is_pure_part(part: Part, source: Source) -> bool:
    is_plain = not (part.outside or part.hidden or part.packaged)
    # another slot is judged by itself
    is_plain &= all(change.is_own and source.slot_of(change.name) is not None for change in part.changes)
    return is_plain and not any(map(_keeps, (use.name for use in part.uses)))


def _keeps(name: str) -> bool:
    """Return whether a name of a library is that of a client, or of an object that changes by use."""
    bare = name.replace(f".{CALL}", "")
    parts = bare.split(".")
    return bare in STATEFUL_MAKERS or any(
        ".".join(parts[:at]) in READER_MODULES for at in range(1, len(parts) + 1)
    )


class _Flows:
    """The paths of values through reached code."""

    def __init__(self, code: ReachedCode) -> None:
        self._code, self._graph = code, code.graph
        self._seen: set[int] = set()

    def is_only_looked_at(self, values: Iterable[ast.AST], place: _Place) -> bool:
        """Return whether reached code changes none of these values, and nothing hides what becomes of them."""
        return all(self._is_looked_at(value, place) for value in values)

    def _is_looked_at(self, value: ast.AST, place: _Place) -> bool:
        if id(value) in self._seen:
            return True
        self._seen.add(id(value))
        above = place.parents.get(id(value))
        if isinstance(above, _MAKE_NEW) or (isinstance(above, _TESTS) and above.test is value):
            return True
        if isinstance(above, _HOLD):
            return self._is_looked_at(above, place)
        if isinstance(above, ast.Subscript):
            return above.slice is value or (
                isinstance(above.ctx, ast.Load) and self._is_looked_at(above, place)
            )
        if isinstance(above, ast.Attribute):
            return isinstance(above.ctx, ast.Load) and self._is_member_looked_at(above, place)
        if isinstance(above, ast.Call):
            return above.func is not value and self._is_argument_looked_at(above, place)
        if isinstance(above, (ast.For, ast.comprehension)):
            return self._are_variables_looked_at([above.target], place)
        if isinstance(above, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
            targets = above.targets if isinstance(above, ast.Assign) else [above.target]
            others = [one for one in targets if not _is_of_slot(one, place)]
            is_seen = not isinstance(above, ast.NamedExpr) or self._is_looked_at(above, place)
            return is_seen and self._are_variables_looked_at(others, place)
        return isinstance(above, ast.Return) and self._is_result_looked_at(above, place)

    def _is_member_looked_at(self, member: ast.Attribute, place: _Place) -> bool:
        call = place.parents.get(id(member))
        if not isinstance(call, ast.Call) or call.func is not member:
            return self._is_looked_at(member, place)
        if _changes(call, member.attr):
            return False
        shares = member.attr in _SHARING or member.attr in self._code.methods
        return not shares or self._is_looked_at(call, place)

    def _is_argument_looked_at(self, call: ast.Call, place: _Place) -> bool:
        """Return whether a call changes none of its arguments, and keeps none."""
        chain, scope = chain_of(call.func), self._scope(call, place)
        if isinstance(call.func, ast.Attribute) and not (chain and scope.peek(chain)):
            if chain and list(self._graph.places.definitions(place.reached.node, chain)):
                return False
            return not _changes(call, call.func.attr) and call.func.attr not in self._code.methods
        if chain is None or scope.is_local(chain[0]) or scope.is_parameter(chain[0]):
            return False
        homes = list(self._graph.places.definitions(place.reached.node, chain))
        if homes:
            is_plain = all(unit.is_plain_function for _, unit in homes)
            is_plain &= all(self._graph.changes_nothing(home, unit) for home, unit in homes)
            return is_plain and self._is_looked_at(call, place)
        names = scope.peek(chain)
        if not names or any(name in MUTATING_FUNCTIONS or looks_mutating(name) for name in names):
            return False
        if any(self._may_change(one, place) for one in (*call.args, *(word.value for word in call.keywords))):
            return False
        return chain[-1] not in _SHARING or self._is_looked_at(call, place)

    def _may_change(self, argument: ast.expr, place: _Place) -> bool:
        """Return whether an argument is a function that may change what a library hands to it."""
        if isinstance(argument, ast.Lambda):
            calls = (one for one in ast.walk(argument) if isinstance(one, ast.Call))
            return any(isinstance(one.func, ast.Attribute) and _changes(one, one.func.attr) for one in calls)
        chain = chain_of(argument) or ()
        given = () if CALL in chain else self._graph.places.definitions(place.reached.node, chain)
        return any(
            unit.kind == "function" and not self._graph.changes_nothing(home, unit) for home, unit in given
        )

    def _are_variables_looked_at(self, targets: Iterable[ast.expr], place: _Place) -> bool:
        """Return whether the variables that values are bound to stay within their function, and are looked at."""
        names: set[str] = set()
        for target in targets:
            parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
            if not all(isinstance(part, ast.Name) for part in parts):
                return False
            names |= {part.id for part in parts if isinstance(part, ast.Name)}
        node = _node(place.unit)
        if not isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and names:
            return False  # a name of the module
        for one in ast.walk(node or ast.Pass()):
            if isinstance(one, (ast.Global, ast.Nonlocal)) and not names.isdisjoint(one.names):
                return False
            if isinstance(one, ast.Name) and one.id in names and not self._is_kept_variable(one, place):
                return False
        return True

    def _is_kept_variable(self, name: ast.Name, place: _Place) -> bool:
        if isinstance(name.ctx, ast.Load):
            return self._is_looked_at(name, place)
        above = place.parents.get(id(name))
        return isinstance(name.ctx, ast.Store) and not isinstance(above, ast.AugAssign)

    def _is_result_looked_at(self, returned: ast.Return, place: _Place) -> bool:
        """Return whether all callers of the function that returns a value only look at it."""
        unit, reached, source = place.unit, place.reached, place.reached.node.source
        function = place.parents.get(id(returned))
        while function is not None and not isinstance(function, (*_FUNCTIONS, ast.Lambda)):
            function = place.parents.get(id(function))
        if function is not _node(unit) or not isinstance(function, ast.FunctionDef) or source is None:
            return False  # a method, or a function within another
        if place.at in reached.roots:
            return True
        labels = {source.unit_of(label) for label in reached.labels}
        if function.decorator_list or place.at in labels or function.name in self._graph.whole_names:
            return False
        return self._are_results_looked_at(function.name)

    def _are_results_looked_at(self, function: str) -> bool:
        """Return whether all callers of a function only look at its results."""
        for call in call_sites(self._graph, function):
            site = call.site if call else None
            at = self._code.calls.get(id(site.node)) if site and not site.is_partial else None
            if site is None or at is None or not self._is_looked_at(site.node, self._code.place(*at)):
                return False
        return True

    def _scope(self, node: ast.AST, place: _Place) -> Scope:
        """Return the scope of the outermost function around a node."""
        unit = place.unit
        assert unit.statement is not None
        around, above = unit.statement.scope, place.parents.get(id(node))
        functions = []
        while above is not None:
            functions += [above] if isinstance(above, _FUNCTIONS) else []
            above = place.parents.get(id(above))
        return FunctionScope(around, functions[-1]) if functions else around


def _changes(call: ast.Call, method: str) -> bool:
    """Return whether a method may change its object, or keep its arguments there."""
    in_place = any(word.arg == "inplace" for word in call.keywords)
    return in_place or method in MUTATING_METHODS or method in OBJECT_MUTATORS or looks_mutating(method)


def _is_of_slot(node: ast.expr, place: _Place) -> bool:
    """Return whether a value is kept in a slot, of which the values are followed too."""
    name = _name_of(node.value) if isinstance(node, ast.Subscript) else ""
    source = place.reached.node.source
    return bool(name) and source is not None and source.slot_of(name) is not None


def _name_of(node: ast.expr | None) -> str:
    return node.id if isinstance(node, ast.Name) else ""
