"""The index of first-party code: routes and the loading of modules, shared by the identities of a process.

It stands for as long as all that it was made from: the modules that are imported, the folders in which others were
sought, and the files.
"""

from __future__ import annotations

from collections.abc import Hashable

from jammi_dagster.fingerprint.reach.loading import Loading
from jammi_dagster.fingerprint.reach.object_changes import Changes
from jammi_dagster.fingerprint.reach.object_flows import ObjectFlows
from jammi_dagster.fingerprint.reach.routes import Routes

_MOST = 8  # projects of one process
_indexes: dict[frozenset[str], CodeIndex] = {}


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
