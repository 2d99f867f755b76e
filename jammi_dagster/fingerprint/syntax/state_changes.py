"""The state that a piece of code may change when it runs: names whose values it changes, and calls that may.

The code is a top-level statement that is loaded, or the body of a function that is called. Functions within a function
that it only returns, or hands to an orchestrator, do not run with it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.mutations import MUTATING_METHODS
from jammi_dagster.fingerprint.known_names.quiet import (
    CALLING_BUILTINS,
    FRESH_MAKERS,
    QUIET_BUILTINS,
    QUIET_MODULES,
)
from jammi_dagster.fingerprint.known_names.state import CONSTRUCTORS, MUTATING_FUNCTIONS, STATEFUL_MAKERS
from jammi_dagster.fingerprint.syntax.functions import is_accessor
from jammi_dagster.fingerprint.syntax.load_effects import asks_for_main, looks_mutating
from jammi_dagster.fingerprint.syntax.optional_parts import is_orchestration
from jammi_dagster.fingerprint.syntax.parameters import defaults
from jammi_dagster.fingerprint.syntax.scopes import Chain, FunctionScope, Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import children, nodes, parents_of
from jammi_dagster.fingerprint.syntax.visitor import Visitor

PROPERTIES = "@property"  # stands for all properties of an object
_SELF = ("self", "cls")
_OF_ATTRIBUTES = frozenset(
    {"builtins.getattr", "builtins.hasattr", "builtins.setattr", "builtins.isinstance"}
)

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Called(NamedTuple):
    """A call of a name: `own` for a name of the module itself, otherwise a canonical dotted name.

    `is_statement`: nothing becomes of the value. `keeps`: the value may be called in turn. `arguments`: the module's
    own names among the arguments.
    """

    chain: Chain
    own: bool
    is_statement: bool
    keeps: bool
    arguments: tuple[str, ...]


@dataclass(slots=True)
class StateChanges:
    """The changes of one piece of code. `everything` means that they cannot be told."""

    everything: bool = False
    objects: dict[str, bool] = field(default_factory=dict)
    """Own names whose values change: True if objects within the value may change too."""
    foreign: dict[str, bool] = field(default_factory=dict)
    """Canonical names of other modules whose values change, likewise."""
    calls: dict[Called, None] = field(default_factory=dict)
    parameters: bool = False
    """True if a function changes one of its arguments."""
    may_exit: bool = False
    """True if a statement may end the loading of the module: `raise`, `assert`."""
    of_self: set[str] = field(default_factory=set)
    """Attributes of `self` or `cls` that are used; `*` where one is handed on, `@property` where any is asked."""


def changes_at_load(statement: ast.stmt, scope: Scope) -> StateChanges:
    """Find the changes by a top-level statement when its module is loaded."""
    visitor = _ChangesVisitor(frozenset())
    visitor.walk([statement], _Place(scope, False))
    return visitor.found


def names_of_data(written: ast.expr, scope: Scope) -> list[str] | None:
    """Return the module's names in a constant, or in a container that is not empty; None if it may hold a function.

    An empty one is there to be filled, with functions perhaps.
    """
    found: list[str] = []
    items = written.values if isinstance(written, ast.Dict) else getattr(written, "elts", ())
    if not (items or isinstance(written, (ast.Constant, ast.JoinedStr))):
        return None
    for node in nodes(written):
        if isinstance(node, ast.Lambda):
            return None
        if isinstance(node, ast.Call) and not _makes_data(chain_of(node.func), scope):
            return None
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found += [name for name in scope.module_names(node.id) if name not in QUIET_BUILTINS]
    return found


def _makes_data(chain: Chain | None, scope: Scope) -> bool:
    """Return whether a call has data as its result: of a library that computes, or a method of data."""
    names = scope.peek(chain) if chain else ["builtins.str"]
    return bool(names) and all(
        name.split(".")[1] not in ("getattr", "next", "vars", "globals", "eval")
        if name.startswith("builtins.")
        else _is_fresh(f"{name}.{CALL}")
        for name in names
    )


def changes_of_call(function: FunctionNode, scope: Scope, *, is_whole: bool) -> StateChanges:
    """Find the changes by a call of a function. `is_whole`: the functions that it returns are called too."""
    inner = FunctionScope(scope, function)
    skipped = frozenset() if is_whole else _kept_functions(function, inner)
    visitor = _ChangesVisitor(skipped)
    body = [function.body] if isinstance(function, ast.Lambda) else function.body
    visitor.walk(body, _Place(inner, False))
    return visitor.found


class _Place(NamedTuple):
    scope: Scope
    passed: bool  # within the arguments of a call that may call them


class _ChangesVisitor(Visitor[_Place]):
    """The visitor of code that runs. `skipped` holds the functions that do not run, by `id`."""

    def __init__(self, skipped: frozenset[int]) -> None:
        super().__init__()
        self.found = StateChanges()
        self._skipped = skipped

    def visit_Await(self, node: ast.AST, at: _Place) -> Sequence[ast.AST]:
        if at.scope.around is None:
            self.found.everything = True
        return children(node)

    def visit_Pass(self, node: ast.AST, at: _Place) -> Sequence[ast.AST]:
        return ()

    visit_Import = visit_ImportFrom = visit_Global = visit_Nonlocal = visit_Pass

    def visit_Raise(self, node: ast.AST, at: _Place) -> Sequence[ast.AST]:
        self.found.may_exit = True
        return children(node)

    visit_Assert = visit_Raise

    def visit_If(self, node: ast.If, at: _Place) -> Sequence[ast.AST]:
        return node.orelse if asks_for_main(node.test) else children(node)

    def visit_Expr(self, node: ast.Expr, at: _Place) -> Sequence[ast.AST]:
        value = node.value
        if isinstance(value, ast.Call):
            return self._call(value, at, is_statement=True)
        if not isinstance(
            value, (ast.Constant, ast.Name, ast.Attribute, ast.Await, ast.Yield, ast.YieldFrom)
        ):
            self.found.everything = True  # an operator as a statement is there for its effect
        return [value]

    def visit_Call(self, node: ast.Call, at: _Place) -> Sequence[ast.AST]:
        return self._call(node, at, is_statement=False)

    def visit_Name(self, node: ast.Name, at: _Place) -> Sequence[ast.AST]:
        if isinstance(node.ctx, ast.Load):
            if node.id in _SELF:
                self.found.of_self.add("*")
        elif at.scope.around is not None and node.id in at.scope.shared:
            self.found.objects.setdefault(node.id, False)
        return ()

    def visit_Attribute(self, node: ast.Attribute, at: _Place) -> Sequence[ast.AST]:
        if not isinstance(node.ctx, ast.Load):
            self._change(node.value, at, attribute=node.attr)
        if isinstance(node.value, ast.Name) and node.value.id in _SELF:
            self.found.of_self.add(node.attr)
            return ()
        return [node.value]

    def visit_Assign(self, node: ast.Assign, at: _Place) -> Sequence[ast.AST]:
        documented = [_base(target) for target in node.targets if _is_doc(target)]
        names = [base.id for base in documented if base and base.id not in at.scope.module.imported]
        is_text = all(isinstance(one, (ast.Constant, ast.BinOp, ast.operator)) for one in nodes(node.value))
        if at.scope.around is not None or len(names) < len(node.targets) or not is_text:
            return children(node)
        self.found.objects.update(dict.fromkeys(names, False))  # the text itself is in the digest
        return ()

    def visit_Subscript(self, node: ast.Subscript, at: _Place) -> Sequence[ast.AST]:
        if not isinstance(node.ctx, ast.Load):
            self._change(node.value, at)
        return children(node)

    def visit_AugAssign(self, node: ast.AugAssign, at: _Place) -> Sequence[ast.AST]:
        if isinstance(node.target, ast.Name):
            self._change(node.target, at)
        return children(node)

    def visit_With(self, node: ast.With | ast.AsyncWith, at: _Place) -> Sequence[ast.AST]:
        for item in node.items:  # the methods of the context manager run
            self.push([item.context_expr], _Place(at.scope, True))
            self.push([item.optional_vars] if item.optional_vars else [], at)
        return node.body

    visit_AsyncWith = visit_With

    def visit_Lambda(self, node: ast.Lambda, at: _Place) -> Sequence[ast.AST]:
        if id(node) not in self._skipped and (at.passed or at.scope.around is not None):
            self.push([node.body], _Place(FunctionScope(at.scope, node), False))
        return [node.args]

    def visit_FunctionDef(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, at: _Place
    ) -> Sequence[ast.AST]:
        if at.scope.around is not None and id(node) not in self._skipped:
            self.push(node.body, _Place(FunctionScope(at.scope, node), False))
        self._decorate(node, at)
        return [value for _, value in defaults(node.args)]

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef, at: _Place) -> Sequence[ast.AST]:
        self._decorate(node, at)
        for word in node.keywords:
            if word.arg == "metaclass":
                self._called(chain_of(word.value), (), at, keeps=True)
        hooked = [base for base in node.bases if (chain := chain_of(base)) and self._is_own(chain, at)]
        for base in hooked:
            self._called((*(chain_of(base) or ()), "__init_subclass__"), (), at)
        return [word.value for word in node.keywords] + list(node.body)

    def _is_own(self, chain: Chain, at: _Place) -> bool:
        names = at.scope.peek(chain)
        return not names or not all(map(_is_quiet, names))

    def _decorate(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, at: _Place) -> None:
        for decorator in node.decorator_list:
            if is_accessor(decorator, node) and not at.scope.owns(node.name):
                continue
            chain = chain_of(decorator)
            if chain is None:
                self.found.everything = True
                continue
            self._called(chain, (), at, keeps=True, decorates=True)
            if isinstance(decorator, ast.Call):
                passed = not any(map(is_orchestration, at.scope.peek(chain)))
                self.push([*decorator.args, *decorator.keywords], _Place(at.scope, passed))

    def _call(self, node: ast.Call, at: _Place, *, is_statement: bool) -> Sequence[ast.AST]:
        chain = chain_of(node.func)
        given = [*node.args, *node.keywords]
        if chain is None:
            self._call_of_value(node.func, at, is_statement)
            self.push(given, _Place(at.scope, True))
            return [node.func]
        names = at.scope.peek(chain)
        if _is_own_attribute(node, names):
            self.found.of_self.add(PROPERTIES)
            return given[1:]
        if chain in (("setattr",), ("delattr",)) and node.args and names == [f"builtins.{chain[0]}"]:
            self._change(node.args[0], at, attribute=None)
            return given
        for position in (MUTATING_FUNCTIONS[name] for name in names if name in MUTATING_FUNCTIONS):
            for changed in node.args[position : position + 1]:
                self._change(changed, at)
        if any(name.partition(f".{CALL}.")[0] in STATEFUL_MAKERS for name in names if f".{CALL}." in name):
            self.found.objects.update(dict.fromkeys(at.scope.module_names(chain[0]), False))  # a draw
        is_method = len(chain) > 1 and chain[-1] in MUTATING_METHODS and isinstance(node.func, ast.Attribute)
        if is_method and isinstance(node.func, ast.Attribute) and not (names and all(map(_is_quiet, names))):
            self._change(node.func.value, at)
        is_of_module = bool(names) and not any(
            f".{CALL}" in name for name in names
        )  # perhaps: `frames.sort(x)`
        if not is_method or is_of_module:
            words = _own_names(_callables(node, names), at.scope)
            self._called(chain, words, at, is_statement=is_statement, keeps=at.passed)
        calls = not names or not all(map(_calls_nothing, names))
        self.push(given, _Place(at.scope, calls))
        if isinstance(node.func, ast.Attribute):  # `self.m(x)`, `make().m(x)`
            return [node.func]
        return [node.func] if isinstance(node.func, ast.Call) else ()

    def _call_of_value(self, function: ast.expr, at: _Place, is_statement: bool) -> None:
        """Note a call of a value without a name: `S["a"].append(x)`, `", ".join(x)`, `table["f"](x)`."""
        if isinstance(function, ast.Attribute):
            if looks_mutating(function.attr) or (is_statement and _base(function) is not None):
                self._change(function.value, at)
        else:
            self.found.everything = True

    def _called(
        self,
        chain: Chain | None,
        arguments: tuple[str, ...],
        at: _Place,
        *,
        is_statement: bool = False,
        keeps: bool = False,
        decorates: bool = False,
    ) -> None:
        if chain is None:
            self.found.everything = True
            return
        if chain[:2] == ("super", CALL) and chain[-1] in CONSTRUCTORS:
            return  # whoever makes an object, or derives a class, counts with the bases
        meant = at.scope.peek(chain)
        names = [name for name in meant if not _calls_nothing(name)]
        for name in names:
            self.found.calls[Called(tuple(name.split(".")), False, is_statement, keeps, arguments)] = None
        if meant:
            return
        if at.scope.owns(chain[0]):
            self.found.calls[Called(chain, True, is_statement or decorates, keeps, arguments)] = None
        elif len(chain) > 1 and chain[0] != "self" and looks_mutating(chain[-1]):
            self.found.objects.update(dict.fromkeys(at.scope.module_names(chain[0]), True))
            self.found.parameters |= at.scope.may_be_argument(chain[0])

    def _change(self, target: ast.expr, at: _Place, *, attribute: str | None = "") -> None:
        """Note that the value of an expression changes; `attribute`: one of its attributes is set (None: any)."""
        base = _base(target)
        if base is None:
            return  # a literal, or the result of an operator: nobody else holds it
        if _has_call(target) and not _is_made_here(target):
            self.found.everything = True
            for name in at.scope.peek(chain_of(target) or (base.id,)):  # `decimal.getcontext().prec = 9`
                if not (name.startswith("builtins.") or _is_quiet(name)):
                    self.found.foreign[f"{name}.{attribute}" if attribute else name] = True
            return
        if base.id == "self" and at.scope.is_parameter("self"):
            return
        chain = chain_of(target)
        deep = not isinstance(target, ast.Name)
        names = [n for n in at.scope.peek(chain if chain else (base.id,)) if not n.startswith("builtins.")]
        for name in names:
            changed = f"{name}.{attribute}" if attribute else name
            if not (_is_quiet(changed) or _is_fresh(name)):
                self.found.foreign[changed] = chain is None or attribute is None
        for name in at.scope.module_names(base.id):
            if name not in at.scope.module.imported:
                self.found.objects[name] = deep or self.found.objects.get(name, False)
        if not names and base.id in ("globals", "vars", "locals"):
            self.found.everything = True
        self.found.parameters |= at.scope.may_be_argument(base.id)


def _is_own_attribute(call: ast.Call, names: Sequence[str]) -> bool:
    """Return whether a call asks an object for an attribute of its own, or sets one: `getattr(self, key)`."""
    given = call.args[0] if call.args else None
    if not isinstance(given, ast.Name) or given.id not in _SELF or not names:
        return False
    return _OF_ATTRIBUTES.issuperset(names) and (given.id == "self" or "builtins.setattr" not in names)


def _is_doc(target: ast.expr) -> bool:
    return isinstance(target, ast.Attribute) and target.attr == "__doc__" and chain_of(target) is not None


def _base(node: ast.expr) -> ast.Name | None:
    """Return the name from which an expression such as `a.b["c"].d` starts."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call, ast.Starred)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node if isinstance(node, ast.Name) else None


def _has_call(node: ast.expr) -> bool:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return isinstance(node, ast.Call)


def _is_made_here(node: ast.expr) -> bool:
    """Return whether an object is made where it is changed: `list(x).append(1)`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in QUIET_BUILTINS


def _is_quiet(name: str) -> bool:
    module, _, leaf = name.partition(".")
    if module == "builtins":
        return leaf in QUIET_BUILTINS
    return is_orchestration(name) or any(
        name == known or name.startswith(f"{known}.") for known in QUIET_MODULES
    )


def _is_fresh(name: str) -> bool:
    """Return whether a name is that of the result of a library's call, an object that nobody else holds."""
    maker, _, after = name.partition(f".{CALL}")
    leaf = maker.rpartition(".")[2]
    is_known = f"{maker}.".startswith(FRESH_MAKERS) or (not after and leaf[:1].isupper())
    return maker != name and not looks_mutating(maker) and is_known


def _calls_nothing(name: str) -> bool:
    """Return whether a callable is known not to call its arguments."""
    return _is_quiet(name) and name.removeprefix("builtins.") not in CALLING_BUILTINS


def _callables(call: ast.Call, names: Sequence[str]) -> list[ast.AST]:
    """Return the arguments that a call may call: of `sorted` and the like the key alone, of `map` the first."""
    leaves = {name.removeprefix("builtins.") for name in names}
    if leaves and leaves <= {"filter", "map"}:
        return list(call.args[:1])
    if leaves and leaves <= {"max", "min", "sorted"}:
        return [word for word in call.keywords if word.arg in ("key", None)]
    return [*call.args, *call.keywords]


def _own_names(nodes: Iterable[ast.AST], scope: Scope) -> tuple[str, ...]:
    """Return the module's own names, and the imported ones, among arguments."""
    found: dict[str, None] = {}
    todo = list(nodes)
    for node in todo:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.update(dict.fromkeys(scope.module_names(node.id)))
        todo += children(node)
    return tuple(found)


def _kept_functions(function: FunctionNode, scope: Scope) -> frozenset[int]:
    """Return the functions within a function that it only returns, or hands to an orchestrator."""
    if isinstance(function, ast.Lambda):
        return frozenset()
    every = [node for part in function.body for node in nodes(part)]
    parents = parents_of(every)
    uses: dict[str, list[ast.Name]] = {}
    for node in every:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            uses.setdefault(node.id, []).append(node)

    def gathered(node: ast.AST) -> bool:
        """Return whether a value is added to a list that the function only returns."""
        call = parents.get(id(node))
        if call is None or (name := _gathers(call)) is None or not scope.is_local(name):
            return False
        return all(_leaves(use, parents, scope) or _adds_to(use, parents) for use in uses.get(name, ()))

    def listed(node: ast.AST) -> bool:
        """Return whether a value is an item of a list that a variable holds, and that the function only returns."""
        items, holder = parents.get(id(node)), None
        if isinstance(items, (ast.List, ast.Tuple)):
            holder = parents.get(id(items))
        target = holder.targets[0] if isinstance(holder, ast.Assign) and len(holder.targets) == 1 else None
        if not isinstance(target, ast.Name) or not scope.is_local(target.id):
            return False
        return all(_leaves(use, parents, scope) or _adds_to(use, parents) for use in uses.get(target.id, ()))

    kept: set[int] = set()
    for node in every:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            plain = all(_labels(decorator, scope) for decorator in node.decorator_list)
            named = uses.get(node.name, ())
            if plain and all(_leaves(use, parents, scope) or gathered(use) or listed(use) for use in named):
                kept.add(id(node))
        elif isinstance(node, ast.Lambda) and _leaves(node, parents, scope):
            kept.add(id(node))
    return frozenset(kept)


def _adds_to(use: ast.AST, parents: dict[int, ast.AST]) -> bool:
    method = parents.get(id(use))
    call = parents.get(id(method)) if method is not None else None
    return call is not None and _gathers(call) is not None and method is getattr(call, "func", None)


def _labels(decorator: ast.expr, scope: Scope) -> bool:
    """Return whether a decorator orchestrates, or makes a wrapper, and calls nothing."""
    names = scope.peek(chain_of(decorator) or ("",))
    return bool(names) and all(is_orchestration(name) or name.startswith("functools.wraps") for name in names)


def _leaves(node: ast.AST, parents: dict[int, ast.AST], scope: Scope) -> bool:
    """Return whether a value is only returned, or is an argument of an orchestrator."""
    parent = parents.get(id(node))
    while isinstance(parent, (ast.List, ast.Tuple, ast.Dict, ast.Set, ast.keyword, ast.Starred, ast.IfExp)):
        parent = parents.get(id(parent))
    if isinstance(parent, ast.Call) and parent.func is not node:
        names = scope.peek(chain_of(parent.func) or ("",))
        return bool(names) and all(map(is_orchestration, names))
    return isinstance(parent, ast.Return)


def _gathers(node: ast.AST) -> str | None:
    """Return the name of the list that a call such as `found.append(f)` adds to."""
    method = node.func if isinstance(node, ast.Call) else None
    if not isinstance(method, ast.Attribute) or method.attr not in ("append", "extend", "insert"):
        return None
    return method.value.id if isinstance(method.value, ast.Name) else None
