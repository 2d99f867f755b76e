"""Small changes of a syntax tree, one at a time: operators, constants, names, arguments, removed statements."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Undo = Callable[[], None]

OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mod,
    ast.Mod: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """A change that can be made and undone: `with_change()` makes it and returns the undoing."""

    kind: str
    line: int
    with_change: Callable[[], Undo]


def mutations(tree: ast.Module) -> Iterator[Mutation]:
    """Yield every mutation of a tree; none of them is made yet.

    >>> tree = ast.parse("x = 1 + y")
    >>> for one in mutations(tree):
    ...     undo = one.with_change()
    ...     print(one.kind, "|", ast.unparse(tree))
    ...     undo()
    operator | x = 1 - y
    constant | x = 2 + y
    """
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        for kind, name, value in _changes(node):
            yield Mutation(kind=kind, line=line, with_change=change(node, name, value))
        for name, body in ast.iter_fields(node):
            if isinstance(body, list) and len(body) > 1 and all(isinstance(one, ast.stmt) for one in body):
                for index, gone in enumerate(body):
                    if _may_go(gone):
                        rest = [*body[:index], *body[index + 1 :]]
                        yield Mutation(kind="removed", line=gone.lineno, with_change=change(node, name, rest))
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            yield from _swapped_names(node)


def _changes(node: ast.AST) -> Iterator[tuple[str, str, object]]:
    if isinstance(node, (ast.BinOp, ast.BoolOp, ast.AugAssign)) and type(node.op) in OPERATORS:
        yield "operator", "op", OPERATORS[type(node.op)]()
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in OPERATORS:
        yield "comparison", "ops", [OPERATORS[type(node.ops[0])](), *node.ops[1:]]
    elif isinstance(node, ast.Constant) and type(node.value) in (bool, int, float, str, type(None)):
        yield "constant", "value", other_constant(node.value)
    elif isinstance(node, ast.Return) and node.value is not None:
        yield "return", "value", None
    elif isinstance(node, (ast.If, ast.While, ast.IfExp)):
        yield "condition", "test", ast.UnaryOp(ast.Not(), node.test)
    elif isinstance(node, ast.Call) and len(node.args) > 1:
        yield "arguments", "args", [node.args[1], node.args[0], *node.args[2:]]


def other_constant(value: object) -> object:
    """Return a constant that differs: negated, one more, or a text with a letter more."""
    if isinstance(value, bool) or value is None:
        return not value
    return value + 1 if isinstance(value, (int, float)) else f"{value}x"


def _may_go(statement: ast.stmt) -> bool:
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    bound = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Pass)
    return not is_text and not isinstance(statement, bound)


def _swapped_names(function: ast.FunctionDef | ast.Lambda) -> Iterator[Mutation]:
    """Replace each use of a parameter by the next parameter."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    following = dict(zip(names, names[1:] + names[:1], strict=True)) if len(names) > 1 else {}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in following:
            yield Mutation(kind="name", line=node.lineno, with_change=change(node, "id", following[node.id]))


def change(node: ast.AST, name: str, value: object) -> Callable[[], Undo]:
    """Return the change of a field of a node: a function that makes it and returns its undoing."""

    def make() -> Undo:
        before = getattr(node, name)
        setattr(node, name, value)
        return lambda: setattr(node, name, before)

    return make
