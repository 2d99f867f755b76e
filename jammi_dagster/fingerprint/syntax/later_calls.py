"""Calls of a class or a function that code mentions as a value: out of tables, variables, attributes and loops."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from jammi_dagster.fingerprint.known_names.passed_values import (
    ADDING_METHODS,
    DEFAULT_METHODS,
    HARMLESS_METHODS,
    ITEM_METHODS,
    KEY_METHODS,
    LOOKING_AT_FIRST,
    ONLY_LOOKING,
    PASSING,
)
from jammi_dagster.fingerprint.syntax.parameters import by_position, defaults, every
from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import nodes

EVERY_NAME = "*"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
# A value that stands in one of these goes nowhere.
_ENDS = (
    ast.Compare,
    ast.UnaryOp,
    ast.Expr,
    ast.Assert,
    ast.Raise,
    ast.ExceptHandler,
    ast.MatchClass,
    ast.Delete,
    ast.arg,
    ast.FormattedValue,
    ast.If,
    ast.While,
)
# The value of one of these is the value in it, or holds it.
_HOLDERS = (
    ast.Tuple,
    ast.List,
    ast.Set,
    ast.Dict,
    ast.Starred,
    ast.IfExp,
    ast.BoolOp,
    ast.BinOp,
    ast.NamedExpr,
    ast.ListComp,
    ast.SetComp,
    ast.GeneratorExp,
    ast.DictComp,
)


class _Value(NamedTuple):
    """An expression that may be the mentioned value, or hold it; `is_key`: among the keys of a table."""

    node: ast.AST
    is_key: bool = False


class LaterCalls:
    """The calls of one mentioned value in its module.

    `names`: the names and attributes through which other modules may take the value. `calls`: None stands for a call
    that nobody sees.

    >>> module = Scope(ast.parse("T = {'a': f}\\ndef g(key): return T[key](1)").body)
    >>> found = LaterCalls(module.body[0].value.values[0], module)
    >>> [ast.unparse(one) for one in found.calls], found.names
    (['T[key](1)'], {'T'})
    """

    def __init__(self, mention: ast.expr, module: Scope) -> None:
        self.calls: list[ast.Call | None] = []
        self.names: set[str] = set()
        self._mention, self._module = mention, module
        self._every, self._parents = module.every, module.parents
        todo = dict.fromkeys([_Value(mention)])
        queue = list(todo)
        for value in queue:  # grows while it is read
            fresh = [one for one in dict.fromkeys(self._after(value)) if one not in todo]
            todo.update(dict.fromkeys(fresh))
            queue += fresh

    def scope_of(self, call: ast.Call) -> Scope:
        """Return the scope in which a call stands."""
        scope = self._module
        for function in reversed([one for one in self._around(call.func) if isinstance(one, _FUNCTIONS)]):
            scope = FunctionScope(scope, function)
        return scope

    def is_near(self, call: ast.Call) -> bool:
        """Return whether a call stands in the statement of the module that mentions the value."""
        return self._statement(call.func) is self._statement(self._mention)

    def _after(self, value: _Value) -> Iterator[_Value]:
        """Yield the expressions that an expression gives its value to."""
        node, parent = value.node, self._parents.get(id(value.node))
        if isinstance(parent, _ENDS) or _is_aside(node, parent):
            return
        if isinstance(parent, ast.NamedExpr):
            yield from self._bound(parent.target, is_key=value.is_key)
        if isinstance(parent, _HOLDERS):
            if not (isinstance(parent, ast.BinOp) and node is self._mention):  # `A | None` is a type
                yield _Value(parent, value.is_key or (isinstance(parent, ast.Dict) and node in parent.keys))
        elif isinstance(parent, ast.Subscript):
            if not value.is_key and isinstance(parent.ctx, ast.Load):
                yield _Value(parent)
        elif isinstance(parent, ast.Attribute):
            yield from self._asked(parent, value)
        elif isinstance(parent, ast.Call) and parent.func is node:
            self.calls.append(parent)
        elif isinstance(parent, (ast.Call, ast.keyword)):
            yield from self._given(value, parent)
        elif isinstance(parent, ast.Return):
            yield from self._returned(value)
        else:
            yield from self._kept(value, parent)

    def _kept(self, value: _Value, parent: ast.AST | None) -> Iterator[_Value]:
        """Yield the uses of the names that a statement, a loop or a default binds to the value.

        Nobody sees the calls of a value that stands anywhere else.
        """
        if isinstance(parent, ast.Assign):
            for target in parent.targets:
                yield from self._bound(target, is_key=value.is_key)
        elif isinstance(parent, (ast.AnnAssign, ast.AugAssign)):
            yield from self._bound(parent.target, is_key=value.is_key)
        elif isinstance(parent, (ast.For, ast.AsyncFor, ast.comprehension)):
            yield from self._bound(parent.target)
        elif isinstance(parent, ast.arguments):
            for one, default in defaults(parent):
                if default is value.node:
                    yield from self._loads(one.arg, self._statement(parent), is_key=value.is_key)
        elif not isinstance(parent, ast.ClassDef) or value.node is not self._mention:
            self.calls.append(None)  # but a class draws as its base does, where objects of it are made

    def _returned(self, value: _Value) -> Iterator[_Value]:
        """Yield the calls of the function that returns the value."""
        name = next((one.name for one in self._around(value.node) if hasattr(one, "name")), "")
        uses = list(self._loads(name, None, is_key=False)) if self._function(name) else []
        calls = [self._parents[id(use.node)] for use in uses]
        if uses and all(
            isinstance(call, ast.Call) and call.func is use.node
            for call, use in zip(calls, uses, strict=True)
        ):
            self.names.add(name)
            yield from (_Value(call, value.is_key) for call in calls)
        else:
            self.calls.append(None)

    def _asked(self, parent: ast.Attribute, value: _Value) -> Iterator[_Value]:
        """Yield the result of a method of a table, or the attribute of an object that may hold the value."""
        call = self._parents.get(id(parent))
        is_called = isinstance(call, ast.Call) and call.func is parent
        if is_called and call and parent.attr in ITEM_METHODS | KEY_METHODS:
            if parent.attr in (KEY_METHODS if value.is_key else ITEM_METHODS):
                yield _Value(call, value.is_key and parent.attr == "copy")
        elif parent.attr not in HARMLESS_METHODS and isinstance(parent.ctx, ast.Load):
            yield _Value(parent)

    def _given(self, value: _Value, parent: ast.Call | ast.keyword) -> Iterator[_Value]:
        """Yield the expressions that hold the value after a call got it."""
        call = parent if isinstance(parent, ast.Call) else self._parents.get(id(parent))
        if not isinstance(call, ast.Call):
            self.calls.append(None)
            return
        chain = chain_of(call.func)
        names = set(self.scope_of(call).peek(chain)) if chain else set()
        method = call.func if isinstance(call.func, ast.Attribute) else None
        function = self._function(getattr(call.func, "id", ""))
        if names & ONLY_LOOKING or (names & LOOKING_AT_FIRST and call.args[:1] == [value.node]):
            return
        if "functools.partial" in names and call.args and call.args[0] is value.node:
            self.calls.append(ast.copy_location(ast.Call(call.args[0], call.args[1:], call.keywords), call))
        elif names & PASSING and getattr(parent, "arg", "") != "key":
            yield _Value(call)
            if "types.SimpleNamespace" in names and isinstance(parent, ast.keyword) and parent.arg:
                yield from self._attributes(parent.arg, is_key=value.is_key)
        elif method and method.attr in ADDING_METHODS | DEFAULT_METHODS:
            yield from self._bound(method.value) if method.attr in ADDING_METHODS else ()
            yield _Value(call)
        elif function and (name := _parameter(function, call, value.node)):
            yield from self._loads(name, function, is_key=value.is_key)
        else:
            self.calls.append(None)

    def _bound(self, target: ast.expr, *, is_key: bool = False) -> Iterator[_Value]:
        """Yield the uses of the variables, attributes and tables that get the value."""
        if isinstance(target, (ast.Tuple, ast.List)):
            for one in target.elts:
                yield from self._bound(one, is_key=is_key)
        elif isinstance(target, (ast.Subscript, ast.Starred)):
            yield from self._bound(target.value)
        elif isinstance(target, ast.Attribute):
            yield from self._attributes(target.attr, is_key=is_key)
        elif not isinstance(target, ast.Name):
            self.calls.append(None)
        else:
            yield from self._variable(target, is_key=is_key)

    def _variable(self, target: ast.Name, *, is_key: bool) -> Iterator[_Value]:
        name = target.id
        is_shared = any(isinstance(one, ast.Global) and name in one.names for one in self._every)
        owner = next(
            (one for one in self._around(target) if isinstance(one, (*_FUNCTIONS, ast.ClassDef))), None
        )
        if isinstance(owner, ast.ClassDef):
            yield from self._attributes(name, is_key=is_key)
            if any((chain_of(base) or ("",))[-1].endswith("Enum") for base in owner.bases):
                yield from self._attributes("value", is_key=is_key)
        if (owner is None or is_shared) and not isinstance(self._parents.get(id(target)), ast.comprehension):
            self.names.add(name)
            yield from self._loads(name, None, is_key=is_key)
        else:
            yield from self._loads(name, self._statement(target), is_key=is_key)

    def _attributes(self, name: str, *, is_key: bool) -> Iterator[_Value]:
        """Yield the uses of an attribute, of whichever object."""
        self.names.add(name)
        asked = (pair for node in self._every for pair in asked_attributes(node))
        yield from (_Value(by, is_key) for one, by in asked if one in (name, EVERY_NAME))

    def _loads(self, name: str, within: ast.AST | None, *, is_key: bool) -> Iterator[_Value]:
        for one in self._every if within is None else nodes(within):
            if isinstance(one, ast.Name) and one.id == name and isinstance(one.ctx, ast.Load):
                yield _Value(one, is_key)

    def _function(self, name: str) -> ast.FunctionDef | None:
        """Return the plain function of the module that a name means, if it means no other."""
        found = [one for one in self._every if getattr(one, "name", None) == name] if name else []
        one = found[0] if len(found) == 1 else None
        is_plain = isinstance(one, ast.FunctionDef) and not one.decorator_list and one in self._module.body
        return one if is_plain and isinstance(one, ast.FunctionDef) else None

    def _around(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield the nodes around a node, the innermost first."""
        while (parent := self._parents.get(id(node))) is not None:
            yield parent
            node = parent

    def _statement(self, node: ast.AST) -> ast.AST:
        return [node, *self._around(node)][-1]


def asked_attributes(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the attributes that a node asks for, or `EVERY_NAME`, each with the expression that does so.

    Of `getattr` it is the name that it gets.
    """
    if isinstance(node, ast.Attribute):
        if isinstance(node.ctx, ast.Load):
            yield EVERY_NAME if node.attr == "__dict__" else node.attr, node
    elif isinstance(node, ast.Call):
        called = (chain_of(node.func) or ("",))[-1]
        if called in ("getattr", "attrgetter"):
            constants = (one for one in node.args if isinstance(one, ast.Constant))
            yield from ((one.value, one) for one in constants if isinstance(one.value, str))
        elif called == "vars":
            yield EVERY_NAME, node


def _is_aside(node: ast.AST, parent: ast.AST | None) -> bool:
    """Return whether an expression is an annotation, an index or a condition of the node around it."""
    if isinstance(parent, ast.comprehension):
        return node is not parent.iter
    beside = ("annotation", "returns", "slice", "test")
    return any(getattr(parent, field, None) is node for field in beside)


def _parameter(function: ast.FunctionDef, call: ast.Call, given: ast.AST) -> str | None:
    """Return the parameter that gets an argument."""
    if any(isinstance(one, ast.Starred) for one in call.args):
        return None
    places = [one.arg for one in by_position(function.args)]
    for at, one in enumerate(call.args):
        if one is given:
            return places[at] if at < len(places) else None
    word = next((one.arg for one in call.keywords if one.value is given), None)
    return word if word in [one.arg for one in every(function.args)] else None
