"""The bytes being written: stored, and hashed, in threads beside the writer."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from jammi_dagster.artifacts.storage.sink import Sink

_BLOCK = 1 << 20
_LITTLE = 1 << 18
_AHEAD = 16 << 20


class Lane:
    """A thread that does what it is given in order. hashlib and the file system let go of the interpreter meanwhile.

    `put` waits while more than 16 MiB are queued, so that a slow lane does not fill the memory.
    """

    def __init__(self, name: str) -> None:
        self._worker = ThreadPoolExecutor(1, name)
        self._queued: deque[tuple[Future[object], int]] = deque()
        self._bytes = 0

    def put(self, action: Callable[[bytes], object], block: bytes) -> None:
        """Does `action(block)`, some time later unless it is little. Raises what an earlier one raised."""
        self._wait(_AHEAD)
        if len(block) < _LITTLE and not self._queued:  # a small table needs no thread
            action(block)
            return
        self._queued.append((self._worker.submit(action, block), len(block)))
        self._bytes += len(block)

    def drain(self) -> None:
        """Waits until all is done. Raises what an action raised."""
        self._wait(0)

    def close(self) -> None:
        """Ends the thread; what is queued is dropped."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _wait(self, most: int) -> None:
        while self._bytes > most:
            done, length = self._queued.popleft()
            self._bytes -= length
            done.result()


class HashingSink:
    """The file that pyarrow writes to: its bytes go to a sink, and into the hashes of file and row group."""

    closed = False

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._lanes = Lane("jammi-file"), Lane("jammi-group")
        self._file = hashlib.sha256()
        self._group = hashlib.sha256()
        self._in_group = False
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
        self._pending.append(bytes(data))  # a buffer of pyarrow's may be filled again
        self._pending_size += len(data)
        return len(data)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        """pyarrow asks for it; durability is the sink's."""

    def close(self) -> None:
        """pyarrow may ask for it; the sink is closed by who opened it."""

    def begin_group(self) -> None:
        """What follows is a row group."""
        self._pass_on()
        self._in_group = True

    def end_group(self) -> Callable[[], str]:
        """What gives the SHA-256 of the bytes since `begin_group`, once the sink is drained."""
        self._pass_on()
        self._in_group = False
        done, self._group = self._group, hashlib.sha256()
        return done.hexdigest

    def drain(self) -> str:
        """Waits until all is stored and hashed; returns the SHA-256 of all bytes. Raises `StorageFailed`."""
        self._pass_on()
        for lane in self._lanes:
            lane.drain()
        return self._file.hexdigest()

    def stop(self) -> None:
        """Ends the threads; what pyarrow still writes, as it does when it is collected, goes nowhere."""
        self._stopped = True
        for lane in self._lanes:
            lane.close()

    def _pass_on(self) -> None:
        block = b"".join(self._pending)
        self._pending, self._pending_size = [], 0
        if not block:
            return
        file, group = self._lanes
        file.put(self._store, block)
        if self._in_group:
            group.put(self._group.update, block)

    def _store(self, block: bytes) -> None:
        self._sink.write(block)
        self._file.update(block)
