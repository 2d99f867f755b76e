"""A watch on a running function for reads that nothing declares, through Python's audit events (PEP 578).

It sees everything that the interpreter opens: files, folders, databases of `sqlite3`, sockets, processes. Native reads
of a library (pyarrow, polars, duckdb) raise no event. An audit hook cannot be taken away: one is added per process on
first use, and returns at once while nothing is watched.
"""

from __future__ import annotations

import fnmatch
import os
import sys
import sysconfig
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

_MOST = 100  # reads that are told of; one is enough to unpin
_FILES = {"open", "os.listdir", "os.scandir", "sqlite3.connect"}
_MADE = {"tempfile.mkstemp", "tempfile.mkdtemp"}  # files and folders of the body's own
_OTHERS = {"socket.connect", "subprocess.Popen", "os.system", "os.posix_spawn", "os.exec"}
_SEEN = _FILES | _MADE | _OTHERS
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
_INSTALLED = tuple(
    os.path.join(os.path.realpath(place), "")
    for place in {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
)
_OURS = ("dagster", "jammi_dagster")


@dataclass(frozen=True, slots=True)
class Read:
    """An undeclared read: its source as the anchor names it, the line that reads, and the way out."""

    source: str
    place: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.place} reads {self.source}, which nothing declares: {self.way_out}"


@dataclass(slots=True, kw_only=True)
class Watch:
    """`allowed` are paths, patterns and names; `within` the folders and files whose reads are none of the outside."""

    module: str  # the top-level module of the function
    allowed: Sequence[str]
    within: Sequence[str]
    found: dict[str, Read] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)  # files that it wrote itself
    before: frozenset[int] = frozenset()  # the threads that were there when it began

    def see(self, event: str, arguments: tuple[Any, ...], frame: FrameType | None) -> None:
        if event in _MADE:
            self.made.add(os.path.abspath(os.fsdecode(arguments[0])))
            return
        is_file = event in _FILES
        what = _path(arguments[0]) if is_file else _other(event, arguments)
        if what is None or (event == "open" and self._writes(what, arguments)):
            return
        if (is_file and self._is_inside(what)) or self._is_allowed(what) or len(self.found) >= _MOST:
            return
        place = self._place(frame)
        if place is not None:
            way_out = f"declare reads=[file({what!r})]" if is_file else "give the value as an input"
            source = f"file:{what}" if is_file else what
            way_out = f"{way_out}, or allow_reads=[{what!r}] where it does no harm"
            self.found.setdefault(source, Read(source, place, way_out))

    def _writes(self, path: str, arguments: tuple[Any, ...]) -> bool:
        flags = arguments[2] if len(arguments) > 2 and isinstance(arguments[2], int) else os.O_RDONLY
        access = flags & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR)
        if access == os.O_WRONLY or flags & (os.O_TRUNC | os.O_EXCL):
            self.made.add(path)
            return True
        return path in self.made

    def _is_made(self, path: str) -> bool:
        """Return whether a path is that of a temporary file or folder of the body's own, or lies within one."""
        return any(path == one or path.startswith(os.path.join(one, "")) for one in self.made)

    def _is_inside(self, path: str) -> bool:
        if path.endswith(_PYTHON) or path.startswith(_SYSTEM) or path in _ASKED or self._is_made(path):
            return True
        real = os.path.realpath(path)
        return any(
            one == known.rstrip(os.sep) or one.startswith(os.path.join(known, ""))
            for one in (path, real)
            for known in (*_INSTALLED, *self.within)
        )

    def _is_allowed(self, what: str) -> bool:
        return any(
            what == known or fnmatch.fnmatchcase(what, known) or what == os.path.abspath(known)
            for known in self.allowed
        ) or any(what.startswith(os.path.join(os.path.abspath(known), "")) for known in self.allowed)

    def _place(self, frame: FrameType | None) -> str | None:
        """Return the line of the user's code that reads; None for a read of Dagster or this package beneath it."""
        while frame is not None:
            name = str(frame.f_globals.get("__name__"))
            top, file = name.partition(".")[0], frame.f_code.co_filename
            if file.startswith("<frozen importlib"):
                return None
            if top in _OURS or top.startswith("dagster_"):
                return None
            if top == self.module or not _is_installed(file):
                return f"{os.path.basename(file)}:{frame.f_lineno}"
            frame = frame.f_back
        return None


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)
_looking = threading.local()
_live: list[Watch] = []  # replaced, never changed: the hook may run anywhere
_lock = threading.Lock()


@contextmanager
def watching(watch: Watch) -> Iterator[Watch]:
    """Fill `watch.found` with the reads of code within: in this thread, and in threads that start meanwhile.

    Python does not say who started a thread: one that starts beside the body, and runs code of the user's, counts.
    """
    global _live
    watch.before = frozenset(map(id, threading.enumerate()))
    with _lock:
        _install()
        _live = [*_live, watch]
    token = _watch.set(watch)
    try:
        yield watch
    finally:
        _watch.reset(token)
        with _lock:
            _live = [one for one in _live if one is not watch]


@cache
def _install() -> None:
    sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _live or event not in _SEEN or getattr(_looking, "now", False):
        return
    _looking.now = True
    try:
        watch = _watch.get()
        thread = id(threading.current_thread())
        for one in [watch] if watch else [one for one in _live if thread not in one.before]:
            one.see(event, arguments, sys._getframe(1))
    except Exception:  # an error here would be one of the user's `open`
        return
    finally:
        _looking.now = False


def _path(given: Any) -> str | None:
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


def _other(event: str, arguments: tuple[Any, ...]) -> str | None:
    if event == "socket.connect":
        address = arguments[1]
        where = ":".join(map(str, address[:2])) if isinstance(address, tuple) else os.fsdecode(address)
        return f"socket:{where}"
    command = arguments[0]
    first = command[0] if isinstance(command, (list, tuple)) and command else command
    return (
        f"process:{Path(os.fsdecode(first)).name}" if isinstance(first, (str, bytes)) else "process:unknown"
    )


def _is_installed(file: str) -> bool:
    return file.startswith(("<", *_INSTALLED)) or os.path.realpath(file).startswith(_INSTALLED)
