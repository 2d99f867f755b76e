"""Sinks: new objects while they are written."""

from __future__ import annotations

import os
from types import TracebackType

from jammi_dagster.artifacts.storage.storage import Upload, storage_failed
from jammi_dagster.errors import ForkedWriter


class Sink:
    """A new object. As a context manager: durable after the block, gone if an exception leaves the block."""

    def __init__(self, upload: Upload, *, root: str, uri: str) -> None:
        self._upload = upload
        self._root = root
        self._uri = uri
        self._pid = os.getpid()

    def write(self, data: bytes) -> int:
        """Append `data` and return its length. Raise `StorageFailed`; `ForkedWriter` in a forked child."""
        if os.getpid() != self._pid:  # it shares the file, and the place in it, with the parent
            raise ForkedWriter(target=self._uri)
        try:
            self._upload.write(data)
        except Exception as error:
            raise storage_failed(self._root, "write", self._uri, error) from error
        return len(data)

    def commit(self) -> None:
        """Make the object durable, or remove it. Raise `StorageFailed`."""
        try:
            self._upload.commit()
        except BaseException as error:
            self.abort()
            if isinstance(error, Exception):
                raise storage_failed(self._root, "write", self._uri, error) from error
            raise

    def abort(self) -> None:
        """Remove the object as far as the storage allows; not in a child that was forked meanwhile. Raise nothing."""
        if os.getpid() == self._pid:
            self._upload.abort()

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.commit()
        else:
            self.abort()
