"""Places of names: the first-party modules, functions and classes that a chain of a module's own scope leads to."""

from __future__ import annotations

from collections.abc import Iterator

from jammi_dagster.fingerprint.reach.routes import Node, Routes
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.scopes import Chain, joined


class Places:
    """The places that chains lead to, through modules that hand names on.

    places = Places(routes)
    list(places.of(node, ("text", "clean")))  # [(<pipelines/text.py>, "clean")]
    """

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    def of(self, node: Node, chain: Chain) -> Iterator[tuple[Node, str]]:
        """Yield the first-party files, and the names in them, that a chain of a module's own scope begins with."""
        source, head = node.source, chain[0]
        if source is None:
            return
        units = [source.units[index] for index in source.by_name.get(head, ())]
        if units and any(unit.kind != "import" for unit in units):
            yield node, head
        todo = [(node, name) for name in source.scope.peek(chain)]
        seen = set()
        for home, name in todo:  # grows while it is read
            route = self._routes.of(home, name)
            holder = self._routes.node(route.passed[-1]) if route.passed and not route.leaves else None
            if holder is None or holder.source is None or not route.rest or (holder.path, name) in seen:
                continue
            seen.add((holder.path, name))
            if (found := route.rest[0]) in holder.source.by_name:
                if any(holder.source.units[i].kind != "import" for i in holder.source.by_name[found]):
                    yield holder, found
                todo += [
                    (holder, joined(target, *route.rest[1:])) for target in holder.source.exports(found) or ()
                ]

    def modules(self, node: Node, chain: Chain) -> Iterator[Node]:
        """Yield the first-party modules for which a chain of a module's own scope stands."""
        for name in node.source.scope.peek(chain) if node.source else ():
            route = self._routes.of(node, name)
            holder = self._routes.node(route.passed[-1]) if route.passed and not route.leaves else None
            if holder is not None and not route.rest:
                yield holder

    def definitions(self, node: Node, chain: Chain) -> Iterator[tuple[Node, Unit]]:
        """Yield the first-party functions and classes that a chain may name, with their files."""
        for home, name in self.of(node, chain) if chain else ():
            for index in home.source.by_name[name] if home.source else ():
                unit = home.source.units[index] if home.source else None
                if unit is not None and unit.kind in ("function", "class"):
                    yield home, unit
