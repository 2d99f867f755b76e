"""The walk over a syntax tree."""

import ast
from collections.abc import Sequence

from jammi_dagster.fingerprint.syntax.visitor import Visitor


class Kinds(Visitor[str]):
    """The kinds of nodes that were visited, each with its context."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def visit_stmt(self, node: ast.AST, context: str) -> Sequence[ast.AST]:
        self.found.append((f"a {type(node).__name__}", context))
        return super().visit_AST(node, context)

    def visit_Name(self, node: ast.Name, context: str) -> Sequence[ast.AST]:
        self.found.append((node.id, context))
        if node.id == "end":
            self.stop()
        return ()

    def visit_Lambda(self, node: ast.Lambda, context: str) -> Sequence[ast.AST]:
        self.push([node.body], "lambda")
        return ()


def found(text: str) -> list[tuple[str, str]]:
    visitor = Kinds()
    visitor.walk(ast.parse(text).body, "module")
    return visitor.found


def test_a_node_is_visited_by_its_type_or_the_base_of_it() -> None:
    """`visit_Name` treats names, `visit_stmt` every statement without a method of its own."""
    assert found("a = b") == [("a Assign", "module"), ("b", "module"), ("a", "module")]


def test_pushed_nodes_stand_in_their_own_context() -> None:
    """A method may send nodes into another context than its own."""
    assert found("a = lambda: b")[1:] == [("b", "lambda"), ("a", "module")]


def test_a_walk_can_end_early() -> None:
    """After `stop` no node is visited."""
    assert found("a = end") == [("a Assign", "module"), ("end", "module")]


def test_nesting_beyond_the_recursion_limit_is_walked() -> None:
    """A tree may be nested deeper than Python's recursion limit."""
    tree: ast.expr = ast.Name("x", ast.Load())
    for _ in range(20_000):
        tree = ast.Attribute(tree, "y", ast.Load())
    visitor = Kinds()
    visitor.walk([tree], "module")
    assert visitor.found == [("x", "module")]


def test_a_subclass_has_methods_of_its_own() -> None:
    """The methods of one visitor do not reach another, even if it is derived from it."""

    class Silent(Kinds):
        def visit_Name(self, node: ast.Name, context: str) -> Sequence[ast.AST]:
            return ()

    assert found("a = b")[1:] == [("b", "module"), ("a", "module")]
    visitor = Silent()
    visitor.walk(ast.parse("a = b").body, "module")
    assert visitor.found == [("a Assign", "module")]
