"""Uses of the Dagster context by a function, besides its partition, its log and its metadata.

The context is followed into first-party helpers that it is passed to.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import CellType, FunctionType, ModuleType

from jammi_dagster.fingerprint.live.callables import layers
from jammi_dagster.fingerprint.sources.modules import home_of, libraries, of_names
from jammi_dagster.fingerprint.sources.running_code import place, running
from jammi_dagster.fingerprint.sources.source import UNREADABLE
from jammi_dagster.fingerprint.syntax.functions import Function, function_at
from jammi_dagster.fingerprint.syntax.harmless_reads import HarmlessReads
from jammi_dagster.fingerprint.syntax.scopes import Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import parse

_INSIDE = {
    "add_asset_metadata",
    "add_output_metadata",
    "asset_key",
    "asset_partition_key_for_output",
    "asset_partition_keys_for_output",
    "has_partition_key",
    "has_partition_key_range",
    "log",
    "log_event",
    "multi_partition_key",
    "op_config",
    "partition_key",
    "partition_key_range",
    "partition_keys",
    "partition_time_window",
}

# Attributes that tell about the run, the process or the deployment: no declared read stands for them.
OF_THE_RUN = frozenset(
    [
        "assets_def",
        "dagster_run",
        "get_tag",
        "has_tag",
        "instance",
        "job_def",
        "job_name",
        "repository_def",
        "retry_number",
        "run",
        "run_config",
        "run_id",
        "run_tags",
        "selected_asset_keys",
    ]
)


def context_uses_outside(fn: object, parameter: str) -> tuple[str, ...]:
    """Return the uses of the context that may bring in an undeclared input, in the order of the source.

    The source alone is read. A context that is passed on, assigned or returned counts.
    """
    functions = list(layers(fn))
    if not functions:
        return (f"{_name(fn)} is not written in Python: its use of {parameter} cannot be read",)
    seen: set[tuple[int, str]] = set()
    return tuple(dict.fromkeys(use for function in functions for use in _uses(function, parameter, "", seen)))


def is_of_the_run(use: str) -> bool:
    """Return whether a use reads an attribute of the run, for which no declared read can stand.

    >>> is_of_the_run("context.run_id"), is_of_the_run("context.resources")
    (True, False)
    """
    return use.partition(".")[2].partition(" ")[0] in OF_THE_RUN


def _uses(function: FunctionType, parameter: str, within: str, seen: set[tuple[int, str]]) -> Iterator[str]:
    if (id(function), parameter) in seen:
        return
    seen.add((id(function), parameter))
    tree, scope = tree_of(function)
    if tree is None:
        yield f"the source of {_name(function)} is not found: its use of {parameter} cannot be read"
        return
    arguments = tree.args
    named = {argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    if parameter in named:
        for use in _uses_within(tree, scope, parameter):
            if isinstance(use, str):
                yield f"{use}{within}"
            else:
                yield from _uses_of_helper(function, tree, use, parameter, seen=seen, within=within)
    elif arguments.vararg or arguments.kwarg:
        yield f"{parameter} passes through {_name(function)}(*args, **kwargs){within}"


def _uses_of_helper(
    function: FunctionType,
    tree: Function,
    call: ast.Call,
    parameter: str,
    *,
    seen: set[tuple[int, str]],
    within: str,
) -> Iterator[str]:
    """Yield the uses by a first-party function that the context is passed to."""
    helper = _helper(function, tree, call.func)
    taken = _taken(helper, call, parameter) if helper else None
    if helper is None or taken is None:
        yield f"{_passed(parameter, call)}{within}"
        return
    for name in taken:
        yield from _uses(helper, name, f" in {_name(helper)}", seen)


def _helper(function: FunctionType, tree: Function, called: ast.expr) -> FunctionType | None:
    """Return the plain first-party function that an expression names, by its live value; None for any other."""
    chain = chain_of(called)
    if chain is None or chain[0] in _bound(tree):
        return None
    enclosed = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    value: object = (
        _content(enclosed[chain[0]]) if chain[0] in enclosed else function.__globals__.get(chain[0])
    )
    for part in chain[1:]:
        value = vars(value).get(part) if isinstance(value, ModuleType) else None
    if not isinstance(value, FunctionType) or "__wrapped__" in vars(value):
        return None
    module = of_names(value.__globals__)
    return value if libraries(module, home_of(of_names(function.__globals__))) is None else None


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # nothing is bound to the variable yet
        return None


def _bound(tree: Function) -> set[str]:
    """Return the names that a function binds itself."""
    names = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    names |= {node.name for node in ast.walk(tree) if isinstance(node, inner) and node is not tree}
    imports = (node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)))
    return names | {alias.asname or alias.name.partition(".")[0] for node in imports for alias in node.names}


def _taken(helper: FunctionType, call: ast.Call, parameter: str) -> list[str] | None:
    """Return the parameters of a helper that get the context; None if that cannot be told."""
    code = helper.__code__
    positional = code.co_varnames[: code.co_argcount]
    named = {
        *positional[code.co_posonlyargcount :],
        *code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount],
    }
    found: list[str] = []
    for position, argument in enumerate(call.args):
        if isinstance(argument, ast.Starred):
            return None
        if isinstance(argument, ast.Name) and argument.id == parameter:
            if position >= len(positional):
                return None
            found.append(positional[position])
    for word in call.keywords:
        if isinstance(word.value, ast.Name) and word.value.id == parameter:
            if word.arg not in named:
                return None
            found.append(str(word.arg))
    return found


def tree_of(function: FunctionType) -> tuple[Function | None, Scope]:
    """Return the syntax tree of a running function, None where its source is not found; and the scope of its module."""
    module = of_names(function.__globals__)
    if module.path is None:
        return None, Scope([])
    try:
        met = running(module.path, function.__globals__)
    except UNREADABLE:
        return None, Scope([])
    if isinstance(met.label(function), str):
        return None, met.source.scope
    return function_at(parse(met.source.content), place(function.__code__)), met.source.scope


def _uses_within(function: Function, module: Scope, parameter: str) -> Iterator[str | ast.Call]:
    """Yield the uses of the context, and the calls that it is passed to."""
    body = function.body if isinstance(function.body, list) else [function.body]
    parents = {
        child: node for part in body for node in ast.walk(part) for child in ast.iter_child_nodes(node)
    }
    people = HarmlessReads(function, module, frozenset({parameter}))
    names = [node for node in {**parents, **dict.fromkeys(body)} if isinstance(node, ast.Name)]
    for name in sorted(names, key=lambda node: (node.lineno, node.col_offset)):
        if name.id == parameter and (use := _use(name, parents, people)):
            yield use
        elif name.id in ("locals", "vars"):
            yield f"{name.id}() may hand on {parameter}"


def _use(name: ast.Name, parents: dict[ast.AST, ast.AST], people: HarmlessReads) -> str | ast.Call | None:
    """Describe the use of the context at one place; None for its partition, its log and the like."""
    parent = parents.get(name)
    if not isinstance(name.ctx, ast.Load):
        return f"{name.id} is reassigned"
    if isinstance(parent, ast.Attribute):
        inside = parent.attr in _INSIDE and isinstance(parent.ctx, ast.Load)
        above = parents.get(parent)
        if parent.attr == "resources" and isinstance(above, ast.Attribute):
            return f"{name.id}.resources.{above.attr}"
        return None if inside or people.is_for_people(parent) else f"{name.id}.{parent.attr}"
    if isinstance(parent, ast.keyword):
        parent = parents.get(parent)
    if isinstance(parent, ast.Call) and name is not parent.func:
        return parent
    if isinstance(parent, ast.Starred) and isinstance(call := parents.get(parent), ast.Call):
        return _passed(name.id, call)
    return f"{name.id} is used as a value"


def _passed(parameter: str, call: ast.Call) -> str:
    return f"{parameter} is passed to {'.'.join(chain_of(call.func) or ('a call',))}(...)"


def _name(fn: object) -> str:
    return str(getattr(fn, "__qualname__", type(fn).__qualname__))
