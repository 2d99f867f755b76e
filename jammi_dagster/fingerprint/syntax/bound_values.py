"""The expressions that the variables of one function are bound to, and the steps that lead from each to the value."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from jammi_dagster.fingerprint.known_names.sharing import ADDERS, FILLERS
from jammi_dagster.fingerprint.syntax.functions import Function
from jammi_dagster.fingerprint.syntax.sets import called
from jammi_dagster.fingerprint.syntax.trees import children

ITEM, COPY, WRAP, ENTER = "item", "copy", "wrap", "enter"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Bound(NamedTuple):
    """One binding of a variable. `replaces`: what was bound before it is gone."""

    line: int
    value: ast.expr
    steps: tuple[str, ...] = ()
    replaces: bool = False


class OwnCode:
    """The code of one function, without that of functions within it.

    >>> code = OwnCode(ast.parse("def f(x):\\n for a, b in x: pass").body[0])
    >>> [(name, one.steps) for name, found in code.bound.items() for one in found]
    [('a', ('item', 'item')), ('b', ('item', 'item'))]
    """

    def __init__(self, function: Function) -> None:
        self.nodes: list[ast.AST] = []
        self.inner: list[Function] = []
        self.bound: dict[str, list[Bound]] = {}
        body: list[ast.AST] = [function.body] if isinstance(function, ast.Lambda) else [*function.body]
        self._first = {id(one) for one in body}
        todo = body[::-1]
        while todo:
            node = todo.pop()
            if isinstance(node, _FUNCTIONS):
                self.inner.append(node)
            elif not isinstance(node, ast.ClassDef):
                self.nodes.append(node)
                todo += reversed(children(node))
        for node in self.nodes:
            self._note(node)

    def of(self, name: str, line: int) -> list[Bound]:
        """Return the bindings of a variable that may hold at a line."""
        every = self.bound.get(name, [])
        first = max((one.line for one in every if one.replaces and one.line < line), default=0)
        return [one for one in every if one.line >= first]

    def is_replaced(self, name: str, line: int) -> bool:
        """Return whether an argument has gone from its parameter before a line."""
        return any(one.replaces and one.line < line for one in self.bound.get(name, ()))

    def _note(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value, (), replaces=id(node) in self._first)
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            self._bind(node.target, node.value, (), replaces=id(node) in self._first)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            self._bind(node.target, node.iter, (ITEM,))
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._bind(node.optional_vars, node.context_expr, (ENTER,))
        elif isinstance(node, ast.Match):
            patterns = (part for case in node.cases for part in ast.walk(case.pattern))
            names = {name for one in patterns if (name := getattr(one, "name", getattr(one, "rest", None)))}
            for name in names:
                for steps in ((), (ITEM,), (ITEM, ITEM)):
                    self._add(name, Bound(node.subject.lineno, node.subject, steps))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            step = WRAP if node.func.attr in ADDERS else COPY
            for given in node.args if node.func.attr in ADDERS | FILLERS else ():
                self._store(node.func.value, given, (step,))

        elif isinstance(node, ast.Call) and called(node) in ("heappush", "insort") and node.args[1:]:
            self._store(node.args[0], node.args[1], (WRAP,))

    def _bind(
        self, target: ast.expr, value: ast.expr, steps: tuple[str, ...], *, replaces: bool = False
    ) -> None:
        if isinstance(target, ast.Name):
            self._add(target.id, Bound(target.lineno, value, steps, replaces))
        elif isinstance(target, ast.Starred):
            self._bind(target.value, value, (*steps[:-1], COPY))
        elif isinstance(target, (ast.Tuple, ast.List)):
            shown = value.elts if isinstance(value, (ast.Tuple, ast.List)) and not steps else []
            is_shown = len(shown) == len(target.elts) and not any(
                isinstance(one, ast.Starred) for one in (*shown, *target.elts)
            )
            for at, part in enumerate(target.elts):
                if is_shown:
                    self._bind(part, shown[at], (), replaces=replaces)
                else:
                    self._bind(part, value, (*steps, ITEM))
        elif isinstance(target, (ast.Attribute, ast.Subscript)):
            self._store(target.value, value, (*steps, WRAP))

    def _store(self, holder: ast.expr, value: ast.expr, steps: tuple[str, ...]) -> None:
        """Note that the object of a variable, or one within it, comes to hold a value."""
        while isinstance(holder, (ast.Attribute, ast.Subscript)):
            holder, steps = holder.value, (*steps, WRAP)
        if isinstance(holder, ast.Name):
            self._add(holder.id, Bound(holder.lineno, value, steps))

    def _add(self, name: str, bound: Bound) -> None:
        self.bound.setdefault(name, []).append(bound)


def yielded(nodes: list[ast.AST]) -> Iterator[tuple[ast.expr, str]]:
    """Yield the expressions that a function yields, each with the step that leads to its generator."""
    for node in nodes:
        if isinstance(node, ast.Yield) and node.value is not None:
            yield node.value, WRAP
        elif isinstance(node, ast.YieldFrom):
            yield node.value, COPY
