"""Side effects of first-party callables that run while a module is loaded."""

from __future__ import annotations

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.reach.routes import Node, Routes
from jammi_dagster.fingerprint.sources.source import Source
from jammi_dagster.fingerprint.syntax.load_effects import AS_BASE, AS_METACLASS, OWN, looks_mutating
from jammi_dagster.fingerprint.syntax.scopes import joined

_MAKES_CLASSES = frozenset({"__new__", "__init__", "__prepare__"})


class SideEffects:
    """The side effects of callables, as far as their code or their name tells.

    A first-party callable is if neither its code nor the code that it calls changes a global or an argument. A
    library's function is judged by its name (`looks_mutating`): `pkg.make` is free of side effects, `pkg.register`
    is not.
    """

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._known: dict[tuple[str, int], bool] = {}

    def has_none(self, node: Node, called: str) -> bool:
        """Return whether a callable is free of side effects: `@name` for a module's own, otherwise a dotted name."""
        if node.source is None:
            return False
        if called.startswith(OWN):
            head, *rest = called.removeprefix(OWN).split(".")
            return self._named(node, node.source, head, rest, frozenset())
        return self._dotted(node, called, frozenset())

    def _dotted(self, node: Node, name: str, seen: frozenset[tuple[str, str]]) -> bool:
        route = self._routes.of(node, name)
        if not route.passed or route.leaves:
            return not looks_mutating(name)
        holder = self._routes.node(route.passed[-1])
        if holder is None or holder.source is None:
            return False
        if not route.rest or (holder.path, name) in seen:
            return True  # a module is not called
        head, *rest = route.rest
        return self._named(holder, holder.source, head, rest, seen | {(holder.path, name)})

    def _named(
        self, node: Node, source: Source, head: str, rest: list[str], seen: frozenset[tuple[str, str]]
    ) -> bool:
        indexes = source.by_name.get(head)
        if indexes is None:
            return all(self._dotted(node, joined(star, head, *rest), seen) for star in source.stars)
        members = [part for part in rest if part != CALL]
        for index in indexes:
            unit = source.units[index]
            if unit.kind == "import":
                found = all(self._dotted(node, joined(t, *rest), seen) for t in source.exports(head) or ())
            elif members == [AS_BASE]:
                found = unit.kind == "class" and self._derives_purely(node, source, index)
            elif members == [AS_METACLASS]:
                found = unit.kind == "class" and _MAKES_CLASSES.isdisjoint(unit.methods)
            elif unit.kind in ("function", "class"):
                found = (unit.kind == "class" or not members) and self._unit(node, source, index)
            else:  # a method of an object, by its name; a call of the object itself may do anything
                found = bool(members)
            if not found:
                return False
        return True

    def _derives_purely(self, node: Node, source: Source, index: int) -> bool:
        unit = source.units[index]
        if AS_BASE in unit.methods:
            return False
        bases = [call for call in unit.load_effect.calls if call.endswith((AS_BASE, AS_METACLASS))]
        return all(self.has_none(node, base) for base in bases)

    def _unit(self, node: Node, source: Source, index: int) -> bool:
        key = (node.path, index)
        if key not in self._known:
            self._known[key] = True  # in a circle: decided by the rest of the circle
            unit = source.units[index]
            code = unit.parts["code"]
            own = ((name, i) for name in code.own for i in source.by_name.get(name, ()))
            self._known[key] = (
                not unit.may_change_state
                and all(
                    self._unit(node, source, i)
                    for _, i in own
                    if source.units[i].kind in ("function", "class")
                )
                and all(
                    self._dotted(node, use.name, frozenset()) for use in code.uses if use.call is not None
                )
            )
        return self._known[key]
