"""Recovery and adoption over an object store: the same rules, few requests at once, uploads that were left open."""

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from core_kit import make, values
from s3_kit import Bucket, bucket
from store_kit import days_later, execute, expire, killed_before_the_flip

from jammi_dagster import ResultStore
from jammi_dagster.artifacts import ArtifactRoot, sidecar_path
from jammi_dagster.artifacts.storage import s3
from jammi_dagster.artifacts.storage.remote import RemoteStorage
from jammi_dagster.errors import ObjectsMissing, RootNotThere, RootOfAnotherCatalog, StorageFailed
from jammi_dagster.maintenance.bulk import MOST_IN_FLIGHT, each
from jammi_dagster.maintenance.tombstones import collected_path

_DAY = 24 * 3600


@pytest.fixture(scope="module")
def served() -> Iterator[Bucket]:
    """A server for the tests of this file."""
    with bucket() as made:
        yield made


@pytest.fixture(params=["s3", "memory"])
def remote(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """A new root in an object store."""
    if request.param == "memory":
        return f"memory://{uuid.uuid4().hex}", {}
    url, options = request.getfixturevalue("served")
    return f"{url}/{uuid.uuid4().hex}", options


def _open(remote: tuple[str, dict[str, Any]], catalog: Path) -> ResultStore:
    return ResultStore(remote[0], str(catalog), storage_options=remote[1])


def test_a_lost_catalog_comes_back_from_the_bucket(
    remote: tuple[str, dict[str, Any]], tmp_path: Path
) -> None:
    """Another catalog is refused, takes over, and has every table; a day later all objects are there."""
    with contextlib.closing(_open(remote, tmp_path / "a.db")) as store:
        for i in range(5):
            make(store, f"t{i}", step=i)
        store.drop("t4")
    with contextlib.closing(_open(remote, tmp_path / "b.db")) as store:
        with pytest.raises(RootOfAnotherCatalog, match=r"a\.db"):
            store.recover()
        assert len(store.adopt(take_over=True).adopted) == 5
        assert [values(store.read(table)) for table in store.tables()] == [[0, 1, 2]] * 4
        assert store.recover(grace_seconds=-_DAY).reclaimed == []
        assert [values(store.read(table)) for table in store.tables()] == [[0, 1, 2]] * 4


def test_a_collection_in_the_bucket(remote: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    """Tombstones are there before the objects go, many in one request; another catalog brings none of them back."""
    with contextlib.closing(_open(remote, tmp_path / "a.db")) as store:
        old = [make(store, "t", step=i) for i in range(4)][:-1]
        report = store.collect({"grace_seconds": 0}, dry_run=False)
        assert sorted(report.collected) == [record.materialization_id for record in old]
        for record in old:
            paths = [record.artifact_path, sidecar_path(record.artifact_path)]
            assert [store.artifacts.size(path) for path in paths] == [None, None]
            assert store.artifacts.size(collected_path(record.artifact_path)) is not None
    with contextlib.closing(_open(remote, tmp_path / "b.db")) as store:
        assert len(store.adopt(take_over=True).adopted) == 1
        assert [record.status for record in store.history("t")] == ["ready"]
        assert values(store.read("t")) == [0, 1, 2]


def test_another_prefix_is_no_root(remote: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    """A typo in the URL stops writes and passes, and leaves nothing there."""
    with contextlib.closing(_open(remote, tmp_path / "a.db")) as store:
        make(store, "t")
    with contextlib.closing(_open((f"{remote[0]}x", remote[1]), tmp_path / "a.db")) as store:
        for write in (store.recover, lambda: make(store, "u"), lambda: store.drop("t")):
            with pytest.raises(RootNotThere):
                write()
        assert list(ArtifactRoot(f"{remote[0]}x", remote[1]).objects("tables")) == []


def test_missing_lost_and_back(remote: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    """The two passes, and the way back, over a bucket."""
    with contextlib.closing(_open(remote, tmp_path / "a.db")) as store:
        record = make(store, "t")
        make(store, "fine", step=2)
        killed_before_the_flip(store, "dead", step=3)
        expire(store)
        data = store.artifacts.read_bytes(record.artifact_path)
        store.artifacts.delete(record.artifact_path)
        report = store.recover()
        assert (report.missing, len(report.promoted)) == ([record.materialization_id], 1)
        days_later(store)
        assert store.recover().lost == [record.materialization_id]
        store.artifacts.write_bytes_durable(record.artifact_path, data)
        assert store.recover().returned == [record.materialization_id]
        assert values(store.read("t")) == [0, 1, 2]


@pytest.mark.slow
@pytest.mark.parametrize("at", range(1, 12))
def test_one_404_of_any_request_loses_nothing(
    served: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """An eventual listing, a proxy, a wrong answer: the n-th request of the pass finds nothing."""
    root = f"{served[0]}/{uuid.uuid4().hex}"
    with contextlib.closing(_open((root, served[1]), tmp_path / "a.db")) as store:
        for i in range(3):
            make(store, f"t{i}", step=i)
        store.artifacts.size("tables/none.parquet")
        storage = store.artifacts._storage
        assert isinstance(storage, RemoteStorage)
        real, count = type(storage._fs)._call_s3, [0]

        async def call(self: Any, method: str, *args: Any, **options: Any) -> Any:
            count[0] += 1
            if count[0] == at:
                raise FileNotFoundError(method)
            return await real(self, method, *args, **options)

        with monkeypatch.context() as patch, contextlib.suppress(RootNotThere, ObjectsMissing, StorageFailed):
            patch.setattr(type(storage._fs), "_call_s3", call)
            report = store.recover(grace_seconds=0)
            assert (report.lost, report.reclaimed, report.failed) == ([], [], [])
        assert store.tables() == ["t0", "t1", "t2"]
        store.recover(grace_seconds=0)
        assert [values(store.read(f"t{i}")) for i in range(3)] == [[0, 1, 2]] * 3


def test_uploads_that_were_never_finished_are_aborted(served: Bucket, tmp_path: Path) -> None:
    """Older than the grace period, and below this root only: another root's upload, and a young one, go on."""
    root, other = (f"{served[0]}/{uuid.uuid4().hex}" for _ in range(2))
    with contextlib.closing(_open((root, served[1]), tmp_path / "a.db")) as store:
        record = make(store, "t")
        storage = store.artifacts._storage
        assert isinstance(storage, RemoteStorage)
        fs = storage._fs
        left = []
        for prefix in (root, other):
            key = f"{prefix.removeprefix('s3://bucket/')}/{record.artifact_path}.part"
            begun = fs.call_s3("create_multipart_upload", Bucket="bucket", Key=key)
            part = {"UploadId": begun["UploadId"], "PartNumber": 1, "Body": b"x" * 100}
            fs.call_s3("upload_part", Bucket="bucket", Key=key, **part)
            left.append(key)
        path = f"{record.artifact_path}.part"
        assert store.artifacts.abort_uploads("tables", before=0.0) == []
        assert store.recover(dry_run=True, grace_seconds=-_DAY).aborted == [path]
        assert store.recover(grace_seconds=-_DAY).aborted == [path]
        found = fs.call_s3("list_multipart_uploads", Bucket="bucket").get("Uploads", [])
        assert [upload["Key"] for upload in found] == [left[1]]
        assert values(store.read("t")) == [0, 1, 2]


def test_a_bucket_keeps_the_first_identity(served: Bucket, tmp_path: Path) -> None:
    """Of many writers at once that create one object, one does."""
    root = ArtifactRoot(f"{served[0]}/{uuid.uuid4().hex}", served[1])
    won = list[bool]()
    threads = [
        threading.Thread(target=lambda n=n: won.append(root.create("one", b"%d" % n))) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won.count(True) == 1


def test_many_are_removed_in_one_request(
    served: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deletes are batched: the requests of a pass do not grow with the objects that it removes."""
    root = f"{served[0]}/{uuid.uuid4().hex}"
    with contextlib.closing(_open((root, served[1]), tmp_path / "a.db")) as store:
        record = make(store, "t")
        for i in range(40):
            orphan = record.artifact_path.replace(record.materialization_id, f"{i:032x}")
            store.artifacts.write_bytes_durable(sidecar_path(orphan), b"x")
            store.artifacts.write_bytes_durable(orphan, b"x")
        removed, delete_many = list[int](), s3.delete_many

        def count(fs: Any, paths: list[str]) -> None:
            removed.append(len(paths))
            delete_many(fs, paths)

        monkeypatch.setattr(s3, "delete_many", count)
        monkeypatch.delattr(RemoteStorage, "delete")
        assert len(store.recover(grace_seconds=-_DAY).reclaimed) == 80
        assert removed == [80]


def test_at_most_64_requests_are_in_flight(remote: tuple[str, dict[str, Any]]) -> None:
    """As many as that, and no more; one that fails does not end the others, and answers are in the items' order."""
    root, lock = ArtifactRoot(*remote), threading.Lock()
    now = most = 0

    def ask(n: int) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.01)
        with lock:
            now -= 1
        if n == 7:
            raise RootNotThere(root="r", catalog="c", why="w")
        return n

    answers = list(each(root, range(500), ask))
    assert [item for item, _ in answers] == list(range(500))
    assert [answer for _, answer in answers if answer not in range(500)] == [answers[7][1]]
    assert MOST_IN_FLIGHT // 2 < most <= MOST_IN_FLIGHT


def test_progress_is_told(
    remote: tuple[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line with the kind of work and the count so far."""
    monkeypatch.setattr("jammi_dagster.maintenance.bulk._TOLD_SECONDS", 0.0)
    with contextlib.closing(_open(remote, tmp_path / "a.db")) as store:
        for i in range(3):
            make(store, f"t{i}", step=i)
        execute(store, "DELETE FROM pointers")
        lines = list[str]()
        store.recover(progress=lines.append)
        assert lines[-1] == "materializations looked at: 3"
        assert "objects listed: 6" in lines
