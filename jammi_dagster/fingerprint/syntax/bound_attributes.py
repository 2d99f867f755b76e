"""Attributes of objects, by all that binds them: in the bodies of classes, by properties, and by assignments."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from jammi_dagster.fingerprint.syntax.bindings import bound_names
from jammi_dagster.fingerprint.syntax.constants import Placed
from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, Scope, chain_of
from jammi_dagster.fingerprint.syntax.sets import own_nodes
from jammi_dagster.fingerprint.syntax.statements import Statement
from jammi_dagster.fingerprint.syntax.trees import nodes

# Names by which code binds attributes of an object without naming them; a property stands above these.
UNSEEN = re.compile(
    rb"\b(?:__dict__|__getattr__|__getattribute__|__setattr__|__setstate__|__class__|setattr|vars)\b"
)


def binds(cls: ast.ClassDef, name: str) -> bool:
    """Return whether a class binds an attribute in its body, or a method of it one of `self`."""
    if any(name in bound_names(part) for part in cls.body):
        return True
    stored = (
        one for one in nodes(cls) if isinstance(one, ast.Attribute) and not isinstance(one.ctx, ast.Load)
    )
    return any(chain_of(one) == ("self", name) for one in stored)


def bound_attributes(statements: Sequence[Statement], name: str, *, only_named: bool) -> list[Placed] | None:
    """Return the expressions that any object may hold under a name; None if something else may bind it.

    `only_named`: no code binds attributes but by their names.
    """
    properties: list[Placed | None] = []
    values: list[Placed | None] = []
    for statement in statements:
        for node in nodes(statement.node):
            if isinstance(node, ast.ClassDef) and name in {
                one for part in node.body for one in bound_names(part)
            }:
                if node is not statement.node:
                    return None
                for part in node.body:
                    properties += _returned(part, name, statement.scope)
                    values += _in_body(part, name, statement.scope)
        values += _assigned(statement, name)
    if values and not only_named:
        return None
    found = [one for one in (*properties, *values) if one is not None]
    return found if found and len(found) == len(properties) + len(values) else None


def _returned(method: ast.stmt, name: str, scope: Scope) -> Iterator[Placed | None]:
    """Yield the results of a property; none of one that only fails."""
    if not isinstance(method, ast.FunctionDef) or method.name != name:
        return
    decorators = [scope.peek(chain_of(one) or ("",)) for one in method.decorator_list]
    every, own = own_nodes(method), FunctionScope(scope, method)
    returned = [one.value for one in every if isinstance(one, ast.Return)]
    is_open = any(isinstance(one, (ast.Yield, ast.YieldFrom)) for one in every)
    if (
        decorators != [["builtins.property"]]
        or is_open
        or not isinstance(method.body[-1], (ast.Raise, ast.Return))
    ):
        yield None
    yield from (None if value is None else (value, own) for value in returned)


def _in_body(part: ast.stmt, name: str, scope: Scope) -> Iterator[Placed | None]:
    """Yield the value of a name in the body of a class, where a plain assignment binds it."""
    if name in bound_names(part) and not isinstance(part, ast.FunctionDef):
        is_plain = isinstance(part, ast.Assign) and all(isinstance(to, ast.Name) for to in part.targets)
        yield (part.value, scope) if isinstance(part, ast.Assign) and is_plain else None


def _assigned(statement: Statement, name: str) -> Iterator[Placed | None]:
    """Yield the values that are assigned to attributes of this name; `self.x = …` in a method shows them."""
    known: dict[int, Placed] = {}
    for method in statement.node.body if isinstance(statement.node, ast.ClassDef) else ():
        if isinstance(method, ast.FunctionDef):
            own = FunctionScope(statement.scope, method)
            for one in own_nodes(method):
                if isinstance(one, ast.Assign) and len(one.targets) == 1:
                    known[id(one.targets[0])] = (one.value, own)
    for one in nodes(statement.node):
        if isinstance(one, ast.Attribute) and one.attr == name and not isinstance(one.ctx, ast.Load):
            yield known.get(id(one)) if chain_of(one) == ("self", name) else None
