"""Files of the own package that loading a module reads by a constant path: `Path(__file__).parent / "query.sql"`."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from jammi_dagster.fingerprint.syntax.scopes import Scope, chain_of

_SAME = frozenset({"resolve", "absolute"})
_READS = frozenset({"read_text", "read_bytes"})


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A path below the folder of a module, or of the package named `package`.

    PackagedFile(package=None, parts=("query.sql",), line=3)
    """

    package: str | None
    parts: tuple[str, ...]
    line: int


def packaged_file(call: ast.Call, scope: Scope) -> PackagedFile | None:
    """Return the file of the package that a call reads when its module is loaded; None for any other call."""
    if scope.around is not None:
        return None
    target: ast.expr | None = None
    if isinstance(call.func, ast.Attribute) and call.func.attr in _READS:
        target = call.func.value
    elif _is(call.func, scope, "builtins.open") and call.args and _reads_only(call):
        target = call.args[0]
    found = _path(target, scope, 0) if target is not None else None
    if found is None or found[1][:1] == ("<file>",) or not found[1]:
        return None
    return PackagedFile(found[0], found[1], call.lineno)


def _path(node: ast.expr, scope: Scope, depth: int) -> tuple[str | None, tuple[str, ...]] | None:
    """Return the package and the parts of a constant path; `<file>` stands for the module's own file."""
    if isinstance(node, ast.Name):
        return (None, ("<file>",)) if node.id == "__file__" else _variable(node.id, scope, depth)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return _below(_path(node.left, scope, depth), [node.right])
    if isinstance(node, ast.Attribute) and node.attr == "parent":
        found = _path(node.value, scope, depth)
        return None if found is None or not found[1] else (found[0], found[1][:-1])
    return _called_path(node, scope, depth) if isinstance(node, ast.Call) else None


def _called_path(node: ast.Call, scope: Scope, depth: int) -> tuple[str | None, tuple[str, ...]] | None:
    if node.keywords and not (isinstance(node.func, ast.Attribute) and node.func.attr in _SAME):
        return None
    if _is(node.func, scope, "pathlib.Path") and len(node.args) == 1:
        return _path(node.args[0], scope, depth)
    if _is(node.func, scope, "os.path.dirname") and len(node.args) == 1:
        found = _path(node.args[0], scope, depth)
        return None if found is None or not found[1] else (found[0], found[1][:-1])
    if _is(node.func, scope, "os.path.abspath") and len(node.args) == 1:
        return _path(node.args[0], scope, depth)
    if _is(node.func, scope, "os.path.join") and node.args:
        return _below(_path(node.args[0], scope, depth), node.args[1:])
    if _is(node.func, scope, "importlib.resources.files") and len(node.args) == 1:
        package = node.args[0]
        return (
            (package.value, ())
            if isinstance(package, ast.Constant) and isinstance(package.value, str)
            else None
        )
    if isinstance(node.func, ast.Attribute):
        found = _path(node.func.value, scope, depth)
        if node.func.attr in _SAME and not node.args:
            return found
        return _below(found, node.args) if node.func.attr == "joinpath" else None
    return None


def _below(
    found: tuple[str | None, tuple[str, ...]] | None, further: list[ast.expr]
) -> tuple[str | None, tuple[str, ...]] | None:
    if found is None or found[1][:1] == ("<file>",):
        return None
    parts: list[str] = []
    for one in further:
        if not (isinstance(one, ast.Constant) and isinstance(one.value, str)):
            return None
        parts += one.value.split("/")
    is_plain = all(part not in ("", ".", "..") for part in parts)
    return (found[0], (*found[1], *parts)) if is_plain else None


def _variable(name: str, scope: Scope, depth: int) -> tuple[str | None, tuple[str, ...]] | None:
    """Follow a variable of the module that one plain statement assigns, and nothing else."""
    if depth > 3 or name in scope.shared:
        return None
    stored = [
        node
        for statement in scope.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)
    ]
    plain = [
        one
        for one in scope.body
        if isinstance(one, ast.Assign)
        and len(one.targets) == 1
        and isinstance(one.targets[0], ast.Name)
        and one.targets[0].id == name
    ]
    return _path(plain[0].value, scope, depth + 1) if len(plain) == 1 and len(stored) == 1 else None


def _is(function: ast.expr, scope: Scope, name: str) -> bool:
    return scope.peek(chain_of(function) or ("",)) == [name]


def _reads_only(call: ast.Call) -> bool:
    mode = call.args[1] if len(call.args) > 1 else None
    return all(word.arg == "encoding" for word in call.keywords) and (
        mode is None or (isinstance(mode, ast.Constant) and mode.value in ("r", "rb", "rt"))
    )
