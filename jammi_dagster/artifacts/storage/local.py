"""Artifacts in a local folder, by plain os calls; a committed object survives a loss of power."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from jammi_dagster.artifacts.storage.storage import Upload, quietly

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

# errors of file systems that cannot fsync a folder; like SQLite, we go on without
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP}


_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class LocalStorage:
    """Objects as files below `root`, an absolute path. The first write creates the folder."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._folders = Folders(root)

    def locate(self, path: str) -> str:
        return os.path.join(self._root, path)

    def uri(self, path: str) -> str:
        return Path(self.locate(path)).as_uri()

    def size(self, path: str) -> int | None:
        try:
            found = os.stat(self.locate(path))
        except FileNotFoundError:
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def open_read(self, path: str) -> BinaryIO:
        return open(self.locate(path), "rb", opener=_open_regular)

    def upload(self, path: str) -> Upload:
        return LocalUpload(self.locate(path), self._folders)

    def delete(self, path: str) -> None:
        os.unlink(self.locate(path))

    def objects(self, folder: str) -> Iterator[tuple[str, float | None]]:
        for parent, _, names in os.walk(self.locate(folder)):
            for name in names:
                path = os.path.join(parent, name)
                with suppress(FileNotFoundError):  # removed since the listing
                    yield os.path.relpath(path, self._root).replace(os.sep, "/"), os.stat(path).st_mtime

    @property
    def filesystem(self) -> FileSystem:
        from pyarrow.fs import LocalFileSystem

        return LocalFileSystem()


def _open_regular(path: str, flags: int) -> int:
    """Open a regular file; to open a FIFO or a device would wait, or act on it."""
    descriptor = os.open(path, flags | _AT_ONCE)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise FileNotFoundError(errno.ENOENT, "not a regular file", path)


class LocalUpload:
    """A new file. `commit` returns once the file, and every folder that gained an entry, is fsynced."""

    def __init__(self, path: str, folders: Folders) -> None:
        self._path = path
        self._folders = folders
        folders.make(os.path.dirname(path))
        # a buffer would be written a second time where a forked child ends
        self._file = open(path, "xb", buffering=0)  # noqa: SIM115  (closed by commit or abort)

    def write(self, data: bytes) -> int:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        return len(data)

    def commit(self) -> None:
        os.fsync(self._file.fileno())
        self._file.close()
        self._folders.settle(os.path.dirname(self._path))

    def abort(self) -> None:
        quietly(self._file.close, lambda: os.unlink(self._path))


class Folders:
    """Folders below a root, made on demand, with durable entries.

    Another process may have made a folder that is not durable yet, so this process settles each folder below the root
    once itself.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._settled: set[str] = set()

    def make(self, folder: str) -> None:
        """Make `folder` and every missing folder above it, the root and its parents included."""
        missing = []
        existing = folder
        while not os.path.isdir(existing):
            missing.append(existing)
            existing = os.path.dirname(existing)
        self._settled.difference_update(missing)
        self._settled.add(min(existing, self._root, key=len))
        for path in reversed(missing):
            _mkdir(path)

    def settle(self, folder: str) -> None:
        """Make the new entry in `folder` durable, and the entries of its parents up to a folder that is settled."""
        _sync_folder(folder)
        while folder not in self._settled:
            parent = os.path.dirname(folder)
            _sync_folder(parent)
            self._settled.add(folder)
            folder = parent


def _mkdir(path: str) -> None:
    try:
        os.mkdir(path)
    except FileExistsError:
        if not os.path.isdir(path):  # a folder here means that another writer was faster
            raise NotADirectoryError(errno.ENOTDIR, "not a folder", path) from None


def _sync_folder(path: str) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)
