"""The units of a module: its top-level statements, each by the names that it binds, with all that it says.

A name that is reached brings the statements that bind it. Finer than that the identity does not look: a method
brings its class, and a nested function what it stands in.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from jammi_dagster.fingerprint import names
from jammi_dagster.fingerprint.effects import NOTHING, SOMETHING, Effect, effect, is_loud
from jammi_dagster.fingerprint.names import ANY, Change, Said, Statement, Use
from jammi_dagster.fingerprint.outside import imported_by, outside, unseen
from jammi_dagster.fingerprint.scopes import Scope, import_base, joined
from jammi_dagster.fingerprint.syntax import Digests, children, constant, digests

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
ABOUT = (b"doc", b"annot", b"hints", b"ignature", b"argspec")  # one is in each of the above
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_OPAQUE = (ast.Lambda, *_COMPREHENSIONS)  # what binds no name of the module


@dataclass(frozen=True, slots=True)
class Found:
    """A use that matters: what it is, and where."""

    what: str
    line: int
    is_declarable: bool = False  # a read that a version surface may stand for


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of a unit says: its code, its annotations, or the decorators of orchestration."""

    own: Mapping[str, bool]  # False for a name that is only written to
    uses: tuple[Use, ...]  # of imported names
    imports: Mapping[str, bool]
    outside: tuple[Found, ...]
    unseen: tuple[Found, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, kw_only=True)
class Unit:
    """`kind`: `function`, `class`, `constant`, `import` or `code`, which is any other statement."""

    kind: str
    names: tuple[str, ...]
    lines: tuple[int, int]  # the first, of its decorators, and the last
    spelling: str | Statement  # of an import what it names, otherwise the statement
    parts: Mapping[str, Part]
    is_whole_import: bool = False  # `import x`, of a module as it is
    loads: Mapping[str, bool] = field(default_factory=dict)  # what it imports when the module is loaded
    effect: Effect = NOTHING
    methods: frozenset[str] = frozenset()
    readers: tuple[str, ...] = ()  # decorators that may read annotations
    is_plain_function: bool = False  # one without decorators
    is_still: bool = False  # binds the same wherever it stands: it looks at nothing else when it is loaded
    is_loud: bool = False  # may change something when it is called
    reads_docs: bool = False
    reads_annotations: bool = False

    @cached_property
    def digests(self) -> Digests:
        """Of most units of a module nobody asks."""
        if isinstance(self.spelling, str):
            return Digests(self.spelling, "", "", "")
        return digests(self.spelling.node, self.spelling.aside.parts)


def units(found: names.Names, *, says_more: bool) -> Iterator[Unit]:
    """The units of a module. `says_more`: its text may hold one of the words by which documentation is read."""
    for statement in found.statements:
        if isinstance(statement.node, (ast.Import, ast.ImportFrom)):
            yield from _imports(statement.node, statement.said["code"])
        elif not _is_docstring(statement.node) and not statement.is_for_types:
            yield _unit(statement, found.module, says_more)


def nested(found: names.Names, qualname: str) -> Unit:
    """A function that stands within another, as a unit of its own: what it closes over is told by its values."""
    (statement,) = found.statements
    name = qualname.replace(".<locals>", "")
    return replace(
        _unit(statement, found.module, True), kind="function", names=(name,), loads={}, effect=NOTHING
    )


def _is_docstring(node: ast.AST) -> bool:
    """A string as a statement is the module's, or nobody's: what reads a `__doc__` says so itself."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _imports(node: ast.Import | ast.ImportFrom, said: Said) -> Iterator[Unit]:
    """One unit per name: which others are imported beside it does not matter."""
    loads: Mapping[str, bool] = said.loads
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
            spelling=constant(target).decode("utf-8", "replace"),
            parts={"code": Part({}, (), {} if star else {target: False}, (), (), ())},
            is_whole_import=isinstance(node, ast.Import),
            loads=loads,
            effect=SOMETHING if star else NOTHING,  # which names it brings is not known here
        )
        loads = {}


def _unit(statement: Statement, module: Scope, says_more: bool) -> Unit:
    node, said = statement.node, statement.said["code"]
    words = _words(node) if says_more else set()
    return Unit(
        kind=_kind(node),
        names=tuple(dict.fromkeys(_bound(node))),
        lines=_lines(node),
        spelling=statement,
        parts={part: _part(one) for part, one in statement.said.items()},
        loads=said.loads,
        effect=effect(node, module),
        methods=frozenset(
            member.name
            for member in (node.body if isinstance(node, ast.ClassDef) else ())
            if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef))
        ),
        readers=statement.aside.readers,
        is_plain_function=_kind(node) == "function" and not getattr(node, "decorator_list", None),
        is_still=_is_still(node),
        is_loud=bool(said.changes) or said.changes_arguments or any(map(_calls_loudly, said.uses)),
        reads_docs=not words.isdisjoint(_DOCS),
        reads_annotations=not words.isdisjoint(_ANNOTATIONS),
    )


def _lines(node: ast.stmt | ast.Lambda) -> tuple[int, int]:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min(node.lineno, *(one.lineno for one in decorators), node.lineno), node.end_lineno or node.lineno


def _kind(node: ast.AST) -> str:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return "function"
    if isinstance(node, ast.ClassDef):
        return "class"
    return "constant" if isinstance(node, (ast.Assign, ast.AnnAssign)) else "code"


def _is_still(node: ast.stmt | ast.Lambda) -> bool:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return not (node.decorator_list or node.args.defaults or any(node.args.kw_defaults))
    return isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Constant)


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
        if isinstance(node, _OPAQUE):
            continue
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
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


def _words(statement: ast.AST) -> set[str]:
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
    return found
