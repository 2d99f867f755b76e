"""Uses of the Dagster context by a function, besides its partition, its log and its metadata.

The context is followed into first-party helpers that it is passed to.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise
from types import CellType, FunctionType, ModuleType

from jammi_dagster.fingerprint.live.callables import layers
from jammi_dagster.fingerprint.sources.modules import home_of, libraries, of_names
from jammi_dagster.fingerprint.sources.running_code import place, running
from jammi_dagster.fingerprint.sources.source import UNREADABLE
from jammi_dagster.fingerprint.syntax.functions import Function, function_at
from jammi_dagster.fingerprint.syntax.harmless_reads import HarmlessReads
from jammi_dagster.fingerprint.syntax.scopes import FunctionScope, Scope, chain_of

_INSIDE = {
    "add_asset_metadata",
    "add_output_metadata",
    "asset_key",
    "asset_partition_key_for_output",
    "asset_partition_key_range",
    "asset_partition_key_range_for_output",
    "asset_partition_keys_for_output",
    "asset_partitions_time_window_for_output",
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
        "op",
        "op_def",
        "op_handle",
        "repository_def",
        "retry_number",
        "run",
        "run_config",
        "run_id",
        "run_tags",
        "selected_asset_keys",
    ]
)


# Attributes that tell which assets a step makes: each of them is recorded by itself.
OF_THE_SELECTION = frozenset(
    [
        "asset_key_for_output",
        "is_subset",
        "selected_asset_check_keys",
        "selected_asset_keys",
        "selected_output_names",
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
    wrappers = {id(one) for one, inner in pairwise(functions) if _only_passes_on(one, inner)}
    read = (function for function in functions if id(function) not in wrappers)
    return tuple(dict.fromkeys(use for function in read for use in _uses(function, parameter, "", seen)))


def is_of_the_run(use: str) -> bool:
    """Return whether a use reads an attribute of the run, for which no declared read can stand.

    >>> is_of_the_run("context.run_id"), is_of_the_run("context.resources")
    (True, False)
    """
    return use.partition(".")[2].partition(" ")[0] in OF_THE_RUN


def is_of_selection(use: str) -> bool:
    """Return whether a use asks which assets the step makes.

    >>> is_of_selection("context.selected_output_names in helper"), is_of_selection("context.run_id")
    (True, False)
    """
    return use.partition(".")[2].partition(" ")[0] in OF_THE_SELECTION


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


def _only_passes_on(wrapper: FunctionType, inner: FunctionType) -> bool:
    """Return whether a wrapper that takes anything only hands it to the function within: `fn(*args, **kwargs)`."""
    tree, _ = tree_of(wrapper)
    arguments = tree.args if tree else None
    if tree is None or arguments is None or [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
        return False
    taken = {one.arg for one in (arguments.vararg, arguments.kwarg) if one}
    enclosed = dict(zip(wrapper.__code__.co_freevars, wrapper.__closure__ or (), strict=True))
    held = {name for name, cell in enclosed.items() if _content(cell) is inner} - _bound(tree)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    own = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in held]
    starred = [one.value for call in own for one in call.args if isinstance(one, ast.Starred)]
    starred += [word.value for call in own for word in call.keywords if word.arg is None]
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    is_hidden = any(node.id in ("locals", "vars", "eval", "exec") for node in names)
    return not is_hidden and all(node in starred for node in names if node.id in taken)


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
    is_open = False  # an argument of unknown length stands before
    for position, argument in enumerate(call.args):
        is_open |= isinstance(argument, ast.Starred)
        if isinstance(argument, ast.Name) and argument.id == parameter:
            if is_open or position >= len(positional):
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
    return function_at(met.source.tree, place(function.__code__)), met.source.scope


def _uses_within(function: Function, module: Scope, parameter: str) -> Iterator[str | ast.Call]:
    """Yield the uses of the context, and the calls that it is passed to."""
    body = function.body if isinstance(function.body, list) else [function.body]
    parents = {
        child: node for part in body for node in ast.walk(part) for child in ast.iter_child_nodes(node)
    }
    people = HarmlessReads(function, module, frozenset({parameter}))
    scope = FunctionScope(module, function)
    names = [node for node in {**parents, **dict.fromkeys(body)} if isinstance(node, ast.Name)]
    for name in sorted(names, key=lambda node: (node.lineno, node.col_offset)):
        if name.id == parameter and (use := _use(name, parents, people, scope)):
            yield use
        elif name.id in ("locals", "vars"):
            yield f"{name.id}() may hand on {parameter}"


def _use(
    name: ast.Name, parents: dict[ast.AST, ast.AST], people: HarmlessReads, scope: Scope
) -> str | ast.Call | None:
    """Describe the use of the context at one place; None for its partition, its log and the like."""
    parent = parents.get(name)
    if not isinstance(name.ctx, ast.Load):
        return f"{name.id} is reassigned"
    if isinstance(parent, ast.Attribute):
        above = parents.get(parent)
        if parent.attr == "op_execution_context" and isinstance(above, ast.Attribute):
            parent, above = above, parents.get(above)  # the same context in another class
        inside = parent.attr in _INSIDE and isinstance(parent.ctx, ast.Load)
        if parent.attr == "resources" and isinstance(above, ast.Attribute):
            return f"{name.id}.resources.{above.attr}"
        return None if inside or people.is_for_people(parent) else f"{name.id}.{parent.attr}"
    if isinstance(parent, ast.keyword):
        parent = parents.get(parent)
    if isinstance(parent, ast.Call) and name is not parent.func:
        asked = _asked(parent, name, scope)
        inside = asked in _INSIDE or asked == "" or people.is_for_people(parent)
        return parent if asked is None else None if inside else f"{name.id}.{asked}"
    if _is_tested(name, parents):
        return None
    if isinstance(parent, ast.Starred) and isinstance(call := parents.get(parent), ast.Call):
        return _passed(name.id, call)
    return f"{name.id} is used as a value"


def _asked(call: ast.Call, name: ast.Name, scope: Scope) -> str | None:
    """Return the attribute that a call asks the context for, empty if only for its class; None for another call."""
    asks = scope.peek(chain_of(call.func) or ("",))
    if call.args[:1] != [name] or call.keywords:
        return None
    if asks == ["builtins.isinstance"] and call.args.count(name) == 1:
        return ""
    text = call.args[1].value if len(call.args) > 1 and isinstance(call.args[1], ast.Constant) else None
    is_asked = asks in (["builtins.getattr"], ["builtins.hasattr"]) and name not in call.args[2:]
    return text if is_asked and isinstance(text, str) and text != "resources" else None


def _is_tested(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Return whether code only tests that there is a context: `if context`, `context is None`."""
    parent = parents.get(node)
    if isinstance(parent, ast.Compare):
        others = [parent.left, *parent.comparators]
        is_none = [one for one in others if isinstance(one, ast.Constant) and one.value is None]
        return len(is_none) == len(others) - 1 and all(
            isinstance(op, (ast.Is, ast.IsNot)) for op in parent.ops
        )
    if isinstance(parent, ast.BoolOp):
        is_dropped = isinstance(parent.op, ast.And) and node is not parent.values[-1]
        return is_dropped or _is_tested(parent, parents)
    is_not = isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
    return is_not or (isinstance(parent, (ast.If, ast.IfExp, ast.While)) and node is parent.test)


def _passed(parameter: str, call: ast.Call) -> str:
    return f"{parameter} is passed to {'.'.join(chain_of(call.func) or ('a call',))}(...)"


def _name(fn: object) -> str:
    return str(getattr(fn, "__qualname__", type(fn).__qualname__))
