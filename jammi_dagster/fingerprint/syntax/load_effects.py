"""What a statement does when its module is loaded, besides binding names.

A definition, an import and an assignment of an expression only bind: they count where their names are reached. What
may change something else (a call for its effect, a loop, an item that is set, a decorator that registers) counts for
every function that reaches anything of the module. Calls of first-party functions are decided by what those do.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from jammi_dagster.fingerprint.syntax.scopes import CALLED, Scope, chain_of
from jammi_dagster.fingerprint.syntax.set_aside import is_orchestration
from jammi_dagster.fingerprint.syntax.trees import children

OWN = "@"  # leads a name of the module's own
AS_BASE = "__init_subclass__"  # ends the name of a class that another is derived from
AS_METACLASS = "__metaclass__"

# What is called so may change the state of what it belongs to.
_LOUD = re.compile(
    r"^(set(?!$)|delattr$|install|patch|enable|disable|configure|config$|basicConfig|"
    r"use$|seed$|add|append|extend|insert|remove|pop|clear|update|discard|sort$|reverse$|filterwarnings|simplefilter|"
    r"exec$|eval$|load_dotenv|putenv|chdir|init$|initialize|connect$|subscribe)|register|hook",
)
# What labels a function and does nothing else, whatever the label is called.
_LABELS = "pytest.mark."


@dataclass(frozen=True, slots=True)
class Effect:
    """`certain`: the statement may change something. `calls`: it does so if one of these callables does."""

    certain: bool
    calls: tuple[str, ...]


NOTHING = Effect(False, ())
SOMETHING = Effect(True, ())


def effect(statement: ast.AST, module: Scope) -> Effect:
    """What loading a top-level statement may do."""
    calls: dict[str, None] = {}
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for decorator in node.decorator_list:
                if _decorates_loudly(decorator, module):
                    return SOMETHING
            todo += _run_at_definition(node)
            calls.update(dict.fromkeys(_decorators(node, module)))
            if isinstance(node, ast.ClassDef):
                calls.update(dict.fromkeys(_bases(node, module)))
        elif isinstance(node, ast.If) and asks_for_main(node.test):
            todo += node.orelse  # as a script a module is what it is when it is imported
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Delete)):
            targets = node.targets if isinstance(node, (ast.Assign, ast.Delete)) else [node.target]
            if not all(map(_binds, targets)):
                return SOMETHING
            todo += [] if isinstance(node, ast.Delete) or node.value is None else [node.value]
        elif isinstance(node, (ast.If, ast.For, ast.While, ast.Try, ast.Match)):
            todo += children(node)
        elif isinstance(node, (ast.Import, ast.ImportFrom, ast.Pass, ast.Break, ast.Continue, ast.Lambda)):
            continue
        elif isinstance(node, ast.stmt):
            return SOMETHING
        elif isinstance(node, ast.Call):
            if _is_loud(node, module):
                return SOMETHING
            calls.update(dict.fromkeys(_callees(node.func, module)))
            todo += children(node)
        elif isinstance(node, (ast.Await, ast.Yield, ast.YieldFrom)):
            return SOMETHING
        else:
            todo += children(node)
    return Effect(False, tuple(calls))


def is_loud(name: str) -> bool:
    """Whether what is called so is taken to change something, where its code is not seen."""
    last = next((part for part in reversed(name.split(".")) if part != CALLED), "")
    return not (is_orchestration(name) or name.startswith(_LABELS)) and bool(_LOUD.search(last))


def asks_for_main(test: ast.expr) -> bool:
    """Whether a condition is `__name__ == "__main__"`."""
    if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq)):
        return False
    sides = (test.left, test.comparators[0])
    named = any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides)
    return named and any(isinstance(side, ast.Constant) and side.value == "__main__" for side in sides)


def _run_at_definition(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[ast.AST]:
    yield from (
        argument for call in node.decorator_list if isinstance(call, ast.Call) for argument in call.args
    )
    if isinstance(node, ast.ClassDef):
        yield from (*node.bases, *(word.value for word in node.keywords), *node.body)
    else:
        yield from (
            default for default in (*node.args.defaults, *node.args.kw_defaults) if default is not None
        )


def _decorates_loudly(decorator: ast.expr, module: Scope) -> bool:
    """A decorator that is a method of an object, or an object, registers what it gets: nothing else is known of it."""
    chain = chain_of(decorator)
    if chain is None:
        return True
    parts = [part for part in chain if part != CALLED]
    if names := module.peek(chain):
        return any(is_loud(name) for name in names)
    return module.owns(chain[0]) and len(parts) > 1


def _decorators(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, module: Scope) -> Iterator[str]:
    for decorator in node.decorator_list:
        yield from _callees(decorator, module)


def _bases(node: ast.ClassDef, module: Scope) -> Iterator[str]:
    """The bases and the metaclass: they may do something whenever a class is derived."""
    metaclasses = [word.value for word in node.keywords if word.arg == "metaclass"]
    for suffix, classes in ((AS_BASE, node.bases), (AS_METACLASS, metaclasses)):
        for cls in classes:
            found = _callees(cls.value if isinstance(cls, ast.Subscript) else cls, module)
            yield from (f"{name}.{suffix}" for name in found)


def _callees(function: ast.expr, module: Scope) -> Iterator[str]:
    chain = chain_of(function)
    if chain is None:
        return
    names = module.peek(chain)
    yield from (name for name in names if not name.startswith("builtins.") and not is_orchestration(name))
    if not names and module.owns(chain[0]):
        yield ".".join((OWN + chain[0], *chain[1:]))


def _is_loud(call: ast.Call, module: Scope) -> bool:
    chain = chain_of(call.func)
    if chain is None:
        return isinstance(call.func, ast.Subscript)
    names = module.peek(chain)
    if names:
        return any(is_loud(name) for name in names)
    return len(chain) > 1 and is_loud(chain[-1])


def _binds(target: ast.expr) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return all(map(_binds, target.elts))
    return isinstance(target, ast.Name) or (isinstance(target, ast.Starred) and _binds(target.value))
