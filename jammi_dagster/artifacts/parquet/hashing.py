"""The sink under pyarrow's writer: its bytes are stored and hashed in threads beside the writer."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from jammi_dagster.artifacts.storage.sink import Sink
from jammi_dagster.threads import Workers

_BLOCK = 1 << 20
_LITTLE = 1 << 18
_AHEAD = 16 << 20


class Lane:
    """A thread that works off its blocks in order. hashlib and the file system release the interpreter lock meanwhile.

    `put` waits while more than 16 MiB are queued, so that a slow lane does not fill the memory.
    """

    def __init__(self, name: str) -> None:
        self._worker = Workers(1, name, purpose="write and hash a table")
        self._queued: deque[tuple[Future[object], int]] = deque()
        self._bytes = 0

    def put(self, action: Callable[[bytes], object], block: bytes) -> None:
        """Run `action(block)`, later for a large block and at once for a small one. Raise an earlier action's error."""
        self._wait(_AHEAD)
        if len(block) < _LITTLE and not self._queued:  # a small table needs no thread
            action(block)
            return
        self._queued.append((self._worker.submit(action, block), len(block)))
        self._bytes += len(block)

    def drain(self) -> None:
        """Wait for every action. Raise the error of an action."""
        self._wait(0)

    def close(self) -> None:
        """End the thread and drop queued blocks."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _wait(self, most: int) -> None:
        while self._bytes > most:
            done, length = self._queued.popleft()
            self._bytes -= length
            done.result()


class HashingSink:
    """A file for pyarrow to write to. Its bytes go to a sink, and into the hashes of the file and of its parts."""

    closed = False

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._lanes = Lane("jammi-file"), Lane("jammi-part")
        self._file = hashlib.sha256()
        self._part = hashlib.sha256()
        self._in_part = False
        self._stopped = False
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._position = 0

    def write(self, data: bytes) -> int:
        if self._stopped:
            return len(data)
        self._position += len(data)
        if self._pending_size + len(data) >= _BLOCK:
            self._pass_on()
        self._pending.append(bytes(data))  # pyarrow may reuse the buffer
        self._pending_size += len(data)
        return len(data)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        """Do nothing: pyarrow calls `flush`, but durability is the sink's task."""

    def close(self) -> None:
        """Do nothing: pyarrow may call `close`, but the opener of the sink closes it."""

    def begin_part(self) -> None:
        """Begin a row group, or the footer, with the next byte."""
        self._pass_on()
        self._in_part = True

    def end_part(self) -> Callable[[], str]:
        """End the part. Return a function that gives the SHA-256 of its bytes once the sink is drained."""
        self._pass_on()
        self._in_part = False
        done, self._part = self._part, hashlib.sha256()
        return done.hexdigest

    def drain(self) -> str:
        """Wait until all bytes are stored and hashed, and return the SHA-256 of them. Raise `StorageFailed`."""
        self._pass_on()
        for lane in self._lanes:
            lane.drain()
        return self._file.hexdigest()

    def stop(self) -> None:
        """End the threads. Later writes, as pyarrow makes when it is garbage-collected, go nowhere."""
        self._stopped = True
        for lane in self._lanes:
            lane.close()

    def _pass_on(self) -> None:
        block = b"".join(self._pending)
        self._pending, self._pending_size = [], 0
        if not block:
            return
        file, part = self._lanes
        file.put(self._store, block)
        if self._in_part:
            part.put(self._part.update, block)

    def _store(self, block: bytes) -> None:
        self._sink.write(block)
        self._file.update(block)
