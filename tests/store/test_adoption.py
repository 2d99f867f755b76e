"""Adoption: a catalog that was lost, or restored from a backup, gets everything back from the sidecars."""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from core_kit import make, numbers, values
from store_kit import (
    StoreAt,
    attempt_on,
    child,
    collected,
    definition,
    execute,
    files,
    killed_before_the_flip,
    on,
    output,
    rows,
    verdicts,
)

from jammi_dagster import InputAnchor, ResultStore
from jammi_dagster.artifacts import sidecar_path
from jammi_dagster.errors import CatalogReadOnly, MaintainedElsewhere, UnknownTable

_DAY = 24 * 3600


def forget(store: ResultStore, *, since: int = 0) -> None:
    """Takes everything out of the catalog that started from then on, as the restore of a backup would."""
    gone = "materialization_id IN (SELECT id FROM materializations WHERE start_sequence >= :since)"
    for table in ("pointers", "run_results", "annotations"):
        execute(store, f"DELETE FROM {table} WHERE {gone}", since=since)
    execute(store, "DELETE FROM materializations WHERE start_sequence >= :since", since=since)
    if since == 0:
        for table in ("pointers", "anchor_edges", "anchor_sets"):
            execute(store, f"DELETE FROM {table}")


def age(root: Path, days: float = 2) -> None:
    """Makes every file look as if it had been written a while ago."""
    for path in root.rglob("*"):
        if path.is_file():
            os.utime(path, (time.time() - days * _DAY, time.time() - days * _DAY))


def told(store: ResultStore) -> dict[str, object]:
    """Everything that a scope can be told of its tables and their history."""
    tables = store.tables()
    return {
        "current": {table: store.current(table).to_dict() for table in tables},
        "history": {table: [record.to_dict() for record in store.history(table)] for table in tables},
        "edges": [edge.to_dict() for edge in store.reader.edges()],
        "annotations": {t: store.reader.annotation(store.current(t).materialization_id) for t in tables},
        "run": {t: r.materialization_id for t, r in store.reader.of_run("run", tables).items()},
        "verdicts": {t: verdict.to_dict() for t, verdict in verdicts(store).items()},
        "bytes": {t: store.read(t).to_pydict() for t in tables},
    }


def _fill(store: ResultStore) -> None:
    """A small graph with history, anchors in an order of their own, a run, an annotation and an unpinned input."""
    make(store, "up")
    child(store, "down", "up")
    make(store, "up", numbers(5))
    make(store, "files", inputs=[InputAnchor.source_version(f"file:{name}", "1") for name in "ba"])
    make(store, "unpinned", inputs=[InputAnchor.unpinned_at_instant("api:x", "2026-01-01T00:00:00Z")])
    with attempt_on(store, "said", "and more") as attempt:
        for table in ("said", "and more"):
            attempt.write(table, numbers(2))
        more: dict[str, Any] = {
            "annotation": {"checks": [1]},
            "compute_seconds": 1.5,
            "own": {"run_id": "run"},
        }
        outputs = [output("said", step=6, **more), output("and more", step=7, **more)]
        attempt.publish(outputs, run_id="run")


@pytest.mark.parametrize("tenant", [None, "acme"])
@pytest.mark.parametrize("way", ["adopt", "recover"])
def test_everything_comes_back(store_at: StoreAt, way: str, tenant: str | None) -> None:
    """Tables, history, anchors in recorded order, edges, annotations, results of runs, verdicts and hits."""
    store = store_at(tenant=tenant)
    _fill(store)
    before = told(store)
    forget(store)
    assert store.tables() == []
    report = store.adopt() if way == "adopt" else store.recover()
    assert len(report.adopted) == 7
    assert told(store) == before
    assert store.restored() == store.tables()
    record = store.current("files")
    assert store.lookup_cached(str(record.definition_hash), record.input_anchors) == record.materialization_id
    assert store.adopt().adopted == []
    assert not any(store.recover().to_dict().values())


def test_comparisons_with_earlier_bytes_come_back(store_at: StoreAt) -> None:
    """Each with the last before it that its tenant may read, global or its own."""
    store, acme = store_at(), store_at(tenant="acme")
    for scope, rows_ in [(store, 3), (acme, 3), (acme, 4), (store, 4), (acme, 4), (store, 3), (acme, 3)]:
        make(scope, "t", numbers(rows_))
    make(store, "u", inputs=[InputAnchor.unpinned_at_instant("api:x", "2026-01-01T00:00:00Z")])

    def compared() -> list[tuple[str, str | None]]:
        found = [*store.history("t"), *acme.history("t"), *store.history("u")]
        return sorted((record.materialization_id, record.reproducibility) for record in found)

    before = compared()
    assert {verdict for _, verdict in before} == {None, "reproduced", "diverged"}
    forget(store)
    store.adopt()
    acme.adopt()
    assert compared() == before


def test_a_dry_run_says_what_would_be_adopted(store: ResultStore) -> None:
    """Nothing changes, and the run does exactly that."""
    _fill(store)
    forget(store)
    before = rows(store)
    said = store.adopt(dry_run=True)
    assert rows(store) == before
    assert store.adopt().adopted == said.adopted
    assert len(said.adopted) == 7


def test_a_later_run_repairs_a_restored_pointer(store: ResultStore) -> None:
    """A table says `restored` until it is reused or made again."""
    make(store, "t")
    make(store, "u", step=2)
    forget(store)
    store.adopt()
    assert store.restored() == ["t", "u"]
    hit = store.probe_cache(definition(), [])
    assert hit is not None
    store.writer.point([("t", hit)], start_sequence=store.writer.next_start(), run_id="run")
    assert store.restored() == ["u"]
    make(store, "u", step=2)
    assert store.restored() == []


def test_each_deployment_gets_its_last_computed_table(store_at: StoreAt) -> None:
    """A name resolves in a deployment to what was computed there; a reuse there is repaired by the next run."""
    prod, branch = store_at(deployment="prod"), store_at(deployment="branch")
    first = make(prod, "t")
    make(branch, "t", numbers(4))
    last = make(branch, "t", numbers(5))
    prod.writer.point([("t", last.materialization_id)], start_sequence=prod.writer.next_start(), run_id=None)
    forget(prod)
    prod.adopt()
    assert prod.current("t").materialization_id == first.materialization_id
    assert branch.current("t").materialization_id == last.materialization_id


def test_what_was_dropped_stays_dropped(store_at: StoreAt) -> None:
    """In each deployment by itself; a table that was made again after its drop is there again."""
    prod, branch = store_at(deployment="prod"), store_at(deployment="branch")
    gone = make(prod, "gone")
    make(prod, "again", step=2)
    shared = make(prod, "shared", step=3)
    branch.writer.point(
        [("shared", shared.materialization_id)], start_sequence=branch.writer.next_start(), run_id=None
    )
    own = make(branch, "shared", step=4)
    for table in ("gone", "again", "shared"):
        prod.drop(table)
    again = make(prod, "again", numbers(7), step=5)
    forget(prod)
    report = prod.adopt()
    assert prod.tables() == ["again"]
    assert prod.current("again").materialization_id == again.materialization_id
    assert branch.current("shared").materialization_id == own.materialization_id
    assert gone.materialization_id in report.adopted
    assert prod.lookup_cached(definition(), []) == gone.materialization_id


def test_a_drop_that_fails_leaves_no_tombstone(store_at: StoreAt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the root nor in the catalog has anything happened."""
    store = store_at()
    make(store, "t")
    before = rows(store), files(store_at.root)

    def fail(self: object, *args: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(type(store.artifacts._storage), "upload", fail)
        with pytest.raises(Exception, match="full"):
            store.drop("t")
    assert (rows(store), files(store_at.root)) == before
    store.drop("t")
    with pytest.raises(UnknownTable):
        store.current("t")


# --- backups ---------------------------------------------------------------------------------------------


def test_a_restored_backup_gets_the_newer_tables_back(store: ResultStore) -> None:
    """Older pointers move on to the last computed table; a day later nothing of it is reclaimed."""
    make(store, "t")
    make(store, "old", step=3)
    since = store.writer.next_start()
    newer = make(store, "t", numbers(4))
    make(store, "new", step=2)
    before = told(store)
    forget(store, since=since)
    assert store.recover().adopted
    assert told(store) == before
    assert store.current("t").materialization_id == newer.materialization_id
    assert store.restored() == ["new", "t"]
    age(Path(str(store.artifacts.local_root)))
    assert store.recover().reclaimed == []


def test_the_last_run_is_current_after_backup_run_restore_run_adopt(tmp_path: Path) -> None:
    """A number that the restored catalog issues is later than any that it had issued and forgot."""
    catalog = tmp_path / "catalog.db"
    opened = [ResultStore(str(tmp_path / "root"), str(catalog))]
    make(opened[0], "t", numbers(1))
    opened[0].close()
    shutil.copy(catalog, tmp_path / "backup.db")
    opened.append(ResultStore(str(tmp_path / "root"), str(catalog)))
    forgotten = make(opened[1], "t", numbers(2))
    only = make(opened[1], "only", step=2)
    opened[1].close()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{catalog}{suffix}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", catalog)
    with contextlib.closing(ResultStore(str(tmp_path / "root"), str(catalog))) as store:
        last = make(store, "t", numbers(3))
        assert last.start_sequence > forgotten.start_sequence
        assert sorted(store.adopt().adopted) == sorted(
            [forgotten.materialization_id, only.materialization_id]
        )
        assert values(store.read("t")) == [0, 1, 2]
        assert store.restored() == ["only"]
        assert len(store.history("t")) == 3


def test_a_backup_from_before_a_maintenance_pass_needs_a_takeover(tmp_path: Path) -> None:
    """It might be a copy beside the live catalog, so upkeep stops and says so; writing goes on; a takeover helps."""
    root, catalog = str(tmp_path / "root"), tmp_path / "catalog.db"
    with contextlib.closing(ResultStore(root, str(catalog))) as store:
        make(store, "t", numbers(1))
        store.recover()
    shutil.copy(catalog, tmp_path / "backup.db")
    with contextlib.closing(ResultStore(root, str(catalog))) as store:
        make(store, "t", numbers(2))
        only = make(store, "only", step=2)
        store.recover()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{catalog}{suffix}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", catalog)
    with contextlib.closing(ResultStore(root, str(catalog))) as store:
        make(store, "t", numbers(3))
        for upkeep in (store.recover, store.adopt):
            with pytest.raises(MaintainedElsewhere, match="take_over=True"):
                upkeep()
        report = store.adopt(take_over=True)
        assert only.materialization_id in report.adopted
        assert values(store.read("t")) == [0, 1, 2]
        assert store.tables() == ["only", "t"]
        age(Path(root))
        assert store.recover().reclaimed == []


# --- a catalog that was lost from its own root ---------------------------------------------------------------


@pytest.mark.parametrize("first", ["recover", "adopt", "write", "start"])
def test_a_lost_default_catalog_is_made_again_under_its_id(tmp_path: Path, first: str) -> None:
    """The first write, of whatever kind, brings everything back, of all tenants; opening alone writes nothing."""
    root = tmp_path / "root"
    with contextlib.closing(ResultStore(str(root))) as store:
        _fill(store)
        make(store.beside(tenant="acme"), "theirs", step=5)
        before, identity = told(store), store.identity
    for file in root.glob("catalog.db*"):
        file.unlink()
    with contextlib.closing(ResultStore(str(root))) as store:
        assert store.tables() == []
        if first == "recover":
            assert len(store.recover().adopted) == 8
        elif first == "adopt":
            assert len(store.adopt().adopted) == 8
        elif first == "start":
            store.writer.next_start()
        else:
            make(store, "more", step=9)
            store.drop("more")
        assert told(store) == before
        assert store.identity == identity
        assert set(store.beside(tenant="acme").tables()) - set(store.tables()) == {"theirs"}
        age(root)
        assert store.recover().reclaimed == []


def test_a_crash_while_a_lost_catalog_is_rebuilt_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until all rows are there the catalog is not bound, so the next write begins again."""
    root = tmp_path / "root"
    with contextlib.closing(ResultStore(str(root))) as store:
        _fill(store)
        before = told(store)
    for file in root.glob("catalog.db*"):
        file.unlink()
    from jammi_dagster.catalog import AdoptionRows

    with contextlib.closing(ResultStore(str(root))) as store, monkeypatch.context() as patch:

        def die(self: AdoptionRows, rows: object) -> list[str]:
            raise KeyboardInterrupt

        patch.setattr(AdoptionRows, "add", die)
        with pytest.raises(KeyboardInterrupt):
            store.recover()
    with contextlib.closing(ResultStore(str(root))) as store:
        store.writer.next_start()
        assert told(store) == before


# --- objects that are not adopted ------------------------------------------------------------------------------


def _edit(store: ResultStore, path: str, **fields: object) -> None:
    sidecar = Path(str(store.artifacts.local_root)) / sidecar_path(path)
    manifest = json.loads(sidecar.read_text())
    for name, value in fields.items():
        (manifest["jammi_dagster"] if name in manifest["jammi_dagster"] else manifest)[name] = value
    sidecar.write_text(json.dumps(manifest))


def _definition(store: ResultStore, path: str) -> None:
    _edit(store, path, definition_hash="cd" * 32)


def _table(store: ResultStore, path: str) -> None:
    _edit(store, path, table="other")


def _tenant(store: ResultStore, path: str) -> None:
    _edit(store, path, tenant="acme")


def _id(store: ResultStore, path: str) -> None:
    _edit(store, path, materialization="0" * 32)


def _newer(store: ResultStore, path: str) -> None:
    _edit(store, path, manifest_version=6)


def _deployment(store: ResultStore, path: str) -> None:
    _edit(store, path, deployment="\0")


@pytest.mark.parametrize("harm", [_definition, _table, _tenant, _id, _newer, _deployment])
def test_a_sidecar_of_something_else_is_reported_and_kept(
    store: ResultStore, harm: Callable[[ResultStore, str], None]
) -> None:
    """It gives no row, and no hit; but it may be right for somebody, so nothing is removed."""
    path, good = make(store, "t").artifact_path, make(store, "good", step=2)
    harm(store, path)
    forget(store)
    age(Path(str(store.artifacts.local_root)))
    report = store.recover()
    assert report.adopted == [good.materialization_id]
    assert list(report.unreadable) == [path]
    assert report.reclaimed == []
    assert store.tables() == ["good"]
    assert store.lookup_cached(definition(), []) is None
    assert store.artifacts.size(path)


@pytest.mark.parametrize("ending", ["size", "sidecar", "bytes"])
def test_an_artifact_that_disagrees_is_reclaimed_after_the_grace_period(
    store: ResultStore, ending: str
) -> None:
    """Without sidecar, without bytes, or with bytes of another length it is nobody's."""
    path = make(store, "t").artifact_path
    file = Path(str(store.artifacts.local_root)) / path
    if ending == "size":
        file.write_bytes(b"x")
    else:
        store.artifacts.delete(path if ending == "bytes" else sidecar_path(path))
    forget(store)
    assert not any(store.recover().to_dict().values())
    age(Path(str(store.artifacts.local_root)))
    assert set(store.recover().reclaimed) <= {path, sidecar_path(path)}
    assert not file.exists()


def test_hostile_numbers_and_texts_do_no_harm(store: ResultStore) -> None:
    """A start that no database holds is replaced by the id's; an attempt of whatever kind is one of its own."""
    paths = {name: make(store, name, step=i).artifact_path for i, name in enumerate(("a", "b", "c"))}
    _edit(store, paths["a"], start_sequence=2**90, created_at=7)
    _edit(store, paths["b"], attempt="none", start_sequence=-1)
    _edit(store, paths["c"], attempt={"id": 5, "size": True})
    forget(store)
    assert len(store.adopt().adopted) == 3
    assert store.tables() == ["a", "b", "c"]
    assert make(store, "a", numbers(9)).start_sequence > 0
    assert len(values(store.read("a"))) == 9


def test_a_sidecar_of_before_tenants_and_starts_were_recorded_is_adopted(store_at: StoreAt) -> None:
    """0.1 wrote neither: the folder tells the tenant, the id the time."""
    for tenant in (None, "acme"):
        store = store_at(tenant=tenant)
        made = [make(store, "t", numbers(n)) for n in (1, 2)]
        for record in made:
            sidecar = store_at.root / sidecar_path(record.artifact_path)
            manifest = json.loads(sidecar.read_text())
            for name in ("tenant", "start_sequence", "created_at", "attempt"):
                del manifest["jammi_dagster"][name]
            sidecar.write_text(json.dumps(manifest))
    forget(store_at())
    for tenant in (None, "acme"):
        store = store_at(tenant=tenant)
        assert len(store.adopt().adopted) == 2
        assert values(store.read("t")) == [0, 1]


# --- attempts of several tables --------------------------------------------------------------------------------


def _range(store: ResultStore, count: int) -> list[str]:
    tables = [f"t[{i:03}]" for i in range(count)]
    with attempt_on(store, *tables) as attempt:
        for table in tables:
            attempt.write(table, numbers(1))
        attempt.publish([output(table) for table in tables])
    return [attempt.rows[table].artifact_path for table in tables]


@pytest.mark.parametrize("count", [3, 130])
def test_a_range_comes_back_as_a_whole(store: ResultStore, count: int) -> None:
    """However large; and where only some of its rows are missing."""
    _range(store, count)
    for part in ("", " WHERE table_name = 't[001]'"):
        for table, column in (("pointers", "materialization_id"), ("materializations", "id")):
            execute(store, f"DELETE FROM {table} WHERE {column} IN (SELECT id FROM materializations{part})")
        assert len(store.adopt().adopted) == (count if part == "" else 1)
        assert len(store.tables()) == count


@pytest.mark.parametrize("gone", ["sidecar", "bytes"])
def test_half_a_range_stays_out(store: ResultStore, gone: str) -> None:
    """It may never have been published: reported, kept, and adopted once it is whole."""
    paths = _range(store, 3)
    path = paths[1] if gone == "bytes" else sidecar_path(paths[1])
    data = store.artifacts.read_bytes(path)
    store.artifacts.delete(path)
    forget(store)
    age(Path(str(store.artifacts.local_root)))
    report = store.recover(grace_seconds=99 * _DAY)
    assert (report.adopted, len(report.incomplete)) == ([], 2)
    assert store.tables() == []
    store.artifacts.write_bytes_durable(path, data)
    assert len(store.recover().adopted) == 3
    assert store.tables() == ["t[000]", "t[001]", "t[002]"]


@pytest.mark.parametrize("is_collected", [False, True])
def test_a_range_of_which_a_table_was_dropped_comes_back_without_it(
    store: ResultStore, is_collected: bool
) -> None:
    """Also when the dropped one was collected since: then its tombstone stands for it."""
    _range(store, 3)
    store.drop("t[001]")
    if is_collected:
        assert len(collected(store)) == 1
    forget(store)
    assert len(store.recover().adopted) == 3 - is_collected
    assert store.tables() == ["t[000]", "t[002]"]


def test_a_writer_that_died_before_the_flip_is_adopted_if_whole(store: ResultStore) -> None:
    """Its bytes and sidecar agree, so it is worth as much as a published one."""
    killed_before_the_flip(store, "t")
    forget(store)
    assert len(store.adopt().adopted) == 1
    assert store.tables() == ["t"]


def test_a_read_only_catalog_adopts_nothing(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can only be asked."""
    make(store, "t")
    forget(store)
    monkeypatch.setattr(store.database, "read_only", True)
    assert len(store.adopt(dry_run=True).adopted) == 1
    with pytest.raises(CatalogReadOnly):
        store.adopt()


def test_tables_over_each_other_are_judged_as_before(store: ResultStore) -> None:
    """A fresh child is fresh, a stale one stale: anchors are the recorded ones."""
    parent = make(store, "parent")
    make(store, "fresh", inputs=on(parent))
    make(store, "stale", inputs=[InputAnchor.result_digest("parent", "ab" * 32)])
    before = verdicts(store)
    forget(store)
    store.adopt()
    assert verdicts(store) == before
