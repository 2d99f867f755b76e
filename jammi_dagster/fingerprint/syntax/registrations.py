"""Statements that give the classes of a library another attribute, and the attributes that code asks for by name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from jammi_dagster.fingerprint.known_names import ANY, CALL
from jammi_dagster.fingerprint.known_names.hidden_code import METHODCALLER, NAMERS
from jammi_dagster.fingerprint.known_names.registrars import (
    ANY_ATTRIBUTE,
    LOOKUPS,
    METHOD,
    NOT_LOOKED_UP,
    REGISTRAR,
    REGISTRARS,
    TEXT_METHODS,
)
from jammi_dagster.fingerprint.syntax.attribute_names import asked_names
from jammi_dagster.fingerprint.syntax.constants import bindings
from jammi_dagster.fingerprint.syntax.scopes import Chain, Scope, chain_of
from jammi_dagster.fingerprint.syntax.texts import hides_names
from jammi_dagster.fingerprint.syntax.trees import children, nodes
from jammi_dagster.fingerprint.syntax.uses import Use

ANY_NAME = "*"
UNKNOWN: Chain = ()
_NAME = r"[^\W\d]\w*"
_ASKED_IN_TEXT = re.compile(rf"\.\s*({_NAME})")
_DOTTED = re.compile(rf"{_NAME}(?:\.{_NAME})*")
_DEEPEST = 3  # variables of variables


class AskedAttributes(NamedTuple):
    """The attributes that some code asks for by name; `*` among them stands for any.

    `given` are names that must be functions: a table would look up the method that a text names. `UNKNOWN` is none.
    """

    names: frozenset[str]
    given: frozenset[Chain]


class Registration(NamedTuple):
    """An attribute that a class of a library gets: `@register_dataframe_accessor("geo")`.

    `name` is empty if the function that is named `given` gives it its own name, `*` if it is computed. `beneath` are
    the decorators between, True for one that is called.
    """

    registrar: str
    library: str
    owner: str
    name: str
    given: Chain
    beneath: tuple[tuple[Chain | None, bool], ...] = ()


def registration_by_decorator(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, decorator: ast.expr, scope: Scope
) -> Registration | None:
    """Return the registration of a function or a class by one of its decorators."""
    beneath = node.decorator_list[node.decorator_list.index(decorator) + 1 :]
    is_called = [isinstance(one, ast.Call) for one in beneath]
    found_chains = [chain_of(one.func if isinstance(one, ast.Call) else one) for one in beneath]
    chains = [chain if chain and scope.owns(chain[0]) else None for chain in found_chains]
    found = _registration(decorator, scope)
    named = node.name if found and not found.name else ""
    return found and found._replace(
        name=found.name or named, beneath=tuple(zip(chains, is_called, strict=True)) if named else ()
    )


def registration_by_call(call: ast.Call, scope: Scope) -> Registration | None:
    """Return the registration by `register_dataframe_method(clean)` or `register_dataframe_accessor("geo")(Geo)`."""
    given = chain_of(call.args[0]) if len(call.args) == 1 and not call.keywords else None
    found = _registration(call.func, scope) if given else None
    if found is None or given is None:
        return None
    return found._replace(given=given, name=found.name or ("" if scope.owns(given[0]) else ANY_NAME))


def is_registrar(name: str) -> bool:
    """Return whether a function gives a class of a library another attribute."""
    return name.partition(".")[0] in REGISTRARS and bool(REGISTRAR.fullmatch(name.rpartition(".")[2]))


def _registration(registrar: ast.expr, scope: Scope) -> Registration | None:
    function = registrar.func if isinstance(registrar, ast.Call) else registrar
    names = scope.peek(chain_of(function) or ("",))
    if len(names) != 1 or not is_registrar(names[0]):
        return None
    library, *_, leaf = names[0].split(".")
    owner, how = REGISTRAR.findall(leaf)[0]
    name = ""
    if isinstance(registrar, ast.Call) == (how == METHOD):
        return None
    if isinstance(registrar, ast.Call):
        value = registrar.args[0] if len(registrar.args) == 1 and not registrar.keywords else None
        name = str(value.value) if isinstance(value, ast.Constant) else ANY_NAME
    if library == "pandas_flavor":
        library = "xarray" if owner in ("dataset", "dataarray") else "pandas"
    return Registration(names[0], library, owner, name, ())


def asked_attributes(node: ast.AST, module: Scope, uses: Iterable[Use]) -> AskedAttributes:
    """Find the attributes that a statement asks for, in its code or by texts; `uses` are all uses of it.

    >>> sorted(asked_attributes(ast.parse("frame.geo.area(by='clean_names')"), Scope([]), ()).names)
    ['area', 'clean_names', 'geo']
    """
    bound = bound_within(node)
    names: set[str] = set()
    given: set[Chain] = set()
    todo = [node]
    for one in todo:  # grows while it is read
        if isinstance(one, ast.Attribute) and not _is_of_library(one, module, bound):
            names.add(one.attr)
        elif isinstance(one, ast.MatchClass):
            names.update(one.kwd_attrs)
        elif isinstance(one, ast.Constant) and isinstance(one.value, str):
            names.update(_named_in(one.value))
        if not (_is_docstring(one) or _is_list_of_exports(one)):
            todo += children(one)
    if not names.isdisjoint(ANY_ATTRIBUTE):
        names.add(ANY_NAME)
    for use in uses:
        names.update(_asked_by(use))
        given.update(_looked_up(use))
    return AskedAttributes(frozenset(names), frozenset(given))


def bound_within(node: ast.AST) -> frozenset[str]:
    """Return the names that a statement binds at any depth, as variables or parameters."""
    found: set[str] = set()
    for one in nodes(node):
        if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load):
            found.add(one.id)
        elif isinstance(one, (ast.arg, ast.alias)):
            found.add(one.arg if isinstance(one, ast.arg) else one.asname or one.name)
        elif isinstance(name := getattr(one, "name", None), str):
            found.add(name)
    return frozenset(found)


def _is_of_library(node: ast.Attribute, module: Scope, bound: frozenset[str]) -> bool:
    """Return whether an attribute is one of a library's module: `pandas.to_datetime`."""
    head = node.value.id if isinstance(node.value, ast.Name) else ""
    names = module.peek((head,)) if head and head not in bound | module.shared else []
    is_bound_once = len(names) == 1 and len(module.texts.get(head, ())) == 1
    return is_bound_once and "." not in names[0]


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_list_of_exports(node: ast.AST) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return any(isinstance(one, ast.Name) and one.id == "__all__" for one in targets)


def _named_in(text: str) -> list[str]:
    """Return the names in a text that may be those of attributes: `geo.area`, `price.clean() > 2`."""
    return text.split(".") if _DOTTED.fullmatch(text) else _ASKED_IN_TEXT.findall(text)


def _asked_by(use: Use) -> Iterable[str]:
    """Return the attributes that a use asks for by a text; `*` if the text is computed."""
    call = use.call
    site = call.site if call and not call.is_open else None
    if use.name in ("builtins.vars", "builtins.dir", "inspect.getmembers") or hides_names(use.name, call):
        return [ANY_NAME]
    if use.name not in ("builtins.getattr", "builtins.hasattr", *NAMERS):
        is_told = site is None or not isinstance(site.node.func, ast.Attribute)  # by a text
        return [use.name.removeprefix(f"{ANY}.")] if is_told and use.name.startswith(f"{ANY}.") else []
    if site is not None and use.name not in NAMERS:
        return asked_names(site.node, site.scope) or [ANY_NAME]
    named = (site.node.args[:1] if use.name == METHODCALLER else site.node.args) if site else []
    is_told = bool(named) and all(isinstance(one, ast.Constant) for one in named)
    return [] if is_told else [ANY_NAME]


def _looked_up(use: Use) -> Iterator[Chain]:
    """Yield the names by which a table looks up methods of its own, unless they are functions."""
    site, leaf = use.call.site if use.call else None, use.name.rpartition(".")[2]
    for value in _texts_of(site.node, leaf) if site and leaf in LOOKUPS else ():
        yield from _functions(value, site.scope if site else Scope([]), 0)


def _texts_of(call: ast.Call, leaf: str) -> Iterator[ast.expr]:
    """Yield the arguments of a method of a table that may be the name of another of its methods."""
    position, words = LOOKUPS[leaf]
    spread = [one for one in call.args if isinstance(one, ast.Starred)]
    yield from spread[:1] or call.args[position : position + 1]
    for word in call.keywords:
        if word.arg is None or (word.arg not in NOT_LOOKED_UP and (words is None or word.arg in words)):
            yield word.value


def _functions(given: ast.expr, scope: Scope, depth: int) -> Iterator[Chain]:
    """Yield the dotted names in a value that must be those of functions; `UNKNOWN` for any other."""
    chain = chain_of(given)
    if isinstance(given, (ast.Constant, ast.Lambda)) or getattr(given, "attr", "") in TEXT_METHODS:
        return
    if isinstance(given, (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.IfExp)):
        parts = given.values if isinstance(given, ast.Dict) else getattr(given, "elts", None)
        for one in [given.body, given.orelse] if isinstance(given, ast.IfExp) else parts or ():
            yield from _functions(one, scope, depth)
    elif isinstance(given, ast.Call):
        made = scope.peek(chain_of(given.func) or ("",))
        if made == ["functools.partial"] and given.args:
            yield from _functions(given.args[0], scope, depth)
        elif made != ["pandas.NamedAgg"]:
            yield UNKNOWN
    elif chain is None or CALL in chain or depth > _DEEPEST:
        yield UNKNOWN
    elif scope.owns(chain[0]):
        yield chain
    elif len(chain) > 1 or not scope.is_defined(chain[0]):
        yield from _bound_functions(chain, scope, depth)


def _bound_functions(chain: Chain, scope: Scope, depth: int) -> Iterator[Chain]:
    """Yield the same for a variable of a function, by the values that it is bound to."""
    builtin = scope.peek(chain)
    if builtin and all(name.startswith("builtins.") for name in builtin):
        return
    found = list(bindings(chain[0], scope, parameters=True)) if len(chain) == 1 else []
    if not found or any(one.value is None or one.is_item for one in found):
        yield UNKNOWN
    for one in found:
        if one.value is not None:
            yield from _functions(one.value, one.scope, depth + 1)
