"""The names whose values a statement may change when its module is loaded.

A statement counts with all that it reads where one of these names is reached. Where they cannot be told, it counts for
everything.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.quiet import LOGGER_MAKERS
from jammi_dagster.fingerprint.known_names.texts import LOG_METHODS
from jammi_dagster.fingerprint.reach.fixed_points import FixedPoints
from jammi_dagster.fingerprint.reach.routes import Node, Routes
from jammi_dagster.fingerprint.sources.source import Source
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.bindings import bound_names
from jammi_dagster.fingerprint.syntax.load_effects import AS_BASE, looks_mutating
from jammi_dagster.fingerprint.syntax.optional_parts import is_orchestration
from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, Scope, chain_of, joined
from jammi_dagster.fingerprint.syntax.shared_objects import STATEFUL
from jammi_dagster.fingerprint.syntax.state_changes import (
    PROPERTIES,
    Called,
    FunctionNode,
    StateChanges,
    changes_at_load,
    changes_of_call,
    names_of_data,
)
from jammi_dagster.fingerprint.syntax.trees import nodes

Name = tuple[str, str]  # the path of a first-party file, and a name of its module
EXIT = ""  # stands for the names of a module where loading it may fail
Targets = frozenset[Name] | None  # None: everything

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_CONSTRUCTORS = frozenset(
    {"__init__", "__new__", "__post_init__", "__attrs_post_init__", "model_post_init", "__call__"}
)
_VALIDATORS = frozenset(
    {"validator", "root_validator", "field_validator", "model_validator", "computed_field"}
)
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


class Effect(NamedTuple):
    """The names that some code may change; `deep` are those within whose values it may change further objects.

    `named` are the first-party names among the targets, `foreign` the names of other packages whose state it may
    change: both are told also where other targets are not known.
    """

    targets: Targets
    deep: frozenset[Name] = frozenset()
    changes_arguments: bool = False
    named: frozenset[Name] = frozenset()
    foreign: frozenset[str] = frozenset()


_NONE = Effect(frozenset())
_ANY = Effect(None, changes_arguments=True)


def _merged(effects: Iterable[Effect]) -> Effect:
    named: set[Name] = set()
    deep: set[Name] = set()
    foreign: set[str] = set()
    is_known, changes_arguments = True, False
    for effect in effects:
        is_known &= effect.targets is not None
        named |= effect.targets or effect.named
        deep |= effect.deep
        foreign |= effect.foreign
        changes_arguments |= effect.changes_arguments
    if is_known:
        return Effect(frozenset(named), frozenset(deep), changes_arguments, foreign=frozenset(foreign))
    return _ANY._replace(named=frozenset(named), foreign=frozenset(foreign))


class LoadTargets:
    """The names that statements may change, as the code of all that they call tells.

    targets = LoadTargets(routes)
    targets.of(node, 3).targets  # of `REGISTRY["a"] = make()`: {("/checkout/pipelines/text.py", "REGISTRY")}
    """

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._statements: dict[tuple[str, int], Effect] = {}
        self._used_by: dict[tuple[str, int], Targets] = {}
        self._effects = FixedPoints(_NONE)  # of functions and classes, which may call each other

    def of(self, node: Node, index: int) -> Effect:
        """Return the names that the statement of a unit may change."""
        key = (node.path, index)
        if key not in self._statements:
            self._statements[key] = self._of_statement(node, index)
        return self._statements[key]

    def used(self, node: Node, index: int) -> Targets:
        """Return the names that may hold an object which the statement of a unit uses."""
        assert node.source is not None
        key = (node.path, index)
        if key not in self._used_by:
            leads = self._used(node, node.source.units[index])
            self._used_by[key] = None if leads is None else self._closed(leads, deep=True)
        return self._used_by[key]

    def changes_nothing(self, node: Node, unit: Unit) -> bool:
        """Return whether a function changes neither a name nor an argument, as far as its code tells."""
        function = unit.statement.node if unit.statement else None
        if not isinstance(function, _FUNCTIONS):
            return False
        effect = self._function(node, function, unit, whole=True)
        return effect.targets == frozenset() and not effect.changes_arguments

    def _of_statement(self, node: Node, index: int) -> Effect:
        source = node.source
        assert source is not None
        unit = source.units[index]
        if unit.statement is None or not isinstance(unit.statement.node, ast.stmt):
            return _NONE if unit.names else _ANY  # the names of a star import are not known here
        if unit.is_still and not unit.load_effect.certain:
            return _NONE
        found = changes_at_load(unit.statement.node, unit.statement.scope)
        effect = self._resolved(node, source, found)
        if effect.targets is None or not found.may_exit:
            return effect
        return effect._replace(targets=effect.targets | {(node.path, EXIT)})

    def _resolved(self, node: Node, source: Source, found: StateChanges) -> Effect:
        """Turn the changes of some code into the names of modules."""
        effects = [_ANY if found.everything else Effect(frozenset(), changes_arguments=found.parameters)]
        effects += [self._objects(node, name, deep) for name, deep in found.objects.items()]
        effects += [self._foreign(node, name, deep) for name, deep in found.foreign.items()]
        for call in found.calls:
            effect = self._call(node, source, call)
            effects.append(effect)
            if effect.changes_arguments:
                effects += [self._objects(node, name, True) for name in call.arguments]
        return _merged(effects)

    # Calls

    def _call(self, node: Node, source: Source, call: Called) -> Effect:
        if call.own:
            effect = self._named(node, source, call.chain[0], list(call.chain[1:]), call)
        else:
            effect = self._dotted(node, ".".join(call.chain), call)
        passed = _merged(self._passed(node, source, call.arguments))
        return _merged([effect, passed._replace(changes_arguments=False)])

    def _passed(self, node: Node, source: Source, names: Iterable[str]) -> Iterator[Effect]:
        """Yield the effects of functions that are handed to a call: it may call them."""
        for name in names:
            if self._is_data(node, name):
                continue
            for index in source.by_name.get(name, ()):
                unit = source.units[index]
                if unit.kind == "import":
                    passed = Called((name,), False, False, True, ())
                    yield from (self._dotted(node, target, passed) for target in source.exports(name) or ())
                elif unit.statement and isinstance(unit.statement.node, _FUNCTIONS):
                    yield self._function(node, unit.statement.node, unit, whole=True)

    def _is_data(self, node: Node, name: str) -> bool:
        """Return whether a name holds a container that is written with data in it: nobody can call that."""
        source = node.source
        if source is None:
            return False
        todo = [(node, source, name)]
        for home, text, one in todo:  # grows while it is read
            kinds = [text.units[index].kind for index in text.by_name.get(one, ())]
            if kinds == ["import"]:
                leads = self._leads(home, list(text.exports(one) or ()))
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

    def _dotted(self, node: Node, name: str, call: Called) -> Effect:
        if is_orchestration(name):
            return _NONE
        route = self._routes.of(node, name)
        if not route.passed or route.leaves:
            # A call as a statement is there for its effect; another is judged by its name.
            changes = call.is_statement or looks_mutating(name)
            return _ANY._replace(foreign=frozenset({f"{name}.{CALL}"})) if changes else _NONE
        holder = self._routes.node(route.passed[-1])
        if holder is None or holder.source is None:
            return _ANY
        if not route.rest:
            return _NONE
        return self._named(holder, holder.source, route.rest[0], list(route.rest[1:]), call)

    def _named(self, node: Node, source: Source, head: str, rest: list[str], call: Called) -> Effect:
        members = [part for part in rest if part != CALL]
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
            elif members[-1:] and members[-1] in LOG_METHODS and _returns_logger(unit):
                continue
            elif isinstance(inner, ast.ClassDef):
                is_base = members == [AS_BASE]
                asked = members[0] if len(members) == 1 and rest[-1] != CALL and not call.keeps else ""
                whole = whole or bool(members)
                effects.append(self._class(node, source, index, whole=whole, is_base=is_base, asked=asked))
            else:
                effects.append(self._method(node, source, head, members, call))
        return _merged(effects)

    def _starred(self, node: Node, source: Source, head: str, rest: list[str], call: Called) -> Effect:
        return _merged(self._dotted(node, joined(star, head, *rest), call) for star in source.stars)

    def _method(self, node: Node, source: Source, head: str, members: list[str], call: Called) -> Effect:
        """Return the effect of a method of an object that the module holds under a name."""
        unknown = _ANY._replace(named=frozenset({(node.path, head)}))
        if not members:
            return unknown  # a call of the object itself
        if not call.is_statement and not looks_mutating(members[-1]):
            is_drawn = source.kind_of(head) == STATEFUL  # any method changes it
            return Effect(frozenset({(node.path, head)})) if is_drawn else _NONE
        written = source.written.get(head)
        if (
            members[-1] in LOG_METHODS
            and isinstance(written, ast.Call)
            and isinstance(written.func, ast.Name)
        ):
            makers = [source.units[index] for index in source.by_name.get(written.func.id, ())]
            if makers and all(map(_returns_logger, makers)):
                return _NONE
        if len(members) > 1 or not isinstance(written, ast.Call):
            return unknown
        chain = chain_of(written.func)
        own = Effect(frozenset({(node.path, head)}), changes_arguments=True)
        if chain is None or CALL in chain:
            return unknown
        if not source.scope.peek(chain):
            indexes = [i for i in source.by_name.get(chain[0], ()) if source.units[i].kind == "class"]
            if not indexes or len(chain) > 1:
                return unknown
            return _merged([own, *(self._class(node, source, index, whole=True) for index in indexes)])
        routes = [self._routes.of(node, name) for name in source.scope.peek(chain)]
        is_library = all(not route.passed or route.leaves for route in routes)
        # A decorator of an object of a library's class, as `@app.command()`, changes that object.
        return own if is_library and chain[-1][:1].isupper() else unknown

    # Code

    def _function(self, node: Node, function: FunctionNode, unit: Unit, *, whole: bool) -> Effect:
        assert unit.statement is not None
        return self._body(node, function, unit.statement.scope, whole=whole)

    def _body(self, node: Node, function: FunctionNode, scope: Scope, *, whole: bool) -> Effect:
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
            effects = list(self._bases(node, source, cls, scope, whole=whole, is_base=is_base))
            hooks = [one for one in cls.body if AS_BASE in bound_names(one)]
            if is_base and not all(isinstance(hook, ast.FunctionDef) for hook in hooks):
                return _ANY
            methods = hooks if is_base else self._running_methods(node, cls, scope, whole=whole, asked=asked)
            return _merged(
                [
                    *effects,
                    *(
                        self._body(node, one, scope, whole=whole)
                        for one in methods
                        if isinstance(one, _FUNCTIONS)
                    ),
                ]
            )

        return self._effects.of((node.path, id(cls), AS_BASE if is_base else asked or whole), effect)

    def _bases(
        self, node: Node, source: Source, cls: ast.ClassDef, scope: Scope, *, whole: bool, is_base: bool
    ) -> Iterator[Effect]:
        for base in [*cls.bases, *(word.value for word in cls.keywords)]:
            chain = chain_of(base.value if isinstance(base, ast.Subscript) else base)
            if chain is None:
                yield _ANY if not isinstance(base, ast.Constant) else _NONE
                continue
            if is_base and base in cls.bases:
                chain = (*chain, AS_BASE)
            call = Called(chain, not scope.peek(chain), False, whole, ())
            if call.own or self._is_first_party(node, scope.peek(chain)):
                yield self._call(node, source, call)

    def _is_first_party(self, node: Node, names: Iterable[str]) -> bool:
        routes = [self._routes.of(node, name) for name in names]
        return any(route.passed and not route.leaves for route in routes)

    def _running_methods(
        self, node: Node, cls: ast.ClassDef, scope: Scope, *, whole: bool, asked: str
    ) -> list[FunctionNode]:
        methods: dict[str, list[FunctionNode]] = {}
        for one in cls.body:
            if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
                methods.setdefault(one.name, []).append(one)
        if whole or self._has_foreign_base(node, cls, scope):
            return [method for found in methods.values() for method in found]
        running = {*_CONSTRUCTORS, asked}
        names = [n for n, found in methods.items() if n in running or any(map(_validates, found))]
        seen: dict[str, None] = dict.fromkeys(names)
        todo = list(names)
        for name in todo:  # grows: constructors call other methods
            for method in methods[name]:
                used = changes_of_call(method, scope, is_whole=False).of_self
                if "*" in used:
                    return [one for found in methods.values() for one in found]
                if PROPERTIES in used:
                    used = used | {name for name, found in methods.items() if any(map(_is_property, found))}
                fresh = [other for other in used if other in methods and other not in seen]
                seen.update(dict.fromkeys(fresh))
                todo += fresh
        return [method for name in seen for method in methods[name]]

    def _has_foreign_base(self, node: Node, cls: ast.ClassDef, scope: Scope) -> bool:
        """Return whether a base outside of first-party code may call methods when an object is made."""
        for base in cls.bases:
            chain = chain_of(base.value if isinstance(base, ast.Subscript) else base)
            names = scope.peek(chain) if chain else []
            known = ("builtins.object", "pydantic.", "typing.", "abc.", "enum.")
            for name in names:
                route = self._routes.of(node, name)
                is_foreign = not route.passed or route.leaves
                if is_foreign and not (is_orchestration(name) or name.startswith(known)):
                    return True
        return False

    # Objects

    def _objects(self, node: Node, name: str, deep: bool) -> Effect:
        """Return the names that may hold an object, or one within it if `deep`, which a name holds."""
        found = self._closed([(node, name)], deep=deep)
        named = frozenset({(node.path, name)}) if found is None else frozenset[Name]()
        return Effect(found, found if deep and found else frozenset(), named=named)

    def _closed(self, todo: list[tuple[Node, str]], *, deep: bool) -> Targets:
        found: dict[Name, None] = {}
        for holder, one in todo:  # grows while it is read
            if (holder.path, one) in found:
                continue
            found[holder.path, one] = None
            further = self._held(holder, one, deep) if len(found) <= _MOST else None
            if further is None:
                return None
            todo += further
        return frozenset(found)

    def _held(self, node: Node, name: str, deep: bool) -> list[tuple[Node, str]] | None:
        """Return the names whose objects a name may hold too; None if that cannot be told."""
        source = node.source
        if source is None:
            return None
        further: list[tuple[Node, str]] = []
        for index in source.by_name.get(name, ()):
            unit = source.units[index]
            if unit.kind == "import":
                leads = self._leads(node, list(source.exports(name) or ()))
                if leads is None:
                    return None
                further += leads
            elif unit.kind == "constant":
                written = source.written.get(name)
                if written is None or not _is_fresh(written, source.scope) or deep:
                    if written is not None and not deep and _is_foreign_call(written, self, node, source):
                        return None
                    leads = self._used(node, unit)
                    if leads is None:
                        return None
                    further += leads
            elif deep or unit.kind == "code":
                leads = self._used(node, unit)
                if leads is None:
                    return None
                further += leads
        return further

    def _used(self, node: Node, unit: Unit) -> list[tuple[Node, str]] | None:
        parts = unit.parts.values()
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

    def _foreign(self, node: Node, name: str, deep: bool) -> Effect:
        route = self._routes.of(node, name)
        if route.passed and not (route.rest or route.leaves or deep):
            return _NONE  # a function of a module, such as `frames.sort(x)`, which is looked at as a call
        holder = (
            self._routes.node(route.passed[-1]) if route.passed and route.rest and not route.leaves else None
        )
        if holder is None:
            return _ANY._replace(foreign=frozenset({name}))
        return self._objects(holder, route.rest[0], deep or len(route.rest) > 1)


def _is_filled(source: Source, name: str) -> bool:
    """Return whether a statement of a module that is there for its effect names one of its objects."""
    effects = (unit for unit in source.units[: source.loaded] if unit.load_effect.certain)
    return any(name in part.own for unit in effects for part in unit.parts.values())


def _returns_logger(unit: Unit) -> bool:
    """Return whether a function returns a logger, whatever it is given."""
    function = unit.statement.node if unit.statement else None
    if unit.statement is None or not isinstance(function, ast.FunctionDef):
        return False
    scope = FunctionScope(unit.statement.scope, function)
    returned = [one.value for one in nodes(function) if isinstance(one, ast.Return)]
    made = [scope.peek(chain_of(one.func) or ("",)) for one in returned if isinstance(one, ast.Call)]
    return (
        bool(made)
        and len(made) == len(returned)
        and all(one and LOGGER_MAKERS.issuperset(one) for one in made)
    )


def _is_property(method: FunctionNode) -> bool:
    decorators = getattr(method, "decorator_list", [])
    return any(part.endswith("property") for one in decorators for part in chain_of(one) or ("property",))


def _validates(method: FunctionNode) -> bool:
    decorators = getattr(method, "decorator_list", [])
    named = (chain_of(decorator) or ("",) for decorator in decorators)
    return any(part in _VALIDATORS for chain in named for part in chain)


def _is_fresh(written: ast.expr, scope: Scope) -> bool:
    """Return whether an expression makes a new object, which no other name holds."""
    if isinstance(written, ast.Call):
        chain = chain_of(written.func)
        return chain is not None and CALL not in chain and (chain[-1] in _FRESH or chain[-1][:1].isupper())
    return isinstance(written, _DISPLAYS)


def _is_foreign_call(written: ast.expr, targets: LoadTargets, node: Node, source: Source) -> bool:
    """Return whether an expression is the result of a library's function, which may be an object of its own."""
    if not isinstance(written, ast.Call):
        return False
    names = source.scope.peek(chain_of(written.func) or ("",))
    foreign = [name for name in names if not targets._is_first_party(node, [name])]
    return bool(foreign) and not all(
        is_orchestration(name) or name.rpartition(".")[2] in _FRESH for name in foreign
    )
