"""State of running modules that no literal shows: registries, dispatchers, and classes that others extend or patch.

A value is told where it may differ from what its own source makes: an instance by the attributes that its methods
change, a class by the members that are not those of its body, a dispatcher by the functions that are registered.
"""

from __future__ import annotations

import ast
import marshal
import sys
from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Mapping
from enum import Enum
from functools import singledispatchmethod
from types import FunctionType, MappingProxyType, ModuleType, SimpleNamespace
from typing import Any, cast
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary, ref

from jammi_dagster.fingerprint.known_names.state import CONSTRUCTORS
from jammi_dagster.fingerprint.live.plain_values import attributes
from jammi_dagster.fingerprint.sources.modules import Module, libraries, of_names, of_running
from jammi_dagster.fingerprint.sources.source import UNREADABLE, Source, read
from jammi_dagster.fingerprint.syntax.functions import assigned

_PLAIN = (bool, int, float, complex, str, bytes, type(None), tuple, frozenset)
_CONTAINERS: tuple[type, ...] = (list, dict, set)
_MAKERS: Mapping[type, Callable[[Any], object]] = {
    **dict.fromkeys(
        (defaultdict, OrderedDict, Counter, UserDict, MappingProxyType, WeakValueDictionary), dict
    ),
    **dict.fromkeys((deque, UserList), list),
    ChainMap: lambda value: [*value.maps],
    SimpleNamespace: lambda value: dict(vars(value)),
    WeakKeyDictionary: lambda value: list(value.items()),
    WeakSet: set,
}

# Classes without state of their own, by `id`: the ids of their members.
_plain: dict[int, tuple[ref[type], tuple[int, ...], frozenset[str]]] = {}
State = tuple[str, object]  # its name for people, and the value


def state_of(name: str, value: object, source: Source, home: frozenset[str]) -> Iterator[State]:
    """Yield the state of the value that a module holds under a name, as far as its source may not show it.

    list(state_of("registry", registry, source, frozenset()))  # [("the items of registry", {"a": handler})]
    """
    if isinstance(value, type):
        yield from _state_of_class(value, home)
    elif isinstance(value, FunctionType):
        yield from _registered(name, value)
    elif not isinstance(value, (*_PLAIN, *_CONTAINERS, ModuleType, Enum)):
        yield from _state_of_object(name, value, source, home)


def _registered(name: str, function: object) -> Iterator[State]:
    """Yield the functions that a dispatcher chooses from, by the class that they are for."""
    registry = getattr(function, "__dict__", {}).get("registry")
    if isinstance(registry, MappingProxyType) and len(registry) > 1:
        yield f"the registry of {name}", list(registry.items())


def _state_of_object(name: str, value: object, source: Source, home: frozenset[str]) -> Iterator[State]:
    kind = type(value)
    if kind in _MAKERS:
        if (held := _MAKERS[kind](value)) and name in source.written:
            yield f"the items of {name}", held
        return
    own = [cls for cls in kind.__mro__ if _is_first_party(cls, home)]
    if not own or kind not in own:
        return
    changed = {attribute for cls in own for attribute in _changed_attributes(cls)}
    for attribute, held in attributes(value).items():
        bare = attribute.rpartition(".")[2]
        if bare in changed or _holds_code(held):
            yield f"{attribute!r} of {name}", _MAKERS.get(type(held), _same)(held)
    for base in kind.__mro__:
        if base in _CONTAINERS:
            yield f"the items of {name}", base(value)


def _same(value: object) -> object:
    return value


def _holds_code(value: object) -> bool:
    """Return whether a list, dict or set holds functions or classes, as a registry does."""
    if type(value) in _MAKERS:
        value = _MAKERS[type(value)](value)
    if not isinstance(value, (dict, list, set)):
        return False
    items = value.values() if isinstance(value, dict) else value
    return any(isinstance(item, (FunctionType, type)) for item in items)


def _changed_attributes(cls: type) -> Collection[str]:
    """Return the attributes of its objects that methods of a class change, apart from its constructors."""
    source = _source_of(cls)
    found: set[str] = set()
    for index in source.by_name.get(cls.__qualname__, ()) if source else ():
        assert source is not None
        for method, changes in source.units[index].self_changes.items():
            found |= {attribute for attribute, _ in changes} if method not in CONSTRUCTORS else set()
    return found


def _state_of_class(cls: type, home: frozenset[str]) -> Iterator[State]:
    """Yield the state of a class; one without any is not looked at again while its members are the same."""
    members = tuple(map(id, vars(cls).values()))
    known = _plain.get(id(cls))
    if known is not None and known[0]() is cls and known[1:] == (members, home):
        return
    found = list(_differing_members(cls, home))
    if not found and not any(type(member) in (*_CONTAINERS, *_MAKERS) for member in vars(cls).values()):
        _plain[id(cls)] = ref(cls), members, home
    yield from found


def _differing_members(cls: type, home: frozenset[str]) -> Iterator[State]:
    """Yield the members of a first-party class that differ from its body, or that its body does not have."""
    source, definition = _source_of(cls) if _is_first_party(cls, home) else None, None
    for index in source.by_name.get(cls.__qualname__, ()) if source else ():
        statement = source.units[index].statement if source else None
        definition = statement.node if statement else None
    if source is None or not isinstance(definition, ast.ClassDef):
        return
    written = _Body(definition)
    bases = [base for base in cls.__mro__[1:] if base is not object]
    is_plain = not definition.decorator_list and all(_is_first_party(base, home) for base in bases)
    is_plain &= type(cls) is type or _is_first_party(type(cls), home)
    for name, member in sorted(vars(cls).items()):
        told = f"{name!r} of {cls.__qualname__}"
        if _is_foreign_function(member, cls, written, name, home):
            yield told, _function_of(member)
        elif isinstance(member, singledispatchmethod):
            yield from _registered(told, member.dispatcher)
        elif name.startswith("__") or isinstance(cls, type(Enum)):
            continue
        elif type(member) in (*_CONTAINERS, *_MAKERS) and (is_plain or name in written.values):
            if not written.is_as_written(name, member):
                yield told, _MAKERS.get(type(member), _same)(member)
        elif is_plain and isinstance(member, (*_PLAIN, type)) and not written.is_as_written(name, member):
            yield told, member


class _Body:
    """The members that the body of a class binds: functions by name, and the expressions of values."""

    def __init__(self, definition: ast.ClassDef) -> None:
        self.values: dict[str, ast.expr] = {}
        self.functions: set[str] = set()
        self.others: set[str] = set()  # bound in another way, by a loop say
        for one in definition.body:
            if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
                (self.others if one.decorator_list else self.functions).add(one.name)
            elif isinstance(one, (ast.Assign, ast.AnnAssign)):
                self.values.update(assigned(one))
            else:
                named = (node for node in ast.walk(one) if isinstance(node, ast.Name))
                self.others |= {node.id for node in named if not isinstance(node.ctx, ast.Load)}
                self.others |= {
                    alias.asname or alias.name
                    for alias in getattr(one, "names", ())
                    if hasattr(alias, "name")
                }
                self.others.add(getattr(one, "name", ""))

    def is_as_written(self, name: str, member: object) -> bool:
        if name in self.others or name in self.functions:
            return True
        if name not in self.values:
            return False
        try:
            literal = ast.literal_eval(self.values[name])
        except (ValueError, TypeError, RecursionError, SyntaxError):
            # The result of an expression: only a container may have been filled since.
            return not (isinstance(member, _CONTAINERS) or type(member) in _MAKERS) or not member
        try:
            same: bool = marshal.dumps(literal) == marshal.dumps(cast("Any", member))
            return same and type(literal) is type(member)
        except ValueError:
            return False


def _is_foreign_function(member: object, cls: type, written: _Body, name: str, home: frozenset[str]) -> bool:
    """Return whether a method is a first-party function that does not stand in the body of the class."""
    function = _function_of(member)
    if not isinstance(function, FunctionType) or name in written.others or name in written.values:
        return False
    innermost = function
    while isinstance(further := innermost.__dict__.get("__wrapped__"), FunctionType):
        innermost = further
    if innermost.__qualname__ == f"{cls.__qualname__}.{name}" and innermost.__module__ == cls.__module__:
        return False
    module = of_names(innermost.__globals__)
    return module.path is not None and libraries(module, home) is None and _is_of_file(innermost)


def _is_of_file(function: FunctionType) -> bool:
    return not function.__code__.co_filename.startswith("<")  # as the methods of a dataclass


def _function_of(member: object) -> object:
    if isinstance(member, (staticmethod, classmethod)):
        return member.__func__
    return member.fget if isinstance(member, property) else member


def _module_of(cls: type) -> Module | None:
    # a metaclass may hide the name of the module, or give another object in its place
    name = getattr(cls, "__module__", None)
    return of_running(name, sys.modules.get(name)) if isinstance(name, str) else None


def _is_first_party(cls: type, home: frozenset[str]) -> bool:
    module = _module_of(cls)
    return module is not None and module.path is not None and libraries(module, home) is None


def _source_of(cls: type) -> Source | None:
    module = _module_of(cls)
    try:
        return read(module.path) if module is not None and module.path and not module.is_extension else None
    except UNREADABLE:
        return None
