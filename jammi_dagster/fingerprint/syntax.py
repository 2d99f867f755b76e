"""The normalised form of a syntax tree: what the code says, without how it is laid out.

Comments, positions, quotes, line endings and encodings are gone once Python has parsed a file; what else differs
between equal programs, or between the trees that Python 3.10 to 3.13 build of one program, is left out here.
"""

from __future__ import annotations

import ast
import struct
import threading
import warnings
from types import CodeType

from jammi_dagster.fingerprint.hashing import digest, utf8

# `ctx` follows from where a node stands, `kind` is the u of u"text", the others hold comments.
_LEFT_OUT = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
_quietly = threading.Lock()  # `catch_warnings` swaps process-wide state


def parse(source: bytes) -> ast.Module:
    """The tree of a module; the warnings of the parser were for the import, not for us."""
    with _quietly, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def compiled(source: bytes, path: str) -> CodeType:
    """The code object that an import of the file would run."""
    with _quietly, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code: CodeType = compile(source, path, "exec", dont_inherit=True)
        return code


def is_bare_string(node: object) -> bool:
    """Whether a statement is only a string. It does nothing, but the first of a body becomes a `__doc__`."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def digests(tree: ast.Module) -> tuple[str, str]:
    """The digest of the tree without its docstrings, and the one with them."""
    tokens: list[bytes] = []
    strings: list[bytes] = []
    todo: list[object] = [tree]  # a stack of our own: deep expressions exceed Python's recursion limit
    while todo:
        item = todo.pop()
        if isinstance(item, bytes):
            tokens.append(item)
        elif is_bare_string(item):
            strings.append(b"%d:" % len(tokens) + constant(item.value.value))  # type: ignore[attr-defined]
        elif isinstance(item, (ast.AST, list)):
            todo.append(b")")
            todo.extend(reversed(item if isinstance(item, list) else _fields(item)))
            tokens.append(b"(")
        else:
            tokens.append(constant(item))
    bare = digest("syntax.v1", b"".join(tokens))
    return bare, digest("documented.v1", utf8(bare), *strings)


def _fields(node: ast.AST) -> list[object]:
    """A node's type, and its fields without the optional ones that are absent; bytes are tokens of ours.

    A newer Python adds fields (`type_params`); on code that does not use them they are empty.
    """
    flat: list[object] = [utf8(type(node).__name__)]
    if isinstance(node, (ast.Constant, ast.MatchSingleton)):
        return [*flat, b"=", constant(node.value)]
    for name in node._fields:
        value = getattr(node, name, None)
        if value is None or value == [] or name in _LEFT_OUT:
            continue
        if isinstance(node, ast.JoinedStr):
            value = _joined(value)
        flat += [b"." + utf8(name) + b"=", value]
    return flat


def _joined(parts: list[ast.expr]) -> list[ast.expr]:
    """The parts of an f-string with its literal pieces merged: Pythons cut them at different places."""
    merged: list[ast.expr] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(part, ast.Constant) and isinstance(last, ast.Constant):
            merged[-1] = ast.Constant(str(last.value) + str(part.value))
        elif not (isinstance(part, ast.Constant) and part.value == ""):
            merged.append(part)
    return merged


def constant(value: object) -> bytes:
    """A constant with its type: 1, 1.0, True, "1" and b"1" are five things, and 0.0 is not -0.0.

    Its length leads it, so that nothing within it can be taken for structure.
    """
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
