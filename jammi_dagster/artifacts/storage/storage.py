"""The interface of a storage below a root, and the typed errors for its failures."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol

from jammi_dagster.contract.redaction import HIDDEN, redacted_text, redacted_url, url_secrets
from jammi_dagster.errors import ArtifactMissing, JammiError, StorageFailed

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

_FULL = "free some space there or use a root that has more"
_CLOSED = "make it writable and readable for this user, or use another root"
_NO_FOLDER = "a root is a folder, and so is what lies below it: move the file away or use another root"
_WAYS_OUT = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EROFS: _CLOSED,
    errno.EACCES: _CLOSED,
    errno.EPERM: _CLOSED,
    errno.ENOTDIR: _NO_FOLDER,
    errno.EEXIST: _NO_FOLDER,
    errno.EISDIR: _NO_FOLDER,
}


DELETED_AT_ONCE = 1_000


class StoredObject(NamedTuple):
    """An object in a listing. `written` is in seconds since the epoch by the storage's clock, if it tells the time.

    `size` is -1 where the object could be listed, and not be looked at.
    """

    path: str
    size: int
    written: float | None


class Upload(Protocol):
    """A new object on its way into a storage. Its methods raise the storage's own errors."""

    def write(self, data: bytes) -> object:
        """Append `data`."""

    def commit(self) -> None:
        """Make the object durable."""

    def abort(self) -> None:
        """Remove the object as far as the storage allows. Raise nothing."""


class Storage(Protocol):
    """Objects by path. Callers have checked the paths; methods raise the storage's own errors."""

    def locate(self, path: str) -> str:
        """Return the object's own name in `filesystem`."""

    def uri(self, path: str) -> str:
        """Return the object's URI without credentials, for people."""

    def size(self, path: str) -> int | None:
        """Return the object's length in bytes, or None if there is no object."""

    def version(self, path: str) -> str:
        """Return a text that changes when the object does, as far as the storage tells without reading it."""

    def open_read(self, path: str) -> BinaryIO:
        """Open the object's bytes, from the first."""

    def upload(self, path: str) -> Upload:
        """Begin a new object. Raise `FileExistsError` if the path is taken."""

    def delete(self, path: str) -> None:
        """Remove the object. Raise `FileNotFoundError` if there is none."""

    def objects(self, folder: str) -> Iterator[StoredObject]:
        """List every object below the folder."""

    def fetch(self, path: str) -> bytes:
        """Read a small object, in one request."""

    def create(self, path: str, data: bytes) -> bool:
        """Write a small object whole, durably, unless there is one; True if it was written."""

    def replace(self, path: str, data: bytes) -> None:
        """Write a small object whole, durably, in the place of the one that is there."""

    def delete_many(self, paths: Sequence[str]) -> None:
        """Remove at most `DELETED_AT_ONCE` objects; absent ones are fine."""

    def abort_uploads(self, folder: str, *, before: float, dry_run: bool) -> list[str]:
        """Abort uploads below the folder that began before that time; give their paths."""

    @property
    def filesystem(self) -> FileSystem:
        """The storage as a file system of pyarrow."""


class Faults:
    """The typed errors for a storage's own ones. None shows a secret of the root's URL, and no cause of one does."""

    def __init__(self, root: str) -> None:
        self.root = redacted_url(root)
        self._secrets = url_secrets(root)

    @contextmanager
    def reading(self, uri: str) -> Iterator[None]:
        """Turn a storage's errors during a read into `ArtifactMissing` or `StorageFailed`."""
        try:
            with self.during("read", uri, passing=FileNotFoundError):
                yield
        except FileNotFoundError as error:
            raise ArtifactMissing(uri=uri) from self.cause(error)

    @contextmanager
    def during(
        self, operation: str, uri: str, *, passing: type[BaseException] | tuple[()] = ()
    ) -> Iterator[None]:
        """Turn a storage's errors into `StorageFailed`, naming the operation and the object."""
        try:
            yield
        except JammiError:
            raise
        except Exception as error:
            if isinstance(error, passing):
                raise
            raise self._failed(operation, uri, error) from self.cause(error)

    def cause(self, error: Exception) -> Exception | None:
        """Give the error to chain: itself, or nothing where its text holds a secret of the root."""
        return None if any(secret in str(error) for secret in self._secrets) else error

    def text(self, error: Exception) -> str:
        """Give the error's text without secrets."""
        text = str(error)
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return redacted_text(text)

    def _failed(self, operation: str, uri: str, error: Exception) -> StorageFailed:
        way_out = "check that the root exists, can be reached and that its credentials are right"
        if isinstance(error, ImportError):
            way_out = "install the package that serves this kind of root (for s3: jammi-dagster[s3])"
        if isinstance(error, OSError) and error.errno is not None:
            way_out = _WAYS_OUT.get(error.errno, way_out)
        cause = redacted_text(f"{type(error).__name__}: {self.text(error)}")
        return StorageFailed(root=self.root, operation=operation, uri=uri, cause=cause, way_out=way_out)


def quietly(*steps: Callable[[], object]) -> None:
    """Call each step, whatever the steps before it raised."""
    for step in steps:
        with suppress(Exception):
            step()
