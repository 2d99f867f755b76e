"""Every first-party module that some modules import, at any depth.

Imports are followed as they stand in the source, wherever they stand: in a function, under `TYPE_CHECKING`. Nothing
is imported for it, and no code of the user's is run.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jammi_dagster.fingerprint.modules import Module, child, libraries, of_running, root_of, shown
from jammi_dagster.fingerprint.names import Use
from jammi_dagster.fingerprint.reasons import reason
from jammi_dagster.fingerprint.scopes import joined, split
from jammi_dagster.fingerprint.source import UNREADABLE, Source, read


@dataclass(frozen=True, slots=True)
class Node:
    """A first-party file that is reached."""

    path: str
    module: Module
    source: Source | None  # None for an extension module, and for what cannot be read


@dataclass(frozen=True, slots=True)
class _Route:
    """Where a dotted name leads."""

    passed: tuple[Module, ...]  # the first-party modules on its way
    rest: tuple[str, ...]  # what is asked of the last of them
    leaves: bool  # it goes on in a module that is not first-party


class Graph:
    def __init__(self, roots: Iterable[Module], home: frozenset[str]) -> None:
        self.nodes: dict[str, Node] = {}
        self.libraries: dict[str, str] = {}
        self.missing: set[str] = set()
        self.unresolved: set[str] = set()
        self._home = home
        self._routes: dict[tuple[str, str], _Route] = {}
        self._todo = deque(roots)
        while self._todo:
            self._reach(self._todo.popleft())

    def foreign_uses(self, node: Node) -> Iterator[tuple[str, Use]]:
        """Uses of what other first-party modules took from outside: after `from time import time as now` in a.py,
        `a.now()` elsewhere is a use of time.time."""
        for root, uses in node.source.uses.items() if node.source else ():
            if self._route(node, root).passed:
                for use in uses:
                    yield from ((name, use) for name in self._origins(node, use.name, frozenset()))

    def _reach(self, module: Module) -> None:
        if module.path is None:
            if not module.search:
                self.unresolved.add(reason(f"the module {module.name} has no source file"))
            return
        if module.path in self.nodes:
            return
        node = self.nodes[module.path] = Node(module.path, module, self._read(module))
        self._todo += _packages_around(module.path, module.name)
        if node.source is None:
            return
        for name in node.source.imports:
            route = self._route(node, name)
            self._todo += route.passed
            if route.rest and not route.leaves:
                self.missing.add(_absolute(node.path, name))
        for name in (*node.source.mentions, *self._starred(node)):
            self._todo += self._route(node, name).passed
        for root, uses in node.source.uses.items():
            if self._route(node, root).passed:
                for use in uses:
                    self._todo += self._route(node, use.name).passed

    def _starred(self, node: Node) -> Iterator[str]:
        """What star imports from first-party modules may import."""
        for star in node.source.stars if node.source else ():
            route = self._route(node, star)
            source = self._read(route.passed[-1]) if route.passed and not route.rest else None
            yield from (joined(star, name) for name in (source.public if source else ()))

    def _read(self, module: Module) -> Source | None:
        if module.path is None or module.is_extension:
            return None
        try:
            return read(module.path)
        except UNREADABLE as error:
            why = type(error).__name__
            self.unresolved.add(reason(f"{shown(module.path)} cannot be read as Python source ({why})"))
            return None

    def _route(self, node: Node, name: str) -> _Route:
        dots, parts = split(name)
        key = (os.path.dirname(node.path) if dots else "", name)
        if key not in self._routes:
            start = _package(node, len(dots)) if dots else None
            self._routes[key] = self._follow(start, parts)
        return self._routes[key]

    def _follow(self, start: Module | None, parts: list[str]) -> _Route:
        passed = [start] if start else []
        for index, part in enumerate(parts):
            found = child(passed[-1] if passed else None, part)
            shared = libraries(found, self._home) if found else None
            if found is None or shared is not None:
                self.libraries.update(shared or {})
                return _Route(tuple(passed), tuple(parts[index:]), found is not None)
            passed.append(found)
        return _Route(tuple(passed), (), False)

    def _origins(self, node: Node, name: str, seen: frozenset[tuple[str, str]]) -> Iterator[str]:
        """The names outside first-party code that a name stands for."""
        route = self._route(node, name)
        if not route.passed:
            yield name
        holder = self.nodes.get(route.passed[-1].path or "") if route.passed else None
        if holder is None or holder.source is None or not route.rest:
            return
        head, *tail = route.rest
        if (holder.path, head) in seen:
            return
        exports = holder.source.exports.get(head)
        targets = exports if exports is not None else [joined(star, head) for star in holder.source.stars]
        for target in targets:
            yield from self._origins(holder, joined(target, *tail), seen | {(holder.path, head)})


def _package(node: Node, level: int) -> Module:
    """The package that a relative import of this many dots starts from."""
    folder = os.path.dirname(node.path)
    if node.module.running is not None:
        name = str(node.module.running.get("__package__") or "")
    else:
        name = node.module.name if node.module.search else node.module.name.rpartition(".")[0]
    for _ in range(level - 1):
        folder, name = os.path.dirname(folder), name.rpartition(".")[0]
    if name in sys.modules and (found := of_running(name, sys.modules[name])):
        return found
    # A script knows no package, but it is to reach what it reaches when it is imported.
    return _folder_package(folder, name)


def _packages_around(path: str, name: str) -> Iterator[Module]:
    folder = os.path.dirname(path)
    if os.path.basename(path) == "__init__.py":
        folder = os.path.dirname(folder)
    while (package := _folder_package(folder, name := name.rpartition(".")[0])).path is not None:
        running = of_running(name, sys.modules.get(name))
        yield running if running and running.path == package.path else package
        folder = os.path.dirname(folder)


def _folder_package(folder: str, name: str) -> Module:
    path = os.path.join(folder, "__init__.py")
    return Module(name, path if os.path.exists(path) else None, (folder,))


def _absolute(path: str, name: str) -> str:
    """A name that a file imports, without its dots."""
    dots, parts = split(name)
    folder = os.path.dirname(path)
    for _ in dots[1:]:
        folder = os.path.dirname(folder)
    package = os.path.relpath(folder, root_of(path)).split(os.sep) if dots else []
    return ".".join(part for part in (*package, *parts) if part not in (".", ".."))
