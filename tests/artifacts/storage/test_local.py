"""Local roots: committed objects survive a loss of power, and failures to write give the reason."""

from __future__ import annotations

import errno
import os
import timeit
from collections.abc import Callable
from pathlib import Path

import pytest

from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.errors import ArtifactExists, StorageFailed


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files and folders that were fsynced, in order."""
    found: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        found.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return found


def test_a_file_and_every_folder_that_gained_an_entry_are_synced(tmp_path: Path, synced: list[str]) -> None:
    """The bytes first, then the folders from the file upwards to what was there before."""
    ArtifactRoot(f"{tmp_path}/new/root").write_bytes_durable("a/b/file", b"x")
    expected = ["new/root/a/b/file", "new/root/a/b", "new/root/a", "new/root", "new", ""]
    assert synced == [str(tmp_path / path) for path in expected]


def test_a_known_folder_is_synced_for_its_new_entry_alone(tmp_path: Path, synced: list[str]) -> None:
    """The second object in a folder costs two fsyncs."""
    root = ArtifactRoot(str(tmp_path))
    root.write_bytes_durable("a/first", b"x")
    synced.clear()
    root.write_bytes_durable("a/second", b"x")
    assert synced == [str(tmp_path / "a/second"), str(tmp_path / "a")]


def test_a_folder_that_another_process_made_is_settled_too(tmp_path: Path, synced: list[str]) -> None:
    """A folder of another process is fsynced too: its maker may have lost power before doing so."""
    (tmp_path / "a").mkdir()
    ArtifactRoot(str(tmp_path)).write_bytes_durable("a/file", b"x")
    assert synced == [str(tmp_path / "a/file"), str(tmp_path / "a"), str(tmp_path)]


def test_a_folder_that_was_removed_is_settled_again(tmp_path: Path, synced: list[str]) -> None:
    """A removed folder is forgotten, and fsynced anew once it is made again."""
    root = ArtifactRoot(str(tmp_path))
    root.write_bytes_durable("a/file", b"x")
    (tmp_path / "a/file").unlink()
    (tmp_path / "a").rmdir()
    synced.clear()
    root.write_bytes_durable("a/file", b"x")
    assert synced == [str(tmp_path / "a/file"), str(tmp_path / "a"), str(tmp_path)]


def test_a_file_system_without_folder_sync_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network file systems refuse to fsync a folder; that is no failure of the write."""
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    root = ArtifactRoot(str(tmp_path))
    root.write_bytes_durable("a/file", b"x")
    assert root.size("a/file") == 1


def test_a_failed_fsync_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that did not reach the disk are removed."""

    def fsync(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fsync)
    root = ArtifactRoot(str(tmp_path))
    with pytest.raises(StorageFailed, match="Input/output error"):
        root.write_bytes_durable("a/file", b"x")
    assert root.size("a/file") is None


def test_an_existing_file_is_opened_by_nobody(tmp_path: Path) -> None:
    """With O_EXCL, a file that appears between check and open is not written to either."""
    (tmp_path / "file").write_bytes(b"theirs")
    with pytest.raises(ArtifactExists):
        ArtifactRoot(str(tmp_path)).write_bytes_durable("file", b"ours")
    assert (tmp_path / "file").read_bytes() == b"theirs"


def test_a_full_disk_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the root and that space is needed; nothing is left."""
    root = ArtifactRoot(str(tmp_path))
    sink = root.open_sink("a/file")
    monkeypatch.setattr(sink._upload, "_file", _Full(sink._upload._file))  # type: ignore[attr-defined]
    with pytest.raises(StorageFailed, match=r"free some space .* \(root /") as caught, sink:
        sink.write(b"x")
    assert caught.value.root == str(tmp_path)
    assert caught.value.operation == "write"
    assert root.size("a/file") is None


class _Full:
    def __init__(self, file: object) -> None:
        self._file = file

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("blocked", ["root", "root/a"])
def test_a_file_in_the_place_of_a_folder_is_a_typed_error(tmp_path: Path, blocked: str) -> None:
    """A root that is a file, or that holds a file where a folder has to be, is told apart from an absent object."""
    root = ArtifactRoot(f"{tmp_path}/root")
    (tmp_path / blocked).parent.mkdir(exist_ok=True)
    (tmp_path / blocked).write_bytes(b"")
    uses: list[Callable[[], object]] = [
        lambda: root.write_bytes_durable("a/file", b"x"),
        lambda: root.size("a/file"),
    ]
    for use in uses:
        with pytest.raises(StorageFailed, match="move the file away or use another root"):
            use()


@pytest.mark.skipif(os.name == "nt", reason="permissions of posix")
def test_a_root_without_permission_is_a_typed_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the missing permission and the way out. The refusal is simulated, for tests of a superuser."""

    def mkdir(path: str, mode: int = 0o777) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "mkdir", mkdir)
    with pytest.raises(StorageFailed, match="make it writable"):
        ArtifactRoot(f"{tmp_path}/root").write_bytes_durable("a/file", b"x")


def test_a_name_that_is_too_long_is_a_failure_not_an_absence(tmp_path: Path) -> None:
    """Only "no such file" means absent."""
    with pytest.raises(StorageFailed, match="cannot look at"):
        ArtifactRoot(str(tmp_path)).size("x" * 5000)


def test_looking_at_a_size_is_cheap(tmp_path: Path) -> None:
    """A probe over many rows asks once per row: well under 20 µs each."""
    root = ArtifactRoot(str(tmp_path))
    root.write_bytes_durable("tables/t-0123456789abcdef/0190.parquet", b"x")
    best = min(
        timeit.repeat(lambda: root.size("tables/t-0123456789abcdef/0190.parquet"), number=1000, repeat=5)
    )
    assert best / 1000 < 100e-6  # generous: machines that run tests are busy
