"""Which dotted names a module imports and uses, read from its syntax tree.

A use is told by its canonical name: after `import numpy as np` and `rng = np.random`, `rng.rand()` uses
`numpy.random.rand`. The reading is lexical. Where it cannot decide (a name bound in several ways) it reports every
possibility: a name too many costs a reuse, a name missed costs a wrong result.

A name that a relative import made keeps its dots: `from .clock import now` makes `now` stand for `.clock.now`.
A call within a chain is written `()`: `EnvVar("X").get_value` is `dagster.EnvVar.().get_value`.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from jammi_dagster.fingerprint.syntax.load_effects import asks_for_main
from jammi_dagster.fingerprint.syntax.scopes import CALLED, Chain, Scope, chain_of, import_base, joined
from jammi_dagster.fingerprint.syntax.set_aside import Aside, aside
from jammi_dagster.fingerprint.syntax.trees import children, statements

ANY = "?"  # stands for an object of which only the method that is called is known

# Methods by which lists, dicts and sets are changed.
CHANGING = {
    *(
        "append",
        "extend",
        "insert",
        "remove",
        "pop",
        "popitem",
        "clear",
        "update",
        "setdefault",
        "add",
        "discard",
    ),
    *("sort", "reverse", "rotate", "appendleft", "extendleft", "popleft", "subtract", "intersection_update"),
    *("difference_update", "symmetric_difference_update", "__setitem__", "__delitem__", "__setattr__"),
}


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of a call. One that is no constant is given, with a value that is not known (`...`)."""

    positional: tuple[object, ...]
    named: dict[str, object]

    def gives(self, position: int, name: str | None) -> bool:
        """Whether an argument is given, and is not the constant None."""
        if position < len(self.positional):
            return self.positional[position] is not None
        return name is not None and self.named.get(name) is not None


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a name is used; `call` if it is called there, `is_read` unless it is only written to."""

    name: str
    line: int
    call: Call | None
    is_read: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """A place in a function's body that changes what a name holds; `name` is the module's own, or a dotted one."""

    name: str
    line: int
    is_own: bool
    in_place: bool  # by adding to it or removing from it


@dataclass(slots=True)
class Said:
    """What a statement, or a part of one, names."""

    own: dict[str, bool] = field(
        default_factory=dict
    )  # names of the module itself: False for one only written to
    uses: list[Use] = field(default_factory=list)  # imported and built-in names
    imports: dict[str, bool] = field(default_factory=dict)  # when a function runs: as `loads`
    changes: list[Change] = field(default_factory=list)
    changes_arguments: bool = False  # puts something into a list, dict or set that a function is given


# `decoration` is what decorators say: they run when the module is loaded. Of orchestration, that is `decorators`.
PARTS = ("code", "decoration", "annotations", "decorators")


@dataclass(frozen=True, eq=False)
class Statement:
    """A top-level statement of a module, or a function that stands within another. It is read once it is asked for."""

    node: ast.stmt | ast.Lambda
    scope: Scope

    @cached_property
    def aside(self) -> Aside:
        """The nodes that are no part of its code."""
        return aside(self.node, self.scope)

    @cached_property
    def taken_down(self) -> _Reader:
        return _Reader(self)

    @cached_property
    def said(self) -> Mapping[str, Said]:
        """What each of its `PARTS` says, but for those that are not there."""
        reader = self.taken_down
        for found in reader.found:
            found.settle()
        return reader.said

    @property
    def is_main(self) -> bool:
        """Whether it is the block that runs only in a script."""
        return isinstance(self.node, ast.If) and asks_for_main(self.node.test) and not self.node.orelse

    @property
    def is_for_types(self) -> bool:
        """Whether it never runs at all."""
        return isinstance(self.node, ast.If) and _is_for_types(self.node.test) and not self.node.orelse

    @property
    def loads(self) -> dict[str, bool]:
        """What it imports when its module is loaded: True for a module that must be there, False for `a.b` of
        `from a import b`, which is a module or not."""
        found: dict[str, bool] = {}
        todo: list[ast.AST] = [] if self.is_main else [self.node]
        while todo:
            node = todo.pop()
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                _note_import(node, found)
            elif isinstance(node, ast.If) and _is_for_types(node.test):
                todo += node.orelse
            elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                todo += statements(node)
        return found


def read(nodes: Iterable[ast.stmt], module: Scope, *, is_shared: bool) -> list[Statement]:
    """The statements of a module. `is_shared`: one of its functions binds names of what surrounds it."""
    statements = [Statement(node, module) for node in nodes]
    for statement in statements if is_shared else ():
        _ = statement.taken_down  # a function further down may have imported into the module's scope
    return statements


def read_nested(tree: ast.Module, path: Sequence[ast.AST], *, is_shared: bool) -> Statement:
    """A function, by the nodes that lead to it: what surrounds it does not count, but for what names mean there."""
    scope = Scope(None, tree.body)
    read(tree.body, scope, is_shared=is_shared)
    for node in path[:-1]:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            body = [node.body] if isinstance(node, ast.Lambda) else node.body
            scope = Scope(scope, body, node.args)
    function = path[-1]
    assert isinstance(function, (ast.stmt, ast.Lambda))
    return Statement(function, scope)


@dataclass(frozen=True, slots=True)
class _Found:
    """A chain at a place, to be resolved once every scope is known."""

    said: Said
    chain: Chain
    scope: Scope
    line: int
    call: Call | None = None
    changed: bool = False  # what it names is changed there
    in_place: bool = False  # by adding to it or removing from it
    is_read: bool = True

    def settle(self) -> None:
        head = self.chain[0]
        names = self.scope.resolve(self.chain)
        if self.changed:
            self._settle_change(names)
            return
        if self.scope.owns(head):
            self.said.own[head] = self.is_read or self.said.own.get(head, False)
        self.said.uses += [Use(name, self.line, self.call, self.is_read) for name in names]

    def _settle_change(self, names: Iterable[str]) -> None:
        head = self.chain[0]
        held = dict.fromkeys(self.scope.held(head))
        self.said.changes += [Change(name, self.line, True, self.in_place) for name in held]
        self.said.changes += [
            Change(name, self.line, False, self.in_place)
            for name in names
            if CALLED not in name and not name.startswith("builtins.")
        ]
        if self.scope.is_parameter(head):
            if head == "cls":
                self.said.changes.append(Change("cls", self.line, True, False))
            elif self.in_place and head != "self":
                self.said.changes_arguments = True


class _Reader:
    """Takes down what one statement says."""

    def __init__(self, statement: Statement) -> None:
        self.said: dict[str, Said] = defaultdict(Said)
        self.found: list[_Found] = []  # in the order they are written, from the last
        self._is_main, self._aside = statement.is_main, statement.aside.parts
        self._walk(statement)

    def _walk(self, statement: Statement) -> None:
        todo: list[tuple[ast.AST, Scope, str]] = [(statement.node, statement.scope, "code")]
        while todo:
            node, scope, part = todo.pop()
            part = self._aside.get(id(node), part)
            said = self.said[part]
            rest: Iterable[ast.AST]
            if isinstance(node, ast.Lambda):
                todo.append((node.body, Scope(scope, [node.body], node.args), part))
                rest = [node.args]
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                inner = Scope(scope, node.body, node.args)
                todo += [(child, inner, part) for child in node.body]
                rest = [child for child in children(node) if not isinstance(child, ast.stmt)]
            else:
                rest = self._note(node, scope, said)
            if part == "code" and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                todo += [(decorator, scope, "decoration") for decorator in node.decorator_list]
                rest = [child for child in rest if child not in node.decorator_list]
            todo += [(child, scope, part) for child in rest]

    def _note(self, node: ast.AST, scope: Scope, said: Said) -> Iterable[ast.AST]:
        """Take down what a node says; what is left to read of it."""
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                self.found.append(_Found(said, (node.id,), scope, node.lineno))
            elif node.id in scope.given_away and scope.parent is not None:
                self._changed((node.id,), node, scope, said)
            return ()
        if isinstance(node, ast.Attribute):
            chain = chain_of(node)
            if "__code__" in (
                chain or (node.attr,)
            ):  # knows line numbers, which are no part of what is hashed
                said.uses.append(Use(f"{ANY}.__code__", node.lineno, None))
            if not isinstance(node.ctx, ast.Load):
                self._changed(chain, node, scope, said)
            elif chain:
                self.found.append(_Found(said, chain, scope, node.lineno))
                return _innermost_call(node)
        elif isinstance(node, ast.Call):
            return self._note_call(node, scope, said)
        elif isinstance(node, ast.Expr) and (chain := _changed_for_nothing(node)):
            assert isinstance(node.value, ast.Call)
            self._changed(chain, node.value, scope, said, in_place=True)
            self._written(chain, node.value, scope, said)
            return [*node.value.args, *node.value.keywords]
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            chain = chain_of(node.value)
            self._changed(chain, node, scope, said, in_place=True)
            if chain:  # `os.environ["X"] = …` reads nothing
                self._written(chain, node, scope, said)
                return [node.slice, *_innermost_call(node.value)]
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Subscript):
            chain = chain_of(node.target.value)
            if (
                chain and scope.owns(chain[0]) and not scope.peek(chain)
            ):  # a counter: what it held goes nowhere but into it
                return [node.target, node.value]
            return [node.target, node.target.value, node.value]
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self._written((node.target.id,), node.target, scope, said)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            if scope.parent is not None or self._is_main:
                _note_import(node, said.imports)
        elif isinstance(node, ast.ClassDef):
            said.uses += [Use(name, node.lineno, None) for name in _imported_into(node)]
        elif isinstance(node, ast.If) and _is_for_types(node.test):
            return node.orelse
        elif isinstance(node, ast.AnnAssign) and id(node.annotation) not in self._aside:
            return [*children(node), *_forward_references(node.annotation)]
        return children(node)

    def _note_call(self, node: ast.Call, scope: Scope, said: Said) -> Iterable[ast.AST]:
        call, chain = _call(node), chain_of(node.func)
        if isinstance(node.func, ast.Attribute):
            said.uses.append(Use(f"{ANY}.{node.func.attr}", node.lineno, call))
            if node.func.attr in CHANGING:
                self._changed(chain_of(node.func.value), node, scope, said, in_place=True)
        elif chain in (("setattr",), ("delattr",)) and node.args:
            self._changed(chain_of(node.args[0]), node, scope, said)
        if not chain:
            return children(node)
        self.found.append(_Found(said, chain, scope, node.lineno, call))
        return [*_innermost_call(node.func), *node.args, *node.keywords]

    def _written(self, chain: Chain, node: ast.expr, scope: Scope, said: Said) -> None:
        """A name that is used only to change what it holds: no result depends on it."""
        self.found.append(_Found(said, chain, scope, node.lineno, is_read=False))

    def _changed(
        self, chain: Chain | None, node: ast.expr, scope: Scope, said: Said, *, in_place: bool = False
    ) -> None:
        """What the body of a function changes; what a module changes while it is loaded is its own code."""
        if chain and CALLED not in chain and scope.parent is not None:
            found = _Found(said, chain, scope, node.lineno, changed=True, in_place=in_place)
            self.found.append(found)


def only_written(function: ast.AST, name: str) -> bool:
    """Whether all that a function does with a variable is to add to it or remove from it, for nothing."""
    written = {
        id(node.value.func.value)
        for node in ast.walk(function)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr in CHANGING
    }
    uses = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
    return all(id(node) in written for node in uses)


def _changed_for_nothing(node: ast.Expr) -> Chain | None:
    """What `a.b.append(x)` changes as a statement of its own."""
    function = node.value.func if isinstance(node.value, ast.Call) else None
    if isinstance(function, ast.Attribute) and function.attr in CHANGING:
        chain = chain_of(function.value)
        return chain if chain and CALLED not in chain else None
    return None


def _note_import(node: ast.Import | ast.ImportFrom, found: dict[str, bool]) -> None:
    if isinstance(node, ast.Import):
        found.update(dict.fromkeys((alias.name for alias in node.names), True))
        return
    base = import_base(node)
    found[base] = True
    for alias in node.names:
        if alias.name != "*":
            found.setdefault(joined(base, alias.name), False)


def _imported_into(cls: ast.ClassDef) -> Iterable[str]:
    """What a class body imports: an attribute of the class, by which it is used."""
    todo: list[ast.AST] = list(cls.body)
    for node in todo:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (joined(import_base(node), alias.name) for alias in node.names)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            todo += statements(node)


def _forward_references(annotation: ast.expr) -> list[ast.expr]:
    """What the strings within an annotation say, where they are expressions."""
    found = []
    for node in ast.walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                found.append(ast.parse(node.value.strip(), mode="eval").body)
            except (SyntaxError, ValueError):
                continue
    for expression in found:
        for node in ast.walk(expression):
            ast.copy_location(node, annotation)
    return found


def _innermost_call(node: ast.expr) -> list[ast.expr]:
    """The call that a chain starts from, as in `f(x).y.z`; its arguments are still to be read."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return [node] if isinstance(node, ast.Call) else []


def _call(node: ast.Call) -> Call:
    def told(value: ast.expr) -> object:
        return value.value if isinstance(value, ast.Constant) else ...

    plain = []
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            break  # from here on, which argument is which is not known: it counts as not given
        plain.append(told(argument))
    return Call(tuple(plain), {word.arg: told(word.value) for word in node.keywords if word.arg})


def _is_for_types(test: ast.expr) -> bool:
    """Whether a condition is `TYPE_CHECKING`, which is false wherever code runs."""
    return (chain_of(test) or ("",))[-1] == "TYPE_CHECKING"
