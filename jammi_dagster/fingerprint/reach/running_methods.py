"""Methods that run when a class is called, or one of its methods."""

from __future__ import annotations

import ast

from jammi_dagster.fingerprint.reach.routes import Node, Routes
from jammi_dagster.fingerprint.syntax.functions import Function
from jammi_dagster.fingerprint.syntax.optional_parts import is_orchestration
from jammi_dagster.fingerprint.syntax.scopes import Scope, chain_of
from jammi_dagster.fingerprint.syntax.state_changes import PROPERTIES, changes_of_call
from jammi_dagster.fingerprint.syntax.validators import validates

_CONSTRUCTORS = frozenset(
    {
        *("__init__", "__new__", "__post_init__", "__attrs_post_init__", "__call__"),
        *("model_post_init", "settings_customise_sources"),
    }
)


def running_methods(
    routes: Routes, node: Node, cls: ast.ClassDef, scope: Scope, *, whole: bool, asked: str
) -> list[Function]:
    """Return the methods of a class that run when it is called, or when the method `asked` is."""
    methods: dict[str, list[Function]] = {}
    for one in cls.body:
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
            methods.setdefault(one.name, []).append(one)
    if whole or _has_foreign_base(routes, node, cls, scope):
        return [method for found in methods.values() for method in found]
    running = {*_CONSTRUCTORS, asked}
    names = [n for n, found in methods.items() if n in running or any(map(validates, found))]
    seen: dict[str, None] = dict.fromkeys(names)
    todo = list(names)
    for name in todo:  # grows: constructors call other methods
        for method in methods[name]:
            used = changes_of_call(method, scope, is_whole=False).of_self
            if "*" in used:
                return [one for found in methods.values() for one in found]
            if PROPERTIES in used:
                used = used | {name for name, found in methods.items() if any(map(_is_property, found))}
            fresh = [other for other in used if other in methods and other not in seen]
            seen.update(dict.fromkeys(fresh))
            todo += fresh
    return [method for name in seen for method in methods[name]]


def _has_foreign_base(routes: Routes, node: Node, cls: ast.ClassDef, scope: Scope) -> bool:
    """Return whether a base outside of first-party code may call methods when an object is made."""
    for base in cls.bases:
        chain = chain_of(base.value if isinstance(base, ast.Subscript) else base)
        names = scope.peek(chain) if chain else []
        known = ("builtins.object", "pydantic.", "pydantic_settings.", "typing.", "abc.", "enum.")
        foreign = (name for name in names if not routes.is_first_party(node, name))
        if any(not (is_orchestration(name) or name.startswith(known)) for name in foreign):
            return True
    return False


def _is_property(method: Function) -> bool:
    decorators = getattr(method, "decorator_list", [])
    return any(part.endswith("property") for one in decorators for part in chain_of(one) or ("property",))
