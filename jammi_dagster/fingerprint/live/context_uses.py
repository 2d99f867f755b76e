"""Uses of the Dagster context by a function, besides its partition and its log."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FunctionType

from jammi_dagster.fingerprint.live.callables import layers
from jammi_dagster.fingerprint.sources.modules import of_names
from jammi_dagster.fingerprint.sources.running_code import place, running
from jammi_dagster.fingerprint.sources.source import UNREADABLE
from jammi_dagster.fingerprint.syntax.functions import Function, function_at
from jammi_dagster.fingerprint.syntax.scopes import chain_of
from jammi_dagster.fingerprint.syntax.trees import parse

_INSIDE = {
    "asset_key",
    "asset_partition_key_for_output",
    "asset_partition_keys_for_output",
    "has_partition_key",
    "has_partition_key_range",
    "log",
    "multi_partition_key",
    "partition_key",
    "partition_key_range",
    "partition_keys",
    "partition_time_window",
}


def context_uses_outside(fn: object, parameter: str) -> tuple[str, ...]:
    """Return the uses of the context that may bring in an undeclared input, in the order of the source.

    The source alone is read. A context that is passed on, assigned or returned counts.
    """
    functions = list(layers(fn))
    if not functions:
        return (f"{_name(fn)} is not written in Python: its use of {parameter} cannot be read",)
    return tuple(dict.fromkeys(use for function in functions for use in _uses(function, parameter)))


def _uses(function: FunctionType, parameter: str) -> Iterator[str]:
    tree = _tree(function)
    if tree is None:
        yield f"the source of {_name(function)} is not found: its use of {parameter} cannot be read"
        return
    arguments = tree.args
    named = {argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    if parameter in named:
        yield from _uses_within(tree, parameter)
    elif arguments.vararg or arguments.kwarg:
        yield f"{parameter} passes through {_name(function)}(*args, **kwargs)"


def _tree(function: FunctionType) -> Function | None:
    module = of_names(function.__globals__)
    if module.path is None:
        return None
    try:
        met = running(module.path, function.__globals__)
    except UNREADABLE:
        return None
    if isinstance(met.label(function), str):
        return None
    return function_at(parse(met.source.content), place(function.__code__))


def _uses_within(function: Function, parameter: str) -> Iterator[str]:
    body = function.body if isinstance(function.body, list) else [function.body]
    parents = {
        child: node for part in body for node in ast.walk(part) for child in ast.iter_child_nodes(node)
    }
    names = [node for node in {**parents, **dict.fromkeys(body)} if isinstance(node, ast.Name)]
    for name in sorted(names, key=lambda node: (node.lineno, node.col_offset)):
        if name.id == parameter and (use := _use(name, parents)):
            yield use
        elif name.id in ("locals", "vars"):
            yield f"{name.id}() may hand on {parameter}"


def _use(name: ast.Name, parents: dict[ast.AST, ast.AST]) -> str | None:
    """Describe the use of the context at one place; None for its partition, its log and the like."""
    parent = parents.get(name)
    if not isinstance(name.ctx, ast.Load):
        return f"{name.id} is reassigned"
    if isinstance(parent, ast.Attribute):
        inside = parent.attr in _INSIDE and isinstance(parent.ctx, ast.Load)
        return None if inside else f"{name.id}.{parent.attr}"
    if isinstance(parent, (ast.keyword, ast.Starred)):
        parent = parents.get(parent)
    if isinstance(parent, ast.Call):
        return f"{name.id} is passed to {'.'.join(chain_of(parent.func) or ('a call',))}(...)"
    return f"{name.id} is used as a value"


def _name(fn: object) -> str:
    return str(getattr(fn, "__qualname__", type(fn).__qualname__))
