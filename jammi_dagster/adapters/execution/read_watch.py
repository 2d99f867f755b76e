"""A watch on a running function for reads that nothing declares, through Python's audit events (PEP 578).

It sees everything that the interpreter opens: files, folders, databases of `sqlite3`, sockets, processes. Native reads
of a library (pyarrow, polars, duckdb) raise no event. An audit hook cannot be taken away: one is added per process on
first use, and returns at once while nothing is watched.
"""

from __future__ import annotations

import fnmatch
import json
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from jammi_dagster.load_reads import (
    FILE_EVENTS,
    INSTALLED,
    body_begins,
    body_ends,
    is_installed,
    is_of_python,
    path_of,
    writes,
)

_MOST = 100  # reads that are told of; one is enough to unpin
_OTHERS = {"socket.connect", "subprocess.Popen", "os.system", "os.posix_spawn", "os.exec"}
_MADE = {"tempfile.mkstemp", "tempfile.mkdtemp"}  # files and folders of the body's own
_PLACED = {"os.link", "os.rename", "os.symlink"}  # a file gets another name
_SEEN = FILE_EVENTS | _MADE | _OTHERS | _PLACED
_OURS = ("dagster", "jammi_dagster")


Function = tuple[str, int]  # its file, and its first line


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
    process: int = 0  # the one that watches
    pipe: tuple[int, int] = (-1, -1)

    def see(self, event: str, arguments: tuple[Any, ...], frame: FrameType | None) -> None:
        if event in _MADE:
            self.made.add(os.path.abspath(os.fsdecode(arguments[0])))
            return
        is_file = event in FILE_EVENTS or event in _PLACED
        if event in _PLACED:
            what = self._placed(event, arguments)
        else:
            what = path_of(arguments[0]) if is_file else _other(event, arguments)
        if what is None or (event == "open" and self._writes(what, arguments)):
            return
        if is_file and self._is_inside(what):
            return
        place, functions = self._place(frame)
        if place is not None:
            way_out = f"declare reads=[file({what!r})]" if is_file else "give the value as an input"
            source = f"file:{what}" if is_file else what
            way_out = f"{way_out}, or allow_reads=[{what!r}] where it does no harm"
            self._note(what, Read(source, place, way_out), functions)

    def _note(self, what: str, read: Read, functions: Iterable[Function]) -> None:
        for function in functions:
            _remembered.setdefault(function, {})[read.source] = what, read
        if not self._is_allowed(what) and len(self.found) < _MOST and read.source not in self.found:
            self.found[read.source] = read
            if os.getpid() != self.process:
                self._report(what, read, functions)

    def _report(self, what: str, read: Read, functions: Iterable[Function]) -> None:
        """Tell the process that forked this one."""
        message = json.dumps([what, [read.source, read.place, read.way_out], [*functions]])
        with suppress(OSError):  # it no longer listens
            os.write(self.pipe[1], message.encode() + b"\n")

    def listen(self) -> None:
        """Open the descriptor by which forked processes report."""
        self.process, self.pipe = os.getpid(), os.pipe()
        for end in self.pipe:
            os.set_blocking(end, False)

    def finish(self) -> None:
        """Take the reports of forked processes."""
        if os.getpid() != self.process:
            return
        told = b""
        with suppress(OSError):
            while block := os.read(self.pipe[0], 1 << 16):
                told += block
        for end in self.pipe:
            os.close(end)
        for line in told.splitlines():
            with suppress(ValueError):  # the last may be cut off
                what, read, functions = json.loads(line)
                self._note(what, Read(*read), [(file, first) for file, first in functions])

    def recall(self, functions: Iterable[Function]) -> None:
        """Add the reads behind results that functions have kept since an earlier step of this process."""
        kept = {(file.replace("/", os.sep), first) for file, first in functions}
        for (path, line), reads in list(_remembered.items()):
            is_kept = any(line == first and path.endswith(os.sep + file) for file, first in kept)
            for what, read in list(reads.values()) if is_kept else ():
                if not self._is_allowed(what):
                    self.found.setdefault(read.source, read)

    def _placed(self, event: str, arguments: tuple[Any, ...]) -> str | None:
        """Return the file that gets a name among the body's own files, which may be read by that name."""
        source, name = os.fsdecode(arguments[0]), path_of(arguments[1]) or ""
        if event == "os.symlink":
            source = os.path.join(os.path.dirname(name), source)
        source = os.path.abspath(source)
        if source in self.made:
            self.made.add(name)
        return source if self._is_made(name) else None

    def _writes(self, path: str, arguments: tuple[Any, ...]) -> bool:
        if writes(arguments):
            self.made.add(path)
            return True
        return path in self.made

    def _is_made(self, path: str) -> bool:
        """Return whether a path is that of a temporary file or folder of the body's own, or lies within one."""
        return any(path == one or path.startswith(os.path.join(one, "")) for one in self.made)

    def _is_inside(self, path: str) -> bool:
        if is_of_python(path) or self._is_made(path):
            return True
        real = os.path.realpath(path)
        return any(
            one == known.rstrip(os.sep) or one.startswith(os.path.join(known, ""))
            for one in (path, real)
            for known in (*INSTALLED, *self.within)
        )

    def _is_allowed(self, what: str) -> bool:
        return any(
            what == known or fnmatch.fnmatchcase(what, known) or what == os.path.abspath(known)
            for known in self.allowed
        ) or any(what.startswith(os.path.join(os.path.abspath(known), "")) for known in self.allowed)

    def _place(self, frame: FrameType | None) -> tuple[str | None, list[Function]]:
        """Return the line of the user's code that reads, and the functions that led there.

        None for a read of Dagster or this package beneath it, of the import system, or of a library that looks for its
        plugins: `importlib.metadata` lists the folders of `sys.path`.
        """
        place: str | None = None
        is_metadata = False
        functions: list[Function] = []
        while frame is not None:
            name = str(frame.f_globals.get("__name__"))
            top, file = name.partition(".")[0], frame.f_code.co_filename
            is_ours = top in _OURS or top.startswith("dagster_")
            if is_ours or (file.startswith("<frozen importlib") and place is None):
                break
            if is_metadata and place is None and top != "importlib" and is_installed(file):
                break
            is_metadata = is_metadata or name.startswith("importlib.metadata")
            if top == self.module or not is_installed(file):
                place = place or f"{os.path.basename(file)}:{frame.f_lineno}"
                functions.append((os.path.abspath(file), frame.f_code.co_firstlineno))
            frame = frame.f_back
        return place, functions


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)
_looking = threading.local()
_remembered: dict[Function, dict[str, tuple[str, Read]]] = {}  # by the functions that led to a read
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
    watch.listen()
    body_begins()
    try:
        yield watch
    finally:
        body_ends()
        watch.finish()
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
    except Exception:  # the user's own `open` would raise it, and tells of bad arguments itself
        return
    finally:
        _looking.now = False


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
