"""Functions that walk the stack to find the level of a warning: people see the level, and no result depends on it."""

from __future__ import annotations

import ast

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.hidden_code import FRAME_METHODS, FRAME_READERS, STACK_WALKERS
from jammi_dagster.fingerprint.reach.call_sites import placed_calls
from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.reached import ReachedFile
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import nodes


def tells_stack_level(graph: Graph, reached: ReachedFile, unit: Unit) -> bool:
    """Return whether a function only walks the stack, and all its callers hand the result to a warning or a log."""
    node, statement = unit.statement.node if unit.statement else None, unit.statement
    source = reached.node.source
    if not isinstance(node, ast.FunctionDef) or statement is None or source is None or node.decorator_list:
        return False
    index = source.units.index(unit)
    is_held = index in reached.roots or index in {source.unit_of(label) for label in reached.labels}
    if is_held or unit.names[0] in graph.whole_names or not _only_walks(node, statement.scope):
        return False
    calls = [*placed_calls(graph, node.name)]
    return bool(calls) and all(
        call is not None
        and call.site is not None
        and placed.statement is not None
        and placed.statement.harmless_reads.is_for_people(call.site.node)
        for placed, call in calls
    )


def _only_walks(function: ast.FunctionDef, around: Scope) -> bool:
    """Return whether a function calls nothing but readers of frames and paths, and changes only its own variables."""
    scope = FunctionScope(around, function)
    for node in nodes(function):
        if isinstance(
            node,
            (ast.Raise, ast.Assert, ast.Yield, ast.YieldFrom, ast.Await, ast.Global, ast.Lambda, ast.With),
        ):
            return False
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            return False
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node is not function:
            return False
        if isinstance(node, ast.Call) and not _reads_frames(node, scope):
            return False
    return True


def _reads_frames(call: ast.Call, scope: Scope) -> bool:
    chain = chain_of(call.func)
    names = scope.peek(chain) if chain else []
    if isinstance(call.func, ast.Attribute) and call.func.attr in FRAME_METHODS:
        return True
    return bool(names) and all(
        CALL not in name and (name in STACK_WALKERS or name in FRAME_READERS) for name in names
    )
