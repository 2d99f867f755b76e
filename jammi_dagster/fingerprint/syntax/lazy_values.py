"""Globals that are assigned once, on first use, from nothing that varies: they are constants."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.processes import CACHES
from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import children, statements

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
        "datetime.timedelta",
        "pathlib.PurePosixPath",
        "zoneinfo.ZoneInfo",
    ]
)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def is_lazy_constant(tree: ast.Module, module: Scope, name: str) -> bool:
    """Return whether a global is None until its first use, and then one immutable value that is always the same.

    >>> tree = ast.parse("x = None\\ndef f():\\n  global x\\n  if x is None: x = (1, 2)\\n  return x")
    >>> is_lazy_constant(tree, Scope(tree.body), "x")
    True
    """
    bindings = list(_bindings(tree, name))
    if len(bindings) != 2:
        return False
    (first, _), (second, within) = bindings
    if not (_assigns(first, None) and isinstance(first, (ast.Assign, ast.AnnAssign))):
        return False
    if len(within) < 2 or not isinstance(second, ast.Assign) or len(second.targets) != 1:
        return False
    test, function = within[-1], within[-2]
    if not (isinstance(test, ast.If) and second in test.body and _is_first_use(test.test, name)):
        return False
    return isinstance(function, ast.FunctionDef) and _is_constant(
        second.value, FunctionScope(module, function)
    )


def _bindings(tree: ast.Module, name: str) -> Iterator[tuple[ast.AST, list[ast.AST]]]:
    """Yield each node that may bind a global, in order, with the functions and blocks around it."""
    todo: list[tuple[ast.AST, list[ast.AST], bool]] = [(node, [], True) for node in reversed(tree.body)]
    while todo:
        node, within, is_global = todo.pop()
        if isinstance(node, _FUNCTIONS):
            body = node.body if isinstance(node.body, list) else [node.body]
            is_global = any(name in inner.names for inner in body if isinstance(inner, ast.Global))
            is_global |= any(isinstance(one, ast.Global) and name in one.names for one in ast.walk(node))
        stored = isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)
        if is_global and (stored or _named(node) == name):
            yield (within[-1] if stored else node), within[:-1] if stored else within
        todo += [(child, [*within, node], is_global) for child in reversed(children(node))]


def _named(node: ast.AST) -> str | None:
    found = getattr(node, "name", None) or getattr(node, "rest", None) or getattr(node, "asname", None)
    return found if isinstance(found, str) else None


def _assigns(node: ast.AST, value: object) -> bool:
    held = getattr(node, "value", None)
    return isinstance(held, ast.Constant) and held.value is value


def _is_first_use(test: ast.expr, name: str) -> bool:
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Is):
        is_none = isinstance(test.comparators[0], ast.Constant) and test.comparators[0].value is None
        return is_none and isinstance(test.left, ast.Name) and test.left.id == name
    return False


def _is_constant(node: ast.expr, scope: Scope) -> bool:
    """Return whether an expression gives an immutable value, from literals alone."""
    if isinstance(node, ast.Constant):
        return node.value is not None
    if isinstance(node, ast.Tuple):
        return all(_is_constant(item, scope) for item in node.elts)
    if isinstance(node, ast.Call) and not node.keywords:
        names = scope.peek(chain_of(node.func) or ("",))
        plain = all(isinstance(one, (ast.List, ast.Set)) or _is_constant(one, scope) for one in node.args)
        within = (item for one in node.args if isinstance(one, (ast.List, ast.Set)) for item in one.elts)
        return (
            bool(names) and _PURE.issuperset(names) and plain and all(_is_constant(i, scope) for i in within)
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
