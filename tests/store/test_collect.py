"""`collect`: what stays, what goes, and in which order; each rule over all catalogs."""

import contextlib
import gc
import json
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import dagster as dg
import pyarrow.dataset as ds
import pytest
from core_kit import make, numbers, values
from store_kit import (
    Killed,
    StoreAt,
    attempt_on,
    definition,
    execute,
    expire,
    files,
    on,
    rows,
)

from jammi_dagster import ResultStore
from jammi_dagster.artifacts import ArtifactRoot, sidecar_path
from jammi_dagster.catalog import ClockReading, CollectionRows, Flight, MaterializationRecord, collection
from jammi_dagster.errors import InvalidField, JammiError, NotInHistory, RootNotThere, UnknownTable
from jammi_dagster.maintenance import CollectionReport, RetentionPolicy, RetentionRule
from jammi_dagster.maintenance.collection.clock import SKEW_SECONDS, moment_of, set_since
from jammi_dagster.recording import Attempt

# rules of the catalog are proved on both databases, others on the quickest
on_both = pytest.mark.parametrize(
    "store_at", ["memory", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True
)
on_one = pytest.mark.parametrize("store_at", ["memory"], indirect=True)
NOW = {"grace_seconds": 0}
_DAY = 24 * 3600.0


def _ids(records: list[MaterializationRecord]) -> list[str]:
    return [record.materialization_id for record in records]


def _collect(store: ResultStore, **policy: Any) -> CollectionReport:
    return store.collect({**NOW, **policy}, dry_run=False)


def _statuses(store: ResultStore, table: str = "t") -> list[str]:
    """The statuses of a table's materializations, the first one first."""
    return [record.status for record in reversed(store.history(table))]


def _later(store: ResultStore, seconds: float = 2 * _DAY) -> None:
    """Lets time pass for the marks, by the database's clock."""
    execute(store, "UPDATE materializations SET marked_at = marked_at - :s", s=seconds)


def several(store: ResultStore, count: int, table: str = "t") -> list[MaterializationRecord]:
    """Makes a table again and again."""
    return [make(store, table, numbers(i + 1), step=i) for i in range(count)]


# --- the two steps --------------------------------------------------------------------------------------------


@on_one
def test_a_materialization_goes_after_the_grace_period(store_at: StoreAt) -> None:
    """The first pass marks, a later one deletes bytes and sidecar, and leaves a tombstone with the manifest."""
    store = store_at()
    old, new = several(store, 2)
    manifest = json.loads(store.artifacts.read_bytes(sidecar_path(old.artifact_path)))
    marked = store.collect({}, dry_run=False)
    assert (marked.marked, marked.collected, list(marked.kept)) == (_ids([old]), [], _ids([new]))
    waiting = store.collect({}, dry_run=False)
    assert (waiting.marked, waiting.waiting, waiting.collected) == ([], _ids([old]), [])
    assert values(store.read("t", at=old.materialization_id)) == [0]
    store.collect({}, dry_run=False)  # the read took a lease, and so it was no longer marked
    _later(store)
    gone = store.collect({}, dry_run=False)
    assert gone.collected == _ids([old])
    assert gone.bytes_by_table == {"t": old.size_bytes}
    assert _statuses(store) == ["collected", "ready"]
    kept = files(store_at.root / "tables")
    assert {Path(path).name for path in kept} == {
        f"{old.materialization_id}.collected.json",
        f"{new.materialization_id}.parquet",
        f"{new.materialization_id}.materialization.json",
    }
    tombstone = next(data for path, data in kept.items() if path.endswith(".collected.json"))
    assert json.loads(tombstone)["manifest"] == manifest
    assert values(store.read("t")) == [0, 1]


@on_one
def test_a_dry_run_changes_nothing_and_says_what_a_run_does(store_at: StoreAt) -> None:
    """It is the default; row by row and file by file all is as before, and then the run does exactly that."""
    store = store_at()
    several(store, 3)
    make(store, "u")
    store.collect({}, dry_run=False)
    make(store, "u", step=2)
    for policy in ({}, NOW, {"keep_last": 2}):
        before, objects = rows(store), files(store_at.root)
        said = store.collect(policy)
        assert rows(store) == before
        assert files(store_at.root) == objects
        assert said.dry_run
        assert said.total_bytes > 0
    said, done = store.collect(NOW), store.collect(NOW, dry_run=False)
    assert {name: sorted(getattr(said, name)) for name in ("marked", "waiting", "unmarked", "collected")} == {
        name: sorted(getattr(done, name)) for name in ("marked", "waiting", "unmarked", "collected")
    }
    assert len(done.collected) == 3
    assert json.loads(json.dumps(done.to_dict()))["kept"].keys() == set(done.kept)


@on_both
def test_a_hit_during_grace_unmarks(store: ResultStore) -> None:
    """A reuse of a marked materialization makes it live again, and its grace begins anew when it ceases to be."""
    old, new = several(store, 2)
    store.collect({}, dry_run=False)
    _later(store)
    hit = store.probe_cache(definition(0), [])
    assert hit == old.materialization_id
    start = store.writer.next_start()
    store.writer.point([("t", old.materialization_id)], start_sequence=start, run_id=None)
    start = store.writer.next_start()
    store.writer.point([("t", new.materialization_id)], start_sequence=start, run_id=None)
    assert store.collect({}, dry_run=False).marked == _ids([old])
    assert _statuses(store) == ["ready", "ready"]


@on_both
def test_a_reuse_that_comes_too_late_is_refused_and_misses(store: ResultStore) -> None:
    """Between a probe and the reuse the hit was collected: the pointer stays, and the next probe finds nothing."""
    old, new = several(store, 2)
    start = store.writer.next_start()
    assert _collect(store).collected == _ids([old])
    with pytest.raises(UnknownTable, match="not ready"):
        store.writer.point([("t", old.materialization_id)], start_sequence=start, run_id="run")
    assert store.probe_cache(definition(0), []) is None
    assert store.current("t").materialization_id == new.materialization_id
    assert store.reader.of_run("run", ["t"]) == {}


@on_both
def test_roots_are_looked_for_again_when_the_deletion_begins(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that moves to a materialization after it was judged keeps it."""
    old, _ = several(store, 2)
    take = CollectionRows.take

    def reuse_first(self: CollectionRows, ids: Any, *given: Any, **named: Any) -> Any:
        start = store.writer.next_start()
        store.writer.point([("t", old.materialization_id)], start_sequence=start, run_id=None)
        return take(self, ids, *given, **named)

    monkeypatch.setattr(CollectionRows, "take", reuse_first)
    report = _collect(store)
    assert report.collected == []
    assert values(store.read("t")) == [0]


# --- roots ----------------------------------------------------------------------------------------------------


def _another_deployment(store: ResultStore, old: MaterializationRecord) -> str:
    branch = store.beside(deployment="branch")
    pairs = [("t", old.materialization_id)]
    branch.writer.point(pairs, start_sequence=branch.writer.next_start(), run_id=None)
    return "current in deployment branch"


def _hold(store: ResultStore, old: MaterializationRecord) -> str:
    store.rollback("t", old.materialization_id, by="me")
    return "held by me since"


def _pin(store: ResultStore, old: MaterializationRecord) -> str:
    store.pin("t", old.materialization_id, reason="the paper")
    return "pinned (the paper)"


def _live_run(store: ResultStore, old: MaterializationRecord) -> str:
    current = [("t", store.current("t").materialization_id)]
    start = store.writer.next_start()
    store.writer.point([("t", old.materialization_id)], start_sequence=start, run_id="run")
    store.writer.point(current, start_sequence=store.writer.next_start(), run_id=None)
    return "a result of run run, which has a live lease"


def _run_that_computes(store: ResultStore, old: MaterializationRecord) -> str:
    _live_run(store, old)
    execute(store, "DELETE FROM run_leases")
    attempt_on(store, "other", owner="run/step")
    return "a result of run run, which has a live lease"


def _flight(store: ResultStore, old: MaterializationRecord) -> str:
    flight = Flight(definition_hash=str(definition(7)), input_anchors=on(old))
    begun = store.begin(["c"], produced_by="run", owner="run/step", flights={"c": flight})
    assert isinstance(begun, Attempt)
    return "an input of c, which is computed now"


def _pinned_branch(store: ResultStore, old: MaterializationRecord) -> str:
    at = store.moves("t")[-1].sequence
    make(store.beside(deployment="branch", parent="default", parent_at=at), "other")
    return f"current in deployment default at sequence {at}, which branch branch reads"


def _expiring_branch(store: ResultStore, old: MaterializationRecord) -> str:
    branch = store.beside(deployment="branch", parent="default", ttl_days=7)
    branch.writer.point(
        [("t", old.materialization_id)], start_sequence=branch.writer.next_start(), run_id=None
    )
    return "current in deployment branch"


def _tenant(store: ResultStore, old: MaterializationRecord) -> str:
    own = store.beside(tenant="acme")
    pairs = [("t", old.materialization_id)]
    own.writer.point(pairs, start_sequence=own.writer.next_start(), run_id=None)
    return "in use by another tenant"


def _made_again(store: ResultStore, old: MaterializationRecord) -> str:
    store.artifacts.delete(sidecar_path(old.artifact_path))
    start = store.writer.next_start()
    store.writer.point([("t", old.materialization_id)], start_sequence=start, run_id=None)
    for _ in range(2):
        store.recover(grace_seconds=-1)
    return "lost, and current again in deployment default once its objects are back"


def _let_go(store: ResultStore) -> None:
    store.release("t")
    store.drop("t")


_ENDS: dict[str, Callable[[ResultStore], object]] = {
    "_another_deployment": lambda store: store.beside(deployment="branch").drop("t"),
    "_hold": _let_go,
    "_pin": lambda store: [store.unpin(pin.pin_id) for pin in store.pins()],
    "_live_run": lambda store: execute(store, "UPDATE run_leases SET expires_at = 1"),
    "_run_that_computes": expire,
    "_flight": expire,
    "_pinned_branch": lambda store: store.drop_deployment("branch"),
    "_expiring_branch": lambda store: execute(store, "UPDATE deployments SET expires_at = 1"),
    "_tenant": lambda store: store.beside(tenant="acme").drop("t"),
    "_made_again": lambda store: store.drop("t"),
}


@on_both
@pytest.mark.parametrize(
    "root",
    [
        _another_deployment,
        _hold,
        _pin,
        _live_run,
        _run_that_computes,
        _flight,
        _pinned_branch,
        _expiring_branch,
        _tenant,
        _made_again,
    ],
)
def test_a_root_keeps_at_any_grace_and_says_so(
    store: ResultStore, root: Callable[[ResultStore, MaterializationRecord], str]
) -> None:
    """Each kind of root, without any grace; once it is none, the materialization goes."""
    old, _ = several(store, 2)
    why = root(store, old)
    report = _collect(store)
    assert old.materialization_id not in report.collected
    assert why in str(report.kept[old.materialization_id])
    assert [why in str(one) for one in store.why_alive(old.materialization_id)] == [True]
    _ENDS[root.__name__](store)
    assert old.materialization_id in _collect(store).collected
    assert old.materialization_id not in store.collect(NOW).kept
    assert not any(store.why_alive("t")) or store.tables()


@pytest.mark.slow
@on_both
def test_a_reader_keeps_as_long_as_it_reads(store: ResultStore) -> None:
    """A dataset, and one that was filtered out of it; once both are garbage the materialization goes."""
    make(store, "t")
    dataset = store.dataset("t")
    some = dataset.filter(ds.field("n") > 0)
    store.drop("t")
    assert _collect(store).collected == []
    del dataset
    gc.collect()
    assert "being read (dataset" in str(next(iter(_collect(store).kept.values())))
    assert some.count_rows() == 2
    del some
    gc.collect()
    _until(lambda: _count(store, "read_leases") == 0)
    assert len(_collect(store).collected) == 1


def _count(store: ResultStore, table: str) -> int:
    return len(rows(store)[table])


def _until(holds: Callable[[], bool]) -> None:
    """Waits until it holds."""
    waiting = threading.Event()
    for _ in range(1000):
        if holds():
            return
        waiting.wait(0.01)
    raise AssertionError("it never came to hold")


@on_one
def test_a_read_leaves_no_lease_behind(store: ResultStore) -> None:
    """It ends with the read, also with one that fails."""
    made = make(store, "t")
    store.read("t")
    store.artifacts.delete(made.artifact_path)
    with contextlib.suppress(Exception):
        store.read("t")
    assert _count(store, "read_leases") == 0


@on_both
def test_only_the_global_scope_collects_global_tables(store_at: StoreAt) -> None:
    """A tenant collects its own tables in all deployments, and nobody else's."""
    shared, own, other = store_at(), store_at(tenant="a"), store_at(tenant="b")
    for store in (shared, own, other):
        several(store, 2)
    branch = own.beside(tenant="a", deployment="branch")
    several(branch, 2, "u")
    assert len(_collect(own).collected) == 2
    assert _statuses(branch, "u") == ["collected", "ready"]
    assert [_statuses(store)[:2] for store in (shared, other)] == [["ready", "ready"]] * 2
    assert len(_collect(shared).collected) == 1
    assert values(other.read("t")) == [0, 1]


@on_both
def test_inputs_of_roots_stay_on_request(store: ResultStore) -> None:
    """With `keep_inputs` all that a root was made over can be replayed, and the reason is a path to the root."""
    first, second = several(store, 2, "raw")
    clean = make(store, "clean", numbers(2), inputs=on(first))
    top = make(store, "top", numbers(1), inputs=on(clean))
    make(store, "clean", numbers(3), inputs=on(second), step=2)
    report = _collect(store, keep_inputs=True)
    assert report.collected == []
    said = str(report.kept[first.materialization_id])
    assert said.endswith(
        f"an input of {clean.materialization_id}, an input of {top.materialization_id}, current in deployment default"
    )
    assert sorted(_collect(store).collected) == sorted(_ids([first, clean]))


# --- policies -------------------------------------------------------------------------------------------------


@on_both
def test_the_last_ones_of_each_deployment_stay(store_at: StoreAt) -> None:
    """`keep_last` counts per table and the deployment that made it."""
    prod, branch = store_at(deployment="prod"), store_at(deployment="branch")
    made, others = several(prod, 4), several(branch, 3)
    for store in (prod, branch):
        store.drop("t")
    report = _collect(prod, keep_last=2)
    assert set(report.collected) == set(_ids([*made[:2], *others[:1]]))
    assert "one of the last 2 of t that deployment branch made" in str(
        report.kept[others[-1].materialization_id]
    )


@on_one
def test_young_ones_stay(store: ResultStore) -> None:
    """`keep_for_days` counts from when a materialization was made."""
    several(store, 2)
    assert _collect(store, keep_for_days=1).collected == []
    assert len(_collect(store, keep_for_days=0).collected) == 1


@on_one
def test_the_first_pattern_that_matches_decides(store: ResultStore) -> None:
    """Patterns are compared with the whole name and with that of the asset; brackets stand for themselves."""
    for table in ("raw/a", "raw/a[2026-01-01]", "raw/b", "mart"):
        several(store, 3, table)
    tables = {"raw/a[2026*": {"keep_last": 3}, "raw/a": {"keep_last": 2}, "raw/*": {"keep_for_days": 1}}
    report = _collect(store, keep_last=1, tables=tables)
    gone = {table: _statuses(store, table).count("collected") for table in ("raw/a", "raw/b", "mart")}
    assert gone == {"raw/a": 1, "raw/b": 0, "mart": 2}
    assert _statuses(store, "raw/a[2026-01-01]") == ["ready"] * 3
    assert report.bytes_by_table.keys() == {"raw/a", "mart"}


_BAD: dict[str, tuple[Any, str, str]] = {
    "no policy": (3, "(itself)", "RetentionPolicy"),
    "unknown field": ({"keep_lsat": 3}, "keep_lsat", "keep_last"),
    "negative": ({"keep_last": -1}, "keep_last", "a whole number from 0"),
    "fraction": ({"keep_last": 1.5}, "keep_last", "a whole number"),
    "truth": ({"keep_last": True}, "keep_last", "a whole number"),
    "text": ({"keep_for_days": "30"}, "keep_for_days", "a number of days"),
    "no number": ({"keep_for_days": float("nan")}, "keep_for_days", "a number of days"),
    "for ever": ({"grace_seconds": float("inf")}, "grace_seconds", "a number of seconds from 0"),
    "negative grace": ({"grace_seconds": -1}, "grace_seconds", "a number of seconds from 0"),
    "no truth": ({"keep_inputs": 1}, "keep_inputs", "True or False"),
    "no patterns": ({"tables": ["a"]}, "tables", "a mapping"),
    "empty pattern": ({"tables": {"": {}}}, "tables", "a pattern"),
    "rule of a pattern": ({"tables": {"a*": {"keep_last": -2}}}, "tables['a*'].keep_last", "a whole number"),
    "no rule": ({"tables": {"a*": 3}}, "tables['a*']", "keep_for_days"),
    "grace of a pattern": ({"tables": {"a": {"grace_seconds": 1}}}, "tables['a'].grace_seconds", "keep_last"),
}


@pytest.mark.parametrize("name", _BAD)
def test_a_bad_policy_names_the_value_and_the_way_out(tmp_path: Path, name: str) -> None:
    """Before anything is looked at, in a dry run too."""
    given, path, expected = _BAD[name]
    store = ResultStore(str(tmp_path / "root"), "sqlite://")
    with pytest.raises(InvalidField) as raised:
        store.collect(given)
    assert raised.value.path == path
    assert expected in str(raised.value)
    store.close()


def test_a_policy_comes_back_from_its_json() -> None:
    """`of(to_dict(policy))` is the policy."""
    policy = RetentionPolicy(keep_last=2, tables={"raw/*": RetentionRule(keep_for_days=7)}, keep_inputs=True)
    assert RetentionPolicy.of(json.loads(json.dumps(policy.to_dict()))) == policy
    assert RetentionPolicy.of(policy) is policy


# --- crashes, two at once, restored catalogs ------------------------------------------------------------------


def _dying(name: str, cls: type, *, before: bool) -> Any:
    method = getattr(cls, name)

    def die(self: Any, *given: Any, **named: Any) -> Any:
        if not before:
            method(self, *given, **named)
        raise Killed

    return mock.patch.object(cls, name, die)


@on_one
@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (CollectionRows, "mark"),
        (CollectionRows, "take"),
        (ArtifactRoot, "create"),
        (ArtifactRoot, "delete_many"),
        (CollectionRows, "finish"),
    ],
)
@pytest.mark.parametrize("before", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_pass_that_was_killed_is_made_good_by_the_next(
    store_at: StoreAt, cls: type, name: str, before: bool
) -> None:
    """At each step: nothing that lives is touched, and the next pass ends what was begun."""
    store = store_at()
    several(store, 3)
    make(store, "c", inputs=on(store.current("t")))
    with _dying(name, cls, before=before), pytest.raises(Killed):
        _collect(store)
    assert (values(store.read("t")), values(store.read("c"))) == ([0, 1, 2], [0, 1, 2])
    assert not any(store.recover(grace_seconds=-1).to_dict().values())
    _collect(store)
    assert _statuses(store) == ["collected", "collected", "ready"]
    assert len(files(store_at.root / "tables")) == 2 + 2 + 2


@pytest.mark.parametrize("store_at", ["file", "postgres"], indirect=True)
def test_two_at_once_collect_each_once(store_at: StoreAt) -> None:
    """Both end, and each materialization is in one report."""
    store = store_at()
    several(store, 12)
    passes = [store_at() for _ in range(2)]
    reports: list[CollectionReport] = []
    threads = [threading.Thread(target=lambda s=s: reports.append(_collect(s))) for s in passes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one for report in reports for one in report.collected) == sorted(
        _ids(store.history("t")[1:])
    )
    assert not any(report.unreadable for report in reports)


def test_a_restored_catalog_brings_back_nothing_that_was_collected(tmp_path: Path) -> None:
    """Its rows of them are put down by the tombstones; the names resolve to nothing, and all else is as it was."""
    place = str(tmp_path / "root"), str(tmp_path / "catalog.db")
    store = ResultStore(*place)
    old = make(store, "t")
    make(store, "u", step=3)
    store.close()
    backup = (tmp_path / "catalog.db").read_bytes()
    store = ResultStore(*place)
    new = make(store, "t", numbers(2), step=2)
    assert _collect(store).collected == _ids([old])
    store.close()
    for path in tmp_path.glob("catalog.db*"):
        path.unlink()
    (tmp_path / "catalog.db").write_bytes(backup)
    store = ResultStore(*place)
    report = store.adopt(take_over=True)
    assert (report.collected, report.adopted) == (_ids([old]), _ids([new]))
    assert not any(store.recover().to_dict().values())
    assert values(store.read("t")) == [0, 1]
    assert values(store.read("u")) == [0, 1, 2]
    assert store.probe_cache(definition(), []) is None
    _collect(store)
    assert _statuses(store) == ["collected", "ready"]
    assert not any(store.recover().to_dict().values())
    store.close()


@on_one
def test_a_lost_catalog_brings_back_nothing_that_was_collected(store_at: StoreAt, tmp_path: Path) -> None:
    """Also where a crash had left the bytes: the tombstone tells, and a collection removes them."""
    store = store_at()
    old, new = several(store, 2)
    with _dying("delete_many", ArtifactRoot, before=True), pytest.raises(Killed):
        _collect(store)
    other = ResultStore(str(store_at.root), str(tmp_path / "other.db"))
    assert other.adopt(take_over=True).adopted == _ids([new])
    assert store.artifacts.size(old.artifact_path) is not None
    report = other.collect(NOW, dry_run=False)
    assert (report.collected, report.unknown) == ([], [])
    assert [store.artifacts.size(path) for path in (old.artifact_path, sidecar_path(old.artifact_path))] == [
        None,
        None,
    ]
    assert values(other.read("t")) == [0, 1]
    other.close()


@on_one
def test_objects_that_the_catalog_does_not_know_are_reported(store_at: StoreAt) -> None:
    """Whole or not, young or old, it deletes none of them; those of an engine are not even named."""
    store = store_at()
    made, lost = make(store, "t"), make(store, "u", step=2)
    execute(store, "DELETE FROM pointers WHERE table_name = 'u'")
    execute(store, "DELETE FROM materializations WHERE table_name = 'u'")
    orphan = made.artifact_path.replace(made.materialization_id, "0" * 32)
    for path in (orphan, "tables/engine_table.parquet"):
        store.artifacts.write_bytes_durable(path, b"x")
    unknown = sorted([orphan, lost.artifact_path, sidecar_path(lost.artifact_path)])
    for _ in range(2):
        assert sorted(_collect(store).unknown) == unknown
    assert len(files(store_at.root / "tables")) == 2 + 2 + 2


@on_one
def test_a_damaged_row_takes_no_other_ones_objects(store: ResultStore) -> None:
    """Its path is not the one of its id: it is collected, and the objects there are left alone."""
    old, new = several(store, 2)
    for path in (new.artifact_path, "../outside.parquet"):
        execute(
            store, "UPDATE materializations SET status = 'ready' WHERE id = :id", id=old.materialization_id
        )
        execute(
            store,
            "UPDATE materializations SET artifact_path = :path WHERE id = :id",
            path=path,
            id=old.materialization_id,
        )
        assert _collect(store).collected == _ids([old])
        assert values(store.read("t")) == [0, 1]


@on_one
def test_a_storage_that_refuses_leaves_the_row_for_the_next_pass(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told, the others go, and the next pass makes it good."""
    old, _ = several(store, 2)
    with monkeypatch.context() as patch:
        patch.setattr(ArtifactRoot, "create", _refuse)
        report = _collect(store)
    assert (report.collected, list(report.unreadable)) == ([], _ids([old]))
    assert store.artifacts.size(old.artifact_path) is not None
    assert _collect(store).collected == _ids([old])


def _refuse(self: ArtifactRoot, path: str, data: bytes) -> bool:
    from jammi_dagster.errors import StorageFailed

    raise StorageFailed(root="r", operation="write", uri=path, cause="503", way_out="wait")


@on_one
def test_a_root_that_is_not_there_loses_nothing(store_at: StoreAt) -> None:
    """An unmounted volume: refused before anything is marked."""
    store = store_at()
    several(store, 2)
    before = rows(store)
    store_at.root.rename(store_at.root.with_name("away"))
    with pytest.raises(RootNotThere):
        _collect(store)
    store_at.root.with_name("away").rename(store_at.root)
    assert rows(store) == before


# --- the clock ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("earlier", "now", "since"),
    [
        (("boot", 0, 1000), ("boot", 10, 1010), None),
        (("boot", 0, 1000), ("boot", 10, 1010 + SKEW_SECONDS - 1), None),
        (("boot", 0, 1000), ("boot", 10, 1011 + SKEW_SECONDS), 1000),
        (("boot", 0, 1000), ("boot", 10, 900), 900),
        (("boot", 0, 1000), ("another", 10, 9000), None),
        (("boot", 0, 1000), ("another", 10, 900), 900),
    ],
)
def test_a_step_of_the_clock_is_told(
    earlier: tuple[str, float, float], now: tuple[str, float, float], since: float | None
) -> None:
    """Against a clock that nobody sets, on one machine; and where it went back, on any."""
    reading = ClockReading(*now)
    found = set_since([ClockReading(*earlier)], reading)
    assert found == since
    assert moment_of([], reading._replace(alive_since=found)).alive == (since or now[2])


@on_one
def test_a_step_of_the_clock_restarts_the_grace(store: ResultStore) -> None:
    """The database's clock jumps by a month: nothing goes at once, and leases of before it still count."""
    old, _ = several(store, 2)
    store.collect({}, dry_run=False)
    _later(store, 30 * _DAY)
    execute(store, "UPDATE collection_clocks SET database_seconds = database_seconds - :s", s=30 * _DAY)
    report = store.collect({}, dry_run=False)
    assert report.clock_was_set
    assert (report.collected, report.waiting) == ([], _ids([old]))
    _later(store)
    assert not store.collect({}).clock_was_set
    assert store.collect({}, dry_run=False).collected == _ids([old])


@on_both
def test_a_collection_goes_through_pages(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two rows each: the rule by table and deployment is the same across their borders."""
    monkeypatch.setattr(collection, "_PAGE", 2)
    monkeypatch.setattr(collection, "_IN_ORDER", collection._IN_ORDER.limit(2))
    made = {table: several(store, 5, table) for table in ("t", "t[1]", "u")}
    report = _collect(store, keep_last=3)
    assert set(report.collected) == {one for records in made.values() for one in _ids(records[:2])}
    assert set(report.kept) == {one for records in made.values() for one in _ids(records[2:])}


# --- restoration, pruning -------------------------------------------------------------------------------------


@on_one
def test_a_collected_table_is_restored_if_it_is_made_the_same(store: ResultStore) -> None:
    """Over its recorded manifest, as a new materialization of the old start; other bytes are said to diverge."""
    old, new = several(store, 2)
    assert _collect(store).collected == _ids([old])
    told: list[Any] = []

    def make_rows(count: int) -> Callable[[Any], Any]:
        def run(manifest: Any) -> Any:
            told.append(manifest.descriptor)
            return numbers(count)

        return run

    wanted = {"materialization": old.materialization_id}
    diverged = store.restore("t", make_rows(7), **wanted)
    assert (diverged.outcome, diverged.restored_id) == ("diverged", None)
    assert _statuses(store).count("ready") == 1
    done = store.restore("t", make_rows(1), **wanted)
    assert (done.outcome, done.found_digest) == ("restored", old.artifact_digest)
    assert told[0].to_dict()["step"] == 0
    assert store.probe_cache(definition(0), []) == done.restored_id
    assert store.current("t").materialization_id == new.materialization_id
    assert store.restore("t", make_rows(2)).outcome == "there"
    with pytest.raises(NotInHistory, match="no such materialization"):
        store.restore("t", make_rows(1), materialization="none")
    with pytest.raises(UnknownTable):
        store.restore("u", make_rows(1))


def _given(rows: Any, manifest: Any) -> Any:
    return rows


@on_one
def test_a_restored_one_takes_no_name_that_did_not_lead_to_it(store: ResultStore) -> None:
    """A materialization of a branch, or of a name that is gone, is restored beside the names."""
    branch = store.beside(deployment="branch", parent=store.scope.deployment)
    make(store, "t", numbers(3))
    made = make(branch, "t", numbers(4)), make(branch, "own", numbers(5))
    store.drop_deployment("branch")
    assert {one.materialization_id for one in made} == {*_collect(store).collected}
    for one, given in zip(made, (numbers(4), numbers(5)), strict=True):
        for of in (store, branch):
            again = of.restore(one.table, partial(_given, given), materialization=one.materialization_id)
            assert again.outcome == ("restored" if of is store else "there")
    assert (store.tables(), branch.tables()) == (["t"], ["t"])
    assert len(values(branch.read("t"))) == len(values(store.read("t"))) == 3


@on_one
@pytest.mark.parametrize("name", ["collected", "lost", "lost and held", "lost after a reuse"])
def test_one_that_was_restored_is_not_made_again(store: ResultStore, name: str) -> None:
    """The copy answers as long as it is whole, and a name that lost the first one leads to it, held or reused."""
    old, _ = several(store, 2)
    identity, is_lost = old.materialization_id, name != "collected"
    if name == "lost and held":
        store.rollback("t", to=identity)
    elif is_lost:
        start = store.writer.next_start()
        store.writer.point([("t", identity)], run_id=None, start_sequence=start)
    if is_lost:
        store.artifacts.delete(old.artifact_path)
        for _ in range(2):  # noted first, and lost once the grace is over
            report = store.recover(grace_seconds=0)
        assert report.lost == [identity]
    else:
        assert _collect(store).collected == [identity]
    made: list[Any] = []

    def again(manifest: Any) -> Any:
        made.append(manifest)
        return numbers(1)

    first, second = (store.restore("t", again, materialization=identity) for _ in range(2))
    assert [one.outcome for one in (first, second)] == ["restored", "there"]
    assert (first.restored_id, len(made)) == (second.restored_id, 1)
    current = store.current("t")
    assert is_lost == (current.materialization_id == first.restored_id)
    assert [hold.materialization_id for hold in store.holds().values()] == (
        [first.restored_id] if name == "lost and held" else []
    )


@on_one
def test_a_branch_whose_time_has_come_hides_nothing_once_it_is_collected(store: ResultStore) -> None:
    """Its names go with their materializations, before anybody ends it: the parent's tables show again."""
    branch = store.beside(deployment="branch", parent=store.scope.deployment, ttl_days=1)
    make(store, "t", numbers(3))
    make(branch, "t", numbers(4))
    make(branch, "own")
    execute(store, "UPDATE deployments SET expires_at = 1")
    report = _collect(store)
    assert (len(report.collected), report.ended) == (2, ["branch"])
    assert (branch.tables(), len(values(branch.read("t")))) == (["t"], 3)
    assert branch.moves("own")[0].outcome == "collected"
    assert (store.deployments(), store.expire_deployments()) == ([], [])


@on_one
def test_a_root_that_came_and_went_since_the_mark_begins_the_grace_anew(store: ResultStore) -> None:
    """A branch that was pinned to a marked one, and dropped."""
    several(store, 2)
    at = store.moves("t")[1].sequence
    old = store.history("t")[1].materialization_id
    policy = {"grace_seconds": 1_000}
    assert store.collect(policy, dry_run=False).marked == [old]
    execute(store, "UPDATE materializations SET marked_at = marked_at - 2000 WHERE marked_at IS NOT NULL")
    branch = store.beside(deployment="b", parent=store.scope.deployment, parent_at=at)
    branch.writer.next_start()
    assert branch.current("t").materialization_id == old
    store.drop_deployment("b")
    assert not store.collect(policy, dry_run=False).collected
    execute(store, "UPDATE deployments SET dropped_at = dropped_at - 2000")
    assert store.collect(policy, dry_run=False).collected == [old]


@on_one
@pytest.mark.parametrize("kind", ["pin", "branch"])
def test_an_input_of_a_root_that_came_and_went_since_the_mark_stays_for_the_grace(
    store: ResultStore, kind: str
) -> None:
    """With `keep_inputs`, one that was in use and is free again keeps its inputs for as long as itself."""
    first, _ = several(store, 2, "raw")
    derived = make(store, "clean", numbers(2), inputs=on(first))
    make(store, "clean", numbers(3), step=2)
    both = sorted(_ids([first, derived]))
    policy = {"grace_seconds": 1_000, "keep_inputs": True}
    assert sorted(store.collect(policy, dry_run=False).marked) == both
    execute(store, "UPDATE materializations SET marked_at = marked_at - 2000 WHERE marked_at IS NOT NULL")
    if kind == "pin":
        with store.pin("clean", derived.materialization_id):
            pass
    else:
        at = store.moves("clean")[-1].sequence
        store.beside(deployment="b", parent=store.scope.deployment, parent_at=at).writer.next_start()
        store.drop_deployment("b")
    assert not store.collect(policy, dry_run=False).collected
    execute(store, "UPDATE materializations SET marked_at = marked_at - 2000 WHERE marked_at IS NOT NULL")
    execute(store, "UPDATE deployments SET dropped_at = dropped_at - 2000")
    assert sorted(store.collect(policy, dry_run=False).collected) == both


@on_one
def test_results_of_runs_that_are_over_are_pruned(store: ResultStore) -> None:
    """A run that reuses everything leaves a row for each table; they go with time, those of live runs stay."""
    made = make(store, "t")
    for run in ("old", "live"):
        store.writer.point(
            [("t", made.materialization_id)], start_sequence=store.writer.next_start(), run_id=run
        )
    execute(store, "UPDATE run_leases SET expires_at = 1 WHERE run_id = 'old'")
    assert store.collect({"keep_runs_for_days": 1}).pruned == {"run_results": 1}
    assert _collect(store, keep_runs_for_days=1e6).pruned["run_results"] == 0
    assert _collect(store, keep_runs_for_days=1).pruned == {
        "run_results": 1,
        "run_leases": 1,
        "read_leases": 0,
    }
    assert store.reader.of_run("old", ["t"]) == {}
    assert store.reader.of_run("live", ["t"]).keys() == {"t"}


@on_one
def test_prune_keeps_the_names_of_assets_that_are_there(store: ResultStore) -> None:
    """With their partitions; a dry run, the default, drops nothing; and without any asset it is refused."""
    for table in ("a/b", "a/b[1]", "gone", "gone[1]"):
        make(store, table)
    assert store.prune(["a/b"]).dropped == ["gone", "gone[1]"]
    assert len(store.tables()) == 4
    assert store.prune(["a/b"], dry_run=False).dropped == ["gone", "gone[1]"]
    assert store.tables() == ["a/b", "a/b[1]"]
    with pytest.raises(InvalidField, match="all tables would be dropped"):
        store.prune([])


_KEYS = [dg.AssetKey(["t"])]
MISUSE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "collect, no truth": (lambda s: s.collect({}, dry_run=None), "dry_run is None; expected True or False"),
    "collect, a word": (lambda s: s.collect({}, dry_run="no"), "dry_run is no; expected"),
    "prune, no truth": (lambda s: s.prune(["t"], dry_run=0), "dry_run is 0; expected"),
    "recover, no truth": (lambda s: s.recover(dry_run=None), "dry_run is None; expected"),
    "adopt, no truth": (lambda s: s.adopt(dry_run=None), "dry_run is None; expected"),
    "prune, nothing": (lambda s: s.prune([]), "all tables would be dropped"),
    "prune, keys": (lambda s: s.prune(_KEYS, dry_run=False), "to_user_string"),
    "prune, a number": (lambda s: s.prune(5, dry_run=False), "to_user_string"),
    "prune, None": (lambda s: s.prune(None, dry_run=False), "the name of an asset"),
    "prune, no name": (lambda s: s.prune(["u", ""], dry_run=False), "the name of an asset"),
    "why_alive, a list": (lambda s: s.why_alive(["t"]), "a name is a string"),
    "rollback, None": (lambda s: s.rollback("t", None), "give a materialization's id"),
    "ttl, a word": (lambda s: s.beside(deployment="b", parent="p", ttl_days="2"), "a number of days"),
    "ttl, a truth": (lambda s: s.beside(deployment="b", parent="p", ttl_days=True), "a number of days"),
    "drop, no deployment": (lambda s: s.drop_deployment(""), "'' cannot name a tenant or deployment"),
    "promote, None": (lambda s: s.promote(None), "None cannot name"),
    "promote, a number": (lambda s: s.promotion_plan(3), "3 cannot name"),
    "promote, no text": (lambda s: s.promote("\ud800"), "cannot name a tenant or deployment"),
    "promote, no tables": (lambda s: s.promote("p", 5), "5 is not the name of a result table"),
    "promote, no mapping": (lambda s: s.promote("p", definitions=5), "a mapping of tables"),
    "promote, no name": (lambda s: s.promote("p", by=5), "by is 5; expected text"),
    "promote, no reason": (lambda s: s.promote("p", reason=5), "reason is 5; expected text"),
    "rollback, no name": (lambda s: s.rollback("t", s.sequence(), by=5), "by is 5; expected text"),
    "rollback, no reason": (lambda s: s.rollback("t", s.sequence(), reason=5), "reason is 5; expected text"),
    "pin, no reason": (lambda s: s.pin("t", reason=5), "reason is 5; expected text"),
    "another, None": (lambda s: s.of_deployment(None), "None cannot name"),
}


@on_one
def test_misuse_changes_nothing_and_names_the_value(store: ResultStore) -> None:
    """An argument of another kind is not taken for a yes, a no, or for no names at all."""
    several(store, 2)
    before = rows(store)
    for name, (act, said) in MISUSE.items():  # one store for all: the cases change nothing
        with pytest.raises(JammiError) as refused:
            act(store)
        assert said in str(refused.value), name
    assert rows(store) == before
    assert (store.tables(), _statuses(store)) == (["t"], ["ready", "ready"])
