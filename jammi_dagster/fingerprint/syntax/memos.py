"""Globals that one function fills: on its first use, or as a memo that keeps each value by its key.

`if CLIENT is None: CLIENT = make()`, `if key not in MEMO: MEMO[key] = build(key)`. The tests for a value guard nothing
but its making, so that no result depends on its presence.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jammi_dagster.fingerprint.known_names.texts import LOG_METHODS
from jammi_dagster.fingerprint.syntax.constants import bindings_in
from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, Scope, is_none
from jammi_dagster.fingerprint.syntax.trees import nodes, parents_of


class Slot(NamedTuple):
    """A global that one function fills. Its value is made of `values`; the expressions `kept` give it."""

    function: ast.FunctionDef
    values: tuple[ast.expr, ...]
    kept: tuple[ast.expr, ...]


class _Fill(NamedTuple):
    """The statements that run where a key is missing. `variable` holds the value, however it came."""

    statements: Sequence[ast.stmt]
    variable: str | None = None
    returns: bool = False  # they end the function
    start: tuple[int, int] = (0, 0)


def slot_of(tree: ast.Module, module: Scope, name: str) -> Slot | None:
    """Return the slot that a module holds under a name; None for anything else.

    >>> tree = ast.parse("M = {}\\ndef f(k):\\n  if k not in M: M[k] = str(k)\\n  return M[k]")
    >>> [ast.unparse(value) for value in slot_of(tree, Scope(tree.body), "M").values]
    ['str(k)']
    """
    used = [one for one in tree.body if any(_is(node, name) for node in ast.walk(one))]
    made = [one for one in used if isinstance(one, (ast.Assign, ast.AnnAssign))]
    functions = [one for one in used if isinstance(one, ast.FunctionDef) and not one.decorator_list]
    if len(used) != 2 or len(made) != 1 or len(functions) != 1:
        return None
    targets = made[0].targets if isinstance(made[0], ast.Assign) else [made[0].target]
    begins = made[0].value is not None and begins_slot(made[0].value, is_global=name in module.shared)
    if not begins or len(targets) != 1 or not _is(targets[0], name):
        return None
    return _Fills(functions[0], FunctionScope(module, functions[0]), name).slot()


def begins_slot(value: ast.expr, *, is_global: bool) -> bool:
    """Return whether an expression is an empty dict, or None for a name that a function binds."""
    if is_global:
        return is_none(value)
    if isinstance(value, ast.Call):
        return _is(value.func, "dict") and not (value.args or value.keywords)
    return isinstance(value, ast.Dict) and not value.keys


class _Fills:
    """The uses of a global by one function: of a dict, or of a name that it binds."""

    def __init__(self, function: ast.FunctionDef, scope: FunctionScope, name: str) -> None:
        self._function, self._scope, self._name = function, scope, name
        self._is_keyed = name not in scope.shared
        self._every = nodes(function)
        self._parents = parents_of(self._every)
        self._keys: dict[str, ast.expr] = {}
        self._seen: set[int] = set()  # the uses of the dict, and each `try`, that are understood
        self._values: list[ast.expr] = []
        self._kept: list[ast.expr] = []

    def slot(self) -> Slot | None:
        blocks = [body for node in self._every for body in _bodies(node)]
        fills = [fill for block in blocks for at in range(len(block)) if (fill := self._fill(block, at))]
        if len({id(fill.statements) for fill in fills}) > 1:
            return None
        own = self._made(fills[0]) if fills else frozenset[str]()
        variable = fills[0].variable if fills else None
        for node in self._every:
            if isinstance(node, ast.Call):
                self._default(node)
            elif isinstance(node, (ast.Name, ast.Subscript)) and isinstance(node.ctx, ast.Load):
                self._kept += [node] if _is(node, variable) or self._item(node) else []
        uses = [node for node in self._every if isinstance(node, ast.Name) and node.id == self._name]
        if own is None or len(self._keys) != 1 or not all(id(use) in self._seen for use in uses):
            return None
        key = self._variables_of_key(*self._keys.values()) if self._is_keyed else frozenset[str]()
        is_known = bool(key) if self._is_keyed else min(map(_place, uses)) >= fills[0].start
        is_known &= not any(self._is_tried(node) for node in self._kept)
        if not is_known or not all(self._is_made_of(value, key | own) for value in self._values):
            return None
        return Slot(self._function, tuple(self._values), tuple(self._kept)) if self._values else None

    def _fill(self, block: list[ast.stmt], at: int) -> _Fill | None:
        """Return the statements that make a value, if a statement tests for its absence."""
        guard = block[at]
        after = block[at + 1 :] if block is self._function.body else []
        if not self._is_keyed:
            return self._first_use(guard, after) if isinstance(guard, ast.If) else None
        if isinstance(guard, ast.Try):
            return self._tried(guard, after)
        if not isinstance(guard, ast.If) or guard.orelse or not isinstance(guard.test, ast.Compare):
            return None
        left, operator, right = guard.test.left, guard.test.ops[0], guard.test.comparators[0]
        if isinstance(operator, ast.NotIn) and _is(right, self._name):
            return _Fill(self._behind_lock(guard)) if self._note(left, right) else None
        if isinstance(operator, ast.In) and _is(right, self._name):
            returned = guard.body[0]
            is_hit = isinstance(returned, ast.Return) and self._item(returned.value)
            return _Fill(after, returns=True) if is_hit and self._note(left, right) else None
        if isinstance(operator, ast.Is) and is_none(right):
            return self._got(left, block[at - 1] if at else None, guard.body)
        return None

    def _first_use(self, guard: ast.If, after: list[ast.stmt]) -> _Fill | None:
        """Return the making behind `if X is None`, or after `if X is not None: return X`."""
        test, is_negated = guard.test, False
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test, is_negated = test.operand, True
        elif isinstance(test, ast.Compare) and ast.unparse(test.comparators[0]) == "None":
            is_negated = isinstance(test.ops[0], ast.Is)
            test = test.left if isinstance(test.ops[0], (ast.Is, ast.IsNot)) else test
        around = self._parents.get(id(guard))
        while isinstance(around, ast.With):
            around = self._parents.get(id(around))
        if guard.orelse or not self._item(test):
            return None
        if is_negated:
            return _Fill(self._behind_lock(guard), start=_place(guard)) if around is self._function else None
        returned = guard.body[0]
        is_hit = isinstance(returned, ast.Return) and _is(returned.value, self._name)
        return _Fill(after, returns=True, start=_place(guard)) if is_hit else None

    def _behind_lock(self, guard: ast.If) -> list[ast.stmt]:
        """Return the statements of a guard; with a lock and the same test again in it, those behind that test."""
        body = guard.body
        while len(body) == 1 and isinstance(body[0], (ast.With, ast.If)):
            inner = body[0]
            if isinstance(inner, ast.If):
                if inner.orelse or ast.dump(inner.test) != ast.dump(guard.test):
                    return body
                self._seen.update(id(node) for node in ast.walk(inner.test) if _is(node, self._name))
            body = inner.body
        return body

    def _got(self, left: ast.expr, before: ast.stmt | None, body: list[ast.stmt]) -> _Fill | None:
        """Return the making behind `v = MEMO.get(key)` and `if v is None`, or `if (v := MEMO.get(key)) is None`."""
        target, value = (left.target, left.value) if isinstance(left, ast.NamedExpr) else (left, None)
        if isinstance(before, ast.Assign) and isinstance(left, ast.Name) and _is(before.targets[0], left.id):
            value = before.value if len(before.targets) == 1 else None
        if not (isinstance(target, ast.Name) and isinstance(value, ast.Call)):
            return None
        method = value.func
        is_get = isinstance(method, ast.Attribute) and method.attr == "get" and _is(method.value, self._name)
        if not isinstance(method, ast.Attribute) or not is_get or len(value.args) != 1 or value.keywords:
            return None
        return _Fill(body, target.id) if self._note(value.args[0], method.value) else None

    def _tried(self, tried: ast.Try, after: list[ast.stmt]) -> _Fill | None:
        """Return the making in `except KeyError`, or behind it."""
        handler = tried.handlers[0] if len(tried.handlers) == 1 else None
        is_plain = len(tried.body) == 1 and not (tried.orelse or tried.finalbody)
        if handler is None or not is_plain or not _is(handler.type, "KeyError"):
            return None
        (only,) = tried.body
        if not isinstance(only, (ast.Return, ast.Assign)) or not self._item(only.value):
            return None
        self._seen.add(id(tried))
        if isinstance(only, ast.Return):
            is_passed = len(handler.body) == 1 and isinstance(handler.body[0], ast.Pass)
            return _Fill(after if is_passed else handler.body, returns=True)
        target = only.targets[0]
        return (
            _Fill(handler.body, target.id) if isinstance(target, ast.Name) and not only.targets[1:] else None
        )

    def _default(self, call: ast.Call) -> None:
        """Note the making of a value in `MEMO.setdefault(key, value)`."""
        method = call.func
        is_default = isinstance(method, ast.Attribute) and method.attr == "setdefault" and len(call.args) == 2
        if is_default and isinstance(method, ast.Attribute) and _is(method.value, self._name):
            self._note(call.args[0], method.value)
            self._values.append(call.args[1])
            self._kept.append(call)

    def _made(self, fill: _Fill) -> frozenset[str] | None:
        """Return the variables that the statements of a fill assign.

        None if these do more than make and store the value, or if other statements use one of the variables.
        """
        own: set[str] = set()
        held = {fill.variable} if fill.variable else set()  # the variables that must hold the kept value
        statements = list(fill.statements)
        if fill.returns:
            last = statements.pop() if statements else None
            returned = last.value if isinstance(last, ast.Return) else None
            if isinstance(returned, ast.Name) and returned.id != self._name:
                self._kept.append(returned)
                held.add(returned.id)
            elif not self._item(returned):
                return None
        stored: set[str] | None = None
        for one in statements:
            if _tells(one) and not any(_is(node, self._name) for node in ast.walk(one)):
                continue
            if not isinstance(one, ast.Assign) or stored is not None:
                return None
            names = {t.id for t in one.targets if isinstance(t, ast.Name) and t.id != self._name}
            items = [target for target in one.targets if self._item(target)]
            if len(names) + len(items) < len(one.targets) or names & self._scope.parameters:
                return None
            is_again = isinstance(one.value, ast.Name) and one.value.id in own
            stored = names | ({one.value.id} if isinstance(one.value, ast.Name) else set()) if items else None
            own |= names
            self._values += [] if is_again and items else [one.value]
        inside = {id(node) for one in fill.statements for node in ast.walk(one)}
        others = [node for node in self._every if isinstance(node, ast.Name) and id(node) not in inside]
        is_left = any(node.id in own and node.id != fill.variable for node in others)
        bound = [node for node in others if _is(node, fill.variable) and isinstance(node.ctx, ast.Store)]
        is_sole = fill.variable is None or len(bound) == 1
        return frozenset(own) if stored is not None and held <= stored and not is_left and is_sole else None

    def _note(self, key: ast.expr, use: ast.expr) -> bool:
        self._keys[ast.dump(key)] = key
        self._seen.add(id(use))
        return True

    def _item(self, node: ast.expr | None) -> bool:
        """Return whether an expression is an item of the dict, or the name itself, and note it."""
        if not self._is_keyed:
            return (
                _is(node, self._name) and isinstance(node, ast.Name) and self._note(ast.Constant(None), node)
            )
        if not isinstance(node, ast.Subscript) or not _is(node.value, self._name):
            return False
        return not isinstance(node.ctx, ast.Del) and self._note(node.slice, node.value)

    def _is_tried(self, node: ast.AST) -> bool:
        """Return whether a `try` is around an expression, other than the one that makes the value."""
        above = self._parents.get(id(node))
        while above is not None and (not isinstance(above, ast.Try) or id(above) in self._seen):
            above = self._parents.get(id(above))
        return above is not None

    def _variables_of_key(self, key: ast.expr) -> frozenset[str]:
        """Return the variables that a key is made of; none where one of them may be bound twice."""
        names = [node.id if isinstance(node, ast.Name) else "" for node in _parts(key)]
        found = set(names)
        for name in names:
            bound = list(bindings_in(name, self._scope))
            if len(bound) + (name in self._scope.parameters) != 1:
                return frozenset()
            for part in _parts(bound[0].value) if bound and bound[0].value is not None else ():
                if isinstance(part, ast.Name) and not any(bindings_in(part.id, self._scope)):
                    found.add(part.id)  # of `key = (a, b)`
        return frozenset(found)

    def _is_made_of(self, value: ast.expr, own: frozenset[str]) -> bool:
        """Return whether an expression uses none of the variables of the function but these."""
        hidden = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
        names = (node.id for node in ast.walk(value) if isinstance(node, ast.Name))
        others = {name for name in names if name in self._scope.bound or name == self._name}
        return others <= own and not any(isinstance(node, hidden) for node in ast.walk(value))


def _place(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _tells(statement: ast.stmt) -> bool:
    """Return whether a statement only writes to a log."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    method = call.func if isinstance(call, ast.Call) else None
    return isinstance(method, ast.Attribute) and method.attr in LOG_METHODS


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for field in ("body", "orelse", "finalbody"):
        found = getattr(node, field, None)
        if isinstance(found, list):
            yield found


def _parts(key: ast.expr) -> list[ast.expr]:
    return key.elts if isinstance(key, ast.Tuple) else [key]


def _is(node: ast.AST | None, name: str | None) -> bool:
    return isinstance(node, ast.Name) and node.id == name
