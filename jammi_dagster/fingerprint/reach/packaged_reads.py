"""Reads of packaged files: their content counts as it is at each look, or as it was when it was read.

A function that loading may call, or whose result something may keep (a decorator, a constant), may have read the file
before.
"""

from __future__ import annotations

from collections.abc import Iterator

from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.routes import Node
from jammi_dagster.fingerprint.sources.packaged import PackagedRead
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.scopes import joined

Place = tuple[str, int]  # a file, and a unit of it


def packaged_reads(graph: Graph) -> tuple[PackagedRead, ...]:
    """Return the reads of packaged files by reached code."""
    by_body = any(not read.at_load for read in graph.packaged)
    kept = _kept(graph) if by_body else set()
    found = (
        read._replace(at_load=read.at_load or not kept.isdisjoint(at)) for read, at in graph.packaged.items()
    )
    return tuple(sorted(found))


def _kept(graph: Graph) -> set[Place]:
    """Return the units whose code loading may run, or whose results something may keep."""
    units = {
        (path, index): unit
        for path, reached in graph.reached.items()
        for (index, _), unit in zip(reached.parts, (unit for unit, _, _ in reached.units()), strict=True)
    }
    if any(reached.node.source and list(reached.node.source.stars) for reached in graph.reached.values()):
        return set(units)  # a star import hides which names lead where
    todo = [place for place, unit in units.items() if not _runs_only_when_called(unit)]
    found = set(todo)
    for path, index in todo:  # grows while it is read
        further = [one for one in led_to(graph, graph.reached[path].node, units[path, index]) if one in units]
        fresh = [one for one in further if one not in found]
        found.update(fresh)
        todo += fresh
    return found


def _runs_only_when_called(unit: Unit) -> bool:
    return unit.kind == "import" or (unit.kind == "function" and unit.is_bare_function)


def led_to(graph: Graph, node: Node, unit: Unit) -> Iterator[Place]:
    """Yield the units that the names of a unit may lead to."""
    names = [(node, name) for part in unit.parts.values() for name in part.own]
    dotted = [(node, use.name) for part in unit.parts.values() for use in part.uses]
    seen = set(dotted)
    for home, name in dotted:  # grows while it is read
        target = graph.target_of(home, name)
        if target is None:
            continue
        holder, rest = target
        names.append((holder, rest[0]))
        exports = holder.source.exports(rest[0]) if holder.source else None
        fresh = [one for to in exports or () if (one := (holder, joined(to, *rest[1:]))) not in seen]
        seen.update(fresh)
        dotted += fresh
    for home, name in names:
        yield from (
            (home.path, index) for index in (home.source.by_name.get(name, ()) if home.source else ())
        )
