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
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def is_lazy_constant(tree: ast.Module, module: Scope, name: str) -> bool:
    """Return whether a global is None until its first use, and then one value that is always the same.

    Nobody changes the value, and only the function that makes it reads the name.

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
    if not isinstance(second, ast.Assign) or len(second.targets) != 1:
        return False
    function = next((one for one in reversed(within) if isinstance(one, _FUNCTIONS)), None)
    if not isinstance(function, ast.FunctionDef) or function.name == name or _has_decorators(function):
        return False
    blocks = within[within.index(function) + 1 :]
    test = _test_of(function, blocks, second, name)
    if test is None:
        return False
    inside = {id(one) for one in ast.walk(function)}
    loads = [one for one in _loads(tree, name) if not isinstance(one.ctx, ast.Store)]
    if any(id(one) not in inside for one in loads):
        return False  # whoever reads it elsewhere may come before the first use, or after it
    first = min(loads, key=lambda one: (one.lineno, one.col_offset))
    if all(one is not first for one in ast.walk(test)):
        return False
    scope = FunctionScope(module, function)
    if _is_constant(second.value, scope):
        return True
    return _is_table(second.value, scope) and all(_only_looks_up(one, function) for one in loads)


def _has_decorators(function: ast.FunctionDef) -> bool:
    return bool(function.decorator_list)


def _loads(tree: ast.Module, name: str) -> list[ast.Name]:
    return [one for one in ast.walk(tree) if isinstance(one, ast.Name) and one.id == name]


def _is_table(node: ast.expr, scope: Scope) -> bool:
    """Return whether an expression is a list, dict or set that is written out of literals."""
    if isinstance(node, (ast.List, ast.Set)):
        return all(_is_constant(item, scope) or _is_none(item) for item in node.elts)
    if isinstance(node, ast.Dict):
        items = [*node.keys, *node.values]
        return all(item is not None and (_is_constant(item, scope) or _is_none(item)) for item in items)
    return False


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _only_looks_up(name: ast.Name, function: ast.FunctionDef) -> bool:
    """Return whether a use of a table takes an item out of it, or asks for it, and hands it to nobody."""
    parents = {id(child): node for node in ast.walk(function) for child in ast.iter_child_nodes(node)}
    above = parents.get(id(name))
    if isinstance(above, ast.Attribute) and above.attr in ("get", "index", "count"):
        called = parents.get(id(above))
        return isinstance(called, ast.Call) and called.func is above
    if isinstance(above, ast.Subscript) and above.value is name:
        return isinstance(above.ctx, ast.Load)
    return isinstance(above, ast.Compare) or (
        isinstance(above, ast.UnaryOp) and isinstance(above.op, ast.Not)
    )


def _test_of(
    function: ast.FunctionDef, blocks: list[ast.AST], assignment: ast.Assign, name: str
) -> ast.expr | None:
    """Return the test that asks for the first use: around the assignment, or with a return before it."""
    tests = [one for one in blocks if isinstance(one, ast.If)]
    bodies = [one.body for one in blocks if isinstance(one, (ast.If, ast.With))]
    if tests and len(bodies) == len(blocks):
        inner = [*blocks[1:], assignment]
        if all(one in body for body, one in zip(bodies, inner, strict=True)):
            return tests[0].test if all(_is_first_use(one.test, name) for one in tests) else None
    if blocks or assignment not in function.body:
        return None
    for statement in function.body[: function.body.index(assignment)]:
        if (
            isinstance(statement, ast.If)
            and not statement.orelse
            and isinstance(statement.body[0], ast.Return)
        ) and (_asks(statement.test, name, ast.IsNot) or _is_name(statement.test, name)):
            return statement.test
    return None


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
    """Return whether a test is `x is None` or `not x`."""
    negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and _is_name(test.operand, name)
    return negated or _asks(test, name, ast.Is)


def _asks(test: ast.expr, name: str, operator: type[ast.cmpop]) -> bool:
    if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], operator)):
        return False
    return _is_none(test.comparators[0]) and _is_name(test.left, name)


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_constant(node: ast.expr, scope: Scope) -> bool:
    """Return whether an expression gives an immutable value, from literals alone."""
    if isinstance(node, ast.Constant):
        return node.value is not None
    if isinstance(node, ast.Name):  # a text that the module holds
        return scope.owns(node.id) and scope.text_of(node.id) is not None
    if isinstance(node, ast.Tuple):
        return all(_is_constant(item, scope) for item in node.elts)
    if isinstance(node, ast.Call):
        if not all(word.arg and _is_constant(word.value, scope) for word in node.keywords):
            return False
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
