"""The modules of a code location, and the statements in them that change state which other modules use.

A plugin that only `definitions.py` imports fills a registry, extends a library or sets an option. Such a statement
counts for each function that reaches the object, or the library. The modules are found from the roots of the location
by their imports, as they stand in the source: the modules that a process happens to have loaded do not matter.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FrameType

from jammi_dagster.fingerprint.kept import kept
from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.process_state import (
    ARRAY_LIBRARIES,
    CHANGES_OF_ARRAY_LIBRARIES,
    DISPLAY_OPTIONS,
    HARMLESS_CALLS,
    HARMLESS_STATE,
    OPTION_SETTERS,
    PACKAGE_IMPORTERS,
    PROCESS_STATE,
    is_among,
)
from jammi_dagster.fingerprint.live.callables import innermost
from jammi_dagster.fingerprint.reach.effects import Name
from jammi_dagster.fingerprint.reach.extensions import Extension, Extensions
from jammi_dagster.fingerprint.reach.index import index_for
from jammi_dagster.fingerprint.reach.registrations import ATTRIBUTES, given_attribute
from jammi_dagster.fingerprint.reach.routes import Node
from jammi_dagster.fingerprint.sources.modules import Module, home_of, libraries, of_names
from jammi_dagster.fingerprint.sources.source import UNREADABLE, Source, read
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.optional_parts import is_orchestration
from jammi_dagster.fingerprint.syntax.scopes import chain_of
from jammi_dagster.fingerprint.syntax.trees import nodes
from jammi_dagster.fingerprint.syntax.uses import imports_of


@dataclass(slots=True)
class Location:
    """The roots of a code location, with what was found from them for each set of first-party distributions."""

    roots: Mapping[str, Module]  # by path
    program: tuple[str, int] = ("", 0)  # the file and the line of a program that runs all of this
    found: dict[frozenset[str], Extensions] = field(default_factory=dict)

    def extensions(self, home: frozenset[str]) -> Extensions:
        if home not in self.found:
            self.found[home] = _extensions(self.roots.values(), home, self.program)
        return self.found[home]


_locations: dict[str, Location] = {}  # by the path of each module whose functions they hold
_known: dict[
    tuple[tuple[str, ...], frozenset[str], tuple[str, int]], tuple[Mapping[str, Source], Extensions]
] = {}


def fix_location(functions: Iterable[object], held: Collection[object], frame: FrameType | None) -> None:
    """Fix the code location that functions belong to: the roots are the modules that run, or hold some values.

    fix_location([orders_function], [orders], sys._getframe())  # in definitions.py
    """
    written = [function for one in functions if (function := innermost(one)) is not None]
    modules = [of_names(function.__globals__) for function in written]
    own = {module.path: module for module in modules if module.path}
    home = frozenset(name for module in modules for name in home_of(module))
    roots = [*_modules_on_stack(frame, home, own), *_modules_that_hold(held, home)]
    every = {**own, **{root.path: root for root in roots if root.path}}
    location = Location(every, _program(frame))
    _locations.update(dict.fromkeys(own, location))


def extensions_for(path: str | None, home: frozenset[str]) -> Extensions | None:
    """Return the statements of the code location that a module belongs to; None until it is fixed."""
    location = _locations.get(path or "")
    return location.extensions(home) if location else None


def _modules_on_stack(
    frame: FrameType | None, home: frozenset[str], own: Collection[str]
) -> Iterator[Module]:
    """Yield the first-party modules that build the definitions: from the caller up to the module being loaded.

    The program that runs the process is none of them, unless it is the caller itself; nor is a module that only asks,
    such as a test: one whose function is at work counts where it lies beside or above a module of the functions.
    """
    seen: set[int] = set()
    while frame is not None:
        is_program = bool(seen) and frame.f_globals.get("__name__") == "__main__"
        is_loading = frame.f_code.co_name == "<module>"
        if id(frame.f_globals) not in seen and not is_program:
            found = _first_party(frame.f_globals, home)
            yield from (module for module in found if is_loading or _is_around(module, own))
        seen.add(id(frame.f_globals))
        frame = None if is_loading else frame.f_back


def _is_around(module: Module, own: Collection[str]) -> bool:
    folder = os.path.join(os.path.dirname(os.path.abspath(module.path or "")), "")
    return any(os.path.abspath(path).startswith(folder) for path in own)


def _modules_that_hold(values: Collection[object], home: frozenset[str]) -> Iterator[Module]:
    """Yield the loaded first-party modules that hold one of these values under a name."""
    wanted = {id(value) for value in values}
    for name, module in sorted(sys.modules.items()):
        names = getattr(module, "__dict__", None)
        if not isinstance(names, dict) or name.partition(".")[0] in sys.stdlib_module_names:
            continue
        if any(id(value) in wanted for value in list(names.values())):
            yield from _first_party(names, home)


def _first_party(names: Mapping[str, object], home: frozenset[str]) -> Iterator[Module]:
    module = of_names(names)
    if module.path and libraries(module, home) is None:
        yield module


def _program(frame: FrameType | None) -> tuple[str, int]:
    """Return the file and the line of the program, if its module is what builds the definitions.

    The statement at that line contains all that happens, and fills no registry.
    """
    while frame is not None:
        if frame.f_code.co_name == "<module>":
            is_program = frame.f_globals.get("__name__") == "__main__"
            return (os.path.abspath(frame.f_code.co_filename), frame.f_lineno) if is_program else ("", 0)
        frame = frame.f_back
    return "", 0


def _extensions(roots: Iterable[Module], home: frozenset[str], program: tuple[str, int]) -> Extensions:
    roots = list(roots)
    key = tuple(sorted(root.path or "" for root in roots)), home, program
    if key in _known and all(_is_current(path, source) for path, source in _known[key][0].items()):
        return _known[key][1]
    search = _Search(home)
    for root in roots:
        search.visit(root)
    sources = {node.path: node.source for node in search.found if node.source}
    found = search.extensions(program)
    _known[key] = sources, found
    return found


def _is_current(path: str, source: Source) -> bool:
    try:
        return read(path) is source
    except UNREADABLE:
        return False


class _Search:
    """The search through the modules of a location, in the order in which they are loaded."""

    def __init__(self, home: frozenset[str]) -> None:
        self.found: list[Node] = []
        index = index_for(home)
        self._routes, self._loading = index.routes, index.loading
        self._seen: set[str] = set()

    def visit(self, root: Module) -> None:
        """Visit a module, after all that it imports."""
        routes = self._routes
        todo: list[tuple[Node, Iterator[Module]]] = []

        def enter(module: Module) -> None:
            node = routes.node(module) if module.path else None
            if node is not None and node.path not in self._seen:
                self._seen.add(node.path)
                todo.append((node, self._imported(node)))

        enter(root)
        while todo:
            node, further = todo[-1]
            module = next(further, None)
            if module is None:
                todo.pop()
                self.found.append(node)
            else:
                enter(module)

    def _imported(self, node: Node) -> Iterator[Module]:
        yield from self._routes.packages_around(node)
        source = node.source
        if source is None:
            return
        imports_all = False
        for part in nodes(source.tree):
            if isinstance(part, (ast.Import, ast.ImportFrom)):
                for name in imports_of(part):
                    yield from self._routes.of(node, name).passed
            elif isinstance(part, ast.Call) and isinstance(part.func, (ast.Name, ast.Attribute)):
                names = source.scope.peek(chain_of(part.func) or ("",))
                imports_all |= not PACKAGE_IMPORTERS.isdisjoint(names)
        if imports_all:
            yield from self._packages(node, source)

    def _packages(self, node: Node, source: Source) -> Iterator[Module]:
        """Yield the modules of the packages that a module imports by name, and of its own."""
        own = [os.path.dirname(node.path)] if os.path.basename(node.path) == "__init__.py" else []
        folders = dict.fromkeys(own)
        for targets in source.scope.imported.values():
            for target in targets:
                route = self._routes.of(node, target)
                if route.passed and not route.rest and not route.leaves:
                    folders.update(dict.fromkeys(route.passed[-1].search))
        for package in (text for text in source.texts if isinstance(text, str) and text.isidentifier()):
            route = self._routes.of(node, package)
            if route.passed and not route.rest and not route.leaves:
                folders.update(dict.fromkeys(route.passed[-1].search))
        for folder in folders:
            for above, below, files in os.walk(folder):
                below[:] = sorted(one for one in below if one.isidentifier() and one != "__pycache__")
                for file in sorted(one for one in files if one.endswith(".py")):
                    yield self._module(os.path.join(above, file))

    @kept
    def _loaded(self) -> dict[str, dict[str, object]]:
        """The names of the loaded modules by their files; of a file that was loaded twice those of the first."""
        found: dict[str, dict[str, object]] = {}
        for module in list(sys.modules.values()):
            names = getattr(module, "__dict__", {})
            path = names.get("__file__") if isinstance(names, dict) else None
            if isinstance(path, str) and path not in found:
                found[path] = names
        return found

    def _module(self, path: str) -> Module:
        if path in self._loaded:
            return of_names(self._loaded[path])
        return Module(os.path.splitext(os.path.basename(path))[0], path)

    def extensions(self, program: tuple[str, int]) -> Extensions:
        """Return the statements that change names of other modules, libraries or the process."""
        found = Extensions(order=tuple(node.path for node in self.found))
        for node in self.found:
            if node.source is not None:
                self._add(found, node, node.source, program[1] if node.path == program[0] else 0)
        return found

    def _add(self, found: Extensions, node: Node, source: Source, running: int) -> None:
        plan = self._loading.of(node)
        named: dict[int, set[Name]] = {index: set(names) for index, _, names in plan.touching}
        foreign: dict[int, frozenset[str]] = {}
        for step in plan.steps:
            if step.effect is not None:
                named.setdefault(step.index, set()).update(step.effect.targets or step.effect.named)
                foreign[step.index] = step.effect.foreign
        for index in sorted({*named, *foreign}):
            unit = source.units[index]
            if unit.kind == "import" or unit.lines[0] <= running <= unit.lines[1]:
                continue
            one = Extension(node.module, source, index)
            for name in named.get(index, ()):
                if name[0] == ATTRIBUTES:
                    found.by_attribute.setdefault(name[1], []).append(one)
                elif name[0] != node.path:
                    found.by_name.setdefault(name, []).append(one)
            for changed in foreign.get(index, ()):
                _classify(found, changed, one, unit)


def _classify(found: Extensions, name: str, one: Extension, unit: Unit) -> None:
    bare = name.replace(f".{CALL}", "")
    is_call = bare != name or "." not in name  # `numpy.append(x, 1)` seems to change `numpy`
    is_quiet = (
        is_call and f"{name}.".startswith(ARRAY_LIBRARIES) and not CHANGES_OF_ARRAY_LIBRARIES.match(bare)
    )
    harmless = (*HARMLESS_STATE, *HARMLESS_CALLS) if is_call else HARMLESS_STATE
    if is_orchestration(name) or is_among(bare, harmless) or _sets_display(bare, unit):
        return
    if attribute := given_attribute(bare):
        found.by_attribute.setdefault(attribute, []).append(one)  # `pandas.DataFrame.tidy = tidy`
    if is_among(bare, PROCESS_STATE):
        found.of_process.append(one)
    elif not is_quiet:
        found.by_library.setdefault(name.partition(".")[0], []).append(one)


def _sets_display(name: str, unit: Unit) -> bool:
    """Return whether a statement only sets options of a display: `pandas.set_option("display.width", 9)`."""
    node = unit.statement.node if unit.statement else None
    call = node.value if isinstance(node, ast.Expr) else None
    if name not in OPTION_SETTERS or not isinstance(call, ast.Call):
        return False
    named = call.args[::2]
    return bool(named) and all(
        isinstance(one, ast.Constant) and str(one.value).startswith(DISPLAY_OPTIONS) for one in named
    )
