"""Attributes that code asks for by a computed name: `getattr(x, name)`."""

from __future__ import annotations

import ast

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.syntax.constants import Constants, bindings, bindings_in
from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, Scope, chain_of

# Libraries of tables and arrays. No attribute of their values leads to first-party code.
_TABLES = ("pandas.", "polars.", "pyarrow.", "numpy.", "geopandas.", "ibis.", "dask.dataframe.")
# Annotations that name no class.
_NO_CLASSES = frozenset({"Any", "object", "ModuleType", "type", "Type", "Callable"})


def asked_names(node: ast.Call, scope: Scope) -> tuple[str, ...] | None:
    """Return the constants that the name of a `getattr` takes; None if they cannot be told."""
    if len(node.args) < 2 or any(isinstance(one, ast.Starred) for one in node.args[:2]):
        return None
    found = Constants().of(node.args[1], scope)
    return tuple(one for one in found if isinstance(one, str)) if found else None


def leads_to_counted_code(node: ast.Call, scope: Scope) -> bool:
    """Return whether every attribute of the object that a `getattr` asks belongs to code that counts anyway.

    That is so for `self`, for a table, its columns and rows, and for an object of a class that an annotation names.
    """
    return bool(node.args) and _is_counted(node.args[0], scope, 0)


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
        return not any(bindings_in(node.id, binder)) and _is_annotated(node.id, binder)
    found = list(bindings(node.id, binder, parameters=True))
    return bool(found) and all(
        one.value is not None and _is_counted(one.value, binder, depth + 1) for one in found
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
