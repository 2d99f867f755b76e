"""Opening a catalog: cheap when there is nothing to do, and a clear error for everything that is not one."""

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import sqlalchemy as sa
from catalog_kit import Catalog, new_database
from core_kit import Child, apart, race, run

from jammi_dagster.catalog import Database, migrations
from jammi_dagster.errors import (
    CatalogFromNewerVersion,
    CatalogReadOnly,
    CatalogUnavailable,
    ForeignCatalog,
    JammiError,
)


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    """A catalog that is not there yet is made, with the folders above it."""
    new_database(str(tmp_path / "a" / "b" / "c.db")).close()
    assert (tmp_path / "a" / "b" / "c.db").is_file()


def test_opening_at_head_is_one_query_and_imports_no_alembic(file: Path) -> None:
    """A catalog with nothing to migrate costs one statement, and not the import of alembic."""
    new_database(str(file)).close()
    script = """
import sys
import sqlalchemy as sa
seen = []
sa.event.listen(sa.Engine, "before_cursor_execute", lambda c, cursor, statement, *rest: seen.append(statement))
from jammi_dagster.catalog import Database
Database(sys.argv[1]).close()
assert len(seen) == 1, seen
assert not [name for name in sys.modules if name.split(".")[0] == "alembic"]
"""
    run(script, file)


@pytest.mark.parametrize(
    "url", ["{}", "sqlite:///{}", "sqlite+pysqlite:///{}", "sqlite:///{}?mode=ro&password=x"]
)
def test_a_file_is_a_path_or_a_url(url: str, file: Path) -> None:
    """Every spelling of one file is one catalog, whose name shows neither password nor query."""
    new_database(str(file)).close()
    database = new_database(url.format(file))
    assert Path(str(database.url.database)) == file
    assert "password" not in database.name
    assert str(file) in database.name
    database.close()


def test_a_relative_path_is_resolved_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalog stays the one that was opened when the process changes its working folder."""
    monkeypatch.chdir(tmp_path)
    database = new_database("sqlite:///relative.db")
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    database.close()
    assert Catalog(database).revision == 0
    database.close()
    assert list(other.iterdir()) == []


def test_odd_characters_in_a_path(tmp_path: Path) -> None:
    """Percent signs, question marks, spaces and emoji in a path are only a path."""
    for name in ("100% 😀.db", "a?b#c.db", "a&mode=ro.db"):
        file = tmp_path / name
        database = new_database(str(file))
        assert Catalog(database).writer.next_start() > 1
        database.close()
        assert file.is_file()


# --- what is no catalog -------------------------------------------------------------------------------


def test_a_revision_of_a_newer_version_is_refused(catalog: Catalog, file: Path) -> None:
    """A catalog that a newer version migrated is left alone, and the error says to upgrade."""
    with catalog.database.writing() as connection:
        connection.execute(sa.text(f"UPDATE {migrations.VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(CatalogFromNewerVersion) as raised:
        new_database(str(file))
    assert raised.value.revision == "9999"
    assert "upgrade jammi-dagster" in str(raised.value)


def test_another_programs_alembic_table_is_not_ours(schema: str) -> None:
    """Dagster's storage keeps alembic's default table in its PostgreSQL database: ours can live beside it."""
    theirs = sa.create_engine(schema.replace("postgresql:", "postgresql+psycopg:"))
    with theirs.begin() as connection:
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num TEXT)"))
        connection.execute(sa.text("INSERT INTO alembic_version VALUES ('theirs')"))
    theirs.dispose()
    database = new_database(schema)
    with database.reading() as reading:
        assert reading.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one() == "theirs"
    database.close()


def test_garbage_is_no_database(file: Path) -> None:
    """A file that is not SQLite's is an error that names it, and is left as it was."""
    file.write_bytes(b"this is no database, nor has it ever been one" * 100)
    before = file.read_bytes()
    with pytest.raises(CatalogUnavailable, match="not a database") as raised:
        new_database(str(file))
    assert str(file) in str(raised.value)
    assert file.read_bytes() == before


def test_a_damaged_database_is_an_error_of_ours(file: Path) -> None:
    """A catalog whose pages are overwritten is reported, whenever the damage is met."""
    new_database(str(file)).close()
    data = bytearray(file.read_bytes())
    data[2_000:] = os.urandom(len(data) - 2_000)
    file.write_bytes(bytes(data))
    with pytest.raises(CatalogUnavailable):
        Catalog(new_database(str(file))).reader.tables()


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    """A path that is a folder, or that goes through a file, is an error of ours."""
    with pytest.raises(CatalogUnavailable):
        new_database(str(tmp_path))
    (tmp_path / "file").write_text("x")
    with pytest.raises(CatalogUnavailable):
        new_database(str(tmp_path / "file" / "c.db"))


@pytest.mark.parametrize("path", ["", "a\0b", "sqlite:///a\0b"])
def test_what_is_no_path(path: str) -> None:
    """An empty path and one with a NUL are refused before anything is opened."""
    with pytest.raises(CatalogUnavailable):
        new_database(path)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://user:s3cret@host/db",
        "nonsense://user:s3cret@host/db",
        "postgresql://user:s3cret@host:no-port/db",
        "postgresql://user:in/s3cret@host/db",
        "postgresql://user:a:s3cret@127.0.0.1:1/db",
        "postgresql://user:s3cret@127.0.0.1:1/db",
        "postgresql://127.0.0.1:1/db?user=u&password=s3cret",
        "://user:s3cret@host",
    ],
)
def test_no_password_reaches_a_message(url: str) -> None:
    """A URL that cannot be used is an error of ours, in which its password does not stand."""
    with pytest.raises(CatalogUnavailable) as raised:
        new_database(url)
    error: BaseException | None = raised.value
    assert "s3cret" not in str(error)
    while error is not None:
        assert "s3cret" not in repr(error)
        error = error.__cause__


def test_a_missing_driver_is_named() -> None:
    """Without psycopg, a PostgreSQL catalog names the package to install."""
    script = """
import sys
sys.modules["psycopg"] = None
from jammi_dagster.catalog import Database
from jammi_dagster.errors import CatalogUnavailable
try:
    Database("postgresql://user:s3cret@host/db")
except CatalogUnavailable as error:
    print(error)
"""
    said = run(script)
    assert "jammi-dagster[postgres]" in said
    assert "s3cret" not in said


# --- read-only ----------------------------------------------------------------------------------------


def _sense(talk: Connection, file: Path) -> list[str]:
    """Reads, is refused to write, and reads again when told."""
    catalog = Catalog(new_database(str(file)))
    talk.send((catalog.reader.tables(), catalog.database.read_only))
    with pytest.raises(CatalogReadOnly):
        catalog.writer.next_start()
    talk.recv()
    return catalog.reader.tables()


def _refusal(catalog: Path) -> str:
    """The message of the error that opening a catalog raises."""
    with pytest.raises(JammiError) as raised:
        new_database(str(catalog))
    return f"{type(raised.value).__name__}: {raised.value}"


def _refused_write(catalog: Path) -> str:
    """The message of the error that the first write raises, where reading finds nothing."""
    found = Catalog(Database(str(catalog)))
    assert found.reader.tables() == []
    with pytest.raises(JammiError) as raised:
        found.writer.next_start()
    return f"{type(raised.value).__name__}: {raised.value}"


@pytest.fixture
def closed(file: Path) -> Iterator[Path]:
    """A catalog with one table, closed, in a folder of its own."""
    database = new_database(str(file))
    Catalog(database).ready("t")
    database.close()
    yield file
    file.parent.chmod(0o755)


@pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o444, 0o555), (0o444, 0o755), (0o644, 0o555)])
def test_a_catalog_that_cannot_be_written_can_be_read(closed: Path, file_mode: int, folder_mode: int) -> None:
    """Sensing works where the file, its folder, or both are read-only, and leaves no file behind."""
    closed.chmod(file_mode)
    closed.parent.chmod(folder_mode)
    before = sorted(os.listdir(closed.parent))
    reader = Child(_sense, closed, privileged=False)
    assert reader.told() == (["t"], True)
    reader.tell("again")
    assert reader.result() == ["t"]
    assert sorted(os.listdir(closed.parent)) == before


@pytest.mark.parametrize("folder_mode", [0o555, 0o755])
def test_a_reader_who_cannot_write_sees_what_a_writer_commits(closed: Path, folder_mode: int) -> None:
    """A sensor under another account follows a writer at work: nothing committed is overlooked."""
    database = new_database(str(closed))
    writer = Catalog(database)
    writer.ready("u")
    closed.chmod(0o444)
    closed.parent.chmod(folder_mode)
    reader = Child(_sense, closed, privileged=False)
    assert reader.told() == (["t", "u"], True)
    writer.ready("v")
    reader.tell("again")
    assert reader.result() == ["t", "u", "v"]
    database.close()


def test_a_reader_who_cannot_write_sees_a_writer_that_came_later(closed: Path) -> None:
    """A reader that began while nobody wrote meets the commits of a writer that began after it."""
    closed.parent.chmod(0o555)
    reader = Child(_sense, closed, privileged=False)
    assert reader.told() == (["t"], True)
    database = new_database(str(closed))
    Catalog(database).ready("u")
    reader.tell("again")
    assert reader.result() == ["t", "u"]
    database.close()


def test_a_missing_catalog_on_a_read_only_disk(tmp_path: Path) -> None:
    """It is read as an empty one, and cannot be made: an error that names it."""
    tmp_path.chmod(0o555)
    try:
        for place in ("c.db", "folder/c.db"):
            said = apart(_refused_write, tmp_path / place, privileged=False)
            assert said.startswith("CatalogReadOnly")
            assert str(tmp_path / place) in said
    finally:
        tmp_path.chmod(0o755)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_entered(tmp_path: Path) -> None:
    """No permission to look is an error of ours as well, not Python's."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    try:
        assert apart(_refusal, closed / "c.db", privileged=False).startswith("CatalogUnavailable")
    finally:
        closed.chmod(0o755)


def test_an_older_catalog_on_a_read_only_disk(file: Path) -> None:
    """A catalog that would have to be migrated and cannot be is read-only, and the reason is given."""
    file.write_bytes(b"")
    file.chmod(0o444)
    said = apart(_refusal, file, privileged=False)
    assert said.startswith("CatalogReadOnly")
    assert "it is empty and cannot be upgraded here" in said
    assert file.read_bytes() == b""


# --- locks --------------------------------------------------------------------------------------------


def _open(n: int, file: Path) -> str:
    database = new_database(str(file))
    catalog_id = Catalog(database).reader.state().catalog_id
    database.close()
    return catalog_id


def test_processes_that_open_a_fresh_catalog_at_once_agree(file: Path) -> None:
    """One of them makes the schema, the others wait for it: nobody fails, and there is one catalog."""
    assert len(set(race(6, _open, file))) == 1


def test_a_reader_does_not_wait_for_a_writer(catalog: Catalog, file: Path) -> None:
    """Sensing takes no write lock: it goes on while another process is within a write transaction."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    assert catalog.reader.tables() == []
    assert time.monotonic() - began < 5
    other.execute("ROLLBACK")
    other.close()


def test_a_writer_does_not_wait_for_a_reader(catalog: Catalog) -> None:
    """Nor does an open read hold up a writer."""
    with catalog.database.reading() as connection:
        rows = connection.execution_options(stream_results=True).execute(sa.text("SELECT 1 UNION SELECT 2"))
        assert rows.fetchone() is not None
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(catalog.writer.next_start).result(timeout=10) > 1


def test_a_write_transaction_takes_its_lock_at_once(catalog: Catalog, file: Path) -> None:
    """BEGIN IMMEDIATE: nothing read in a write transaction changes before it writes."""
    other = sqlite3.connect(file, isolation_level=None, timeout=0)
    with catalog.database.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()


def test_a_failed_transaction_leaves_nothing(catalog: Catalog) -> None:
    """An exception within a write transaction undoes all of it, and lets go of the lock."""

    def fail() -> None:
        with catalog.database.writing() as connection:
            connection.execute(sa.text("UPDATE catalog_state SET revision = 99"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert catalog.revision == 0
    assert catalog.writer.next_start() > 1


def test_more_threads_than_a_pool_has_connections(catalog: Catalog) -> None:
    """Any number of threads may use one catalog at once; none loses its connection to another."""
    together = threading.Barrier(24)

    def use(_: int) -> int:
        together.wait()
        for _ in range(10):
            assert catalog.reader.tables() == []
        return catalog.writer.next_start()

    with ThreadPoolExecutor(24) as pool:
        assert len(set(pool.map(use, range(24)))) == 24


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_catalog_in_memory(url: str) -> None:
    """It works from many threads, and each one is a catalog of its own."""
    database, other = new_database(url), new_database(url)
    catalog = Catalog(database)
    assert database.is_memory
    assert not database.read_only
    with ThreadPoolExecutor(8) as pool:
        starts = list(pool.map(lambda _: catalog.writer.next_start(), range(40)))
    assert len(set(starts)) == len(starts) == 40
    catalog.ready("t")
    assert catalog.reader.tables() == ["t"]
    assert Catalog(other).reader.tables() == []
    assert catalog.reader.state()[0] != Catalog(other).reader.state()[0]
    database.close()
    other.close()


def test_a_closed_catalog_opens_again_when_it_is_used(catalog: Catalog) -> None:
    """`close` gives the connections back, no more."""
    catalog.ready("t")
    catalog.database.close()
    assert catalog.reader.tables() == ["t"]


def test_a_read_only_catalog_says_so(catalog: Catalog) -> None:
    """The message of a refused write names the catalog, and says that reading works all the same."""
    catalog.database.read_only = True
    with pytest.raises(CatalogReadOnly, match=r"catalog\.db is read-only.*reading works"):
        catalog.writer.next_start()


def test_another_programs_sqlite_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A file with tables that are not ours (an engine's catalog has our default name) is never written to."""
    file = tmp_path / "catalog.db"
    with contextlib.closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE result_tables (table_name TEXT)")
    before = file.read_bytes()
    with pytest.raises(ForeignCatalog, match="attach_engine"):
        new_database(str(file))
    assert file.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [file]
