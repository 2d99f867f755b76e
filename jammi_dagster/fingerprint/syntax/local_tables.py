"""Tables of functions that a function writes down, and calls by a key: `{"a": first, "b": second}[key](x)`."""

from __future__ import annotations

import ast

from jammi_dagster.fingerprint.syntax.functions import assigned
from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, Scope


def functions_in_table(called: ast.expr, scope: Scope) -> list[ast.expr] | None:
    """Return the functions of which a call by a key calls one; None if they are not all written there.

    >>> function = ast.parse("def f(key, x): steps = {'a': g, 'b': h}; return steps[key](x)").body[0]
    >>> call = function.body[1].value
    >>> [one.id for one in functions_in_table(call.func, FunctionScope(Scope([]), function))]
    ['g', 'h']
    """
    table = called.value if isinstance(called, ast.Subscript) else None
    if isinstance(table, ast.Name):
        table = _written(table.id, scope)
    if not isinstance(table, ast.Dict) or None in table.keys:
        return None
    return table.values


def _written(name: str, scope: Scope) -> ast.expr | None:
    """Return the expression that a variable holds wherever it is used, each time to take an item."""
    binder = scope.binder(name)
    if (
        not isinstance(binder, FunctionScope)
        or len(binder.texts.get(name, ())) != 1
        or name in binder.parameters
    ):
        return None
    taken = {
        id(one.value)
        for one in binder.every
        if isinstance(one, ast.Subscript) and isinstance(one.ctx, ast.Load)
    }
    uses = [one for one in binder.every if isinstance(one, ast.Name) and one.id == name]
    if any(isinstance(one.ctx, ast.Load) and id(one) not in taken for one in uses):
        return None
    return next((value for part in binder.every for bound, value in assigned(part) if bound == name), None)
