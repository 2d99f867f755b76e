"""The routes of dotted names: through first-party modules to a name within one, or out to a library."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.reasons import Outdated, reason
from jammi_dagster.fingerprint.sources.modules import Module, child, libraries, of_running, root_of, shown
from jammi_dagster.fingerprint.sources.running_code import is_met
from jammi_dagster.fingerprint.sources.source import UNREADABLE, Source, read
from jammi_dagster.fingerprint.syntax.scopes import split


@dataclass(frozen=True, slots=True)
class Node:
    """A first-party file."""

    path: str
    shown: str
    module: Module
    source: Source | None  # None for an extension module, and for a file that cannot be read


@dataclass(frozen=True, slots=True)
class Route:
    """The way of a dotted name.

    `pipelines.text.clean` passes the modules `pipelines` and `pipelines.text`; `clean` is the rest.
    """

    passed: tuple[Module, ...]  # the first-party modules on its way
    rest: tuple[str, ...]  # the parts that are asked of the last of them
    leaves: bool  # it goes on in a module that is not first-party
    libraries: Mapping[str, str]  # the distributions that it leaves to, with their versions


class Routes:
    """The routes that were followed so far. Reasons why a file cannot be read are added to `unresolved`."""

    def __init__(self, home: frozenset[str], unresolved: set[str]) -> None:
        self._home, self._unresolved = home, unresolved
        self._nodes: dict[str, Node] = {}
        self._routes: dict[tuple[str, str], Route] = {}
        self._tops: dict[str, bool] = {}  # of dotted texts

    def node(self, module: Module) -> Node | None:
        """Return the file of a module; None for a namespace package."""
        if module.path is None:
            if not module.search:
                self._unresolved.add(reason(f"the module {module.name} has no source file"))
            return None
        if module.path not in self._nodes:
            named = shown(module.path)
            self._nodes[module.path] = Node(module.path, named, module, self._read(module, named))
        return self._nodes[module.path]

    def of(self, node: Node, name: str) -> Route:
        dots, parts = split(name)
        key = (node.path if dots else "", name)
        if key not in self._routes:
            self._routes[key] = self._follow(_package(node, len(dots)) if dots else None, parts)
        return self._routes[key]

    def may_lead(self, node: Node, text: str) -> bool:
        """Return whether a text begins with the name of a loaded module, or of a file beside the topmost package."""
        top = text.partition(".")[0]
        if top not in self._tops:
            beside = os.path.join(root_of(node.path), top)
            self._tops[top] = top in sys.modules or os.path.exists(f"{beside}.py") or os.path.isdir(beside)
        return self._tops[top]

    def is_seen(self, node: Node, name: str) -> bool:
        """Return whether a first-party module holds a name itself: not as a method, nor from a library."""
        route = self.of(node, name)
        return bool(route.passed) and not route.leaves and sum(part != CALL for part in route.rest) == 1

    def packages_around(self, node: Node) -> Iterator[Module]:
        """Yield the packages whose `__init__` runs when a module is loaded."""
        folder, name = os.path.dirname(node.path), node.module.name
        if os.path.basename(node.path) == "__init__.py":
            folder = os.path.dirname(folder)
        while (package := _folder_package(folder, name := name.rpartition(".")[0])).path is not None:
            running = of_running(name, sys.modules.get(name))
            yield running if running and running.path == package.path else package
            folder = os.path.dirname(folder)

    def absolute(self, node: Node, name: str) -> str:
        """Return a name that a file imports without its leading dots."""
        dots, parts = split(name)
        folder = os.path.dirname(node.path)
        for _ in dots[1:]:
            folder = os.path.dirname(folder)
        package = os.path.relpath(folder, root_of(node.path)).split(os.sep) if dots else []
        return ".".join(part for part in (*package, *parts) if part not in (".", ".."))

    def _read(self, module: Module, named: str) -> Source | None:
        if module.path is None or module.is_extension:
            return None
        try:
            return read(module.path)
        except UNREADABLE as error:
            why = type(error).__name__
            text = reason(f"{named} cannot be read as Python source ({why})")
            self._unresolved.add(Outdated(text) if is_met(module.path) else text)
            return None

    def _follow(self, start: Module | None, parts: list[str]) -> Route:
        passed = [start] if start else []
        for index, part in enumerate(parts):
            found = child(passed[-1] if passed else None, part)
            shared = libraries(found, self._home) if found else None
            if found is None or shared is not None:
                return Route(tuple(passed), tuple(parts[index:]), found is not None, shared or {})
            passed.append(found)
        return Route(tuple(passed), (), False, {})


def _package(node: Node, level: int) -> Module:
    """Return the package from which a relative import of this many dots starts."""
    folder = os.path.dirname(node.path)
    if node.module.running is not None:
        name = str(node.module.running.get("__package__") or "")
    else:
        name = node.module.name if node.module.search else node.module.name.rpartition(".")[0]
    for _ in range(level - 1):
        folder, name = os.path.dirname(folder), name.rpartition(".")[0]
    if name in sys.modules and (found := of_running(name, sys.modules[name])):
        return found
    # A script knows no package, but its identity is that of the imported module.
    return _folder_package(folder, name)


def _folder_package(folder: str, name: str) -> Module:
    path = os.path.join(folder, "__init__.py")
    return Module(name, path if os.path.exists(path) else None, (folder,))
