"""Files that first-party modules read while they are loaded, seen through Python's audit events (PEP 578).

`LIMIT = config.getint("a", "limit")` depends on a file that a library opened. Its content at that moment is a part of
the loaded code, so the file is digested as it is read, and noted for the module that is being executed, with its line.
A read below the module of another distribution belongs to that library. The watch begins when this package is
imported; of modules that were loaded before only the code is known.

Nothing here is imported but the standard library: the package's own import begins with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import sysconfig
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

FILE_EVENTS = frozenset({"open", "os.listdir", "os.scandir", "sqlite3.connect"})
MISSING, TOO_LARGE = "missing", "too large"
_LARGEST = 1 << 26
_OURS = ("dagster", "jammi_dagster")

_PYTHON = (".py", ".pyc", ".pyo", ".pyi", ".so", ".pyd", ".dll", ".dylib", ".pth", ".zip", ".whl", ".egg")
_SYSTEM = (
    "/dev/",
    "/proc/",
    "/sys/",
    "/usr/share/zoneinfo/",
    "/etc/ssl/",
    "/etc/pki/",
    "/etc/ca-certificates/",
)
# Python and its libraries ask these of a system: its time zone, users, networks and types of files.
_ASKED = {
    f"/etc/{name}"
    for name in (
        *(
            "group",
            "gai.conf",
            "host.conf",
            "hosts",
            "localtime",
            "mime.types",
            "nsswitch.conf",
            "os-release",
        ),
        *("passwd", "protocols", "resolv.conf", "services", "timezone"),
    )
}
INSTALLED = tuple(
    os.path.join(os.path.realpath(place), "")
    for place in {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
)


@dataclass(frozen=True, slots=True)
class LoadRead:
    """A read of a file or a folder while a module was loaded.

    LoadRead("/checkout/settings.ini", line=3, content="9f2c…", in_body=False)
    """

    path: str
    line: int
    content: str
    """The digest of its content at that moment, `MISSING` or `TOO_LARGE`."""
    in_body: bool
    """True if a running step loaded the module."""


@dataclass(slots=True)
class _Loading:
    """One execution of a module: reloading it makes another."""

    spec: object
    names: int
    reads: dict[tuple[str, int], LoadRead] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)  # files that it wrote itself


_loadings: dict[str, _Loading] = {}  # by the file of the module
_before: dict[
    str, tuple[int, int | None]
] = {}  # modules from before the watch: their names, and the line reached
_looking = threading.local()
_bodies = 0  # steps that are running
_is_installed = False


def watch_loading() -> None:
    """Watch modules that are loaded from now on. A process calls it once, when this package is imported."""
    global _is_installed
    if _is_installed:
        return
    _is_installed = True
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", None)
        file = names.get("__file__") if isinstance(names, dict) else None
        if isinstance(file, str) and not is_installed(file):
            _before[os.path.abspath(file)] = id(names), None
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        with contextlib.suppress(OSError):  # the working folder is gone
            file = os.path.abspath(frame.f_code.co_filename)
            if frame.f_code.co_name == "<module>" and file in _before:
                _before[file] = id(frame.f_globals), frame.f_lineno
        frame = frame.f_back
    sys.addaudithook(_hook)


def body_begins() -> None:
    """Tell that a step runs: modules that are loaded meanwhile are loaded by it."""
    global _bodies
    _bodies += 1


def body_ends() -> None:
    """Tell that a step has ended."""
    global _bodies
    _bodies -= 1


def reads_of(file: str, names: Mapping[str, Any]) -> Iterator[LoadRead]:
    """Yield the reads of a module's last loading, by its file and its global names."""
    loading = _loadings.get(file)
    if loading is not None and loading.names == id(names) and loading.spec is names.get("__spec__"):
        yield from list(loading.reads.values())


def is_watched(file: str, names: Mapping[str, Any], line: int) -> bool:
    """Return whether the watch had begun when a line of a module was executed."""
    known = _before.get(file)
    if known is None or known[0] != id(names):
        return True
    return known[1] is not None and line > known[1]


def content_of(path: str) -> str:
    """Digest a file by its bytes, or a folder by the names in it."""
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            names = sorted(name for name in os.listdir(path) if name != "__pycache__")
            return hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            return TOO_LARGE
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return MISSING


def is_of_python(path: str) -> bool:
    """Return whether a file is code, or one that Python and its libraries ask of the system."""
    is_of_system = path.startswith(_SYSTEM) and not path.startswith("/dev/shm/")  # which holds plain files
    return is_of_system or path.endswith(_PYTHON) or path in _ASKED


def is_installed(file: str) -> bool:
    """Return whether a source file belongs to Python, or to an installed distribution."""
    is_beside = any(f"{os.sep}{place}{os.sep}" in file for place in ("site-packages", "dist-packages"))
    return is_beside or file.startswith(("<", *INSTALLED)) or os.path.realpath(file).startswith(INSTALLED)


def path_of(given: Any) -> str | None:
    """Return an absolute path; None for a descriptor, and for a database in memory."""
    if given is None:
        return os.getcwd()  # a listing of the working folder
    if not isinstance(given, (str, bytes, os.PathLike)):
        return None
    path = os.fsdecode(given)
    if path in ("", ":memory:"):
        return None
    if path.startswith("file:"):
        path = path.removeprefix("file:").partition("?")[0]
    return os.path.abspath(path)


def writes(arguments: tuple[Any, ...]) -> bool:
    """Return whether an `open` makes its file anew."""
    flags = arguments[2] if len(arguments) > 2 and isinstance(arguments[2], int) else os.O_RDONLY
    access = flags & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR)
    return access == os.O_WRONLY or bool(flags & (os.O_TRUNC | os.O_EXCL))


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in FILE_EVENTS or getattr(_looking, "now", False):
        return
    _looking.now = True
    try:
        _see(event, arguments, sys._getframe(1))
    except Exception:  # the module's own `open` would raise it, and tells of bad arguments itself
        return
    finally:
        _looking.now = False


def _see(event: str, arguments: tuple[Any, ...], frame: FrameType) -> None:
    path = path_of(arguments[0])
    if path is None or is_of_python(path) or path.startswith(INSTALLED):
        return
    executing = _executing(frame)
    if executing is None:
        return
    file, names = os.path.abspath(executing.f_code.co_filename), executing.f_globals
    loading = _loadings.get(file)
    if loading is None or loading.names != id(names) or loading.spec is not names.get("__spec__"):
        loading = _loadings[file] = _Loading(names.get("__spec__"), id(names))
    if event == "open" and writes(arguments):
        loading.made.add(path)
        return
    key = path, executing.f_lineno
    if key not in loading.reads and path not in loading.made:
        loading.reads[key] = LoadRead(path, executing.f_lineno, content_of(path), _bodies > 0)


def _executing(frame: FrameType | None) -> FrameType | None:
    """Return the frame of the first-party module that is executing; None if a library or a step reads."""
    while frame is not None:
        file = frame.f_code.co_filename
        top = str(frame.f_globals.get("__name__")).partition(".")[0]
        if file.startswith("<frozen importlib") or top in _OURS or top.startswith("dagster_"):
            return None
        if frame.f_code.co_name == "<module>":
            return None if is_installed(file) else frame
        frame = frame.f_back
    return None
