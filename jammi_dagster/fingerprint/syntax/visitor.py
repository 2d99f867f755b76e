"""A visitor of syntax trees that does not recurse."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any, ClassVar, Generic, TypeVar

from jammi_dagster.fingerprint.syntax.trees import children

Context = TypeVar("Context")
Visit = Callable[[Any, Any, Any], Sequence[ast.AST]]


class Visitor(Generic[Context]):
    """A walk over a tree that treats each type of node by a method of its own, `visit_<Node>`.

    Such a method gets the node and the context in which it stands. It returns the nodes to visit next in the same
    context; nodes that stand in another context go to `push`. A type without a method is treated by the method of its
    base class (`visit_expr`, `visit_stmt`), and finally by `visit_AST`. The walk keeps a stack of its own, because
    code may be nested deeper than Python's recursion limit.

    >>> class Names(Visitor[None]):
    ...     def visit_Name(self, node, context):
    ...         print(node.id)
    ...         return ()
    >>> Names().walk([ast.parse("a.b + c")], None)
    c
    a
    """

    _visits: ClassVar[dict[type[ast.AST], Visit]] = {}

    def __init_subclass__(cls) -> None:
        cls._visits = {}  # filled as types of nodes are met

    def __init__(self) -> None:
        self._stack: list[tuple[ast.AST, Context]] = []

    def walk(self, nodes: Iterable[ast.AST], context: Context) -> None:
        """Visit these nodes and all below them, the last first."""
        stack, visits = self._stack, self._visits
        self.push(nodes, context)
        while stack:
            node, context = stack.pop()
            visit = visits.get(type(node)) or self._visit_of(type(node))
            if below := visit(self, node, context):
                self.push(below, context)

    def push(self, nodes: Iterable[ast.AST], context: Context) -> None:
        """Visit these nodes later, in this context."""
        self._stack += zip(nodes, repeat(context))

    def stop(self) -> None:
        """End the walk: no node that was pushed is visited."""
        self._stack.clear()

    def visit_Constant(self, node: ast.Constant, context: Context) -> Sequence[ast.AST]:
        """Visit a constant, below which there is no node."""
        return ()

    def visit_AST(self, node: ast.AST, context: Context) -> Sequence[ast.AST]:
        """Visit a node of a type without a method of its own."""
        return children(node)

    @classmethod
    def _visit_of(cls, kind: type[ast.AST]) -> Visit:
        names = (f"visit_{base.__name__}" for base in kind.__mro__)
        found: Visit = next(getattr(cls, name) for name in names if hasattr(cls, name))
        cls._visits[kind] = found
        return found
