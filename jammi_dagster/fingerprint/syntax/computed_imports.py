"""Imports by computed names that reach the modules of one package only, and lists of these modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jammi_dagster.fingerprint.known_names.process_state import MODULE_LISTS
from jammi_dagster.fingerprint.syntax.scopes import Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import nodes

OWN_NAME = "__name__"  # stands for the module itself, which is a package or not
_OWN_PACKAGE = "."


def package_of(call: ast.Call, scope: Scope) -> str | None:
    """Return the package whose modules a call lists, or one of which it imports by a computed name.

    >>> call = ast.parse("importlib.import_module(f'{__name__}.{key}')", mode="eval").body
    >>> package_of(call, Scope(ast.parse("import importlib").body))
    '__name__'
    """
    names = scope.peek(chain_of(call.func) or ("",))
    if names and MODULE_LISTS.issuperset(names):
        return _of_path(_argument(call, 0, "path"), scope)
    if names != ["importlib.import_module"] or not call.args or isinstance(call.args[0], ast.Constant):
        return None
    if len(call.args) > 1 or call.keywords:
        return None
    return _of_prefix(call.args[0], scope) or _of_list(call.args[0], scope)


def _argument(call: ast.Call, at: int, name: str) -> ast.expr | None:
    words = {word.arg: word.value for word in call.keywords}
    return call.args[at] if len(call.args) > at else words.get(name)


def _of_path(path: ast.expr | None, scope: Scope) -> str | None:
    """Return the package whose `__path__` an expression is."""
    chain = chain_of(path) if path is not None else None
    if chain == ("__path__",):
        return None if scope.owns("__path__") else _OWN_PACKAGE
    names = scope.peek(chain[:-1]) if chain and len(chain) > 1 and chain[-1] == "__path__" else []
    return names[0] if len(names) == 1 else None


def _of_prefix(name: ast.expr, scope: Scope) -> str | None:
    """Return the package by which a computed dotted name begins: `f"{__name__}.{key}"`, `"plugins." + key`."""
    first, *rest = _parts(name)
    if isinstance(first, ast.Name) and first.id in (OWN_NAME, "__package__") and not scope.owns(first.id):
        follows = rest[0].value if rest and isinstance(rest[0], ast.Constant) else ""
        if isinstance(follows, str) and follows.startswith("."):
            return OWN_NAME if first.id == OWN_NAME else _OWN_PACKAGE
    text = first.value if isinstance(first, ast.Constant) and rest else ""
    if not isinstance(text, str) or text.startswith("."):
        return None
    return text.rpartition(".")[0] or None


def _parts(text: ast.expr) -> list[ast.expr]:
    if isinstance(text, ast.BinOp) and isinstance(text.op, ast.Add):
        return [*_parts(text.left), *_parts(text.right)]
    if isinstance(text, ast.JoinedStr):
        return [one.value if isinstance(one, ast.FormattedValue) else one for one in text.values] or [text]
    return [text]


def _of_list(name: ast.expr, scope: Scope) -> str | None:
    """Return the package of a list of modules with their whole names: `for module in walk_packages(path, prefix)`."""
    variable = name.value if isinstance(name, ast.Attribute) and name.attr == "name" else name
    if not isinstance(variable, ast.Name):
        return None
    binder = scope.binder(variable.id)
    if binder is None or len(binder.texts.get(variable.id, ())) != 1:
        return None
    for target, given in _loops(binder):
        if any(isinstance(one, ast.Name) and one.id == variable.id for one in nodes(target)):
            is_whole = isinstance(given, ast.Call) and _argument(given, 1, "prefix") is not None
            return package_of(given, scope) if is_whole and isinstance(given, ast.Call) else None
    return None


def _loops(scope: Scope) -> Iterator[tuple[ast.expr, ast.expr]]:
    for node in scope.every:
        if isinstance(node, (ast.For, ast.comprehension)):
            yield node.target, node.iter
