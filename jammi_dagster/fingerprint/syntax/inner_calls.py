"""Calls of functions within others, as far as the function around them shows all."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, Scope
from jammi_dagster.fingerprint.syntax.sets import called
from jammi_dagster.fingerprint.syntax.trees import children

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def inner_calls(function: FunctionScope) -> list[tuple[ast.Call, Scope]] | None:
    """Return the calls of a function within another, or of a lambda, with their scopes; None if others may call it.

    >>> body = ast.parse("def f(x):\\n def g(n): return n\\n return g(1)").body
    >>> around = FunctionScope(Scope(body), body[0])
    >>> [ast.unparse(call) for call, _ in inner_calls(FunctionScope(around, body[0].body[0]))]
    ['g(1)']
    """
    node, around = function.node, function.around
    if around.around is None and not isinstance(node, ast.Lambda):
        return None
    found: list[tuple[ast.Call, Scope]] = []
    for one, parent, scope in _placed(around):
        if isinstance(node, ast.Lambda):
            is_use = one is node
        else:
            is_use = isinstance(one, ast.Name) and one.id == node.name
            if isinstance(one, _FUNCTIONS[:2]) and one is not node and one.name == node.name:
                return None  # another function of the same name
        if not is_use:
            continue
        if not isinstance(parent, ast.Call) or scope.binder(getattr(node, "name", "")) not in (around, None):
            return None
        is_mapped = called(parent) == "map" and len(parent.args) == 2 and parent.args[0] is one
        if not (parent.func is one or is_mapped):
            return None
        found.append((_of_each(parent) if is_mapped else parent, scope))
    return found


def _of_each(mapped: ast.Call) -> ast.Call:
    """Return `function(items[0])` for `map(function, items)`: an item stands for all."""
    item = ast.Subscript(mapped.args[1], ast.Constant(0), ast.Load())
    return ast.copy_location(ast.Call(mapped.args[0], [item], []), mapped)


def _placed(around: Scope) -> Iterator[tuple[ast.AST, ast.AST | None, Scope]]:
    """Yield the nodes in the body of a scope, each with the one around it, and its own scope."""
    todo: list[tuple[ast.AST, ast.AST | None, Scope]] = [(one, None, around) for one in around.body]
    for node, parent, scope in todo:  # grows while it is read
        yield node, parent, scope
        inner = FunctionScope(scope, node) if isinstance(node, _FUNCTIONS) else scope
        todo += ((child, node, inner) for child in children(node))
