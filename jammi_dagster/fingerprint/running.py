"""Whether the code that this process runs is the code that its source files hold.

An identity is read from files, but it stands for what is executed. A module that was imported before its file was
edited still runs the old code. So the first time a running module is met, its live functions and constants are
compared with what its file would give; from then on the file may change only in ways that mean nothing. Lists, dicts
and class attributes that were edited before that first look are not seen: look early, at decoration.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import _lru_cache_wrapper
from importlib.machinery import SourceFileLoader
from types import CodeType, FunctionType
from typing import Any

from jammi_dagster.fingerprint.definitions import Label, Place
from jammi_dagster.fingerprint.modules import shown
from jammi_dagster.fingerprint.reasons import reason
from jammi_dagster.fingerprint.source import Source, read
from jammi_dagster.fingerprint.syntax import compiled, constant

# The code objects of a file by place; for a module whose loader does not run its file as it stands, None.
Codes = Mapping[Place, tuple[CodeType, ...]]


@dataclass(frozen=True, slots=True)
class Running:
    """A module as it was when this process first looked at it."""

    path: str
    spec: object  # reloading a module gives it a new one; a script has none
    names: int  # the `id` of its global names
    source: Source
    codes: Codes | None
    edited: str | None  # a function that is not what the file says

    def label(self, function: FunctionType) -> Label | str:
        """Which function of the source this is, or why that is not known."""
        code, name = function.__code__, function.__qualname__
        if os.path.abspath(code.co_filename) != self.path:
            return reason(
                f"{name} was made outside its file, by `exec` or interactively", "define it in a module"
            )
        found = self.source.functions.get(place(code), ())
        if not found or not _is_in(code, self.codes):
            return differs(self.path, name)
        if len(found) > 1:
            line = f"{shown(self.path)}:{code.co_firstlineno}"
            return reason(
                f"{line} has several lambdas; which one is meant is not known", "put each on its own line"
            )
        return found[0]


_met: dict[str, Running] = {}


def running(path: str, live: Mapping[str, Any]) -> Running:
    """The module of a file, whose live names are given. Raises one of `source.UNREADABLE`."""
    held = _met.get(path)
    if held is None or held.spec is not live.get("__spec__") or held.names != id(live):
        held = _met[path] = _meet(path, live)
    return held


def doubt(path: str, live: Mapping[str, Any], now: Source, *, docstrings: bool) -> str | None:
    """Why a running module may not be what its file says now. Raises one of `source.UNREADABLE`."""
    met = running(path, live)
    if met.source.digest(docstrings=docstrings) != now.digest(docstrings=docstrings):
        return differs(path, "its syntax tree")
    constants = met.source.constants.items()
    patched = (name for name, value in constants if name in live and not _same(live[name], value))
    what = met.edited or next(patched, None)
    return differs(path, what) if what else None


def _meet(path: str, live: Mapping[str, Any]) -> Running:
    source = read(path)
    plain = type(live.get("__loader__")) in (SourceFileLoader, type(None))
    codes = _codes(compiled(source.content, path)) if plain else None
    there = (function.__code__ for function in _functions(live))
    edited = (
        code.co_name
        for code in there
        if os.path.abspath(code.co_filename) == path and not _is_in(code, codes)
    )
    return Running(path, live.get("__spec__"), id(live), source, codes, next(edited, None))


def differs(path: str, what: str) -> str:
    found = f"{shown(path)}: {what} differs between the source on disk and the running code"
    return reason(found, "restart the code location")


def _functions(live: Mapping[str, Any]) -> Iterator[FunctionType]:
    """The functions and methods among a module's names, with what they wrap."""
    for value in list(live.values()):
        if isinstance(value, type) and value.__module__ == live.get("__name__"):
            for member in list(vars(value).values()):
                yield from _unwrapped(member)
        else:
            yield from _unwrapped(value)


def _unwrapped(value: object) -> Iterator[FunctionType]:
    """Only what is known to answer without running code is asked."""
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    elif isinstance(value, property):
        yield from (part for part in (value.fset, value.fdel) if isinstance(part, FunctionType))
        value = value.fget
    while isinstance(value, (FunctionType, _lru_cache_wrapper)):
        if isinstance(value, FunctionType):
            yield value
        value = value.__dict__.get("__wrapped__")


def _codes(module: CodeType) -> Codes:
    found: dict[Place, tuple[CodeType, ...]] = {}
    todo = [module]
    while todo:
        code = todo.pop()
        found[place(code)] = (*found.get(place(code), ()), code)
        todo += [value for value in code.co_consts if isinstance(value, CodeType)]
    return found


def place(code: CodeType) -> Place:
    return code.co_name, code.co_firstlineno


def _is_in(code: CodeType, codes: Codes | None) -> bool:
    return codes is None or code in codes.get(place(code), ())


def _same(live: object, value: object) -> bool:
    if isinstance(live, tuple) and isinstance(value, tuple):
        return type(live) is tuple and len(live) == len(value) and all(map(_same, live, value))
    return type(live) is type(value) and constant(live) == constant(value)
