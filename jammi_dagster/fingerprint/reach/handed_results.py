"""Results of functions that others call: `map(load, keys)` holds them, `partial(load, "a")()` is one."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import TypeGuard

from jammi_dagster.fingerprint.known_names.mutations import MUTATING_METHODS
from jammi_dagster.fingerprint.syntax.parameters import by_position
from jammi_dagster.fingerprint.syntax.scopes import Chain, chain_of
from jammi_dagster.fingerprint.syntax.sets import called

Parents = Mapping[int, ast.AST]

# Functions and methods that call a function for each item.
_CALLERS = frozenset(
    ["apply", "applymap", "imap", "imap_unordered", "map", "map_elements", "starmap", "submit", "transform"]
)
# Ones whose result holds the items that they get, and ones that return an item.
_PASSING = frozenset(
    [
        "chain",
        "deque",
        "dict",
        "filter",
        "from_iterable",
        "iter",
        "list",
        "reversed",
        "set",
        "sorted",
        "tuple",
    ]
)
_HANDING = (ast.Call, ast.Assign, ast.AnnAssign)
_TAKING = frozenset({"max", "min", "next", "result"})
_BUILT_IN = frozenset({"bytearray", "deque", "dict", "list", "set"})


def handed_on(
    every: list[ast.AST], parents: Parents, is_function: Callable[[Chain], bool]
) -> Iterator[tuple[ast.expr, bool]]:
    """Yield the expressions of a statement that are a result of a function; True for ones that hold results."""
    for node in every:
        above = parents.get(id(node))
        if not isinstance(node, (ast.Name, ast.Attribute)) or not isinstance(above, _HANDING):
            continue
        chain = chain_of(node)
        if not chain or not is_function(chain):
            continue
        if isinstance(above, ast.Call) and node in above.args and called(above) in _CALLERS:
            yield above, True
        is_partial = isinstance(above, ast.Call) and called(above) == "partial" and node in above.args[:1]
        held, around = (above, parents.get(id(above))) if is_partial else (node, above)
        if isinstance(around, ast.Call) and around.func is held and is_partial:
            yield around, False
        if isinstance(around, (ast.Assign, ast.AnnAssign)) and around.value is held:
            targets = around.targets if isinstance(around, ast.Assign) else [around.target]
            names = {one.id for one in targets if isinstance(one, ast.Name)}
            calls = (one for one in every if isinstance(one, ast.Call) and isinstance(one.func, ast.Name))
            yield from ((one, False) for one in calls if getattr(one.func, "id", "") in names)


def uses_of_items(node: ast.AST, every: list[ast.AST], parents: Parents) -> Iterator[tuple[ast.expr, bool]]:
    """Yield the expressions that an item of a collection becomes; True for targets that it is bound to."""
    todo, seen = [node], set[int]()
    for holder in todo:  # grows while it is read: `x = list(x)` holds the items again
        if id(holder) in seen:
            continue
        seen.add(id(holder))
        above = parents.get(id(holder))
        if isinstance(above, ast.Attribute):
            above = parents.get(id(above))  # `x.map(load).map(change)`, `pool.submit(load).result()`
        if isinstance(above, ast.Call):
            if called(above) in _TAKING:
                yield above, False
            elif called(above) in _PASSING:
                todo.append(above)
            elif called(above) in _CALLERS and above.args and above.args[0] is not holder:
                yield from ((one, True) for one in parameters(above.args[0], 0, every))
        elif isinstance(above, (ast.For, ast.AsyncFor, ast.comprehension)):
            yield above.target, True
        elif isinstance(above, (ast.Starred, ast.List, ast.Tuple)) or _is_slice(above):
            todo.append(above)
        elif isinstance(above, ast.Subscript) and above.value is holder:
            yield above, False
        elif isinstance(above, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
            for target in above.targets if isinstance(above, ast.Assign) else [above.target]:
                if isinstance(target, (ast.Tuple, ast.List)):
                    yield target, True
                elif isinstance(target, ast.Name):
                    todo += _loads(target.id, every)


def _is_slice(node: ast.AST | None) -> TypeGuard[ast.Subscript]:
    return isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice)


def _loads(name: str, every: list[ast.AST]) -> Iterator[ast.Name]:
    names = (one for one in every if isinstance(one, ast.Name) and one.id == name)
    return (one for one in names if isinstance(one.ctx, ast.Load))


def parameters(function: ast.expr, at: int, every: list[ast.AST]) -> Iterator[ast.expr]:
    """Yield the parameter at a position of a lambda, or of a function of the statement itself, as a target."""
    inner = (one for one in every if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)))
    named = [one for one in inner if one is not every[0] and one.name == getattr(function, "id", None)]
    for one in [function] if isinstance(function, ast.Lambda) else named:
        given = by_position(one.args)
        if at < len(given):
            yield ast.copy_location(ast.Name(given[at].arg, ast.Store()), function)


def is_changed_by(function: ast.expr) -> bool:
    """Return whether a function is a method of a built-in class that changes its object: `list.append`."""
    chain = chain_of(function) or ("",)
    return chain[0] in _BUILT_IN and chain[-1] in MUTATING_METHODS
