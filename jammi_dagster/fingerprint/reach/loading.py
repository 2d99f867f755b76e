"""Loading of modules: the imports of each, its side effects, and the objects of others that it changes.

All of it is found once for a module, and shared by the identities of a process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from jammi_dagster.fingerprint.reach.effects import Effect, Name, Targets
from jammi_dagster.fingerprint.reach.load_targets import LoadTargets
from jammi_dagster.fingerprint.reach.places import Places
from jammi_dagster.fingerprint.reach.routes import Node, Route, Routes
from jammi_dagster.fingerprint.sources.modules import Module
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.scopes import Chain, joined
from jammi_dagster.fingerprint.syntax.shared_objects import OBJECT, STATEFUL, Touch


class Imported(NamedTuple):
    """An import that runs: the first-party modules that it loads, and the distributions that it leaves to."""

    modules: tuple[Module, ...]
    route: Route
    missing: str  # the name of a first-party module that is not there


@dataclass(frozen=True, slots=True)
class LoadStep:
    """A statement that does something when its module is loaded: it imports modules, or has a side effect."""

    index: int  # of its unit
    names: tuple[str, ...]
    modules: tuple[Module, ...]  # first-party modules that no step before it loads
    passed: tuple[str, ...]  # the files of all that it imports
    missing: tuple[str, ...]
    may_catch: bool
    libraries: Mapping[str, str]  # of modules that it imports as they are: nobody may use them
    effect: Effect | None  # None: no side effect


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """The loading of one module: its steps in their order, and the objects that each unit changes."""

    steps: tuple[LoadStep, ...] = ()
    touching: tuple[tuple[int, Unit, frozenset[Name]], ...] = ()


class Loading:
    """The loading of the modules that were asked for.

    loading = Loading(routes)
    [step.unit.names for step in loading.of(node).steps]  # [("register",), …]
    """

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self.places = Places(routes)
        self._targets = LoadTargets(routes)
        self._plans: dict[str, LoadPlan] = {}

    def of(self, node: Node) -> LoadPlan:
        """Return the loading of a module."""
        if node.path not in self._plans:
            with self._routes.keeping():
                self._plans[node.path] = LoadPlan(tuple(self._steps(node)), tuple(self._touching(node)))
        return self._plans[node.path]

    def used(self, node: Node, index: int) -> Targets:
        """Return the names that may hold an object which a statement uses."""
        with self._routes.keeping():
            return self._targets.held.used(node, index)

    def names_around(self, node: Node, name: str) -> frozenset[Name]:
        """Return the names that may hold the object of a name."""
        with self._routes.keeping():
            return self._targets.held.around(node, name, deep=False)

    def changes_nothing(self, node: Node, unit: Unit) -> bool:
        """Return whether a function changes neither a name nor an argument, as far as its code tells."""
        with self._routes.keeping():
            return self._targets.changes_nothing(node, unit)

    def imports(self, node: Node, imports: Mapping[str, bool]) -> Iterator[Imported]:
        """Yield the imports of some code, as `imports_of` tells them."""
        for name, is_module in imports.items():
            route = self._routes.of(node, name)
            is_missing = is_module and bool(route.rest) and not route.leaves
            starred = self._starred(node, name) if is_module else ()
            further = (module for star in starred for module in self._routes.of(node, star).passed)
            missing = self._routes.absolute(node, name) if is_missing else ""
            yield Imported((*route.passed, *further), route, missing)

    def _steps(self, node: Node) -> Iterator[LoadStep]:
        loaded: set[Module] = set()
        for index, unit in enumerate(node.source.units[: node.source.loaded] if node.source else ()):
            imports = tuple(self.imports(node, unit.loads)) if unit.loads else ()
            effect = self._targets.of(node, index)
            acts = (
                unit.load_effect.certain or effect.targets is None or bool(effect.targets or effect.foreign)
            )
            packages = unit.packages
            if not (imports or packages or acts):
                continue
            modules = [module for imported in imports for module in imported.modules]
            modules += (one for name in packages for one in self._routes.modules_of(node, name) or ())
            fresh = tuple(dict.fromkeys(module for module in modules if module not in loaded))
            loaded.update(fresh)
            whole = imports if unit.is_whole_import else ()
            yield LoadStep(
                index=index,
                names=unit.names,
                modules=fresh,
                passed=tuple(module.path for one in imports for module in one.route.passed if module.path),
                missing=tuple(one.missing for one in imports if one.missing),
                may_catch=unit.may_catch,
                libraries={name: held for one in whole for name, held in one.route.libraries.items()},
                effect=effect if acts else None,
            )

    def _starred(self, node: Node, name: str) -> Iterator[str]:
        """Yield the submodules that a star import from a first-party package may import."""
        if node.source is None or name not in node.source.stars:
            return
        route = self._routes.of(node, name)
        holder = self._routes.node(route.passed[-1]) if route.passed and not route.rest else None
        yield from (
            joined(name, public) for public in (holder.source.public if holder and holder.source else ())
        )

    def _touching(self, node: Node) -> Iterator[tuple[int, Unit, frozenset[Name]]]:
        source = node.source
        for index in source.touching if source else ():
            assert source is not None
            unit = source.units[index]
            touched = frozenset(one for touch in unit.touches for one in self._touched(node, touch))
            if touched:
                yield index, unit, touched

    def _touched(self, node: Node, touch: Touch) -> Iterator[Name]:
        """Yield the objects that a statement changes: the file and the name of each."""
        for home, name in self.places.of(node, touch.chain):
            source = home.source
            assert source is not None
            kind, units = source.kind_of(name), [source.units[index] for index in source.by_name[name]]
            if any(unit.kind == "class" and unit.shared_attributes for unit in units):
                is_changed = touch.callee is not None and touch.callee[: len(touch.chain)] == touch.chain
            elif kind == OBJECT and touch.callee != ("builtins", "iter"):
                is_changed = touch.callee is None or not self._is_quiet(node, touch.callee)
            else:
                is_changed = kind == STATEFUL
            if is_changed:
                yield home.path, name

    def _is_quiet(self, node: Node, callee: Chain) -> bool:
        """Return whether a callee is a first-party function that changes nothing, as far as its code tells."""
        return any(
            self._targets.changes_nothing(home, unit) for home, unit in self.places.definitions(node, callee)
        )
