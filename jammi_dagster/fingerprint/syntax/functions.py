"""The functions and constants in a module's syntax tree, to be told apart and compared with live ones."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from jammi_dagster.fingerprint.known_names.decorators import PROPERTY_ACCESSORS
from jammi_dagster.fingerprint.syntax.trees import children, nodes, statements

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Place = tuple[str, int]  # a function's `co_name` and `co_firstlineno`
Label = tuple[str, int]  # its qualified name, and which one of those that share it

_EMPTY = {"list": list, "dict": dict, "set": set}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def functions(tree: ast.Module, *, has_lambdas: bool) -> Iterator[tuple[Place, Label, ast.stmt]]:
    """Yield every function, in its order, with the top-level statement in which it stands.

    Two functions may share a qualified name, and two lambdas on one line a place.
    """
    seen: Counter[str] = Counter()
    below = children if has_lambdas else statements
    found = ((name, node, statement) for statement in tree.body for name, node in _walk(statement, below))
    for name, node, statement in sorted(found, key=lambda one: (one[1].lineno, one[1].col_offset)):
        yield place(node), (name, seen[name]), statement
        seen[name] += 1


def place(node: Function) -> Place:
    if isinstance(node, ast.Lambda):
        return "<lambda>", node.lineno
    return node.name, min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def function_at(tree: ast.Module, where: Place) -> Function | None:
    """Return the function at a place, unless there are several."""
    found = [node for _, node in _walk(tree) if place(node) == where]
    return found[0] if len(found) == 1 else None


def path_to(tree: ast.Module, where: Place) -> list[ast.AST] | None:
    """Return the nodes from a module to the function at a place; None unless there is exactly one."""
    found: list[list[ast.AST]] = []
    todo: list[list[ast.AST]] = [[tree]]
    while todo:
        path = todo.pop()
        node = path[-1]
        if isinstance(node, _FUNCTIONS) and place(node) == where:
            found.append(path)
        todo += [[*path, child] for child in children(node)]
    return found[0] if len(found) == 1 else None


def assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that a statement assigns with their expressions, also of `a = b = c` and `a, b = c, d`."""
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
        return
    todo = [(one, node.value) for one in (node.targets if isinstance(node, ast.Assign) else [node.target])]
    for target, value in todo:  # grows while it is read
        if isinstance(target, ast.Name):
            yield target.id, value
        elif (
            isinstance(target, (ast.Tuple, ast.List))
            and isinstance(value, (ast.Tuple, ast.List))
            and len(target.elts) == len(value.elts)
        ):
            todo += zip(target.elts, value.elts, strict=True)


def only_defines(node: ast.AST) -> bool:
    """Return whether a statement defines a function, and runs nothing for it: no decorator, no default."""
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not (
        node.decorator_list or node.args.defaults or any(node.args.kw_defaults)
    )


def is_accessor(decorator: ast.expr, node: ast.AST) -> bool:
    """Return whether a decorator gives a property of the same name another accessor: `@size.setter`."""
    return (
        isinstance(decorator, ast.Attribute)
        and decorator.attr in PROPERTY_ACCESSORS
        and isinstance(decorator.value, ast.Name)
        and decorator.value.id == getattr(node, "name", None)
    )


def literals(written: Mapping[str, ast.expr]) -> Iterator[tuple[str, object]]:
    """Yield the values that are literals, or empty lists, dicts and sets that a call makes."""
    for name, node in written.items():
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and not (node.args or node.keywords)
        ):
            if node.func.id in _EMPTY:
                yield name, _EMPTY[node.func.id]()
        elif _is_literal(node):
            with suppress(ValueError, TypeError, RecursionError):  # an item that has no hash, say
                yield name, ast.literal_eval(node)


def public_names(tree: ast.Module) -> tuple[str, ...]:
    """Return the strings in statements about `__all__`: a star import imports the submodules among them."""
    listing = [
        node
        for node in nodes(tree)
        if isinstance(node, ast.stmt)
        and any(isinstance(part, ast.Name) and part.id == "__all__" for part in children(node))
    ]
    strings = (part.value for node in listing for part in ast.walk(node) if isinstance(part, ast.Constant))
    return tuple(value for value in strings if isinstance(value, str) and value.isidentifier())


def _walk(
    tree: ast.AST, below: Callable[[ast.AST], Sequence[ast.AST]] = children
) -> Iterator[tuple[str, Function]]:
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
        todo += [(child, inner) for child in below(node)]


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
