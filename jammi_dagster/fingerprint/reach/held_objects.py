"""Objects that module-level names hold: one object may have several names, and objects within it names of their own."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.process_state import FAR_REACHING, PROCESS_STATE, is_among
from jammi_dagster.fingerprint.reach.effects import ANYTHING, NOTHING, Effect, Name, Targets
from jammi_dagster.fingerprint.reach.routes import Node, Routes
from jammi_dagster.fingerprint.sources.source import Source
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.optional_parts import is_orchestration
from jammi_dagster.fingerprint.syntax.scopes import Scope, chain_of
from jammi_dagster.fingerprint.syntax.written_data import names_of_data

_FRESH = frozenset(
    {"list", "dict", "set", "deque", "defaultdict", "Counter", "OrderedDict", "SimpleNamespace"}
)
_DISPLAYS = (
    ast.List,
    ast.Dict,
    ast.Set,
    ast.Tuple,
    ast.ListComp,
    ast.DictComp,
    ast.SetComp,
    ast.GeneratorExp,
    ast.Constant,
    ast.JoinedStr,
)
_MOST = 300  # names that an object may lead to; beyond them it may lead anywhere


class HeldObjects:
    """The names that hold objects of modules.

    held = HeldObjects(routes)
    held.of(node, "ROWS", deep=False).targets  # {("/checkout/pipelines/text.py", "ROWS")}
    """

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._used_by: dict[tuple[str, int], Targets] = {}

    def of(self, node: Node, name: str, deep: bool) -> Effect:
        """Return the names that may hold an object, or one within it if `deep`, which a name holds."""
        outside: set[str] = set()
        found = self._closed([(node, name)], deep=deep, outside=outside)
        named = frozenset({(node.path, name)}) if found is None else frozenset[Name]()
        inner = found if deep and found else frozenset[Name]()
        return Effect(found, inner, named=named, foreign=frozenset(outside))

    def used(self, node: Node, index: int) -> Targets:
        """Return the names that may hold an object which the statement of a unit uses."""
        assert node.source is not None
        key = (node.path, index)
        if key not in self._used_by:
            leads = self._used(node, node.source.units[index])
            self._used_by[key] = None if leads is None else self._closed(leads, deep=True)
        return self._used_by[key]

    def _closed(
        self, todo: list[tuple[Node, str]], *, deep: bool, outside: set[str] | None = None
    ) -> Targets:
        """Return all names that lead to each other; the names of libraries go to `outside`, or cannot be told."""
        found: dict[Name, None] = {}
        seen: set[Name] = set()
        for holder, one in todo:  # grows while it is read
            if (holder.path, one) in seen:
                continue
            seen.add((holder.path, one))
            if not _is_import(holder, one):  # the name that it stands for follows
                found[holder.path, one] = None
            further = self._held(holder, one, deep, outside) if len(seen) <= _MOST else None
            if further is None:
                return None
            todo += further
        return frozenset(found)

    def _held(
        self, node: Node, name: str, deep: bool, outside: set[str] | None
    ) -> list[tuple[Node, str]] | None:
        """Return the names whose objects a name may hold too; None if that cannot be told."""
        source = node.source
        if source is None:
            return None
        further: list[tuple[Node, str]] = []
        for index in source.by_name.get(name, ()):
            unit = source.units[index]
            if unit.kind == "import":
                leads = self._imported(node, source.exports(name) or (), unit, outside)
            else:
                leads = self._held_by(node, source, name, unit, deep)
            if leads is None:
                return None
            further += leads
        return further

    def _held_by(
        self, node: Node, source: Source, name: str, unit: Unit, deep: bool
    ) -> list[tuple[Node, str]] | None:
        written = source.written.get(name) if unit.kind == "constant" else None
        if written is not None and not deep:
            if _is_fresh(written, source.scope):
                return []
            if self._is_foreign_call(written, node, source):
                return None
        return self._used(node, unit) if deep or unit.kind in ("code", "constant") else []

    def _imported(
        self, node: Node, names: Iterable[str], unit: Unit, outside: set[str] | None
    ) -> list[tuple[Node, str]] | None:
        if unit.is_whole_import:
            return []  # code that uses the module names all that it takes from it
        if outside is None:
            return self._leads(node, names)
        outside.update(name for name in names if not self._routes.is_first_party(node, name))
        return self._leads(node, [n for n in names if n not in outside and self._routes.of(node, n).rest])

    def _is_foreign_call(self, written: ast.expr, node: Node, source: Source) -> bool:
        """Return whether an expression is the result of a library's function, which may be an object of its own."""
        if not isinstance(written, ast.Call):
            return False
        names = source.scope.peek(chain_of(written.func) or ("",))
        foreign = (name for name in names if not self._routes.is_first_party(node, name))
        return any(not (is_orchestration(name) or name.rpartition(".")[2] in _FRESH) for name in foreign)

    def _used(self, node: Node, unit: Unit) -> list[tuple[Node, str]] | None:
        parts = unit.parts.values()
        if any(part.packages for part in parts):
            return None
        further = [(node, name) for part in parts for name in part.own]
        uses = (use.name for part in parts for use in part.uses)
        leads = self._leads(node, [name for name in uses if not is_orchestration(name)], strict=False)
        return None if leads is None else further + leads

    def _leads(
        self, node: Node, names: Iterable[str], *, strict: bool = True
    ) -> list[tuple[Node, str]] | None:
        found: list[tuple[Node, str]] = []
        for name in names:
            route = self._routes.of(node, name)
            if not route.passed or route.leaves:
                if strict:
                    return None
                continue
            holder = self._routes.node(route.passed[-1])
            if holder is None or not route.rest:
                return None
            found.append((holder, route.rest[0]))
        return found

    def foreign(self, node: Node, name: str, deep: bool) -> Effect:
        """Return the same of a name of another module."""
        route = self._routes.of(node, name)
        if route.passed and not (route.rest or route.leaves or deep):
            return NOTHING  # a function of a module, such as `frames.sort(x)`, which is looked at as a call
        holder = self._routes.node(route.passed[-1]) if route.passed and not route.leaves else None
        if holder is None:
            bare = name.replace(f".{CALL}", "")
            is_known = not route.passed and not is_among(bare, (*PROCESS_STATE, *FAR_REACHING))
            return (NOTHING if is_known else ANYTHING)._replace(
                foreign=frozenset({f"{name}.*" if deep else name})
            )
        if not route.rest or route.rest[0] == "__dict__":  # `setattr` with a computed name
            own = holder.source.by_name if holder.source else ()
            return ANYTHING._replace(named=frozenset((holder.path, one) for one in own))
        effect = self.of(holder, route.rest[0], deep or len(route.rest) > 1)
        if route.rest[1:2] != (CALL,) or not _is_function(holder, route.rest[0]):
            return effect
        itself = {(holder.path, route.rest[0])}  # a result: the function is not changed
        targets = None if effect.targets is None else effect.targets - itself
        return effect._replace(targets=targets, deep=effect.deep - itself)

    def around(self, node: Node, name: str, *, deep: bool) -> frozenset[Name]:
        """Return the names that may hold the object of a name, or one within it if `deep`; functions hold none.

        A statement that binds several names may make objects that share a third: `put, get = pair()`.
        """
        found: dict[Name, Node] = {}
        todo = [(node, name), *((node, one) for unit in _units(node, name) for one in unit.names)]
        for holder, one in todo:  # grows while it is read
            if (holder.path, one) not in found:
                found[holder.path, one] = holder
                todo += (self._held(holder, one, deep, None) or []) if len(found) <= _MOST else []
        return frozenset(
            key
            for key, holder in found.items()
            if key == (node.path, name) or any(unit.kind != "function" for unit in _units(holder, key[1]))
        )

    def is_data(self, node: Node, name: str) -> bool:
        """Return whether a name holds a container that is written with data in it: nobody can call that."""
        source = node.source
        if source is None:
            return False
        todo = [(node, source, name)]
        for home, text, one in todo:  # grows while it is read
            kinds = [text.units[index].kind for index in text.by_name.get(one, ())]
            if kinds == ["import"]:
                leads = self._leads(home, text.exports(one) or ())
                further = [(holder, holder.source, own) for holder, own in leads or () if holder.source]
                if not further or len(todo) > _MOST:
                    return False
            else:
                written = text.written.get(one)
                names = (
                    None
                    if written is None or set(kinds) != {"constant"} or _is_filled(text, one)
                    else names_of_data(written, text.scope)
                )
                if names is None or len(todo) > _MOST:
                    return False
                further = [(home, text, own) for own in names]
            todo += [entry for entry in further if entry not in todo]
        return True


def _units(node: Node, name: str) -> list[Unit]:
    return [node.source.units[index] for index in node.source.by_name.get(name, ())] if node.source else []


def _is_import(node: Node, name: str) -> bool:
    units = _units(node, name)
    return bool(units) and all(unit.kind == "import" for unit in units)


def _is_function(node: Node, name: str) -> bool:
    """Return whether a name is that of a function which nothing decorates, and which holds no object itself."""
    units = _units(node, name)
    return bool(units) and all(unit.is_plain_function and not unit.holds_stateful for unit in units)


def _is_filled(source: Source, name: str) -> bool:
    """Return whether a statement of a module that is there for its effect names one of its objects."""
    effects = (unit for unit in source.units[: source.loaded] if unit.load_effect.certain)
    return any(name in part.own for unit in effects for part in unit.parts.values())


def _is_fresh(written: ast.expr, scope: Scope) -> bool:
    """Return whether an expression makes a new object, which no other name holds."""
    if isinstance(written, ast.Call):
        chain = chain_of(written.func)
        return chain is not None and CALL not in chain and (chain[-1] in _FRESH or chain[-1][:1].isupper())
    return isinstance(written, _DISPLAYS)
