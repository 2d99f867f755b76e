"""The visitor that finds how a statement accesses names: it reads, calls, imports or changes them."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from jammi_dagster.fingerprint.known_names import ANY, CALL
from jammi_dagster.fingerprint.known_names.ambient_values import CLASS_CLOCKS
from jammi_dagster.fingerprint.known_names.harmless import ORDERED_BY_DISK
from jammi_dagster.fingerprint.known_names.mutations import MUTATING_METHODS
from jammi_dagster.fingerprint.known_names.readers import BUFFERS
from jammi_dagster.fingerprint.known_names.state import MUTATING_FUNCTIONS, OBJECT_MUTATORS
from jammi_dagster.fingerprint.known_names.texts import LOG_METHODS
from jammi_dagster.fingerprint.syntax.attribute_names import asked_names, leads_to_counted_code
from jammi_dagster.fingerprint.syntax.hand_over import handed_over
from jammi_dagster.fingerprint.syntax.members import method_part, separate_methods
from jammi_dagster.fingerprint.syntax.optional_parts import is_orchestration
from jammi_dagster.fingerprint.syntax.outside_world import outside_name
from jammi_dagster.fingerprint.syntax.packaged_files import packaged_file
from jammi_dagster.fingerprint.syntax.scopes import (
    Chain,
    FunctionScope,
    Scope,
    chain_of,
    import_base,
    joined,
)
from jammi_dagster.fingerprint.syntax.texts import dotted_path, located, names_in_text
from jammi_dagster.fingerprint.syntax.trees import children, statements
from jammi_dagster.fingerprint.syntax.uses import Call, Change, Use, Uses, note_imports
from jammi_dagster.fingerprint.syntax.visitor import Visitor

# `decoration` holds the decorators, which run when the module is loaded; those of orchestration are `decorators`.
PARTS = ("code", "decoration", "annotations", "decorators")


class Position(NamedTuple):
    """The scope and the part of the statement in which a node stands."""

    scope: Scope
    part: str
    uses: Uses  # of that part


@dataclass(frozen=True, slots=True)
class Access:
    """An access of a name at a place, to be resolved once every scope of the module is known.

    In `os.environ["A"]` the chain `("os", "environ")` is accessed.
    """

    at: Position
    chain: Chain
    line: int
    call: Call | None = None
    is_change: bool = False  # of the value that the chain names
    in_place: bool = False  # by adding to it or removing from it
    is_read: bool = True

    def settle(self) -> None:
        """Resolve the chain, and note the uses or changes in the part of the statement."""
        if self.chain[0].startswith(ANY):
            self.settle_method()
            return
        head, uses = self.chain[0], self.at.uses
        names = self.at.scope.resolve(self.chain)
        if self.is_change:
            self._settle_change(names)
            return
        call = self._settled_call()
        if self.at.scope.owns(head):
            uses.own[head] = self.is_read or uses.own.get(head, False)
            uses.own_calls.setdefault(head, []).append(call if len(self.chain) == 1 else None)
        uses.uses += [Use(name, self.line, call, self.is_read) for name in names]
        for name in names if call else ():
            _settle_texts(name, call, self)
            self._settle_argument(name, call)

    def settle_method(self) -> None:
        """Note the use of a method of an object of unknown class."""
        call = self._settled_call()
        if self.chain[0] in CLASS_CLOCKS and self._is_of_module():
            return  # a function, by its own name
        self.at.uses.uses.append(Use(self.chain[0], self.line, call))
        _settle_texts(self.chain[0], call, self)

    def _settled_call(self) -> Call | None:
        """Return the call with the texts that its variables stand for, and with the origin of its first argument."""
        call, scope = self.call, self.at.scope
        if call is None:
            return None
        if not (call.variables or call.chains):
            return call
        call = call.with_texts(scope.text_of)
        if none := frozenset(at for at, name in call.variables.items() if scope.may_be_none(name)):
            call = replace(call, may_be_none=none)
        chain = call.chains.get(0, ())
        if not chain:
            return call
        if len(chain) == 1 and scope.is_opened(chain[0]):
            return replace(call, is_of_buffer=True)
        made = scope.origin_of(chain[0]) if len(chain) == 1 else scope.resolve(chain)
        return replace(call, is_of_buffer=True) if made and BUFFERS.issuperset(made) else call

    def _settle_argument(self, name: str, call: Call | None) -> None:
        """Note a change of the argument that a function such as `next` changes."""
        position = MUTATING_FUNCTIONS.get(name)
        at = self.at
        if position is not None and call and at.scope.around is not None and position in call.chains:
            Access(at, call.chains[position], self.line, is_change=True, in_place=True).settle()

    def _is_of_module(self) -> bool:
        """Return whether a method is in truth a function of a module, which has a name in small letters."""
        names = self.at.scope.resolve(self.chain[1:-1]) if len(self.chain) > 2 else []
        return bool(names) and all(CALL not in name and name.rpartition(".")[2].islower() for name in names)

    def _settle_change(self, names: Iterable[str]) -> None:
        head, uses, scope = self.chain[0], self.at.uses, self.at.scope
        own = dict.fromkeys(scope.module_names(head))
        uses.changes += [Change(name, self.line, True, self.in_place) for name in own]
        uses.changes += [
            Change(name, self.line, False, self.in_place)
            for name in names
            if CALL not in name and not name.startswith("builtins.")
        ]
        if scope.is_parameter(head):
            if head == "cls":
                uses.changes.append(Change("cls", self.line, True, False))
            elif head == "self" and len(self.chain) > 1:
                uses.self_changes.setdefault(scope.method, set()).add((self.chain[1], self.in_place))
            elif self.in_place and head != "self":
                uses.changes_arguments = True
        if scope.is_of_outer_function(head):
            uses.keeps_state = True


def _settle_texts(name: str, call: Call | None, access: Access) -> None:
    """Note the names that a call looks up from a text, as far as its scopes bind them."""
    scope = access.at.scope
    for chain, is_variable in names_in_text(name, call) if call else ():
        if scope.is_bound(chain[0]) and not (is_variable and scope.is_defined(chain[0])):
            Access(access.at, chain, access.line).settle()
    if path := located(name, call):
        access.at.uses.uses.append(Use(path, access.line, None))


class AccessVisitor(Visitor[Position]):
    """The visitor of one statement.

    `parts` names optional nodes by `id` (`OptionalParts.nodes`): their accesses are kept apart. `in_main` tells that
    the statement runs only in a script.

    >>> visitor = AccessVisitor(parts={}, in_main=False)
    >>> visitor.visit_statement(ast.parse("x = time.zone"), Scope([]))
    >>> [access.chain for access in visitor.accesses]
    [('time', 'zone')]
    """

    def __init__(self, *, parts: Mapping[int, str], in_main: bool) -> None:
        super().__init__()
        self.uses: dict[str, Uses] = defaultdict(Uses)
        self.has_sets = False
        self.accesses: list[Access] = []  # in the order of the source, from the last
        self._parts, self._in_main = parts, in_main

    def visit_statement(self, statement: ast.AST, scope: Scope) -> None:
        self.walk([statement], self._position(scope, "code"))

    def push(self, nodes: Iterable[ast.AST], at: Position) -> None:
        if not self._parts:
            super().push(nodes, at)
            return
        for node in nodes:
            part = self._parts.get(id(node))
            self._stack.append((node, at if part is None else self._position(at.scope, part)))

    def visit_Lambda(self, node: ast.Lambda, at: Position) -> Sequence[ast.AST]:
        self.push([node.body], self._position(FunctionScope(at.scope, node), at.part))
        return [node.args]

    def visit_FunctionDef(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, at: Position
    ) -> Sequence[ast.AST]:
        self.push(node.body, self._position(FunctionScope(at.scope, node), at.part))
        rest = [child for child in children(node) if not isinstance(child, ast.stmt)]
        return self._without_decorators(node, rest, at)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef, at: Position) -> Sequence[ast.AST]:
        at.uses.uses += [Use(name, node.lineno, None) for name in _class_imports(node)]
        apart = separate_methods(node, at.scope) if at.scope.around is None and at.part == "code" else {}
        rest = []
        for child in children(node):
            name = child.name if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) else None
            if name in apart:
                self.push([child], self._position(at.scope, method_part(str(name))))
            else:
                rest.append(child)
        return self._without_decorators(node, rest, at)

    def visit_Set(self, node: ast.expr, at: Position) -> Sequence[ast.AST]:
        self.has_sets = True
        return children(node)

    visit_SetComp = visit_Set

    def visit_Name(self, node: ast.Name, at: Position) -> Sequence[ast.AST]:
        if isinstance(node.ctx, ast.Load):
            self.accesses.append(Access(at, (node.id,), node.lineno))
        elif node.id in at.scope.shared and at.scope.around is not None:
            self._change((node.id,), node, at)
        return ()

    def visit_Attribute(self, node: ast.Attribute, at: Position) -> Sequence[ast.AST]:
        chain = chain_of(node)
        if "__code__" in (chain or (node.attr,)):  # knows line numbers, and those are not hashed
            at.uses.uses.append(Use(f"{ANY}.__code__", node.lineno, None))
        if not isinstance(node.ctx, ast.Load):
            self._change(chain, node, at)
        elif chain:
            self.accesses.append(Access(at, chain, node.lineno))
            return _innermost_call(node)
        return children(node)

    def visit_Call(self, node: ast.Call, at: Position) -> Sequence[ast.AST]:
        if file := packaged_file(node, at.scope, partial(_reads_file, at.scope)):
            at.uses.packaged.append(file)
            path = [name for one in (*node.args[:1], *children(node.func)) for name in _dotted(one)]
            return [*path, *node.args[1:], *node.keywords]
        call, chain = Call.of(node), chain_of(node.func)
        at.uses.handed += handed_over(node, at.scope)
        if isinstance(node.func, ast.Attribute):
            self.accesses.append(Access(at, (f"{ANY}.{node.func.attr}", *(chain or ())), node.lineno, call))
            if node.func.attr in MUTATING_METHODS or _is_in_place(node):
                self._change(chain_of(node.func.value), node, at, in_place=True)
            elif (
                node.func.attr in OBJECT_MUTATORS
                and chain
                and (chain[0] == "self" or at.scope.owns(chain[0]))
            ):
                self._change(chain[:-1], node, at, in_place=True)
        elif chain in (("setattr",), ("delattr",)) and node.args:
            self._change(chain_of(node.args[0]), node, at)
        elif chain == ("getattr",):
            call = self._ask(node, call, at)
        if not chain or (
            chain == ("hash",) and isinstance(at.scope, FunctionScope) and at.scope.name == "__hash__"
        ):
            return children(node)
        self.accesses.append(Access(at, chain, node.lineno, call))
        self.has_sets |= chain[0] in ("set", "frozenset")
        for given in [
            *node.args[: chain == ("map",)],
            *(word.value for word in node.keywords if word.arg == "key"),
        ]:
            if isinstance(given, ast.Name):  # it will be called
                self.accesses.append(Access(at, (given.id,), node.lineno, Call((...,), {})))
        arguments = [*node.args, *node.keywords]
        if chain[-1] in LOG_METHODS or any(map(is_orchestration, at.scope.peek(chain))):
            arguments = [argument for argument in arguments if not _is_text(argument)]
        return [*_innermost_call(node.func), *arguments]

    def visit_keyword(self, node: ast.keyword, at: Position) -> Sequence[ast.AST]:
        if node.arg == "out":
            self._change(chain_of(node.value), node.value, at, in_place=True)
        return [node.value]

    def _ask(self, node: ast.Call, call: Call, at: Position) -> Call:
        """Note the attributes that a `getattr` asks for; return the call with the name that is told by them."""
        names = asked_names(node, at.scope)
        for name in names or ():
            if holder := chain_of(node.args[0]):
                self.accesses.append(Access(at, (*holder, name), node.lineno, Call((), {})))
        if names or (names is None and leads_to_counted_code(node, at.scope)):
            return Call((*call.positional[:1], "", *call.positional[2:]), call.named)
        return call

    def visit_Expr(self, node: ast.Expr, at: Position) -> Sequence[ast.AST]:
        """Visit a statement. `a.b.append(x)` only writes to `a.b`: nothing becomes of its value."""
        call = node.value
        if isinstance(call, ast.Constant):
            return ()
        if isinstance(call, ast.Call) and (target := mutated_by(call)) is not None:
            chain = chain_of(target)
            if chain and CALL not in chain:
                self._change(chain, call, at, in_place=True)
                self._write(chain, call, at)
                return [*call.args, *call.keywords]
        return children(node)

    def visit_Constant(self, node: ast.Constant, at: Position) -> Sequence[ast.AST]:
        """Visit a constant. A whole text that is a dotted path may be looked up by the code that gets it."""
        if type(node.value) is str and at.part != "decorators" and (path := dotted_path(node.value)):
            at.uses.texts[path] = None
        return ()

    def visit_JoinedStr(self, node: ast.JoinedStr, at: Position) -> Sequence[ast.AST]:
        return [value for value in node.values if not isinstance(value, ast.Constant)]

    def visit_Dict(self, node: ast.Dict, at: Position) -> Sequence[ast.AST]:
        return [child for child in children(node) if not _is_text(child) or child in node.values]

    def visit_Subscript(self, node: ast.Subscript, at: Position) -> Sequence[ast.AST]:
        if isinstance(node.ctx, ast.Load):
            return [node.value] if _is_text(node.slice) else children(node)
        chain = chain_of(node.value)
        self._change(chain, node, at, in_place=True)
        if not chain:
            return children(node)
        self._write(chain, node, at)  # `os.environ["X"] = …` reads nothing
        return [node.slice, *_innermost_call(node.value)]

    def visit_AugAssign(self, node: ast.AugAssign, at: Position) -> Sequence[ast.AST]:
        if isinstance(node.target, ast.Subscript):
            chain = chain_of(node.target.value)
            if chain and at.scope.owns(chain[0]) and not at.scope.peek(chain):
                return [node.target, node.value]  # a counter: its old value goes nowhere but into it
            return [node.target, node.target.value, node.value]
        if isinstance(node.target, ast.Name):
            self._write((node.target.id,), node.target, at)
            if at.scope.around is not None and node.target.id in at.scope.bound:
                self._change((node.target.id,), node.target, at, in_place=True)  # an array changes in place
        return children(node)

    def visit_Import(self, node: ast.Import | ast.ImportFrom, at: Position) -> Sequence[ast.AST]:
        if at.scope.around is not None or self._in_main:
            note_imports(node, at.uses.imports)
        return ()

    visit_ImportFrom = visit_Import

    def visit_If(self, node: ast.If, at: Position) -> Sequence[ast.AST]:
        return node.orelse if is_for_types(node.test) else children(node)

    def visit_AnnAssign(self, node: ast.AnnAssign, at: Position) -> Sequence[ast.AST]:
        if id(node.annotation) in self._parts:
            return children(node)
        return [*children(node), *_forward_references(node.annotation)]

    def _position(self, scope: Scope, part: str) -> Position:
        return Position(scope, part, self.uses[part])

    def _without_decorators(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
        rest: Sequence[ast.AST],
        at: Position,
    ) -> Sequence[ast.AST]:
        """Visit the decorators as a part of their own."""
        if at.part != "code" or not node.decorator_list:
            return rest
        self.push(node.decorator_list, self._position(at.scope, "decoration"))
        return [child for child in rest if child not in node.decorator_list]

    def _write(self, chain: Chain, node: ast.expr, at: Position) -> None:
        """Note a name that is used only to change its value: no result depends on it."""
        self.accesses.append(Access(at, chain, node.lineno, is_read=False))

    def _change(self, chain: Chain | None, node: ast.expr, at: Position, *, in_place: bool = False) -> None:
        """Note a change by the body of a function. Changes while a module is loaded are the module's own code."""
        if (
            chain
            and at.scope.around is not None
            and (chain[:2] == ("type", CALL) or "__class__" in chain[1:2])
        ):
            at.uses.changes.append(Change("cls", node.lineno, True, False))
        if chain and CALL not in chain and at.scope.around is not None:
            self.accesses.append(Access(at, chain, node.lineno, is_change=True, in_place=in_place))


def _reads_file(scope: Scope, call: ast.Call) -> bool:
    """Return whether a function reads the file that is its first argument."""
    given = Call.of(call)
    names = scope.peek(chain_of(call.func) or ("",))
    found = [outside_name(name, given) for name in names]
    is_of_folder = any(name.rpartition(".")[2] in ORDERED_BY_DISK for name in names)
    return bool(found) and not is_of_folder and all(one is not None and one.is_declarable for one in found)


def _dotted(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the dotted names in an expression, each whole: `os.path` in `os.path.join(x)` is not `os` handed on."""
    todo = [node]
    while todo:
        one = todo.pop()
        chain = chain_of(one) if isinstance(one, (ast.Attribute, ast.Name)) else None
        if chain is not None and CALL not in chain:
            yield one
        else:
            todo += children(one)


def _is_in_place(call: ast.Call) -> bool:
    return any(
        word.arg == "inplace" and isinstance(word.value, ast.Constant) and word.value.value is True
        for word in call.keywords
    )


def _is_text(node: ast.AST) -> bool:
    value = node.value if isinstance(node, ast.keyword) else node
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def mutated_by(call: ast.Call) -> ast.expr | None:
    """Return the object that a call such as `a.b.append(x)` changes: `a.b`."""
    is_method = isinstance(call.func, ast.Attribute) and call.func.attr in MUTATING_METHODS
    return call.func.value if is_method and isinstance(call.func, ast.Attribute) else None


def only_written(function: ast.AST, name: str) -> bool:
    """Return whether a function uses a variable only to add to its value or to remove from it."""
    written = {
        id(mutated_by(node.value))
        for node in ast.walk(function)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    }
    uses = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
    return all(id(node) in written for node in uses)


def is_for_types(test: ast.expr) -> bool:
    """Return whether a condition is `TYPE_CHECKING`, which is false wherever code runs."""
    return (chain_of(test) or ("",))[-1] == "TYPE_CHECKING"


def _class_imports(cls: ast.ClassDef) -> Iterable[str]:
    """Yield the imports of a class body: they are attributes of the class, and used through it."""
    todo: list[ast.AST] = list(cls.body)
    for node in todo:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (joined(import_base(node), alias.name) for alias in node.names)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            todo += statements(node)


def _forward_references(annotation: ast.expr) -> list[ast.expr]:
    """Parse the strings within an annotation that are expressions."""
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
    """Return the call that a chain starts from, as in `f(x).y.z`: its arguments are still to be visited."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return [node] if isinstance(node, ast.Call) else []
