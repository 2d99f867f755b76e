"""Registrations: the attributes that a statement gives to the classes of a library.

Such a statement counts where code asks for one of the attributes by name. One that replaces an attribute of the library
itself counts for everything: the library's own code may ask for it.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator, Set
from functools import lru_cache
from pathlib import Path

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.registrars import CLASS_FILES
from jammi_dagster.fingerprint.reach.effects import ANYTHING, Effect
from jammi_dagster.fingerprint.reach.places import Places
from jammi_dagster.fingerprint.reach.routes import Node
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.registrations import ANY_NAME, Registration, is_registrar
from jammi_dagster.fingerprint.syntax.scopes import Chain, FunctionScope, Scope, chain_of
from jammi_dagster.fingerprint.syntax.sets import own_nodes

GROUP = "group"  # a part of the names of all that makes groups
ATTRIBUTES = "."  # stands for the path of the file in the names of attributes of libraries
# A class or function at the top of a file; a method or class within another; an attribute.
_DEFINITION = re.compile(
    r"^(?:(?:async )?(class|def)\b|[ \t]+(?:async )?(?:def|class) (\w+)|(?: {4}|\t)(\w+)\s*(?::[^=\n]+)?=[^=])",
    re.MULTILINE,
)
_KEY = re.compile(r"""["'](\w+)["']\s*:""")  # of the tables from which pandas makes its operators


def registered(one: Registration, node: Node, places: Places) -> Effect:
    """Return the effect of a registration: the name of the attribute, or anything of the library too."""
    name = _name_of(one, node, places)
    own = _attributes(one.library, one.owner)
    if not name or not own or name in own or name.startswith(("_", ANY_NAME)):
        changed = (one.registrar, f"{one.library}.{one.registrar.rpartition('.')[2]}")
        foreign = frozenset(f"{function}.{CALL}" for function in changed)
        return ANYTHING._replace(named=frozenset({(ATTRIBUTES, name or ANY_NAME)}), foreign=foreign)
    return Effect(frozenset({(ATTRIBUTES, f"{name} {GROUP}" if GROUP in one.owner else name)}))


def _name_of(one: Registration, node: Node, places: Places) -> str:
    """Return the name of the attribute; empty if it cannot be told."""
    name = one.name
    if one.given and not name:
        units = _functions(node, places, one.given)
        name = units[0].names[0] if len(units) == 1 and units[0].is_plain_function else ""
    return name if all(_keeps_name(node, places, *under) for under in one.beneath) else ""


def given_attribute(name: str) -> str:
    """Return the attribute of a library's class that a statement sets, by the name that it changes; empty for another.

    >>> given_attribute("pandas.DataFrame.tidy"), given_attribute("pandas.options")
    ('tidy', '')
    """
    owner, _, attribute = name.rpartition(".")
    return attribute if owner.rpartition(".")[2][:1].isupper() else ""


def is_asked_for(attribute: str, asked: Set[str]) -> bool:
    """Return whether code that asks for some attributes may get a registered one; of groups where it groups at all.

    >>> is_asked_for("total group", {"total"}), is_asked_for("total group", {"total", "groupby"})
    (False, True)
    """
    if attribute == ANY_NAME:
        return bool(asked)
    name, _, of_groups = attribute.partition(" ")
    is_named = name in asked and (not of_groups or any(GROUP in one.lower() for one in asked))
    return is_named or ANY_NAME in asked


def _keeps_name(node: Node, places: Places, decorator: Chain | None, is_called: bool) -> bool:
    """Return whether a decorator gives the function that it returns the name of the one that it gets."""
    names = node.source.scope.peek(decorator) if node.source and decorator else []
    if names and all(name.startswith("functools.") and name.endswith("cache") for name in names):
        return True
    if len(names) == 1 and is_registrar(names[0]):
        return True
    units = _functions(node, places, decorator) if decorator else []
    return bool(units) and all(_wraps(unit, is_called) for unit in units)


def _functions(node: Node, places: Places, chain: Chain) -> list[Unit]:
    """Return the functions that a dotted name stands for by their own name: no attribute or result of one."""
    return [unit for _, unit in places.definitions(node, chain) if unit.names == chain[-1:]]


def _wraps(unit: Unit, is_called: bool) -> bool:
    """Return whether a decorator, or one that a function makes, returns its function or one that `wraps` names so."""
    node = unit.statement.node if unit.statement else None
    if unit.statement is None or not isinstance(node, ast.FunctionDef) or node.decorator_list:
        return False
    return _returns_wrapped(node, unit.statement.scope, is_called)


def _returns_wrapped(function: ast.FunctionDef, around: Scope, is_maker: bool) -> bool:
    every, scope = own_nodes(function), FunctionScope(around, function)
    inner = {one.name: one for one in every[1:] if isinstance(one, ast.FunctionDef)}
    returned = [one.value for one in every if isinstance(one, ast.Return)]
    if not returned or any(getattr(one, "attr", "") == "__name__" for one in every if _stores(one)):
        return False
    for value in returned:
        name = value.id if isinstance(value, ast.Name) else ""
        made = inner.get(name)
        if made is None:
            is_same = not is_maker and scope.is_parameter(name)
        elif is_maker:
            is_same = not made.decorator_list and _returns_wrapped(made, scope, False)
        else:
            is_same = [_called_as(one, scope) for one in made.decorator_list] == [["functools.wraps"]]
        if not is_same:
            return False
    return True


def _stores(node: ast.AST) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Store)


def _called_as(decorator: ast.expr, scope: Scope) -> list[str]:
    return scope.peek(chain_of(decorator.func) or ("",)) if isinstance(decorator, ast.Call) else []


@lru_cache
def _attributes(library: str, owner: str) -> frozenset[str]:
    """Return the attributes that the classes of a library have by themselves, and some more."""
    spec = importlib.util.find_spec(library)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    files = [
        file
        for folder in folders
        for place in CLASS_FILES.get(library, {}).get(owner, ())
        for file in Path(folder).glob(place)
    ]
    return frozenset(name for file in files for name in _defined(file))


def _defined(file: Path) -> Iterator[str]:
    text, in_class = file.read_text(encoding="utf-8"), False
    for header, method, field in _DEFINITION.findall(text):
        in_class = header == "class" if header else in_class
        if method or (field and in_class):
            yield method or field
    if file.parent.name == "ops":
        yield from _KEY.findall(text)


def is_dispatcher(unit: Unit) -> bool:
    """Return whether functions are registered with a function: it calls one of them by the class of its argument."""
    node, scope = (unit.statement.node, unit.statement.scope) if unit.statement else (None, None)
    outermost = node.decorator_list[:1] if isinstance(node, ast.FunctionDef) else []
    names = [scope.peek(chain_of(one) or ("",)) for one in outermost if scope]
    return names == [["functools.singledispatch"]]
