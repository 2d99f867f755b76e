"""Artifacts on any file system that fsspec can write: S3 and the like, `memory://` for tests."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from jammi_dagster.artifacts.storage import s3
from jammi_dagster.artifacts.storage.storage import StoredObject, Upload, quietly
from jammi_dagster.contract.redaction import redacted_url

if TYPE_CHECKING:
    import fsspec
    from pyarrow.fs import FileSystem

# names of the time of an object's last write, by file system
_WRITTEN = ("mtime", "LastModified", "last_modified", "updated", "created")


class RemoteStorage:
    """Objects below an fsspec URL. Object stores show an object only once it is complete."""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self._url = url
        self._options = options

    @functools.cached_property
    def _opened(self) -> tuple[fsspec.AbstractFileSystem, str]:
        import fsspec.core  # 0.1 s, which a local root does not need

        fs, base = fsspec.core.url_to_fs(self._url, **self._options)
        return fs, base.rstrip("/")

    @property
    def _fs(self) -> fsspec.AbstractFileSystem:
        return self._opened[0]

    def locate(self, path: str) -> str:
        return f"{self._opened[1]}/{path}"

    def uri(self, path: str) -> str:
        return f"{redacted_url(self._url).rstrip('/')}/{path}"

    def size(self, path: str) -> int | None:
        where = self.locate(path)
        self._fs.invalidate_cache(where)  # a cached listing does not prove that the object exists
        try:
            found = self._fs.info(where)
        except FileNotFoundError:
            return None
        return cast(int, found["size"]) if found["type"] == "file" else None

    def version(self, path: str) -> str:
        self._fs.invalidate_cache(self.locate(path))
        return str(self._fs.ukey(self.locate(path)))

    def open_read(self, path: str) -> BinaryIO:
        where = self.locate(path)
        self._fs.invalidate_cache(where)
        if self._fs.protocol == "memory" and where in self._fs.store:
            # it gives all readers one file with one position, and some read in threads
            return io.BytesIO(self._fs.store[where].getvalue())
        return cast(BinaryIO, self._fs.open(where, "rb"))

    def upload(self, path: str) -> Upload:
        # mode "xb" would be atomic, but few stores besides AWS's have it; ids are unique, so a check is enough
        if self.size(path) is not None:
            raise FileExistsError(path)
        return RemoteUpload(self._fs, self.locate(path))

    def delete(self, path: str) -> None:
        self._fs.rm_file(self.locate(path))

    def objects(self, folder: str) -> Iterator[StoredObject]:
        base = self._opened[1]
        self._fs.invalidate_cache()
        for found, info in self._fs.find(self.locate(folder), detail=True).items():
            written = next((info[key] for key in _WRITTEN if info.get(key) is not None), None)
            at = written.timestamp() if isinstance(written, datetime) else written
            yield StoredObject(found.removeprefix(base).lstrip("/"), info.get("size") or 0, at)

    def fetch(self, path: str) -> bytes:
        return cast(bytes, self._fs.cat_file(self.locate(path)))

    def create(self, path: str, data: bytes) -> bool:
        if self.size(path) is not None:
            return False
        try:
            self._fs.pipe_file(
                self._folder_of(path), data, **({"mode": "create"} if s3.is_s3(self._fs) else {})
            )
        except Exception as error:
            if s3.is_taken(error):
                return False
            if not s3.lacks_create(error):
                raise
            self._fs.pipe_file(self.locate(path), data)
        return self.fetch(path) == data  # a storage without exclusive writes keeps the last of two

    def replace(self, path: str, data: bytes) -> None:
        self._fs.pipe_file(self._folder_of(path), data)

    def _folder_of(self, path: str) -> str:
        """Give the object's own name, with its folder there on a file system with real folders."""
        where = self.locate(path)
        if not s3.is_s3(self._fs):
            self._fs.makedirs(self._fs._parent(where), exist_ok=True)
        return where

    def delete_many(self, paths: Sequence[str]) -> None:
        if s3.is_s3(self._fs):
            s3.delete_many(self._fs, [self.locate(path) for path in paths])
            return
        for path in paths:
            with suppress(FileNotFoundError):
                self.delete(path)

    def abort_uploads(self, folder: str, *, before: float, dry_run: bool) -> list[str]:
        if not s3.is_s3(self._fs):
            return []
        keys = s3.abort_uploads(self._fs, self.locate(folder), before=before, dry_run=dry_run)
        return [key.removeprefix(self._opened[1]).lstrip("/") for key in keys]

    @property
    def filesystem(self) -> FileSystem:
        from pyarrow.fs import FSSpecHandler, PyFileSystem

        return PyFileSystem(FSSpecHandler(self._fs))


class RemoteUpload:
    """A new object in an fsspec file system; closing it completes it."""

    def __init__(self, fs: fsspec.AbstractFileSystem, path: str) -> None:
        self._fs = fs
        self._path = path
        try:
            self._file = fs.open(path, "wb")
        except FileNotFoundError:  # this file system has real folders
            fs.makedirs(fs._parent(path), exist_ok=True)
            self._file = fs.open(path, "wb")

    def write(self, data: bytes) -> object:
        return self._file.write(data)

    def commit(self) -> None:
        self._file.close()

    def abort(self) -> None:
        # fsspec uploads a file's buffer when it closes the file, also when the file is garbage-collected
        quietly(self._file.discard, self._forget, lambda: self._fs.rm_file(self._path))

    def _forget(self) -> None:
        self._file.closed = True
