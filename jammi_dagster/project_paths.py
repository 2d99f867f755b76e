"""Relative paths of a project: they start at the folder of the `pyproject.toml` above the code that gives them.

The working folder of a process is none of the project's: a code location, a run worker and a prompt each have another.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
from pathlib import PurePath
from types import FrameType

from jammi_dagster.errors import NoProjectFolder

_log = logging.getLogger("jammi_dagster")

# packages that construct objects on behalf of the code that asked for them
_GO_BETWEENS = frozenset({"jammi_dagster", "dagster", "dagster_shared", "pydantic"})
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_NOT_ABOVE = "no pyproject.toml lies above"
_NO_FILE = "no file constructs it, as at a prompt or in a notebook"
NO_PROJECT = ""
"""Stands for the project folder of code that has none, where it was looked for."""


def from_project(
    path: str,
    *,
    what: str,
    markers: tuple[str, ...] = ("",),
    maker: object = None,
    project: str | None = None,
) -> str:
    """Return a relative path as an absolute one, and name what lies at that path below the working folder.

    Args:
        path: the relative path
        what: the kind of thing at the path, for messages
        markers: names below the path, one of which shows that such a thing is there; "" for the path itself
        maker: the object under construction; its own constructors are passed over
        project: the project folder, where it is known

    Raises `NoProjectFolder`.
    """
    before = _below_working_folder(path, markers)
    if project is None:
        project, why = _project_of(_constructing_file(maker))
    else:
        why = f"{_NOT_ABOVE} the file that constructs it"
    if project == NO_PROJECT:
        there = "" if before is None else f" (there is one at {before}, below the working folder)"
        or_url = "" if what == "file" else " or a URL"
        or_project = ", or put a pyproject.toml into the project's folder" if _NOT_ABOVE in why else ""
        raise NoProjectFolder(
            what=what, path=path, why=why, or_url=or_url, or_project=or_project, there=there
        )
    found = os.path.normpath(os.path.join(project, path))
    if before is not None and os.path.realpath(before) != os.path.realpath(found):
        _name_the_other(what, path, found, before)
    return found


def project_folder(maker: object = None) -> str:
    """Return the folder of the nearest `pyproject.toml` above the file that constructs `maker`, or `NO_PROJECT`."""
    return _project_of(_constructing_file(maker))[0]


def pyproject_above(file: str) -> tuple[str, os.stat_result] | None:
    """Return the nearest `pyproject.toml` above a file, with its status; None where there is none."""
    folder = os.path.dirname(os.path.abspath(file))
    while True:
        path = os.path.join(folder, "pyproject.toml")
        try:
            return path, os.stat(path)
        except OSError:
            above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _constructing_file(maker: object) -> str | None:
    """Return the file of the first caller that is no go-between and no constructor of `maker`; None for no file.

    Code in an archive has a path below that of the archive.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        package = str(frame.f_globals.get("__name__")).partition(".")[0]
        if package not in _GO_BETWEENS and not _constructs(frame, maker):
            file = frame.f_globals.get("__file__") or frame.f_code.co_filename
            return os.path.abspath(file) if os.path.exists(file) or _archive_of(file) else None
        frame = frame.f_back
    return None


def _constructs(frame: FrameType, maker: object) -> bool:
    code = frame.f_code
    is_constructor = code.co_name == "__init__" and code.co_argcount > 0
    return is_constructor and maker is not None and frame.f_locals.get(code.co_varnames[0]) is maker


def _project_of(file: str | None) -> tuple[str, str]:
    """Return the project folder of a file; without one, `NO_PROJECT` and the reason."""
    if file is None:
        return NO_PROJECT, _NO_FILE
    if (archive := _archive_of(file)) is not None:
        return NO_PROJECT, f"{archive}, from which the code is imported, is an archive and no folder"
    if not _INSTALLED.isdisjoint(PurePath(file).parts):
        return NO_PROJECT, f"{file} is installed, not part of a project"
    found = pyproject_above(file)
    if found is None:
        return NO_PROJECT, f"{_NOT_ABOVE} {file}"
    return os.path.dirname(found[0]), ""


def _archive_of(file: str) -> str | None:
    """Return the archive that holds a file of code; None for a file of its own."""
    return next((str(path) for path in PurePath(os.path.abspath(file)).parents if os.path.isfile(path)), None)


def _below_working_folder(path: str, markers: tuple[str, ...]) -> str | None:
    try:
        found = os.path.abspath(path)
    except OSError:  # the working folder is gone
        return None
    return found if any(os.path.exists(os.path.join(found, m) if m else found) for m in markers) else None


@functools.lru_cache(maxsize=256)  # a sensor may construct a file surface at each tick
def _name_the_other(what: str, path: str, found: str, before: str) -> None:
    _log.warning(
        "%s %s is %s, from the project's folder; another lies at %s, below the working folder: move it, or give its "
        "absolute path",
        what,
        path,
        found,
        before,
    )
