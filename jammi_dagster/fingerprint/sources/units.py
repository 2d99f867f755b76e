"""The units of a module: its top-level statements, each by the names that it binds, with all that it says.

A name that is reached brings the statements that bind it. Finer than that the identity does not look: a method
brings its class, and a nested function what it stands in.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from jammi_dagster.fingerprint.syntax.load_effects import NOTHING, SOMETHING, Effect, effect, is_loud
from jammi_dagster.fingerprint.syntax.outside_world import imported_by, outside, unseen
from jammi_dagster.fingerprint.syntax.scopes import CLOSED, assigned_within, import_base, joined
from jammi_dagster.fingerprint.syntax.trees import Digests, children, constant, digests
from jammi_dagster.fingerprint.syntax.uses import ANY, PARTS, Change, Said, Statement, Use

_DOCS = frozenset({"__doc__", "getdoc"})
_ANNOTATIONS = frozenset(
    [
        "__annotations__",
        "__annotate__",
        "get_type_hints",
        "get_annotations",
        "signature",
        "getfullargspec",
        "Signature",
    ]
)


@dataclass(frozen=True, slots=True)
class Found:
    """A use that matters: what it is, and where."""

    what: str
    line: int
    is_declarable: bool = False  # a read that a version surface may stand for


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of a unit says: its code, its annotations, or the decorators of orchestration."""

    own: Mapping[str, bool] = field(default_factory=dict)  # False for a name that is only written to
    uses: tuple[Use, ...] = ()  # of imported names
    imports: Mapping[str, bool] = field(default_factory=dict)
    outside: tuple[Found, ...] = ()
    unseen: tuple[Found, ...] = ()
    changes: tuple[Change, ...] = ()


_SILENT = Part()


@dataclass(frozen=True, kw_only=True)
class Unit:
    """`kind`: `function`, `class`, `constant`, `import` or `code`, which is any other statement.

    All that loading its module takes is told at once, the rest when it is asked for: of most units nobody asks.
    """

    kind: str
    names: tuple[str, ...]
    lines: tuple[int, int]  # the first, of its decorators, and the last
    statement: Statement | None = None  # None for an import
    imported: str = ""  # what an import names
    is_whole_import: bool = False  # `import x`, of a module as it is
    loads: Mapping[str, bool] = field(default_factory=dict)  # what it imports when the module is loaded
    effect: Effect = NOTHING

    @cached_property
    def parts(self) -> Mapping[str, Part]:
        if self.statement is None:
            imports = {self.imported: False} if self.names else {}
            return {"code": Part(imports=imports)}
        said = self.statement.said
        return {part: _part(said[part]) if part in said else _SILENT for part in PARTS}

    @cached_property
    def digests(self) -> Digests:
        if self.statement is None:
            return Digests(constant(self.imported).decode("utf-8", "replace"), "", "", "")
        return digests(self.statement.node, self.statement.aside.parts)

    @cached_property
    def methods(self) -> frozenset[str]:
        members = self._node.body if isinstance(self._node, ast.ClassDef) else ()
        return frozenset(
            one.name for one in members if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))
        )

    @property
    def readers(self) -> tuple[str, ...]:
        """Decorators that may read annotations."""
        return self.statement.aside.readers if self.statement else ()

    @property
    def has_fields(self) -> bool:
        """Whether it is a class, more than a plain one, that annotates its attributes."""
        body = self._node.body if isinstance(self._node, ast.ClassDef) else []
        apart = self.statement.aside.parts if self.statement else {}
        return any(isinstance(one, ast.AnnAssign) and id(one.annotation) not in apart for one in body)

    @property
    def is_plain_function(self) -> bool:
        """Whether it is a function without decorators."""
        return (
            isinstance(self._node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not self._node.decorator_list
        )

    @property
    def is_still(self) -> bool:
        """Whether it binds the same wherever it stands: it looks at nothing else when it is loaded."""
        node = self._node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return not (node.decorator_list or node.args.defaults or any(node.args.kw_defaults))
        return isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Constant)

    @property
    def is_loud(self) -> bool:
        """Whether it may change something when it is called."""
        said = self.statement.said["code"] if self.statement else Said()
        return bool(said.changes) or said.changes_arguments or any(map(_calls_loudly, said.uses))

    @property
    def reads_docs(self) -> bool:
        return not self._words.isdisjoint(_DOCS)

    @property
    def reads_annotations(self) -> bool:
        return not self._words.isdisjoint(_ANNOTATIONS)

    @property
    def _node(self) -> ast.AST | None:
        return self.statement.node if self.statement else None

    @cached_property
    def _words(self) -> frozenset[str]:
        return _words(self._node) if self._node else frozenset()


def units(statements: Iterable[Statement]) -> Iterator[Unit]:
    """The units of a module."""
    for statement in statements:
        node = statement.node
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from _imports(node, statement.loads)
        elif not _is_docstring(node) and not statement.is_for_types:
            yield Unit(
                kind=_kind(node),
                names=tuple(dict.fromkeys(_bound(node))),
                lines=_lines(node),
                statement=statement,
                loads=statement.loads,
                effect=effect(node, statement.scope),
            )


def nested(statement: Statement, qualname: str) -> Unit:
    """A function that stands within another, as a unit of its own: what it closes over is told by its values."""
    name = qualname.replace(".<locals>", "")
    return Unit(kind="function", names=(name,), lines=_lines(statement.node), statement=statement)


def _is_docstring(node: ast.AST) -> bool:
    """A string as a statement is the module's, or nobody's: what reads a `__doc__` says so itself."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _imports(node: ast.Import | ast.ImportFrom, loads: Mapping[str, bool]) -> Iterator[Unit]:
    """One unit per name: which others are imported beside it does not matter."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            name, target = alias.asname or alias.name, joined(import_base(node), alias.name)
        else:
            name, target = alias.asname or alias.name.partition(".")[0], alias.name
            target = target if alias.asname else name
        star = alias.name == "*"
        yield Unit(
            kind="import",
            names=() if star else (name,),
            lines=_lines(node),
            imported=target,
            is_whole_import=isinstance(node, ast.Import),
            loads=loads,
            effect=SOMETHING if star else NOTHING,  # which names it brings is not known here
        )
        loads = {}


def _lines(node: ast.stmt | ast.Lambda) -> tuple[int, int]:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min(node.lineno, *(one.lineno for one in decorators), node.lineno), node.end_lineno or node.lineno


def _kind(node: ast.AST) -> str:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return "function"
    if isinstance(node, ast.ClassDef):
        return "class"
    return "constant" if isinstance(node, (ast.Assign, ast.AnnAssign)) else "code"


def _part(said: Said) -> Part:
    imports = dict(said.imports)
    for use in said.uses:
        if module := imported_by(use.name, use.call):
            imports[module] = True
    return Part(
        own=said.own,
        uses=tuple(use for use in said.uses if not use.name.startswith(("builtins.", f"{ANY}."))),
        imports=imports,
        outside=tuple(_outside(said.uses)),
        unseen=tuple(_unseen(said.uses)),
        changes=tuple(said.changes),
    )


def _outside(uses: Iterable[Use]) -> Iterator[Found]:
    for use in uses:
        if use.is_read and (known := outside(use.name, use.call)):
            yield Found(known.what, use.line, known.is_declarable)


def _unseen(uses: Iterable[Use]) -> Iterator[Found]:
    for use in uses:
        if not imported_by(use.name, use.call) and (known := unseen(use.name, use.call)):
            yield Found(known, use.line)


def _calls_loudly(use: Use) -> bool:
    return use.call is not None and not use.name.startswith(("builtins.", f"{ANY}.")) and is_loud(use.name)


def _bound(statement: ast.AST) -> Iterator[str]:
    """The names of the module that a statement binds or unbinds."""
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop()
        if isinstance(node, CLOSED):
            todo += assigned_within(node)
            continue
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
            todo += [child for child in children(node) if not isinstance(child, ast.stmt)]
            continue
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            yield node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        todo += children(node)


def _words(statement: ast.AST) -> frozenset[str]:
    """The names, attributes and strings in a statement, among which the ones that read documentation may be."""
    found: set[str] = set()
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        todo += children(node)
    return frozenset(found)
