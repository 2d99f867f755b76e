"""What one source file says, kept per process for as long as the file stays what it was."""

from __future__ import annotations

import ast
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from jammi_dagster.fingerprint.sources.units import Unit, nested, units
from jammi_dagster.fingerprint.syntax import functions, uses
from jammi_dagster.fingerprint.syntax.functions import Label, Place, assigned
from jammi_dagster.fingerprint.syntax.scopes import Scope
from jammi_dagster.fingerprint.syntax.trees import parse

# A file may be written twice within one tick of its clock: younger than this its times prove nothing (FAT: 2 s).
_SETTLED_NS = 2_000_000_000

# By these words functions bind names of what surrounds them; in an encoding of its own a file may spell them otherwise.
_SHARING = (b"global", b"nonlocal", b"coding")

UNREADABLE = (OSError, SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True, eq=False, kw_only=True)
class Source:
    content: bytes
    tree: ast.Module
    scope: Scope
    units: list[Unit]  # first those of the module, then functions within others as they are asked for
    by_name: Mapping[str, Sequence[int]]  # the units of the module that bind a name, in their order
    nested: dict[Label, int | None] = field(default_factory=dict)
    used: dict[str, bool] = field(default_factory=dict)

    @cached_property
    def docstring(self) -> str | None:
        return ast.get_docstring(self.tree, clean=False)

    @cached_property
    def written(self) -> Mapping[str, ast.expr]:
        """What the module's names that are bound once are assigned."""
        once = (self.units[indexes[0]] for indexes in self.by_name.values() if len(indexes) == 1)
        found = (pair for unit in once if unit.statement for pair in assigned(unit.statement.node))
        shared = self.scope.given_away
        return {} if self.stars else dict(one for one in found if one[0] not in shared)

    @cached_property
    def constants(self) -> Mapping[str, object]:
        """Those among them that are literals."""
        return dict(functions.literals(self.written))

    @cached_property
    def functions(self) -> Mapping[Place, Sequence[Label]]:
        found: dict[Place, list[Label]] = {}
        for place, label, _ in self._functions:
            found.setdefault(place, []).append(label)
        return found

    @cached_property
    def holders(self) -> Mapping[Label, int]:
        """The unit of the module that a function stands in."""
        indexes = {id(unit.statement.node): index for index, unit in enumerate(self.units) if unit.statement}
        return {label: indexes[id(node)] for _, label, node in self._functions if id(node) in indexes}

    @cached_property
    def _functions(self) -> list[tuple[Place, Label, ast.stmt]]:
        return list(functions.functions(self.tree, has_lambdas=b"lambda" in self.content))

    @property
    def stars(self) -> Iterable[str]:
        """The modules that are star-imported."""
        return self.scope.stars

    @cached_property
    def public(self) -> tuple[str, ...]:
        """What `__all__` names."""
        return functions.public_names(self.tree)

    def uses(self, name: str) -> bool:
        """Whether some of its code uses a name of its own."""
        if name not in self.used:
            self.used[name] = any(name in part.own for unit in self.units for part in unit.parts.values())
        return self.used[name]

    def exports(self, name: str) -> tuple[str, ...] | None:
        """What a module-level alias stands for; None for what is no alias."""
        is_alias = name in self.scope.imported or name in self.scope.assigned
        return tuple(self.scope.resolve((name,))) if is_alias else None

    def unit_of(self, label: Label) -> int | None:
        """The unit that a function is, or that it is a method or a part of."""
        if "<locals>" not in label[0]:
            return self.holders.get(label)
        if label not in self.nested:
            self.nested[label] = self._nested(label)
        return self.nested[label]

    def only_writes(self, label: Label, name: str) -> bool:
        """Whether a function within another only adds to what it closes over under a name, or removes from it."""
        index = self.unit_of(label)
        statement = None if index is None else self.units[index].statement
        return statement is not None and uses.only_written(statement.node, name)

    def _nested(self, label: Label) -> int | None:
        where = next((where for where, labels in self.functions.items() if label in labels), None)
        if where is None:
            return None
        tree = parse(self.content)
        path = functions.path_to(tree, where)
        around = label[0].rpartition("<locals>.")[2]
        if path is None or "." in around:  # a method of a local class is nothing without the class
            return self.holders.get(label)
        self.units.append(nested(uses.read_nested(tree, path, is_shared=_is_shared(self.content)), label[0]))
        return len(self.units) - 1


@dataclass(frozen=True, slots=True)
class _Held:
    stamp: tuple[int, ...]
    settled: bool
    source: Source


_held: dict[str, _Held] = {}


def read(path: str) -> Source:
    """What the file says now. Raises one of `UNREADABLE`."""
    status = os.stat(path)
    stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev)
    held = _held.get(path)
    if held and held.settled and held.stamp == stamp:
        return held.source
    settled = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _SETTLED_NS
    with open(path, "rb") as file:
        content = file.read()
    source = held.source if held and held.source.content == content else _source(content)
    _held[path] = _Held(stamp, settled, source)
    return source


def _is_shared(content: bytes) -> bool:
    return any(word in content for word in _SHARING)


def _source(content: bytes) -> Source:
    tree = parse(content)
    module = Scope(None, tree.body)
    found = uses.read(tree.body, module, is_shared=_is_shared(content))
    every = list(units(found))
    by_name: dict[str, list[int]] = {}
    for index, unit in enumerate(every):
        for name in unit.names:
            by_name.setdefault(name, []).append(index)
    return Source(content=content, tree=tree, scope=module, units=every, by_name=by_name)
