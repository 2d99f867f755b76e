"""Variables that code hands to a call: a library may read the annotations and docstrings of a function or a class."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.annotation_blind import BLIND_METHODS
from jammi_dagster.fingerprint.syntax.scopes import Chain, Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import children
from jammi_dagster.fingerprint.syntax.uses import HandOver

_DISPLAYS = (ast.Starred, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.keyword, ast.IfExp, ast.BoolOp)


def handed_over(call: ast.Call, scope: Scope) -> Iterator[Callable[[], HandOver]]:
    """Yield the variables among the arguments of a call that may be functions or classes, not yet resolved."""
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if method in BLIND_METHODS:
        return
    todo: list[ast.AST] = [*call.args, *call.keywords]
    for node in todo:  # grows while it is read
        if isinstance(node, (ast.Name, ast.Attribute)):
            chain = chain_of(node)
            if chain and CALL not in chain and not scope.is_local(chain[0]):
                yield partial(_resolved, scope, chain, chain_of(call.func), method)
        elif isinstance(node, _DISPLAYS):
            todo += children(node)


def decorated(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, scope: Scope
) -> Iterator[HandOver]:
    """Yield the decorators of a definition, each as a call that gets it."""
    for decorator in node.decorator_list:
        yield _resolved(scope, (node.name,), chain_of(decorator), "")


def _resolved(scope: Scope, given: Chain, callee: Chain | None, method: str) -> HandOver:
    names = tuple(scope.peek(callee)) if callee else ()
    return HandOver(given, callee, names, method, scope.is_parameter(given[0]))
