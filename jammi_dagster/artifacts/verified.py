"""Verified reads: artifacts are compared with their recorded digests as they are read, and an error names the table.

Rules:

1. A page is verified whenever it is read. A whole file is hashed once per process, and again if it has changed since.
2. An artifact without recorded footer is hashed beside the reader. `VerifiedReads.join` waits for that: nothing that
   was computed from the artifact may be published before.
3. A sidecar that is missing, damaged or of other bytes is no error here: then the digest of the catalog decides.

Not done here: choosing the `Verification` (see `adapters/assets/verification.py`).
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from jammi_dagster.artifacts.parquet.footer import Footer
from jammi_dagster.artifacts.sidecar import read_manifest
from jammi_dagster.artifacts.storage.root import ArtifactRoot
from jammi_dagster.contract import MaterializationManifest, Verification
from jammi_dagster.errors import ArtifactCorrupt, ArtifactUnreadable, InvalidField, JammiError
from jammi_dagster.threads import Workers

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds

_MOST_KNOWN = 10_000
_DAMAGED_PAGE = "page integrity"  # in pyarrow's message, and in those of libraries that pass it on


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An artifact as the catalog records it. `digest` is None over an engine's catalog: then the sidecar has it."""

    root: ArtifactRoot
    table: str
    path: str
    digest: str | None

    def corrupt(self, why: str) -> ArtifactCorrupt:
        """Build the error for other bytes than the recorded ones."""
        return ArtifactCorrupt(table=self.table, uri=self.root.uri(self.path), why=why)


class VerifiedReads:
    """Reads of one step: leave its `with` block before anything that was computed from them is published.

    Leaving the block raises `ArtifactCorrupt` if an artifact did not have its recorded digest. An error that a damaged
    page caused within the block becomes an `ArtifactCorrupt` too.
    """

    def __init__(self, verification: Verification = Verification.PAGES) -> None:
        self.verification = verification
        self._hashes: list[tuple[Recorded, str, Future[str]]] = []
        self._lazy: list[tuple[Recorded, str]] = []
        self._worker: Workers | None = None
        self._stopped = threading.Event()

    def __enter__(self) -> VerifiedReads:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.join()
            elif _may_come_of_damage(error):
                self._name_damaged(error)
        finally:
            self._stop()

    def read_table(self, artifact: Recorded) -> pa.Table:
        """Read the whole table. Raise `ArtifactCorrupt`."""
        import pyarrow.parquet as pq

        root = artifact.root
        digest, footer = self._recorded(artifact)
        if digest is None:
            return root.read_table(artifact.path)
        with _unreadable_is_corrupt(artifact), root.open_native(artifact.path) as source:
            metadata = None
            if footer is not None:
                tail = source.read_at(max(source.size() - footer.offset, 0), footer.offset)
                _check(artifact, footer, source.size(), tail)
                metadata = pq.read_metadata(_buffer(tail))
            if footer is None or self.verification is Verification.FULL:
                self._hash(artifact, digest, None if root.is_local else source)
            with pq.ParquetFile(
                source, metadata=metadata, page_checksum_verification=footer is not None
            ) as file:
                return file.read()

    def read_checked(self, artifact: Recorded) -> pa.Table:
        """Read the whole table, once all its bytes are the recorded ones. Raise `ArtifactCorrupt`."""
        import pyarrow.parquet as pq

        digest, _ = _recorded(artifact)
        with artifact.root.open_native(artifact.path) as source:
            data = source.read_buffer()
        _compare(artifact, str(digest), _digest_of_bytes(data))
        with pq.ParquetFile(data) as file:
            return file.read()

    def dataset(self, artifact: Recorded) -> ds.Dataset:
        """Open the table as a dataset, which verifies each page when a query reads it. Raise `ArtifactCorrupt`."""
        root = artifact.root
        digest, footer = self._recorded(artifact)
        if digest is None:
            return root.dataset(artifact.path)
        if footer is not None:
            _check(artifact, footer, *root.read_from(artifact.path, footer.offset))
            self._lazy.append((artifact, digest))
        if footer is None or self.verification is Verification.FULL:
            self._hash(artifact, digest)
        from jammi_dagster.artifacts.named_dataset import NamedDataset  # it imports pyarrow.dataset

        with _unreadable_is_corrupt(artifact):
            dataset = root.dataset(artifact.path, verify_pages=footer is not None)
        return NamedDataset.of(dataset, lambda: _naming(artifact, digest))

    def join(self) -> None:
        """Wait for the files that are hashed. Raise `ArtifactCorrupt`."""
        while self._hashes:
            artifact, digest, found = self._hashes.pop()
            _compare(artifact, digest, found.result())

    def _recorded(self, artifact: Recorded) -> tuple[str | None, Footer | None]:
        """Return the digest to verify by, None if there is none or nothing is to be verified; and the footer."""
        if self.verification is Verification.OFF:
            return None, None
        return _recorded(artifact)

    def _hash(self, artifact: Recorded, digest: str, source: pa.NativeFile | None = None) -> None:
        """Hash the object, or the bytes of it that are in memory, beside the reader."""
        if self._worker is None:
            self._worker = Workers(1, "jammi-verify", purpose="verify the inputs of a step")
        if source is None:
            found = self._worker.submit(_digest_of_file, artifact, self._stopped)
        else:
            found = self._worker.submit(_digest_of_bytes, source.read_buffer())
            source.seek(0)
        self._hashes.append((artifact, digest, found))

    def _name_damaged(self, error: BaseException) -> None:
        """Raise `ArtifactCorrupt` from an error within the block if an artifact that was read is damaged."""
        try:
            self.join()
            for artifact, digest in self._lazy:
                _compare(artifact, digest, _digest_of_file(artifact, self._stopped))
        except ArtifactCorrupt as corrupt:
            raise corrupt from error

    def _stop(self) -> None:
        self._stopped.set()
        if self._worker is not None:
            self._worker.shutdown(cancel_futures=True)


def _check(artifact: Recorded, footer: Footer, size: int, data: bytes) -> None:
    if (why := footer.difference(size, data)) is not None:
        raise artifact.corrupt(why)


def _compare(artifact: Recorded, digest: str, found: str) -> None:
    if found != digest:
        raise artifact.corrupt(f"their SHA-256 is {found}, not {digest}")


@contextmanager
def _naming(artifact: Recorded, digest: str) -> Iterator[None]:
    """Raise `ArtifactCorrupt` from an error of a query if the artifact is damaged."""
    try:
        yield
    except Exception as error:
        if _may_come_of_damage(error):
            try:
                _compare(artifact, digest, _digest_of_file(artifact, threading.Event()))
            except ArtifactCorrupt as corrupt:
                raise corrupt from error
        raise


@contextmanager
def _unreadable_is_corrupt(artifact: Recorded) -> Iterator[None]:
    try:
        yield
    except ArtifactUnreadable as error:
        raise artifact.corrupt(f"it cannot be read ({error.why})") from error


def _buffer(data: bytes) -> pa.NativeFile:
    import pyarrow as pa

    return pa.BufferReader(data)


def _may_come_of_damage(error: BaseException) -> bool:
    """Tell errors that pyarrow raises for a damaged file, itself or below another library's error."""
    from pyarrow import ArrowException

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ArrowException) or _DAMAGED_PAGE in str(cause):
            return True
        if type(cause) is OSError and cause.errno is None:
            return True
        cause = cause.__cause__ or cause.__context__
    return False


# one lock for both: they are touched once per input
_lock = threading.Lock()
_footers: OrderedDict[tuple[str, str, str], Footer] = OrderedDict()
_digests: OrderedDict[tuple[str, str, str], str] = OrderedDict()


def _recorded(artifact: Recorded) -> tuple[str | None, Footer | None]:
    """Return the recorded digest, and the footer if the sidecar has one and agrees with the catalog."""
    key = (artifact.root.name, artifact.path, str(artifact.digest))
    with _lock:
        known = _footers.get(key)
    if known is not None:
        return artifact.digest, known
    try:
        manifest = read_manifest(artifact.root, artifact.path)
    except JammiError:
        manifest = None
    digest = artifact.digest or (None if manifest is None else str(manifest.artifact))
    footer = None if manifest is None or manifest.artifact != digest else _footer_in(manifest)
    if footer is not None and artifact.digest is not None:
        _keep(_footers, key, footer)
    return digest, footer


def _footer_in(manifest: MaterializationManifest) -> Footer | None:
    try:
        return Footer.from_dict((manifest.own or {}).get("footer"))
    except InvalidField:
        return None


def _digest_of_file(artifact: Recorded, stopped: threading.Event) -> str:
    """Hash the object, unless this process has and it has not changed since."""
    root, path = artifact.root, artifact.path
    key = (root.name, path, root.version(path))
    with _lock:
        known = _digests.get(key)
    if known is None:
        hashed = hashlib.sha256()
        for block in root.blocks(path):
            if stopped.is_set():
                raise CancelledError
            hashed.update(block)
        known = hashed.hexdigest()
        _keep(_digests, key, known)
    return known


def _digest_of_bytes(data: pa.Buffer) -> str:
    return hashlib.sha256(data).hexdigest()


def _keep(known: OrderedDict[tuple[str, str, str], Any], key: tuple[str, str, str], value: object) -> None:
    with _lock:
        known[key] = value
        while len(known) > _MOST_KNOWN:
            known.popitem(last=False)
