"""The options of an author: further dependencies (`depends_on=`) and names without effect (`ignore=`)."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from jammi_dagster.errors import InvalidField
from jammi_dagster.fingerprint.components import Component
from jammi_dagster.fingerprint.hashing import digest, utf8
from jammi_dagster.fingerprint.known_names.hidden_code import SCOPED
from jammi_dagster.fingerprint.live.values import Describer
from jammi_dagster.fingerprint.reasons import reason


def check_names(what: str, given: Any) -> tuple[str, ...]:
    """Return a list of names as given. Raises `InvalidField`."""
    if isinstance(given, str) or not isinstance(given, (list, tuple, set, frozenset)):
        raise InvalidField(what=what, path="(itself)", value=given, expected="a list of names")
    for index, name in enumerate(given):
        if not isinstance(name, str) or not name:
            raise InvalidField(what=what, path=f"[{index}]", value=name, expected="a name")
    return tuple(given)


def scoped_names(given: Any) -> tuple[str, ...]:
    """Return the names of `ignore=`, and warn of a bare one that names no function. Raises `InvalidField`."""
    names = check_names("ignore", given)
    for name in names:
        if name in SCOPED:
            warnings.warn(
                f"ignore=[{name!r}] silences nothing: it would give up all code that any {name} leads to, at any "
                f'depth. Name the function that uses it: ignore=["pipelines.text.clean:{name}"]',
                stacklevel=4,
            )
    return names


def check_dependencies(given: Any) -> tuple[Any, ...]:
    """Return functions, classes, modules, paths and plain values as given. Raises `InvalidField`."""
    if isinstance(given, (str, bytes)) or not isinstance(given, (list, tuple)):
        expected = "a list of functions, modules, file paths or plain values"
        raise InvalidField(what="depends_on", path="(itself)", value=given, expected=expected)
    for index, item in enumerate(given):
        if isinstance(item, (ModuleType, os.PathLike)) or callable(item):
            continue
        describer = Describer(frozenset())
        describer.describe_function(item)
        if describer.unresolved:
            expected = "a function, a module, a file path or a plain value"
            raise InvalidField(what="depends_on", path=f"[{index}]", value=item, expected=expected)
    return tuple(given)


def describe(depends_on: Sequence[Any], describer: Describer, folder: str) -> Iterator[Component]:
    """Give each dependency to `describer`; files are components of their own.

    A string that names a file, relative to `folder`, is that file.
    """
    for index, item in enumerate(depends_on):
        path = Path(folder, item) if isinstance(item, (str, os.PathLike)) else None
        if path is not None and (isinstance(item, os.PathLike) or _is_file(path)):
            yield from _files(path, shown=Path(item), describer=describer)
        elif isinstance(item, ModuleType) or callable(item):
            describer.describe(item, f"dependency {index}")
        else:
            describer.hold(item, f"dependency {index}")


def files_of(depends_on: Sequence[Any], folder: str) -> Iterator[str]:
    """Yield the paths of the files among the dependencies; of a folder its own, and all within it."""
    for item in depends_on:
        path = Path(folder, item) if isinstance(item, (str, os.PathLike)) else None
        if path is not None and (isinstance(item, os.PathLike) or _is_file(path)):
            yield str(path)
            yield from map(str, path.rglob("*"))


def _files(path: Path, *, shown: Path, describer: Describer) -> Iterator[Component]:
    """Yield the component of a file by its bytes, or of a folder by all files in it."""
    name = shown.name if shown.is_absolute() else shown.as_posix()
    try:
        if not path.is_dir():
            yield Component(kind="file", name=name, where="", digest=digest("file.v1", path.read_bytes()))
            return
        parts = []
        for file in sorted(one for one in path.rglob("*") if one.is_file()):
            parts += [utf8(file.relative_to(path).as_posix()), file.read_bytes()]
        yield Component(kind="file", name=name, where="", digest=digest("folder.v1", *parts))
    except OSError as error:
        found = f"the file {name} of depends_on= cannot be read ({type(error).__name__})"
        describer.unresolved.add(reason(found, "create it, or take it out of depends_on="))


def _is_file(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
