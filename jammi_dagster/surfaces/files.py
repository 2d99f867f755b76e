"""Files as version surfaces: the version is the digest of the content.

A file of up to 1 MiB is read at each look. Of a larger one, a digest that this process has computed stands for it while
that is proof: it lies on a local disk, its inode, size, mtime and ctime are unchanged, and its ctime was more than 60
seconds old when the file was digested. A write through an open mapping (`mmap`) moves the times only once the system
writes the page back, within half a minute; in `tmpfs` and `overlay` it never does, so these are not trusted.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from jammi_dagster.errors import InvalidField, SurfaceUnavailable
from jammi_dagster.project_paths import from_project

_LOCAL_FILE_SYSTEMS = frozenset({"apfs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "xfs", "zfs"})
_MOUNTS = Path("/proc/self/mounts")
_SETTLED_NS = 60_000_000_000
_SMALL = 1 << 20  # bytes that are read at each look
_BLOCK = 1 << 20
_ATTEMPTS = 5
_ESCAPED = re.compile(r"\\([0-7]{3})")  # white space and backslashes in a mount's path

_State = tuple[int, int, int, int, int]
_known: dict[str, tuple[_State, str]] = {}


def file(path: str | os.PathLike[str], *, name: str | None = None) -> FileSurface:
    """Declare the file at `path` as an input, for `reads=[…]`.

    A relative path starts at the folder of the nearest `pyproject.toml` above the file that calls this; `.path` is the
    absolute one. `name` is the file's name in anchors, by default the path as given. Give an absolute path a name, so
    that a table's identity does not depend on where its project lies. Raise `NoProjectFolder`, and `InvalidField` for a
    path or name that is empty, holds a NUL, or is not UTF-8 (give such a file a name).

    >>> file("/mnt/landing/orders.csv", name="orders.csv").source
    'file:orders.csv'
    """
    given = os.fspath(path)
    shown = given.replace(os.sep, "/") if name is None else name
    for field, value in (("path", given), ("name", shown)):
        if not value or "\0" in value:
            raise InvalidField(what="file surface", path=field, value=value, expected="text without NUL")
    if any("\ud800" <= char <= "\udfff" for char in shown):
        raise InvalidField(
            what="file surface", path="name", value=shown, expected="text of UTF-8; give name=…"
        )
    return FileSurface(source=f"file:{shown}", path=_absolute(given))


def _absolute(path: str) -> str:
    return os.path.abspath(path) if os.path.isabs(path) else from_project(path, what="file")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSurface:
    """A file whose version is `sha256:<hex>` of its bytes. `file(…)` makes one."""

    source: str
    path: str

    def stamp(self) -> tuple[int, ...] | None:
        """Return the inode, size and times of the file, and of the symbolic links that lead to it.

        They show a change that the content no longer shows. None if there is no such file.
        """
        try:
            return (*_state(os.stat(self.path)), *_links(self.path))
        except OSError:
            return None

    def observe(self) -> str | None:
        """Return the digest of the file's present bytes, or None if there is no such file.

        Raise `SurfaceUnavailable` for a folder or a device, for a file that cannot be read, and for one that keeps
        changing while it is read.
        """
        try:
            return f"sha256:{_digest(self.path)}"
        except FileNotFoundError:
            return None
        except IsADirectoryError:
            raise SurfaceUnavailable(
                source=self.source, why="it is a folder; declare its files one by one"
            ) from None
        except OSError as error:
            raise SurfaceUnavailable(source=self.source, why=str(error)) from error


def _links(path: str) -> tuple[int, ...]:
    """Return the states of the symbolic links on the way to a file that exists."""
    at, *rest = Path(path).parts
    for position, part in enumerate(rest, start=1):
        at = os.path.join(at, part)
        found = os.lstat(at)
        if stat.S_ISLNK(found.st_mode):
            target = os.path.join(os.path.dirname(at), os.readlink(at), *rest[position:])
            return (*_state(found), *_links(target))
    return ()


def _digest(path: str) -> str:
    found = os.stat(path)
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):  # opening a pipe may block for ever
        raise OSError("it is not a regular file; declare a regular file, or a surface of your own")
    state = _state(found)
    known = _known.get(path)
    if known is not None and known[0] == state:
        return known[1]
    for _ in range(_ATTEMPTS):
        started = time.time_ns()
        before, digest, after = _read(path)
        if before == after:
            ctime = before[4]
            is_large = found.st_size > _SMALL
            if is_large and ctime + _SETTLED_NS < started and _is_local(path):
                _known[path] = (before, digest)
            return digest
    raise OSError(
        f"it changed while it was read, {_ATTEMPTS} times in a row; wait until its writer is done, and try again"
    )


def _read(path: str) -> tuple[_State, str, _State]:
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as stream:
        before = _state(os.fstat(stream.fileno()))
        while block := stream.read(_BLOCK):
            digest.update(block)
        after = _state(os.fstat(stream.fileno()))
    return before, digest.hexdigest(), after


def _state(found: os.stat_result) -> _State:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _is_local(path: str) -> bool:
    """Return True if the inode times of the file's file system can be trusted; unknown means no."""
    try:
        mounts = os.fsdecode(_MOUNTS.read_bytes()).split("\n")
    except OSError:
        return False
    real = os.path.realpath(path)
    best, kind = -1, ""
    for line in filter(None, mounts):
        _, mount, file_system, *_ = line.split(" ")
        mount = _ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), mount)
        inside = real == mount or real.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= best:
            best, kind = len(mount), file_system
    return kind in _LOCAL_FILE_SYSTEMS
