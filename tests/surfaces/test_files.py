"""Files as inputs: the digest of their content, read again unless it is proved that nothing changed."""

import hashlib
import mmap
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from core_kit import apart

from jammi_dagster.contract import InputAnchor
from jammi_dagster.errors import InvalidField, SurfaceUnavailable
from jammi_dagster.surfaces import VersionSurface, file, files


def _version(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A file that was just written."""
    path = tmp_path / "raw.csv"
    path.write_bytes(b"one")
    return path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that are read, in order."""
    seen: list[str] = []
    read = files._read

    def counted(path: str) -> Any:
        seen.append(path)
        return read(path)

    monkeypatch.setattr(files, "_read", counted)
    return seen


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the clock 61 seconds ahead, so that files written just now have settled; each file counts as large."""
    monkeypatch.setattr(files, "time", SimpleNamespace(time_ns=lambda: time.time_ns() + 61_000_000_000))
    monkeypatch.setattr(files, "_SMALL", 0)


# --- what a version is --------------------------------------------------------------------------------


def test_a_version_is_the_digest_of_the_content(raw: Path) -> None:
    """Two files of equal content have one version, whatever they are called and however old they are."""
    other = raw.with_name("other.csv")
    other.write_bytes(b"one")
    os.utime(other, (1, 1))
    assert file(raw).observe() == file(other).observe() == _version(b"one")


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 5_000_000, b"x" * (1 << 20)], ids=["empty", "5 MB", "one block"]
)
def test_any_content_has_a_version(tmp_path: Path, data: bytes) -> None:
    """Empty files and files of many blocks too."""
    (tmp_path / "data").write_bytes(data)
    assert file(tmp_path / "data").observe() == _version(data)


def test_a_missing_file_is_none(raw: Path) -> None:
    """Gone is a result, not an error; and so is a link that leads nowhere."""
    surface = file(raw)
    raw.unlink()
    assert surface.observe() is None
    raw.symlink_to(raw.with_name("nowhere"))
    assert surface.observe() is None
    raw.unlink()
    raw.write_bytes(b"back")
    assert surface.observe() == _version(b"back")


def test_a_surface_has_a_name_and_a_version(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is the path as given, or one of its own; the file is found from any working folder."""
    monkeypatch.chdir(tmp_path)
    relative, named = file("tests/surfaces/test_files.py"), file(raw, name="planes")
    assert isinstance(relative, VersionSurface)
    assert (relative.source, named.source) == (
        "file:tests/surfaces/test_files.py",
        "file:planes",
    )
    assert file(raw).source == f"file:{raw}"
    monkeypatch.chdir("/")
    assert relative.observe() == _version(Path(__file__).read_bytes())
    assert named.observe() == _version(b"one")


@pytest.mark.parametrize(
    ("path", "name"), [("", None), ("a\0b", None), ("a", ""), ("a", "b\0"), ("a\udcff", None)]
)
def test_a_path_that_cannot_name_an_input(path: str, name: str | None) -> None:
    """A path or name that an anchor cannot hold is refused at its declaration."""
    with pytest.raises(InvalidField):
        file(path, name=name)


def test_a_file_whose_name_is_no_text_can_be_given_one(tmp_path: Path) -> None:
    """A file name of other bytes than UTF-8 is usable under a name of its own."""
    path = os.path.join(tmp_path, "a\udcff")
    with open(path, "wb") as stream:
        stream.write(b"one")
    surface = file(path, name="a")
    assert surface.observe() == _version(b"one")
    assert InputAnchor.source_version(surface.source, surface.observe() or "").source == "file:a"


# --- what has no version ------------------------------------------------------------------------------


def test_a_folder_has_no_version(tmp_path: Path) -> None:
    """A folder is no file: the error says what to declare instead."""
    with pytest.raises(SurfaceUnavailable, match="declare its files") as raised:
        file(tmp_path, name="raw").observe()
    assert raised.value.source == "file:raw"


def test_pipes_and_devices_have_no_version(tmp_path: Path) -> None:
    """Reading them could wait for ever, or never end: they are not opened."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", "/dev/stdin"):
        with pytest.raises(SurfaceUnavailable):
            file(path).observe()


def _refusal(path: Path) -> str:
    with pytest.raises(SurfaceUnavailable) as raised:
        file(path).observe()
    return str(raised.value)


def test_a_file_that_cannot_be_read_has_no_version(raw: Path) -> None:
    """No permission is not the same as no file."""
    raw.chmod(0o000)
    assert "Permission denied" in apart(_refusal, raw, privileged=False)


def test_a_loop_of_links_has_no_version(tmp_path: Path) -> None:
    """A path that the system cannot follow has no version either."""
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(SurfaceUnavailable):
        file(tmp_path / "a").observe()


class _Meddler:
    """SHA-256 that appends to the file, once per reading, while it is read; `times` readings long."""

    def __init__(self, path: Path, times: int) -> None:
        self.path, self.left = path, times

    def sha256(self) -> Any:
        real, waiting = hashlib.sha256(), [self.left > 0]
        self.left -= 1

        def update(block: bytes) -> None:
            real.update(block)
            if waiting.pop() if waiting else False:
                with self.path.open("ab") as stream:
                    stream.write(b"!")

        return SimpleNamespace(update=update, hexdigest=real.hexdigest)


def test_a_file_that_changes_while_it_is_read_is_read_again(
    raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A digest is of one state of the file, not of a mixture of two."""
    monkeypatch.setattr(files, "hashlib", _Meddler(raw, times=3))
    assert file(raw).observe() == _version(b"one!!!")


def test_a_file_that_keeps_changing_has_no_version(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some attempts the version is undecidable, not a guess."""
    monkeypatch.setattr(files, "hashlib", _Meddler(raw, times=100))
    with pytest.raises(SurfaceUnavailable, match="changed while it was read"):
        file(raw).observe()


# --- what is kept in memory ---------------------------------------------------------------------------


@pytest.mark.usefixtures("later")
def test_a_settled_file_is_read_once(raw: Path, reads: list[str]) -> None:
    """While inode, size, mtime and ctime stay, the digest stands for the file, for every surface on it."""
    versions = {file(raw).observe(), file(raw, name="other").observe(), file(str(raw)).observe()}
    assert versions == {_version(b"one")}
    assert reads == [str(raw)]


def test_a_small_file_is_read_at_each_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of up to 1 MiB is digested each time, however long it has rested; a larger one is trusted."""
    monkeypatch.setattr(files, "time", SimpleNamespace(time_ns=lambda: time.time_ns() + 61_000_000_000))
    read = files._read
    for size, times in ((1 << 20, 2), ((1 << 20) + 1, 1)):
        path = tmp_path / str(size)
        seen: list[str] = []
        path.write_bytes(b"x" * size)
        monkeypatch.setattr(files, "_read", lambda path, seen=seen: (seen.append(path), read(path))[1])
        file(path).observe()
        file(path).observe()
        assert len(seen) == times


@pytest.mark.parametrize("size", [3, (1 << 20) + 1], ids=["small", "large"])
def test_a_write_through_an_open_mapping_is_seen(tmp_path: Path, size: int) -> None:
    """A shared mapping may change the content before the times of the file tell: the next look sees it."""
    path = tmp_path / "mapped"
    path.write_bytes(b"a" * size)
    with path.open("r+b") as stream, mmap.mmap(stream.fileno(), 0) as mapped:
        for letter in (b"b", b"c", b"b"):
            mapped[0:1] = letter
            assert file(path).observe() == _version(letter + b"a" * (size - 1))


def test_a_file_written_just_now_is_always_read(raw: Path, reads: list[str]) -> None:
    """Within 60 seconds of a change a write may hide in a mapping, or in the clock's granularity."""
    surface = file(raw)
    surface.observe()
    surface.observe()
    assert len(reads) == 2


def test_sixty_seconds_are_what_it_takes(
    raw: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest is kept once the ctime is more than 60 seconds older than the reading, not before."""
    monkeypatch.setattr(files, "_SMALL", 0)
    changed = raw.stat().st_ctime_ns
    for age, read_again in ((60_000_000_000, 2), (60_000_000_001, 1)):
        monkeypatch.setattr(files, "time", SimpleNamespace(time_ns=lambda age=age: changed + age))
        reads.clear()
        file(raw).observe()
        file(raw).observe()
        assert len(reads) == read_again


def _touch(path: Path) -> None:
    os.utime(path)


def _rewrite_in_place(path: Path) -> None:
    """Same size, same inode, mtime as it was."""
    before = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replace(path: Path) -> None:
    """Same size, mtime as it was, another inode."""
    before = path.stat()
    new = path.with_name("new")
    new.write_bytes(b"two")
    os.utime(new, ns=(before.st_atime_ns, before.st_mtime_ns))
    new.replace(path)


def _relink(path: Path) -> None:
    """A link to another file takes its place."""
    _replace(path)
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def _restrict(path: Path) -> None:
    """Only the ctime changes."""
    path.chmod(0o600)


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize(
    ("change", "content"),
    [
        (_touch, b"one"),
        (_restrict, b"one"),
        (_rewrite_in_place, b"two"),
        (_replace, b"two"),
        (_relink, b"two"),
    ],
)
def test_any_trace_of_a_change_makes_it_read_again(
    raw: Path, reads: list[str], change: Any, content: bytes
) -> None:
    """After any change to the file its content is read again, and counts."""
    surface = file(raw)
    surface.observe()
    reads.clear()
    change(raw)
    assert surface.observe() == _version(content)
    assert len(reads) == 1


def test_a_rewrite_at_once_is_seen(raw: Path) -> None:
    """Two contents of one size within one tick of the clock are two versions."""
    surface = file(raw)
    for content in (b"two", b"six", b"ten"):
        before = raw.stat()
        assert surface.observe() is not None
        raw.write_bytes(content)
        os.utime(raw, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert surface.observe() == _version(content)


@pytest.mark.skipif(not Path("/proc/sys/kernel/random/uuid").exists(), reason="a file of Linux")
@pytest.mark.usefixtures("later")
def test_a_file_system_that_is_not_local_is_always_read(reads: list[str]) -> None:
    """Only a local file system's times are proof: this file has another content each time it is read."""
    surface = file("/proc/sys/kernel/random/uuid")
    assert surface.observe() != surface.observe()
    assert len(reads) == 2


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The table of mounts, for a test to fill."""
    path = tmp_path / "mounts"
    monkeypatch.setattr(files, "_MOUNTS", path)
    yield path
    files._known.clear()


@pytest.mark.parametrize(
    ("table", "local"),
    [
        ("/dev/vda / ext4 rw 0 0\n", True),
        ("/dev/vda / ext4 rw 0 0\nserver:/x {here} nfs4 rw 0 0\n", False),
        ("server:/x / nfs4 rw 0 0\n/dev/vda {here} xfs rw 0 0\n", True),
        ("/dev/vda / ext4 rw 0 0\ntmpfs {here} tmpfs rw 0 0\n", False),
        ("/dev/vda / ext4 rw 0 0\noverlay {here} overlay rw 0 0\n", False),
        ("/dev/vda / ext4 rw 0 0\ntmpfs {here} tmpfs rw 0 0\nserver:/x {here} fuse.sshfs rw 0 0\n", False),
        ("/dev/vda / ext4 rw 0 0\nserver:/x {here}/da nfs4 rw 0 0\n", True),
        ("/dev/vda / something_new rw 0 0\n", False),
        ("", False),
    ],
)
@pytest.mark.usefixtures("later")
def test_the_innermost_and_last_mount_decides(
    mounts: Path, reads: list[str], tmp_path: Path, table: str, local: bool
) -> None:
    """A file system is trusted by the kind of the mount that the file lies on; one that is not known is not."""
    (tmp_path / "data").write_bytes(b"x")
    mounts.write_text(table.format(here=tmp_path))
    file(tmp_path / "data").observe()
    file(tmp_path / "data").observe()
    assert len(reads) == (1 if local else 2)


@pytest.mark.parametrize(
    "folder", ["données", "with space", "tab\tand\nnewline", "back\\slash", "日本", "a\u2028b"]
)
@pytest.mark.usefixtures("later")
def test_a_mount_with_an_odd_path_is_recognized(
    mounts: Path, reads: list[str], tmp_path: Path, folder: str
) -> None:
    """A network mount is not taken for the local file system around it because of how its path is written."""
    here = tmp_path / folder
    here.mkdir()
    (here / "data").write_bytes(b"x")
    escaped = (
        str(here).replace("\\", r"\134").replace(" ", r"\040").replace("\t", r"\011").replace("\n", r"\012")
    )
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/x {escaped} nfs4 rw 0 0\n", encoding="utf-8")
    file(here / "data").observe()
    file(here / "data").observe()
    assert len(reads) == 2


@pytest.mark.usefixtures("later")
def test_without_a_table_of_mounts_nothing_is_trusted(mounts: Path, reads: list[str], raw: Path) -> None:
    """Without a table of mounts, a file system is not trusted."""
    assert not mounts.exists()
    file(raw).observe()
    file(raw).observe()
    assert len(reads) == 2
