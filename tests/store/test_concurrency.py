"""Many processes on one catalog, and a database whose connections break: nothing is lost."""

import gc
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from catalog_kit import new_database
from core_kit import Child, make, numbers, race, values
from postgres_kit import Postgres
from store_kit import attempt_on, expire, output, status
from waiting_kit import MOST_SECONDS

from jammi_dagster import InputAnchor, ResultStore
from jammi_dagster.catalog import CatalogWriter, migrations
from jammi_dagster.catalog.models import METADATA
from jammi_dagster.errors import CatalogFromNewerVersion, CatalogUnavailable

_PROCESSES, _COMMITS = 8, 100


def _commit(n: int, root: str, catalog: str) -> None:
    os.fsync = lambda fd: None  # this process is the test's own
    store = ResultStore(root, catalog)
    for i in range(_COMMITS):
        inputs = [
            InputAnchor.source_version("file:shared", str(i)),
            InputAnchor.source_version(f"file:{n}", "1"),
        ]
        make(store, f"t{i % 5}", numbers(n + 1), step=n, inputs=inputs)
    store.close()


def _read(talk: Any, root: str, catalog: str) -> int:
    """Reads every table again and again until it is told to stop; each is whole, or not there yet."""
    store = ResultStore(root, catalog)
    seen = 0
    while not talk.poll(0.05):
        for table in store.tables():
            record = store.current(table)
            assert store.artifacts.size(record.artifact_path) == record.size_bytes
            assert store.artifacts.read_table(record.artifact_path).num_rows == record.row_count
            seen += 1
    store.close()
    return seen


def _recover(talk: Any, root: str, catalog: str) -> list[dict[str, Any]]:
    """Recovers again and again, with no grace, until told to stop; gives the reports that were not empty."""
    store = ResultStore(root, catalog)
    found = []
    while not talk.poll(0.2):
        report = store.recover(grace_seconds=0).to_dict()
        found.append({name: ids for name, ids in report.items() if ids})
    store.close()
    return found


@pytest.mark.slow
def test_eight_processes_lose_no_commit(catalog_url: str, tmp_path: Path) -> None:
    """100 commits each: every row, start and revision is there, each pointer is at the latest start, no reader errs.

    Nor does recovery, which runs beside them, find anything that is not a live writer's.
    """
    root = str(tmp_path / "root")
    store = ResultStore(root, catalog_url)
    others = [Child(_read, root, catalog_url), Child(_recover, root, catalog_url)]
    race(_PROCESSES, _commit, root, catalog_url)
    for other in others:
        other.tell("stop")
    assert others[0].result() > 0
    passes = others[1].result()
    assert passes
    assert not any(passes), passes
    history = [record for table in store.tables() for record in store.history(table)]
    assert Counter(record.status for record in history) == {"ready": _PROCESSES * _COMMITS}
    assert len({record.start_sequence for record in history}) == len(history)
    assert store.reader.state()[1] == len(history)
    for table in store.tables():
        newest = max(store.history(table), key=lambda record: record.start_sequence)
        assert store.current(table).materialization_id == newest.materialization_id
    assert len(store.derives_from("file:shared")) == 5
    found = store.recover(dry_run=True).to_dict()
    assert not any(found[name] for name in found if name != "dry_run"), found
    store.close()


def _open(n: int, catalog: str) -> str:
    database = new_database(catalog)
    with database.reading() as connection:
        revision = migrations.revision_of(connection)
    database.close()
    return str(revision)


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[str]:
    """A PostgreSQL database without anything in it."""
    url = postgres.new(migrated=False)
    yield url
    postgres.drop(url)


def test_processes_that_migrate_at_once_take_turns(empty: str) -> None:
    """Four open an empty PostgreSQL database: one makes the schema, once, and all find it."""
    assert race(4, _open, empty) == [migrations.HEAD] * 4
    database = new_database(empty)
    with database.reading() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM catalog_state")).scalar_one() == 1
    database.close()


def test_models_and_migrations_are_one_on_postgres_too(empty: str) -> None:
    """Column by column and index by index; and names sort by code point, whatever the database's locale."""
    database = new_database(empty)
    with database.reading() as connection:
        options = {"version_table": migrations.VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA) == []
        query = "SELECT DISTINCT column_name FROM information_schema.columns WHERE collation_name = 'C'"
        assert set(connection.execute(sa.text(query)).scalars()) >= {"table_name", "source"}
    database.close()


def test_a_catalog_of_a_newer_package_is_refused(empty: str) -> None:
    """On PostgreSQL as on SQLite: an error that says which schema it has and to upgrade; nothing is changed."""
    database = new_database(empty)
    with database.writing() as connection:
        connection.execute(sa.text(f"UPDATE {migrations.VERSION_TABLE} SET version_num = '9999'"))
    database.close()
    with pytest.raises(CatalogFromNewerVersion, match="upgrade") as caught:
        new_database(empty)
    assert caught.value.revision == "9999"


# --- connections that break ----------------------------------------------------------------------------------


@pytest.fixture
def cut(postgres: Postgres, tmp_path: Path) -> Iterator[tuple[ResultStore, Callable[[], int]]]:
    """A store on PostgreSQL, and a call that ends all of its connections from outside."""
    url = postgres.new()
    store = ResultStore(str(tmp_path / "root"), url)
    yield store, lambda: postgres.cut(url)
    store.close()
    postgres.drop(url)


def test_a_connection_lost_between_two_calls_is_not_noticed(
    cut: tuple[ResultStore, Callable[[], int]],
) -> None:
    """Between any two steps of the funnel: the next one opens another."""
    store, break_all = cut
    with attempt_on(store, "t") as attempt:
        assert break_all() > 0
        attempt.write("t", numbers(2))
        assert break_all() >= 0
        attempt.publish([output("t")])
    break_all()
    assert values(store.read("t")) == [0, 1]
    assert store.tables() == ["t"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE catalog_state SET start_sequence",
        "UPDATE catalog_state SET revision",
        "UPDATE materializations",
        "INSERT INTO materializations",
        "COMMIT",
    ],
)
def test_a_connection_lost_in_the_begin_leaves_no_row(
    cut: tuple[ResultStore, Callable[[], int]], statement: str
) -> None:
    """Nor any byte, nor a use of the data; and the next call works."""
    store, break_all = cut
    _cut_before(store, statement, break_all)
    with pytest.raises(CatalogUnavailable):
        make(store, "t", iter(()))
    assert store.history("t") == []
    assert list(store.artifacts.objects("tables")) == []
    make(store, "t", numbers(4))
    assert values(store.read("t")) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "statement", ["UPDATE catalog_state", "UPDATE materializations", "INSERT INTO pointers", "COMMIT"]
)
def test_a_connection_lost_in_the_flip_publishes_nothing(
    cut: tuple[ResultStore, Callable[[], int]], statement: str
) -> None:
    """The call fails with an error of ours; nothing is half done; the next call works, and its row is cleared away."""
    store, break_all = cut
    make(store, "t")
    attempt = attempt_on(store, "t", owner="run/step")
    attempt.write("t", numbers(9))
    _cut_before(store, statement, break_all)
    with pytest.raises(CatalogUnavailable), attempt:
        attempt.publish([output("t", step=2)])
    assert values(store.read("t")) == [0, 1, 2]
    assert status(store, attempt, "t") == "failed"
    assert store.artifacts.size(attempt.rows["t"].artifact_path) is None
    make(store, "t", numbers(4))
    assert values(store.read("t")) == [0, 1, 2, 3]


def _cut_before(store: ResultStore, statement: str, break_all: Callable[[], int]) -> None:
    """Ends all connections just before the first such statement, or the first commit."""
    waiting = [statement]

    def note_commit(connection: Any) -> None:
        note(connection, None, "COMMIT")

    def note(connection: Any, cursor: Any, text: str, *rest: Any) -> None:
        if waiting and text.startswith(waiting[0]):
            waiting.clear()
            break_all()

    sa.event.listen(store.database._engine, "before_cursor_execute", note)
    sa.event.listen(store.database._engine, "commit", note_commit)


def test_a_database_that_stays_away_leaves_a_row_to_recover(
    cut: tuple[ResultStore, Callable[[], int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the flip nor the failing of the row got through: once the lease ran out, recovery publishes it."""
    store, break_all = cut
    attempt = attempt_on(store, "t")
    attempt.write("t", numbers(2))
    with monkeypatch.context() as patch:
        for name in ("finish", "fail"):
            patch.setattr(CatalogWriter, name, _breaking(getattr(CatalogWriter, name), store, break_all))
        with pytest.raises(CatalogUnavailable), attempt:
            attempt.publish([output("t")])
    assert status(store, attempt, "t") == "building"
    assert not any(store.recover().to_dict().values())
    expire(store)
    assert len(store.recover().promoted) == 1
    assert values(store.read("t")) == [0, 1]


def _breaking(
    method: Callable[..., Any], store: ResultStore, break_all: Callable[[], int]
) -> Callable[..., Any]:
    def broken(self: CatalogWriter, *args: Any, **options: Any) -> Any:
        _cut_before(store, "UPDATE", break_all)
        return method(self, *args, **options)

    return broken


def test_a_lost_beat_costs_no_lease(
    cut: tuple[ResultStore, Callable[[], int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections that break while a step computes: the heart beats on."""
    store, break_all = cut
    monkeypatch.setattr("jammi_dagster.recording.funnel.RENEW_SECONDS", 0.02)
    beats = threading.Semaphore(0)
    renew = CatalogWriter.renew

    def counted(self: CatalogWriter, lease: Any) -> None:
        renew(self, lease)
        beats.release()

    monkeypatch.setattr(CatalogWriter, "renew", counted)
    with attempt_on(store, "t") as attempt:
        for _ in range(3):
            break_all()
            assert beats.acquire(timeout=MOST_SECONDS)
        attempt.write("t", numbers(2))
        attempt.publish([output("t")])
    assert values(store.read("t")) == [0, 1]


# psycopg cannot close a cursor whose connection is lost, and says so when the cursor is collected
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <function ServerCursorMixin:pytest.PytestUnraisableExceptionWarning"
)
def test_a_lost_connection_while_sensing_is_an_error_of_ours(
    cut: tuple[ResultStore, Callable[[], int]],
) -> None:
    """In the middle of a sweep; asked again, it answers."""
    store, break_all = cut
    make(store, "t", inputs=[InputAnchor.source_version("file:a", "1")])

    class Breaking:
        source = "file:a"

        def observe(self) -> str:
            """Breaks the sweep's own connection."""
            break_all()
            return "2"

    definitions = {"t": store.current("t").definition_hash or ""}
    with pytest.raises(CatalogUnavailable):
        list(store.sweep(definitions, surfaces=[Breaking()]))
    gc.collect()
    assert len(list(store.sweep(definitions))) == 1
