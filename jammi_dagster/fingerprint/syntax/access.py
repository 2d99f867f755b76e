"""Accesses of names: each is resolved once every scope of the module is known, and noted as a use or a change."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from jammi_dagster.fingerprint.known_names import ANY, CALL
from jammi_dagster.fingerprint.known_names.ambient_values import CLASS_CLOCKS
from jammi_dagster.fingerprint.known_names.hidden_code import METHODCALLER, NAMERS
from jammi_dagster.fingerprint.known_names.native_readers import BUFFERS
from jammi_dagster.fingerprint.known_names.readers import READ_ATTRIBUTES, READ_METHODS
from jammi_dagster.fingerprint.known_names.state import MUTATING_FUNCTIONS, STATEFUL_MAKERS
from jammi_dagster.fingerprint.syntax.later_calls import LaterCalls
from jammi_dagster.fingerprint.syntax.outside_world import draws_when_called
from jammi_dagster.fingerprint.syntax.scopes import Chain, Scope
from jammi_dagster.fingerprint.syntax.texts import located, names_in_text
from jammi_dagster.fingerprint.syntax.uses import Call, Change, Site, Use, Uses


class Position(NamedTuple):
    """The scope and the part of the statement in which a node stands."""

    scope: Scope
    part: str
    uses: Uses  # of that part


class Access(NamedTuple):
    """An access of a name at a place, to be resolved once every scope of the module is known.

    In `os.environ["A"]` the chain `("os", "environ")` is accessed.
    """

    at: Position
    chain: Chain
    line: int
    call: Call | None = None
    is_change: bool = False  # of the value that the chain names
    in_place: bool = False  # by adding to it or removing from it
    by: str = ""  # the method that changes it
    is_read: bool = True
    node: ast.expr | None = None  # of a name that is mentioned as a value

    def settle(self) -> None:
        """Resolve the chain, and note the uses or changes in the part of the statement."""
        if self.chain[0].startswith(ANY):
            self.settle_method()
            return
        head, uses = self.chain[0], self.at.uses
        names = self.at.scope.resolve(self.chain)
        if self.is_change:
            self._settle_change(names)
            return
        call = self.settled_call()
        if self.at.scope.owns(head):
            uses.own[head] = self.is_read or uses.own.get(head, False)
            if CALL not in self.chain[1:2]:  # else the call is an access of its own
                uses.own_calls.setdefault(head, []).append(call if len(self.chain) == 1 else None)
        uses.uses += [Use(name, self.line, call, self.is_read, node=self.node) for name in names]
        if call and names and self.at.scope.is_of_outer_function(head):  # a draw from its generator
            uses.keeps_state |= any(name.partition(f".{CALL}.")[0] in STATEFUL_MAKERS for name in names)
        for method in self.at.scope.methods(head) if call and len(self.chain) == 1 else ():
            self._replace(chain=(f"{ANY}.{method}",)).settle_method()
        if call is None and self.node is not None and self.is_read:
            uses.uses += later_uses(
                self.node, self.at.scope, [one for one in names if draws_when_called(one)]
            )
        for name in names if call else ():
            if name == "builtins.vars" and call and len(holder := call.chains.get(0, ())) > 0:
                Access(self.at, (*holder, "__dict__"), self.line).settle()
            _settle_texts(name, call, self)
            self._settle_argument(name, call)
            for access in called_members(self, name, call) if call else ():
                access.settle()

    def settle_method(self) -> None:
        """Note the use of a method of an object of unknown class."""
        call = self.settled_call()
        if self.chain[0] in CLASS_CLOCKS and self._is_of_module():
            return  # a function, by its own name
        name, receiver = self.chain[0], self.chain[1:-1]
        if name.rpartition(".")[2] in READ_METHODS and self._is_of_reader(receiver):
            name = f"{ANY}.read.{self.chain[-1]}"
        is_handed_on = receiver[1:] == ("random",) and receiver[0] not in ("self", "cls")
        if is_handed_on and self.at.scope.is_parameter(receiver[0]):  # `numpy` as an argument
            self.at.uses.uses.append(Use(f"numpy.random.{self.chain[-1]}", self.line, call))
        self.at.uses.uses.append(Use(name, self.line, call))
        _settle_texts(self.chain[0], call, self)

    def _is_of_reader(self, receiver: Chain) -> bool:
        """Return whether a chain passes `spark.read`, as an attribute."""
        return any(one in READ_ATTRIBUTES and after != CALL for one, after in pairwise((*receiver[1:], "")))

    def settled_call(self) -> Call | None:
        """Return the call with the texts that its variables stand for, and with the origin of its first argument."""
        call, scope = self.call, self.at.scope
        if call is None:
            return None
        if not (call.variables or call.chains):
            return call
        call = call.with_texts(scope.text_of)
        if none := frozenset(at for at, name in call.variables.items() if scope.may_be_none(name)):
            call = replace(call, may_be_none=none)
        chain = call.chains.get(0, ())
        if not chain:
            return call
        if len(chain) == 1 and scope.is_opened(chain[0]):
            return replace(call, is_of_buffer=True)
        made = scope.origin_of(chain[0]) if len(chain) == 1 else scope.resolve(chain)
        return replace(call, is_of_buffer=True) if made and BUFFERS.issuperset(made) else call

    def _settle_argument(self, name: str, call: Call | None) -> None:
        """Note a change of the argument that a function such as `next` changes."""
        position = MUTATING_FUNCTIONS.get(name)
        at = self.at
        if position is not None and call and at.scope.around is not None and position in call.chains:
            Access(at, call.chains[position], self.line, is_change=True, in_place=True).settle()

    def _is_of_module(self) -> bool:
        """Return whether a method is in truth a function of a module, which has a name in small letters."""
        names = self.at.scope.resolve(self.chain[1:-1]) if len(self.chain) > 2 else []
        return bool(names) and all(CALL not in name and name.rpartition(".")[2].islower() for name in names)

    def _settle_change(self, names: Iterable[str]) -> None:
        head, uses, scope = self.chain[0], self.at.uses, self.at.scope
        binder = scope.binder(head)
        if binder is None or binder.around is None:  # other names of an object are followed by `ObjectFlows`
            own = dict.fromkeys(scope.module_names(head))
            uses.changes += [
                Change(name, self.line, True, self.in_place, len(self.chain), self.by) for name in own
            ]
        uses.changes += [
            Change(name, self.line, False, self.in_place)
            for name in names
            if CALL not in name and not name.startswith("builtins.")
        ]
        if scope.is_parameter(head):
            if head == "cls":
                uses.changes.append(Change("cls", self.line, True, False))
            elif head == "self" and (len(self.chain) > 1 or self.in_place):
                attribute = "".join(self.chain[1:2])  # "": its items, as of a derived dict
                uses.self_changes.setdefault(scope.method, set()).add((attribute, self.in_place))
            elif self.in_place and head != "self" and not scope.is_renewed(head, self.line):
                uses.changed_arguments.add(head)
        if scope.is_of_outer_function(head):
            uses.keeps_state = True


def later_uses(mention: ast.expr, scope: Scope, names: Sequence[str]) -> Iterator[Use]:
    """Yield the calls of classes, each by its canonical name, that a module mentions as a value.

    A call that nobody sees has no arguments. The last use of each name counts only if another module takes the class
    by one of the names under which it is `held`.
    """
    if not names:
        return
    later = LaterCalls(mention, scope.module)
    unseen = Call((), {})
    calls = [(_later_call(later, node) if node else None) or unseen for node in later.calls]
    for name in names:
        yield from (Use(name, mention.lineno, call) for call in calls)
        if later.names:
            yield Use(name, mention.lineno, unseen, held=frozenset(later.names))


def _later_call(later: LaterCalls, node: ast.Call) -> Call | None:
    """Return a call of a mentioned value; None where another statement gives it a parameter that may be None."""
    at = Position(later.scope_of(node), "code", Uses())
    call = Access(at, (), node.lineno, Call.of(node, Site(node, at.scope))).settled_call()
    if call is None or later.is_near(node):
        return call
    return None if call.may_be_none else replace(call, place=(0, 0))


def _settle_texts(name: str, call: Call | None, access: Access) -> None:
    """Note the names that a call looks up from a text, as far as its scopes bind them."""
    scope = access.at.scope
    for chain, is_variable in names_in_text(name, call) if call else ():
        if scope.is_bound(chain[0]) and not (is_variable and scope.is_defined(chain[0])):
            Access(access.at, chain, access.line).settle()
    if path := located(name, call):
        access.at.uses.uses.append(Use(path, access.line, None))


def called_members(access: Access, name: str, call: Call) -> Iterator[Access]:
    """Yield the accesses by `attrgetter("a.b")(x)` and `methodcaller("a")(x)`."""
    if name not in NAMERS or not call.positional or not isinstance(call.positional[0], str):
        return
    parts = call.positional[0].split(".")
    object_call = call.site.of_result if call.site else None
    called = object_call.site.of_result if object_call and object_call.site else None
    if name == METHODCALLER:
        called = replace(
            call, positional=call.positional[1:], variables={}, chains={}, may_be_none=frozenset()
        )
    if called is not None:
        yield Access(access.at, (f"{ANY}.{parts[-1]}",), access.line, called)
    if object_call is not None and (holder := object_call.chains.get(0)):
        yield Access(access.at, (*holder, *parts), access.line, called)
