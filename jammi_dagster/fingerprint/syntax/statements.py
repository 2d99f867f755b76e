"""The statements of a module, each with the names that it uses. They are read once somebody asks."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from jammi_dagster.fingerprint.kept import kept
from jammi_dagster.fingerprint.syntax.accesses import AccessVisitor, is_for_types
from jammi_dagster.fingerprint.syntax.addresses import faceless_names
from jammi_dagster.fingerprint.syntax.harmless_reads import HarmlessReads
from jammi_dagster.fingerprint.syntax.later_calls import EVERY_NAME, asked_attributes
from jammi_dagster.fingerprint.syntax.load_effects import asks_for_main
from jammi_dagster.fingerprint.syntax.optional_parts import OptionalParts, optional_parts
from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, ModuleScope, Scope, chain_of
from jammi_dagster.fingerprint.syntax.set_order import set_orders
from jammi_dagster.fingerprint.syntax.sets import SET, set_names
from jammi_dagster.fingerprint.syntax.trees import nodes, statements
from jammi_dagster.fingerprint.syntax.uses import Uses, note_imports


@dataclass(eq=False)
class Statement:
    """A top-level statement of a module, or a function within another.

    >>> tree = ast.parse("LIMIT = 3; TWICE = 2 * LIMIT")
    >>> second = Statement(tree.body[1], ModuleScope(tree.body))
    >>> second.uses["code"].own
    {'LIMIT': True}
    """

    node: ast.stmt | ast.Lambda
    scope: Scope
    _orders: dict[frozenset[str], tuple[int, ...]] = field(default_factory=dict, repr=False)

    @kept
    def optional(self) -> OptionalParts:
        return optional_parts(self.node, self.scope)

    @kept
    def visited(self) -> AccessVisitor:
        """The visitor with all accesses of the statement, not yet resolved."""
        visitor = AccessVisitor(parts=self.optional.nodes, in_main=self.is_main)
        visitor.visit_statement(self.node, self.scope)
        return visitor

    @kept
    def uses(self) -> Mapping[str, Uses]:
        """The uses of each of its parts that is there."""
        for access in self.visited.accesses:
            access.settle()
        return self.visited.uses

    @kept
    def harmless_reads(self) -> HarmlessReads:
        return HarmlessReads(self.node, self.scope)

    @property
    def sets(self) -> Mapping[str, str]:
        """The names of the module that are sets, and its functions that return one."""
        module = self.scope.module
        if module.sets is None:
            module.sets = set_names([one for one in module.body if isinstance(one, ast.stmt)])
        return module.sets

    @property
    def faceless(self) -> frozenset[str]:
        """The functions and classes of the module whose objects have no text of their own."""
        module = self.scope.module
        if module.faceless is None:
            module.faceless = faceless_names([one for one in module.body if isinstance(one, ast.stmt)])
        return module.faceless

    @kept
    def _named(self) -> frozenset[str]:
        """The names of the module that it uses, and the members that it asks for (`.tags`)."""
        members = (f".{one.attr}" for one in nodes(self.node) if isinstance(one, ast.Attribute))
        return frozenset([*members, *(name for part in self.uses.values() for name in part.own)])

    @kept
    def _called(self) -> Mapping[str, frozenset[str]]:
        """The last parts of the canonical names that each call in it may stand for, by its spelling."""
        chains = {chain_of(one.func) for one in nodes(self.node) if isinstance(one, ast.Call)}
        return {
            ".".join(chain): frozenset(name.rpartition(".")[2] for name in self.scope.resolve(chain))
            for chain in chains
            if chain
        }

    @kept
    def _mentions(self) -> Mapping[str, list[ast.expr]]:
        """The expressions that ask for each name, also by another name of an import."""
        found: dict[str, list[ast.expr]] = {}
        for node in nodes(self.node):
            for name, by in asked_attributes(node):
                found.setdefault(name, []).append(by)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                meant = (one.rpartition(".")[2] for one in self.scope.peek((node.id,)))
                for name in {node.id, *meant}:
                    found.setdefault(name, []).append(node)
        return found

    def mentions(self, names: Iterable[str]) -> Iterable[ast.expr]:
        """Return the expressions that ask for one of these names, or for all attributes of an object."""
        return dict.fromkeys(by for name in (EVERY_NAME, *names) for by in self._mentions.get(name, ()))

    def used_sets(self, sets: Iterable[str]) -> frozenset[str]:
        """Return the names among these that it uses: of the module, or of members (`.tags`, `.tags()`)."""
        return frozenset(name for name in sets if name.partition("[")[0].partition("(")[0] in self._named)

    def set_orders(self, functions: Collection[str], members: Iterable[str] = ()) -> tuple[int, ...]:
        """Return the lines on which the order of a set reaches a value.

        The imported functions that are called so return a set, and so do these members.
        """
        called = (f"{name}()" for name, last in self._called.items() if not last.isdisjoint(functions))
        further = self.used_sets(members).union(called)
        if further not in self._orders:
            self._orders[further] = set_orders(self.node, {**self.sets, **dict.fromkeys(further, SET)})
        return self._orders[further]

    @property
    def is_main(self) -> bool:
        """True for the block that runs only in a script."""
        return isinstance(self.node, ast.If) and asks_for_main(self.node.test) and not self.node.orelse

    @property
    def never_runs(self) -> bool:
        """True for a block for type checkers."""
        return isinstance(self.node, ast.If) and is_for_types(self.node.test) and not self.node.orelse

    @property
    def loads(self) -> dict[str, bool]:
        """The imports when its module is loaded, as `imports_of` tells them."""
        found: dict[str, bool] = {}
        todo: list[ast.AST] = [] if self.is_main else [self.node]
        while todo:
            node = todo.pop()
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                note_imports(node, found)
            elif isinstance(node, ast.If) and is_for_types(node.test):
                todo += node.orelse
            elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                todo += statements(node)
        return found


def read_statements(nodes: Iterable[ast.stmt], module: ModuleScope, *, is_shared: bool) -> list[Statement]:
    """Read the statements of a module. `is_shared`: one of its functions binds names of another scope."""
    found = [Statement(node, module) for node in nodes]
    for statement in found if is_shared else ():
        _ = statement.visited  # a function further down may have imported into the module's scope
    return found


def read_nested_function(module: ModuleScope, path: Sequence[ast.AST], *, is_shared: bool) -> Statement:
    """Read a function by the nodes that lead to it. The functions around it only give meaning to its names."""
    read_statements([one for one in module.body if isinstance(one, ast.stmt)], module, is_shared=is_shared)
    scope: Scope = module
    for node in path[:-1]:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            scope = FunctionScope(scope, node)
    function = path[-1]
    assert isinstance(function, (ast.stmt, ast.Lambda))
    return Statement(function, scope)
