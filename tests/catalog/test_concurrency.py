"""Many writers on one SQLite file: nothing is lost, nobody is turned away."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from catalog_kit import Catalog, finished, new_database
from core_kit import race

from jammi_dagster.contract import InputAnchor


def _commit(n: int, file: Path) -> None:
    catalog = Catalog(new_database(str(file)))
    for i in range(25):
        anchors = [
            InputAnchor.source_version("file:shared", str(i)),
            InputAnchor.source_version("file:b", "1"),
        ]
        catalog.ready(f"t{i % 5}", anchors=anchors, run_id=f"run{n}")


def test_eight_processes_lose_nothing(catalog: Catalog, file: Path) -> None:
    """8 processes with 25 commits each: every start, row and revision is there, and no one met a lock."""
    race(8, _commit, file)
    history = [record for table in catalog.reader.tables() for record in catalog.reader.history(table)]
    assert len(history) == 200
    assert {record.status for record in history} == {"ready"}
    assert len({record.start_sequence for record in history}) == 200
    assert catalog.revision == 200
    for table in catalog.reader.tables():
        newest = max(catalog.reader.history(table), key=lambda record: record.start_sequence)
        assert catalog.current(table) == newest.materialization_id
    assert len({record.anchors_json for record in history}) == 25


@pytest.mark.parametrize("catalog", ["sqlite", "postgres"], indirect=True)
def test_threads_of_one_process_lose_nothing(catalog: Catalog) -> None:
    """One `Database` serves many threads that write at once."""
    together = threading.Barrier(8)

    def commit(thread: int) -> None:
        together.wait()
        for i in range(10):
            catalog.ready(f"t{thread}", anchors=[InputAnchor.source_version("file:a", str(i))])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(commit, range(8)))
    assert catalog.revision == 80
    assert len(catalog.reader.tables()) == 8


@pytest.mark.parametrize("catalog", ["sqlite", "postgres"], indirect=True)
def test_only_one_of_two_writers_of_a_row_finishes_it(catalog: Catalog) -> None:
    """Two threads that finish one row at once: one succeeds, the other learns that the row is not its own."""
    rows, lease = catalog.begin("t")
    together = threading.Barrier(2)

    def flip(_: int) -> str:
        together.wait()
        try:
            catalog.writer.finish([finished(rows[0])], lease=lease, run_id=None)
        except Exception as error:
            return type(error).__name__
        return "ready"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(flip, range(2))) == ["LeaseLost", "ready"]
    assert catalog.revision == 1


def test_threads_that_open_a_fresh_postgres_catalog_at_once_agree(schema: str) -> None:
    """One makes the schema, the others wait for it."""
    together = threading.Barrier(4)

    def open_it(_: int) -> str:
        together.wait()
        database = new_database(schema)
        catalog_id = Catalog(database).reader.state().catalog_id
        database.close()
        return catalog_id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(open_it, range(4)))) == 1
