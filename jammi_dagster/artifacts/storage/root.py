"""The root of a store: the folder or URL below which all artifacts lie."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

from jammi_dagster.artifacts.storage.layout import CATALOG_FILE, IDENTITY_PATH, check_relative
from jammi_dagster.artifacts.storage.local import LocalStorage
from jammi_dagster.artifacts.storage.remote import RemoteStorage
from jammi_dagster.artifacts.storage.sink import Sink
from jammi_dagster.artifacts.storage.storage import Faults, Storage, StoredObject
from jammi_dagster.errors import ArtifactExists, ArtifactTooLarge, ArtifactUnreadable, InvalidField
from jammi_dagster.project_paths import from_project

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds
    from pyarrow.fs import FileSystem

_T = TypeVar("_T")

_BLOCK = 1 << 20
_REMOTE_BLOCK = 16 << 20
_LOCAL_SCHEMES = ("file://", "local://")


class ArtifactRoot:
    """Objects below one root, by relative posix path.

    `root` is a local folder (a plain path or a `file://` URI) or any URL that fsspec can write; `storage_options` go to
    fsspec. The constructor opens nothing and makes nothing; the first write makes a missing root. `name` is the root
    without credentials, for people; `local_root` is the folder, None for a remote root.

    Every method that takes a path raises `ArtifactOutsideRoot` for one that could lead out of the root, and
    `StorageFailed` if the storage refuses. Reads raise `ArtifactMissing` if there is no object.

    >>> root = ArtifactRoot("/data/results")
    >>> root.uri("tables/orders-0f/01J.parquet")
    'file:///data/results/tables/orders-0f/01J.parquet'
    """

    def __init__(self, root: str, storage_options: Mapping[str, Any] | None = None) -> None:
        root = os.fspath(root)
        if not root or "\0" in root:
            raise InvalidField(what="ArtifactRoot", path="root", value=root, expected="a folder or a URL")
        self._options = dict(storage_options or {})
        self.local_root = _local_folder(root)
        self._given = root if self.local_root is None else self.local_root
        self._storage: Storage = (
            RemoteStorage(root, self._options) if self.local_root is None else LocalStorage(self.local_root)
        )
        self._faults = Faults(self._given)
        self.name = self._faults.root

    def __reduce__(self) -> tuple[Any, ...]:
        return ArtifactRoot, (self._given, self._options)

    def __repr__(self) -> str:
        return f"ArtifactRoot({self.name!r})"

    @property
    def is_local(self) -> bool:
        """True if the root is a folder of this machine."""
        return self.local_root is not None

    @property
    def filesystem(self) -> FileSystem:
        """The storage as a file system of pyarrow."""
        return self._storage.filesystem

    def uri(self, path: str) -> str:
        """Return the object's URI without credentials, for people and metadata."""
        check_relative(path)
        return self._storage.uri(path)

    def size(self, path: str) -> int | None:
        """Return the object's length in bytes, or None if there is no object. Any other failure is `StorageFailed`."""
        check_relative(path)
        try:
            return self._storage.size(path)
        except Exception:  # only then a URI is made: of 100,000 objects that costs as much as a look
            with self._faults.during("look at", self._storage.uri(path)):
                raise

    def open_sink(self, path: str) -> Sink:
        """Open a new object for writing: durable after its `with` block, gone if an exception leaves the block.

        Raise `ArtifactExists` if the path is taken: artifacts are never overwritten.
        """
        check_relative(path)
        uri = self._storage.uri(path)
        try:
            with self._faults.during("write", uri, passing=FileExistsError):
                upload = self._storage.upload(path)
        except FileExistsError as error:
            raise ArtifactExists(uri=uri) from self._faults.cause(error)
        return Sink(upload, faults=self._faults, uri=uri)

    def write_bytes_durable(self, path: str, data: bytes) -> None:
        """Write a new object in one go. It is durable on return. Raise `ArtifactExists`."""
        with self.open_sink(path) as sink:
            sink.write(data)

    def delete(self, path: str) -> None:
        """Remove the object, if there is one."""
        check_relative(path)
        uri = self._storage.uri(path)
        with suppress(FileNotFoundError), self._faults.during("delete", uri, passing=FileNotFoundError):
            self._storage.delete(path)

    def create(self, path: str, data: bytes) -> bool:
        """Write a small object whole, durably, unless there is one; True if it was written."""
        return self._do("write", path, lambda: self._storage.create(path, data))

    def replace(self, path: str, data: bytes) -> None:
        """Write a small object whole, durably, in the place of the one that is there."""
        self._do("write", path, lambda: self._storage.replace(path, data))

    def delete_many(self, paths: Sequence[str]) -> None:
        """Remove at most `DELETED_AT_ONCE` objects, in one request where the storage can; absent ones are fine."""
        for path in paths:
            check_relative(path)
        if paths:
            self._do("delete", paths[0], lambda: self._storage.delete_many(paths))

    def abort_uploads(self, folder: str, *, before: float, dry_run: bool = False) -> list[str]:
        """Abort uploads below the folder that began before that time, and were never finished; give their paths.

        Only S3 keeps the parts of such uploads for ever; elsewhere there are none, or they go by themselves.
        """
        return self._do(
            "abort uploads",
            folder,
            lambda: self._storage.abort_uploads(folder, before=before, dry_run=dry_run),
        )

    def _do(self, operation: str, path: str, work: Callable[[], _T]) -> _T:
        """Run `work` on the storage. Raises `StorageFailed`, naming the operation and the path."""
        check_relative(path)
        with self._faults.during(operation, self._storage.uri(path)):
            return work()

    # --- read ----------------------------------------------------------------------------------------

    def objects(self, folder: str) -> Iterator[StoredObject]:
        """List every object below the folder."""
        check_relative(folder)
        with self._faults.reading(self.uri(folder)):
            yield from self._storage.objects(folder)

    def read_bytes(self, path: str, limit: int | None = None) -> bytes:
        """Return all bytes of the object. Raise `ArtifactTooLarge` if there are more than `limit`.

        No more than one byte beyond the limit is read.
        """
        check_relative(path)
        uri = self._storage.uri(path)
        with self._faults.reading(uri), self._storage.open_read(path) as file:
            data = file.read() if limit is None else file.read(limit + 1)
        if limit is not None and len(data) > limit:
            raise ArtifactTooLarge(uri=uri, limit=limit)
        return data

    def fetch(self, path: str) -> bytes:
        """Read a small object, in one request."""
        check_relative(path)
        with self._faults.reading(self._storage.uri(path)):
            return self._storage.fetch(path)

    def digest(self, path: str) -> str:
        """Return the SHA-256 of the object's bytes, in hex. Memory does not grow with the object."""
        found = hashlib.sha256()
        for block in self.blocks(path):
            found.update(block)
        return found.hexdigest()

    def blocks(self, path: str) -> Iterator[bytes]:
        """Yield the object's bytes in blocks."""
        check_relative(path)
        with self._faults.reading(self._storage.uri(path)), self._storage.open_read(path) as file:
            while block := file.read(_BLOCK):
                yield block

    def read_from(self, path: str, offset: int) -> tuple[int, bytes]:
        """Return the object's length, and its bytes from `offset` on."""
        check_relative(path)
        with self._faults.reading(self._storage.uri(path)), self._storage.open_read(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(min(offset, size))
            return size, file.read()

    def version(self, path: str) -> str:
        """Return a text that changes when the object does, as far as the storage tells without reading it."""
        check_relative(path)
        with self._faults.reading(self._storage.uri(path)):
            return self._storage.version(path)

    def read_table(self, path: str) -> pa.Table:
        """Read the whole table. Raise `ArtifactUnreadable`."""
        import pyarrow.parquet as pq

        with self.open_native(path) as source, pq.ParquetFile(source) as file:
            return file.read()

    @contextmanager
    def open_native(self, path: str) -> Iterator[pa.NativeFile]:
        """Open the object in a form that pyarrow reads without calling Python. Raise `ArtifactUnreadable` meanwhile.

        pyarrow's threads let go of a Python file, or of Python's bytes, some time after the read. If the interpreter
        ends meanwhile, the process aborts (apache/arrow#33975, #34314).
        """
        check_relative(path)
        with self._reading_parquet(path), self._native(path) as source:
            yield source

    def _native(self, path: str) -> pa.NativeFile:
        import pyarrow as pa

        if self.is_local:
            return pa.OSFile(self._storage.locate(path))
        copy = pa.BufferOutputStream()
        with self._storage.open_read(path) as file:
            while block := file.read(_REMOTE_BLOCK):
                copy.write(block)
        return pa.BufferReader(copy.getvalue())

    def dataset(self, path: str, *, verify_pages: bool = False) -> ds.Dataset:
        """Open the table as a pyarrow Dataset, which reads only what a query needs. Raise `ArtifactUnreadable`.

        With `verify_pages` each page that is read is compared with its checksum, where it has one.
        """
        import pyarrow.dataset as ds  # 0.25 s, which other reads do not need

        check_relative(path)
        options = ds.ParquetFragmentScanOptions(page_checksum_verification=verify_pages)
        pages = ds.ParquetFileFormat(default_fragment_scan_options=options)
        with self._reading_parquet(path):
            return ds.dataset(self._storage.locate(path), filesystem=self.filesystem, format=pages)

    @contextmanager
    def _reading_parquet(self, path: str) -> Iterator[None]:
        from pyarrow import ArrowException

        uri = self._storage.uri(path)
        with self._faults.reading(uri):
            if self.is_local and self._storage.size(path) is None:  # pyarrow would wait for a FIFO's writer
                raise FileNotFoundError(path)
            try:
                yield
            except (ArrowException, OSError) as error:
                # pyarrow's IOError for a damaged file is a plain OSError without errno; a storage's error is not
                if isinstance(error, OSError) and (type(error) is not OSError or error.errno is not None):
                    raise
                raise ArtifactUnreadable(uri=uri, why=self._faults.text(error)) from self._faults.cause(error)


def absolute_root(root: str, **whose: Any) -> str:
    """Return a relative root as an absolute one; `whose` says where it starts, as for `from_project`.

    >>> absolute_root("results", project="/srv/sales")
    '/srv/sales/results'
    """
    root = os.fspath(root)
    if not root or "\0" in root or _is_url(root) or os.path.isabs(os.path.expanduser(root)):
        return root
    return from_project(root, what="store", markers=(CATALOG_FILE, IDENTITY_PATH), **whose)


def _local_folder(root: str) -> str | None:
    """Return the absolute path of a local root, or None for a remote one."""
    if root.startswith(_LOCAL_SCHEMES):
        return os.path.abspath(unquote(urlsplit(root).path))
    return None if _is_url(root) else os.path.abspath(os.path.expanduser(root))


def _is_url(root: str) -> bool:
    return "://" in root or "::" in root
