"""What in the reached code makes a result depend on more than that code, or its identity doubtful."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from jammi_dagster.fingerprint.reach.graph import Graph, Reached
from jammi_dagster.fingerprint.reasons import reason
from jammi_dagster.fingerprint.sources.running_code import doubts as doubts_of
from jammi_dagster.fingerprint.sources.running_code import rewritten
from jammi_dagster.fingerprint.sources.source import UNREADABLE
from jammi_dagster.fingerprint.syntax.outside_world import outside, unseen


@dataclass(frozen=True, slots=True, order=True)
class Read:
    """A place where code reads the outside world. `is_declarable`: what a version surface may stand for."""

    file: str
    line: int
    what: str
    is_declarable: bool


def outside_reads(graph: Graph) -> set[Read]:
    found: set[Read] = set()
    for reached in graph.reached.values():
        file = reached.node.shown
        for _, part, _ in reached.units():
            found |= {Read(file, use.line, use.what, use.is_declarable) for use in part.outside}
        for name, use in graph.foreign_uses(reached):
            if use.is_read and (what := outside(name, use.call)):
                found.add(Read(file, use.line, *what))
    return found


def doubts(graph: Graph, ignored: Collection[str]) -> Iterator[str]:
    """Why the identity of the reached code cannot be known."""
    yield from graph.unresolved
    for reached in graph.reached.values():
        for line, what in _hidden(graph, reached):
            name, place = what.partition(" ")[0], f"{reached.node.shown}:{line}"
            if name not in ignored:
                found = f"{place} uses {what}, and what that runs cannot be seen in the source"
                yield reason(found, ignore=name)
        for name, file, line in _changed(graph, reached):
            if name not in ignored:
                found = f"{file}:{line} changes {name} while it runs, so that a result may depend on what ran before"
                yield reason(found, ignore=name)
        yield from _edited(reached)


def _hidden(graph: Graph, reached: Reached) -> Iterator[tuple[int, str]]:
    for _, part, _ in reached.units():
        yield from ((found.line, found.what) for found in part.unseen)
    for name, use in graph.foreign_uses(reached):
        if what := unseen(name, use.call):
            yield use.line, what


def _changed(graph: Graph, reached: Reached) -> Iterator[tuple[str, str, int]]:
    """The names of first-party modules that reached functions change: (name, file, line)."""
    for unit, part, runs in reached.units():
        for change in part.changes:
            if change.name == "cls":
                if unit.methods.isdisjoint({"__init_subclass__"}):
                    yield unit.names[0] if unit.names else "cls", reached.node.shown, change.line
            elif found := graph.changed_name(reached, change):
                holder, name = found
                # What nobody reads is a log. What loading put into a list or dict is told by what that holds.
                told = (
                    change.in_place
                    and not runs
                    and holder.node.source
                    and name in holder.node.source.constants
                )
                if name in holder.read_at_run and not told:
                    yield name, reached.node.shown, change.line


def _edited(reached: Reached) -> Iterator[str]:
    """Why a module that is running may not be what its file says."""
    node = reached.node
    if node.source is None or node.module.running is None:
        return
    try:
        yield from doubts_of(node.path, node.module.running, node.source, reached.names, reached.labels)
        if why := rewritten(node.path, node.module.running, node.source):
            yield why
    except UNREADABLE as error:
        if isinstance(error, (RecursionError, MemoryError)):  # of the rest `Routes` says so
            yield reason(f"{node.shown} is nested too deeply to be compared with what runs")
