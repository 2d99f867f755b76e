"""Reads of packaged files by paths that code puts together: of names of other modules, and of texts of any value."""

from __future__ import annotations

import ast
import os

from jammi_dagster.fingerprint.known_names.native_readers import PATH_ARGUMENTS
from jammi_dagster.fingerprint.reach.call_sites import Asked
from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.reached import ReachedFile
from jammi_dagster.fingerprint.reach.routes import Node
from jammi_dagster.fingerprint.sources.packaged import PackagedRead
from jammi_dagster.fingerprint.sources.parts import Finding
from jammi_dagster.fingerprint.syntax.computed_paths import HOLE, ComputedPaths, is_within
from jammi_dagster.fingerprint.syntax.packaged_files import package_of, path_read, reads_one_file
from jammi_dagster.fingerprint.syntax.scopes import Scope


class PackagedPaths:
    """The packaged files behind reads of the reached code, as far as the code shows their paths.

    paths = PackagedPaths(graph, Asked(graph))
    paths.note(reached, 3, finding)  # True: graph.packaged has the files
    """

    def __init__(self, graph: Graph, asked: Asked) -> None:
        self._graph, self._asked = graph, asked
        self._paths = ComputedPaths(asked.constants, self._file_of, self._folder_of)

    def note(self, reached: ReachedFile, index: int, finding: Finding) -> bool:
        """Note the files that a finding reads, and return whether these are all packaged ones."""
        site = finding.call.site if finding.call else None
        if site is None or not reads_one_file(finding.name, site.node):
            return False
        found = self._paths.of(path_read(site.node, PATH_ARGUMENTS), site.scope)
        folder = _top_folder(reached.node)
        paths = [one for one in found or () if isinstance(one, str) and is_within(one, folder)]
        if not paths or len(paths) != len(found or ()):
            return False
        for path in paths:
            named = os.path.relpath(path, folder).replace(HOLE, "…").replace(os.sep, "/")
            place, at_load = f"{reached.node.shown}:{finding.line}", site.scope.around is None
            watched = finding.name if finding.unwatched is None else ""
            read = PackagedRead(place, named, path, at_load, watched)
            self._graph.packaged.setdefault(read, set()).add((reached.node.path, index))
        return True

    def _file_of(self, module: Scope) -> str | None:
        node = self._asked.nodes.get(id(module))
        return node.path if node and not os.path.islink(node.path) else None

    def _folder_of(self, given: ast.expr, scope: Scope) -> str | None:
        node, package = self._asked.nodes.get(id(scope.module)), package_of(given, scope)
        return (self._graph.folder_of(node, package[0]) or None) if node and package else None


def _top_folder(node: Node) -> str:
    """Return the folder of the topmost package of a file; of a plain module the one in which it lies."""
    top = os.path.relpath(node.path, node.root).split(os.sep)
    return os.path.join(node.root, top[0]) if len(top) > 1 else node.root
