"""The methods of a plain class that code can reach: where its objects stay at hand, the ones that are named."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from jammi_dagster.fingerprint.known_names.config_classes import (
    CALLED_BY_BASES,
    CONFIG_BASES,
    PREFIXES_OF_BASES,
)
from jammi_dagster.fingerprint.syntax.parameters import by_position
from jammi_dagster.fingerprint.syntax.scopes import Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import children

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_PLAIN_DECORATORS = frozenset({"property", "staticmethod", "classmethod"})
_ANYTHING = frozenset({"__getattr__", "__getattribute__", "__set_name__"})


def method_part(name: str) -> str:
    return f"method {name}"


def separate_methods(cls: ast.AST, scope: Scope) -> dict[str, frozenset[str] | None]:
    """Return the methods of a class that count one by one, with the members that each uses of its object.

    None stands for all members. Empty for a class with bases, decorators or other ways to its methods. A class of
    config may have the bases that make it one: the methods that these call count always.

    >>> cls = ast.parse("class C:\\n  def a(self): self.b()\\n  def b(self): return self").body[0]
    >>> separate_methods(cls, Scope([]))
    {'a': frozenset({'b'}), 'b': None}
    """
    if not isinstance(cls, ast.ClassDef) or cls.keywords or cls.decorator_list:
        return {}
    if cls.bases and not all(_is_of_config(base, scope) for base in cls.bases):
        return {}
    methods = [one for one in cls.body if isinstance(one, _FUNCTIONS)]
    names = {method.name for method in methods}
    others = [node for one in cls.body if not isinstance(one, _FUNCTIONS) for node in ast.walk(one)]
    if names & _ANYTHING or any(isinstance(node, ast.Name) and node.id in names for node in others):
        return {}
    decorated = {method.name for method in methods if not all(map(_is_plain, method.decorator_list))}
    found: dict[str, frozenset[str] | None] = {}
    for method in methods:
        called = bool(cls.bases) and _is_called_by_base(method.name)
        if method.name not in decorated and not _is_dunder(method.name) and not called:
            used = members_of_self(method)
            known = found.get(method.name, frozenset())
            found[method.name] = None if used is None or known is None else known | used
    return found


def members_of_self(method: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str] | None:
    """Return the members that a method uses of its object; None if it hands the object on."""
    given = by_position(method.args)
    if not given:
        return frozenset()
    return _members(given[0].arg, method)


def members_of_variable(variable: str, function: ast.AST) -> frozenset[str] | None:
    """Return the members that a function uses of the object of a variable; None if it hands the object on."""
    return _members(variable, function)


def members_used(statement: ast.AST) -> dict[str, frozenset[str] | None]:
    """Return the members that a statement uses of objects which it makes itself, by the name of their class.

    None for a name that is used in any other way.

    >>> members_used(ast.parse("Lake(None).write(1)").body[0])
    {'Lake': frozenset({'write'})}
    """
    parents: dict[int, ast.AST] = {}
    functions: dict[int, ast.AST] = {}
    todo: list[tuple[ast.AST, ast.AST]] = [(statement, statement)]
    found: dict[str, frozenset[str] | None] = {}
    names: list[ast.Name] = []
    while todo:
        node, function = todo.pop()
        functions[id(node)] = function
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            names.append(node)
        inner = node if isinstance(node, (*_FUNCTIONS, ast.Lambda)) else function
        for child in children(node):
            parents[id(child)] = node
            todo.append((child, inner))
    for name in names:
        used = _of_object(name, parents, functions[id(name)])
        known = found.get(name.id, frozenset())
        found[name.id] = None if used is None or known is None else known | used
    return found


def _of_object(name: ast.Name, parents: Mapping[int, ast.AST], function: ast.AST) -> frozenset[str] | None:
    made = parents.get(id(name))
    if not isinstance(made, ast.Call) or made.func is not name:
        return None
    above = parents.get(id(made))
    if isinstance(above, ast.Attribute) and isinstance(above.ctx, ast.Load):
        return frozenset({above.attr})
    if isinstance(above, ast.Assign) and len(above.targets) == 1 and isinstance(function, _FUNCTIONS):
        target = above.targets[0]
        shared = (one for one in ast.walk(function) if isinstance(one, (ast.Global, ast.Nonlocal)))
        if isinstance(target, ast.Name) and not any(target.id in one.names for one in shared):
            return _members(target.id, function)
    return None


def _members(variable: str, function: ast.AST) -> frozenset[str] | None:
    """Return the attributes that a function reads or sets of a variable; None if it uses the variable otherwise."""
    found: set[str] = set()
    held: set[int] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == variable:
            found.add(node.attr)
            held.add(id(node.value))
    uses = (node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == variable)
    if any(isinstance(node.ctx, ast.Load) and id(node) not in held for node in uses):
        return None
    hidden = {"super", "locals", "vars", "eval", "exec"}
    names = (node.id for node in ast.walk(function) if isinstance(node, ast.Name))
    return (
        None
        if "__dict__" in found or "__class__" in found or not hidden.isdisjoint(names)
        else frozenset(found)
    )


def _is_plain(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Name) and decorator.id in _PLAIN_DECORATORS


def _is_of_config(base: ast.expr, scope: Scope) -> bool:
    names = scope.peek(chain_of(base.value if isinstance(base, ast.Subscript) else base) or ("",))
    return bool(names) and CONFIG_BASES.issuperset(names)


def _is_called_by_base(name: str) -> bool:
    return name in CALLED_BY_BASES or name.startswith(PREFIXES_OF_BASES)


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
