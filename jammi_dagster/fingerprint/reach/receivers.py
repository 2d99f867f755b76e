"""Receivers of functions and classes: a library that gets one may read its annotations and docstrings."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from jammi_dagster.fingerprint.known_names.annotation_blind import (
    BLIND_METHODS,
    BLIND_RECEIVERS,
    DOCSTRING_BLIND,
)
from jammi_dagster.fingerprint.known_names.decorators import ANNOTATION_READERS
from jammi_dagster.fingerprint.reach.places import Places
from jammi_dagster.fingerprint.reach.routes import Node, Routes
from jammi_dagster.fingerprint.sources.parts import Part
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.scopes import Chain, chain_of
from jammi_dagster.fingerprint.syntax.uses import HandOver


class Receivers:
    """The receivers in first-party code; a function that hands a parameter on to a library is one."""

    def __init__(self, routes: Routes, places: Places) -> None:
        self._routes, self._places = routes, places
        self._leaks: dict[tuple[str, int], bool] = {}

    def documented(self, node: Node, part: Part) -> Iterator[tuple[Node, Unit, bool]]:
        """Yield the functions and classes that a part hands to a receiver; True if it may read docstrings too."""
        for handed in part.handed:
            if not handed.is_parameter:
                definitions = list(self._places.definitions(node, handed.given))
                if definitions and self.reads(node, handed):
                    docs = reads_docs(handed.names)
                    yield from ((home, unit, docs) for home, unit in definitions)

    def reads(self, node: Node, handed: HandOver) -> bool:
        """Return whether the receiver may read annotations and docstrings."""
        outside = [name for name in handed.names if not self._routes.of(node, name).passed]
        if outside:
            return not all(map(_is_blind, outside))
        if handed.callee is None or handed.method in BLIND_METHODS:
            return handed.callee is None and handed.method not in BLIND_METHODS
        homes = list(self._places.definitions(node, handed.callee))
        if handed.method and homes and all(unit.kind == "function" for _, unit in homes):
            return True  # `dispatcher.register(f)`
        if not homes and self._is_of_library(node, handed.callee):
            return True
        homes = homes or list(self._classes(node, handed.callee))
        return any(self._hands_on(home, unit) for home, unit in homes)

    def _classes(self, node: Node, callee: Chain) -> Iterator[tuple[Node, Unit]]:
        """Yield the classes of the object whose method is called."""
        for home, name in self._places.of(node, callee[:1]):
            written = home.source.written.get(name) if home.source else None
            if isinstance(written, ast.Call) and (made := chain_of(written.func)):
                yield from self._places.definitions(home, made)

    def _is_of_library(self, node: Node, callee: Chain) -> bool:
        """Return whether the method is one of an object that a library made, which may read about its functions."""
        for home, name in self._places.of(node, callee[:1]):
            written = home.source.written.get(name) if home.source else None
            made = chain_of(written.func) if isinstance(written, ast.Call) else None
            names = home.source.scope.peek(made) if home.source and made else []
            outside = [name for name in names if not self._routes.of(home, name).passed]
            if outside and not all(map(_is_blind, outside)):
                return True
        return False

    def _hands_on(self, node: Node, unit: Unit) -> bool:
        """Return whether a function, or a method of a class, hands a parameter on to such a receiver."""
        key = (node.path, id(unit))
        if key not in self._leaks:
            self._leaks[key] = False  # in a circle: decided by the rest of the circle
            self._leaks[key] = any(
                handed.is_parameter and self.reads(node, handed)
                for part in unit.parts.values()
                for handed in part.handed
            )
        return self._leaks[key]


def reads_docs(names: Collection[str]) -> bool:
    """Return whether a receiver of annotations may read docstrings too; without names it is a module's own."""
    return not names or any(name.partition(".")[0] not in DOCSTRING_BLIND for name in names)


def _is_blind(name: str) -> bool:
    return name.partition(".")[0] in BLIND_RECEIVERS and name not in ANNOTATION_READERS
