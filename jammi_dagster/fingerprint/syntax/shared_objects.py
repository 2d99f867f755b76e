"""Objects that a module holds: the way in which their values can change, and the load-time statements that change them.

`NOISE = rng.normal()` changes `rng`: the next statement that draws from it depends on this one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.mutations import MUTATING_METHODS
from jammi_dagster.fingerprint.known_names.state import (
    IMMUTABLE_MAKERS,
    NOT_QUIET,
    QUIET_METHODS,
    QUIET_MODULES,
    STATEFUL_MAKERS,
    STATEFUL_MODULES,
)
from jammi_dagster.fingerprint.syntax.functions import only_defines
from jammi_dagster.fingerprint.syntax.optional_parts import is_orchestration
from jammi_dagster.fingerprint.syntax.scopes import Chain, Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import children, nodes, parents_of
from jammi_dagster.fingerprint.syntax.visitor import Visitor

IMMUTABLE, OBJECT, STATEFUL = "immutable", "object", "stateful"
_OPERATORS = (ast.BinOp, ast.BoolOp, ast.UnaryOp, ast.IfExp, ast.Tuple, ast.Starred, ast.FormattedValue)


class Touch(NamedTuple):
    """An object that a statement may change when it is loaded: the head of a chain, and the callable that gets it."""

    chain: Chain
    callee: Chain | None  # None: it is changed for certain


def kind_of(value: ast.expr, scope: Scope) -> str:
    """Tell how the value of an expression can change.

    >>> kind_of(ast.parse("(1, 'a')", mode="eval").body, Scope([]))
    'immutable'
    """
    todo, kind = [value], IMMUTABLE
    while todo:
        node = todo.pop()
        if isinstance(node, ast.GeneratorExp):
            return STATEFUL
        if isinstance(node, ast.Call):
            found = _kind_of_call(node, scope)
            if found == STATEFUL:
                return found
            kind = OBJECT if found == OBJECT else kind
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Call):
            kind = OBJECT
            if _kind_of_call(node.value, scope) == STATEFUL:
                return STATEFUL  # a method of it
        elif isinstance(node, (ast.List, ast.Set, ast.Dict)):
            kind = OBJECT
            items = [child for child in children(node) if isinstance(child, ast.expr)]
            todo += [item for item in items if not isinstance(item, ast.Starred)]  # `*x` is used up at once
        elif isinstance(node, (ast.ListComp, ast.DictComp)):
            kind = OBJECT
            todo.append(node.value if isinstance(node, ast.DictComp) else node.elt)
        elif isinstance(node, _OPERATORS):
            todo += [child for child in children(node) if isinstance(child, ast.expr)]
        elif not isinstance(node, (ast.Constant, ast.Lambda, ast.Compare, ast.JoinedStr)):
            kind = OBJECT
    return kind


def _kind_of_call(call: ast.Call, scope: Scope) -> str:
    chain = chain_of(call.func)
    if chain is None or CALL in chain:
        return OBJECT
    names = scope.peek(chain)
    if any(name in STATEFUL_MAKERS or name.rpartition(".")[0] in STATEFUL_MODULES for name in names):
        return STATEFUL
    if chain[-1][:1].isupper() or names == ["functools.partial"]:  # it keeps its arguments
        given = [
            one for one in (*call.args, *(word.value for word in call.keywords)) if isinstance(one, ast.Call)
        ]
        if any(_is_generator_of_numbers(one, scope) for one in given):
            return STATEFUL
    is_fixed = names and all(name in IMMUTABLE_MAKERS or is_orchestration(name) for name in names)
    return IMMUTABLE if is_fixed else OBJECT


def _is_generator_of_numbers(call: ast.Call, scope: Scope) -> bool:
    names = scope.peek(chain_of(call.func) or ("",))
    return any(name in STATEFUL_MAKERS and not name.startswith("builtins.") for name in names)


def touches(statement: ast.AST, scope: Scope) -> tuple[Touch, ...]:
    """Find the objects that a top-level statement may change when it is loaded."""
    if only_defines(statement):
        return ()
    visitor = _TouchVisitor(scope)
    visitor.walk([statement], None)
    return tuple(dict.fromkeys(visitor.found))


class _TouchVisitor(Visitor[None]):
    """The visitor of the code that runs when a module is loaded."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.found: list[Touch] = []
        self._scope = scope

    def visit_Lambda(self, node: ast.AST, context: None) -> Sequence[ast.AST]:
        return ()

    visit_Import = visit_ImportFrom = visit_Lambda

    def visit_FunctionDef(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, context: None
    ) -> Sequence[ast.AST]:
        return [*node.decorator_list, *node.args.defaults]

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Name(self, node: ast.Name, context: None) -> Sequence[ast.AST]:
        """Visit a name that stands in an expression: an iterator is used up by nearly everything."""
        if isinstance(node.ctx, ast.Load) and self._is_own(node.id):
            self.found.append(Touch((node.id,), ("builtins", "iter")))
        return ()

    def visit_Attribute(self, node: ast.Attribute, context: None) -> Sequence[ast.AST]:
        chain = chain_of(node)
        if not isinstance(node.ctx, ast.Load) and chain and CALL not in chain:
            self.found.append(Touch(chain[:-1], None))
            return ()
        return children(node)

    def visit_Subscript(self, node: ast.Subscript, context: None) -> Sequence[ast.AST]:
        chain = chain_of(node.value)
        if not isinstance(node.ctx, ast.Load) and chain and CALL not in chain:
            self.found.append(Touch(chain, None))
        return children(node)

    def visit_Call(self, node: ast.Call, context: None) -> Sequence[ast.AST]:
        callee = chain_of(node.func)
        names = self._scope.peek(callee) if callee else []
        if any(map(is_orchestration, names)):
            return [*node.args, *node.keywords]
        if callee and len(callee) > 1 and CALL not in callee and callee[-1] not in QUIET_METHODS:
            self.found.append(Touch(callee[:-1], None if callee[-1] in MUTATING_METHODS else callee))
        if callee and len(callee) == 1:
            self.found.append(Touch(callee, callee))
        if not _is_quiet(callee, names):
            self.found += [Touch(chain, callee or ()) for chain in _given(node)]
        return children(node)

    def _is_own(self, name: str) -> bool:
        return self._scope.owns(name)


def _is_quiet(callee: Chain | None, names: Sequence[str]) -> bool:
    if callee and callee[-1] in QUIET_METHODS:
        return True
    tops = [name for name in names if name not in NOT_QUIET]
    return (
        bool(names)
        and len(tops) == len(names)
        and all(name.partition(".")[0] in QUIET_MODULES and ".random." not in name for name in tops)
    )


def _given(call: ast.Call) -> Iterator[Chain]:
    """Yield the variables that a call gets, also within lists and the like."""
    todo: list[ast.AST] = [*call.args, *(word.value for word in call.keywords)]
    for node in todo:  # grows while it is read
        if isinstance(node, (ast.Starred, ast.List, ast.Tuple, ast.Dict, ast.Set)):
            todo += children(node)
        elif isinstance(node, (ast.Name, ast.Attribute)) and (chain := chain_of(node)) and CALL not in chain:
            yield chain


# Functions that take values from an iterator at once, and ones whose result goes on taking them.
_TAKERS = frozenset(
    {"next", "list", "tuple", "sorted", "sum", "min", "max", "set", "frozenset", "dict", "any", "all", "len"}
)
_LAZY_TAKERS = frozenset({"zip", "enumerate", "islice", "map", "filter", "takewhile", "reversed"})
_SHARING_METHODS = frozenset({"spawn", "jumped", "copy", "clone", "iter"})  # their results go on drawing


def only_draws(statement: ast.AST, name: str) -> bool:
    """Return whether a statement takes values from a generator or an iterator, and keeps no hold of it.

    >>> only_draws(ast.parse("x = rng.normal(size=2)").body[0], "rng")
    True
    >>> only_draws(ast.parse("x = Sampler(rng)").body[0], "rng")
    False
    """
    every = nodes(statement)
    parents = parents_of(every)
    uses = [
        node
        for node in every
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    ]
    return all(_is_draw(use, parents) for use in uses)


def _is_draw(use: ast.AST, parents: Mapping[int, ast.AST]) -> bool:
    above: ast.AST | None = use
    while above is not None:  # a function or a generator draws later
        if isinstance(above, (ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef, ast.GeneratorExp)):
            return False
        above = parents.get(id(above))
    parent = parents.get(id(use))
    if isinstance(parent, ast.Attribute):
        call = parents.get(id(parent))
        return isinstance(call, ast.Call) and call.func is parent and parent.attr not in _SHARING_METHODS
    if isinstance(parent, (ast.comprehension, ast.For)):
        return parent.iter is use
    while isinstance(parent, ast.Call) and (chain_of(parent.func) or ("",))[-1] in _LAZY_TAKERS:
        parent = parents.get(id(parent))
    return isinstance(parent, ast.Call) and (chain_of(parent.func) or ("",))[-1] in _TAKERS
