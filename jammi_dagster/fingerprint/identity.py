"""The identity of a function's code: `identify` is the one seam."""

from __future__ import annotations

import marshal
import os
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from jammi_dagster.errors import InvalidField
from jammi_dagster.fingerprint.author_options import check_dependencies, check_names, describe
from jammi_dagster.fingerprint.components import Component, of_code, of_values
from jammi_dagster.fingerprint.hashing import Form, digest, encode, utf8
from jammi_dagster.fingerprint.live.callables import innermost
from jammi_dagster.fingerprint.live.values import Describer
from jammi_dagster.fingerprint.reach.findings import doubts, outside_reads
from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reasons import reason
from jammi_dagster.fingerprint.sources.modules import file_names, home_of, of_names
from jammi_dagster.fingerprint.sources.project_settings import settings_for
from jammi_dagster.fingerprint.sources.running_code import is_as_written, is_immutable
from jammi_dagster.fingerprint.sources.source import Source

_one_at_a_time = threading.RLock()  # what is read of a source file is kept on it, and read bit by bit


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideRead:
    """A place in reached code whose result depends on the outside world."""

    what: str
    """Canonical dotted name: `time.time`, `os.environ`, `pandas.read_csv`."""
    where: str
    """`pipelines/text.py:12`, relative to the folder above the topmost package."""
    is_declarable: bool = False
    """Whether it reads a file or the like, which a version surface may stand for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeIdentity:
    """What code a function's result depends on."""

    kind: Literal["code_version", "source"]
    digest: str
    """Of all components; the libraries are the environment's."""
    components: tuple[Component, ...]
    """What is reached, sorted; the code version if one was given."""
    libraries: Mapping[str, str]
    """Installed distributions that the reached code uses, with their versions."""
    outside: tuple[OutsideRead, ...]
    unresolved: tuple[str, ...]
    """Why the identity cannot be known, with what to do. If there is any reason, it must not lead to a reuse."""

    @property
    def named(self) -> dict[str, str]:
        """The digest of each component by what it is called: what a descriptor records, to be explained by."""
        return {str(component): component.digest for component in self.components}


def identify(
    fn: Callable[..., Any],
    *,
    code_version: str | None = None,
    depends_on: Sequence[Any] = (),
    ignore: Collection[str] = (),
) -> CodeIdentity:
    """The identity of the code that a function's result depends on.

    With a `code_version` it is that, as the user's word. Otherwise it is what the function reaches: the syntax trees
    of first-party functions, classes and constants, at any depth, what loading their modules does, and the values
    of its closure, defaults and `partial` arguments. Whatever changes the result without changing those must be in
    `outside` or `unresolved`; `docs/concepts/code-identity.md` says what is not seen.

    `depends_on` adds functions, classes, modules, files and plain values, as if the function used them. `ignore`
    leaves out names that no result depends on: `_CACHE`, `pipelines.text._CACHE`, or what an unresolved reason names.
    Both add to the project's `settings`. Raises `InvalidField`.
    """
    if code_version is not None:
        return _versioned(code_version)
    if not callable(fn):
        raise InvalidField(what="identify", path="fn", value=fn, expected="a function")
    with _one_at_a_time:
        return _from_source(fn, depends_on, ignore)


def _from_source(fn: Callable[..., Any], depends_on: Sequence[Any], ignore: Collection[str]) -> CodeIdentity:
    file = _file(fn)
    settings = settings_for(file)
    ignored = settings.ignore | set(check_names("ignore", ignore))
    describer = Describer(_home(fn) | settings.first_party, ignored)
    form = describer.describe_function(fn)
    folder = os.path.dirname(file) if file else ""
    dependencies = (*settings.depends_on, *check_dependencies(depends_on))
    declared = list(describe(dependencies, describer, folder))
    graph = Graph(describer.home, ignored)
    graph.reach(describer.roots)
    for name, value in _changed_values(graph, set()):
        describer.hold(value, name)
        graph.reach(describer.roots)
    files = file_names(graph.reached)
    components = tuple(sorted((*of_code(graph, files), *of_values(describer.held, files), *declared)))
    reasons = {*describer.unresolved, *_without_python(fn), *doubts(graph, ignored)}
    return CodeIdentity(
        kind="source",
        digest=_folded(encode(form, files), components),
        components=components,
        libraries=settings.versions(dict(sorted({**describer.libraries, **graph.libraries}.items()))),
        outside=tuple(
            OutsideRead(what=read.what, where=f"{read.file}:{read.line}", is_declarable=read.is_declarable)
            for read in sorted(outside_reads(graph))
            if read.what not in ignored
        ),
        unresolved=tuple(sorted(reasons)),
    )


def _file(fn: object) -> str | None:
    function = innermost(fn)
    names = (
        function.__globals__ if function else vars(sys.modules.get(getattr(fn, "__module__", "")) or object)
    )
    return of_names(names).path


def _versioned(code_version: str) -> CodeIdentity:
    if not isinstance(code_version, str):
        raise InvalidField(what="identify", path="code_version", value=code_version, expected="a string")
    component = Component(kind="code_version", name=code_version, where="", digest=code_version)
    return CodeIdentity(
        kind="code_version",
        digest=digest("version.v1", utf8(code_version)),
        components=(component,),
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


def _changed_values(graph: Graph, seen: set[tuple[str, str]]) -> Iterator[tuple[str, object]]:
    """The reached lists, dicts and sets that are something else by now than what they are written as.

    What changed them while modules were loaded (a decorator that registers) may stand anywhere. Ends once following
    what they hold leads to no more.
    """
    looking = True
    while looking:
        looking = False
        for path, reached in list(graph.reached.items()):
            live, source = reached.node.module.running or {}, reached.node.source
            for name in list(reached.names) if source else ():
                if (path, name) in seen or name not in live:
                    continue
                seen.add((path, name))
                if source and not _is_as_written(source, name, live):
                    looking = True
                    yield f"the value of {name}", live[name]


def _is_as_written(source: Source, name: str, live: Mapping[str, Any]) -> bool:
    if name in source.constants:
        literal = source.constants[name]
        return is_immutable(literal) or _is(live[name], literal)
    return name not in source.written or is_as_written(live[name], source.written[name], live)


def _is(live: Any, literal: Any) -> bool:
    """Whether a live value is what a literal says."""
    try:
        if marshal.dumps(live, 2) == marshal.dumps(literal, 2):  # of plain data, most of the time, and fast
            return True
    except ValueError:
        return False
    one, two = Describer(frozenset()), Describer(frozenset())
    forms = one.describe(live, ""), two.describe(literal, "")
    return not one.unresolved and encode(forms[0], {}) == encode(forms[1], {})


def _folded(function: bytes, components: tuple[Component, ...]) -> str:
    spelled: Form = tuple((one.kind, one.name, one.where, one.digest) for one in components)
    return digest("source.v2", function, encode(spelled, {}))
