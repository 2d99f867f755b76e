"""What in the reached code makes a result depend on more than that code, or its identity doubtful."""

from __future__ import annotations

from collections.abc import Iterator

from jammi_dagster.fingerprint.graph import Graph, Node
from jammi_dagster.fingerprint.modules import shown
from jammi_dagster.fingerprint.outside import outside, unseen
from jammi_dagster.fingerprint.reasons import reason
from jammi_dagster.fingerprint.running import doubt
from jammi_dagster.fingerprint.source import UNREADABLE

Place = tuple[str, int]  # a file as messages show it, and a line


def outside_reads(graph: Graph) -> set[tuple[Place, str]]:
    found: set[tuple[Place, str]] = set()
    for node in graph.nodes.values():
        if node.source:
            found |= {
                (_place(node, use.line), use.what)
                for use in node.source.outside
                if _counts(node, use.under_main)
            }
        for name, use in graph.foreign_uses(node):
            if _counts(node, use.under_main) and (what := outside(name, use.call)):
                found.add((_place(node, use.line), what))
    return found


def doubts(graph: Graph, *, docstrings: bool) -> Iterator[str]:
    """Why the identity of the reached code cannot be known."""
    yield from graph.unresolved
    for node in graph.nodes.values():
        for (file, line), what in _hidden(graph, node):
            yield reason(f"{file}:{line} uses {what}, and what that runs cannot be seen in the source")
        if edited := _edited(node, docstrings):
            yield edited


def _hidden(graph: Graph, node: Node) -> Iterator[tuple[Place, str]]:
    for found in node.source.unseen if node.source else ():
        if _counts(node, found.under_main):
            yield _place(node, found.line), found.what
    for name, use in graph.foreign_uses(node):
        if _counts(node, use.under_main) and (what := unseen(name)):
            yield _place(node, use.line), what


def _edited(node: Node, docstrings: bool) -> str | None:
    """Why a module that is running may not be what its file says."""
    if node.source is None or node.module.running is None:
        return None
    try:
        return doubt(node.path, node.module.running, node.source, docstrings=docstrings)
    except UNREADABLE:
        return None  # `Graph` says so


def _counts(node: Node, under_main: bool) -> bool:
    """Whether a place runs at all: code under `if __name__ == "__main__":` does so only in a script."""
    names = node.module.running or {}
    return not under_main or names.get("__name__") == "__main__"


def _place(node: Node, line: int) -> Place:
    return shown(node.path), line
