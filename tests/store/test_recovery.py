"""Recovery from crashed writers: each rule of `recover()`."""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from core_kit import make, numbers, values
from store_kit import (
    StoreAt,
    attempt_on,
    days_later,
    definition,
    execute,
    expire,
    files,
    killed_before_the_flip,
    on,
    output,
    rows,
    status,
)

from jammi_dagster import InputAnchor, MatchVerdict, ResultStore
from jammi_dagster.artifacts import ArtifactRoot, sidecar_path
from jammi_dagster.errors import CatalogReadOnly, StorageFailed, UnknownTable
from jammi_dagster.maintenance import RecoveryReport
from jammi_dagster.recording import Attempt

_DAY = 24 * 3600


def _found(report: RecoveryReport) -> dict[str, list[str]]:
    """The lists of the report that are not empty."""
    return {name: ids for name, ids in report.to_dict().items() if ids and name != "dry_run"}


def _id(attempt: Attempt, table: str = "t") -> str:
    return attempt.rows[table].materialization_id


def _age(root: Path, seconds: float) -> None:
    """Makes every file look as if it had been written a while ago."""
    for path in root.rglob("*"):
        if path.is_file():
            os.utime(path, (time.time() - seconds, time.time() - seconds))


def _replace(store: ResultStore, path: str, data: bytes) -> None:
    store.artifacts.delete(path)
    store.artifacts.write_bytes_durable(path, data)


def test_nothing_to_do_is_nothing(store: ResultStore) -> None:
    """A catalog without crashes is left as it is."""
    make(store, "p")
    make(store, "t", inputs=on(store.current("p")))
    before = rows(store)
    assert _found(store.recover()) == {}
    assert rows(store) == before


# --- rows that are `building` ------------------------------------------------------------------------------


def test_what_is_whole_is_published(store: ResultStore) -> None:
    """Bytes and sidecar agree: the flip that the writer did not come to, with all it would have written."""
    inputs = [InputAnchor.source_version("file:b", "1"), InputAnchor.source_version("file:a", "2")]
    made = make(store, "t", inputs=inputs)
    store.drop("t")
    details = {"own": {"run_id": "run"}, "annotation": {"a": 1}, "compute_seconds": 2.5}
    attempt = killed_before_the_flip(store, "t", inputs=inputs, **details)
    expire(store)
    assert _found(store.recover()) == {"promoted": [_id(attempt)]}
    record = store.current("t")
    assert record.materialization_id == _id(attempt)
    for name in (
        "artifact_digest",
        "size_bytes",
        "row_count",
        "definition_hash",
        "input_anchors",
        "deployment",
    ):
        assert getattr(record, name) == getattr(made, name)
    assert record.compute_seconds == 2.5
    assert store.reader.annotation(record.materialization_id) == '{"a":1}'
    assert list(store.reader.of_run("run", ["t"])) == ["t"]
    assert store.verify_materialization("t", definition()) == MatchVerdict.match()
    assert store.lookup_cached(definition(), inputs) == record.materialization_id


def test_a_late_promotion_does_not_move_the_pointer_back(store: ResultStore) -> None:
    """It is published as of its own start, and a later one has won meanwhile."""
    attempt = killed_before_the_flip(store, "t")
    later = make(store, "t", numbers(4))
    expire(store)
    assert _found(store.recover()) == {"promoted": [_id(attempt)]}
    assert store.current("t").materialization_id == later.materialization_id
    assert status(store, attempt, "t") == "ready"


def test_each_is_published_in_its_own_deployment(store_at: StoreAt) -> None:
    """One pass serves all deployments of the tenant."""
    prod, branch = store_at(deployment="prod"), store_at(deployment="branch")
    attempt = killed_before_the_flip(branch, "t")
    expire(prod)
    assert _found(prod.recover()) == {"promoted": [_id(attempt)]}
    assert prod.tables() == []
    assert branch.tables() == ["t"]


def _no_bytes(store: ResultStore, path: str) -> None:
    store.artifacts.delete(path)


def _no_sidecar(store: ResultStore, path: str) -> None:
    store.artifacts.delete(sidecar_path(path))


def _truncated(store: ResultStore, path: str) -> None:
    _replace(store, path, store.artifacts.read_bytes(path)[:-1])


def _altered(store: ResultStore, path: str) -> None:
    data = store.artifacts.read_bytes(path)
    _replace(store, path, bytes([*data[:-1], data[-1] ^ 1]))


def _garbage(store: ResultStore, path: str) -> None:
    _replace(store, sidecar_path(path), b"{")


def _of_another(store: ResultStore, path: str) -> None:
    other = make(store, "other")
    _replace(store, sidecar_path(path), store.artifacts.read_bytes(sidecar_path(other.artifact_path)))


def _without_ours(store: ResultStore, path: str) -> None:
    manifest = json.loads(store.artifacts.read_bytes(sidecar_path(path)))
    del manifest["jammi_dagster"]
    _replace(store, sidecar_path(path), json.dumps(manifest).encode())


@pytest.mark.parametrize(
    "harm", [_no_bytes, _no_sidecar, _truncated, _altered, _garbage, _of_another, _without_ours]
)
def test_what_is_not_whole_is_failed_and_its_bytes_removed(
    store: ResultStore, harm: Callable[[ResultStore, str], None]
) -> None:
    """Anything missing, or that does not agree."""
    attempt = killed_before_the_flip(store, "t")
    path = attempt.rows["t"].artifact_path
    harm(store, path)
    expire(store)
    assert _found(store.recover()) == {"failed": [_id(attempt)]}
    assert status(store, attempt, "t") == "failed"
    assert store.artifacts.size(path) is None
    assert store.artifacts.size(sidecar_path(path)) is None
    with pytest.raises(UnknownTable):
        store.current("t")


def test_a_storage_that_does_not_answer_decides_nothing(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that cannot be read now may be whole: it is kept, and a later pass publishes it."""
    attempt = killed_before_the_flip(store, "t")
    expire(store)

    def refuse(self: ArtifactRoot, path: str) -> str:
        raise StorageFailed(root="r", operation="read", uri=path, cause="503", way_out="wait")

    with monkeypatch.context() as patch:
        patch.setattr(ArtifactRoot, "digest", refuse)
        report = store.recover()
        assert _found(report).keys() == {"unreadable"}
        assert "503" in report.unreadable[_id(attempt)]
    expire(store)
    assert _found(store.recover()) == {"promoted": [_id(attempt)]}


def test_a_sidecar_of_a_newer_version_is_kept(store: ResultStore) -> None:
    """It is not ours to judge: the report says to upgrade, and nothing is removed."""
    attempt = killed_before_the_flip(store, "t")
    path = sidecar_path(attempt.rows["t"].artifact_path)
    manifest = json.loads(store.artifacts.read_bytes(path))
    _replace(store, path, json.dumps({**manifest, "manifest_version": 6}).encode())
    expire(store)
    assert "version 6" in store.recover().unreadable[_id(attempt)]
    assert status(store, attempt, "t") == "building"
    assert store.artifacts.size(path) is not None


# --- rows that are ready -----------------------------------------------------------------------------------


def test_a_ready_row_without_sidecar_is_lost_at_last(store: ResultStore) -> None:
    """Missed twice, with the grace period between, its name resolves to nothing; a table of old never had a sidecar."""
    lost, old = make(store, "t"), make(store, "old")
    for record in (lost, old):
        store.artifacts.delete(sidecar_path(record.artifact_path))
    execute(
        store, "UPDATE materializations SET definition_hash = NULL WHERE id = :id", id=old.materialization_id
    )
    for _ in range(2):
        assert _found(store.recover()) == {"missing": [lost.materialization_id]}
        assert store.tables() == ["old", "t"]
    revision = store.reader.state()[1]
    days_later(store)
    assert _found(store.recover()) == {"lost": [lost.materialization_id]}
    assert store.tables() == ["old"]
    assert store.lookup_cached(definition(), []) is None
    assert store.reader.state()[1] > revision


def test_damage_is_told(store: ResultStore) -> None:
    """A sidecar that says another digest, or nothing; bytes that are shorter, or gone: told each time, none failed."""
    records = {
        name: make(store, name, step=i) for i, name in enumerate(["fine", "other", "none", "gone", "short"])
    }
    paths = {name: record.artifact_path for name, record in records.items()}
    manifest = json.loads(store.artifacts.read_bytes(sidecar_path(paths["other"])))
    _replace(store, sidecar_path(paths["other"]), json.dumps({**manifest, "artifact": "00" * 32}).encode())
    _garbage(store, paths["none"])
    _no_bytes(store, paths["gone"])
    _truncated(store, paths["short"])
    for _ in range(2):
        report = store.recover()
        damaged = {r.materialization_id for n, r in records.items() if n not in ("fine", "gone")}
        assert set(report.damaged) == damaged
        assert _found(report).keys() == {"damaged", "missing"}
        assert report.missing == [records["gone"].materialization_id]
    assert store.tables() == sorted(records)


# --- objects -------------------------------------------------------------------------------------------------


def test_objects_that_no_row_names_go_after_the_grace_period(store_at: StoreAt) -> None:
    """Old and unnamed: removed. Young, named, or not of our making (an engine's tables below the same root): kept."""
    store = store_at()
    ready = make(store, "t")
    building = attempt_on(store, "b")
    building.write("b", numbers(2))
    orphan = ready.artifact_path.replace(ready.materialization_id, "0" * 32)
    others = ["tables/engine_table.parquet", f"{os.path.dirname(orphan)}/notes.txt"]
    for path in (orphan, sidecar_path(orphan), *others):
        store.artifacts.write_bytes_durable(path, b"x")
    assert _found(store.recover()) == {}
    _age(store_at.root, 2 * _DAY)
    assert _found(store.recover(grace_seconds=3 * _DAY)) == {}
    assert sorted(store.recover().reclaimed) == sorted([orphan, sidecar_path(orphan)])
    kept = set(files(store_at.root / "tables"))
    assert kept == {
        path.removeprefix("tables/")
        for path in (
            ready.artifact_path,
            sidecar_path(ready.artifact_path),
            building.rows["b"].artifact_path,
            *others,
        )
    }


def test_the_bytes_of_a_dropped_table_stay(store_at: StoreAt) -> None:
    """Only a collection deletes the objects of a table that was ever ready."""
    store = store_at()
    record = make(store, "dropped")
    store.drop("dropped")
    _age(store_at.root, 99 * _DAY)
    days_later(store)
    assert _found(store.recover()) == {}
    assert values(store.artifacts.read_table(record.artifact_path)) == [0, 1, 2]


def test_the_bytes_of_a_lost_table_stay(store_at: StoreAt) -> None:
    """Nobody can make them again; a drop lets a collection take them."""
    store = store_at()
    record = make(store, "lost")
    store.artifacts.delete(sidecar_path(record.artifact_path))
    store.recover()
    days_later(store)
    assert _found(store.recover()) == {"lost": [record.materialization_id]}
    _age(store_at.root, 99 * _DAY)
    days_later(store)
    assert _found(store.recover()) == {}
    store.drop("lost")
    assert store.collect({"grace_seconds": 0}, dry_run=False).collected == [record.materialization_id]
    assert store.artifacts.size(record.artifact_path) is None


def test_only_the_tenants_own_folder_is_listed(store_at: StoreAt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing elsewhere is even looked at, let alone removed."""
    listed: list[str] = []
    objects = ArtifactRoot.objects

    def note(self: ArtifactRoot, folder: str) -> Any:
        listed.append(folder)
        return objects(self, folder)

    monkeypatch.setattr(ArtifactRoot, "objects", note)
    stores = [store_at(), store_at(tenant="a"), store_at(tenant="b")]
    for store in stores:
        orphan = make(store, "t").artifact_path[:-40] + f"{'0' * 32}.parquet"
        for path in (orphan, sidecar_path(orphan)):
            store.artifacts.write_bytes_durable(path, b"x")
    _age(store_at.root, 2 * _DAY)
    reclaimed = [store.recover().reclaimed for store in stores]
    assert [len(paths) for paths in reclaimed] == [2, 2, 2]
    tables = [folder for folder in listed if not folder.endswith("runs")]
    for folder, paths in zip(tables, reclaimed, strict=True):
        assert all(path.startswith(f"{folder}/") for path in paths)
    assert len({*listed}) == 2 * len(tables) == 6
    assert not [f for f in listed if any(f != other and f.startswith(f"{other}/") for other in listed)]


# --- the pass itself -----------------------------------------------------------------------------------------


def _wreck(store: ResultStore, root: Path) -> None:
    """Something of everything."""
    killed_before_the_flip(store, "whole")
    _no_bytes(store, killed_before_the_flip(store, "broken").rows["broken"].artifact_path)
    _no_sidecar(store, make(store, "lost", step=2).artifact_path)
    execute(store, "UPDATE materializations SET missing_since = 1 WHERE table_name = 'lost'")
    _no_sidecar(store, make(store, "missing", step=5).artifact_path)
    _truncated(store, make(store, "damaged", step=3).artifact_path)
    make(store, "child", inputs=[InputAnchor.source_version("file:a", "1")])
    orphan = make(store, "fine", step=4).artifact_path[:-40] + f"{'0' * 32}.parquet"
    store.artifacts.write_bytes_durable(orphan, b"x")
    execute(store, "DELETE FROM anchor_edges")
    execute(store, "UPDATE materializations SET lease_expires_at = 1 WHERE lease_expires_at IS NOT NULL")
    _age(root, 2 * _DAY)


def test_a_dry_run_says_what_a_run_does_and_does_nothing(store_at: StoreAt) -> None:
    """Row by row and file by file the same afterwards; and then the run does exactly that."""
    store = store_at()
    _wreck(store, store_at.root)
    before, objects = rows(store), files(store_at.root / "tables")
    said = store.recover(dry_run=True)
    assert rows(store) == before
    assert files(store_at.root / "tables") == objects
    assert {name for name, ids in _found(said).items() if ids} == {
        "promoted",
        "failed",
        "lost",
        "missing",
        "damaged",
        "reclaimed",
        "reindexed",
    }
    done = store.recover()
    assert {**done.to_dict(), "dry_run": True} == said.to_dict()


def test_it_is_idempotent(store_at: StoreAt) -> None:
    """A second pass finds nothing to do, and changes nothing."""
    store = store_at()
    _wreck(store, store_at.root)
    store.recover()
    before, objects = rows(store), files(store_at.root / "tables")
    assert _found(store.recover()).keys() == {"damaged", "missing"}
    assert rows(store) == before
    assert files(store_at.root / "tables") == objects


def test_it_may_run_beside_itself(store_at: StoreAt) -> None:
    """Several at once: each row is settled once, and nobody fails."""
    store = store_at()
    whole = [_id(killed_before_the_flip(store, f"t{i}"), f"t{i}") for i in range(6)]
    broken = [_id(attempt_on(store, f"b{i}"), f"b{i}") for i in range(6)]
    expire(store)
    passes = [store_at() for _ in range(3)]
    reports: list[RecoveryReport] = []
    threads = [threading.Thread(target=lambda s=s: reports.append(s.recover())) for s in passes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(id for report in reports for id in report.promoted) == sorted(whole)
    assert sorted(id for report in reports for id in report.failed) == sorted(broken)
    assert store.tables() == [f"t{i}" for i in range(6)]


def test_a_read_only_catalog_can_only_be_asked(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run is a question; a run is a write."""
    attempt = killed_before_the_flip(store, "t")
    expire(store)
    monkeypatch.setattr(store.database, "read_only", True)
    assert store.recover(dry_run=True).promoted == [_id(attempt)]
    with pytest.raises(CatalogReadOnly):
        store.recover()


def test_a_failed_writers_own_cleanup_leaves_nothing(store_at: StoreAt) -> None:
    """An attempt that is left unpublished needs no recovery."""
    store = store_at()
    with attempt_on(store, "t") as attempt:
        attempt.write("t", numbers(2))
    assert status(store, attempt, "t") == "failed"
    assert files(store_at.root / "tables") == {}
    with attempt_on(store, "t") as attempt:
        attempt.write("t", numbers(2))
        attempt.publish([output("t")])
    assert store.tables() == ["t"]
    assert _found(store.recover()) == {}
