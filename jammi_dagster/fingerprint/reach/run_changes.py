"""State that reached code leaves changed once it has run: a later step of the process may read it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType

from jammi_dagster.fingerprint.known_names.process_state import (
    DISPLAY_OPTIONS,
    HARMLESS_STATE,
    OPTION_SETTERS,
    STATE_SETTERS,
    is_among,
)
from jammi_dagster.fingerprint.reach.changed_objects import changed_by_wrappers, changed_objects
from jammi_dagster.fingerprint.reach.effects import Name
from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.kept_values import ReachedCode, is_kept_constant
from jammi_dagster.fingerprint.reach.reached import ReachedFile
from jammi_dagster.fingerprint.sources.units import Unit
from jammi_dagster.fingerprint.syntax.optional_parts import is_orchestration
from jammi_dagster.fingerprint.syntax.uses import Change, Use

LIBRARY = ""  # stands for the file of a library: the name beside it is that of its top-level module


def run_changes(graph: Graph) -> Iterator[Name]:
    """Yield the names whose values code changes when the function runs, and the libraries.

    A value that the function itself reads is unresolved anyway; a global that one function fills on its first use is
    a constant.
    """
    code = ReachedCode(graph)
    for reached in graph.reached.values():
        for (index, named), runs in list(reached.parts.items()):
            found = [
                *(changed_objects(graph, reached, index, named) if runs else ()),
                *(changed_by_wrappers(graph, reached, index, named) if runs else ()),
            ]
            for holder, name, _ in found:
                if not is_kept_constant(code, holder, name):
                    yield from graph.names_around(holder.node, name)
        for unit, part, runs in reached.units():
            if not runs:
                continue
            for change in part.changes:
                yield from _changed(graph, code, reached, unit, change)
            yield from ((LIBRARY, use.name.partition(".")[0]) for use in part.uses if _sets_state(use))


def _changed(
    graph: Graph, code: ReachedCode, reached: ReachedFile, unit: Unit, change: Change
) -> Iterator[Name]:
    if change.name == "cls":
        yield from ((reached.node.path, name) for name in unit.names)
    elif found := graph.changed_name(reached, change):
        holder, name, _ = found
        if name and not (change.is_own and is_kept_constant(code, holder, name)):
            yield from graph.names_around(holder.node, name)
    elif change.in_place and isinstance(sys.modules.get(change.name), ModuleType):
        return  # `np.append(x, 1)` and `pc.add(x, 1)` are functions of a module
    elif not (change.is_own or is_among(change.name, HARMLESS_STATE) or is_orchestration(change.name)):
        yield LIBRARY, change.name.partition(".")[0]


def _sets_state(use: Use) -> bool:
    if use.name in OPTION_SETTERS:
        named = use.call.argument(0, "pat") if use.call else ...
        return not str(named).startswith(DISPLAY_OPTIONS)
    return use.name in STATE_SETTERS
