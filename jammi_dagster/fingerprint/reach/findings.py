"""Findings in the reached code: reads of the outside world, and reasons why its identity cannot be known."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from jammi_dagster.fingerprint.known_names import CALL
from jammi_dagster.fingerprint.known_names.hidden_code import SCOPED, STACK_WALKERS
from jammi_dagster.fingerprint.known_names.processes import CACHES, FORK, SPAWNERS
from jammi_dagster.fingerprint.reach.call_sites import Asked
from jammi_dagster.fingerprint.reach.changed_objects import (
    changed_by_wrappers,
    changed_objects,
    is_method_of_copy,
)
from jammi_dagster.fingerprint.reach.defaults import may_take_default
from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.held_classes import is_called_elsewhere, later_draws
from jammi_dagster.fingerprint.reach.kept_values import ReachedCode, is_kept_constant
from jammi_dagster.fingerprint.reach.packaged_paths import PackagedPaths
from jammi_dagster.fingerprint.reach.reached import ReachedFile
from jammi_dagster.fingerprint.reach.reader_tables import reads_buffers
from jammi_dagster.fingerprint.reach.routes import Node
from jammi_dagster.fingerprint.reach.shared_state import changing_objects, shared_state
from jammi_dagster.fingerprint.reach.stack_levels import tells_stack_level
from jammi_dagster.fingerprint.reasons import reason
from jammi_dagster.fingerprint.sources.running_code import differences, load_difference
from jammi_dagster.fingerprint.sources.source import UNREADABLE
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.functions import Label
from jammi_dagster.fingerprint.syntax.outside_world import (
    OutsideName,
    hidden_code,
    outside_name,
)
from jammi_dagster.fingerprint.syntax.sets import UNORDERED
from jammi_dagster.fingerprint.syntax.shared_objects import IMMUTABLE
from jammi_dagster.fingerprint.syntax.time_zones import reads_time_zone
from jammi_dagster.fingerprint.syntax.uses import Use

SET_ORDER, ADDRESS = "set order", "object address"  # the names of reads that no name in the code tells


@dataclass(frozen=True, slots=True, order=True)
class ReadSite:
    """A place where code reads the outside world. `is_declarable`: a version surface may stand for it."""

    file: str
    line: int
    name: str
    is_declarable: bool
    unwatched: tuple[str, ...] = ()


def outside_reads(graph: Graph, readers: Collection[str] = ()) -> set[ReadSite]:
    """Find the reads of the outside world in the reached code; `readers` are further names that read."""
    found: set[ReadSite] = set()
    returning, asked = _returning_sets(graph), Asked(graph)
    paths = PackagedPaths(graph, asked)
    for reached in graph.reached.values():
        file = reached.node.shown
        # a parameter of the function itself with the default None may be left out too
        itself = {id(reached.node.source.units[index]) for index in reached.roots if reached.node.source}
        for (index, _), (unit, part, _) in zip(list(reached.parts), reached.units(), strict=True):
            if not (part.outside or part.hidden or readers):
                continue
            found |= {
                _site(file, use.line, OutsideName(use.name, use.is_declarable, use.unwatched))
                for use in part.outside
                if not (use.is_declarable and paths.note(reached, index, use))
                if not use.by_default or (id(unit) in itself or may_take_default(graph, unit, use.by_default))
                if not (use.is_bare and use.is_declarable and reads_buffers(graph, reached, unit))
                if not use.held or is_called_elsewhere(graph, reached, use.name, use.held)
            }
            told = [use for one in part.hidden if one.asks for use in asked.uses(reached, one) or ()]
            found |= {
                _site(file, use.line, known) for use in told if (known := outside_name(use.name, use.call))
            }
            if readers:
                named = ((_reader_of(use, readers), use) for use in (*part.uses, *told))
                found |= {_site(file, use.line, OutsideName(name, True, "")) for name, use in named if name}
        found |= {ReadSite(file, line, SET_ORDER, False) for line in _set_orders(reached, returning)}
        found |= {ReadSite(file, line, ADDRESS, False) for line in _addresses(reached)}
        for unit, name, use in graph.foreign_uses(reached):
            found |= {_site(file, use.line, known) for known in later_draws(graph, reached, unit, name, use)}
            if readers and (own := _reader_of(use._replace(name=name), readers)):
                found.add(_site(file, use.line, OutsideName(own, True, "")))
            if use.is_read and (known := outside_name(name, use.call)):
                found.add(_site(file, use.line, known))
    if any(map(_spawns, _every_use(graph))):  # nobody watches reads in processes that are started anew
        return {replace(one, unwatched=one.unwatched or ("",)) if one.is_declarable else one for one in found}
    return found


def _reader_of(use: Use, readers: Collection[str]) -> str | None:
    """Return the name of the project's own reader that is called, or handed on."""
    named = any(use.name == reader or use.name.startswith(f"{reader}.") for reader in readers)
    return use.name.replace(f".{CALL}", "") if named and use.is_read else None


def cached_functions(graph: Graph) -> Iterator[tuple[str, int]]:
    """Yield the reached functions whose results are kept: the file and the first line of each."""
    for reached in graph.reached.values():
        for unit, part, _ in reached.units():
            yield from ((reached.node.shown, line) for line in unit.cached_lines)
            for handed in part.handed:
                if handed.callee and CACHES.search(handed.callee[-1]):
                    for home, given in graph.places.definitions(reached.node, handed.given):
                        yield home.shown, given.lines[0]


def _every_use(graph: Graph) -> Iterator[Use]:
    for reached in graph.reached.values():
        for _, part, _ in reached.units():
            yield from part.uses
        yield from (Use(name, use.line, use.call) for _, name, use in graph.foreign_uses(reached))


def _spawns(use: Use) -> bool:
    return use.name in SPAWNERS and use.call is not None and FORK not in use.call.positional


def _set_orders(reached: ReachedFile, returning: frozenset[str]) -> Iterator[int]:
    """Yield the lines of reached code on which the order of a set reaches a value."""
    members = {name for name in returning if name.startswith(".")}
    for unit, part, _ in reached.units():
        lines, statement = set(unit.set_orders), unit.statement
        is_given = bool(part.uses) and any(use.name.rpartition(".")[2] in returning for use in part.uses)
        if statement and (is_given or statement.used_sets(members)):
            lines.update(statement.set_orders(returning, members))
        yield from (line for line in sorted(lines) if unit.parts[unit.part_at(line)] is part)


def _addresses(reached: ReachedFile) -> Iterator[int]:
    """Yield the lines of reached code on which the text of an object tells its address."""
    for unit, part, _ in reached.units():
        yield from (line for line in unit.addresses if unit.parts[unit.part_at(line)] is part)


def _returning_sets(graph: Graph) -> frozenset[str]:
    """Return the names of the reached functions that return a set, and the members of reached classes that are one."""
    found: set[str] = set(UNORDERED)
    for reached in graph.reached.values():
        for unit, _, _ in reached.units():
            if unit.statement is None or unit.kind not in ("function", "class"):
                continue
            if unit.kind == "class":
                found.update(name for name in unit.statement.sets if name.startswith("."))
            elif unit.statement.visited.has_sets and f"{unit.names[0]}()" in unit.statement.sets:
                found.add(unit.names[0])
    return frozenset(found)


def reached_by(graph: Graph) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the places of findings in the reached code, each with the units that lead to it."""
    for reached in graph.reached.values():
        source = reached.node.source
        for index, part in reached.parts if source else ():
            found = source.units[index].parts[part] if source else None
            lines = [one.line for one in (*found.outside, *found.hidden)] if found else []
            lines += [change.line for change in found.changes] if found else []
            yield from ((f"{reached.node.shown}:{line}", reached.paths.get(index, ())) for line in lines)


def _site(file: str, line: int, read: OutsideName) -> ReadSite:
    unwatched = () if read.unwatched is None else (read.unwatched,)
    return ReadSite(file, line, read.name, read.is_declarable, unwatched)


def uses_time_zone(graph: Graph) -> bool:
    """Return whether reached code works with naive times."""
    return any(
        part.reads_time_zone for reached in graph.reached.values() for _, part, _ in reached.units()
    ) or any(
        reads_time_zone(name, use.call)
        for reached in graph.reached.values()
        for _, name, use in graph.foreign_uses(reached)
    )


def doubts(graph: Graph, ignored: Collection[str]) -> Iterator[str]:
    """Yield the reasons why the identity of the reached code cannot be known."""
    yield from graph.unresolved
    asked, code = Asked(graph), ReachedCode(graph)
    for reached in graph.reached.values():
        for name, line in changing_objects(graph, reached):
            found = f"{reached.node.shown}:{line} makes objects of {name}, which change while they are used"
            yield reason(found, "change nothing of the object", ignore=name)
        for unit, line, used in _hidden(graph, reached, asked):
            name, place = used.partition(" ")[0], f"{reached.node.shown}:{line}"
            if name in SCOPED:  # the bare name would silence each of them, at any depth
                name = f"{reached.node.module.name}.{unit.names[0] if unit.names else ''}:{name}"
            if name not in ignored:
                yield reason(f"{place} uses {used}, which hides the code that runs", ignore=name)
        for name, file, line in _changed(graph, reached, code):
            if name not in ignored:
                found = f"{file}:{line} changes {name} while it runs, so that a result may depend on earlier calls"
                yield reason(found, ignore=name)
        for name, line in shared_state(graph, reached):
            if name not in ignored:
                found = (
                    f"{reached.node.shown}:{line} makes {name}, which changes while it is used, "
                    "so that a result may depend on earlier calls"
                )
                yield reason(found, "make it within the function", ignore=name)


def _hidden(graph: Graph, reached: ReachedFile, asked: Asked) -> Iterator[tuple[Unit, int, str]]:
    for unit, part, _ in reached.units():
        names = {found.name for found in part.hidden}
        if names and names <= STACK_WALKERS and tells_stack_level(graph, reached, unit):
            continue
        for found in part.hidden:
            if found.asks is None or asked.uses(reached, found) is None:
                yield unit, found.line, found.name
    for unit, name, use in graph.foreign_uses(reached):
        if known := hidden_code(name, use.call):
            yield unit, use.line, known


def _changed(graph: Graph, reached: ReachedFile, code: ReachedCode) -> Iterator[tuple[str, str, int]]:
    """Yield the names of first-party modules that reached functions change: (name, file, line)."""
    yield from _changed_in_flows(graph, reached, code)
    for unit, part, runs in reached.units():
        for change in part.changes:
            if change.name == "cls":
                if unit.methods.isdisjoint({"__init_subclass__"}):
                    yield unit.names[0] if unit.names else "cls", reached.node.shown, change.line
            elif found := graph.changed_name(reached, change):
                holder, name, depth = found
                if not name and change.in_place:
                    continue  # a function of a module, such as `frames.sort(x)`: no module is a list
                if not name:  # `setattr` with a computed name
                    yield change.name.rpartition(".")[2], reached.node.shown, change.line
                # A value that nobody reads is a log. A list or dict that loading filled is hashed with its items.
                is_hashed = (
                    change.in_place
                    and not runs
                    and holder.node.source
                    and name in holder.node.source.constants
                )
                is_fixed = change.in_place and _is_fixed(holder, name, of_member=runs and depth > 1)
                if change.by and depth == 1 and holder.node.source:
                    is_fixed |= is_method_of_copy(holder.node.source, name, change.by)
                if is_hashed or is_fixed or name not in holder.read_at_run:
                    continue
                if not (change.is_own and is_kept_constant(code, holder, name)):
                    yield name, reached.node.shown, change.line


def _changed_in_flows(
    graph: Graph, reached: ReachedFile, code: ReachedCode
) -> Iterator[tuple[str, str, int]]:
    """Yield the names whose objects reached functions change by another name, or by what they call."""
    for (index, named), runs in list(reached.parts.items()):
        for holder, name, line in changed_objects(graph, reached, index, named) if runs else ():
            if name in holder.read_at_run and not is_kept_constant(code, holder, name):
                yield name, reached.node.shown, line
        for holder, name, line in changed_by_wrappers(graph, reached, index, named) if runs else ():
            if name in holder.names and not is_kept_constant(code, holder, name):
                yield name, holder.node.shown, line


def _is_fixed(holder: ReachedFile, name: str, *, of_member: bool) -> bool:
    """Return whether nothing can be added to the value of a name; the members of functions and classes may grow."""
    source = holder.node.source
    if source is None or source.kind_of(name) != IMMUTABLE:
        return False
    kinds = {source.units[at].kind for at in source.by_name.get(name, ())}
    return not of_member or kinds.isdisjoint(("function", "class"))


class Compared(NamedTuple):
    """The names and functions of a file that are compared with its running module."""

    node: Node
    names: tuple[str, ...]
    labels: tuple[Label, ...]


def edits(compared: Compared) -> Iterator[str]:
    """Yield the reasons why a running module may differ from its file."""
    node = compared.node
    if node.source is None or node.module.running is None:
        return
    try:
        yield from differences(
            node.path, node.module.running, node.source, names=compared.names, labels=compared.labels
        )
        if why := load_difference(node.path, node.module.running, node.source):
            yield why
    except UNREADABLE as error:
        if isinstance(error, (RecursionError, MemoryError)):  # of the rest `Graph` says so
            yield reason(f"{node.shown} is nested too deeply to be compared with the running code")
