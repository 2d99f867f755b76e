"""Tombstones that are older than any backup are removed, and none that something needs."""

import os
import time
from pathlib import Path

import pytest
from core_kit import make, numbers
from store_kit import attempt_on, collected, execute, output

from jammi_dagster import ResultStore
from jammi_dagster.errors import InvalidField, NotRecomputable
from jammi_dagster.maintenance import CollectionReport

_DAY = 24 * 3600


def _tombstones(store: ResultStore) -> list[Path]:
    """The tombstones of the store's root, sorted."""
    root = Path(str(store.artifacts.local_root))
    return sorted([*root.rglob("*.collected.json"), *root.rglob("*.dropped.json")])


def _age(store: ResultStore, days: float) -> None:
    """Lets days pass for all tombstones."""
    for path in _tombstones(store):
        os.utime(path, times=(time.time() - days * _DAY,) * 2)


def _collect(store: ResultStore, **policy: object) -> CollectionReport:
    """One pass, of which the dry run tells the same number of tombstones."""
    execute(store, "DELETE FROM run_leases")
    policy = {"grace_seconds": 0, **policy}
    told = store.collect(policy).old_tombstones
    report = store.collect(policy, dry_run=False)
    assert (report.old_tombstones, report.unreadable) == (told, {})
    return report


def _three(store: ResultStore) -> list[str]:
    return [make(store, "t", numbers(count)).materialization_id for count in (1, 2, 3)]


def test_a_tombstone_goes_when_it_is_older_than_any_backup(store: ResultStore) -> None:
    """By default after a year; with it goes the manifest."""
    first, _, last = _three(store)
    assert len(collected(store)) == len(_tombstones(store)) == 2
    _age(store, 364)
    assert _collect(store).old_tombstones == 0
    with pytest.raises(InvalidField):
        store.collect({"keep_tombstones_for_days": -1})
    _age(store, 366)
    assert _collect(store, keep_tombstones_for_days=None).old_tombstones == 0
    assert _collect(store, keep_tombstones_for_days=400).old_tombstones == 0
    assert len(_tombstones(store)) == 2
    assert _collect(store).old_tombstones == 2
    assert _tombstones(store) == []
    with pytest.raises(NotRecomputable):
        store.restore("t", lambda manifest: numbers(1), materialization=first)
    assert store.current("t").materialization_id == last
    recovered = store.recover()
    assert (recovered.missing, recovered.lost, recovered.adopted) == ([], [], [])
    assert store.read("t").num_rows == 3


def test_one_stays_while_a_table_of_its_attempt_does(store: ResultStore) -> None:
    """A catalog that is lost adopts an attempt as a whole: without the tombstone the other table would stay out."""
    with attempt_on(store, "a", "b") as attempt:
        for table in ("a", "b"):
            attempt.write(table, numbers(2))
        attempt.publish([output("a"), output("b")])
    assert len(collected(store, "a")) == 1
    _age(store, 1000)
    _collect(store)
    assert [path.suffixes[0] for path in _tombstones(store)] == [".dropped", ".collected"]
    kept = store.current("b").materialization_id
    for table in ("pointers", "pointer_moves", "materializations"):
        execute(store, f"DELETE FROM {table}")
    assert store.adopt().adopted == [kept]
    assert store.tables() == ["b"]
    collected(store, "b")
    _age(store, 1000)
    _collect(store)
    assert _tombstones(store) == []


def test_one_stays_while_its_objects_are_there(store: ResultStore) -> None:
    """A backup of the root brought them back: they are removed first, and are not adopted."""
    _three(store)
    root = Path(str(store.artifacts.local_root))
    before = {path: path.read_bytes() for path in root.rglob("*.parquet")}
    assert len(collected(store)) == 2
    _age(store, 1000)
    for path, data in before.items():
        path.write_bytes(data)
    report = store.collect({"grace_seconds": 0})
    assert report.old_tombstones == 0
    assert len(_tombstones(store)) == 2


def test_a_ready_row_keeps_its_tombstone(store: ResultStore) -> None:
    """A catalog from an older backup has the row as ready: `recover` is still to hear that it was collected."""
    first, _, _ = _three(store)
    collected(store)
    _age(store, 1000)
    ready = "UPDATE materializations SET status = 'ready' WHERE id = :id"
    execute(store, ready, id=first)
    assert store.collect({"grace_seconds": _DAY}, dry_run=False).old_tombstones == 1
    assert len(_tombstones(store)) == 1
    assert store.recover().collected == [first]


def test_a_tombstone_of_a_drop_goes_with_the_last_materialization(store: ResultStore) -> None:
    """Until then the dropped name could come back."""
    make(store, "t")
    store.drop("t")
    _age(store, 1000)
    assert _collect(store, keep_last=1).old_tombstones == 0
    assert len(_tombstones(store)) == 1
    assert len(_collect(store).collected) == 1
    _age(store, 1000)
    assert _collect(store).old_tombstones >= 1
    _collect(store)
    assert _tombstones(store) == []
