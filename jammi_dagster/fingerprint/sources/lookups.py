"""Lookups of modules and folders: they tell whether each of them would give the same again."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from typing import Final

from jammi_dagster.load_reads import is_installed

MISSING: Final = object()


@dataclass(slots=True)
class _Sought:
    """A module that nobody had imported when this process first sought it on the disk."""

    file: str | None
    state: tuple[int, ...]
    folders: list[int]  # the times of those in which it was sought last


_sought: dict[tuple[str, str, tuple[str, ...]], _Sought] = {}  # by its name, its last part, and the folders


def note_sought(name: str, leaf: str, folders: Sequence[str] | None, file: str | None) -> None:
    """Note where a module was found that nobody has imported, unless it is installed; None: nowhere.

    A code location that goes on running has no other way to see that its file changes, or comes.
    """
    if file is None or not is_installed(file):
        among = tuple(sys.path if folders is None else folders)
        key = name, leaf, among
        if key not in _sought:
            _sought[key] = _Sought(file, _state(file), [_modified(folder) for folder in among])


def moved_modules() -> Iterator[tuple[str, str]]:
    """Yield the modules of which another file, another content or an import has come since they were sought."""
    every = list(_sought.items())
    times = {folder: _modified(folder) for folder in {one for (_, _, among), _ in every for one in among}}
    for (name, leaf, folders), first in every:
        if name in sys.modules:
            yield name, "imported"
            continue
        file, modified = first.file, [times[folder] for folder in folders]
        if modified != first.folders:
            spec = PathFinder.find_spec(leaf, list(folders))
            file = spec.origin if spec else None
            if file == first.file:
                first.folders = modified
        if (file, state := _state(file)) != (first.file, first.state):
            yield name, f"{file} {state}"


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


def _state(file: str | None) -> tuple[int, ...]:
    try:
        found = os.stat(file) if file else None
    except OSError:
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns) if found else ()
