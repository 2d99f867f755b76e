"""The routes of dotted names: through first-party modules to a name within one, or out to a library."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.reasons import Outdated, reason
from jammi_dagster.fingerprint.sources.distributions import installation
from jammi_dagster.fingerprint.sources.lookups import MISSING, Lookups
from jammi_dagster.fingerprint.sources.modules import Module, below, child, libraries, of_running, root_of
from jammi_dagster.fingerprint.sources.running_code import is_met
from jammi_dagster.fingerprint.sources.source import UNREADABLE, Source, read
from jammi_dagster.fingerprint.syntax.computed_imports import OWN_NAME
from jammi_dagster.fingerprint.syntax.scopes import joined, split


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A first-party file."""

    path: str
    root: str  # the folder above its topmost package
    shown: str
    module: Module
    source: Source | None  # None for an extension module, and for a file that cannot be read
    unreadable: str = ""  # the reason for that


@dataclass(frozen=True, slots=True)
class Route:
    """The way of a dotted name.

    `pipelines.text.clean` passes the modules `pipelines` and `pipelines.text`; `clean` is the rest.
    """

    passed: tuple[Module, ...]  # the first-party modules on its way
    rest: tuple[str, ...]  # the parts that are asked of the last of them
    leaves: bool  # it goes on in a module that is not first-party
    libraries: Mapping[str, str]  # the distributions that it leaves to, with their versions


class Outlived(Exception):
    """A file or module differs from the one that routes were found with."""


class Routes:
    """The routes that were followed so far, by any identity: they stay for as long as nothing on them changes.

    Raises `Outlived` for a file that has changed.
    """

    def __init__(self, home: frozenset[str]) -> None:
        self._home = home
        self._lookups = Lookups()
        self._nodes: dict[str, Node] = {}
        self._routes: dict[tuple[str, str], Route] = {}
        self._children: dict[
            tuple[str | None, tuple[str, ...], str], tuple[Module | None, Mapping[str, str] | None]
        ] = {}
        self._tops: dict[tuple[str, str], bool] = {}  # of dotted texts
        self._around: dict[tuple[str, str], tuple[Module, ...]] = {}
        self._checked: set[str] = set()  # the files that this identity has looked at
        self._behind: dict[str, Node] = {}  # the files that kept results rest on
        self._is_keeping = False

    def hold(self) -> bool:
        """Return whether kept results and routes still stand, before the next identity looks at further files."""
        self._checked.clear()
        if not self._lookups.hold():
            return False
        try:
            for node in self._behind.values():
                self._check(node, node.module)
        except Outlived:
            return False
        self._checked.update(self._behind)
        return True

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Note the files that a result rests on which is kept for other identities."""
        before, self._is_keeping = self._is_keeping, True
        try:
            yield
        finally:
            self._is_keeping = before

    def node(self, module: Module) -> Node | None:
        """Return the file of a module; None for a namespace package, and for a module without a file."""
        path = module.path
        if path is None:
            return None
        node = self._nodes.get(path)
        if node is None:
            root = root_of(path)
            self._lookups.search([os.path.dirname(path), root])
            node = self._nodes[path] = self._read(module, path, root)
        elif path not in self._checked:
            self._check(node, module)
        self._checked.add(path)
        if self._is_keeping:
            self._behind[path] = node
        return node

    def _check(self, node: Node, module: Module) -> None:
        is_other = module.running is not None and module.running is not node.module.running
        try:
            if is_other or node.unreadable or (node.source and read(node.path) is not node.source):
                raise Outlived(node.shown)
        except UNREADABLE:
            raise Outlived(node.shown) from None

    def of(self, node: Node, name: str) -> Route:
        dots, parts = split(name)
        key = (node.path if dots else "", name)
        if key not in self._routes:
            self._routes[key] = self._follow(self._package(node, len(dots)) if dots else None, parts)
        return self._routes[key]

    def may_lead(self, node: Node, text: str) -> bool:
        """Return whether a text begins with the name of a loaded module, or of a file beside the topmost package."""
        top = text.partition(".")[0]
        key = (node.root, top)
        if key not in self._tops:
            beside = os.path.join(node.root, top)
            is_imported = self._lookups.module(top) is not MISSING
            self._tops[key] = is_imported or os.path.exists(f"{beside}.py") or os.path.isdir(beside)
        return self._tops[key]

    def is_seen(self, node: Node, name: str) -> bool:
        """Return whether a first-party module holds a name itself: not as a method, nor from a library."""
        route = self.of(node, name)
        return bool(route.passed) and not route.leaves and sum(part != CALL for part in route.rest) == 1

    def is_first_party(self, node: Node, name: str) -> bool:
        """Return whether a name leads to first-party code."""
        route = self.of(node, name)
        return bool(route.passed) and not route.leaves

    def packages_around(self, node: Node) -> tuple[Module, ...]:
        """Return the packages whose `__init__` runs when a module is loaded."""
        folder, file = os.path.split(node.path)
        place = (
            os.path.dirname(folder) if file == "__init__.py" else folder,
            node.module.name.rpartition(".")[0],
        )
        if place not in self._around:
            self._around[place] = tuple(self._packages_above(*place))
        return self._around[place]

    def _packages_above(self, folder: str, name: str) -> Iterator[Module]:
        while (package := self._folder_package(folder, name)).path is not None:
            imported = self._lookups.module(name)
            running = None if imported is MISSING else of_running(name, imported)
            yield running if running and running.path == package.path else package
            folder, name = os.path.dirname(folder), name.rpartition(".")[0]

    def absolute(self, node: Node, name: str) -> str:
        """Return a name that a file imports without its leading dots."""
        dots, parts = split(name)
        folder = os.path.dirname(node.path)
        for _ in dots[1:]:
            folder = os.path.dirname(folder)
        package = os.path.relpath(folder, node.root).split(os.sep) if dots else []
        return ".".join(part for part in (*package, *parts) if part not in (".", ".."))

    def modules_of(self, node: Node, name: str) -> tuple[Module, ...] | None:
        """Return all modules of a first-party package, at any depth; None if it is none, or not all can be read."""
        if name == OWN_NAME:
            if os.path.basename(node.path) != "__init__.py":
                return None
            name = "."
        route = self.of(node, name)
        package = route.passed[-1] if route.passed and not (route.rest or route.leaves) else None
        found: dict[Module, None] = {}
        for folder in package.search if package else ():
            for above, inner, files in os.walk(folder):
                self._lookups.search([above])
                inner[:] = sorted(one for one in inner if one.isidentifier() and one != "__pycache__")
                if any(file.endswith(tuple(EXTENSION_SUFFIXES)) for file in files):
                    return None
                parts = [part for part in os.path.relpath(above, folder).split(os.sep) if part != "."]
                for file in sorted(one for one in files if one.endswith(".py")):
                    leaf = [] if file == "__init__.py" else [file.removesuffix(".py")]
                    found.update(dict.fromkeys(self.of(node, joined(name, *parts, *leaf)).passed))
        return tuple(found) or None

    def _read(self, module: Module, path: str, root: str) -> Node:
        named = below(path, root)
        if module.is_extension:
            return Node(path, root, named, module, None)
        try:
            return Node(path, root, named, module, read(path))
        except UNREADABLE as error:
            text = reason(f"{named} cannot be read as Python source ({type(error).__name__})")
            return Node(path, root, named, module, None, Outdated(text) if is_met(path) else text)

    def _follow(self, start: Module | None, parts: list[str]) -> Route:
        passed = [start] if start else []
        for index, part in enumerate(parts):
            found, shared = self._child(passed[-1] if passed else None, part)
            if found is None or shared is not None:
                return Route(tuple(passed), tuple(parts[index:]), found is not None, shared or {})
            passed.append(found)
        return Route(tuple(passed), (), False, {})

    def _child(self, parent: Module | None, leaf: str) -> tuple[Module | None, Mapping[str, str] | None]:
        """Find a module below another, and the libraries whose versions stand for it; it is sought once."""
        key = (parent.name, parent.search, leaf) if parent else (None, (), leaf)
        if key not in self._children:
            found = child(parent, leaf, self._lookups)
            shared = libraries(found, self._home) if found else None
            if (
                found
                and shared is not None
                and found.path
                and (folder := installation(found.path, found.top))
            ):
                self._lookups.search([folder])  # a distribution is installed anew there
            self._children[key] = found, shared
        return self._children[key]

    def _package(self, node: Node, level: int) -> Module:
        """Return the package from which a relative import of this many dots starts."""
        folder = os.path.dirname(node.path)
        if node.module.running is not None:
            name = str(node.module.running.get("__package__") or "")
        else:
            name = node.module.name if node.module.search else node.module.name.rpartition(".")[0]
        for _ in range(level - 1):
            folder, name = os.path.dirname(folder), name.rpartition(".")[0]
        imported = self._lookups.module(name)
        if imported is not MISSING and (found := of_running(name, imported)):
            return found
        # A script knows no package, but its identity is that of the imported module.
        return self._folder_package(folder, name)

    def _folder_package(self, folder: str, name: str) -> Module:
        self._lookups.search([folder])
        path = os.path.join(folder, "__init__.py")
        return Module(name, path if os.path.exists(path) else None, (folder,))
