"""Stores that earlier releases wrote open, hit, are recovered and adopted; none of their tables is lost."""

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from core_kit import make, values
from stores_kit import answers

from jammi_dagster import ResultStore
from jammi_dagster.errors import RootNotThere

_STORES = Path(__file__).parent / "stores"
_VERSIONS = sorted(folder.name for folder in _STORES.iterdir() if (folder / "catalog.sql").is_file())


@pytest.fixture(params=_VERSIONS)
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The store of a release, as it left it."""
    folder = tmp_path / "store"
    shutil.copytree(_STORES / request.param, folder)
    with contextlib.closing(sqlite3.connect(folder / "catalog.db")) as database:
        database.executescript((folder / "catalog.sql").read_text())
        database.execute("PRAGMA journal_mode=WAL")
    return folder


def _gave(root: Path) -> dict[str, Any]:
    gave: dict[str, Any] = json.loads((root / "answers.json").read_text())
    return gave


def _tells(store: ResultStore) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(json.dumps(answers(store)))
    return told


def test_it_gives_the_answers_it_gave(root: Path) -> None:
    """Every table, hit, verdict, edge and byte; before its first write and after it, which binds it to its root."""
    with contextlib.closing(ResultStore(str(root))) as store:
        assert _tells(store) == _gave(root)
        assert not (root / "jammi-root.json").exists()
        store.writer.next_start()
        assert (root / "jammi-root.json").exists()
        assert _tells(store) == _gave(root)


def test_its_dead_writers_are_settled_and_it_goes_on(root: Path) -> None:
    """A range that died whole is published; new tables start after all that it had."""
    with contextlib.closing(ResultStore(str(root))) as store:
        report = store.recover()
        assert len(report.promoted) == 2
        assert (report.failed, report.missing, report.damaged, report.adopted) == ([], [], [], [])
        before = max(record.start_sequence for table in store.tables() for record in store.history(table))
        assert make(store, "up").start_sequence > before
        assert values(store.read("dead[1]")) == [9]


def test_it_is_adopted_where_its_catalog_is_lost(root: Path) -> None:
    """What is current, hit and judged is as before; a drop that it recorded in the catalog alone is forgotten."""
    for file in root.glob("catalog.db*"):
        file.unlink()
    with contextlib.closing(ResultStore(str(root))) as store:
        assert len(store.recover().adopted) == 11
        assert len(store.beside(tenant="acme").adopt().adopted) == 1
        told, gave = _tells(store), _gave(root)
        for scope, kept in gave.items():
            for question in ("anchors", "bytes", "hits", "verdicts", "annotations"):
                found = told[scope][question]
                assert {table: found[table] for table in kept[question]} == kept[question], (scope, question)
            extra = {*told[scope]["current"]} - {*kept["current"]}
            assert extra <= {"dropped", "dead[1]", "dead[2]"}


def test_its_catalog_is_not_bound_to_a_root_without_its_objects(root: Path) -> None:
    """An empty volume in its place stops the first write and the first pass; then it goes on."""
    catalog = str(shutil.copy(root / "catalog.db", root.parent))
    (away := root.with_name("away")).mkdir()
    for name in ("tables", "tenants"):
        (root / name).rename(away / name)
    with contextlib.closing(ResultStore(str(root), catalog)) as store:
        for write in (store.recover, lambda: make(store, "up"), store.adopt):
            with pytest.raises(RootNotThere):
                write()
    for name in ("tables", "tenants"):
        (away / name).rename(root / name)
    with contextlib.closing(ResultStore(str(root), catalog)) as store:
        assert len(store.recover().promoted) == 2
        assert _tells(store)["acme"]["bytes"].items() >= _gave(root)["acme"]["bytes"].items()


def test_a_writer_of_the_release_that_was_open_goes_on(root: Path) -> None:
    """During a rolling deploy its rows have no attempt, and its starts count up; both sides see each other's tables."""
    old = sqlite3.connect(root / "catalog.db", isolation_level=None)
    columns = (
        "tenant, deployment, table_name, status, artifact_path, artifact_digest, size_bytes, row_count, "
        "definition_hash, anchor_set_id, writer_profile, produced_by, created_at, completed_at"
    )
    next_start = "UPDATE catalog_state SET start_sequence = start_sequence + 1 RETURNING start_sequence"
    with contextlib.closing(old), contextlib.closing(ResultStore(str(root))) as store:
        made = make(store, "new")
        ((start,),) = old.execute(next_start).fetchall()
        assert start > made.start_sequence
        old.execute(
            f"INSERT INTO materializations (id, start_sequence, {columns}) "
            f"SELECT 'f' || substr(id, 2), ?, {columns} FROM materializations WHERE id = ?",
            (start, made.materialization_id),
        )
        old.execute(
            "UPDATE pointers SET materialization_id = 'f' || substr(materialization_id, 2), start_sequence = ? "
            "WHERE table_name = 'new'",
            (start,),
        )
        assert store.current("new").start_sequence == start
        assert store.recover().lost == []
        assert make(store, "new", step=2).start_sequence > start
        assert store.current("new").definition_hash != made.definition_hash
