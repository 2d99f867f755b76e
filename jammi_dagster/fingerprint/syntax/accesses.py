"""The visitor that finds how a statement accesses names: it reads, calls, imports or changes them."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from jammi_dagster.fingerprint.known_names import ANY, CALL
from jammi_dagster.fingerprint.known_names.ambient_values import SEED_OF_BASE, UNLESS_SEEDED
from jammi_dagster.fingerprint.known_names.hidden_code import HIDDEN_ATTRIBUTES
from jammi_dagster.fingerprint.known_names.mutations import MUTATING_METHODS
from jammi_dagster.fingerprint.known_names.state import OBJECT_MUTATORS
from jammi_dagster.fingerprint.known_names.texts import LOG_METHODS
from jammi_dagster.fingerprint.syntax.access import Access, Position
from jammi_dagster.fingerprint.syntax.addresses import makes_text
from jammi_dagster.fingerprint.syntax.attribute_names import asked_names, leads_to_counted_code
from jammi_dagster.fingerprint.syntax.computed_imports import package_of
from jammi_dagster.fingerprint.syntax.hand_over import handed_over
from jammi_dagster.fingerprint.syntax.members import (
    member_name,
    method_part,
    separate_fields,
    separate_methods,
)
from jammi_dagster.fingerprint.syntax.optional_parts import is_orchestration
from jammi_dagster.fingerprint.syntax.outside_world import outside_name
from jammi_dagster.fingerprint.syntax.packaged_files import packaged_file, reads_one_file
from jammi_dagster.fingerprint.syntax.scopes import (
    Chain,
    FunctionScope,
    Scope,
    chain_of,
    import_base,
    joined,
)
from jammi_dagster.fingerprint.syntax.sets import is_set_annotation, makes_unordered
from jammi_dagster.fingerprint.syntax.texts import dotted_path
from jammi_dagster.fingerprint.syntax.trees import children, statements
from jammi_dagster.fingerprint.syntax.uses import Call, Change, Site, Use, Uses, note_imports
from jammi_dagster.fingerprint.syntax.visitor import Visitor

# `decoration` holds the decorators, which run when the module is loaded; those of orchestration are `decorators`.
PARTS = ("code", "decoration", "annotations", "decorators")
_STARTERS = frozenset({"apply_async", "submit", "to_thread"})  # call the function that they get first
_LITERALS = frozenset({"typing.Literal", "typing_extensions.Literal"})


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
        self.has_sets = self.has_texts = False
        self.accesses: list[Access] = []  # in the order of the source, from the last
        self._parts, self._in_main = parts, in_main
        self._statements: set[int] = set()  # calls that are statements
        self._results: dict[int, Call] = {}  # the calls of results of calls, by these

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
        bases = [base for base in map(chain_of, node.bases) if base]
        for drawing in UNLESS_SEEDED.keys() & {name for base in bases for name in at.scope.peek(base)}:
            seed = Call((...,), {}, variables={0: SEED_OF_BASE}, may_be_none=frozenset({0}))
            at.uses.uses.append(Use(drawing, node.lineno, seed))  # seeded where objects of the class are made
        is_whole = at.scope.around is None and at.part == "code"
        apart = {*separate_methods(node), *separate_fields(node, at.scope)} if is_whole else set()
        rest = []
        for child in children(node):
            name = member_name(child)
            if name in apart:
                self.push([child], self._position(at.scope, method_part(name)))
            else:
                rest.append(child)
        return self._without_decorators(node, rest, at)

    def visit_Set(self, node: ast.expr, at: Position) -> Sequence[ast.AST]:
        self.has_sets = True
        return children(node)

    visit_SetComp = visit_Set

    def visit_arg(self, node: ast.arg, at: Position) -> Sequence[ast.AST]:
        self.has_sets |= is_set_annotation(node.annotation)
        return children(node)

    def visit_Name(self, node: ast.Name, at: Position) -> Sequence[ast.AST]:
        if isinstance(node.ctx, ast.Load):
            self.accesses.append(Access(at, (node.id,), node.lineno, node=node))
        elif node.id in at.scope.shared and at.scope.around is not None:
            self._change((node.id,), node, at)
        return ()

    def visit_Attribute(self, node: ast.Attribute, at: Position) -> Sequence[ast.AST]:
        chain = chain_of(node)
        for name in HIDDEN_ATTRIBUTES.intersection(chain or (node.attr,)):
            at.uses.uses.append(Use(f"{ANY}.{name}", node.lineno, None))
        if not isinstance(node.ctx, ast.Load):
            self._change(chain, node, at, in_place=chain is None)
        elif chain:
            self.accesses.append(Access(at, chain, node.lineno, node=node))
            if node.attr in MUTATING_METHODS:  # `map(ROWS.append, x)`
                self._change(chain[:-1], node, at, in_place=True, by=node.attr)
            return _innermost_call(node)
        return children(node)

    def visit_Call(self, node: ast.Call, at: Position) -> Sequence[ast.AST]:
        if file := packaged_file(node, at.scope, partial(_reads_file, at.scope)):
            at.uses.packaged.append(file)
            path = [name for one in (*node.args[:1], *children(node.func)) for name in _dotted(one)]
            return [*path, *node.args[1:], *node.keywords]
        if (package := package_of(node, at.scope)) is not None:
            at.uses.packages[package] = node.lineno
            return [*node.args, *node.keywords]
        called = self._results.pop(id(node), None)
        call = Call.of(
            node, Site(node, at.scope, of_result=called, is_statement=id(node) in self._statements)
        )
        chain = chain_of(node.func)
        if isinstance(node.func, ast.Call):
            self._results[id(node.func)] = call
        at.uses.handed += handed_over(node, at.scope)
        self.has_sets |= makes_unordered(node)
        self.has_texts |= makes_text(node)
        if isinstance(node.func, ast.Attribute):
            self.accesses.append(Access(at, (f"{ANY}.{node.func.attr}", *(chain or ())), node.lineno, call))
            if node.func.attr in MUTATING_METHODS or _is_in_place(node):
                value = node.func.value
                self._change(chain_of(value), node, at, in_place=True, by=node.func.attr)
            elif (
                node.func.attr in OBJECT_MUTATORS
                and chain
                and (chain[0] == "self" or at.scope.owns(chain[0]))
            ):
                self._change(chain[:-1], node, at, in_place=True)
        elif chain in (("setattr",), ("delattr",)) and node.args:
            for name in asked_names(node, at.scope) or ("",):
                holder = chain_of(node.args[0])
                self._change((*holder, name) if holder and name else holder, node, at)
        elif chain == ("getattr",):
            call = self._ask(node, call, at)
        if not chain or (
            chain == ("hash",) and isinstance(at.scope, FunctionScope) and at.scope.name == "__hash__"
        ):
            return children(node)
        self.accesses.append(Access(at, chain, node.lineno, call))
        for given in [
            *node.args[: chain == ("map",)],
            *(word.value for word in node.keywords if word.arg == "key"),
        ]:
            self._call_later(given, Call((...,), {}), node, at)
        names = at.scope.peek(chain)
        arguments = [*node.args, *node.keywords]
        if names == ["functools.partial"] and node.args and chain_of(node.args[0]):
            rest = ast.copy_location(ast.Call(node.args[0], node.args[1:], node.keywords), node)
            self._call_later(node.args[0], Call.of(rest, Site(rest, at.scope, is_partial=True)), node, at)
            arguments = [*_innermost_call(node.args[0]), *arguments[1:]]
        if chain[-1] in _STARTERS and node.args:
            rest = ast.copy_location(ast.Call(node.args[0], node.args[1:], node.keywords), node)
            self._call_later(node.args[0], Call.of(rest, Site(rest, at.scope)), node, at)
        if chain[-1] in LOG_METHODS or any(map(is_orchestration, names)):
            arguments = [argument for argument in arguments if not _is_text(argument)]
        return [*_innermost_call(node.func), *arguments]

    def _call_later(self, function: ast.expr, call: Call, node: ast.Call, at: Position) -> None:
        """Note the call of a function that another one gets."""
        chain = chain_of(function)
        if isinstance(function, ast.Attribute):
            self.accesses.append(Access(at, (f"{ANY}.{function.attr}", *(chain or ())), node.lineno, call))
            if function.attr in MUTATING_METHODS:
                self._change(chain_of(function.value), node, at, in_place=True)
        if chain:
            self.accesses.append(Access(at, chain, node.lineno, call))

    def visit_keyword(self, node: ast.keyword, at: Position) -> Sequence[ast.AST]:
        if node.arg == "out":
            self._change(chain_of(node.value), node.value, at, in_place=True)
        return [node.value]

    def _ask(self, node: ast.Call, call: Call, at: Position) -> Call:
        """Note the attributes that a `getattr` asks for; return the call with the name that is told by them."""
        names = asked_names(node, at.scope)
        called = (call.site and call.site.of_result) or Call((), {})
        for name in names or ():
            holder = chain_of(node.args[0])
            chain = (*holder, name) if holder else ()
            self.accesses.append(Access(at, (f"{ANY}.{name}", *chain), node.lineno, called))
            if holder:
                self.accesses.append(Access(at, chain, node.lineno, called))
                if name in MUTATING_METHODS:
                    self._change(holder, node, at, in_place=True)
        is_counted = names is None and leads_to_counted_code(node, at.scope)
        at.uses.asks_any |= is_counted
        if names or is_counted:
            return replace(call, positional=(*call.positional[:1], "", *call.positional[2:]))
        return call

    def visit_Expr(self, node: ast.Expr, at: Position) -> Sequence[ast.AST]:
        """Visit a statement. `a.b.append(x)` only writes to `a.b`: nothing becomes of its value."""
        call = node.value
        if isinstance(call, ast.Constant):
            return ()
        if isinstance(call, ast.Call) and (target := mutated_by(call)) is not None:
            chain = chain_of(target)
            if chain and CALL not in chain:
                self._change(chain, call, at, in_place=True, by=getattr(call.func, "attr", ""))
                self._write(chain, call, at)
                return [*call.args, *call.keywords]
        self._statements.add(id(call))
        return children(node)

    def visit_Constant(self, node: ast.Constant, at: Position) -> Sequence[ast.AST]:
        """Visit a constant. A whole text that is a dotted path may be looked up by the code that gets it."""
        if type(node.value) is str and at.part != "decorators" and (path := dotted_path(node.value)):
            at.uses.texts[path] = None
        return ()

    def visit_BinOp(self, node: ast.BinOp, at: Position) -> Sequence[ast.AST]:
        self.has_texts |= makes_text(node)
        return children(node)

    def visit_JoinedStr(self, node: ast.JoinedStr, at: Position) -> Sequence[ast.AST]:
        self.has_texts = True
        specs = (
            one.format_spec for one in node.values if isinstance(one, ast.FormattedValue) and one.format_spec
        )
        for part in (part for spec in specs for part in children(spec)):
            if isinstance(part, ast.Constant) and "%s" in str(part.value):  # `f"{day:%s}"`
                at.uses.uses.append(Use(f"{ANY}.strftime", node.lineno, Call(("%s",), {})))
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
        return [*children(node), *_forward_references(node.annotation, at.scope)]

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

    def _change(
        self,
        chain: Chain | None,
        node: ast.expr,
        at: Position,
        *,
        in_place: bool = False,
        by: str = "",
    ) -> None:
        """Note a change by the body of a function. Changes while a module is loaded are the module's own code."""
        if (
            chain
            and at.scope.around is not None
            and (chain[:2] == ("type", CALL) or "__class__" in chain[1:2])
        ):
            at.uses.changes.append(Change("cls", node.lineno, True, False))
        if chain and CALL not in chain and at.scope.around is not None:
            self.accesses.append(Access(at, chain, node.lineno, is_change=True, in_place=in_place, by=by))


def _reads_file(scope: Scope, call: ast.Call) -> bool:
    """Return whether a function reads the file that is its first argument."""
    given = Call.of(call)
    names = scope.peek(chain_of(call.func) or ("",))
    found = [outside_name(name, given) for name in names]
    is_of_file = all(reads_one_file(name, call) for name in names)
    return bool(found) and is_of_file and all(one is not None and one.is_declarable for one in found)


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


def _forward_references(annotation: ast.expr, scope: Scope) -> list[ast.expr]:
    """Parse the strings within an annotation that are expressions; those of `Literal["a"]` are values."""
    found = []
    todo: list[ast.AST] = [annotation]
    for node in todo:  # grows while it is read
        names = scope.peek(chain_of(node.value) or ("",)) if isinstance(node, ast.Subscript) else ()
        todo += () if names and _LITERALS.issuperset(names) else children(node)
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
