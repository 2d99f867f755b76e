"""Annotations and decorators that count only where something reads them.

An annotation of a parameter or a variable ends in `__annotations__` and nowhere else. It counts in a class that is
more than a plain one (a dataclass, a pydantic model), where a decorator may read it, and wherever reached code reads
annotations. A decorator of Dagster or of this package counts only where the decorated object itself is used.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.decorators import (
    ANNOTATION_BLIND,
    ANNOTATION_BLIND_MODULES,
    ANNOTATION_READERS,
    ORCHESTRATION,
    PROPERTY_ACCESSORS,
)
from jammi_dagster.fingerprint.syntax.parameters import every
from jammi_dagster.fingerprint.syntax.scopes import Chain, Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import statements
from jammi_dagster.fingerprint.syntax.visitor import Visitor

UNKNOWN = "?"  # a decorator that is no function by its name


@dataclass(frozen=True, slots=True)
class OptionalParts:
    """The optional parts of one top-level statement.

    >>> function = ast.parse("def f(x: int) -> str: ...").body[0]
    >>> list(optional_parts(function, Scope([])).nodes.values())
    ['annotations', 'annotations']
    """

    nodes: dict[int, str]
    """`annotations` or `decorators`, by the `id` of the node."""
    annotation_readers: tuple[str, ...]
    """Decorators that may read annotations, unless the code of a first-party one shows that it does not."""


def optional_parts(statement: ast.AST, module: Scope) -> OptionalParts:
    """Find the optional parts of a top-level statement of a module."""
    visitor = _OptionalPartsVisitor(statement, module)
    visitor.walk([statement], False)
    return OptionalParts(visitor.nodes, tuple(visitor.annotation_readers))


def is_orchestration(name: str) -> bool:
    return name.partition(".")[0] in ORCHESTRATION


class _OptionalPartsVisitor(Visitor[bool]):
    """The visitor of one statement. The context is True in a class whose annotations are its fields."""

    def __init__(self, statement: ast.AST, module: Scope) -> None:
        super().__init__()
        self.nodes: dict[int, str] = {}
        self.annotation_readers: dict[str, None] = {}
        self._statement, self._module = statement, module

    def visit_FunctionDef(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, keeps: bool
    ) -> Sequence[ast.AST]:
        names = [_decorator_names(decorator, self._module) for decorator in node.decorator_list]
        orchestrates = [any(map(is_orchestration, one)) for one in names]
        if node is self._statement and names and all(orchestrates):
            self.nodes.update({id(decorator): "decorators" for decorator in node.decorator_list})
        self.nodes.update({id(annotation): "annotations" for annotation in annotations_of(node)})
        for one, skipped in zip(names, orchestrates, strict=True):
            if not skipped:
                readers = (name for name in one if not _is_annotation_blind(name))
                self.annotation_readers.update(dict.fromkeys(readers))
        self.push(node.body, False)
        return ()

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef, keeps: bool) -> Sequence[ast.AST]:
        self.push(node.body, not _is_plain(node))
        return ()

    def visit_AnnAssign(self, node: ast.AnnAssign, keeps: bool) -> Sequence[ast.AST]:
        if not keeps:
            self.nodes[id(node.annotation)] = "annotations"
        return ()

    def visit_stmt(self, node: ast.AST, keeps: bool) -> Sequence[ast.AST]:
        return statements(node)

    visit_ExceptHandler = visit_match_case = visit_stmt

    def visit_AST(self, node: ast.AST, keeps: bool) -> Sequence[ast.AST]:
        return ()  # no expression has an annotation: a lambda cannot


def _decorator_names(decorator: ast.expr, module: Scope) -> list[str]:
    """Return the canonical names of a decorator.

    Empty for a function of the module's own; `?` for another that is not imported.
    """
    chain = chain_of(decorator)
    if chain is None or chain[-1] in PROPERTY_ACCESSORS:
        return [chain[-1] if chain else UNKNOWN]
    is_function = module.owns(chain[0]) and not [part for part in chain[1:] if part != CALL]
    return module.peek(chain) or ([] if is_function else [UNKNOWN])


def _is_annotation_blind(name: str) -> bool:
    if name in ANNOTATION_BLIND or name in PROPERTY_ACCESSORS or name.startswith("."):
        return True
    return name.partition(".")[0] in ANNOTATION_BLIND_MODULES and name not in ANNOTATION_READERS


def annotations_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    """Return the annotations of a function's parameters and of its result."""
    found = [*(parameter.annotation for parameter in every(function.args)), function.returns]
    return [annotation for annotation in found if annotation is not None]


def named_in(annotation: ast.expr) -> list[Chain]:
    """Return the dotted names in an annotation, also in its texts.

    >>> named_in(ast.parse("list['pa.Table']", mode="eval").body)
    [('list',), ('pa', 'Table')]
    """
    found: list[Chain] = []
    todo: list[ast.AST] = [annotation]
    for node in todo:  # grows while it is read
        chain = chain_of(node) if isinstance(node, (ast.Name, ast.Attribute)) else None
        if chain:
            found.append(chain)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            with suppress(SyntaxError, ValueError):
                todo.append(ast.parse(node.value.strip(), mode="eval").body)
        else:
            todo += ast.iter_child_nodes(node)
    return found


def _is_plain(cls: ast.ClassDef) -> bool:
    bases = [base for base in cls.bases if not (isinstance(base, ast.Name) and base.id == "object")]
    return not (cls.decorator_list or bases or cls.keywords)
