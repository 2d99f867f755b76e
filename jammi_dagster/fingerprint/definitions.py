"""The functions and constants that a module's syntax tree defines, to be told apart and compared with live ones."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from jammi_dagster.fingerprint.syntax import children, nodes

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Place = tuple[str, int]  # a function's `co_name` and `co_firstlineno`
Label = tuple[str, int]  # its qualified name, and which one of those that share it

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def functions(tree: ast.Module) -> dict[Place, tuple[Label, ...]]:
    """Every function by its place. Two places may share a qualified name, and two lambdas on one line a place."""
    seen: Counter[str] = Counter()
    found: dict[Place, tuple[Label, ...]] = {}
    for name, node in sorted(_walk(tree), key=lambda pair: (pair[1].lineno, pair[1].col_offset)):
        found[place(node)] = (*found.get(place(node), ()), (name, seen[name]))
        seen[name] += 1
    return found


def place(node: Function) -> Place:
    if isinstance(node, ast.Lambda):
        return "<lambda>", node.lineno
    return node.name, min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def function_at(tree: ast.Module, where: Place) -> Function | None:
    """The function at a place, unless there are several."""
    found = [node for _, node in _walk(tree) if place(node) == where]
    return found[0] if len(found) == 1 else None


def path_to(tree: ast.Module, where: Place) -> list[ast.AST] | None:
    """The nodes from a module to the function at a place; None unless there is exactly one."""
    found: list[list[ast.AST]] = []
    todo: list[list[ast.AST]] = [[tree]]
    while todo:
        path = todo.pop()
        node = path[-1]
        if isinstance(node, _FUNCTIONS) and place(node) == where:
            found.append(path)
        todo += [[*path, child] for child in children(node)]
    return found[0] if len(found) == 1 else None


def constants(tree: ast.Module) -> dict[str, object]:
    """Module-level names that are bound once in the whole file, to a literal."""
    bound: Counter[str] = Counter()
    for node in nodes(tree):
        if isinstance(node, ast.Name):
            bound[node.id] += not isinstance(node.ctx, ast.Load)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound[node.name] += 1
        elif isinstance(node, ast.alias):
            bound[node.asname or node.name] += 1
    if bound["*"]:
        return {}
    return {name: value for name, value in _literals(tree) if bound[name] == 1}


def public_names(tree: ast.Module) -> tuple[str, ...]:
    """The strings in statements about `__all__`: a star import imports the submodules among them."""
    listing = [
        node
        for node in nodes(tree)
        if isinstance(node, ast.stmt)
        and any(isinstance(part, ast.Name) and part.id == "__all__" for part in children(node))
    ]
    strings = (part.value for node in listing for part in ast.walk(node) if isinstance(part, ast.Constant))
    return tuple(value for value in strings if isinstance(value, str) and value.isidentifier())


def _walk(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    todo: list[tuple[ast.AST, str]] = [(tree, "")]
    while todo:
        node, prefix = todo.pop()
        inner = prefix
        if isinstance(node, _FUNCTIONS):
            name = prefix + ("<lambda>" if isinstance(node, ast.Lambda) else node.name)
            yield name, node
            inner = f"{name}.<locals>."
        elif isinstance(node, ast.ClassDef):
            inner = f"{prefix}{node.name}."
        todo += [(child, inner) for child in children(node)]


def _literals(tree: ast.Module) -> Iterator[tuple[str, object]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target: ast.expr = node.targets[0]
        elif isinstance(node, ast.AnnAssign):
            target = node.target
        else:
            continue
        if isinstance(target, ast.Name) and node.value is not None and _is_literal(node.value):
            with suppress(ValueError, TypeError, RecursionError):  # an item that has no hash, say
                yield target.id, ast.literal_eval(node.value)


def _is_literal(node: ast.expr) -> bool:
    todo: list[ast.expr | None] = [node]
    while todo:
        item = todo.pop()
        if isinstance(item, (ast.Tuple, ast.List, ast.Set)):
            todo += item.elts
        elif isinstance(item, ast.Dict):
            todo += [*item.keys, *item.values]
        elif isinstance(item, ast.UnaryOp) and isinstance(item.op, ast.USub):
            todo.append(item.operand)
        elif not isinstance(item, ast.Constant):
            return False
    return True
