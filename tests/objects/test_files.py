"""Files and folders: equal ones have equal bytes; a reader gets a copy that is its own, and may not be written."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pyarrow as pa
import pytest

from jammi_dagster.errors import ObjectUnreadable, UnstorableData
from jammi_dagster.objects import encoded, load_object
from jammi_dagster.objects.chunks import CHUNK, table_of


def stored(path: Path) -> pa.Table:
    """Return the table of a path's bytes."""
    reader = encoded(path, None, table="t")
    assert reader is not None
    return reader.read_all()


def grown(folder: Path, names: list[str]) -> Path:
    """Make a folder with files and an empty folder, in the order of the names."""
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "empty").mkdir()
    return folder


def test_equal_folders_have_equal_bytes(tmp_path: Path) -> None:
    """The order in which files were made, their times and owners leave no trace; the right to run a file does."""
    one = grown(tmp_path / "1" / "out", ["b", "a/x", "a/y"])
    two = grown(tmp_path / "2" / "out", ["a/y", "b", "a/x"])
    os.utime(two / "b", (0, 0))
    (two / "a").chmod(0o700)
    assert stored(one).equals(stored(two), check_metadata=True)
    (two / "b").chmod(0o755)
    assert not stored(one).equals(stored(two))


def test_a_folder_comes_back_as_a_private_copy(tmp_path: Path) -> None:
    """Two reads are two copies, with the same files and nobody's right to write."""
    table = stored(grown(tmp_path / "out", ["b", "a/é x"]))
    one, two = load_object(table, of="t"), load_object(table, of="t")
    assert one != two
    assert one.name == two.name == "out"
    for copy in (one, two):
        assert sorted(path.relative_to(copy).as_posix() for path in copy.rglob("*")) == [
            "a",
            "a/é x",
            "b",
            "empty",
        ]
        assert (copy / "a/é x").read_text() == "a/é x"
        assert not any(path.stat().st_mode & 0o222 for path in [copy, *copy.rglob("*")])


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1])
def test_a_file_comes_back(tmp_path: Path, size: int) -> None:
    """Also an empty one, and one of more than a chunk; a program is one again."""
    path = tmp_path / "weights.bin"
    path.write_bytes(os.urandom(size))
    path.chmod(0o755 if size == 1 else 0o600)
    table = stored(path)
    assert table.num_rows == -(-size // CHUNK)
    found = load_object(table, of="t")
    assert (found.name, found.read_bytes()) == (path.name, path.read_bytes())
    assert found.stat().st_mode & 0o777 == (0o555 if size == 1 else 0o444)


@pytest.mark.parametrize("case", ["absent", "a link", "a link within", "a pipe within", "a pipe"])
def test_other_paths_are_refused(tmp_path: Path, case: str) -> None:
    """A link leads elsewhere, and a pipe ends never: the error names the entry."""
    folder = grown(tmp_path / "out", ["b"])
    path = folder
    if case == "absent":
        path = tmp_path / "gone"
    elif case == "a link":
        path = tmp_path / "link"
        path.symlink_to(folder)
    elif case == "a link within":
        (folder / "link").symlink_to("b")
    else:
        path = folder if "within" in case else tmp_path / "pipe"
        os.mkfifo(folder / "pipe" if "within" in case else path)
    with pytest.raises(UnstorableData) as raised:
        stored(path)
    assert {"absent": "gone", "a link": "link", "a link within": "link in out"}.get(case, "pipe") in str(
        raised.value
    )


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out"])
def test_no_entry_leads_out_of_a_copy(tmp_path: Path, name: str) -> None:
    """A tar that somebody else wrote is read as far as its entries have a place below the folder, and no further."""
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    described = {"format": "folder", "media_type": "application/x-tar", "name": "out"}
    table = table_of([(tmp_path / "bad.tar").read_bytes()], described).read_all()
    with pytest.raises(ObjectUnreadable, match="out"):
        load_object(table, of="t")
