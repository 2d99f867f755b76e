"""The module that an import names and its owner, found without importing anything."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, PathFinder
from typing import Any

from jammi_dagster.fingerprint.known_names.decorators import ORCHESTRATION
from jammi_dagster.fingerprint.sources.distributions import installation, owners
from jammi_dagster.fingerprint.sources.lookups import MISSING, Lookups, note_sought

_STDLIB = (
    os.path.dirname(os.__file__),
    sysconfig.get_path("stdlib"),
    sysconfig.get_path("platstdlib"),
    os.path.join(sys.base_prefix, "DLLs"),
)


@dataclass(frozen=True, slots=True)
class Module:
    """A module that may be imported or not.

    Module("pipelines", "/checkout/pipelines/__init__.py", search=("/checkout/pipelines",))
    """

    name: str  # as it is imported
    path: str | None  # None for a namespace package, and for a module without a file
    search: tuple[str, ...] = ()  # the folders of its submodules; empty unless it is a package
    # Its names, if this process has imported it.
    running: Mapping[str, Any] | None = field(default=None, compare=False)

    @property
    def top(self) -> str:
        return self.name.partition(".")[0]

    @property
    def is_extension(self) -> bool:
        return self.path is not None and self.path.endswith(tuple(EXTENSION_SUFFIXES))


def child(parent: Module | None, leaf: str, lookups: Lookups) -> Module | None:
    """Find the module that an import of `leaf` finds: below `parent`, or at the top level."""
    name = f"{parent.name}.{leaf}" if parent and parent.name else leaf
    # A parent without a name is a folder that this process does not know as a package.
    imported = lookups.module(name) if parent is None or parent.name else MISSING
    if imported is not MISSING:
        found = of_running(name, imported)
        if found is None or found.path or found.search or name in sys.builtin_module_names:
            return found  # else another object stands in for the module: its file may still be found
    if parent is not None and not parent.search:
        return None
    search = None if parent is None else list(parent.search)
    lookups.search(search)
    # The bare leaf: for a dotted name the finder asks for the parent, which need not be imported.
    spec = PathFinder.find_spec(leaf, search)
    if imported is MISSING and (parent is None or parent.name) and leaf not in sys.stdlib_module_names:
        note_sought(name, leaf, search, spec.origin if spec else None)
    if spec is None and parent is None and leaf in sys.stdlib_module_names:
        return Module(leaf, None)
    spec = spec or _editable(name, search)
    return Module(name, _file(spec), tuple(spec.submodule_search_locations or ())) if spec else None


def of_running(name: str, module: object) -> Module | None:
    """Return an imported module; None if its import is blocked."""
    # Not `module.__file__`: on a lazy module that would run code.
    return None if module is None else of_names(getattr(module, "__dict__", {}), name)


def of_names(names: Mapping[str, Any], name: str | None = None) -> Module:
    """Return the module that has these global names."""
    spec = names.get("__spec__")
    path = names.get("__file__") or (_file(spec) if isinstance(spec, ModuleSpec) else None)
    path = os.path.abspath(path) if path else None
    return Module(name or str(names.get("__name__")), path, tuple(names.get("__path__") or ()), names)


def libraries(module: Module, home: frozenset[str]) -> Mapping[str, str] | None:
    """Return the distributions whose versions stand for a module; None for a first-party module.

    A module is first-party unless it belongs to the standard library, to Dagster or to this package, or to an
    installed distribution. An installed one is first-party if `home` names it or its top-level module: `home` holds
    the distribution of the function itself. Editable installs and loose files among installed ones are first-party.
    """
    place = module.path or next(iter(module.search), None)
    if module.top in home:
        return None
    if module.top in ORCHESTRATION or (place is None and module.top in sys.stdlib_module_names):
        return {}
    if place is None:
        return None
    if folder := installation(place, module.top):
        holding = owners(folder, module.top)
        if not holding or not home.isdisjoint(holding):
            return None
        return {name: version for name, version in holding.items() if not _orchestrates(name)}
    return {} if any(place.startswith(folder + os.sep) for folder in _STDLIB) else None


def is_of_integration(name: str) -> bool:
    """Return whether an imported module belongs to an installed integration of Dagster, such as `dagster_duckdb`."""
    module = of_running(name, sys.modules.get(name))
    if module is None or module.top in ORCHESTRATION or module.top in sys.stdlib_module_names:
        return False
    return libraries(module, frozenset()) == {}


def star_names(name: str) -> frozenset[str] | None:
    """Return the names that a star import of an imported library brings; None for any other module."""
    module = of_running(name, sys.modules.get(name))
    if module is None or module.running is None or libraries(module, frozenset()) is None:
        return None
    listed = module.running.get("__all__")
    if isinstance(listed, (list, tuple)):
        return frozenset(one for one in listed if isinstance(one, str))
    return frozenset(one for one in list(module.running) if not one.startswith("_"))


def home_of(module: Module) -> frozenset[str]:
    """Return the distributions that a function's module was installed with; empty for a source tree."""
    folder = installation(module.path, module.top) if module.path else None
    return frozenset(owners(folder, module.top)) if folder else frozenset()


def root_of(path: str) -> str:
    """Return the folder above the topmost package that a file is in."""
    folder = os.path.dirname(path)
    while os.path.exists(os.path.join(folder, "__init__.py")):
        folder = os.path.dirname(folder)
    return folder


def shown(path: str) -> str:
    """Return a path as messages show it, the same wherever the source tree lies."""
    return below(path, root_of(path))


def file_names(roots: Mapping[str, str]) -> dict[str, str]:
    """Name each file by its path below the folder that holds its topmost package.

    Its import name will not do: a script is `__main__`, and the name of a folder without `__init__` depends on
    `sys.path`. Files with equal names get their paths below the innermost folder that tells them apart. `roots` has
    the folder above the topmost package of each.
    """
    outer = dict(roots)
    names = {path: below(path, folder) for path, folder in outer.items()}
    while alike := {name for name, count in Counter(names.values()).items() if count > 1}:
        for path in [path for path, name in names.items() if name in alike]:
            outer[path] = os.path.dirname(outer[path])
            names[path] = below(path, outer[path])
    return names


def below(path: str, folder: str) -> str:
    """Return the relative path of a file that lies below a folder."""
    return path.removeprefix(folder).lstrip(os.sep).replace(os.sep, "/")


def _file(spec: ModuleSpec) -> str | None:
    return os.path.abspath(spec.origin) if spec.has_location and spec.origin else None


def _editable(name: str, search: list[str] | None) -> ModuleSpec | None:
    """Ask the finders of editable installs. Other finders are not asked: they may run code."""
    for finder in sys.meta_path:
        if "editable" in str(getattr(finder, "__module__", "")) and (spec := finder.find_spec(name, search)):
            return spec
    return None


def _orchestrates(distribution: str) -> bool:
    return distribution in ("dagster", "jammi-dagster") or distribution.startswith("dagster-")
