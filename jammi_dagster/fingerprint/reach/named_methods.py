"""Methods of classes of config that wait for their names: nobody calls one that no reached code names.

An object of such a class may be handed on to any first-party code, which names the members that it asks for. A library
that is not known to ask for few members of its own may ask for any.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator

from jammi_dagster.fingerprint.known_names.config_classes import ASKED_BY_LIBRARIES, VALUE_MODULES
from jammi_dagster.fingerprint.known_names.decorators import ORCHESTRATION
from jammi_dagster.fingerprint.reach.places import Places
from jammi_dagster.fingerprint.reach.reached import ReachedFile
from jammi_dagster.fingerprint.reach.routes import Node
from jammi_dagster.fingerprint.sources.units import Unit

_QUIET = VALUE_MODULES | ORCHESTRATION | sys.stdlib_module_names | {"builtins"}

Waiting = tuple[ReachedFile, int, str, bool]  # the file, the unit, the method, and whether it runs


class NamedMethods:
    """The methods of one graph, by their names.

    methods = NamedMethods(places)
    [name for name in unit.separate_methods if methods.is_asked(file, 3, name, runs=True)]
    methods.named(["total"])  # the methods of that name that waited
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._named: set[str] = set(ASKED_BY_LIBRARIES)
        self._waiting: dict[str, list[Waiting]] = {}
        self._of_config: dict[int, bool] = {}
        self._is_any = False

    def is_asked(self, reached: ReachedFile, index: int, name: str, *, runs: bool) -> bool:
        """Return whether code may ask an object for a method; else let the method wait."""
        source = reached.node.source
        if self._is_any or name in self._named or source is None:
            return True
        if not self._is_of_config(reached.node, source.units[index]):
            return True
        self._waiting.setdefault(name, []).append((reached, index, name, runs))
        return False

    def named(self, names: frozenset[str]) -> Iterator[Waiting]:
        """Note that code names members; yield the methods that waited."""
        fresh = names - self._named
        self._named |= fresh
        for name in fresh & self._waiting.keys():
            yield from self._waiting.pop(name)

    def asked_for_any(self) -> list[Waiting]:
        """Note that code asks for members by computed names; return the methods that waited."""
        self._is_any = True
        found = [one for waiting in self._waiting.values() for one in waiting]
        self._waiting.clear()
        return found

    def handed_to(self, libraries: Collection[str]) -> list[Waiting]:
        """Note the libraries that code uses; return the methods that waited, if one may ask for any."""
        if not self._waiting or _QUIET.issuperset(libraries):
            return []
        return self.asked_for_any()

    def _is_of_config(self, node: Node, unit: Unit) -> bool:
        """Return whether all bases of a class lead to those of config, which call known methods alone."""
        if id(unit) not in self._of_config:
            self._of_config[id(unit)] = False  # its bases lead in a circle
            cls = unit.statement.node if unit.statement else None
            bases = [list(self._places.definitions(node, chain)) for chain in unit.other_bases if chain]
            is_known = len(bases) == len(unit.other_bases) and all(bases)
            self._of_config[id(unit)] = (
                isinstance(cls, ast.ClassDef)
                and bool(cls.bases)
                and not (cls.keywords or cls.decorator_list)
                and is_known
                and all(self._is_of_config(home, base) for found in bases for home, base in found)
            )
        return self._of_config[id(unit)]
