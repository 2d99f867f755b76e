"""Changes of objects by functions: of their arguments and of objects of modules, by any name of these."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import NamedTuple

from jammi_dagster.fingerprint.known_names.mutations import MUTATING_METHODS
from jammi_dagster.fingerprint.known_names.sharing import CHANGED_BY_METHODS, OUT_POSITIONS, ROW_METHODS
from jammi_dagster.fingerprint.known_names.state import MUTATING_FUNCTIONS, OBJECT_MUTATORS
from jammi_dagster.fingerprint.reach.callees import Arguments, Callee, arguments, callees
from jammi_dagster.fingerprint.reach.flow_values import (
    COPIED,
    NONE,
    Given,
    Value,
    Values,
    item,
    set_attribute,
)
from jammi_dagster.fingerprint.reach.function_flows import Flow, is_false
from jammi_dagster.fingerprint.syntax.parameters import by_position, every
from jammi_dagster.fingerprint.syntax.scopes import chain_of

SETS = "="
_BUILT_IN = frozenset({"bytearray", "deque", "dict", "list", "set"})
# Functions and methods that call one with the arguments behind it.
_STARTERS = ("apply_async", "partial", "run_in_executor", "submit", "to_thread")
_SETTERS = ("__setattr__", "__delattr__", "register")
_CHANGING = MUTATING_METHODS | OBJECT_MUTATORS | {"register"}
_NAMED = (ast.Name, ast.Attribute, ast.Lambda, ast.Call)
_CONTAINERS = (ast.List, ast.Dict, ast.Set, ast.Tuple, ast.ListComp, ast.DictComp, ast.SetComp)


class Changed(NamedTuple):
    """A change of an object at a line. `by`: the name of a method, or "=" where one of its attributes is set."""

    value: Value
    line: int
    by: str = ""


class Called(NamedTuple):
    """A call of a parameter, with the values that its arguments have, by position."""

    parameter: Given
    given: tuple[Values, ...]
    line: int


class Changes:
    """The changes that calls of functions make.

    changes = Changes()
    changes.of(flow)  # {Changed(value=Value(root=Given(…, "rows")), line=3)}
    """

    def __init__(self) -> None:
        self._found: dict[int, frozenset[Changed]] = {}
        self._calls: dict[int, tuple[Called, ...]] = {}

    def of(self, flow: Flow) -> frozenset[Changed]:
        """Return the changes by a function, of its arguments and of objects of modules."""
        key = id(flow.node)
        if key not in self._found:
            with flow.flows.deeper() as is_too_deep:
                if is_too_deep:
                    return frozenset()
                self._found[key], self._calls[key] = frozenset(), ()  # for a function that calls itself
                for _ in range(2):
                    calls: list[Called] = []
                    self._found[key] = frozenset(self._find(flow, calls))
                    self._calls[key] = tuple(calls)
        return self._found[key]

    def _find(self, flow: Flow, calls: list[Called]) -> Iterator[Changed]:
        for node in flow.code.nodes:
            if not isinstance(node, (ast.expr, ast.stmt)):
                continue
            for target, by in _targets(node, flow):
                yield from (Changed(one, node.lineno, by) for one in target if not one.around)
            if isinstance(node, ast.Call):
                yield from self._by_call(flow, node, calls)
        for function in flow.code.inner:
            inner = flow.inner_of(function)
            yield from (
                one
                for one in self.of(inner)
                if not (isinstance(one.value.root, Given) and one.value.root.function == id(function))
            )

    def _by_call(self, flow: Flow, call: ast.Call, calls: list[Called]) -> Iterator[Changed]:
        own = callees(flow, call.func)
        line = call.end_lineno or call.lineno
        for callee in own:
            given = arguments(flow, callee, call)
            yield from self._inserted(callee, given, line)
            for one in self._called(callee):
                function = given.written.get(one.parameter.parameter)
                handed = tuple(
                    NONE.union(*(callee.flow.inserted(value, given) for value in values))
                    for values in one.given
                )
                for inner in callees(flow, function) if function is not None else ():
                    yield from self._inserted(inner, _by_position(inner, handed), line)
        if isinstance(call.func, ast.Name) and not own:
            given_to = flow.values(call.func)
            parameters = (one.root for one in given_to if isinstance(one.root, Given) and not one.parts)
            calls += [Called(one, tuple(map(flow.values, call.args)), line) for one in parameters]
        if not own:
            yield from self._by_callback(flow, call, line)

    def _called(self, callee: Callee) -> tuple[Called, ...]:
        self.of(callee.flow)
        return self._calls.get(id(callee.flow.node), ())

    def _by_callback(self, flow: Flow, call: ast.Call, line: int) -> Iterator[Changed]:
        """Yield the changes by functions that a call of a library gets: it may give them its other arguments."""
        every_argument = [*call.args, *(word.value for word in call.keywords)]
        name = (chain_of(call.func) or (getattr(call.func, "attr", ""),))[-1]
        for function in (one for one in every_argument if isinstance(one, _NAMED)):
            for callee in callees(flow, function):
                if callee.makes or not (self.of(callee.flow) or self._called(callee)):
                    continue
                if name in _STARTERS:
                    rest = call.args[call.args.index(function) + 1 :] if function in call.args else []
                    started = ast.Call(function, rest, call.keywords)
                    yield from self._inserted(callee, arguments(flow, callee, started), line)
                    continue
                offered = _offered(flow, call, function)
                held = dict(zip(_parameters(callee), offered, strict=False))
                held.update(_by_position(callee, ()).values)
                yield from self._inserted(callee, Arguments(held, {}), line)

    def _inserted(self, callee: Callee, given: Arguments, line: int) -> Iterator[Changed]:
        """Yield the changes of a called function that are changes of its arguments."""
        for one in self.of(callee.flow):
            root = one.value.root
            is_inner = callee.flow.around is not None and callee.flow.around.node is not None
            if (
                isinstance(root, Given)
                and callee.flow.node is not None
                and root.function == id(callee.flow.node)
            ):
                found = callee.flow.inserted(one.value, given)
                yield from (Changed(value, line, one.by) for value in found if not value.around)
            elif is_inner and isinstance(root, Given):
                yield one


def _by_position(callee: Callee, given: tuple[Values, ...]) -> Arguments:
    places = [one.arg for one in by_position(callee.flow.parameters)] if callee.flow.parameters else []
    values = dict(zip(places, (*callee.first, *given), strict=False))
    return Arguments({**values, **callee.words}, {})


def _parameters(callee: Callee) -> list[str]:
    """Return the parameters that further arguments may reach."""
    given = callee.flow.parameters
    return [one.arg for one in every(given)][len(callee.first) :] if given else []


def _offered(flow: Flow, call: ast.Call, function: ast.expr) -> Iterable[Values]:
    """Return the values that a library may give to a function, by position."""
    others = [flow.values(one) for one in call.args if one is not function]
    name = (chain_of(call.func) or ("",))[-1]
    if isinstance(call.func, ast.Name) and name in ("filter", "map"):
        return map(item, others)
    if name == "pipe" and isinstance(call.func, ast.Attribute):
        return flow.values(call.func.value), *others
    if name == "reduce" and others:
        return others[1] if others[1:] else item(others[0]), item(others[0])
    others += [flow.values(word.value) for word in call.keywords if word.value is not function]
    if isinstance(call.func, ast.Attribute):
        receiver = flow.values(call.func.value)
        is_of_rows = call.func.attr in ROW_METHODS  # it gives copies, but for the objects in a new list
        others.append(frozenset(one for one in receiver if one.around or not is_of_rows))
    every_value = NONE.union(*others)
    return repeat(every_value | item(every_value))


def _targets(node: ast.AST, flow: Flow) -> Iterator[tuple[Values, str]]:
    """Yield the values that a node changes, each with the way in which it does."""
    if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
        yield set_attribute(flow.values(node.value), node.attr), SETS
    elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        yield flow.values(node.value), ""
    elif isinstance(node, ast.AugAssign):
        yield from ((one, "") for one in _extended(node, flow))
    elif isinstance(node, ast.Call):
        if chain_of(node.func) in (("setattr",), ("delattr",)) and node.args:
            named = getattr(node.args[1], "value", "") if node.args[1:] else ""
            yield set_attribute(flow.values(node.args[0]), str(named)), SETS
        yield from ((one, "") for one in _changed_by(node, flow))
        if isinstance(node.func, ast.Attribute):
            by = SETS if node.func.attr in _SETTERS else node.func.attr
            yield from ((one, by) for one in _changed_by_method(node, node.func, flow))


def _extended(node: ast.AugAssign, flow: Flow) -> Iterator[Values]:
    """Yield the values that `x += y` changes: a list or an array, not a number."""
    if isinstance(node.value, (ast.Constant, ast.JoinedStr)) and isinstance(node.target, ast.Subscript):
        return
    target = ast.copy_location(
        ast.Name(node.target.id, ast.Load()) if isinstance(node.target, ast.Name) else node.target,
        node.target,
    )
    found = flow.values(target)
    is_list = isinstance(node.value, _CONTAINERS)
    yield found if is_list else frozenset(one for one in found if not one.parts and one.via != COPIED)


def _changed_by(call: ast.Call, flow: Flow) -> Iterator[Values]:
    """Yield the values that a call of a library's function or method changes."""
    chain = chain_of(call.func)
    names = flow.scope.peek(chain) if chain and flow.is_of_module(chain[0]) else []
    for name in names:
        if name == "numpy.nan_to_num" and any(is_false(word, "copy") for word in call.keywords):
            yield from map(flow.values, call.args[:1])
        for table in (MUTATING_FUNCTIONS, OUT_POSITIONS):
            at = table.get(name, len(call.args))
            yield from map(flow.values, call.args[at : at + 1])
    if any(map(_clears, call.args)):  # `map(list.clear, rows)`
        yield from (item(flow.values(one)) for one in call.args)
    for word in call.keywords:
        if word.arg == "out":
            found = flow.values(word.value)
            yield item(found) if isinstance(word.value, ast.Tuple) else found
    asked = call.func.args if isinstance(call.func, ast.Call) else []
    if asked and isinstance(asked[0], ast.Constant) and asked[0].value in MUTATING_METHODS:  # `methodcaller`
        yield from map(flow.values, call.args[:1])


def _clears(given: ast.expr) -> bool:
    """Return whether an argument is a method of a built-in class that changes its object."""
    chain = chain_of(given) or ("",)
    return chain[0] in _BUILT_IN and chain[-1] in MUTATING_METHODS


def _changed_by_method(call: ast.Call, method: ast.Attribute, flow: Flow) -> Iterator[Values]:
    """Yield the values that a method changes, of its object, or of what it gets."""
    chain = chain_of(method)
    names = flow.scope.peek(chain) if chain and flow.is_of_module(chain[0]) else []
    is_changing = method.attr in _CHANGING
    if names and all("()" not in name for name in names):  # a function of a module, or `list.append(x, 1)`
        is_of_class = any(name.split(".")[-2][:1].isupper() or "builtins." in name for name in names)
        if any(name.startswith("numpy.") and name.endswith(".at") for name in names):
            is_changing = is_of_class = True  # of a ufunc
        yield from map(flow.values, call.args[: is_changing and is_of_class])
        return
    if is_changing or _is_in_place(call, flow) or _is_partition(call, method):
        yield flow.values(method.value)
    at = CHANGED_BY_METHODS.get(method.attr, len(call.args))
    yield from map(flow.values, call.args[at : at + 1])


def _is_partition(call: ast.Call, method: ast.Attribute) -> bool:
    """Return whether a call is that of a method of an array: that of a text gets a text."""
    return method.attr == "partition" and any(
        isinstance(getattr(one, "value", None), int) or isinstance(one, ast.Tuple) for one in call.args
    )


def _is_in_place(call: ast.Call, flow: Flow) -> bool:
    """Return whether a call may change its object: `inplace=True`, or a table of arguments that may hold it."""
    for word in call.keywords:
        if word.arg == "inplace":
            return not is_false(word, "inplace")
        if word.arg is None:
            shown = [value for _, value in flow.flows.written(flow.home, chain_of(word.value) or ())]
            keys = (key for one in shown if isinstance(one, ast.Dict) for key in one.keys)
            if any(isinstance(key, ast.Constant) and key.value == "inplace" for key in keys):
                return True
    return False
