"""Which parts of a definition are no part of what it computes: annotations that nothing reads, and orchestration.

An annotation of a parameter or a variable ends in `__annotations__` and nowhere else. It counts in a class that is
more than a plain one (a dataclass, a pydantic model), where a decorator may read it (`readers`), and wherever reached
code reads annotations.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from jammi_dagster.fingerprint.syntax.scopes import CALLED, Scope, chain_of
from jammi_dagster.fingerprint.syntax.trees import statements

# Orchestration: what it does to a table stands in the descriptor, and an upgrade of it alone must move no hash.
ORCHESTRATION = frozenset({"dagster", "jammi_dagster"})

# Decorators that look at no annotation.
_BLIND_MODULES = ("contextlib", "abc", "typing", "functools", "enum", "atexit")
_BLIND = {"builtins.staticmethod", "builtins.classmethod", "builtins.property"}
_SEEING = {"functools.singledispatch", "functools.singledispatchmethod"}
_ACCESSORS = {"setter", "getter", "deleter"}  # of a property


@dataclass(frozen=True, slots=True)
class Aside:
    """`parts`: the nodes, by `id`, that are `annotations`, or `decorators` of orchestration.

    `readers`: the decorators that may read annotations, unless they prove to be first-party, whose code shows it.
    """

    parts: dict[int, str]
    readers: tuple[str, ...]


def aside(statement: ast.AST, module: Scope) -> Aside:
    """What of a top-level statement of a module is put aside."""
    found: dict[int, str] = {}
    readers: dict[str, None] = {}
    todo: list[tuple[ast.AST, bool]] = [(statement, False)]
    while todo:
        node, keeps = todo.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names = [_names(decorator, module) for decorator in node.decorator_list]
            orchestrated = [any(map(is_orchestration, one)) for one in names]
            if node is statement and names and all(orchestrated):
                found.update({id(decorator): "decorators" for decorator in node.decorator_list})
            found.update({id(annotation): "annotations" for annotation in _annotations(node)})
            for one, skipped in zip(names, orchestrated, strict=True):
                if not skipped:
                    readers.update(dict.fromkeys(name for name in one if not _is_blind(name)))
            todo += [(child, False) for child in node.body]
        elif isinstance(node, ast.ClassDef):
            todo += [(child, not _is_plain(node)) for child in node.body]
        elif isinstance(node, ast.AnnAssign):
            if not keeps:
                found[id(node.annotation)] = "annotations"
        elif isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            todo += [(child, keeps) for child in statements(node)]  # a lambda has no annotations
    return Aside(found, tuple(readers))


def is_orchestration(name: str) -> bool:
    return name.partition(".")[0] in ORCHESTRATION


def _names(decorator: ast.expr, module: Scope) -> list[str]:
    """What a decorator may be called; `?` for what is neither a function of the module's own nor imported."""
    chain = chain_of(decorator)
    if chain is None or chain[-1] in _ACCESSORS:
        return [chain[-1] if chain else "?"]
    is_function = module.owns(chain[0]) and not [part for part in chain[1:] if part != CALLED]
    return module.peek(chain) or ([] if is_function else ["?"])


def _is_blind(name: str) -> bool:
    if name in _BLIND or name in _ACCESSORS or name.startswith("."):
        return True
    return name.partition(".")[0] in _BLIND_MODULES and name not in _SEEING


def _annotations(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    given = function.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    found = [argument.annotation for argument in arguments if argument is not None]
    return [annotation for annotation in (*found, function.returns) if annotation is not None]


def _is_plain(cls: ast.ClassDef) -> bool:
    bases = [base for base in cls.bases if not (isinstance(base, ast.Name) and base.id == "object")]
    return not (cls.decorator_list or bases or cls.keywords)
