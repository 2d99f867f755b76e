"""Places where the text of an object without a text of its own reaches the result: `<C object at 0x7f…>`.

Such a text tells the address of the object, which differs from run to run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from jammi_dagster.fingerprint.known_names.texts import LOG_METHODS, TEXT_MAKERS
from jammi_dagster.fingerprint.syntax.sets import bodies, called, own_nodes
from jammi_dagster.fingerprint.syntax.trees import nodes, parents_of

_OWN_TEXTS = frozenset({"__format__", "__repr__", "__str__"})
_ITERATORS = frozenset({"enumerate", "filter", "iter", "map", "object", "reversed", "zip"})
_PLAIN_BASES = frozenset({"object"})


def faceless_names(body: list[ast.stmt]) -> frozenset[str]:
    """Return the functions of some statements, and, as `C()`, the classes whose objects have no text of their own."""
    found: set[str] = set()
    for one in body:
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) and not one.decorator_list:
            found.add(one.name)
        elif isinstance(one, ast.ClassDef) and _is_faceless(one, found):
            found.add(f"{one.name}()")
        elif isinstance(one, (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom)):
            found -= {name.id for name in nodes(one) if isinstance(name, ast.Name)}
    return frozenset(found)


def makes_text(node: ast.AST) -> bool:
    """Return whether a node may make the text of an object."""
    return bool(_told(node))


def address_lines(node: ast.AST, module: frozenset[str]) -> tuple[int, ...]:
    """Return the lines of a statement on which the text of such an object is made.

    >>> text = "class C: pass\\ndef f(): return str(C()), f'{C}', repr(1)"
    >>> tree = ast.parse(text)
    >>> address_lines(tree.body[1], faceless_names(tree.body))
    (2,)
    """
    return tuple(sorted({line for body in bodies(node) for line in _lines(body, module)}))


def _lines(body: ast.AST, module: frozenset[str]) -> Iterator[int]:
    every = own_nodes(body)
    parents = parents_of(every)
    names = _variables(every, module)
    for node in every:
        if any(_is_addressed(one, names) for one in _told(node)) and not _is_message(node, parents):
            yield getattr(node, "lineno", 0)


def _variables(every: list[ast.AST], module: frozenset[str]) -> frozenset[str]:
    """Return the names of the module, and the variables that are bound to such an object alone."""
    names = {
        *module,
        *faceless_names([one for one in every if isinstance(one, ast.stmt) and one is not every[0]]),
    }
    bound: dict[str, list[bool]] = {}
    for one in every:
        if isinstance(one, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and one.value is not None:
            for target in one.targets if isinstance(one, ast.Assign) else [one.target]:
                if isinstance(target, ast.Name):
                    bound.setdefault(target.id, []).append(_is_addressed(one.value, frozenset(names)))
        elif isinstance(one, (ast.For, ast.comprehension)) and isinstance(one.target, ast.Name):
            bound.setdefault(one.target.id, []).append(_is_addressed(one.iter, frozenset(names)))
        elif isinstance(one, ast.arg):
            bound.setdefault(one.arg, []).append(False)
    return frozenset(names - bound.keys()) | {name for name, found in bound.items() if all(found)}


def _is_faceless(cls: ast.ClassDef, known: set[str]) -> bool:
    """Return whether a class, and all of its bases, leave the texts of its objects to `object`."""
    bases = [base.id if isinstance(base, ast.Name) else "" for base in cls.bases]
    if cls.keywords or not all(base in _PLAIN_BASES or f"{base}()" in known for base in bases):
        return False
    defined = {name for one in cls.body for name in _bound(one)}
    if not _OWN_TEXTS.isdisjoint(defined) or "__getattr__" in defined:
        return False
    return all(_keeps_text(decorator) for decorator in cls.decorator_list)


def _keeps_text(decorator: ast.expr) -> bool:
    words = decorator.keywords if isinstance(decorator, ast.Call) else []
    given = [word.value for word in words if word.arg == "repr"]
    return any(isinstance(one, ast.Constant) and one.value is False for one in given)


def _bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
    else:
        yield from (one.id for one in nodes(statement) if isinstance(one, ast.Name))


def _told(node: ast.AST) -> list[ast.expr]:
    """Return the expressions of which a node makes the text."""
    if isinstance(node, ast.FormattedValue):
        return [node.value]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and _is_text(node.left):
        return node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
    if not isinstance(node, ast.Call):
        return []
    name, function = called(node), node.func
    if isinstance(function, ast.Attribute):
        if name in _OWN_TEXTS:
            return [function.value, *node.args[:1]]
        return [*node.args, *(word.value for word in node.keywords)] if name == "format" else []
    if name == "map" and len(node.args) > 1 and called(node.args[0]) in TEXT_MAKERS:
        return node.args[1:]
    key = [word.value for word in node.keywords if word.arg == "key"]
    if name in ("max", "min", "sorted") and key and called(key[0]) in TEXT_MAKERS:
        return node.args[:1]
    return node.args[:1] if name in TEXT_MAKERS else []


def _is_addressed(node: ast.expr, names: frozenset[str]) -> bool:
    """Return whether an expression is an object without a text of its own, or a collection with one."""
    if isinstance(node, (ast.Lambda, ast.GeneratorExp)):
        return True
    if isinstance(node, ast.Name):
        return node.id in names
    if isinstance(node, ast.Call):
        is_plain = isinstance(node.func, ast.Name)
        return is_plain and (called(node) in _ITERATORS or f"{called(node)}()" in names)
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return any(_is_addressed(one, names) for one in node.elts)
    if isinstance(node, (ast.ListComp, ast.SetComp)):
        return _is_addressed(node.elt, names)
    if isinstance(node, ast.Dict):
        return any(_is_addressed(one, names) for one in node.values)
    return isinstance(node, ast.Attribute) and _is_bound_method(node, names)


def _is_bound_method(node: ast.Attribute, names: frozenset[str]) -> bool:
    return node.attr == "__init__" and _is_addressed(node.value, names)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_message(node: ast.AST | None, parents: Mapping[int, ast.AST]) -> bool:
    """Return whether a text ends in an error, in a log, or nowhere."""
    while node is not None and not isinstance(node, ast.stmt):
        if isinstance(node, ast.Call) and called(node) in LOG_METHODS:
            return True
        if isinstance(node, ast.NamedExpr):
            return False
        node = parents.get(id(node))
    return isinstance(node, (ast.Raise, ast.Assert))
