"""The names of a module that one of its top-level statements binds or deletes."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from jammi_dagster.fingerprint.syntax.scopes import walrus_targets
from jammi_dagster.fingerprint.syntax.trees import children
from jammi_dagster.fingerprint.syntax.visitor import Visitor


def bound_names(statement: ast.AST) -> tuple[str, ...]:
    """Return the names that a statement binds or deletes.

    >>> bound_names(ast.parse("def f(): x = 1").body[0])
    ('f',)
    """
    visitor = _BoundNames()
    visitor.walk([statement], None)
    return tuple(visitor.names)


class _BoundNames(Visitor[None]):
    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, None] = {}

    def visit_Lambda(self, node: ast.expr, context: None) -> Sequence[ast.AST]:
        return walrus_targets(node)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_Lambda

    def visit_FunctionDef(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, context: None
    ) -> Sequence[ast.AST]:
        self.names[node.name] = None
        return [child for child in children(node) if not isinstance(child, ast.stmt)]

    visit_AsyncFunctionDef = visit_ClassDef = visit_FunctionDef

    def visit_Name(self, node: ast.Name, context: None) -> Sequence[ast.AST]:
        if not isinstance(node.ctx, ast.Load):
            self.names[node.id] = None
        return ()

    def visit_ExceptHandler(
        self, node: ast.ExceptHandler | ast.MatchAs | ast.MatchStar, context: None
    ) -> Sequence[ast.AST]:
        self._bind(node.name)
        return children(node)

    visit_MatchAs = visit_MatchStar = visit_ExceptHandler

    def visit_MatchMapping(self, node: ast.MatchMapping, context: None) -> Sequence[ast.AST]:
        self._bind(node.rest)
        return children(node)

    def visit_Import(self, node: ast.Import | ast.ImportFrom, context: None) -> Sequence[ast.AST]:
        for alias in node.names:
            self._bind(alias.asname or alias.name.partition(".")[0])
        return ()

    visit_ImportFrom = visit_Import

    def _bind(self, name: str | None) -> None:
        if name:
            self.names[name] = None
