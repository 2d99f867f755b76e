"""The index of first-party code: routes and the loading of modules, shared by the identities of a process.

It stands for as long as all that it was made from: the modules that are imported, the folders in which others were
sought, and the files.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from jammi_dagster.fingerprint.reach.loading import Loading
from jammi_dagster.fingerprint.reach.object_changes import Changes
from jammi_dagster.fingerprint.reach.object_flows import ObjectFlows
from jammi_dagster.fingerprint.reach.routes import Node, Routes

_MOST = 8  # projects of one process
_indexes: dict[frozenset[str], CodeIndex] = {}


class HeldTexts:
    """The files in which texts stand, of those that were searched so far.

    texts = HeldTexts()
    texts.stands("eu", {node.path: node})  # True
    """

    def __init__(self) -> None:
        self._files: dict[object, set[str]] = {}
        self._searched: set[str] = set()

    def stands(self, text: object, files: Mapping[str, Node]) -> bool:
        """Return whether a text stands in one of these files."""
        if not files.keys().isdisjoint(self._files.get(text, ())):
            return True
        for path in [path for path in files if path not in self._searched]:
            source = files[path].source
            self._searched.add(path)
            for one in source.texts if source else ():
                self._files.setdefault(one, set()).add(path)
            if path in self._files.get(text, ()):
                return True
        return False


class CodeIndex:
    """The routes and the loading of the modules that identities have reached so far.

    index = index_for(home=frozenset())
    index.loading.of(index.routes.node(module)).steps
    """

    def __init__(self, home: frozenset[str]) -> None:
        self.routes = Routes(home)
        self.loading = Loading(self.routes)
        self.flows, self.changes = ObjectFlows(self.loading.places), Changes()
        self.readings: dict[Hashable, object] = {}  # by their starts
        self.extensions: dict[int, object] = {}  # of code locations, that the readings rest on
        self.components: dict[Hashable, object] = {}  # of files, by the parts that are reached
        self.texts = HeldTexts()


def index_for(home: frozenset[str]) -> CodeIndex:
    """Return the index for code of these distributions, besides source trees: the last one, or a new one."""
    known = _indexes.get(home)
    if known is None or not known.routes.hold():
        if len(_indexes) >= _MOST:
            _indexes.clear()
        known = _indexes[home] = CodeIndex(home)
    return known


def forget_all() -> None:
    """Drop the indexes that were made so far."""
    _indexes.clear()
