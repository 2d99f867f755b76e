"""Containers that are written with data in them."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.hidden_code import TABLE_MAKERS, TARGET
from jammi_dagster.fingerprint.known_names.quiet import COMPUTING, QUIET_BUILTINS
from jammi_dagster.fingerprint.syntax.constants import bindings
from jammi_dagster.fingerprint.syntax.quiet_calls import is_fresh
from jammi_dagster.fingerprint.syntax.scopes import Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import nodes

_VALUES = (ast.Constant, ast.JoinedStr, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Attribute)


def names_of_data(written: ast.expr, scope: Scope) -> list[str] | None:
    """Return the module's names in data: a constant, a computed value, or a container.

    None if it may hold a function. An empty container is there to be filled, with functions perhaps.

    >>> module = Scope(ast.parse("import polars as pl; ZONE = 'UTC'").body)
    >>> names_of_data(ast.parse("pl.Datetime('us', ZONE)", mode="eval").body, module)
    ['ZONE']
    """
    found: list[str] = []
    items = written.values if isinstance(written, ast.Dict) else getattr(written, "elts", ())
    if not (items or isinstance(written, _VALUES)):
        return None
    for node in nodes(written):
        if isinstance(node, ast.Lambda):
            return None
        if isinstance(node, ast.Call) and not _makes_data(node, scope, is_item=bool(items)):
            return None
        chain = chain_of(node) if isinstance(node, ast.Attribute) and not items else None
        if chain and CALL not in chain and not _computes(scope.peek(chain)):
            return None  # an attribute of an object of the project's own
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            names = (one for one in scope.module_names(node.id) if not _computes(scope.peek((one,))))
            found += [name for name in names if name not in QUIET_BUILTINS]
    return found


def names_its_target(given: Sequence[ast.expr], scope: Scope) -> bool:
    """Return whether a table is written with the class or the function that is made out of it, at any depth.

    >>> names_its_target([ast.parse("{'_target_': 'models.Tree', 'depth': 3}", mode="eval").body], Scope([]))
    True
    """
    node = given[0] if given else None
    if isinstance(node, ast.Name):
        found = list(bindings(node.id, scope, parameters=True))
        return len(found) == 1 and names_its_target(
            [found[0].value] if found[0].value else [], found[0].scope
        )
    if isinstance(node, ast.Call) and TABLE_MAKERS.issuperset(
        scope.peek(chain_of(node.func) or ("",)) or [""]
    ):
        return names_its_target(node.args, scope)
    if not isinstance(node, ast.Dict):
        return False
    tables = [one for one in nodes(node) if isinstance(one, ast.Dict)]
    entries = [entry for table in tables for entry in zip(table.keys, table.values, strict=True)]
    targets = [value for key, value in entries if isinstance(key, ast.Constant) and key.value == TARGET]
    return bool(targets) and all(
        isinstance(one, ast.Constant) for one in (*targets, *(key for key, _ in entries))
    )


def _computes(names: Sequence[str]) -> bool:
    """Return whether names stand for parts of libraries that compute."""
    return bool(names) and all(f"{name}.".startswith(COMPUTING) for name in names)


def _makes_data(call: ast.Call, scope: Scope, *, is_item: bool) -> bool:
    """Return whether a call has data as its result: of a library that computes, or a method of data.

    `is_item`: of a container that is not empty, which may hold an object of any class of a library.
    """
    chain = chain_of(call.func)
    names = scope.peek(chain) if chain else ["builtins.str"]
    if not is_item:
        return not chain or _computes(names)
    return bool(names) and all(
        name.split(".")[1] not in ("getattr", "next", "vars", "globals", "eval")
        if name.startswith("builtins.")
        else is_fresh(f"{name}.{CALL}")
        for name in names
    )
