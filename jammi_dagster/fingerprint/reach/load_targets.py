"""The names whose values a statement may change when its module is loaded.

A statement counts with all that it reads where one of these names is reached. Where they cannot be told, it counts for
everything.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.config_classes import CONFIGURING, DATA_METHODS
from jammi_dagster.fingerprint.known_names.decorators import INTEGRATIONS
from jammi_dagster.fingerprint.known_names.process_state import (
    CONNECTING,
    ENVIRONMENT_FILES,
    FAR_REACHING,
    HARMLESS_STATE,
    PROCESS_STATE,
    SELF_CONTAINED,
    is_among,
)
from jammi_dagster.fingerprint.known_names.state import (
    LISTERS,
    LISTING_BASES,
    MUTATING_FUNCTIONS,
    REGISTERING_BASES,
)
from jammi_dagster.fingerprint.known_names.texts import LOG_METHODS
from jammi_dagster.fingerprint.reach.effects import ANYTHING, EXIT, NOTHING, Effect, merged
from jammi_dagster.fingerprint.reach.fixed_points import FixedPoints
from jammi_dagster.fingerprint.reach.held_objects import HeldObjects
from jammi_dagster.fingerprint.reach.loggers import is_logger, returns_logger
from jammi_dagster.fingerprint.reach.places import Places
from jammi_dagster.fingerprint.reach.registrations import is_dispatcher, registered
from jammi_dagster.fingerprint.reach.routes import Node, Routes
from jammi_dagster.fingerprint.reach.running_methods import running_methods
from jammi_dagster.fingerprint.sources.source import Source
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.bindings import bound_names
from jammi_dagster.fingerprint.syntax.functions import Function
from jammi_dagster.fingerprint.syntax.load_effects import AS_BASE, looks_mutating
from jammi_dagster.fingerprint.syntax.optional_parts import is_orchestration
from jammi_dagster.fingerprint.syntax.scopes import Scope, chain_of, joined
from jammi_dagster.fingerprint.syntax.shared_objects import STATEFUL
from jammi_dagster.fingerprint.syntax.state_changes import (
    Called,
    StateChanges,
    changes_at_load,
    changes_of_call,
)

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _of_library(name: str) -> Effect:
    """Return the effect of a call of a library, which may run any function that it was ever given."""
    bare = name.replace(f".{CALL}", "")
    if is_among(bare, HARMLESS_STATE) and not is_among(bare, FAR_REACHING):
        return Effect(frozenset(), changes_arguments=True)
    if bare in ENVIRONMENT_FILES:
        return Effect(frozenset(), foreign=frozenset({name}))
    is_own = bare in CONNECTING or (is_among(bare, SELF_CONTAINED) and not is_among(bare, PROCESS_STATE))
    effect = Effect(frozenset(), changes_arguments=True) if is_own or bare in MUTATING_FUNCTIONS else ANYTHING
    return effect._replace(foreign=frozenset({name}))


def _is_field(source: Source, name: str, taken: str) -> bool:
    """Return whether an attribute of the objects of a class is a field, which holds data, by its annotation."""
    units = (
        [source.units[index].statement for index in source.by_name[name]] if name in source.by_name else []
    )
    classes = [one.node for one in units if one and isinstance(one.node, ast.ClassDef)]
    fields = ([one.target for one in cls.body if isinstance(one, ast.AnnAssign)] for cls in classes)
    return bool(classes) and all(any(getattr(one, "id", "") == taken for one in found) for found in fields)


class LoadTargets:
    """The names that statements may change, as the code of all that they call tells.

    targets = LoadTargets(routes)
    targets.of(node, 3).targets  # of `REGISTRY["a"] = make()`: {("/checkout/pipelines/text.py", "REGISTRY")}
    """

    def __init__(self, routes: Routes) -> None:
        self._routes, self._places = routes, Places(routes)
        self.held = HeldObjects(routes)
        self._statements: dict[tuple[str, int], Effect] = {}
        self._effects = FixedPoints(NOTHING)  # of functions, classes and names, which may lead to each other

    def of(self, node: Node, index: int) -> Effect:
        """Return the names that the statement of a unit may change."""
        key = (node.path, index)
        if key not in self._statements:
            self._statements[key] = self._of_statement(node, index)
        return self._statements[key]

    def changes_nothing(self, node: Node, unit: Unit) -> bool:
        """Return whether a function changes neither a name nor an argument, as far as its code tells."""
        function = unit.statement.node if unit.statement else None
        if not isinstance(function, _FUNCTIONS):
            return False
        effect = self._function(node, function, unit, whole=True)
        return effect.targets == frozenset() and not (effect.changes_arguments or effect.foreign)

    def _of_statement(self, node: Node, index: int) -> Effect:
        source = node.source
        assert source is not None
        unit = source.units[index]
        if unit.statement is None or not isinstance(unit.statement.node, ast.stmt):
            return NOTHING if unit.names else ANYTHING  # the names of a star import are not known here
        if unit.is_still and not unit.load_effect.certain:
            return NOTHING
        found = changes_at_load(unit.statement.node, unit.statement.scope)
        effect = self._resolved(node, source, found)
        if effect.targets is None or not found.may_exit:
            return effect
        return effect._replace(targets=effect.targets | {(node.path, EXIT)})

    def _resolved(self, node: Node, source: Source, found: StateChanges) -> Effect:
        """Turn the changes of some code into the names of modules."""
        effects = [ANYTHING if found.everything else Effect(frozenset(), changes_arguments=found.parameters)]
        effects += [self.held.of(node, name, deep) for name, deep in found.objects.items()]
        effects += [self.held.foreign(node, name, deep) for name, deep in found.foreign.items()]
        effects += [registered(one, node, self._places) for one in found.registrations]
        for call in found.calls:
            effect = self._call(node, source, call)
            handed_on = effect.changes_arguments and call.hands_on
            effects.append(effect._replace(changes_arguments=handed_on))
            if effect.changes_arguments:
                effects += [self.held.of(node, name, True) for name in call.arguments]
        return merged(effects)

    # Calls

    def _call(self, node: Node, source: Source, call: Called) -> Effect:
        if self._defines(node, source, call):
            return NOTHING
        if call.own:
            effect = self._named(node, source, call.chain[0], list(call.chain[1:]), call)
        else:
            effect = self._dotted(node, ".".join(call.chain), call)
        if call.own and self._asks_base(node, source, call, DATA_METHODS):
            return effect  # pydantic gets data: `Order.model_validate(row)`
        passed = merged(self._passed(node, source, call.arguments))
        return merged([effect, passed._replace(changes_arguments=False)])

    def _defines(self, node: Node, source: Source, call: Called) -> bool:
        """Return whether a call makes a definition by code of Dagster's: `DbtProject(…)`, `Db.configured(…)`."""
        if call.own:
            return self._asks_base(node, source, call, CONFIGURING)
        is_integration = call.chain[0].startswith(INTEGRATIONS)
        return is_integration and not self._routes.is_first_party(node, ".".join(call.chain))

    def _asks_base(self, node: Node, source: Source, call: Called, methods: Collection[str]) -> bool:
        """Return whether a call asks a class for a method that it has from libraries alone."""
        if len(call.chain) != 2 or call.chain[1] not in methods:
            return False
        todo = [(node, source.units[index]) for index in source.by_name.get(call.chain[0], ())]
        for home, unit in todo:  # grows while it is read
            cls = unit.statement.node if unit.statement else None
            if unit.statement is None or not isinstance(cls, ast.ClassDef) or call.chain[1] in unit.methods:
                return False
            for base in cls.bases:
                chain = chain_of(base.value if isinstance(base, ast.Subscript) else base) or ("",)
                found = [*self._places.definitions(home, chain)]
                names = unit.statement.scope.peek(chain)
                if not (found or names) or any(
                    self._routes.is_first_party(home, one) for one in names if not found
                ):
                    return False
                todo += [one for one in found if one not in todo]
        return bool(todo)

    def _passed(self, node: Node, source: Source, names: Iterable[str]) -> Iterator[Effect]:
        """Yield the effects of functions that are handed to a call: it may call them."""
        for name in names:
            if self.held.is_data(node, name):
                continue
            for index in source.by_name.get(name, ()):
                unit = source.units[index]
                if unit.kind == "import":
                    passed = Called((name,), False, False, True, ())
                    yield from (self._dotted(node, target, passed) for target in source.exports(name) or ())
                elif unit.statement and isinstance(unit.statement.node, _FUNCTIONS):
                    yield self._function(node, unit.statement.node, unit, whole=True)

    def _dotted(self, node: Node, name: str, call: Called) -> Effect:
        if is_orchestration(name):
            return NOTHING
        route = self._routes.of(node, name)
        if not route.passed or route.leaves:
            # A call as a statement is there for its effect; another is judged by its name.
            if name.endswith(f".{AS_BASE}") and is_among(name, REGISTERING_BASES):
                return Effect(frozenset(), foreign=frozenset({f"{name}.{CALL}"}))
            changes = call.is_statement or looks_mutating(name)
            return _of_library(f"{name}.{CALL}") if changes else NOTHING
        holder = self._routes.node(route.passed[-1])
        source = holder.source if holder is not None else None
        if holder is None or source is None:
            return ANYTHING
        if not route.rest:
            return NOTHING
        head, *rest = route.rest
        # modules may import a name from each other, in circles: then none of them binds it
        return self._effects.of(
            (holder.path, route.rest, call.is_statement, call.keeps, call.taken),
            lambda: self._named(holder, source, head, rest, call),
        )

    def _named(self, node: Node, source: Source, head: str, rest: list[str], call: Called) -> Effect:
        members = [part for part in rest if part != CALL]
        if call.keeps and call.taken and _is_field(source, head, call.taken):
            call = call._replace(keeps=False)
        whole = call.keeps or len([part for part in rest if part == CALL]) > 0
        if head not in source.by_name:
            return self._starred(node, source, head, rest, call)
        effects: list[Effect] = []
        for index in source.by_name[head]:
            unit = source.units[index]
            inner = unit.statement.node if unit.statement else None
            if unit.kind == "import":
                effects += [self._dotted(node, joined(to, *rest), call) for to in source.exports(head) or ()]
            elif isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)) and members in ([], [AS_BASE]):
                effects.append(self._function(node, inner, unit, whole=whole or bool(members)))
            elif members[-1:] and members[-1] in LOG_METHODS and returns_logger(unit):
                continue
            elif members == ["register"] and is_dispatcher(unit):
                effects.append(Effect(frozenset({(node.path, head)})))
            elif isinstance(inner, ast.ClassDef):
                is_base = members == [AS_BASE]
                asked = members[0] if len(members) == 1 and rest[-1] != CALL and not call.keeps else ""
                whole = whole or bool(members)
                effects.append(self._class(node, source, index, whole=whole, is_base=is_base, asked=asked))
                method = rest[0] if len(members) == 1 and not is_base else CALL
                is_effect = call.is_statement or looks_mutating(method)
                if is_effect and method != CALL and method not in unit.methods:
                    # a method of a base or a metaclass of a library, such as `Shape.register(Circle)`
                    effects.append(Effect(frozenset({(node.path, head)}), changes_arguments=True))
            else:
                effects.append(self._method(node, source, head, members, call))
        return merged(effects)

    def _starred(self, node: Node, source: Source, head: str, rest: list[str], call: Called) -> Effect:
        return merged(self._dotted(node, joined(star, head, *rest), call) for star in source.stars)

    def _method(self, node: Node, source: Source, head: str, members: list[str], call: Called) -> Effect:
        """Return the effect of a method of an object that the module holds under a name."""
        made = source.scope.peek((head,))
        if not LISTERS.isdisjoint((*made, *(joined(name, *members) for name in made))):
            return Effect(frozenset({(node.path, head)}))
        if members and not (call.is_statement or looks_mutating(members[-1])):
            is_drawn = source.kind_of(head) == STATEFUL  # any method changes it
            return Effect(frozenset({(node.path, head)})) if is_drawn else NOTHING
        if members and members[-1] in LOG_METHODS and is_logger(source, head):
            return NOTHING
        effect = self._method_of_made(node, source, head) if len(members) == 1 else None
        return effect or ANYTHING._replace(named=self.held.around(node, head, deep=True))

    def _method_of_made(self, node: Node, source: Source, head: str) -> Effect | None:
        """Return the effect of any method of an object that a class made; None for another object."""
        written = source.written.get(head)
        chain = chain_of(written.func) if isinstance(written, ast.Call) else None
        if chain is None or CALL in chain:
            return None
        own = Effect(frozenset({(node.path, head)}), changes_arguments=True)
        names = source.scope.peek(chain)
        if names:
            is_library = not any(self._routes.is_first_party(node, name) for name in names)
            # A decorator of an object of a library's class, as `@app.command()`, changes that object.
            return own if is_library and chain[-1][:1].isupper() else None
        indexes = [i for i in source.by_name.get(chain[0], ()) if source.units[i].kind == "class"]
        if not indexes or len(chain) > 1:
            return None
        return merged([own, *(self._class(node, source, index, whole=True) for index in indexes)])

    # Code

    def _function(self, node: Node, function: Function, unit: Unit, *, whole: bool) -> Effect:
        assert unit.statement is not None
        return self._body(node, function, unit.statement.scope, whole=whole)

    def _body(self, node: Node, function: Function, scope: Scope, *, whole: bool) -> Effect:
        source = node.source
        assert source is not None

        def effect() -> Effect:
            return self._resolved(node, source, changes_of_call(function, scope, is_whole=whole))

        return self._effects.of((node.path, id(function), whole), effect)

    def _class(
        self,
        node: Node,
        source: Source,
        index: int,
        *,
        whole: bool,
        is_base: bool = False,
        asked: str = "",
    ) -> Effect:
        """Return the effect of a call of a class: of its constructors, or of all its methods.

        `is_base`: of the hooks alone, which run when another class is derived from it. `asked`: the one method of its
        own that is called on the class.
        """
        unit = source.units[index]
        assert unit.statement is not None
        assert isinstance(unit.statement.node, ast.ClassDef)
        cls, scope = unit.statement.node, unit.statement.scope
        if any(isinstance(one, ast.FunctionDef) and one.name == asked for one in cls.body):
            whole = False
        else:
            asked = ""

        def effect() -> Effect:
            hooks = [one for one in cls.body if AS_BASE in bound_names(one)]
            if is_base and not all(isinstance(hook, ast.FunctionDef) for hook in hooks):
                return ANYTHING
            methods = (
                hooks
                if is_base
                else running_methods(self._routes, node, cls, scope, whole=whole, asked=asked)
            )
            bodies = [
                self._body(node, one, scope, whole=whole) for one in methods if isinstance(one, _FUNCTIONS)
            ]
            return merged([*self._bases(node, source, cls, scope, whole=whole, is_base=is_base), *bodies])

        return self._effects.of((node.path, id(cls), AS_BASE if is_base else asked or whole), effect)

    def _bases(
        self, node: Node, source: Source, cls: ast.ClassDef, scope: Scope, *, whole: bool, is_base: bool
    ) -> Iterator[Effect]:
        for base in [*cls.bases, *(word.value for word in cls.keywords)]:
            chain = chain_of(base.value if isinstance(base, ast.Subscript) else base)
            if chain is None:
                yield ANYTHING if not isinstance(base, ast.Constant) else NOTHING
                continue
            if is_base and base in cls.bases:
                if not LISTING_BASES.isdisjoint(scope.peek(chain)):
                    yield Effect(frozenset({(node.path, cls.name)}))
                chain = (*chain, AS_BASE)
            names = scope.peek(chain)
            if not names:
                yield self._call(node, source, Called(chain, True, False, whole, ()))
            for name in names:
                if is_base or self._routes.is_first_party(node, name):
                    yield self._call(node, source, Called(tuple(name.split(".")), False, False, whole, ()))
