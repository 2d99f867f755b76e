"""The expressions that the variables of one function are bound to, and the steps that lead from each to the value."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from jammi_dagster.fingerprint.known_names.sharing import ADDERS, FILLERS
from jammi_dagster.fingerprint.syntax.functions import Function
from jammi_dagster.fingerprint.syntax.sets import called
from jammi_dagster.fingerprint.syntax.trees import children

ANY_PART = "*"
COPY, ENTER = " copy", " enter"
WRAP = " in "  # begins the step to a new object that holds the value as this part
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_END = 1_000_000_000


class Bound(NamedTuple):
    """One binding of a variable, by the lines of its statement.

    `until`: from its end to this line the variable has no other value than this, and those that are bound later.
    """

    lines: tuple[int, int]
    value: ast.expr
    steps: tuple[str, ...] = ()
    until: int = 0

    def replaces_at(self, line: int) -> bool:
        return self.lines[1] < line <= self.until


class OwnCode:
    """The code of one function, without that of functions within it.

    >>> code = OwnCode(ast.parse("def f(x):\\n for a, b in x: pass").body[0])
    >>> [(name, one.steps) for name, found in code.bound.items() for one in found]
    [('a', ('*', '0')), ('b', ('*', '1'))]
    """

    def __init__(self, function: Function) -> None:
        self.nodes: list[ast.AST] = []
        self.inner: list[Function] = []
        self.bound: dict[str, list[Bound]] = {}
        self._until: dict[int, int] = {}
        body: list[ast.AST] = [function.body] if isinstance(function, ast.Lambda) else [*function.body]
        self._until.update((id(one), _END) for one in body)
        todo = body[::-1]
        while todo:
            node = todo.pop()
            if isinstance(node, _FUNCTIONS):
                self.inner.append(node)
            elif not isinstance(node, ast.ClassDef):
                self.nodes.append(node)
                self._note_blocks(node)
                todo += reversed(children(node))
        for node in self.nodes:
            self._note(node)

    def of(self, name: str, line: int) -> list[Bound]:
        """Return the bindings of a variable that may hold at a line."""
        every = self.bound.get(name, [])
        first = max((one.lines[0] for one in every if one.replaces_at(line)), default=0)
        return [one for one in every if one.lines[0] >= first]

    def is_replaced(self, name: str, line: int) -> bool:
        """Return whether an argument has gone from its parameter before a line."""
        return any(one.replaces_at(line) for one in self.bound.get(name, ()))

    def _note_blocks(self, node: ast.AST) -> None:
        """Note where the block ends in which each statement stands."""
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block:
                self._until.update((id(one), block[-1].end_lineno or 0) for one in block)

    def _note(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, Bound(_lines(node), node.value, (), self._until.get(id(node), 0)))
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            self._bind(node.target, Bound(_lines(node), node.value, (), self._until.get(id(node), 0)))
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            self._loop(node)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._bind(node.optional_vars, Bound(_lines(node.context_expr), node.context_expr, (ENTER,)))
        elif isinstance(node, ast.Match):
            patterns = (part for case in node.cases for part in ast.walk(case.pattern))
            names = {name for one in patterns if (name := getattr(one, "name", getattr(one, "rest", None)))}
            for name in names:
                for steps in ((), (ANY_PART,), (ANY_PART, ANY_PART)):
                    self._add(name, Bound(_lines(node.subject), node.subject, steps))
        elif isinstance(node, ast.Call):
            self._note_call(node)

    def _note_call(self, call: ast.Call) -> None:
        """Note that an object comes to hold another by a call: `rows.append(row)`."""
        name = called(call)
        if isinstance(call.func, ast.Attribute) and name in ADDERS | FILLERS:
            given = call.args[-1:] if name in ("insert", "setdefault") else call.args[:1]
            for one in given:
                step = WRAP + ANY_PART if name in ADDERS else COPY
                self._store(call.func.value, Bound(_lines(call), one, (step,)))
        elif name in ("heappush", "insort") and call.args[1:]:
            self._store(call.args[0], Bound(_lines(call), call.args[1], (WRAP + ANY_PART,)))

    def _loop(self, node: ast.For | ast.AsyncFor | ast.comprehension) -> None:
        target, bound = node.target, Bound(_lines(node.iter), node.iter, (ANY_PART,))
        is_keyed = isinstance(node.iter, ast.Call) and called(node.iter) in ("enumerate", "items")
        if is_keyed and isinstance(target, ast.Tuple) and len(target.elts) == 2:  # nobody changes a key
            target, bound = target.elts[1], bound._replace(steps=(ANY_PART, "1"))
        self._bind(target, bound)

    def _bind(self, target: ast.expr, bound: Bound) -> None:
        steps, value = bound.steps, bound.value
        if isinstance(target, ast.Name):
            self._add(target.id, bound)
        elif isinstance(target, ast.Starred):
            self._bind(target.value, bound._replace(steps=(*steps[:-1], COPY)))
        elif isinstance(target, (ast.Tuple, ast.List)):
            shown = value.elts if isinstance(value, (ast.Tuple, ast.List)) and not steps else []
            has_stars = any(isinstance(one, ast.Starred) for one in (*shown, *target.elts))
            for at, part in enumerate(target.elts):
                if len(shown) == len(target.elts) and not has_stars:
                    self._bind(part, bound._replace(value=shown[at]))
                else:
                    self._bind(part, bound._replace(steps=(*steps, ANY_PART if has_stars else str(at))))
        elif isinstance(target, (ast.Attribute, ast.Subscript)):
            self._store(target.value, bound._replace(steps=(*steps, WRAP + part_of(target)), until=0))

    def _store(self, holder: ast.expr, bound: Bound) -> None:
        """Note that the object of a variable, or one within it, comes to hold a value."""
        while isinstance(holder, (ast.Attribute, ast.Subscript)):
            bound = bound._replace(steps=(*bound.steps, WRAP + part_of(holder)))
            holder = holder.value
        if isinstance(holder, ast.Name):
            self._add(holder.id, bound)

    def _add(self, name: str, bound: Bound) -> None:
        self.bound.setdefault(name, []).append(bound)


def _lines(node: ast.stmt | ast.expr) -> tuple[int, int]:
    return node.lineno, node.end_lineno or node.lineno


def part_of(node: ast.Attribute | ast.Subscript) -> str:
    """Return the part of an object that an expression takes: the name of the attribute, or the constant key."""
    if isinstance(node, ast.Attribute):
        return node.attr
    is_shown = isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, (int, str))
    return str(node.slice.value) if is_shown and isinstance(node.slice, ast.Constant) else ANY_PART


def yielded(nodes: list[ast.AST]) -> Iterator[tuple[ast.expr, str]]:
    """Yield the expressions that a function yields, each with the step that leads to its generator."""
    for node in nodes:
        if isinstance(node, ast.Yield) and node.value is not None:
            yield node.value, WRAP + ANY_PART
        elif isinstance(node, ast.YieldFrom):
            yield node.value, COPY
