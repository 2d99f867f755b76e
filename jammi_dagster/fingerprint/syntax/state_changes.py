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
from jammi_dagster.fingerprint.known_names.quiet import QUIET_BUILTINS
from jammi_dagster.fingerprint.known_names.state import (
    CONSTRUCTORS,
    LISTERS,
    MUTATING_FUNCTIONS,
    STATEFUL_MAKERS,
)
from jammi_dagster.fingerprint.syntax.functions import Function, is_accessor
from jammi_dagster.fingerprint.syntax.kept_functions import kept_functions
from jammi_dagster.fingerprint.syntax.load_effects import asks_for_main, looks_mutating
from jammi_dagster.fingerprint.syntax.local_tables import functions_in_table
from jammi_dagster.fingerprint.syntax.optional_parts import is_orchestration
from jammi_dagster.fingerprint.syntax.parameters import defaults
from jammi_dagster.fingerprint.syntax.quiet_calls import calls_nothing, is_fresh, is_quiet
from jammi_dagster.fingerprint.syntax.registrations import (
    Registration,
    registration_by_call,
    registration_by_decorator,
)
from jammi_dagster.fingerprint.syntax.scopes import Chain, FunctionScope, Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import children, nodes
from jammi_dagster.fingerprint.syntax.validators import validates
from jammi_dagster.fingerprint.syntax.visitor import Visitor

PROPERTIES = "@property"  # stands for all properties of an object
_SELF = ("self", "cls")
_OF_ATTRIBUTES = frozenset(
    {"builtins.getattr", "builtins.hasattr", "builtins.setattr", "builtins.isinstance"}
)


class Called(NamedTuple):
    """A call of a name: `own` for a name of the module itself, otherwise a canonical dotted name.

    `is_statement`: nothing becomes of the value. `keeps`: the value may be called in turn. `arguments`: the module's
    own names among the arguments. `taken`: the attribute of the value that code takes, and that alone. `hands_on`: it
    may get an argument of the function that calls it.
    """

    chain: Chain
    own: bool
    is_statement: bool
    keeps: bool
    arguments: tuple[str, ...]
    taken: str = ""
    hands_on: bool = True


_PLAIN = Called((), False, False, False, ())
_KEPT = _PLAIN._replace(keeps=True)


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
    registrations: list[Registration] = field(default_factory=list)
    """Attributes that classes of libraries get."""
    of_self: set[str] = field(default_factory=set)
    """Attributes of `self` or `cls` that are used; `*` where one is handed on, `@property` where any is asked."""


def changes_at_load(statement: ast.stmt, scope: Scope) -> StateChanges:
    """Find the changes by a top-level statement when its module is loaded."""
    visitor = _ChangesVisitor(frozenset())
    visitor.walk([statement], _Place(scope, False))
    return visitor.found


def changes_of_call(function: Function, scope: Scope, *, is_whole: bool) -> StateChanges:
    """Find the changes by a call of a function. `is_whole`: the functions that it returns are called too."""
    inner = FunctionScope(scope, function)
    skipped = frozenset() if is_whole else kept_functions(function, inner)
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

    def visit_Return(self, node: ast.Return, at: _Place) -> Sequence[ast.AST]:
        made = node.value
        if isinstance(made, ast.Call) and chain_of(made.func) == ("cls",) and at.scope.is_parameter("cls"):
            return [*made.args, *made.keywords]  # constructors run with all methods of the class
        if isinstance(made, ast.Name) and made.id in _SELF and validates(getattr(at.scope, "node", node)):
            return ()  # pydantic has the object already
        return children(node)

    def visit_Attribute(self, node: ast.Attribute, at: _Place) -> Sequence[ast.AST]:
        if not isinstance(node.ctx, ast.Load):
            self._change(node.value, at, attribute=node.attr)
        if isinstance(node.value, ast.Name) and node.value.id in _SELF:
            self.found.of_self.add(node.attr)
            return ()
        if isinstance(node.value, ast.Call) and isinstance(node.ctx, ast.Load):
            return self._call(node.value, at, is_statement=False, taken=node.attr)
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
                self._called(chain_of(word.value), _KEPT, at)
        hooked = [base for base in node.bases if (chain := chain_of(base)) and self._is_own(chain, at)]
        for base in hooked:
            self._listed(base, at)
            self._called((*(chain_of(base) or ()), "__init_subclass__"), _PLAIN, at)
        return [word.value for word in node.keywords] + list(node.body)

    def _listed(self, by: ast.expr, at: _Place) -> None:
        """Note the change of an object that lists the classes which are derived from it, or decorated."""
        if not LISTERS.isdisjoint(at.scope.peek(chain_of(by) or ("",))):
            self._change(by, at)

    def _is_own(self, chain: Chain, at: _Place) -> bool:
        names = at.scope.peek(chain)
        return not names or not all(map(is_quiet, names))

    def _decorate(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, at: _Place) -> None:
        for decorator in node.decorator_list:
            if is_accessor(decorator, node) and not at.scope.owns(node.name):
                continue
            if registration := registration_by_decorator(node, decorator, at.scope):
                self.found.registrations.append(registration)
                self.push(getattr(decorator, "args", ()), at)
                continue
            chain = chain_of(decorator)
            if chain is None:
                self.found.everything = True
                continue
            self._listed(decorator, at)
            self._called(chain, _KEPT, at, decorates=True)
            if isinstance(decorator, ast.Call):
                passed = not any(map(is_orchestration, at.scope.peek(chain)))
                self.push([*decorator.args, *decorator.keywords], _Place(at.scope, passed))

    def _call(self, node: ast.Call, at: _Place, *, is_statement: bool, taken: str = "") -> Sequence[ast.AST]:
        if registration := registration_by_call(node, at.scope):
            self.found.registrations.append(registration)
            return node.args
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
            named = node.args[1] if len(node.args) > 1 else None
            text = named.value if isinstance(named, ast.Constant) else None
            self._change(node.args[0], at, attribute=text if isinstance(text, str) else None)
            return given
        for position in (MUTATING_FUNCTIONS[name] for name in names if name in MUTATING_FUNCTIONS):
            for changed in node.args[position : position + 1]:
                self._change(changed, at)
        if any(name.partition(f".{CALL}.")[0] in STATEFUL_MAKERS for name in names if f".{CALL}." in name):
            self.found.objects.update(dict.fromkeys(at.scope.module_names(chain[0]), False))  # a draw
        is_method = len(chain) > 1 and chain[-1] in MUTATING_METHODS and isinstance(node.func, ast.Attribute)
        if is_method and isinstance(node.func, ast.Attribute) and not (names and all(map(is_quiet, names))):
            self._change(node.func.value, at)
        is_of_module = bool(names) and not any(
            f".{CALL}" in name for name in names
        )  # perhaps: `frames.sort(x)`
        if not is_method or is_of_module:
            words = _own_names(_callables(node, names), at.scope)
            variables = (one.id for one in nodes(node) if isinstance(one, ast.Name))
            hands_on = any(map(at.scope.may_be_argument, variables))
            called = Called((), False, is_statement, at.passed, words, taken, hands_on)
            self._called(chain, called, at)
        calls = not names or not all(map(calls_nothing, names))
        self.push(given, _Place(at.scope, calls))
        if isinstance(node.func, ast.Attribute):  # `self.m(x)`, `make().m(x)`
            return [node.func]
        return [node.func] if isinstance(node.func, ast.Call) else ()

    def _call_of_value(self, function: ast.expr, at: _Place, is_statement: bool) -> None:
        """Note a call of a value without a name: `S["a"].append(x)`, `", ".join(x)`, `table["f"](x)`."""
        if isinstance(function, ast.Attribute):
            if looks_mutating(function.attr) or (is_statement and _base(function) is not None):
                self._change(function.value, at)
            return
        found = functions_in_table(function, at.scope)
        self.found.everything |= found is None
        for one in found or ():
            if not isinstance(one, ast.Lambda):  # a lambda is visited where it stands
                self._called(chain_of(one), _KEPT._replace(is_statement=is_statement), at)

    def _called(self, chain: Chain | None, call: Called, at: _Place, *, decorates: bool = False) -> None:
        """Note a call of a name, with all that is known besides the name."""
        if chain is None:
            self.found.everything = True
            return
        if chain[:2] == ("super", CALL) and chain[-1] in CONSTRUCTORS:
            return  # whoever makes an object, or derives a class, counts with the bases
        meant = at.scope.peek(chain)
        names = [name for name in meant if not calls_nothing(name)]
        for name in names:
            self.found.calls[call._replace(chain=tuple(name.split(".")))] = None
        if meant:
            return
        if at.scope.owns(chain[0]):
            is_statement = call.is_statement or decorates
            self.found.calls[call._replace(chain=chain, own=True, is_statement=is_statement)] = None
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
                if not (name.startswith("builtins.") or is_quiet(name)):
                    self.found.foreign[f"{name}.{attribute}" if attribute else name] = True
            return
        if base.id == "self" and at.scope.is_parameter("self"):
            return
        chain = chain_of(target)
        deep = not isinstance(target, ast.Name)
        names = [n for n in at.scope.peek(chain or _head(target)) if not n.startswith("builtins.")]
        for name in names:
            changed = f"{name}.{attribute}" if attribute else name
            if not (is_quiet(changed) or is_fresh(name)):
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


def _head(node: ast.expr) -> Chain:
    """Return the name with the attributes that such an expression starts with: `sys.modules` of `sys.modules["a"]`."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
        if chain := chain_of(node):
            return chain
    return ("",)


def _has_call(node: ast.expr) -> bool:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return isinstance(node, ast.Call)


def _is_made_here(node: ast.expr) -> bool:
    """Return whether an object is made where it is changed: `list(x).append(1)`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in QUIET_BUILTINS


def _callables(call: ast.Call, names: Sequence[str]) -> list[ast.AST]:
    """Return the arguments that a call may call: of `sorted` and the like the key alone, of `map` the first."""
    leaves = {name.removeprefix("builtins.") for name in names}
    if leaves and leaves <= {"filter", "map"}:
        return list(call.args[:1])
    if leaves and leaves <= {"max", "min", "sorted"}:
        return [word for word in call.keywords if word.arg in ("key", None)]
    return [*call.args, *call.keywords]


def _own_names(arguments: Iterable[ast.AST], scope: Scope) -> tuple[str, ...]:
    """Return the module's own names, and the imported ones, among arguments."""
    found: dict[str, None] = {}
    for node in (one for argument in arguments for one in nodes(argument)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.update(dict.fromkeys(scope.module_names(node.id)))
    return tuple(found)
