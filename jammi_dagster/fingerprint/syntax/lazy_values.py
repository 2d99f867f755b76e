"""Globals that are assigned once, on first use, from nothing that varies: they are constants."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.processes import CACHES
from jammi_dagster.fingerprint.syntax.memos import Slot
from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, Scope, chain_of, is_none
from jammi_dagster.fingerprint.syntax.trees import nodes, parents_of, statements

# Callables whose results nobody can change, and depend on their arguments alone.
_PURE = frozenset(
    [
        "builtins.frozenset",
        "builtins.tuple",
        "builtins.str",
        "builtins.int",
        "builtins.float",
        "re.compile",
        "decimal.Decimal",
        "fractions.Fraction",
        "datetime.date",
        "datetime.datetime",
        "datetime.time",
        "datetime.timedelta",
        "datetime.timezone",
        "logging.getLogger",
        "operator.attrgetter",
        "operator.itemgetter",
        "pathlib.Path",
        "pathlib.PurePath",
        "string.Template",
        "struct.Struct",
        "uuid.UUID",
        "pathlib.PurePosixPath",
        "zoneinfo.ZoneInfo",
    ]
)


def is_constant_slot(slot: Slot, module: Scope) -> bool:
    """Return whether the value of a slot is immutable, or a table that is only looked up, of literals alone."""
    scope = FunctionScope(module, slot.function)
    if all(is_constant(value, scope) for value in slot.values):
        return True
    if not all(_is_table(value, scope) for value in slot.values):
        return False
    parents = parents_of(nodes(slot.function))
    return all(isinstance(one, ast.Name) and _only_looks_up(one, parents) for one in slot.kept)


def _is_table(node: ast.expr, scope: Scope) -> bool:
    """Return whether an expression is a list, dict or set that is written out of literals."""
    if isinstance(node, (ast.List, ast.Set)):
        return all(is_constant(item, scope) or is_none(item) for item in node.elts)
    if isinstance(node, ast.Dict):
        items = [*node.keys, *node.values]
        return all(item is not None and (is_constant(item, scope) or is_none(item)) for item in items)
    return False


def _only_looks_up(name: ast.Name, parents: Mapping[int, ast.AST]) -> bool:
    """Return whether a use of a table takes an item out of it, or asks for it, and hands it to nobody."""
    above = parents.get(id(name))
    if isinstance(above, ast.Attribute) and above.attr in ("get", "index", "count"):
        called = parents.get(id(above))
        return isinstance(called, ast.Call) and called.func is above
    if isinstance(above, ast.Subscript) and above.value is name:
        return isinstance(above.ctx, ast.Load)
    return isinstance(above, ast.Compare) or (
        isinstance(above, ast.UnaryOp) and isinstance(above.op, ast.Not)
    )


def is_constant(node: ast.expr, scope: Scope) -> bool:
    """Return whether an expression gives an immutable value, from literals alone."""
    if isinstance(node, ast.Constant):
        return node.value is not None
    if isinstance(node, ast.Name):  # a text that the module holds
        return scope.owns(node.id) and scope.text_of(node.id) is not None
    if isinstance(node, ast.Tuple):
        return all(is_constant(item, scope) for item in node.elts)
    if isinstance(node, ast.Call):
        if not all(word.arg and is_constant(word.value, scope) for word in node.keywords):
            return False
        names = scope.peek(chain_of(node.func) or ("",))
        plain = all(isinstance(one, (ast.List, ast.Set)) or is_constant(one, scope) for one in node.args)
        within = (item for one in node.args if isinstance(one, (ast.List, ast.Set)) for item in one.elts)
        return (
            bool(names) and _PURE.issuperset(names) and plain and all(is_constant(i, scope) for i in within)
        )
    return False


def cached_lines(statement: ast.AST) -> Iterator[int]:
    """Yield the first lines of the functions in a statement under a decorator that keeps results.

    >>> list(cached_lines(ast.parse("@functools.lru_cache(None)\\ndef f(): return 1").body[0]))
    [1]
    """
    todo = [statement] if isinstance(statement, ast.stmt) else []
    for node in todo:  # grows while it is read
        decorators = getattr(node, "decorator_list", [])
        if not isinstance(node, ast.ClassDef) and any(map(_caches, decorators)):
            yield min(one.lineno for one in decorators)
        todo += [one for one in statements(node) if isinstance(one, ast.stmt)]


def _caches(decorator: ast.expr) -> bool:
    parts = [part for part in chain_of(decorator) or () if part != CALL]
    return bool(parts) and CACHES.search(parts[-1]) is not None
