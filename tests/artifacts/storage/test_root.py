"""Roots of every kind: the same behaviour, local or remote."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
import pytest
from artifacts_kit import write

from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.errors import (
    ArtifactExists,
    ArtifactMissing,
    ArtifactOutsideRoot,
    ArtifactTooLarge,
    ArtifactUnreadable,
    InvalidField,
    StorageFailed,
)

TABLE = pa.table({"id": [1, 2, 3], "name": ["a", None, "c"]})


def test_what_was_written_is_read(root: ArtifactRoot) -> None:
    """Bytes, their size and their digest come back as they went in."""
    root.write_bytes_durable("a/b/c.json", b"hello")
    assert root.read_bytes("a/b/c.json") == b"hello"
    assert root.size("a/b/c.json") == 5
    assert root.digest("a/b/c.json") == hashlib.sha256(b"hello").hexdigest()


def test_an_absent_object_has_no_size(root: ArtifactRoot) -> None:
    """Absence is a result, a folder is not an object, and looking makes nothing."""
    assert root.size("a/b.parquet") is None
    root.write_bytes_durable("a/b/c", b"")
    assert root.size("a/b") is None
    assert root.size("a/b/c") == 0


@pytest.mark.parametrize("read", ["read_bytes", "digest", "read_table", "dataset"])
def test_reading_an_absent_object_is_a_typed_error(root: ArtifactRoot, read: str) -> None:
    """The error names the object and says to materialize the table again."""
    with pytest.raises(ArtifactMissing, match=r"a/b\.parquet does not exist; materialize"):
        getattr(root, read)("a/b.parquet")


def test_nothing_is_overwritten(root: ArtifactRoot) -> None:
    """A path that is taken is an error, and its object stays as it was."""
    root.write_bytes_durable("a/b", b"first")
    with pytest.raises(ArtifactExists, match="never overwritten"):
        root.write_bytes_durable("a/b", b"second")
    with pytest.raises(ArtifactExists):
        root.open_sink("a/b")
    assert root.read_bytes("a/b") == b"first"


def test_an_exception_leaves_no_object(root: ArtifactRoot) -> None:
    """An unfinished `with` block leaves no object, however large it had become."""

    def interrupted() -> None:
        with root.open_sink("a/b") as sink:
            for _ in range(12):
                sink.write(bytes(1 << 20))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert root.size("a/b") is None
    root.write_bytes_durable("a/b", b"again")
    assert root.read_bytes("a/b") == b"again"


def test_delete_is_idempotent(root: ArtifactRoot) -> None:
    """Removing an absent object is no error."""
    root.write_bytes_durable("a/b", b"x")
    root.delete("a/b")
    root.delete("a/b")
    assert root.size("a/b") is None


def test_no_more_than_the_limit_is_read(root: ArtifactRoot) -> None:
    """A huge sidecar does not fill the memory."""
    root.write_bytes_durable("a", b"12345")
    assert root.read_bytes("a", limit=5) == b"12345"
    with pytest.raises(ArtifactTooLarge, match="longer than 4 bytes"):
        root.read_bytes("a", limit=4)


def test_a_table_is_read_in_every_way(root: ArtifactRoot) -> None:
    """A table can be read whole, as an open file, as a dataset, and through pyarrow's file system."""
    path, _ = write(root, TABLE)
    assert root.read_table(path).equals(TABLE)
    with root.open_native(path) as source:
        assert pq.read_metadata(source).num_rows == 3
    dataset = root.dataset(path)
    assert dataset.to_table(columns=["id"]).to_pydict() == {"id": [1, 2, 3]}
    assert isinstance(root.filesystem, pyarrow.fs.FileSystem)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"not parquet at all", b"PAR1" + bytes(100) + b"PAR1"])
def test_a_file_that_is_not_parquet_is_a_typed_error(root: ArtifactRoot, data: bytes) -> None:
    """A truncated or foreign file is called unreadable, not a failure of the storage."""
    root.write_bytes_durable("a.parquet", data)
    with pytest.raises(ArtifactUnreadable, match=r"a\.parquet is not a readable Parquet file"):
        root.read_table("a.parquet")
    with pytest.raises(ArtifactUnreadable):
        root.dataset("a.parquet")


@pytest.mark.parametrize(
    "method",
    ["size", "read_bytes", "digest", "delete", "open_sink", "read_table", "dataset", "uri"],
)
def test_no_method_leaves_the_root(root: ArtifactRoot, method: str) -> None:
    """A path out of the root is refused before anything is opened."""
    with pytest.raises(ArtifactOutsideRoot):
        getattr(root, method)("../outside")


def test_a_root_survives_pickling(root: ArtifactRoot) -> None:
    """A step's process gets the root of the process that planned it."""
    root.write_bytes_durable("a", b"x")
    assert pickle.loads(pickle.dumps(root)).read_bytes("a") == b"x"


def test_making_a_root_makes_nothing(tmp_path: Path) -> None:
    """A missing root is made by the first write, never by a read."""
    root = ArtifactRoot(str(tmp_path / "no" / "such"))
    assert root.size("a") is None
    root.delete("a")
    assert not (tmp_path / "no").exists()
    root.write_bytes_durable("a", b"x")
    assert (tmp_path / "no" / "such" / "a").read_bytes() == b"x"


def test_a_local_root_has_many_spellings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path, relative or with `~`, and a file URI with escapes name the same folder, whatever the cwd becomes."""
    folder = tmp_path / "a b#%"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    roots = [ArtifactRoot(root) for root in (str(folder), "a b#%", "~/a b#%", folder.as_uri())]
    monkeypatch.chdir("/")
    assert {root.local_root for root in roots} == {str(folder)}
    assert all(root.is_local for root in roots)
    assert ArtifactRoot(roots[0].uri("x").rsplit("/", 1)[0]).local_root == str(folder)


@pytest.mark.parametrize("root", ["", "a\0b"])
def test_a_root_that_is_no_place_is_refused(root: str) -> None:
    """An empty root would be the current folder by accident."""
    with pytest.raises(InvalidField):
        ArtifactRoot(root)


def test_credentials_stay_out_of_uris_and_messages() -> None:
    """A URL with a password shows neither in metadata nor in an error."""
    root = ArtifactRoot("nosuchscheme://user:secret@host/x", {"password": "secret"})
    assert root.uri("a") == "nosuchscheme://host/x/a"
    assert "secret" not in repr(root)
    with pytest.raises(StorageFailed) as caught:
        root.size("a")
    assert "secret" not in str(caught.value)


def test_a_scheme_that_nobody_serves_says_what_is_missing() -> None:
    """An unknown or uninstalled file system is a typed error at the first use."""
    with pytest.raises(StorageFailed, match="cannot write nosuchscheme://x/a"):
        ArtifactRoot("nosuchscheme://x").open_sink("a")
