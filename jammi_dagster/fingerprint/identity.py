"""The identity of a function's code: `identify` is the one seam for what later refines it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jammi_dagster.errors import InvalidField
from jammi_dagster.fingerprint.callables import innermost
from jammi_dagster.fingerprint.findings import doubts, outside_reads
from jammi_dagster.fingerprint.graph import Graph, Node
from jammi_dagster.fingerprint.hashing import digest, encode, utf8
from jammi_dagster.fingerprint.modules import component_names, home_of, of_names
from jammi_dagster.fingerprint.reasons import reason
from jammi_dagster.fingerprint.values import Describer

MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideRead:
    """A place in first-party code whose result depends on the outside world."""

    what: str
    """Canonical dotted name: `time.time`, `os.environ`, `numpy.random.rand`."""
    where: str
    """`pipelines/text.py:12`, relative to the folder above the topmost package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeIdentity:
    """What code a function's result depends on."""

    kind: Literal["code_version", "source"]
    digest: str
    """Of all of it but the libraries: they are the environment's."""
    components: Mapping[str, str]
    """Module -> digest of its normalised syntax tree, or `missing`; the code version if one was given."""
    libraries: Mapping[str, str]
    """Installed distributions that first-party code imports directly, with their versions."""
    outside: tuple[OutsideRead, ...]
    unresolved: tuple[str, ...]
    """Why the identity cannot be known. If there is any reason, it must not lead to a reuse."""


def identify(fn: Callable[..., Any], *, code_version: str | None = None) -> CodeIdentity:
    """The identity of the code that a function's result depends on.

    With a `code_version` it is that, as the user's word. Otherwise it is coarse: the syntax trees of every
    first-party module that the function's module imports, at any depth, which function it is, and what its closure,
    defaults and `partial` arguments hold. Whatever changes the result without changing those must be in `outside` or
    `unresolved`. Not seen are: files (package data included), what other code assigns to a module's globals at run
    time, and what lies behind a library's version.
    """
    if code_version is not None:
        return _versioned(code_version)
    if not callable(fn):
        raise InvalidField(what="identify", path="fn", value=fn, expected="a function")
    home = _home(fn)
    describer = Describer(home)
    form = describer.describe_function(fn)
    graph = Graph(describer.modules.values(), home)
    docstrings = any(node.source.reads_docs for node in graph.nodes.values() if node.source)
    names = component_names(graph.nodes)
    digests = {names[path]: _component(node, docstrings) for path, node in graph.nodes.items()}
    reasons = {*describer.unresolved, *_without_python(fn), *doubts(graph, docstrings=docstrings)}
    reads = sorted(outside_reads(graph))
    return CodeIdentity(
        kind="source",
        digest=_folded(encode(form, names), sorted(digests.items()), sorted(graph.missing)),
        components=dict(sorted({**dict.fromkeys(graph.missing, MISSING), **digests}.items())),
        libraries=dict(sorted({**describer.libraries, **graph.libraries}.items())),
        outside=tuple(OutsideRead(what=what, where=f"{file}:{line}") for (file, line), what in reads),
        unresolved=tuple(sorted(reasons)),
    )


def _versioned(code_version: str) -> CodeIdentity:
    if not isinstance(code_version, str):
        raise InvalidField(what="identify", path="code_version", value=code_version, expected="a string")
    return CodeIdentity(
        kind="code_version",
        digest=digest("version.v1", utf8(code_version)),
        components={"code_version": code_version},
        libraries={},
        outside=(),
        unresolved=(),
    )


def _home(fn: object) -> frozenset[str]:
    function = innermost(fn)
    return home_of(of_names(function.__globals__)) if function else frozenset()


def _without_python(fn: object) -> Iterator[str]:
    if innermost(fn) is None and not isinstance(fn, type):
        name = getattr(fn, "__qualname__", type(fn).__qualname__)
        yield reason(f"{name} is not written in Python")


def _component(node: Node, docstrings: bool) -> str:
    if node.source is not None:
        return node.source.digest(docstrings=docstrings)
    try:
        return digest("file.v1", Path(node.path).read_bytes())
    except OSError:
        return MISSING


def _folded(function: bytes, components: list[tuple[str, str]], missing: list[str]) -> str:
    return digest("source.v1", function, encode(tuple(components), {}), encode(tuple(missing), {}))
