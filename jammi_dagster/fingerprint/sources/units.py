"""The units of a module: its top-level statements, each by the names that it binds.

A reached name brings the statements that bind it. The identity looks no finer than that: a method brings its class,
and a nested function the function around it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from jammi_dagster.fingerprint.kept import kept
from jammi_dagster.fingerprint.known_names.config_classes import SETTINGS
from jammi_dagster.fingerprint.known_names.introspection import ANNOTATION_READERS, DOCSTRING_READERS
from jammi_dagster.fingerprint.sources.parts import Part, part_of
from jammi_dagster.fingerprint.syntax.accesses import PARTS
from jammi_dagster.fingerprint.syntax.addresses import address_lines
from jammi_dagster.fingerprint.syntax.bindings import bound_names
from jammi_dagster.fingerprint.syntax.functions import only_defines
from jammi_dagster.fingerprint.syntax.hand_over import decorated
from jammi_dagster.fingerprint.syntax.lazy_values import cached_lines
from jammi_dagster.fingerprint.syntax.load_effects import (
    CERTAIN_EFFECT,
    NO_EFFECT,
    LoadEffect,
    load_effect,
)
from jammi_dagster.fingerprint.syntax.members import (
    handing_methods,
    member_name,
    members_of_self,
    members_used,
    mentioned,
    method_part,
    other_bases,
    separate_fields,
    separate_methods,
)
from jammi_dagster.fingerprint.syntax.optional_parts import annotations_of, named_in
from jammi_dagster.fingerprint.syntax.parameters import defaults
from jammi_dagster.fingerprint.syntax.registrations import AskedAttributes, asked_attributes
from jammi_dagster.fingerprint.syntax.scopes import Chain, imported_name
from jammi_dagster.fingerprint.syntax.sets import UNORDERED
from jammi_dagster.fingerprint.syntax.shared_objects import IMMUTABLE, STATEFUL, Touch, kind_of, touches
from jammi_dagster.fingerprint.syntax.statements import Statement
from jammi_dagster.fingerprint.syntax.trees import Digests, children, constant, digests, nodes
from jammi_dagster.fingerprint.syntax.uses import HandOver

_EMPTY_PART = Part()


@dataclass(eq=False, kw_only=True)  # one that is frozen takes three times as long to make
class Unit:
    """A top-level statement, or one name of an import.

    `LIMIT = 3` is a unit of kind `constant` with the name `LIMIT`. The kinds are `function`, `class`, `constant`,
    `import` and `code`, which is any other statement. All that loading the module takes is known at once, the rest
    is read once somebody asks: of most units nobody does.
    """

    kind: str
    names: tuple[str, ...]
    lines: tuple[int, int]  # the first, of its decorators, and the last
    statement: Statement | None = None  # None for an import
    imported: str = ""  # the dotted name that an import names
    is_whole_import: bool = False  # `import x`, of a module as it is
    loads: Mapping[str, bool] = field(default_factory=dict)  # its imports when the module is loaded
    load_effect: LoadEffect = NO_EFFECT

    @kept
    def parts(self) -> Mapping[str, Part]:
        if self.statement is None:
            imports = {self.imported: False} if self.names else {}
            return {"code": Part(imports=imports)}
        uses = self.statement.uses
        parts = (*PARTS, *map(method_part, (*self.separate_methods, *self.separate_fields)))
        return {part: part_of(uses[part], self.statement) if part in uses else _EMPTY_PART for part in parts}

    @property
    def packages(self) -> Iterable[str]:
        """The packages of which it may import any module when it is loaded."""
        scope = self.statement.scope if self.statement and self.kind in ("code", "constant") else None
        if scope is None or scope.module.imported.keys().isdisjoint(("importlib", "import_module")):
            return ()
        return self.parts["code"].packages

    @kept
    def asked(self) -> AskedAttributes:
        """The attributes that it asks for by name."""
        if self.statement is None:
            return AskedAttributes(frozenset(), frozenset())
        uses = [use for part in self.statement.uses.values() for use in part.uses]
        return asked_attributes(self.statement.node, self.statement.scope.module, uses)

    @kept
    def digests(self) -> Digests:
        if self.statement is None:
            return Digests(constant(self.imported).decode("utf-8", "replace"), "", "", "")
        return digests(self.statement.node, self.statement.optional.nodes)

    @kept
    def methods(self) -> frozenset[str]:
        members = self._node.body if isinstance(self._node, ast.ClassDef) else ()
        return frozenset(
            one.name for one in members if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))
        )

    @property
    def keeps_state(self) -> bool:
        """True for a function whose inner functions change its variables: their next call sees it."""
        return (
            self.statement is not None and self.kind == "function" and self.statement.uses["code"].keeps_state
        )

    @property
    def self_changes(self) -> Mapping[str, set[tuple[str, bool]]]:
        """The attributes of its object that each method of a class changes."""
        parts = self.statement.uses.values() if self.statement and self.kind == "class" else ()
        found: dict[str, set[tuple[str, bool]]] = {}
        for part in parts:
            for method, changes in part.self_changes.items():
                found.setdefault(method, set()).update(changes)
        return found

    @property
    def touches(self) -> tuple[Touch, ...]:
        """The objects that it may change when it is loaded."""
        if self.statement is None:
            return ()
        return touches(self.statement.node, self.statement.scope)

    @property
    def is_generator(self) -> bool:
        """True for a function whose call makes a generator."""
        return self.kind == "function" and any(
            isinstance(node, (ast.Yield, ast.YieldFrom)) for node in ast.walk(self._node or ast.Pass())
        )

    @kept
    def shared_attributes(self) -> frozenset[str]:
        """The attributes of a class whose values all of its instances share, and may change."""
        body = self._node.body if isinstance(self._node, ast.ClassDef) else ()
        scope = self.statement.scope if self.statement else None
        return frozenset(
            target.id
            for one in body
            if isinstance(one, ast.Assign) and scope and kind_of(one.value, scope) != IMMUTABLE
            for target in one.targets
            if isinstance(target, ast.Name) and target.id not in SETTINGS
            if not isinstance(one.value, (ast.Name, ast.Attribute))
        )

    @kept
    def holds_stateful(self) -> bool:
        """True for a class or a function that holds an object which changes by use, as an attribute or a default."""
        return any(self._is_stateful(value) for value in _held_values(self._node))

    @kept
    def makes_stateful(self) -> bool:
        """True for a class whose objects hold an object which changes by use."""
        nodes = ast.walk(self._node) if isinstance(self._node, ast.ClassDef) else ()
        return any(
            isinstance(one, (ast.Assign, ast.AnnAssign)) and one.value and self._is_stateful(one.value)
            for one in nodes
            if isinstance(getattr(one, "targets", [getattr(one, "target", None)])[0], ast.Attribute)
        )

    def _is_stateful(self, value: ast.expr) -> bool:
        return self.statement is not None and kind_of(value, self.statement.scope) == STATEFUL

    @property
    def annotation_readers(self) -> tuple[str, ...]:
        """Decorators that may read annotations."""
        return self.statement.optional.annotation_readers if self.statement else ()

    @kept
    def decorated(self) -> tuple[HandOver, ...]:
        """Its decorators, each as a call that gets the function or the class."""
        node = self._node
        if self.statement is None or not isinstance(
            node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        ):
            return ()
        return tuple(decorated(node, self.statement.scope))

    @kept
    def set_orders(self) -> tuple[int, ...]:
        """The lines on which the order of a set reaches a value."""
        if self.statement is None:
            return ()
        names = self.statement.sets
        if not (self.statement.visited.has_sets or (names and self.statement.used_sets(names))):
            return ()
        return self.statement.set_orders(UNORDERED)

    @kept
    def addresses(self) -> tuple[int, ...]:
        """The lines on which the text of an object tells its address."""
        if self.statement is None or not self.statement.visited.has_texts:
            return ()
        return address_lines(self.statement.node, self.statement.faceless)

    def part_at(self, line: int) -> str:
        """Return the part in which a line stands: a separate method, or the code."""
        members = self._node.body if isinstance(self._node, ast.ClassDef) else ()
        for one in members:
            if one.lineno <= line <= (one.end_lineno or line):
                name = member_name(one)
                is_apart = name in self.separate_methods or name in self.separate_fields
                return method_part(name) if is_apart else "code"
        return "code"

    @kept
    def annotated_with(self) -> frozenset[str]:
        """The top-level modules of the annotations of a function: its tables are values of these."""
        node, scope = self._node, self.statement.scope if self.statement else None
        if scope is None or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return frozenset()
        heads = (chain[0] for note in annotations_of(node) for chain in named_in(note))
        return frozenset(name.partition(".")[0] for head in heads for name in scope.peek((head,)))

    @kept
    def cached_lines(self) -> tuple[int, ...]:
        """The first lines of its functions whose results are kept."""
        return tuple(cached_lines(self.statement.node)) if self.statement else ()

    @kept
    def has_fields(self) -> bool:
        """True for a class whose annotated attributes count, such as a dataclass."""
        body = self._node.body if isinstance(self._node, ast.ClassDef) else []
        optional = self.statement.optional.nodes if self.statement else {}
        return any(isinstance(one, ast.AnnAssign) and id(one.annotation) not in optional for one in body)

    @property
    def is_plain_function(self) -> bool:
        """True for a function without decorators."""
        return (
            isinstance(self._node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not self._node.decorator_list
        )

    @property
    def is_bare_function(self) -> bool:
        """True for a function that only orchestration decorates: nothing keeps its results."""
        apart = self.statement.optional.nodes if self.statement else {}
        decorators = getattr(self._node, "decorator_list", [])
        return self.kind == "function" and all(id(one) in apart for one in decorators)

    @property
    def is_still(self) -> bool:
        """True if its place in the module has no meaning: it looks at nothing else when it is loaded."""
        node = self._node
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            return isinstance(node.value, ast.Constant)
        return node is not None and only_defines(node)

    @property
    def may_catch(self) -> bool:
        """True if an import in it may fail without that the module fails."""
        return isinstance(self._node, (ast.Try, ast.With))

    @kept
    def separate_methods(self) -> Mapping[str, frozenset[str] | None]:
        """The methods of a plain class, with the members of its object that each uses; None: all of them."""
        return separate_methods(self._node) if self._node else {}

    @kept
    def separate_fields(self) -> frozenset[str]:
        """The fields of a class whose computed defaults count one by one."""
        node, statement = self._node, self.statement
        return separate_fields(node, statement.scope) if node and statement else frozenset()

    @kept
    def handing_methods(self) -> frozenset[str]:
        """The parts of methods that hand the object of the class on, so that all of its fields may be read."""
        if not (self.separate_fields and self._node and self.statement):
            return frozenset()
        return frozenset(map(method_part, handing_methods(self._node, self.statement.scope)))

    @kept
    def other_bases(self) -> tuple[Chain, ...]:
        """The bases of a class that do not make it one of config by themselves."""
        return other_bases(self._node, self.statement.scope) if self._node and self.statement else ()

    def mentions(self, part: str) -> frozenset[str]:
        """Return the names by which a part may ask any object for a member."""
        if part not in self._mentions:
            self._mentions[part] = frozenset(
                mentioned([one for node in self._within(part) for one in nodes(node)])
            )
        return self._mentions[part]

    @kept
    def _mentions(self) -> dict[str, frozenset[str]]:
        return {}

    def _within(self, part: str) -> Sequence[ast.AST]:
        """Return the nodes of a part; of one that is no method all but the methods that count one by one."""
        if not isinstance(self._node, ast.ClassDef):
            return () if self._node is None else (self._node,)
        apart = {*self.separate_methods, *self.separate_fields}
        methods = [one for one in self._node.body if member_name(one) in apart]
        named = [one for one in methods if method_part(member_name(one)) == part]
        return named or [one for one in children(self._node) if one not in methods]

    @kept
    def members_used(self) -> Mapping[str, frozenset[str] | None]:
        """The members of objects that it makes, by the canonical or own name of their class; None: all."""
        found: dict[str, frozenset[str] | None] = {}
        if self.statement is None:
            return found
        for head, used in members_used(self.statement.node).items():
            for name in (head, *self.statement.scope.peek(tuple(head.split(".")))):
                known = found.get(name, frozenset())
                found[name] = None if used is None or known is None else known | used
        return found

    def members_reached(self, asked: frozenset[str] | None) -> Iterable[str]:
        """Return the separate methods that run where code asks for some members of an object; None: for all."""
        apart = self.separate_methods
        node = self._node
        if asked is None or self.other_bases or not isinstance(node, ast.ClassDef):
            return apart
        todo = set(asked)
        for one in node.body:  # constructors and operators run too
            if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) and one.name not in apart:
                used = members_of_self(one)
                if used is None:
                    return apart
                todo |= used
        found: set[str] = set()
        while todo:
            name = todo.pop()
            if name in apart and name not in found:
                found.add(name)
                further = apart[name]
                if further is None:
                    return apart
                todo |= further
        return sorted(found)

    @property
    def reads_docs(self) -> bool:
        return not self._words.isdisjoint(DOCSTRING_READERS)

    @property
    def reads_annotations(self) -> bool:
        return not self._words.isdisjoint(ANNOTATION_READERS)

    @property
    def _node(self) -> ast.AST | None:
        return self.statement.node if self.statement else None

    @kept
    def classes(self) -> Sequence[ast.ClassDef]:
        """All classes in the statement, at any depth."""
        return [one for one in nodes(self._node) if isinstance(one, ast.ClassDef)] if self._node else ()

    @kept
    def _words(self) -> frozenset[str]:
        return _words(self._node) if self._node else frozenset()


def units(statements: Iterable[Statement]) -> Iterator[Unit]:
    """Yield the units of a module."""
    for statement in statements:
        node = statement.node
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from _imports(node, statement.loads)
        elif not _is_docstring(node) and not statement.never_runs:
            yield Unit(
                kind=_kind(node),
                names=bound_names(node),
                lines=_lines(node),
                statement=statement,
                loads=statement.loads,
                load_effect=load_effect(node, statement.scope),
            )


def nested_unit(statement: Statement, qualname: str) -> Unit:
    """Make a unit of a function within another. The values that it closes over are hashed as live values."""
    name = qualname.replace(".<locals>", "")
    return Unit(kind="function", names=(name,), lines=_lines(statement.node), statement=statement)


def _held_values(node: ast.AST | None) -> list[ast.expr]:
    """Return the defaults of a function, or the values of the attributes of a class."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return [value for _, value in defaults(node.args)]
    body = node.body if isinstance(node, ast.ClassDef) else []
    return [
        one.value for one in body if isinstance(one, (ast.Assign, ast.AnnAssign)) and one.value is not None
    ]


def _is_docstring(node: ast.AST) -> bool:
    """Return whether a statement is a string. A reader of `__doc__` is found by itself."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _imports(node: ast.Import | ast.ImportFrom, loads: Mapping[str, bool]) -> Iterator[Unit]:
    """Yield one unit for each name: other names imported beside it do not matter."""
    for alias in node.names:
        name, target = imported_name(node, alias)
        star = alias.name == "*"
        yield Unit(
            kind="import",
            names=() if star else (name,),
            lines=_lines(node),
            imported=target,
            is_whole_import=isinstance(node, ast.Import),
            loads=loads,
            load_effect=CERTAIN_EFFECT if star else NO_EFFECT,  # the names that it brings are not known here
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


def _words(statement: ast.AST) -> frozenset[str]:
    """Return the names, attributes and strings in a statement; one may read documentation."""
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
