"""Files that modules read while they were loaded, of the reached statements (see `jammi_dagster.load_reads`)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from jammi_dagster.fingerprint.components import Component
from jammi_dagster.fingerprint.hashing import digest, utf8
from jammi_dagster.fingerprint.known_names.load_quiet import QUIET_LIBRARIES, READING_STDLIB
from jammi_dagster.fingerprint.reach.findings import ReadSite
from jammi_dagster.fingerprint.reach.graph import Graph, ReachedFile
from jammi_dagster.fingerprint.reasons import Outdated, reason
from jammi_dagster.fingerprint.sources.modules import root_of
from jammi_dagster.fingerprint.sources.source import Source
from jammi_dagster.load_reads import TOO_LARGE, LoadRead, content_of, is_watched, reads_of

_asked: dict[str, str] = {}  # the files that identities hold, with their content as it was loaded


@dataclass(slots=True)
class LoadedFiles:
    """The files as components, the reads that no component stands for, and the reasons why a content is not known."""

    components: dict[Component, None] = field(default_factory=dict)
    reads: set[ReadSite] = field(default_factory=set)
    unresolved: set[str] = field(default_factory=set)


def loaded_files(graph: Graph) -> LoadedFiles:
    """Find the files that loading the reached statements read."""
    found = LoadedFiles()
    for path, reached in graph.reached.items():
        source, running = reached.node.source, reached.node.module.running
        if source is None or running is None:
            continue
        for read in reads_of(path, running):
            if read.path not in graph.files and _counts(reached, source, read.line):
                _note(found, reached, read)
        found.unresolved |= {
            reason(
                f"{reached.node.shown}:{line} calls {name} while it is loaded, and nobody watched its reads",
                "import jammi_dagster before that module",
                ignore=name,
            )
            for line, name in _unwatched(graph, reached)
            if not is_watched(path, running, line)
        }
    return found


def changed_files() -> Iterator[tuple[str, str]]:
    """Yield the files of identities that differ from their loaded content, each with its content now."""
    for path, content in sorted(_asked.items()):
        if (now := content_of(path)) != content:
            yield path, now


def _counts(reached: ReachedFile, source: Source, line: int) -> bool:
    """Return whether a reached statement stands at a line, and its code does not show the read by itself."""
    for index in {index for index, _ in reached.parts}:
        unit = source.units[index]
        if unit.statement is not None and index < source.loaded and unit.lines[0] <= line <= unit.lines[1]:
            outside = (one for part in unit.parts.values() for one in part.outside)
            if not any(one.is_declarable for one in outside):
                return True
    return False


def _note(found: LoadedFiles, reached: ReachedFile, read: LoadRead) -> None:
    place = f"{reached.node.shown}:{read.line}"
    if read.in_body:  # another process may load it earlier
        found.reads.add(ReadSite(reached.node.shown, read.line, "import", True, (read.path,)))
        return
    root = root_of(reached.node.path)
    is_inside = read.path.startswith(root + os.sep)
    named = read.path.removeprefix(root).lstrip(os.sep) if is_inside else os.path.basename(read.path)
    named = named.replace(os.sep, "/")
    if read.content == TOO_LARGE:
        finding = f"{place} reads {named} while it is loaded, which is too large to be digested"
        found.unresolved.add(reason(finding, "read it within the function and declare it in reads=[…]"))
        return
    _asked[read.path] = read.content
    if content_of(read.path) != read.content:
        text = f"{place} read {named} when it was loaded, and the file has changed since"
        found.unresolved.add(Outdated(reason(text, "reload the code location")))
    content = digest("loaded.v1", utf8(read.content))
    found.components[Component(kind="file", name=named, where="", digest=content)] = None


def _unwatched(graph: Graph, reached: ReachedFile) -> Iterator[tuple[int, str]]:
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
