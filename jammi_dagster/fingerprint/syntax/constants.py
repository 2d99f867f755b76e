"""The constants that an expression may stand for: through variables, loops, choices, written tables and callers."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import product
from math import prod
from typing import NamedTuple

from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, Scope
from jammi_dagster.fingerprint.syntax.trees import children

_DEEPEST, _MOST = 8, 200  # variables of variables, and constants
_FILLED = re.compile("%.?")
_ROWS = (ast.Tuple, ast.List, ast.Set)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_GATHERERS = frozenset({"frozenset", "list", "reversed", "set", "sorted", "tuple"})
_LOOKERS = _GATHERERS | {"all", "any", "dict", "enumerate", "len", "max", "min", "zip"}
_LOOKING_METHODS = frozenset({"count", "get", "index", "items", "keys", "values"})

Placed = tuple[ast.expr, Scope]
# Returns the expressions that all callers give to a parameter; None where they are not known.
Given = Callable[[FunctionScope, str], Sequence[Placed] | None]
# Returns the expression that another module assigns an imported name; None where it is not known.
Imported = Callable[[Scope, str], Placed | None]
# Returns the expressions that the function of a call returns; None where they are not known.
Returned = Callable[[ast.Call, Scope], Sequence[Placed] | None]
# Returns the expressions that an attribute of `self` may stand for; None where they are not known.
Held = Callable[[ast.Attribute, Scope], Sequence[Placed] | None]
Values = list[object] | None  # None: not all are constants
Tell = Callable[[ast.expr | None, Scope], Values]


class Binding(NamedTuple):
    """The expression that a name is bound to, or to the items of which; None if unknown. `at`: a part of each item."""

    value: ast.expr | None
    scope: Scope
    is_item: bool = False
    at: int | None = None


class Constants:
    """The constants behind expressions.

    `given` tells of parameters, `imported` of imported names, `returned` of results, `held` of attributes. `lookers`
    are methods that change no table which they get.

    >>> scope = Scope(ast.parse("for how in ('lower', 'strip'): pass").body)
    >>> Constants().of(ast.Name("how", ast.Load()), scope)
    ['lower', 'strip']
    """

    def __init__(
        self,
        given: Given | None = None,
        imported: Imported | None = None,
        returned: Returned | None = None,
        held: Held | None = None,
        lookers: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        self._given, self._imported, self._returned, self._held = given, imported, returned, held
        self._lookers = lookers
        self._open: set[tuple[int, str]] = set()  # parameters whose callers are being asked

    def of(self, node: ast.expr | None, scope: Scope, depth: int = 0) -> Values:
        """Return the values that an expression may have."""
        if node is None or depth > _DEEPEST:
            return None
        if isinstance(node, ast.Constant):
            return [node.value]
        if isinstance(node, ast.IfExp):
            return _all(self.of(one, scope, depth) for one in (node.body, node.orelse))
        if isinstance(node, ast.BoolOp):
            return _all(self.of(one, scope, depth) for one in node.values)
        if isinstance(node, (ast.JoinedStr, ast.BinOp)):
            return self._texts(node, scope, depth)
        if isinstance(node, ast.Subscript):
            return self._looked_up(node.value, scope, depth + 1)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            held = self._looked_up(node.func.value, scope, depth + 1)
            return _all([held, *(self.of(other, scope, depth) for other in node.args[1:])])
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "join" and len(node.args) == 1:
            return self._joined(node, scope, depth + 1)
        if isinstance(node, ast.Call):
            return self.results(node, scope, depth, self.of)
        if isinstance(node, ast.Attribute):
            return self.attribute(node, scope, lambda one, place: self.of(one, place, depth + 1))
        if isinstance(node, ast.Name):
            return self.named(node.id, scope, depth, lambda one, place: self.of(one, place, depth + 1), True)
        return None

    def attribute(self, node: ast.Attribute, scope: Scope, tell: Tell) -> Values:
        """Return the values of all that an attribute of `self` is bound to."""
        found = self._held(node, scope) if self._held else None
        return None if found is None else _all(tell(*one) for one in found)

    def items(self, node: ast.expr | None, scope: Scope, depth: int = 0, at: int | None = None) -> Values:
        """Return the items of the list, tuple, set or dict that an expression is; `at`: a part of each."""
        if node is None or depth > _DEEPEST:
            return None
        if isinstance(node, ast.Name):
            return self._of_table(node.id, scope, depth, at)
        if isinstance(node, _ROWS):
            return _all(self._part(item, scope, depth, at) for item in node.elts)
        if isinstance(node, ast.Dict):
            return None if at is not None else _all(self.of(key, scope, depth + 1) for key in node.keys)
        return self._of_call(node, scope, depth + 1, at) if isinstance(node, ast.Call) else None

    def _part(self, item: ast.expr, scope: Scope, depth: int, at: int | None) -> Values:
        if at is None:
            return self.of(item, scope, depth + 1)
        parts = item.elts if isinstance(item, (ast.Tuple, ast.List)) else []
        is_there = at < len(parts) and not any(isinstance(part, ast.Starred) for part in parts)
        return self.of(parts[at], scope, depth + 1) if is_there else None

    def _of_call(self, call: ast.Call, scope: Scope, depth: int, at: int | None) -> Values:
        """Return the items of `sorted(x)`, `x.items()`, `zip(x, y)` and their like."""
        function, given = call.func, call.args
        if (found := self.results(call, scope, depth, self.items)) is not None and at is None:
            return found
        if isinstance(function, ast.Attribute) and not given:
            if function.attr == "items" and at in (0, 1):
                return (self.items if at == 0 else self._looked_up)(function.value, scope, depth)
            method = {"keys": self.items, "values": self._looked_up}.get(function.attr)
            return method(function.value, scope, depth) if method and at is None else None
        name = function.id if isinstance(function, ast.Name) else ""
        if scope.peek((name,)) != [f"builtins.{name}"] or any(isinstance(one, ast.Starred) for one in given):
            return None
        if name == "zip" and at is not None and at < len(given):
            return self.items(given[at], scope, depth)
        if name == "enumerate" and at == 1 and given:
            return self.items(given[0], scope, depth)
        return self.items(given[0], scope, depth, at) if name in _GATHERERS and len(given) == 1 else None

    def results(
        self, call: ast.Call, scope: Scope, depth: int, tell: Callable[[ast.expr, Scope, int], Values]
    ) -> Values:
        """Return the values of all that a first-party function returns."""
        found = self._returned(call, scope) if self._returned and depth < _DEEPEST else None
        return None if found is None else _all(tell(value, place, depth + 1) for value, place in found)

    def _looked_up(self, node: ast.expr | None, scope: Scope, depth: int) -> Values:
        """Return the values that a key or an index may lead to."""
        if isinstance(node, ast.Dict):
            return _all(self.of(one, scope, depth) for one in node.values)
        if isinstance(node, ast.Name) and depth <= _DEEPEST:
            return self._of_table(node.id, scope, depth, None, self._looked_up)
        return self.items(node, scope, depth)

    def _of_table(
        self,
        name: str,
        scope: Scope,
        depth: int,
        at: int | None,
        looked_up: Callable[[ast.expr | None, Scope, int], Values] | None = None,
    ) -> Values:
        """Return the items of the tables that a variable may be, if nobody changes them."""

        def tell(value: ast.expr | None, place: Scope) -> Values:
            if _is_variadic(name, scope):
                return self.of(value, place, depth + 1)
            if isinstance(value, ast.Dict | ast.List | ast.Set) and not is_only_looked_at(
                name, scope, self._lookers()
            ):
                return None
            return (
                looked_up(value, place, depth + 1) if looked_up else self.items(value, place, depth + 1, at)
            )

        return self.named(name, scope, depth, tell, False)

    def named(
        self,
        name: str,
        scope: Scope,
        depth: int,
        tell: Tell,
        is_value: bool,
    ) -> Values:
        """Return the values of all that a name is bound to. `is_value`: the name stands for one value, not a table."""
        found = list(bindings(name, scope))
        binder = scope.binder(name)
        if isinstance(binder, FunctionScope) and name in binder.parameters:
            is_table = is_value and _is_variadic(name, scope)
            return None if found or is_table else self._of_callers(binder, name, tell)
        module = scope.module
        if name in module.imported and self._imported is not None and all(one.value is None for one in found):
            held = self._imported(module, name) if len(found) == 1 else None
            is_fixed = held is not None and not isinstance(held[0], (ast.List, ast.Dict, ast.Set))
            return tell(*held) if held is not None and is_fixed else None
        if not found or (not is_value and any(one.is_item for one in found)):
            return None
        return _all(
            self.items(one.value, one.scope, depth + 1, one.at) if one.is_item else tell(one.value, one.scope)
            for one in found
        )

    def _of_callers(self, function: FunctionScope, name: str, tell: Tell) -> Values:
        key = id(function.node), name
        if self._given is None:
            return None
        if key in self._open:
            return []  # a function that hands its own parameter on to itself
        self._open.add(key)
        try:
            given = self._given(function, name)
            return None if given is None else _all(tell(*one) for one in given)
        finally:
            self._open.discard(key)

    def _texts(self, node: ast.JoinedStr | ast.BinOp, scope: Scope, depth: int) -> Values:
        """Return the texts of `f"read_{kind}"`, `"read_" + kind` and `"read_%s" % kind`."""
        is_shown = isinstance(node, ast.JoinedStr)  # numbers count by their texts
        if isinstance(node, ast.JoinedStr):
            parts = [one.value if isinstance(one, ast.FormattedValue) else one for one in node.values]
            plain = [one for one in node.values if isinstance(one, ast.FormattedValue)]
            if any(one.format_spec or one.conversion != -1 for one in plain):
                return None
        elif isinstance(node.op, ast.Add):
            parts = [node.left, node.right]
        else:
            return self._filled(node, scope, depth) if isinstance(node.op, ast.Mod) else None
        return _products([self.of(part, scope, depth + 1) for part in parts], "".join, is_shown=is_shown)

    def _filled(self, node: ast.BinOp, scope: Scope, depth: int) -> Values:
        given = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        if not (isinstance(node.left, ast.Constant) and isinstance(node.left.value, str)):
            return None
        if set(_FILLED.findall(node.left.value)) - {"%s", "%d"} or node.left.value.count("%") != len(given):
            return None
        parts = [self.of(one, scope, depth + 1) for one in given]
        whole = re.split("%[sd]", node.left.value)
        return _products(
            parts, lambda texts: "".join(sum(zip(whole, (*texts, ""), strict=True), ())), is_shown=True
        )

    def _joined(self, node: ast.Call, scope: Scope, depth: int) -> Values:
        """Return the text of `" and ".join(CONDITIONS)`, a list or tuple that is written once."""
        written, place = node.args[0], scope
        if isinstance(written, ast.Name):
            found = list(bindings(written.id, scope, parameters=True))
            if (
                len(found) != 1
                or found[0].is_item
                or not is_only_looked_at(written.id, scope, self._lookers())
            ):
                return None
            written, place = found[0].value or written, found[0].scope
        if not isinstance(written, (ast.List, ast.Tuple)) or not isinstance(node.func, ast.Attribute):
            return None
        separators = self.of(node.func.value, scope, depth + 1)
        parts = [self.of(one, place, depth + 1) for one in written.elts]
        return _products([separators, *parts], lambda texts: texts[0].join(texts[1:]))


def _products(
    parts: Sequence[Values], whole: Callable[[tuple[str, ...]], str], *, is_shown: bool = False
) -> Values:
    """Return the texts that parts make together; `is_shown`: numbers among them are written out."""
    kinds = (str, int, float) if is_shown else (str,)
    if any(one is None or not all(isinstance(value, kinds) for value in one) for one in parts):
        return None
    many = [tuple(map(str, one or ())) for one in parts]
    return [whole(texts) for texts in product(*many)] if prod(map(len, many)) <= _MOST else None


def _is_variadic(name: str, scope: Scope) -> bool:
    """Return whether a name is that of `*args`."""
    binder = scope.binder(name)
    return isinstance(binder, FunctionScope) and _is(binder.node.args.vararg, name)


def bindings(name: str, scope: Scope, *, parameters: bool = False) -> Iterator[Binding]:
    """Yield the bindings of a name around a use; `parameters`: an unknown one for a parameter too."""
    for holder in scope.lineage():
        yield from bindings_in(name, holder, parameters=parameters)
        if name in holder.bound:
            return


def bindings_in(name: str, binder: Scope, *, parameters: bool = False) -> Iterator[Binding]:
    """Yield the bindings of a name by the body of a scope, comprehensions included."""
    is_parameter = isinstance(binder, FunctionScope) and name in binder.parameters
    if name in binder.shared or (parameters and is_parameter):
        yield Binding(None, binder)
        return
    todo: list[ast.AST] = list(binder.body)
    for node in todo:  # grows while it is read
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if _is(target, name):
                    yield Binding(node.value, binder)
                elif not isinstance(target, ast.Name) and _stores(target, name):
                    yield Binding(None, binder)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            yield from _of_loop(node, name, binder)
        elif (isinstance(node, ast.AugAssign) and _stores(node.target, name)) or _binds_otherwise(node, name):
            yield Binding(None, binder)
        todo += () if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) else children(node)


def _of_loop(node: ast.For | ast.AsyncFor | ast.comprehension, name: str, binder: Scope) -> Iterator[Binding]:
    if _is(node.target, name):
        yield Binding(node.iter, binder, True)
        return
    parts = node.target.elts if isinstance(node.target, (ast.Tuple, ast.List)) else []
    places = [at for at, part in enumerate(parts) if _is(part, name)]
    if len(places) == 1 and not any(isinstance(part, ast.Starred) for part in parts):
        yield Binding(node.iter, binder, True, places[0])
    elif _stores(node.target, name):
        yield Binding(None, binder)


def is_only_looked_at(name: str, scope: Scope, lookers: Collection[str] = ()) -> bool:
    """Return whether no code of its module changes the table that a variable holds, or hands it on but to `lookers`."""
    binder = scope.binder(name)
    if binder is None:
        return False
    uses = [node for node in binder.every if isinstance(node, ast.Name) and node.id == name]
    return all(_looks(use, binder.parents, lookers) for use in uses if isinstance(use.ctx, ast.Load))


def _looks(use: ast.AST, parents: dict[int, ast.AST], lookers: Collection[str]) -> bool:
    above = parents.get(id(use))
    if isinstance(above, (ast.For, ast.AsyncFor, ast.comprehension)):
        return above.iter is use
    if isinstance(above, ast.Subscript):
        return isinstance(above.ctx, ast.Load)
    if isinstance(above, ast.Attribute):
        called = parents.get(id(above))
        return above.attr in _LOOKING_METHODS and isinstance(called, ast.Call) and called.func is above
    if isinstance(above, ast.keyword):
        above = parents.get(id(above))
    if isinstance(above, ast.Call) and isinstance(above.func, ast.Attribute):
        return above.func is not use and (above.func.attr in lookers or above.func.attr == "join")
    if isinstance(above, ast.Call):
        return isinstance(above.func, ast.Name) and above.func.id in _LOOKERS
    return isinstance(above, (ast.Compare, ast.If))


def _all(found: Iterable[Values]) -> Values:
    every: list[object] = []
    for values in found:
        if values is None or len(every) > _MOST:
            return None
        every += values
    return every


def _is(node: ast.AST | None, name: str) -> bool:
    return (isinstance(node, ast.Name) and node.id == name) or (
        isinstance(node, ast.arg) and node.arg == name
    )


def _stores(target: ast.AST, name: str) -> bool:
    return any(
        _is(one, name) and not isinstance(getattr(one, "ctx", None), ast.Load) for one in ast.walk(target)
    )


def _binds_otherwise(node: ast.AST, name: str) -> bool:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return node.name == name
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return any((alias.asname or alias.name.partition(".")[0]) == name for alias in node.names)
    if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return node.name == name
    if isinstance(node, ast.MatchMapping):
        return node.rest == name
    return (
        isinstance(node, ast.withitem)
        and node.optional_vars is not None
        and _stores(node.optional_vars, name)
    )
