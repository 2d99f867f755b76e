"""The methods of a plain class that code can reach: where its objects stay at hand, the ones that are named."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.config_classes import (
    CALLED_BY_BASES,
    CONFIG_BASES,
    PREFIXES_OF_BASES,
)
from jammi_dagster.fingerprint.syntax.attribute_names import asked_names
from jammi_dagster.fingerprint.syntax.parameters import by_position
from jammi_dagster.fingerprint.syntax.scopes import Chain, FunctionScope, Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import children, nodes, parents_of
from jammi_dagster.fingerprint.syntax.validators import validates

_HIDDEN = frozenset({"super", "locals", "vars", "eval", "exec"})
_WORDS = re.compile(r"\w+")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_PLAIN_DECORATORS = frozenset({"property", "staticmethod", "classmethod"})
_ANYTHING = frozenset({"__getattr__", "__getattribute__", "__set_name__"})


def method_part(name: str) -> str:
    return f"method {name}"


def member_name(node: ast.AST) -> str:
    """Return the name of a method, or of a field with an annotation; empty for another part of a class."""
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    return node.name if isinstance(node, _FUNCTIONS) else ""


def separate_methods(cls: ast.AST) -> dict[str, frozenset[str] | None]:
    """Return the methods of a class that count one by one, with the members that each uses of its object.

    None stands for all members. Empty for a class with decorators or other ways to its methods. With bases, the methods
    that bases of config call count always; of other bases see `other_bases`.

    >>> cls = ast.parse("class C:\\n  def a(self): self.b()\\n  def b(self): return self").body[0]
    >>> separate_methods(cls)
    {'a': frozenset({'b'}), 'b': None}
    """
    if not isinstance(cls, ast.ClassDef) or cls.keywords or cls.decorator_list:
        return {}
    methods = [one for one in cls.body if isinstance(one, _FUNCTIONS)]
    names = {method.name for method in methods}
    others = [node for one in cls.body if not isinstance(one, _FUNCTIONS) for node in nodes(one)]
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


def separate_fields(cls: ast.AST, scope: Scope) -> frozenset[str]:
    """Return the fields of a class whose defaults count one by one where its objects stay at hand.

    Each is computed when the module is loaded, as `made: datetime = datetime.now()` is. All of them count once a method
    runs that hands its object on, see `handing_methods`.
    """
    if not isinstance(cls, ast.ClassDef) or not cls.bases or cls.keywords or cls.decorator_list:
        return frozenset()
    fields = [one for one in cls.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)]
    computed = [one for one in fields if one.value and any(isinstance(n, ast.Call) for n in nodes(one.value))]
    if not computed or not handing_methods(cls, scope) <= separate_methods(cls).keys():
        return frozenset()
    return frozenset(map(member_name, computed))


def handing_methods(cls: ast.AST, scope: Scope) -> frozenset[str]:
    """Return the methods of a class that hand their object to other code than pydantic.

    >>> cls = ast.parse("class Order(BaseModel):\\n  def a(self): return self.b\\n  def c(self): print(self)").body[0]
    >>> handing_methods(cls, Scope([]))
    frozenset({'c'})
    """
    methods = [one for one in getattr(cls, "body", ()) if isinstance(one, _FUNCTIONS)]
    return frozenset(one.name for one in methods if not _keeps_object(one, scope))


def reads_all_fields(member: str) -> bool:
    """Return whether a member of an object may read all of its fields."""
    return _is_called_by_base(member) or _is_dunder(member) or member.startswith("model_")


def _keeps_object(method: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> bool:
    """Return whether a method hands its object to nobody but pydantic."""
    given = by_position(method.args)
    if not given or any(getattr(one, "id", "") == "staticmethod" for one in method.decorator_list):
        return True
    own = given[0].arg
    every = nodes(method)
    parents = parents_of(every)
    for node in every:
        if not isinstance(node, ast.Name) or node.id not in (own, *_HIDDEN):
            continue
        above = parents.get(id(node))
        if isinstance(above, ast.Attribute) and node.id == own:
            is_kept = not reads_all_fields(above.attr)
        elif isinstance(above, ast.Call) and above.func is node:
            is_kept = own == node.id == "cls" and isinstance(parents.get(id(above)), ast.Return)
        elif isinstance(above, ast.Call) and getattr(above.func, "id", "") in (
            "getattr",
            "setattr",
            "hasattr",
        ):
            is_kept = above.args[0] is node and asked_names(above, FunctionScope(scope, method)) is not None
        else:
            is_kept = isinstance(above, ast.Return) and validates(method)
        if not is_kept:
            return False
    return True


def other_bases(cls: ast.AST, scope: Scope) -> tuple[Chain, ...]:
    """Return the bases of a class besides those of config: its methods count one by one if all lead to these.

    >>> other_bases(ast.parse("class Order(Table): pass").body[0], Scope([]))
    (('Table',),)
    """
    bases = cls.bases if isinstance(cls, ast.ClassDef) else []
    return tuple(chain_of(base) or () for base in bases if not _is_of_config(base, scope))


def mentioned(every: Sequence[ast.AST]) -> Iterator[str]:
    """Yield the names by which code may ask any object for a member: attributes, and words in texts."""
    documented = {id(one.value) for one in every if isinstance(one, ast.Expr)}
    for node in (one for one in every if id(one) not in documented):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _WORDS.findall(node.value) if "{" in node.value else [node.value]
        elif isinstance(node, ast.MatchClass):
            yield from node.kwd_attrs


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
    names: list[ast.Name | ast.Attribute] = []
    while todo:
        node, function = todo.pop()
        functions[id(node)] = function
        if (isinstance(node, ast.Name) or _names_class(node)) and isinstance(node.ctx, ast.Load):
            names.append(node)
        inner = node if isinstance(node, (*_FUNCTIONS, ast.Lambda)) else function
        for child in children(node):
            parents[id(child)] = node
            todo.append((child, inner))
    for name in names:
        used = _of_object(name, parents, functions[id(name)])
        key = ".".join(chain_of(name) or ())
        known = found.get(key, frozenset())
        found[key] = None if used is None or known is None else known | used
    return found


def _names_class(node: ast.AST) -> TypeGuard[ast.Attribute]:
    """Return whether an expression is a dotted name that ends as the name of a class does: `orders.Order`."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr[:1].isupper()
        and CALL not in (chain_of(node) or (CALL,))
    )


def _of_object(
    name: ast.Name | ast.Attribute, parents: Mapping[int, ast.AST], function: ast.AST
) -> frozenset[str] | None:
    """Return the members that are used of the object that a class makes, or one of its functions."""
    made = parents.get(id(name))
    asked: frozenset[str] = frozenset()
    if isinstance(made, ast.Attribute) and isinstance(made.ctx, ast.Load):
        asked, name, made = frozenset({made.attr}), made, parents.get(id(made))
    if not isinstance(made, ast.Call) or made.func is not name:
        return None
    used = _of_result(made, parents, function)
    return None if used is None else asked | used


def _of_result(made: ast.Call, parents: Mapping[int, ast.AST], function: ast.AST) -> frozenset[str] | None:
    above = parents.get(id(made))
    if isinstance(above, ast.Attribute) and isinstance(above.ctx, ast.Load):
        return frozenset({above.attr})
    if isinstance(above, ast.Assign) and len(above.targets) == 1 and isinstance(function, _FUNCTIONS):
        target = above.targets[0]
        shared = (one for one in nodes(function) if isinstance(one, (ast.Global, ast.Nonlocal)))
        if isinstance(target, ast.Name) and not any(target.id in one.names for one in shared):
            return _members(target.id, function)
    return None


def _members(variable: str, function: ast.AST) -> frozenset[str] | None:
    """Return the attributes that a function reads or sets of a variable; None if it uses the variable otherwise."""
    found: set[str] = set()
    held: set[int] = set()
    every = nodes(function)
    for node in every:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == variable:
            found.add(node.attr)
            held.add(id(node.value))
    uses = (node for node in every if isinstance(node, ast.Name) and node.id == variable)
    if any(isinstance(node.ctx, ast.Load) and id(node) not in held for node in uses):
        return None
    names = (node.id for node in every if isinstance(node, ast.Name))
    return (
        None
        if "__dict__" in found or "__class__" in found or not _HIDDEN.isdisjoint(names)
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
