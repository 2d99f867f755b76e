"""Paths that code puts together: from its own `__file__`, constants of other modules, and texts of any value."""

from __future__ import annotations

import ast
import posixpath
import re
import string
from collections.abc import Callable, Iterable, Sequence
from itertools import product

from jammi_dagster.fingerprint.syntax.constants import Constants, Values
from jammi_dagster.fingerprint.syntax.packaged_files import FILES, SAME, may_be_many
from jammi_dagster.fingerprint.syntax.scopes import Scope, chain_of

HOLE = "\0"  # stands for any text within a path
_DEEPEST, _MOST = 12, 200
_JOINERS = frozenset({"os.path.join", "pathlib.Path", "pathlib.PurePath"})
_KEEPERS = frozenset({"builtins.str", "os.fspath", "os.path.abspath", "os.path.realpath"})
_DIRECTIVE = re.compile(r"%(?:\(\w+\))?[-#0 +]*\d*(?:\.\d+)?[a-zA-Z]")


class ComputedPaths:
    """The paths that expressions may stand for, as far as code shows them: `/checkout/pipelines/rates_\\0.csv`.

    `file_of` tells the file of a module, `folder_of` the folder of a package that an expression names.
    """

    def __init__(
        self,
        constants: Constants,
        file_of: Callable[[Scope], str | None],
        folder_of: Callable[[ast.expr, Scope], str | None],
    ) -> None:
        self._constants, self._file_of, self._folder_of = constants, file_of, folder_of

    def of(self, node: ast.expr | None, scope: Scope, depth: int = 0) -> Values:
        """Return the texts that an expression may be, with holes; None if nothing of them is known."""
        if node is None or depth > _DEEPEST:
            return None
        if isinstance(node, ast.Name):
            return self._named(node.id, scope, depth)
        if isinstance(node, ast.JoinedStr):
            parts = [one.value if isinstance(one, ast.FormattedValue) else one for one in node.values]
            return self._put("".join, [self._part(one, scope, depth) for one in parts])
        if isinstance(node, ast.BinOp):
            return self._of_operator(node, scope, depth)
        if isinstance(node, ast.Attribute) and node.attr == "parent":
            return self._put(_folder, [self.of(node.value, scope, depth + 1)])
        if isinstance(node, ast.Subscript) and (chosen := _chosen_parent(node)):
            return self.of(chosen, scope, depth + 1)
        if isinstance(node, ast.Attribute):
            return self._constants.attribute(node, scope, lambda one, at: self.of(one, at, depth + 1))
        if not isinstance(node, ast.Call):
            return self._constants.of(node, scope)
        return self._called(node, scope, depth) or self._constants.results(node, scope, depth, self.of)

    def _named(self, name: str, scope: Scope, depth: int) -> Values:
        if name == "__file__" and scope.binder(name) is None and name not in scope.module.imported:
            file = self._file_of(scope.module)
            return [file] if file else None
        return self._constants.named(name, scope, depth, lambda one, at: self.of(one, at, depth + 1), True)

    def _part(self, node: ast.expr, scope: Scope, depth: int) -> list[object]:
        """Return the values of a part of a text: of an unknown one a hole."""
        return self.of(node, scope, depth + 1) or [HOLE]

    def _of_operator(self, node: ast.BinOp, scope: Scope, depth: int) -> Values:
        if isinstance(node.op, ast.Mod):
            text = node.left.value if isinstance(node.left, ast.Constant) else None
            return [_DIRECTIVE.sub(HOLE, text).replace("%%", "%")] if isinstance(text, str) else None
        joiner = {ast.Div: _joined, ast.Add: "".join}.get(type(node.op))
        left = self.of(node.left, scope, depth + 1)
        return self._put(joiner, [left, self._part(node.right, scope, depth)]) if joiner else None

    def _called(self, call: ast.Call, scope: Scope, depth: int) -> Values:
        names, given = scope.peek(chain_of(call.func) or ("",)), call.args
        name = names[0] if len(names) == 1 else ""
        is_plain = (
            bool(given) and not call.keywords and not any(isinstance(one, ast.Starred) for one in given)
        )
        if is_plain and name in _JOINERS:
            rest = [self._part(one, scope, depth) for one in given[1:]]
            return self._put(_joined, [self.of(given[0], scope, depth + 1), *rest])
        if is_plain and len(given) == 1 and (name in _KEEPERS or name == "os.path.dirname"):
            found = self.of(given[0], scope, depth + 1)
            return found if name in _KEEPERS else self._put(_folder, [found])
        if is_plain and len(given) == 1 and [name] in FILES:
            folder = self._folder_of(given[0], scope)
            return [folder] if folder else None
        if not isinstance(call.func, ast.Attribute):
            return None
        held = call.func.value
        if call.func.attr == "format":
            return self._formatted(self.of(held, scope, depth + 1), call, scope, depth)
        if call.func.attr == "joinpath" and is_plain:
            return self._put(
                _joined, [self.of(held, scope, depth + 1), *(self._part(one, scope, depth) for one in given)]
            )
        return self.of(held, scope, depth + 1) if call.func.attr in SAME and not given else None

    def _formatted(self, texts: Values, call: ast.Call, scope: Scope, depth: int) -> Values:
        """Return the texts of `"rates_{}.csv".format(year)`."""
        found: list[object] = []
        for text in texts or ():
            try:
                fields = [*string.Formatter().parse(str(text))]
            except ValueError:
                return None
            given = [self._part(one, scope, depth) for one in call.args]
            is_plain = all(not (name or spec or conversion) for _, name, spec, conversion in fields)
            holes = sum(name is not None for _, name, _, _ in fields)
            parts: list[Values] = []
            for at, (literal, name, _, _) in enumerate(fields):
                is_given = is_plain and holes <= len(given) and at < len(given)
                parts += [[literal]] if name is None else [[literal], given[at] if is_given else [HOLE]]
            filled = self._put("".join, parts)
            if filled is None:
                return None
            found += filled
        return found or None

    @staticmethod
    def _put(join: Callable[[Iterable[str]], str], parts: Sequence[Values]) -> Values:
        """Join texts in all ways; None if one is no text, or a way leads nowhere."""
        texts = [[one for one in part or () if isinstance(one, str)] for part in parts]
        count = 1
        for part, found in zip(parts, texts, strict=True):
            if not found or len(found) != len(part or ()):
                return None
            count *= len(found)
        every = [join(way) for way in product(*texts)] if count <= _MOST else []
        return [*every] if every and all(every) else None


def is_within(path: str, folder: str) -> bool:
    """Return whether a path with holes names files of a folder, whatever the holes are.

    A hole stands in the name of the file, behind a text: to lead elsewhere a folder must begin with that text.

    >>> [is_within(path, "/a") for path in ("/a/b\\0.csv", "/a/\\0.csv", "/a/b\\0/c.csv", "/a/../b.csv", "/c/b.csv")]
    [True, False, False, False, False]
    >>> is_within("/a/b/../c/d.csv", "/a"), is_within("/a/../b\\0.csv", "/a"), is_within("/a/b/../d\\0.csv", "/a")
    (True, False, False)
    """
    path = path if HOLE in path else posixpath.normpath(path)
    *folders, name = path.split("/")
    is_plain = not any(one in ("", ".", "..") or may_be_many(one) for one in (*folders[1:], name))
    is_filled = not any(HOLE in one for one in folders) and not name.startswith(HOLE)
    return path.startswith(f"{folder}/") and is_plain and is_filled


def _chosen_parent(node: ast.Subscript) -> ast.expr | None:
    """Return `path.parent.parent` for `path.parents[1]`."""
    at = node.slice.value if isinstance(node.slice, ast.Constant) else None
    if not isinstance(node.value, ast.Attribute) or node.value.attr != "parents":
        return None
    if not isinstance(at, int) or not 0 <= at < _DEEPEST:
        return None
    path = node.value.value
    for _ in range(at + 1):
        path = ast.copy_location(ast.Attribute(path, "parent", ast.Load()), node)
    return path


def _joined(parts: Iterable[str]) -> str:
    return posixpath.join(*parts)


def _folder(parts: Iterable[str]) -> str:
    (path,) = parts
    return "" if HOLE in path else posixpath.dirname(path)
