"""The flow of objects through one function: the objects in which each of its values may lie."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jammi_dagster.fingerprint.kept import kept
from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.processes import CACHES
from jammi_dagster.fingerprint.known_names.sharing import (
    COPYING_METHODS,
    HOLDERS,
    VIEW_ATTRIBUTES,
)
from jammi_dagster.fingerprint.known_names.state import CONSTRUCTORS
from jammi_dagster.fingerprint.reach import callees as called
from jammi_dagster.fingerprint.reach.callees import Arguments, Callee, arguments, callees
from jammi_dagster.fingerprint.reach.flow_values import (
    EVERY_NAME,
    NONE,
    Given,
    Value,
    Values,
    copy,
    few,
    is_module,
    item,
    moved,
    result_of,
    sliced,
    stepped,
    wrap,
)
from jammi_dagster.fingerprint.reach.routes import Node
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.bound_values import ANY_PART, ENTER, Bound, OwnCode, part_of, yielded
from jammi_dagster.fingerprint.syntax.functions import Function
from jammi_dagster.fingerprint.syntax.parameters import defaults, every
from jammi_dagster.fingerprint.syntax.scopes import Chain, FunctionScope, Scope, chain_of

if TYPE_CHECKING:
    from jammi_dagster.fingerprint.reach.object_flows import ObjectFlows

_MOST_ROUNDS = 6  # of bindings that depend on each other


class Flow:
    """The values of one function, or of the code of a module (`node` is None)."""

    def __init__(
        self,
        flows: ObjectFlows,
        home: Node,
        node: Function | None,
        around: Flow | None,
        cls: tuple[Node, Unit] | None,
    ) -> None:
        assert home.source is not None
        self.flows, self.home, self.node, self.around, self.cls = flows, home, node, around, cls
        outer: Scope = around.scope if around else home.source.scope
        self.scope: Scope = FunctionScope(outer, node) if node is not None else home.source.scope
        self._inner: dict[int, Flow] = {}
        self._solved: dict[tuple[str, int], Values] | None = None

    @kept
    def code(self) -> OwnCode:
        return OwnCode(self.node or _NO_FUNCTION)

    @property
    def parameters(self) -> ast.arguments | None:
        return self.node.args if self.node is not None else None

    @kept
    def _names(self) -> frozenset[str]:
        """The names of its variables."""
        if self.node is None:
            return frozenset()
        own = {one.arg for one in every(self.node.args)}
        inner = {getattr(one, "name", "") for one in self.code.inner}
        assert self.home.source is not None
        stored = {name for name in self.code.bound if name in self.scope.bound or name in self.scope.hidden}
        return frozenset((own | inner | stored) - self.scope.shared)

    def inner_of(self, function: Function) -> Flow:
        """Return the flow of a function within this one."""
        if id(function) not in self._inner:
            self._inner[id(function)] = Flow(self.flows, self.home, function, self, self.cls)
        return self._inner[id(function)]

    def binder(self, name: str) -> Flow | None:
        """Return the flow of the function of which a name is a variable; None for a name of the module."""
        flow: Flow | None = self
        while flow is not None and name not in flow._names:
            flow = flow.around
        return flow

    def is_of_module(self, name: str) -> bool:
        return self.binder(name) is None

    def annotation_of(self, parameter: str) -> ast.expr | None:
        found = every(self.node.args) if self.node is not None else []
        return next((one.annotation for one in found if one.arg == parameter), None)

    # Values of expressions

    def values(self, node: ast.expr | None) -> Values:
        """Return the objects in which the value of an expression may lie."""
        found = getattr(self, f"visit_{type(node).__name__}", None)
        values: Values = found(node) if found else NONE
        return values

    def visit_Name(self, node: ast.Name) -> Values:
        return self.values_of(node.id, node.lineno)

    def values_of(self, name: str, line: int) -> Values:
        """Return the values that a name may have at a line."""
        flow = self.binder(name)
        if flow is None:
            return self._of_module((name,))
        return flow._of_variable(name, line if flow is self else flow._line_of(self))

    def _line_of(self, within: Flow) -> int:
        """Return the line of the function in this one in which another stands."""
        while within.around is not None and within.around is not self:
            within = within.around
        return within.node.lineno if within.node is not None else 0

    def _of_variable(self, name: str, line: int) -> Values:
        found = NONE
        given = [one for one in every(self.node.args) if one.arg == name] if self.node is not None else []
        if given and not self.code.is_replaced(name, line) and self.node is not None:
            found |= {Value(Given(id(self.node), name))}
            outer = self.around or self.flows.module(self.home)
            written = [value for one, value in defaults(self.node.args) if one.arg == name]
            found |= outer.values(written[0]) if written else NONE
        bound = self.code.of(name, line)
        if not bound:
            return found
        if self._solved is None:
            self._solve()
        solved = self._solved or {}
        return found.union(*(solved.get((name, id(one.value)), NONE) for one in bound))

    def _solve(self) -> None:
        """Find the values of all bindings, which may depend on each other."""
        self._solved = {}
        every_bound = [(name, one) for name, found in self.code.bound.items() for one in found]
        for _ in range(_MOST_ROUNDS):
            is_new = False
            for name, one in every_bound:
                key = (name, id(one.value))
                before = self._solved.get(key, NONE)
                found = few(before | self._bound(one))
                if len(found) > len(before):
                    self._solved[key], is_new = found, True
            if not is_new:
                return

    def _bound(self, bound: Bound) -> Values:
        if bound.steps[:1] == (ENTER,):
            return stepped(self._entered(bound.value), bound.steps[1:])
        return stepped(self.values(bound.value), bound.steps)

    def _entered(self, manager: ast.expr) -> Values:
        """Return the values that `with` takes from a context manager."""
        own = list(called.classes(self, manager))
        found = NONE
        for home, cls in own:
            if method := called.method_of(self.flows, home, cls, "__enter__"):
                result = Callee(method, (self.values(manager),))
                found |= self._returned(result, arguments(self, result, _NO_ARGUMENTS))
        if own:
            return found
        is_own = isinstance(manager, ast.Call) and bool(callees(self, manager.func))
        return item(self.values(manager)) if is_own else self.values(manager)

    def _of_module(self, chain: Chain) -> Values:
        """Return the object of a name of the module, or of a module that it imports, or such a module."""
        found = NONE
        for place, name in self.flows.places.of(self.home, chain):
            at = chain.index(name) if name in chain else 0
            values = self.flows.held(place, name)
            for attribute in chain[at + 1 :]:
                values = _attribute(values, attribute)
            found |= values
        if not found and chain[0] in self.scope.module.imported:
            found = frozenset(
                Value((one.path, EVERY_NAME)) for one in self.flows.places.modules(self.home, chain)
            )
        return found

    def visit_Attribute(self, node: ast.Attribute) -> Values:
        if node.attr in VIEW_ATTRIBUTES:
            return self.values(node.value)
        chain = chain_of(node)
        if chain and CALL not in chain and self.is_of_module(chain[0]):
            return self._of_module(chain)
        return _attribute(self.values(node.value), node.attr) | self._of_class(node) | self._of_property(node)

    def _of_property(self, node: ast.Attribute) -> Values:
        """Return the values of a property of a first-party class."""
        found = NONE
        for home, cls in (
            called.classes(self, node.value) if isinstance(node.value, (ast.Name, ast.Call)) else ()
        ):
            method = called.method_of(self.flows, home, cls, node.attr)
            if method is not None and bool(getattr(method.node, "decorator_list", ())):
                asked = Callee(method, (self.values(node.value),))
                found |= self._returned(asked, arguments(self, asked, _NO_ARGUMENTS))
        return found

    def _of_class(self, node: ast.Attribute) -> Values:
        """Return the value that a class holds for all of its objects, if these have none of their own."""
        if not isinstance(node.value, (ast.Name, ast.Call)) or getattr(node.value, "id", "") in (
            "self",
            "cls",
        ):
            return NONE
        return frozenset(
            Value((home.path, unit.names[0]), (node.attr,))
            for home, cls in called.classes(self, node.value)
            for unit in (cls, *(base for _, base in called.bases(self.flows, home, cls)))
            if node.attr in unit.shared_attributes and not _is_set_by_constructor(cls, node.attr)
        )

    def visit_Subscript(self, node: ast.Subscript) -> Values:
        held = self.values(node.value)
        if isinstance(node.slice, ast.Slice):
            return sliced(held)
        return copy(held) if _chooses_rows(node.slice) else item(held, part_of(node))

    def visit_Starred(self, node: ast.Starred) -> Values:
        return item(self.values(node.value))

    def visit_List(self, node: ast.List | ast.Tuple | ast.Set) -> Values:
        has_stars = not isinstance(node, ast.Tuple) or any(isinstance(one, ast.Starred) for one in node.elts)
        return NONE.union(
            *(wrap(self.values(one), ANY_PART if has_stars else str(at)) for at, one in enumerate(node.elts))
        )

    visit_Tuple = visit_Set = visit_List

    def visit_Dict(self, node: ast.Dict) -> Values:
        pairs = zip(node.keys, node.values, strict=True)
        return NONE.union(
            *(
                copy(self.values(one)) if key is None else wrap(self.values(one), _key(key))
                for key, one in pairs
            )
        )

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Values:
        return wrap(self.values(node.elt))

    visit_SetComp = visit_GeneratorExp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> Values:
        return wrap(self.values(node.value))

    def visit_IfExp(self, node: ast.IfExp) -> Values:
        return self.values(node.body) | self.values(node.orelse)

    def visit_BoolOp(self, node: ast.BoolOp) -> Values:
        return NONE.union(*map(self.values, node.values))

    def visit_NamedExpr(self, node: ast.NamedExpr) -> Values:
        return self.values(node.value)

    def visit_Await(self, node: ast.Await) -> Values:
        return self.values(node.value)

    def visit_BinOp(self, node: ast.BinOp) -> Values:
        return copy(self.values(node.left)) | copy(self.values(node.right))

    # Results of calls

    def visit_Call(self, node: ast.Call) -> Values:
        own = callees(self, node.func)
        if own:
            return NONE.union(*(self._result_of(one, node) for one in own))
        chain = chain_of(node.func)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        held = [self.values(one) for one in node.args]
        if isinstance(node.func, ast.Call):
            maker = (chain_of(node.func.func) or ("",))[-1]
            if maker in ("itemgetter", "attrgetter"):
                return item(held[0]) if held else NONE
            return self.values(node.func)  # `weakref.ref(x)()`
        if name == "map" and len(node.args) > 1:
            offered = tuple(item(one) for one in held[1:])
            own = callees(self, node.args[0])
            return self._results_within([one._replace(first=(*one.first, *offered)) for one in own])
        handed = [one for given in node.args for one in self._handed(given)]
        if handed:
            return self._results_within(handed)
        names = self.scope.peek(chain) if chain else []
        if isinstance(node.func, ast.Attribute) and (not names or any(CALL in one for one in names)):
            held.insert(0, self.values(node.func.value))
            if name in COPYING_METHODS:
                return copy(held[0])
        if isinstance(node.func, ast.Name) and not held and self._is_reference(node.func):
            return self.values(node.func)
        fields = self._fields_of_tuple(node.func)
        if name in HOLDERS or fields is not None:
            return self._holding(node, fields or ())
        return result_of(name, held) or self._uncopied(node, held)

    def _results_within(self, functions: Sequence[Callee]) -> Values:
        """Return the results of functions that a library calls, within the result of the library's."""
        return NONE.union(
            *(wrap(self._returned(one, arguments(self, one, _NO_ARGUMENTS))) for one in functions)
        )

    def _handed(self, given: ast.expr) -> list[Callee]:
        """Return the functions that an argument is, which a library calls, and whose results it returns."""
        is_name = isinstance(given, (ast.Name, ast.Attribute, ast.Lambda))
        return [one for one in callees(self, given) if not one.makes] if is_name else []

    def _holding(self, call: ast.Call, fields: Sequence[str]) -> Values:
        """Return the values in a new object that holds all arguments of a call, in these fields."""
        found = NONE
        for at, one in enumerate(call.args):
            found |= wrap(self.values(one), fields[at] if at < len(fields) else ANY_PART)
        return found.union(*(wrap(self.values(word.value), word.arg or ANY_PART) for word in call.keywords))

    def _fields_of_tuple(self, function: ast.expr) -> Sequence[str] | None:
        """Return the fields of a named tuple; None for any other callable."""
        chain = chain_of(function) if isinstance(function, ast.Name) else None
        for _, one in self.flows.written(self.home, chain) if chain and self.is_of_module(chain[0]) else ():
            if isinstance(one, ast.Call) and _leaf(one.func) == "namedtuple" and one.args[1:]:
                named = one.args[1]
                texts = named.elts if isinstance(named, (ast.List, ast.Tuple)) else [named]
                return " ".join(str(getattr(text, "value", "")) for text in texts).replace(",", " ").split()
        return None

    def _is_reference(self, name: ast.Name) -> bool:
        """Return whether a name of a module is a `weakref.ref`, which a call resolves."""
        written = self.flows.written(self.home, (name.id,)) if self.is_of_module(name.id) else ()
        return any(
            isinstance(one, ast.Call) and _leaf(one.func) in ("ref", "WeakMethod") for _, one in written
        )

    @staticmethod
    def _uncopied(node: ast.Call, held: list[Values]) -> Values:
        """Return the data that `np.array(A, copy=False)` shares."""
        return held[0] if held and any(is_false(word, "copy") for word in node.keywords) else NONE

    def _result_of(self, callee: Callee, call: ast.Call) -> Values:
        if callee.makes and callee.flow.node is None:  # without a constructor of its own, as a dataclass
            return self._holding(call, callee.fields).union(*map(wrap, callee.first))
        return self._returned(callee, arguments(self, callee, call))

    def _returned(self, callee: Callee, given: Arguments) -> Values:
        """Return the values that a call of a function returns."""
        if callee.makes:
            return self._made(callee, given)
        if callee.flow.is_kept:
            return frozenset({Value((callee.flow.home.path, callee.flow.name), (ANY_PART,))})
        return NONE.union(*(callee.flow.inserted(one, given) for one in callee.flow.returned))

    def _made(self, callee: Callee, given: Arguments) -> Values:
        """Return the values that a new object of a class holds."""
        maker = callee.flow
        if maker.node is None:
            return NONE
        own = every(maker.node.args)[0].arg if every(maker.node.args) else ""
        return NONE.union(*(maker.inserted(one, given) for one in maker.stored(own)))

    def stored(self, own: str) -> Values:
        """Return the values that the object of a method comes to hold, also by methods that this one calls."""
        if self._stored is None:
            root = Given(id(self.node), own)
            found = self._of_variable(own, getattr(self.node, "end_lineno", 0))
            self._stored = found = frozenset(one for one in found if one.root != root)
            for call in (one for one in self.code.nodes if isinstance(one, ast.Call)):
                for callee in callees(self, call.func) if isinstance(call.func, ast.Attribute) else ():
                    if callee.first and Value(root) in callee.first[0]:
                        inner, given = callee.flow, arguments(self, callee, call)
                        first = every(inner.node.args)[0].arg if inner.node and every(inner.node.args) else ""
                        found = found.union(*(inner.inserted(one, given) for one in inner.stored(first)))
            self._stored = found
        return self._stored

    _stored: Values | None = None

    def inserted(self, value: Value, given: Arguments) -> Values:
        """Return a value of this function in terms of the arguments that it gets."""
        root = value.root
        if self.node is not None and isinstance(root, Given) and root.function == id(self.node):
            return moved(value, given.values.get(root.parameter, NONE))
        return frozenset({value})

    @property
    def name(self) -> str:
        """The name by which the module holds the function, or its class."""
        return self.cls[1].names[0] if self.cls else getattr(self.node, "name", "")

    @property
    def is_kept(self) -> bool:
        """True if the results of the function are kept (`lru_cache`)."""
        return any(CACHES.search(_leaf(one)) for one in getattr(self.node, "decorator_list", ()))

    @property
    def returned(self) -> Values:
        """The values that a call of the function returns."""
        if self._returns is None:
            with self.flows.deeper() as is_too_deep:
                if is_too_deep:
                    return NONE
                self._returns = NONE  # for a function that calls itself
                for _ in range(2):
                    self._returns = self._find_returned()
        return self._returns

    _returns: Values | None = None

    def _find_returned(self) -> Values:
        if isinstance(self.node, ast.Lambda):
            return self.values(self.node.body)
        found = NONE
        for one in self.code.nodes:
            if isinstance(one, ast.Return):
                found |= self.values(one.value)
        for value, step in yielded(self.code.nodes):
            found |= stepped(self.values(value), (step,))
        return found


def is_false(word: ast.keyword, name: str) -> bool:
    """Return whether a keyword argument has this name and a constant that is false: `copy=False`."""
    return word.arg == name and isinstance(word.value, ast.Constant) and not word.value.value


def _chooses_rows(key: ast.expr) -> bool:
    """Return whether a key is that of several items of an array or a table: `rows[rows.n > 1]`."""
    if isinstance(key, (ast.BinOp, ast.UnaryOp)):
        return isinstance(key.op, (ast.BitAnd, ast.BitOr, ast.Invert))
    return isinstance(key, (ast.Compare, ast.List))


def _key(key: ast.expr) -> str:
    return part_of(ast.Subscript(ast.Name("", ast.Load()), key, ast.Load()))


_NO_FUNCTION = ast.Lambda(ast.arguments([], [], None, [], [], None, []), ast.Constant(None))
_NO_ARGUMENTS = ast.Call(ast.Name("", ast.Load()), [], [])


def _leaf(function: ast.expr) -> str:
    chain = chain_of(function.func if isinstance(function, ast.Call) else function)
    return chain[-1] if chain else ""


def _is_set_by_constructor(cls: Unit, attribute: str) -> bool:
    changes = (one for method in CONSTRUCTORS for one in cls.self_changes.get(method, ()))
    return any(name == attribute and not in_place for name, in_place in changes)


def _attribute(values: Values, name: str) -> Values:
    """Return an attribute of values: a name of a module, or a part of an object."""
    if name in VIEW_ATTRIBUTES:
        return values
    modules = frozenset(one for one in values if is_module(one) and not one.around)
    named = frozenset(Value((str(one.root[0]), name)) for one in modules)
    return named | item(values - modules, name)
