"""Artifacts in a local folder, by plain os calls; a committed object survives a loss of power."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote

from jammi_dagster.artifacts.storage.storage import StoredObject, Upload, quietly
from jammi_dagster.durable import sync_folder

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem


_DRAFT = re.compile(r"\.jammi-[a-z]+\.json\.[0-9a-f]{16}")
_PLAIN = re.compile(r"[A-Za-z0-9_.~/-]*")  # no character that a URI escapes
_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class LocalStorage:
    """Objects as files below `root`, an absolute path. The first write creates the folder."""

    def __init__(self, root: str) -> None:
        self._root, self._uri = root, Path(root).as_uri()
        self._folders = Folders(root)

    def locate(self, path: str) -> str:
        return os.path.join(self._root, path)

    def uri(self, path: str) -> str:
        shown = path if _PLAIN.fullmatch(path) else quote(os.fsencode(path))
        return f"{self._uri}/{shown}".removesuffix("/")

    def size(self, path: str) -> int | None:
        try:
            found = os.stat(self.locate(path))
        except FileNotFoundError:
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def version(self, path: str) -> str:
        found = os.stat(self.locate(path))
        return f"{found.st_dev}/{found.st_ino}/{found.st_size}/{found.st_mtime_ns}/{found.st_ctime_ns}"

    def open_read(self, path: str) -> BinaryIO:
        return open(self.locate(path), "rb", opener=_open_regular)

    def upload(self, path: str) -> Upload:
        return LocalUpload(self.locate(path), self._folders)

    def delete(self, path: str) -> None:
        os.unlink(self.locate(path))

    def objects(self, folder: str) -> Iterator[StoredObject]:
        for parent, _, names in os.walk(self.locate(folder)):
            for name in names:
                path = os.path.join(parent, name)
                relative = os.path.relpath(path, self._root).replace(os.sep, "/")
                with suppress(FileNotFoundError):  # removed since it was listed
                    try:
                        found = _stat_listed(path)
                    except FileNotFoundError:
                        raise
                    except OSError:  # whoever asks for it by itself is told why
                        yield StoredObject(relative, -1, None)
                        continue
                    if stat.S_ISREG(found.st_mode):
                        yield StoredObject(relative, found.st_size, found.st_mtime)

    def fetch(self, path: str) -> bytes:
        with self.open_read(path) as file:
            return file.read()

    def create(self, path: str, data: bytes) -> bool:
        draft, target = self._draft(path, data), self.locate(path)
        try:
            os.link(draft, target)
        except FileExistsError:
            return False
        finally:
            os.unlink(draft)
        self._folders.settle(os.path.dirname(target))
        return True

    def replace(self, path: str, data: bytes) -> None:
        draft, target = self._draft(path, data), self.locate(path)
        try:
            os.replace(draft, target)
        except BaseException:
            quietly(lambda: os.unlink(draft))
            raise
        self._folders.settle(os.path.dirname(target))

    def _draft(self, path: str, data: bytes) -> str:
        """Write the bytes durably under another name in the same folder, to be put into place whole."""
        folder, name = os.path.split(self.locate(path))
        draft = os.path.join(folder, f".{name}.{secrets.token_hex(8)}")
        upload = LocalUpload(draft, self._folders)
        try:
            upload.write(data)
            upload.commit()
        except BaseException:
            upload.abort()
            raise
        return draft

    def delete_many(self, paths: Sequence[str]) -> None:
        for path in paths:
            with suppress(FileNotFoundError):
                self.delete(path)

    def abort_uploads(self, folder: str, *, before: float, dry_run: bool) -> list[str]:
        # a file below a folder that was not finished is an object like any other; a draft in the root is none
        with suppress(FileNotFoundError):
            drafts = [name for name in sorted(os.listdir(self._root)) if _DRAFT.fullmatch(name)]
            left = [name for name in drafts if os.stat(self.locate(name)).st_mtime < before]
            if not dry_run:
                self.delete_many(left)
            return left
        return []

    @property
    def filesystem(self) -> FileSystem:
        from pyarrow.fs import LocalFileSystem

        return LocalFileSystem()


def _stat_listed(path: str) -> os.stat_result:
    """Look at a file that was listed; ask again before it counts as removed."""
    with suppress(FileNotFoundError):
        return os.stat(path)
    return os.stat(path)


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
        sync_folder(folder)
        while folder not in self._settled:
            parent = os.path.dirname(folder)
            sync_folder(parent)
            self._settled.add(folder)
            folder = parent


def _mkdir(path: str) -> None:
    try:
        os.mkdir(path)
    except FileExistsError:
        if not os.path.isdir(path):  # a folder here means that another writer was faster
            raise NotADirectoryError(errno.ENOTDIR, "not a folder", path) from None
