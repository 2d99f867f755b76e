"""The components of an identity: the reached pieces of code and values, each with a name and a digest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

from jammi_dagster.fingerprint.hashing import Form, digest, utf8
from jammi_dagster.fingerprint.live.slots import Slots, filling
from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.reached import ReachedFile
from jammi_dagster.fingerprint.sources.modules import below, root_of
from jammi_dagster.fingerprint.sources.units import Unit

MISSING = "missing"
_AT_LOAD = "module-level code"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Component:
    """A piece of code, a value or a file that a result depends on.

    The kinds are `function` (the function itself), `helper`, `class`, `constant`, `import`, `statement`,
    `module-level code` (side effects of loading a module), `module`, `value` (of a closure, a default or a changed
    global), `file` and `code_version`. `where` is the file below its source tree, or empty.

    >>> str(Component(kind="helper", name="clean", where="pipelines/text.py", digest="3f9a"))
    'helper clean (pipelines/text.py)'
    """

    kind: str
    name: str
    where: str
    digest: str
    slot: str = field(default="", repr=False)
    """The texts that fill the slots of the component: only a keyed hash of them may be recorded."""

    def __str__(self) -> str:
        """Name the component for people, and for the record of a table."""
        if self.kind == "code_version":
            return self.kind
        words = self.name if self.kind == "value" else f"{self.kind} {self.name}".strip()
        return f"{words} ({self.where})" if self.where else words


def in_order(components: Iterable[Component]) -> tuple[Component, ...]:
    return tuple(sorted(components, key=attrgetter("kind", "name", "where", "digest", "slot")))


def of_code(graph: Graph, files: Mapping[str, str]) -> Iterator[Component]:
    """Yield the components of the reached units; `files` has the name of each file."""
    for path, reached in graph.reached.items():
        if reached.node.source is None:
            yield Component(kind="module", name="", where=files[path], digest=_content_of(path))
        else:
            yield from _of_file(graph, reached, files[path])
    yield from _load_order(graph, files)
    yield from _location_order(graph, files)
    for name in graph.missing:
        yield Component(kind="module", name=name, where="", digest=MISSING)


def of_packaged(files: Mapping[str, bytes]) -> Iterator[Component]:
    """Yield the components of files of the own package; `files` has the digest of each by its path."""
    for path, content in files.items():
        named = below(path, root_of(path))
        yield Component(kind="file", name=named, where="", digest=digest("file.v1", content))


def of_values(held: Mapping[str, list[Form]], slots: Slots) -> Iterator[Component]:
    """Yield the components of live values."""
    for told, forms in held.items():
        pairs = sorted(map(slots.encoded, forms))
        value, slot = digest("value.v1", *(one for one, _ in pairs)), filling([texts for _, texts in pairs])
        yield Component(kind="value", name=told.removeprefix("the "), where="", digest=value, slot=slot)


def of_form(name: str, form: Form, slots: Slots) -> Iterator[Component]:
    """Yield the component of all texts that a function holds, in their order: `of_values` sorts them."""
    encoded, texts = slots.encoded(form)
    if texts:
        told = f"texts that {name} holds"
        yield Component(
            kind="value", name=told, where="", digest=digest("texts.v1", encoded), slot=filling(texts)
        )


def _of_file(graph: Graph, reached: ReachedFile, file: str) -> Iterable[Component]:
    """Return the components of a file; they are the same for every function that reaches the same of it."""
    loads = reached.loaded, reached.touching, reached.roots
    key = (
        reached.node.path,
        file,
        graph.reads_docs,
        frozenset(reached.documented),
        *map(frozenset, loads),
        frozenset(reached.parts.items()),
    )
    known = graph.components.get(key)
    if not isinstance(known, tuple):
        known = graph.components[key] = tuple(_of_units(graph, reached, file))
    return known


def _of_units(graph: Graph, reached: ReachedFile, file: str) -> Iterator[Component]:
    found: dict[tuple[str, str], list[str]] = {}
    source = reached.node.source
    assert source is not None
    indexes = sorted({*reached.loaded, *(index for index, _ in reached.parts)})
    for index in indexes:
        unit = source.units[index]
        parts = [part for part in ("annotations", "decorators") if (index, part) in reached.parts]
        spelled = [unit.digests.code, *(f"{part}:{getattr(unit.digests, part)}" for part in parts)]
        if graph.reads_docs or index in reached.documented:
            spelled.append(unit.digests.documented)
        key = _key(unit, is_root=index in reached.roots)
        found.setdefault(key, []).append(digest("unit.v1", *map(utf8, spelled)))
    if graph.reads_docs and source.docstring is not None:
        found["docstring", ""] = [digest("docstring.v1", utf8(source.docstring))]
    if order := list(_order(reached, indexes)):
        found["order of", "statements"] = order
    if found and not any(reached.parts.values()):  # nothing of it runs with the function: it is loaded only
        found = {(_AT_LOAD, ""): [text for key, parts in found.items() for text in (*key, *parts)]}
    for (kind, name), digests in found.items():
        one = digest("component.v1", *map(utf8, digests))
        yield Component(kind=kind, name=name, where=file, digest=one)


def _key(unit: Unit, *, is_root: bool) -> tuple[str, str]:
    if not unit.names:
        return _AT_LOAD, ""
    kind = {"function": "function" if is_root else "helper", "code": "statement"}.get(unit.kind, unit.kind)
    return kind, ", ".join(unit.names)


def _order(reached: ReachedFile, indexes: Sequence[int]) -> Iterator[str]:
    """Yield the order of a module's statements where it matters: one may read a name that another changes."""
    source = reached.node.source
    assert source is not None
    by_name: dict[str, set[str]] = {}
    indexes = sorted({*indexes} - {*source.nested.values()})  # functions within others stand in no order
    for index in indexes:
        unit = source.units[index]
        told = (
            unit.digests.code if unit.is_whole_import else str(index)
        )  # `import a.b` and `import a.c` agree
        for name in unit.names:
            by_name.setdefault(name, set()).add(told)
    contested = {name for name, bound in by_name.items() if len(bound) > 1}
    doing = {step for step in reached.steps if isinstance(step, int)} | reached.touching
    if not (contested or doing):
        return
    for index in indexes:
        unit = source.units[index]
        matters = index in doing or not contested.isdisjoint(unit.names)
        if matters or not (unit.is_still or unit.kind == "import"):
            yield " ".join(_key(unit, is_root=False))


def _load_order(graph: Graph, files: Mapping[str, str]) -> Iterator[Component]:
    """Yield the order in which modules with side effects are loaded, where there are several.

    It begins at the module of the function: modules that a process happened to load before are not known here.
    """
    order: list[str] = []
    seen: set[str] = set()
    todo = [iter([path]) for path, reached in graph.reached.items() if reached.roots]
    steps: list[tuple[str, Iterator[str | int]]] = [("", one) for one in reversed(todo)]
    while steps:
        path, rest = steps[-1]
        step = next(rest, None)
        if step is None:
            steps.pop()
        elif isinstance(step, str):
            if step not in seen and step in graph.reached:
                seen.add(step)
                steps.append((step, iter(graph.reached[step].steps)))
        elif order[-1:] != [path]:
            order.append(path)
    if len(set(order)) > 1:
        told = digest("order.v1", *(utf8(files[path]) for path in order))
        yield Component(kind=_AT_LOAD, name="in its order", where="", digest=told)


def _location_order(graph: Graph, files: Mapping[str, str]) -> Iterator[Component]:
    """Yield the order in which the code location loads modules that the function does not import itself."""
    apart = {path for path, reached in graph.reached.items() if not reached.is_loaded}
    order = [files[path] for path in graph.extensions.order if path in apart]
    if len(order) > 1:
        told = digest("location.v1", *map(utf8, order))
        yield Component(kind=_AT_LOAD, name="of the code location, in its order", where="", digest=told)


def _content_of(path: str) -> str:
    try:
        return digest("file.v1", Path(path).read_bytes())
    except OSError:
        return MISSING
