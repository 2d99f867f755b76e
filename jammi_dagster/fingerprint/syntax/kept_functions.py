"""Functions within a function that do not run with it: it only returns them, or hands them to an orchestrator."""

from __future__ import annotations

import ast

from jammi_dagster.fingerprint.syntax.functions import Function
from jammi_dagster.fingerprint.syntax.optional_parts import is_orchestration
from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import nodes, parents_of

_LABELS = ("__doc__", "__module__", "__name__", "__qualname__")


def kept_functions(function: Function, scope: Scope) -> frozenset[int]:
    """Return the functions within a function that it only returns, or hands to an orchestrator."""
    if isinstance(function, ast.Lambda):
        return frozenset()
    every = [node for part in function.body for node in nodes(part)]
    parents = parents_of(every)
    uses: dict[str, list[ast.Name]] = {}
    for node in every:
        is_use = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        if isinstance(node, ast.Name) and is_use and _scope_of(node, parents, scope).binder(node.id) is scope:
            uses.setdefault(node.id, []).append(node)

    def only_returned(name: str) -> bool:
        """Return whether the function only returns the list that a variable holds, and adds to it."""
        return scope.is_local(name) and all(
            _leaves(use, parents, scope) or _adds_to(use, parents) for use in uses.get(name, ())
        )

    def gathered(node: ast.AST) -> bool:
        """Return whether a value is added to a list that the function only returns."""
        call = parents.get(id(node))
        name = _gathers(call) if call is not None else None
        return name is not None and only_returned(name)

    def listed(node: ast.AST) -> bool:
        """Return whether a value is an item of a list that a variable holds, and that the function only returns."""
        items, holder = parents.get(id(node)), None
        if isinstance(items, (ast.List, ast.Tuple)):
            holder = parents.get(id(items))
        target = holder.targets[0] if isinstance(holder, ast.Assign) and len(holder.targets) == 1 else None
        target = holder.target if isinstance(holder, ast.AugAssign) else target
        return isinstance(target, ast.Name) and only_returned(target.id)

    kept: set[int] = set()
    for node in every:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            plain = all(_labels(decorator, scope) for decorator in node.decorator_list)
            named = [use for use in uses.get(node.name, ()) if not _is_named(use, parents)]
            if plain and all(_leaves(use, parents, scope) or gathered(use) or listed(use) for use in named):
                kept.add(id(node))
        elif isinstance(node, ast.Lambda) and _leaves(node, parents, scope):
            kept.add(id(node))
    return frozenset(kept)


def _scope_of(node: ast.AST, parents: dict[int, ast.AST], scope: Scope) -> Scope:
    """Return the scope in which a node within a function stands: of an inner function if it is in the body of one.

    A parameter may have the name of another function there, as an asset's has that of the asset above it.
    """
    around: list[ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda] = []
    while (parent := parents.get(id(node))) is not None:
        if isinstance(parent, ast.Lambda):
            around += [parent] if parent.body is node else []
        elif isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)) and node in parent.body:
            around.append(parent)
        node = parent
    for function in reversed(around):
        scope = FunctionScope(scope, function)
    return scope


def _is_named(use: ast.AST, parents: dict[int, ast.AST]) -> bool:
    """Return whether a use of a function only asks for its name, or gives it one: `inner.__name__ = name`."""
    parent = parents.get(id(use))
    return isinstance(parent, ast.Attribute) and parent.attr in _LABELS


def _adds_to(use: ast.AST, parents: dict[int, ast.AST]) -> bool:
    method = parents.get(id(use))
    call = parents.get(id(method)) if method is not None else None
    return call is not None and _gathers(call) is not None and method is getattr(call, "func", None)


def _labels(decorator: ast.expr, scope: Scope) -> bool:
    """Return whether a decorator orchestrates, or makes a wrapper, and calls nothing."""
    names = scope.peek(chain_of(decorator) or ("",))
    return bool(names) and all(is_orchestration(name) or name.startswith("functools.wraps") for name in names)


def _leaves(node: ast.AST, parents: dict[int, ast.AST], scope: Scope) -> bool:
    """Return whether a value is only returned, or is an argument of an orchestrator."""
    parent = parents.get(id(node))
    while isinstance(parent, (ast.List, ast.Tuple, ast.Dict, ast.Set, ast.keyword, ast.Starred, ast.IfExp)):
        parent = parents.get(id(parent))
    if isinstance(parent, ast.Call) and parent.func is not node:
        names = scope.peek(chain_of(parent.func) or ("",))
        return bool(names) and all(map(is_orchestration, names))
    return isinstance(parent, ast.Return)


def _gathers(node: ast.AST) -> str | None:
    """Return the name of the list that a call such as `found.append(f)` adds to."""
    method = node.func if isinstance(node, ast.Call) else None
    if not isinstance(method, ast.Attribute) or method.attr not in ("append", "extend", "insert"):
        return None
    return method.value.id if isinstance(method.value, ast.Name) else None
