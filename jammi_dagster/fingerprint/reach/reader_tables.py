"""Tables of readers: `READERS[suffix](data)` reads nothing outside where the data are bytes in memory."""

from __future__ import annotations

import ast

from jammi_dagster.fingerprint.reach.call_sites import is_used_elsewhere
from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.reached import ReachedFile
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.parameters import by_position
from jammi_dagster.fingerprint.syntax.scopes import chain_of
from jammi_dagster.fingerprint.syntax.trees import children

_BUFFERS = frozenset({"BinaryIO", "BytesIO", "StringIO", "TextIO"})


def reads_buffers(graph: Graph, holder: ReachedFile, table: Unit) -> bool:
    """Return whether reached code calls the items of a table with bytes in memory alone, as annotations tell."""
    if table.kind != "constant" or len(table.names) != 1:
        return False
    (name,) = table.names
    if is_used_elsewhere(graph, holder, name):
        return False
    users = (unit for unit, part, _ in holder.units() if unit is not table and name in part.own)
    return all(_all_buffers(unit.statement.node, name) for unit in users if unit.statement)


def _all_buffers(statement: ast.AST, name: str) -> bool:
    todo: list[tuple[ast.AST, ast.AST, ast.AST, ast.AST]] = [(statement, statement, statement, statement)]
    for node, above, call, function in todo:  # grows while it is read
        if isinstance(node, ast.Name) and node.id == name:
            is_item = isinstance(above, ast.Subscript) and isinstance(call, ast.Call) and call.func is above
            if not is_item or not isinstance(call, ast.Call) or not _is_buffer(call.args[:1], function):
                return False
        inner = node if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else function
        todo += [(child, node, above, inner) for child in children(node)]
    return True


def _is_buffer(given: list[ast.expr], function: ast.AST) -> bool:
    if not given or not isinstance(given[0], ast.Name):
        return False
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    name = given[0].id
    notes = [one.annotation for one in by_position(function.args) if one.arg == name]
    stored = (one for one in ast.walk(function) if isinstance(one, ast.Name) and one.id == name)
    if not notes or notes[0] is None or not all(isinstance(one.ctx, ast.Load) for one in stored):
        return False
    return (chain_of(notes[0]) or ("",))[-1] in _BUFFERS
