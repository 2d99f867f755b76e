"""The normal form of a syntax tree: the meaning of the code without its layout.

Comments, positions, quotes, line endings and encodings are gone once Python has parsed a file. All other differences
between equal programs, and between the trees that Python 3.10 to 3.13 build of one program, are left out here.
"""

from __future__ import annotations

import ast
import contextlib
import struct
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import CodeType, MappingProxyType
from typing import Any, NamedTuple, TypeGuard

from jammi_dagster.fingerprint.hashing import digest, utf8
from jammi_dagster.garbage import uncollected

# `ctx` follows from where a node stands, `kind` is the u of u"text", the others hold comments.
_LEFT_OUT = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
# Fields that hold contexts, operators, or a plain text or number in every type of node.
_MARKS = frozenset(
    {"ctx", "op", "ops", "id", "attr", "arg", "kind", "level", "module", "asname", "conversion"}
)
_one_at_a_time = threading.Lock()  # `catch_warnings` swaps process-wide state
_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")  # in the order of the source


class _Shape(NamedTuple):
    """The fields of a type of node."""

    nodes: tuple[str, ...]  # those that may hold nodes
    blocks: tuple[str, ...]  # those that hold statements, handlers or cases
    kind: bytes  # its name
    spelled: tuple[tuple[str, bytes], ...]  # those that count, the last first


class _Shapes(dict[type[ast.AST], _Shape]):
    """The shapes of the types of nodes, each found on its first use."""

    def __missing__(self, kind: type[ast.AST]) -> _Shape:
        found = self[kind] = _Shape(
            tuple(name for name in kind._fields if name not in _MARKS),
            tuple(name for name in _BLOCKS if name in kind._fields),
            utf8(kind.__name__),
            tuple((name, utf8(f".{name}=")) for name in reversed(kind._fields) if name not in _LEFT_OUT),
        )
        return found


_SHAPES = _Shapes()


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Drop warnings of the parser: they belong to the import."""
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def parse(source: bytes) -> ast.Module:
    """Parse a module."""
    # Python 3.11 fails to parse where a finalizer parses meanwhile
    with _quietly(), uncollected():
        return ast.parse(source)


def compiled(tree: ast.Module | bytes, path: str) -> CodeType:
    """Compile a module to the code object that an import of the file would run."""
    with _quietly():
        code: CodeType = compile(tree, path, "exec", dont_inherit=True)
        return code


def children(node: ast.AST) -> Sequence[ast.AST]:
    """Return the nodes below a node except its operators and contexts.

    They are kept on the node, because several visitors walk one tree.
    """
    held = node.__dict__
    known: Sequence[ast.AST] | None = held.get("_children")
    if known is not None:
        return known
    found: list[ast.AST] = []
    for name in _SHAPES[type(node)].nodes:
        value = held.get(name)
        if isinstance(value, list):
            found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    known = held["_children"] = found or ()
    return known


def nodes(tree: ast.AST) -> list[ast.AST]:
    """Return all nodes of a tree, in no meaningful order."""
    found = [tree]
    for node in found:
        known = node.__dict__.get("_children")
        found += children(node) if known is None else known
    return found


def parents_of(every: Iterable[ast.AST]) -> dict[int, ast.AST]:
    """Return the parents of the children of these nodes, by the `id` of the child."""
    return {id(child): node for node in every for child in children(node)}


def statements(node: ast.AST) -> list[ast.AST]:
    """Return the statements below a module, a statement, a handler or a case, and its handlers and cases."""
    return [one for name in _SHAPES[type(node)].blocks for one in getattr(node, name)]


class Digests(NamedTuple):
    """The digests of a syntax tree. The digest of an absent part is empty."""

    code: str  # without docstrings and optional parts
    documented: str  # the code with its docstrings
    annotations: str  # the optional ones
    decorators: str  # the optional ones


def digests(tree: ast.AST, optional: Mapping[int, str] = MappingProxyType({})) -> Digests:
    """Digest a tree; `optional` names nodes by `id` as in `OptionalParts.nodes`.

    >>> digests(ast.parse("x = 1")) == digests(ast.parse("x  =  0x1  # one"))
    True
    """
    strings: list[bytes] = []
    apart: dict[str, list[bytes]] = {}
    todo: list[ast.AST] = [tree]
    code: list[bytes] = []
    for number, node in enumerate(todo):  # grows while it is read
        part = optional[id(node)] if number else None
        found = apart.setdefault(part, []) if part else code
        _spell(node, found, optional, later=todo, strings=strings)
    bare = digest("syntax.v1", b"".join(code))
    documented = digest("documented.v1", utf8(bare), *strings) if strings else ""
    rest = {part: digest("aside.v1", b"".join(tokens)) for part, tokens in apart.items()}
    return Digests(bare, documented, rest.get("annotations", ""), rest.get("decorators", ""))


def _spell(
    tree: ast.AST,
    tokens: list[bytes],
    optional: Mapping[int, str],
    *,
    later: list[ast.AST],
    strings: list[bytes],
) -> None:
    todo: list[object] = [tree]  # a stack: deep expressions exceed Python's recursion limit
    while todo:
        item = todo.pop()
        if isinstance(item, bytes):
            tokens.append(item)
        elif isinstance(item, ast.AST):
            if optional and id(item) in optional and item is not tree:
                later.append(item)
            elif isinstance(item, ast.Expr) and _is_string(item.value):
                # A string as a statement does nothing, but the first of a body becomes a `__doc__`.
                strings.append(b"%d:" % len(tokens) + constant(item.value.value))
            else:
                tokens.append(b"(")
                todo.append(b")")
                todo += _fields(item, optional)
        elif isinstance(item, list):
            tokens.append(b"[")
            todo.append(b"]")
            todo += reversed(item)
        else:
            tokens.append(constant(item))


def _is_string(node: ast.expr) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _fields(node: ast.AST, optional: Mapping[int, str]) -> list[object]:
    """Return the fields of a node that are there, and its type, the last first; bytes are tokens of this module.

    A newer Python adds fields (`type_params`); they are empty in code that does not use them. An optional part leaves
    no trace: with it or without it, the code is the same.
    """
    flat: list[object] = []
    shape = _SHAPES[type(node)]
    if isinstance(node, (ast.Constant, ast.MatchSingleton)):
        return [constant(node.value), b"=", shape.kind]
    if isinstance(node, ast.AnnAssign) and node.value is not None and id(node.annotation) in optional:
        flat.append(node.annotation)  # spelled apart
        node = ast.Assign(targets=[node.target], value=node.value)
        shape = _SHAPES[ast.Assign]
    for name, spelled in shape.spelled:
        value = getattr(node, name, None)
        if value is None or value == []:
            continue
        if isinstance(node, ast.JoinedStr):
            value = _joined(value)
        if optional and id(value) in optional:
            flat.append(value)
            continue
        if name == "decorator_list" and all(id(decorator) in optional for decorator in value):
            flat += value
            continue
        flat += (value, spelled)
    flat.append(shape.kind)
    return flat


def _joined(parts: list[ast.expr]) -> list[ast.expr]:
    """Merge the literal pieces of an f-string: versions of Python cut them at different places."""
    merged: list[ast.expr] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(part, ast.Constant) and isinstance(last, ast.Constant):
            merged[-1] = ast.Constant(str(last.value) + str(part.value))
        elif not (isinstance(part, ast.Constant) and part.value == ""):
            merged.append(part)
    return merged


def texts(tree: ast.AST) -> Iterator[str | bytes]:
    """Yield the texts and bytes in a tree: literals, names, and literals that are joined by `+`.

    >>> sorted(texts(ast.parse('f(kind="a" + "b")')))
    ['a', 'ab', 'b', 'f', 'kind']
    """
    for node in nodes(tree):
        if isinstance(node, ast.Constant):
            if isinstance(node.value, (str, bytes)):
                yield node.value
        elif isinstance(node, ast.BinOp):
            if (joined := _added(node)) is not None:
                yield joined
        else:
            for value in vars(node).values():
                if type(value) is str:
                    yield value


def _added(node: ast.expr) -> Any:
    """Return the text of a literal, or of literals that are joined; None for another expression."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
        return node.value
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)):
        return None
    left, right = _added(node.left), _added(node.right)
    return left + right if left is not None and type(left) is type(right) else None


def constant(value: object) -> bytes:
    """Encode a constant with its type: 1, 1.0, True, "1" and b"1" differ, and so do 0.0 and -0.0.

    Its length leads it, so that no part of it can be taken for structure.
    """
    if type(value) is str:
        exact = value.encode("utf-8", "surrogatepass")
        return b"str %d:%s" % (len(exact), exact)
    exact = _exact(value)
    return b"%s %d:%s" % (utf8(type(value).__name__), len(exact), exact)


def _exact(value: object) -> bytes:
    if isinstance(value, str):
        return utf8(value)
    if isinstance(value, bytes):
        return value
    if isinstance(value, float):
        return struct.pack(">d", value)
    if isinstance(value, complex):
        return struct.pack(">dd", value.real, value.imag)
    if isinstance(value, int) and not isinstance(value, bool):
        return utf8(hex(value))  # `str` refuses integers of many digits
    return utf8(repr(value))
