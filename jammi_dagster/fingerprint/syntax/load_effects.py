"""Side effects that a statement has when its module is loaded.

A definition, an import and an assignment of an expression only bind names: they count where those names are reached.
A statement that may change something else (a call as a statement, a loop, an item that is set, a decorator that
registers) counts for every function that reaches anything of the module. Calls of first-party functions are decided
by the code of those functions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.decorators import LABEL_PREFIXES
from jammi_dagster.fingerprint.known_names.mutations import LOOKS_MUTATING
from jammi_dagster.fingerprint.syntax.functions import is_accessor, only_defines
from jammi_dagster.fingerprint.syntax.optional_parts import is_orchestration
from jammi_dagster.fingerprint.syntax.parameters import defaults
from jammi_dagster.fingerprint.syntax.scopes import Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import children
from jammi_dagster.fingerprint.syntax.visitor import Visitor

OWN = "@"  # leads a name of the module's own
AS_BASE = "__init_subclass__"  # ends the name of a class that another is derived from
AS_METACLASS = "__metaclass__"


@dataclass(frozen=True, slots=True)
class LoadEffect:
    """The side effect of loading a statement.

    `ROWS.append(1)` has one for certain. `x = make()` has one if `make` has:

    >>> tree = ast.parse("from pkg import make; x = make()")
    >>> load_effect(tree.body[1], Scope(tree.body))
    LoadEffect(certain=False, calls=('pkg.make',))
    """

    certain: bool
    calls: tuple[str, ...]
    """Callables whose side effects the statement then has too."""


NO_EFFECT = LoadEffect(False, ())
CERTAIN_EFFECT = LoadEffect(True, ())


def load_effect(statement: ast.AST, module: Scope) -> LoadEffect:
    """Find the side effect of loading a top-level statement of a module."""
    if only_defines(statement):
        return NO_EFFECT
    visitor = _LoadEffectVisitor(module)
    visitor.walk([statement], None)
    return CERTAIN_EFFECT if visitor.is_certain else LoadEffect(False, tuple(visitor.calls))


def looks_mutating(name: str) -> bool:
    """Guess from the name of a callable of unknown code that it changes state."""
    last = next((part for part in reversed(name.split(".")) if part != CALL), "")
    return not (is_orchestration(name) or name.startswith(LABEL_PREFIXES)) and bool(
        LOOKS_MUTATING.search(last)
    )


def asks_for_main(test: ast.expr) -> bool:
    """Return whether a condition is `__name__ == "__main__"`."""
    if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq)):
        return False
    sides = (test.left, test.comparators[0])
    named = any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides)
    return named and any(isinstance(side, ast.Constant) and side.value == "__main__" for side in sides)


class _LoadEffectVisitor(Visitor[None]):
    """The visitor of the code that runs when a module is loaded; it ends at the first certain side effect."""

    def __init__(self, module: Scope) -> None:
        super().__init__()
        self.is_certain = False
        self.calls: dict[str, None] = {}
        self._module = module

    def visit_stmt(self, node: ast.AST, context: None) -> Sequence[ast.AST]:
        self.is_certain = True
        self.stop()
        return ()

    visit_Await = visit_Yield = visit_YieldFrom = visit_stmt

    def visit_Pass(self, node: ast.AST, context: None) -> Sequence[ast.AST]:
        return ()

    visit_Break = visit_Continue = visit_Import = visit_ImportFrom = visit_Lambda = visit_Pass

    def visit_Expr(self, node: ast.Expr, context: None) -> Sequence[ast.AST]:
        return () if isinstance(node.value, ast.Constant) else self.visit_stmt(node, context)

    def visit_For(self, node: ast.AST, context: None) -> Sequence[ast.AST]:
        return children(node)

    visit_While = visit_Try = visit_Match = visit_For

    def visit_If(self, node: ast.If, context: None) -> Sequence[ast.AST]:
        # An identity is that of the imported module, also for a script.
        return node.orelse if asks_for_main(node.test) else children(node)

    def visit_Assign(
        self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, context: None
    ) -> Sequence[ast.AST]:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if not all(map(_binds, targets)):
            return self.visit_stmt(node, context)
        return () if node.value is None else [node.value]

    visit_AnnAssign = visit_AugAssign = visit_Assign

    def visit_Delete(self, node: ast.Delete, context: None) -> Sequence[ast.AST]:
        return () if all(map(_binds, node.targets)) else self.visit_stmt(node, context)

    def visit_FunctionDef(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, context: None
    ) -> Sequence[ast.AST]:
        decorators = [one for one in node.decorator_list if not self._is_accessor(one, node)]
        if any(_registers(decorator, self._module) for decorator in decorators):
            return self.visit_stmt(node, context)
        self._call(decorators)
        return [*_decorator_arguments(node), *(value for _, value in defaults(node.args))]

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef, context: None) -> Sequence[ast.AST]:
        if any(_registers(decorator, self._module) for decorator in node.decorator_list):
            return self.visit_stmt(node, context)
        self._call(node.decorator_list)
        self.calls.update(dict.fromkeys(_class_hooks(node, self._module)))
        keywords = (word.value for word in node.keywords)
        return [*_decorator_arguments(node), *node.bases, *keywords, *node.body]

    def visit_Call(self, node: ast.Call, context: None) -> Sequence[ast.AST]:
        if _changes_state(node, self._module):
            return self.visit_stmt(node, context)
        self._call([node.func])
        return children(node)

    def _is_accessor(self, decorator: ast.expr, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        # a name of the module's own may hold anything
        return is_accessor(decorator, node) and not self._module.owns(node.name)

    def _call(self, functions: Iterable[ast.expr]) -> None:
        for function in functions:
            self.calls.update(dict.fromkeys(_callees(function, self._module)))


def _decorator_arguments(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> list[ast.expr]:
    return [argument for call in node.decorator_list if isinstance(call, ast.Call) for argument in call.args]


def _registers(decorator: ast.expr, module: Scope) -> bool:
    """Guess that a decorator registers the function that it gets: an object or a method of one does."""
    chain = chain_of(decorator)
    if chain is None:
        return True
    parts = [part for part in chain if part != CALL]
    if names := module.peek(chain):
        return any(looks_mutating(name) for name in names)
    return module.owns(chain[0]) and len(parts) > 1


def _class_hooks(node: ast.ClassDef, module: Scope) -> Iterator[str]:
    """Yield the hooks of bases and metaclass that run whenever a class is derived."""
    metaclasses = [word.value for word in node.keywords if word.arg == "metaclass"]
    for suffix, classes in ((AS_BASE, node.bases), (AS_METACLASS, metaclasses)):
        for cls in classes:
            found = _callees(cls.value if isinstance(cls, ast.Subscript) else cls, module)
            yield from (f"{name}.{suffix}" for name in found)


def _callees(function: ast.expr, module: Scope) -> Iterator[str]:
    chain = chain_of(function)
    if chain is None:
        return
    names = module.peek(chain)
    yield from (name for name in names if not name.startswith("builtins.") and not is_orchestration(name))
    if not names and module.owns(chain[0]):
        yield ".".join((OWN + chain[0], *chain[1:]))


def _changes_state(call: ast.Call, module: Scope) -> bool:
    chain = chain_of(call.func)
    if chain is None:
        return isinstance(call.func, ast.Subscript)
    names = module.peek(chain)
    if names:
        return any(looks_mutating(name) for name in names)
    return len(chain) > 1 and looks_mutating(chain[-1])


def _binds(target: ast.expr) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return all(map(_binds, target.elts))
    return isinstance(target, ast.Name) or (isinstance(target, ast.Starred) and _binds(target.value))
