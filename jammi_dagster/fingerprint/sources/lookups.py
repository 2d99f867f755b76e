"""Lookups of modules and folders: they tell whether each of them would give the same again."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Final

MISSING: Final = object()


class Lookups:
    """The imported modules and the folders that were looked at.

    lookups = Lookups()
    lookups.module("pipelines.text")  # the module, or MISSING
    lookups.hold()  # True until that module is imported anew, or a folder has changed
    """

    def __init__(self) -> None:
        self._path = list(sys.path)
        self._modules: dict[str, object] = {}
        self._folders: dict[str, int] = {}

    def module(self, name: str) -> object:
        """Return the imported module of a name; `MISSING` if there is none."""
        found = sys.modules.get(name, MISSING)
        return self._modules.setdefault(name, found)

    def search(self, folders: Iterable[str] | None) -> None:
        """Note that a module is sought in these folders; None: in those of `sys.path`."""
        for folder in self._path if folders is None else folders:
            if folder not in self._folders:
                self._folders[folder] = _modified(folder)

    def hold(self) -> bool:
        """Return whether every lookup would give the same again."""
        get = sys.modules.get
        return (
            sys.path == self._path
            and all(get(name, MISSING) is module for name, module in self._modules.items())
            and all(_modified(folder) == at for folder, at in self._folders.items())
        )


def _modified(folder: str) -> int:
    try:
        return os.stat(folder or ".").st_mtime_ns
    except OSError:
        return -1
