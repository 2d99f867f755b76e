"""A missing object is noted before it is a loss, and a loss is undone where the object comes back."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from core_kit import make, numbers, values
from store_kit import (
    StoreAt,
    attempt_on,
    child,
    days_later,
    definition,
    dying_at_the_flip,
    execute,
    expire,
    killed_before_the_flip,
    output,
    rows,
    status,
    verdicts,
)

from jammi_dagster import ResultStore
from jammi_dagster.artifacts import ArtifactRoot, sidecar_path
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.errors import StorageFailed, UnknownTable
from jammi_dagster.maintenance import RecoveryReport
from jammi_dagster.recording import Attempt


def _found(report: RecoveryReport) -> dict[str, object]:
    return {name: ids for name, ids in report.to_dict().items() if ids and name != "dry_run"}


def _lost(store: ResultStore) -> tuple[MaterializationRecord, str, bytes]:
    """A table that was lost with its sidecar, and the sidecar's path and bytes."""
    record = make(store, "t")
    path = sidecar_path(record.artifact_path)
    data = store.artifacts.read_bytes(path)
    store.artifacts.delete(path)
    store.recover()
    days_later(store)
    store.recover()
    return record, path, data


def _of(path: str, part: str) -> str:
    return path if part == "bytes" else sidecar_path(path)


@pytest.mark.parametrize("part", ["bytes", "sidecar"])
def test_a_table_is_lost_only_by_a_later_pass_and_comes_back(store: ResultStore, part: str) -> None:
    """Noted, then lost after the grace period, then ready and current again, as if nothing had been."""
    record = make(store, "t")
    child(store, "below", "t")
    before, path = verdicts(store), _of(record.artifact_path, part)
    data = store.artifacts.read_bytes(path)
    store.artifacts.delete(path)
    for _ in range(2):
        assert _found(store.recover()) == {"missing": [record.materialization_id]}
        assert store.tables() == ["below", "t"]
    days_later(store)
    assert _found(store.recover()) == {"lost": [record.materialization_id]}
    assert store.tables() == ["below"]
    assert _found(store.recover()) == {}
    store.artifacts.write_bytes_durable(path, data)
    assert _found(store.recover(dry_run=True)) == {"returned": [record.materialization_id]}
    assert _found(store.recover()) == {"returned": [record.materialization_id]}
    assert store.current("t") == record
    assert verdicts(store) == before
    assert store.lookup_cached(definition(), []) == record.materialization_id
    assert _found(store.recover()) == {}


def test_a_table_that_is_found_in_time_was_never_missing(store: ResultStore) -> None:
    """The note is taken away; missing it again much later begins anew."""
    record = make(store, "t")
    before, path = rows(store), sidecar_path(record.artifact_path)
    data = store.artifacts.read_bytes(path)
    store.artifacts.delete(path)
    store.recover()
    days_later(store)
    store.artifacts.write_bytes_durable(path, data)
    assert _found(store.recover()) == {}
    assert rows(store) == before
    store.artifacts.delete(path)
    assert _found(store.recover()) == {"missing": [record.materialization_id]}


@pytest.mark.parametrize("harm", ["altered", "of another"])
def test_a_lost_table_does_not_come_back_as_something_else(store: ResultStore, harm: str) -> None:
    """Its digest is compared, byte for byte."""
    record, other = make(store, "t"), make(store, "other", numbers(3, start=7), step=2)
    data = store.artifacts.read_bytes(record.artifact_path)
    store.artifacts.delete(record.artifact_path)
    store.recover()
    days_later(store)
    store.recover()
    fake = store.artifacts.read_bytes(other.artifact_path) if harm == "of another" else data[:-1] + b"\0"
    store.artifacts.write_bytes_durable(record.artifact_path, fake)
    assert "returned" not in _found(store.recover())
    assert store.tables() == ["other"]


def test_a_name_that_moved_on_stays_where_it_is(store: ResultStore) -> None:
    """A table that was made again while its former one was lost is not taken back."""
    record, path, data = _lost(store)
    again = make(store, "t", numbers(4))
    store.artifacts.write_bytes_durable(path, data)
    assert _found(store.recover()) == {"returned": [record.materialization_id]}
    assert store.current("t").materialization_id == again.materialization_id
    assert [record.status for record in store.history("t")] == ["ready", "ready"]


def test_a_drop_of_a_lost_table_is_for_good(store: ResultStore) -> None:
    """Its name does not come back with its objects; a second drop has nothing to drop."""
    record, path, data = _lost(store)
    store.drop("t")
    store.artifacts.write_bytes_durable(path, data)
    assert _found(store.recover()) == {"returned": [record.materialization_id]}
    assert store.tables() == []
    with pytest.raises(UnknownTable):
        store.drop("t")


def test_what_0_1_lost_comes_back(store: ResultStore) -> None:
    """It emptied the pointer without a word of whose it was; its start tells a loss from a drop."""
    lost, dropped = make(store, "t"), make(store, "dropped", step=2)
    store.drop("dropped")
    for record in (lost, dropped):
        execute(
            store,
            "UPDATE materializations SET status = 'failed' WHERE id = :id",
            id=record.materialization_id,
        )
    execute(
        store, "UPDATE pointers SET materialization_id = NULL, made_by_tenant = NULL, artifact_digest = NULL"
    )
    assert set(store.recover().returned) == {lost.materialization_id, dropped.materialization_id}
    assert store.tables() == ["t"]
    assert store.current("t").artifact_digest == lost.artifact_digest


@pytest.mark.parametrize("where", ["size", "objects", "fetch"])
@pytest.mark.parametrize("path", ["parquet", "json"])
def test_one_false_not_found_loses_nothing(
    store_at: StoreAt, monkeypatch: pytest.MonkeyPatch, where: str, path: str
) -> None:
    """Whichever question it answers; at worst the table is missing until the next pass."""
    store = store_at()
    for i in range(3):
        make(store, f"t{i}", step=i)
    storage = type(store.artifacts._storage)
    real, lied = getattr(storage, where), list[str]()

    def lie(self: object, asked: str) -> object:
        if where == "objects":
            return (one for one in real(self, asked) if not one.path.endswith(path))
        if asked.endswith(path) and not lied:
            lied.append(asked)
            if where == "size":
                return None
            raise FileNotFoundError(asked)
        return real(self, asked)

    with monkeypatch.context() as patch:
        patch.setattr(storage, where, lie)
        assert _found(store.recover(grace_seconds=0)).keys() <= {"missing"}
    assert _found(store.recover(grace_seconds=0)) == {}
    assert [values(store.read(f"t{i}")) for i in range(3)] == [[0, 1, 2]] * 3


# --- one bad object --------------------------------------------------------------------------------------


def _refuse(patch: pytest.MonkeyPatch, bad: str) -> None:
    """Lets the storage refuse everything below that folder, as a 403 or a bad disk does."""
    for name in ("size", "fetch", "digest", "delete"):
        real = getattr(ArtifactRoot, name)

        def ask(self: ArtifactRoot, path: str, real: Callable[..., object] = real) -> object:
            if bad in path:
                raise StorageFailed(root="r", operation="look at", uri=path, cause="403", way_out="ask")
            return real(self, path)

        patch.setattr(ArtifactRoot, name, ask)


def test_one_bad_object_ends_only_its_own_part(store_at: StoreAt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ready, building and without a row: each is named with its reason, and everything after it is done."""
    store = store_at()
    good = {name: killed_before_the_flip(store, name, step=i) for i, name in enumerate(("a", "z"))}
    bad = {name: killed_before_the_flip(store, name, step=i) for i, name in enumerate(("bad 1", "bad 2"), 5)}
    ready, orphan = make(store, "bad ready", step=8), make(store, "bad orphan", step=9)
    fine = make(store, "fine", step=10)
    for record in (orphan, fine):
        execute(store, "DELETE FROM pointers WHERE materialization_id = :id", id=record.materialization_id)
        execute(store, "DELETE FROM materializations WHERE id = :id", id=record.materialization_id)
    expire(store)
    with monkeypatch.context() as patch:
        _refuse(patch, "/bad-")
        report = store.recover()
    ids = {name: attempt.rows[name].materialization_id for name, attempt in {**good, **bad}.items()}
    assert sorted(report.promoted) == sorted([ids["a"], ids["z"]])
    assert report.adopted == [fine.materialization_id]
    assert set(report.unreadable) == {
        ids["bad 1"],
        ids["bad 2"],
        ready.materialization_id,
        orphan.artifact_path,
    }
    assert all("403" in why for why in report.unreadable.values())
    expire(store)
    report = store.recover()
    assert sorted(report.promoted) == sorted([ids["bad 1"], ids["bad 2"]])
    assert report.adopted == [orphan.materialization_id]


@pytest.mark.parametrize(
    "path", ["tables/" + "x" * 300 + ".parquet", "../out.parquet", "t.txt", "a\0b.parquet"]
)
def test_a_row_whose_path_is_nothing_ends_only_its_own_part(tmp_path: Path, path: str) -> None:
    """Too long for the file system, outside of the root, or no path of an artifact."""
    with contextlib.closing(ResultStore(str(tmp_path / "root"), str(tmp_path / "c.db"))) as store:
        make(store, "good")
        attempt_on(store, "odd")
        ready = make(store, "ready", step=3)
        dead = killed_before_the_flip(store, "dead", step=2)
        expire(store)
        for table in ("odd", "ready"):
            execute(
                store, "UPDATE materializations SET artifact_path = :p WHERE table_name = :t", p=path, t=table
            )
        for _ in range(2):
            report = store.recover()
            told = {*report.unreadable, *report.damaged, *report.failed, *report.missing}
            assert told >= {ready.materialization_id}
            expire(store)
        assert status(store, dead, "dead") == "ready"
        states = {row[3]: row[4] for row in rows(store)["materializations"]}
        assert states["odd"] in ("failed", "building")
        assert "good" in store.tables()


# --- whole attempts --------------------------------------------------------------------------------------


def _dead_range(store: ResultStore, count: int) -> Attempt:
    """A writer of several tables that died when all bytes and sidecars were durable."""
    tables = [f"t[{i}]" for i in range(count)]
    attempt = attempt_on(store, *tables, owner="dead/range")
    for table in tables:
        attempt.write(table, numbers(2))
    with dying_at_the_flip():
        attempt.publish([output(table) for table in tables])
    expire(store)
    return attempt


def test_a_whole_range_is_published_in_one_transaction(store: ResultStore) -> None:
    """All of its tables are ready, or none."""
    attempt = _dead_range(store, 4)
    assert len(store.recover().promoted) == 4
    assert len({store.current(f"t[{i}]").start_sequence for i in range(4)}) == 1
    assert {status(store, attempt, f"t[{i}]") for i in range(4)} == {"ready"}


@pytest.mark.parametrize("which", [0, 3])
@pytest.mark.parametrize("part", ["bytes", "sidecar"])
def test_half_a_range_is_failed_as_a_whole(store: ResultStore, part: str, which: int) -> None:
    """Wherever the gap is: no table of it becomes current, and no bytes are left."""
    attempt = _dead_range(store, 4)
    paths = [row.artifact_path for row in attempt.rows.values()]
    store.artifacts.delete(_of(paths[which], part))
    assert len(store.recover(dry_run=True).failed) == 4
    assert len(store.recover().failed) == 4
    assert store.tables() == []
    assert {status(store, attempt, table) for table in attempt.rows} == {"failed"}
    assert [store.artifacts.size(_of(path, p)) for path in paths for p in ("bytes", "sidecar")] == [None] * 8


def test_the_rest_of_a_range_whose_row_was_taken_over_is_failed(store: ResultStore) -> None:
    """A retry that makes one of its tables by itself leaves the others unfinished."""
    _dead_range(store, 3)
    with attempt_on(store, "t[1]", owner="dead/range") as again:
        again.write("t[1]", numbers(9))
        again.publish([output("t[1]")])
    assert len(store.recover().failed) == 2
    assert store.tables() == ["t[1]"]


def test_a_range_with_one_object_that_cannot_be_read_waits(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it is decided: a later pass publishes all of it."""
    attempt = _dead_range(store, 3)
    path = attempt.rows["t[1]"].artifact_path
    with monkeypatch.context() as patch:
        _refuse(patch, path)
        report = store.recover()
        assert (report.promoted, report.failed, len(report.unreadable)) == ([], [], 3)
    expire(store)
    assert len(store.recover().promoted) == 3


def test_rows_of_0_1_without_attempt_are_told_by_their_lease(store: ResultStore) -> None:
    """They share its token; one that stands alone is settled alone."""
    attempt = _dead_range(store, 3)
    alone = killed_before_the_flip(store, "alone", step=7)
    execute(store, "UPDATE materializations SET attempt_id = NULL, attempt_size = NULL")
    expire(store)
    store.artifacts.delete(attempt.rows["t[2]"].artifact_path)
    report = store.recover()
    assert report.promoted == [alone.rows["alone"].materialization_id]
    assert len(report.failed) == 3
