"""Files that modules read while they were loaded, of the reached statements (see `jammi_dagster.load_reads`)."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from jammi_dagster.fingerprint.components import Component
from jammi_dagster.fingerprint.hashing import digest, utf8
from jammi_dagster.fingerprint.known_names.load_quiet import QUIET_LIBRARIES, READING_STDLIB
from jammi_dagster.fingerprint.live.looks import at_one_look
from jammi_dagster.fingerprint.reach.findings import ReadSite
from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.reached import ReachedFile
from jammi_dagster.fingerprint.reach.routes import Node
from jammi_dagster.fingerprint.reasons import Outdated, reason
from jammi_dagster.load_reads import TOO_LARGE, LoadRead, content_of, is_watched, reads_of

_asked: dict[str, str] = {}  # the files that identities hold, with their content as it was loaded


@dataclass(slots=True)
class LoadedFiles:
    """The files as components, the reads that no component stands for, and the reasons why a content is not known."""

    components: dict[Component, None] = field(default_factory=dict)
    reads: set[ReadSite] = field(default_factory=set)
    unresolved: set[str] = field(default_factory=set)


class LoadedCode(NamedTuple):
    """The reached statements of a module that loading ran: their lines, and their calls of unknown libraries."""

    node: Node
    lines: tuple[tuple[int, int], ...]
    unknown: tuple[tuple[int, str], ...]


def loaded_code(graph: Graph) -> tuple[LoadedCode, ...]:
    """Find the reached statements that read while they were loaded, or may have read."""
    return tuple(
        LoadedCode(reached.node, tuple(_lines(reached)), tuple(_unknown(graph, reached)))
        for reached in graph.reached.values()
        if reached.node.source is not None
    )


def loaded_files(code: Iterable[LoadedCode], packaged: Collection[str]) -> LoadedFiles:
    """Find the files that loading some code read, besides those of the own package that the code shows."""
    found = LoadedFiles()
    for one in code:
        running, path = one.node.module.running, one.node.path
        if running is None:
            continue
        for read in reads_of(path, running):
            if read.path not in packaged and any(first <= read.line <= last for first, last in one.lines):
                _note(found, one.node, read)
        for line, name in one.unknown:
            if not is_watched(path, running, line):
                told = (
                    f"{one.node.shown}:{line} calls {name} while it is loaded, and nobody watched its reads"
                )
                found.unresolved.add(reason(told, "import jammi_dagster before that module", ignore=name))
    return found


def changed_files() -> Iterator[tuple[str, str]]:
    """Yield the files of identities that differ from their loaded content, each with its content now."""
    for path, content in sorted(_asked.items()):
        if (now := content_of(path)) != content:
            yield path, now


def _lines(reached: ReachedFile) -> Iterator[tuple[int, int]]:
    """Yield the lines of the reached statements whose code does not show a read by itself."""
    source = reached.node.source
    for index in {index for index, _ in reached.parts} if source else ():
        assert source is not None
        unit = source.units[index]
        outside = (one for part in unit.parts.values() for one in part.outside)
        is_loaded = unit.statement is not None and index < source.loaded
        if is_loaded and not any(one.is_declarable for one in outside):
            yield unit.lines


def _note(found: LoadedFiles, node: Node, read: LoadRead) -> None:
    place = f"{node.shown}:{read.line}"
    if read.in_body:  # another process may load it earlier
        found.reads.add(ReadSite(node.shown, read.line, "import", True, (read.path,)))
        return
    root = node.root
    is_inside = read.path.startswith(root + os.sep)
    named = read.path.removeprefix(root).lstrip(os.sep) if is_inside else os.path.basename(read.path)
    named = named.replace(os.sep, "/")
    if read.content == TOO_LARGE:
        finding = f"{place} reads {named} while it is loaded, which is too large to be digested"
        found.unresolved.add(reason(finding, "read it within the function and declare it in reads=[…]"))
        return
    _asked[read.path] = read.content
    if at_one_look(content_of, by=(read.path,)) != read.content:
        text = f"{place} read {named} when it was loaded, and the file has changed since"
        found.unresolved.add(Outdated(reason(text, "reload the code location")))
    content = digest("loaded.v1", utf8(read.content))
    found.components[Component(kind="file", name=named, where="", digest=content)] = None


def _unknown(graph: Graph, reached: ReachedFile) -> Iterator[tuple[int, str]]:
    """Yield the calls of reached statements whose reads nobody knows: (line, name)."""
    for unit, part, _ in reached.units():
        if unit.kind in ("constant", "code"):
            for use in part.uses:
                top = use.name.partition(".")[0]
                is_known = top in QUIET_LIBRARIES or (
                    top in sys.stdlib_module_names and top not in READING_STDLIB
                )
                is_own = bool(graph.routes.of(reached.node, use.name).passed)
                if use.call is not None and not is_own and not is_known:
                    yield use.line, use.name
