"""Sinks: new objects while they are written."""

from __future__ import annotations

import os
from types import TracebackType

from jammi_dagster.artifacts.storage.storage import Faults, Upload
from jammi_dagster.errors import ForkedWriter


class Sink:
    """A new object. As a context manager: durable after the block, gone if an exception leaves the block."""

    def __init__(self, upload: Upload, *, faults: Faults, uri: str) -> None:
        self._upload = upload
        self._faults = faults
        self._uri = uri
        self._pid = os.getpid()

    def write(self, data: bytes) -> int:
        """Append `data` and return its length. Raise `StorageFailed`; `ForkedWriter` in a forked child."""
        if os.getpid() != self._pid:  # it shares the file, and the place in it, with the parent
            raise ForkedWriter(target=self._uri)
        with self._faults.during("write", self._uri):
            self._upload.write(data)
        return len(data)

    def commit(self) -> None:
        """Make the object durable, or remove it. Raise `StorageFailed`."""
        try:
            with self._faults.during("write", self._uri):
                self._upload.commit()
        except BaseException:
            self.abort()
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
