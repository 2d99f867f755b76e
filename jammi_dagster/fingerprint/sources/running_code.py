"""The comparison of running code with its source files.

An identity is read from files, but it stands for the code that runs. A module that was imported before its file was
edited still runs the old code. So the first time a running module is met, its live functions and constants are
compared with those of its file; after that the reached parts of the file may change in layout only. Class attributes
and results of calls that were edited before this first look are not noticed: look early, at decoration.
"""

from __future__ import annotations

import ast
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import _lru_cache_wrapper, partial
from importlib.machinery import SourceFileLoader
from types import CodeType, FunctionType, ModuleType
from typing import Any

from jammi_dagster.fingerprint.known_names.wrappers import RECOMPILERS
from jammi_dagster.fingerprint.reasons import Outdated, reason
from jammi_dagster.fingerprint.sources.modules import shown
from jammi_dagster.fingerprint.sources.source import UNREADABLE, Source, read
from jammi_dagster.fingerprint.syntax.functions import Label, Place
from jammi_dagster.fingerprint.syntax.scopes import chain_of
from jammi_dagster.fingerprint.syntax.trees import Digests, compiled, constant

# The code objects of a file by place; for a module whose loader does not run its file as it stands, None.
Codes = Mapping[Place, Sequence[CodeType]]
_UNPACKED = frozenset({type(None), ast.Starred})  # `{**a}` and `[*a]`
_PLAIN = frozenset({str, int, bool, bytes, type(None)})  # equal if and only if they are the same


@dataclass(frozen=True, slots=True)
class RunningModule:
    """A module as it was when this process first looked at it."""

    path: str
    spec: object  # reloading a module gives it a new one; a script has none
    names: int  # the `id` of its global names
    source: Source
    codes: Codes | None
    edited: Mapping[str, str]  # names that hold, or lead to, a function that differs from the file

    def label(self, function: FunctionType) -> Label | str:
        """Return which function of the source this is, or the reason why that is not known."""
        code, name = function.__code__, function.__qualname__
        if not _is_of(code, self.path):
            return reason(
                f"{name} was made by `exec` or typed in, outside of any file", "define it in a module"
            )
        found = self.source.functions.get(place(code), ())
        if _is_recompiled(self.source, name):  # without its decorators, so that it begins at another line
            found = [
                label for labels in self.source.functions.values() for label in labels if label[0] == name
            ]
        elif not _is_in(code, self.codes):
            found = ()
        if not found:
            return differs(self.path, name)
        if len(found) > 1:
            line = f"{shown(self.path)}:{code.co_firstlineno}"
            return reason(f"{line} has several lambdas that cannot be told apart", "put each on its own line")
        return found[0]


_met: dict[str, RunningModule] = {}


def running(path: str, live: Mapping[str, Any]) -> RunningModule:
    """Return the running module of a file by its live names. Raises one of `source.UNREADABLE`."""
    held = _met.get(path)
    if held is None or held.spec is not live.get("__spec__") or held.names != id(live):
        held = _met[path] = _meet(path, live)
    return held


def is_met(path: str) -> bool:
    """Tell whether the file of a running module was read before."""
    return path in _met


def differences(
    path: str, live: Mapping[str, Any], now: Source, *, names: Iterable[str], labels: Iterable[Label]
) -> Iterator[str]:
    """Yield the reasons why names and functions of a running module may differ from its file.

    Raises one of `UNREADABLE`.
    """
    met = running(path, live)
    for label in labels if met.source is not now else ():
        spelled = [
            (s.units[i].digests if (i := s.unit_of(label)) is not None else None) for s in (met.source, now)
        ]
        if spelled[0] != spelled[1]:
            yield differs(path, label[0])
    for name in names:
        respelled = met.source is not now and _spelled(met.source, name) != _spelled(now, name)
        if name in met.edited:
            yield differs(path, met.edited[name])
        elif respelled or _is_patched(met, live, name):
            yield differs(path, name)


def load_difference(path: str, live: Mapping[str, Any], now: Source) -> str | None:
    """Return the reason why the side effects of loading a module may differ from its file.

    Raises one of `UNREADABLE`.
    """
    met = running(path, live).source
    if met is now:
        return None
    old, new = ([unit.digests for unit in source.units if unit.load_effect.certain] for source in (met, now))
    return None if old == new else differs(path, "module-level code")


def _spelled(source: Source, name: str) -> list[Digests]:
    return [source.units[index].digests for index in source.by_name.get(name, ())]


def _is_patched(met: RunningModule, live: Mapping[str, Any], name: str) -> bool:
    if name not in live:
        return False  # the module is still being loaded, or took the name back
    value = live[name]
    if name in met.source.constants:
        return is_immutable(met.source.constants[name]) and not _same(value, met.source.constants[name])
    indexes = met.source.by_name.get(name, ())
    units = [met.source.units[index] for index in indexes]
    if len(units) == 1 and units[0].is_plain_function and units[0].names[0] == name:
        return not (isinstance(value, FunctionType) and _is_in(value.__code__, met.codes))
    return False


def is_immutable(literal: object) -> bool:
    if isinstance(literal, tuple):
        return all(map(is_immutable, literal))
    return not isinstance(literal, (list, dict, set))


def is_as_written(value: object, written: ast.expr, live: Mapping[str, Any]) -> bool:
    """Return whether a list, dict or set still holds the items of its literal, as far as constants and names tell."""
    if isinstance(written, ast.Dict):
        items = [*written.keys, *written.values]
        held = [*value.keys(), *value.values()] if type(value) is dict else None
    elif isinstance(written, (ast.List, ast.Set)):
        items = [*written.elts]
        held = list(value) if type(value) is (list if isinstance(written, ast.List) else set) else None
    else:
        return True
    if not _UNPACKED.isdisjoint(map(type, items)):
        return True
    if held is None or len(held) != len(items):
        return False
    return isinstance(written, ast.Set) or all(map(partial(_may_be, live), items, held))


def _may_be(live: Mapping[str, Any], item: ast.expr | None, held: object) -> bool:
    """Return whether an item may be the value of an expression; results of calls may be anything."""
    if isinstance(item, ast.Constant):
        return _same(held, item.value)
    if isinstance(item, (ast.Dict, ast.List, ast.Set)):
        return is_as_written(held, item, live)
    if isinstance(item, ast.Tuple) and not any(isinstance(one, ast.Starred) for one in item.elts):
        may_be = partial(_may_be, live)
        return type(held) is tuple and len(held) == len(item.elts) and all(map(may_be, item.elts, held))
    if isinstance(item, ast.Lambda):
        return isinstance(held, FunctionType) and place(held.__code__) == ("<lambda>", item.lineno)
    if isinstance(item, ast.UnaryOp) and isinstance(item.operand, ast.Constant):
        try:
            return _same(held, ast.literal_eval(item))
        except ValueError:  # `not x` and `~1` are no literals
            return True
    return _looked_up(live, item, held) is held


def _looked_up(live: Mapping[str, Any], item: ast.expr | None, held: object) -> object:
    """Look up `a` or `a.b.c` in running modules without running code; return `held` for anything else."""
    if isinstance(item, ast.Name):
        return live.get(item.id, held)
    if not isinstance(item, ast.Attribute):
        return held
    owner = _looked_up(live, item.value, None)
    return vars(owner).get(item.attr, held) if isinstance(owner, ModuleType) else held


def _meet(path: str, live: Mapping[str, Any]) -> RunningModule:
    source = read(path)
    plain = type(live.get("__loader__")) in (SourceFileLoader, type(None))
    codes = _codes(_compiled(source, path)) if plain else None
    edited = {}
    for name, function in _functions(live):
        code = function.__code__
        if _is_of(code, path) and not _is_in(code, codes) and not _is_recompiled(source, name):
            edited[name] = code.co_name
            edited[function.__qualname__.partition(".")[0]] = code.co_name
    return RunningModule(path, live.get("__spec__"), id(live), source, codes, edited)


def _is_recompiled(source: Source, name: str) -> bool:
    """Return whether a decorator compiles a function of the module, or a class, anew."""
    units = [source.units[index] for index in source.by_name.get(name.partition(".")[0], ())]
    nodes = [unit.statement.node for unit in units if unit.statement]
    decorators = [one for node in nodes for one in getattr(node, "decorator_list", ())]
    chains = (chain_of(one.func if isinstance(one, ast.Call) else one) for one in decorators)
    return any(not RECOMPILERS.isdisjoint(source.scope.peek(chain)) for chain in chains if chain)


def _compiled(source: Source, path: str) -> CodeType:
    try:
        return compiled(source.tree, path)
    except RecursionError:  # a tree may be nested deeper than the same text
        return compiled(source.content, path)


def differs(path: str, name: str) -> Outdated:
    """Return the reason for running code that differs from its file."""
    found = f"{shown(path)}: the running code of {name} differs from the file"
    return Outdated(reason(found, "reload the code location"))


def edited_files() -> tuple[tuple[str, str], ...]:
    """Return the files that differ from their running modules, each with a digest of its content now.

    Only files that code identities reached are looked at. An edit may be of layout alone.
    """
    found = []
    for path, met in sorted(_met.items()):
        if not _is_loaded(met):
            continue
        try:
            now = read(path)
        except UNREADABLE as error:
            found.append((path, type(error).__name__))
            continue
        if now.content != met.source.content:
            found.append((path, hashlib.sha256(now.content).hexdigest()))
    return tuple(found)


def _is_loaded(met: RunningModule) -> bool:
    """Tell whether a module is still the one that its name imports."""
    module = sys.modules.get(getattr(met.spec, "name", "__main__"))
    return module is not None and id(vars(module)) == met.names


def _functions(live: Mapping[str, Any]) -> Iterator[tuple[str, FunctionType]]:
    """Yield the functions and methods among a module's names, and the functions that they wrap."""
    for name, value in list(live.items()):
        is_own_class = isinstance(value, type) and getattr(value, "__module__", None) == live.get("__name__")
        for member in list(vars(value).values()) if is_own_class else [value]:
            for function in _unwrapped(member):
                yield name, function


def _unwrapped(value: object) -> Iterator[FunctionType]:
    """Yield the functions within a value; only types that answer without running code are asked."""
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
    found: dict[Place, list[CodeType]] = {}
    todo = [module]
    for code in todo:  # grows while it is read
        found.setdefault(place(code), []).append(code)
        todo += [value for value in code.co_consts if isinstance(value, CodeType)]
    return found


def place(code: CodeType) -> Place:
    return code.co_name, code.co_firstlineno


def _is_of(code: CodeType, path: str) -> bool:
    return code.co_filename == path or os.path.abspath(code.co_filename) == path


def _is_in(code: CodeType, codes: Codes | None) -> bool:
    return codes is None or code in codes.get(place(code), ())


def _same(live: object, value: object) -> bool:
    if type(live) is not type(value):
        return False
    if isinstance(live, tuple) and isinstance(value, tuple):
        return len(live) == len(value) and all(map(_same, live, value))
    return live == value if type(live) in _PLAIN else constant(live) == constant(value)
