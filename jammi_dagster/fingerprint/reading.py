"""The reading of reached code: all that an identity takes from it, besides live values and files that it is given.

A reading is kept for further identities from the same starts. It stands for as long as the files, the modules and the
values that it rests on.
"""

from __future__ import annotations

import marshal
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jammi_dagster.fingerprint.components import Component, of_code
from jammi_dagster.fingerprint.hashing import encode
from jammi_dagster.fingerprint.live.looks import at_one_look
from jammi_dagster.fingerprint.live.module_state import state_of
from jammi_dagster.fingerprint.live.values import Describer
from jammi_dagster.fingerprint.loaded_files import LoadedCode, loaded_code
from jammi_dagster.fingerprint.reach.effects import Name
from jammi_dagster.fingerprint.reach.extensions import Extensions
from jammi_dagster.fingerprint.reach.findings import (
    Compared,
    ReadSite,
    cached_functions,
    doubts,
    edits,
    outside_reads,
    reached_by,
    uses_time_zone,
)
from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.index import CodeIndex, HeldTexts, index_for
from jammi_dagster.fingerprint.reach.packaged_reads import packaged_reads
from jammi_dagster.fingerprint.reach.reached import Root
from jammi_dagster.fingerprint.reach.routes import Node
from jammi_dagster.fingerprint.reach.run_changes import run_changes
from jammi_dagster.fingerprint.reasons import reason
from jammi_dagster.fingerprint.sources.modules import file_names
from jammi_dagster.fingerprint.sources.packaged import PackagedRead
from jammi_dagster.fingerprint.sources.running_code import is_as_written, is_immutable
from jammi_dagster.fingerprint.sources.source import Source


class ValuesMoved(Exception):
    """A reading rests on values of modules that are others by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The reached code of one function.

    reading = read_code(describer, ignored=frozenset())
    reading.components, reading.outside, reading.doubts
    """

    nodes: Mapping[str, Node]  # by path
    texts: HeldTexts
    files: Mapping[str, str]  # the name of each file
    components: tuple[Component, ...]
    libraries: Mapping[str, str]
    outside: tuple[ReadSite, ...]
    reached_by: Mapping[str, tuple[str, ...]]
    packaged: tuple[PackagedRead, ...]
    doubts: frozenset[str]
    uses_time_zone: bool
    compared: tuple[Compared, ...]
    changed: tuple[tuple[Node, str], ...]  # names whose values differ from their source, in order
    loaded: tuple[LoadedCode, ...]
    cached: tuple[tuple[str, int], ...]
    read: frozenset[Name]  # the names that it reads when it runs
    tops: frozenset[str]  # the top-level modules outside of first-party code that it reaches
    changes: tuple[Name, ...]  # whose values it changes when it runs
    roots: tuple[Root, ...]  # with those of the changed values

    def read_packaged(self, but: Collection[PackagedRead] = ()) -> tuple[dict[str, bytes], set[str]]:
        """Digest the files of the own package as they are now, by path; of others return the reasons.

        The files of the reads in `but` are left out.
        """
        found: dict[str, bytes] = {}
        reasons: set[str] = set()
        for read in (one for one in self.packaged if one not in but):
            digests = read.digests()
            if isinstance(digests, str):
                reasons.add(reason(f"{read.place} reads {read.named}: {digests}"))
            else:
                found.update(digests)
        return found, reasons

    def edits(self) -> Iterator[str]:
        """Yield the reasons why running code may differ from its files."""
        for one in self.compared:
            yield from edits(one)

    def __contains__(self, text: object) -> bool:
        """Return whether a text stands in the reached source."""
        return self.texts.stands(text, self.nodes)


def read_code(
    describer: Describer,
    ignored: frozenset[str],
    readers: frozenset[str] = frozenset(),
    extensions: Extensions | None = None,
) -> Reading:
    """Read the code that described values lead to, and describe the values that it leads to in turn.

    `readers` are the names that read the outside world besides the known ones.

    Raises `Outlived`, or `ValuesMoved`: ask again, with a new description.
    """
    index = index_for(describer.home)
    starts = (ignored, readers, id(extensions), *describer.roots)
    known = index.readings.get(starts)
    if isinstance(known, Reading) and _holds(known, index, describer.home):
        for node, name in known.changed:
            _hold(describer, node, name)
        if tuple(describer.roots) == known.roots:
            return known
        del index.readings[starts]
        raise ValuesMoved
    graph = Graph(index, ignored, extensions)
    graph.reach(describer.roots)
    followed = len(describer.roots)
    changed = []
    for node, name in _changed(graph, describer.home):
        changed.append((node, name))
        _hold(describer, node, name)
        if len(describer.roots) > followed:  # plain data leads nowhere
            graph.reach(islice(describer.roots, followed, None))
            followed = len(describer.roots)
    reading = _reading(
        graph, index.texts, ignored, readers, changed=tuple(changed), roots=tuple(describer.roots)
    )
    if all(node.source for node in reading.nodes.values()):
        index.readings[starts] = reading
        index.extensions[id(extensions)] = extensions  # kept, so that its id stays its own
    return reading


def _reading(
    graph: Graph,
    texts: HeldTexts,
    ignored: frozenset[str],
    readers: frozenset[str],
    *,
    changed: tuple[tuple[Node, str], ...],
    roots: tuple[Root, ...],
) -> Reading:
    files = file_names({path: reached.node.root for path, reached in graph.reached.items()})
    reached = graph.reached.values()
    return Reading(
        nodes={one.node.path: one.node for one in reached},
        texts=texts,
        files=files,
        components=tuple(of_code(graph, files)),
        libraries=graph.libraries,
        outside=tuple(sorted(outside_reads(graph, readers))),
        reached_by=dict(reached_by(graph)),
        packaged=packaged_reads(graph),
        doubts=frozenset(doubts(graph, ignored)),
        uses_time_zone=uses_time_zone(graph),
        compared=tuple(Compared(one.node, tuple(one.names), tuple(one.labels)) for one in reached),
        changed=changed,
        loaded=loaded_code(graph),
        cached=tuple(sorted(set(cached_functions(graph)))),
        read=frozenset((one.node.path, name) for one in reached for name in one.read_at_run),
        tops=frozenset(graph.tops),
        changes=tuple(sorted(set(run_changes(graph)))),
        roots=roots,
    )


def _holds(known: Reading, index: CodeIndex, home: frozenset[str]) -> bool:
    """Return whether the same names hold other values than their source tells, and no file has changed."""
    changed = {(node.path, name) for node, name in known.changed}
    for one in known.compared:
        node = one.node
        index.routes.node(node.module)
        live = _live(node)
        for name in one.names if node.source else ():
            if name in live and node.source:
                is_changed = at_one_look(_differs, node.source, live, by=(name, home))
                if is_changed != ((node.path, name) in changed):
                    return False
    return True


def _hold(describer: Describer, node: Node, name: str) -> None:
    """Describe the value of a name that differs from its literal, and the state that no literal shows."""
    live, source = _live(node), node.source
    if source is None:
        return
    if not _is_as_written(source, name, live):
        describer.hold(live[name], f"the value of {name}")
    for told, state in state_of(name, live[name], source, describer.home):
        describer.hold(state, told, lenient=True)


def _differs(source: Source, live: Mapping[str, Any], name: str, home: frozenset[str]) -> bool:
    if source.slot_of(name) is not None:
        return False  # the function that fills it is judged by its code
    return not _is_as_written(source, name, live) or any(
        True for _ in state_of(name, live[name], source, home)
    )


def _live(node: Node) -> Mapping[str, Any]:
    return node.module.running or {}


def _changed(graph: Graph, home: frozenset[str]) -> Iterator[tuple[Node, str]]:
    """Yield the reached names whose values differ from their source by now.

    The code that changed them while modules were loaded (a decorator that registers) may stand anywhere. The caller
    reaches the code in each value before it asks for the next; the end is where that leads to no further value.
    """
    seen: set[tuple[str, str]] = set()
    looking = True
    while looking:
        looking = False
        for path, reached in list(graph.reached.items()):
            live, source = _live(reached.node), reached.node.source
            for name in list(reached.names) if source else ():
                if (path, name) in seen or name not in live:
                    continue
                seen.add((path, name))
                if source and at_one_look(_differs, source, live, by=(name, home)):
                    looking = True
                    yield reached.node, name


def _is_as_written(source: Source, name: str, live: Mapping[str, Any]) -> bool:
    if name in source.constants:
        literal = source.constants[name]
        return is_immutable(literal) or _is(live[name], literal)
    return name not in source.written or is_as_written(live[name], source.written[name], live)


def _is(live: Any, literal: Any) -> bool:
    """Return whether a live value equals a literal."""
    try:
        if marshal.dumps(live, 2) == marshal.dumps(literal, 2):  # most values are plain data: this is fast
            return True
    except ValueError:
        return False
    one, two = Describer(frozenset()), Describer(frozenset())
    forms = one.describe(live, ""), two.describe(literal, "")
    return not one.unresolved and encode(forms[0], {}) == encode(forms[1], {})
