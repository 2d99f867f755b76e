"""Attributes that code asks for by a computed name: `getattr(x, name)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import children

# Libraries of tables and arrays. No attribute of their values leads to first-party code.
_TABLES = ("pandas.", "polars.", "pyarrow.", "numpy.", "geopandas.", "ibis.", "dask.dataframe.")
# Annotations that name no class.
_NO_CLASSES = frozenset({"Any", "object", "ModuleType", "type", "Type", "Callable"})


def asked_names(node: ast.Call, scope: Scope) -> tuple[str, ...] | None:
    """Return the constants that the name of a `getattr` takes; None if they cannot be told."""
    if len(node.args) < 2 or any(isinstance(one, ast.Starred) for one in node.args[:2]):
        return None
    found = _constants(node.args[1], scope, 0)
    return tuple(one for one in found if isinstance(one, str)) if found else None


def leads_to_counted_code(node: ast.Call, scope: Scope) -> bool:
    """Return whether every attribute of the object that a `getattr` asks belongs to code that counts anyway.

    That is so for `self`, for a table, its columns and rows, and for an object of a class that an annotation names.
    """
    return bool(node.args) and _is_counted(node.args[0], scope, 0)


def _constants(node: ast.expr, scope: Scope, depth: int) -> list[object] | None:
    """Return the values that an expression may have, if all are constants."""
    if isinstance(node, ast.Constant):
        return [node.value]
    if isinstance(node, ast.IfExp):
        one, two = (_constants(part, scope, depth) for part in (node.body, node.orelse))
        return None if one is None or two is None else one + two
    if not isinstance(node, ast.Name) or depth > 3:
        return None
    found: list[object] = []
    bindings = list(_bindings(node.id, scope))
    for value, is_item in bindings:
        values = (
            None
            if value is None
            else _items(value, scope, depth)
            if is_item
            else _constants(value, scope, depth + 1)
        )
        if values is None:
            return None
        found += values
    return found if bindings else None


def _items(node: ast.expr, scope: Scope, depth: int) -> list[object] | None:
    """Return the items of a written list or tuple, or the keys of a dict, if all are constants."""
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        parts = [_constants(item, scope, depth + 1) for item in node.elts]
        return None if any(part is None for part in parts) else [one for part in parts for one in part or ()]
    return None


def _is_counted(node: ast.expr, scope: Scope, depth: int) -> bool:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        names = scope.peek(chain_of(node) or ("",))
        if names and all(name.startswith(_TABLES) and CALL in name for name in names):
            return True  # a value that a function of the library returned
        if isinstance(node, ast.Call) and not isinstance(node.func, ast.Attribute):
            return False
        node = node.func if isinstance(node, ast.Call) else node.value
    if not isinstance(node, ast.Name):
        return False
    binder = scope.binder(node.id)
    if not isinstance(binder, FunctionScope) or depth > 3:
        return False
    if node.id in binder.parameters:
        is_bound_again = any(True for _ in _bindings_in(node.id, binder, parameters=False))
        return not is_bound_again and _is_annotated(node.id, binder)
    bindings = list(_bindings(node.id, binder))
    return bool(bindings) and all(
        value is not None and _is_counted(value, binder, depth + 1) for value, _ in bindings
    )


def _is_annotated(name: str, scope: FunctionScope) -> bool:
    """Return whether a parameter is `self`, or its annotation names a class."""
    given = scope.node.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    if name == "self":
        return bool(every) and every[0].arg == "self"
    note = next((one.annotation for one in every if one.arg == name), None)
    if isinstance(note, ast.Constant) and isinstance(note.value, str):
        try:
            note = ast.parse(note.value, mode="eval").body
        except SyntaxError:
            return False
    chain = chain_of(note) if note is not None else None
    return chain is not None and chain[-1][:1].isupper() and chain[-1] not in _NO_CLASSES


def _bindings(name: str, scope: Scope, *, parameters: bool = True) -> Iterator[tuple[ast.expr | None, bool]]:
    """Yield the expressions that a name is bound to around a use; True: to the items of one; None: unknown."""
    found = [one for holder in scope.lineage() for one in _bindings_in(name, holder, parameters=parameters)]
    yield from found or [(None, False)]


def _bindings_in(name: str, binder: Scope, *, parameters: bool) -> Iterator[tuple[ast.expr | None, bool]]:
    if name in binder.shared or (
        parameters and isinstance(binder, FunctionScope) and name in binder.parameters
    ):
        yield None, False
        return
    todo: list[ast.AST] = list(binder.body)
    for node in todo:
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and target.id == name:
                    yield node.value, False
                elif not isinstance(target, ast.Name) and _stores(target, name):
                    yield None, False
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            if isinstance(node.target, ast.Name) and node.target.id == name:
                yield node.iter, True
            elif _stores(node.target, name):
                yield None, False
        elif (isinstance(node, ast.AugAssign) and _stores(node.target, name)) or _binds_otherwise(node, name):
            yield None, False
        inner = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef))
        todo += () if inner else children(node)


def _stores(target: ast.AST, name: str) -> bool:
    return any(
        isinstance(one, ast.Name) and one.id == name and not isinstance(one.ctx, ast.Load)
        for one in ast.walk(target)
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
