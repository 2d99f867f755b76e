"""What was acknowledged survives: synced commits, a catalog file replaced under an open store, read-only sessions."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from catalog_kit import Catalog, new_database
from core_kit import apart
from debian_kit import program

from jammi_dagster.catalog import sqlite_file
from jammi_dagster.catalog.sqlite_file import network_file_system
from jammi_dagster.errors import CatalogReadOnly, CatalogReplaced, CatalogUnavailable

# --- synced commits -----------------------------------------------------------------------------------------


def test_a_durable_write_begins_with_full_synchronization(catalog: Catalog) -> None:
    """SQLite takes the pragma outside of a transaction only, so it is set before; 2 is FULL, 1 is NORMAL."""
    for durable in (True, False, True, False):  # whatever the write before set
        with catalog.database.writing(durable=durable) as connection:
            found = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        assert found == (2 if durable else 1)


_TRACED = """
import os, sys
sys.path.insert(0, sys.argv[2])
from core_kit import make, numbers
from jammi_dagster import ResultStore
store = ResultStore(sys.argv[1])
make(store, "warm")
for i in range(3):
    os.mkdir(f"{sys.argv[1]}/MARK{i}")
    make(store, f"t{i}")
os.mkdir(f"{sys.argv[1]}/MARK3")
os._exit(0)
"""


def test_the_system_is_asked_to_sync_each_begin_and_each_flip(tmp_path: Path) -> None:
    """A trace of the system calls: between begin and end of each materialization the log is synced at least twice."""
    trace, support = tmp_path / "trace", Path(__file__).parents[1] / "support"
    traced = [sys.executable, "-c", _TRACED, str(tmp_path / "root"), str(support)]
    subprocess.run(
        [program("strace"), "-f", "-y", "-e", "trace=fsync,fdatasync,mkdir", "-o", str(trace), *traced],
        check=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    text = trace.read_text()
    for i in range(3):
        part = text[text.index(f"/MARK{i}") : text.index(f"/MARK{i + 1}")]
        synced = [line for line in part.splitlines() if "sync(" in line and "catalog.db-wal" in line]
        assert len(synced) >= 2, part


@pytest.mark.parametrize("catalog", ["postgres"], indirect=True)
def test_postgres_commits_synchronously_where_the_server_does_not(catalog: Catalog, schema: str) -> None:
    """`synchronous_commit` is switched on for durable transactions, kept where it is not off, never for sessions."""
    show = "SHOW synchronous_commit"
    for given, durable, expected in [
        ("off", True, "on"),
        ("off", False, "off"),
        ("local", True, "local"),
        ("remote_write", True, "remote_write"),
        ("on", True, "on"),
    ]:
        database = new_database(f"{schema}%20-csynchronous_commit%3D{given}")
        with database.writing(durable=durable) as connection:
            assert connection.exec_driver_sql(show).scalar_one() == expected
        with database.reading() as connection:
            assert connection.exec_driver_sql(show).scalar_one() == given
        database.close()


# --- replaced files -----------------------------------------------------------------------------------------


def _replace(file: Path) -> None:
    for name in ("", "-wal", "-shm"):
        file.with_name(file.name + name).unlink(missing_ok=True)
    shutil.copy(file.with_suffix(".backup"), file)


def _rename_over(file: Path) -> None:
    copy = file.with_suffix(".copy")
    shutil.copy(file.with_suffix(".backup"), copy)
    os.replace(copy, file)


def _remove(file: Path) -> None:
    for name in ("", "-wal", "-shm"):
        file.with_name(file.name + name).unlink(missing_ok=True)


def _move_away(file: Path) -> None:
    file.rename(file.with_suffix(".away"))


CHANGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "replaced": (_replace, "replaced"),
    "renamed over": (_rename_over, "replaced"),
    "removed": (_remove, "removed"),
    "moved away": (_move_away, "removed"),
}


@pytest.fixture
def backed_up(catalog: Catalog, file: Path) -> Catalog:
    """A catalog with a table, and a backup of it, to which another table was added since."""
    catalog.ready("t0")
    catalog.database.close()
    shutil.copy(file, file.with_suffix(".backup"))
    catalog.ready("t1")
    return catalog


@pytest.mark.parametrize("case", CHANGES)
def test_a_write_into_a_file_that_is_no_longer_the_catalog_is_an_error(
    backed_up: Catalog, file: Path, case: str
) -> None:
    """Nothing is acknowledged into a file that nobody else sees; and no empty catalog is made in its place."""
    change, found = CHANGES[case]
    rows, lease = backed_up.begin("t2")
    change(file)
    with pytest.raises(CatalogReplaced, match=found) as raised:
        backed_up.writer.renew(lease)
    assert raised.value.found == found
    assert file.exists() == (found == "replaced")
    assert rows[0].table == "t2"


@pytest.mark.parametrize("case", CHANGES)
def test_a_write_during_which_the_file_changes_is_an_error(backed_up: Catalog, file: Path, case: str) -> None:
    """The file is compared once more before the commit, and after it."""
    change, found = CHANGES[case]

    def write() -> None:
        with backed_up.database.writing() as connection:
            connection.execute(sa.text("UPDATE catalog_state SET revision = revision + 1"))
            change(file)

    with pytest.raises(CatalogReplaced, match=found):
        write()


def test_a_removed_log_is_noticed_by_the_commit_that_went_into_it(catalog: Catalog, file: Path) -> None:
    """Whoever removes the write-ahead log of an open catalog takes its commits: the next one is not acknowledged."""
    catalog.ready("t0")
    file.with_name(f"{file.name}-wal").unlink()
    with pytest.raises(CatalogReplaced, match="without its write-ahead log"):
        catalog.ready("t1")


def test_after_the_error_the_restored_catalog_is_used(backed_up: Catalog, file: Path) -> None:
    """The process goes on with the file that is there now: others see its commits."""
    _replace(file)
    with pytest.raises(CatalogReplaced):
        backed_up.writer.next_start()
    backed_up.ready("t2")
    assert backed_up.reader.tables() == ["t0", "t2"]
    other = Catalog(new_database(str(file)))
    assert other.reader.tables() == ["t0", "t2"]
    other.database.close()


def test_a_reader_follows_a_restore(backed_up: Catalog, file: Path) -> None:
    """Reading needs no error: the sensor sees the catalog that everybody sees."""
    assert backed_up.reader.tables() == ["t0", "t1"]
    _replace(file)
    assert backed_up.reader.tables() == ["t0"]
    _remove(file)
    with pytest.raises(CatalogReplaced, match="removed"):
        backed_up.reader.tables()


def test_a_restored_catalog_never_repeats_its_mark(backed_up: Catalog, file: Path) -> None:
    """As many commits after the restore as were lost give the same revision, and another mark: the sensor looks."""
    lost = backed_up.reader.state()
    with sqlite3.connect(file.with_suffix(".backup")) as backup, sqlite3.connect(file) as live:
        backup.backup(live)  # in place, as `pg_restore` would
    backup.close()
    live.close()
    backed_up.ready("other")
    now = backed_up.reader.state()
    assert now.revision == lost.revision
    assert now.mark != lost.mark
    before = backed_up.reader.state()
    backed_up.writer.next_start()  # a start changes no answer
    assert backed_up.reader.state() == before


# --- read-only, encodings, network file systems -----------------------------------------------------------------


@pytest.mark.parametrize("catalog", ["postgres"], indirect=True)
def test_a_read_only_session_is_told_and_never_written_through(catalog: Catalog, schema: str) -> None:
    """Reading works; every write is `CatalogReadOnly`, also on a connection that has served a snapshot."""
    catalog.ready("t")
    database = new_database(f"{schema}%20-cdefault_transaction_read_only%3Don")
    reader = Catalog(database)
    for _ in range(3):
        with reader.reader.frozen() as frozen:
            assert frozen.tables() == ["t"]
        with pytest.raises(CatalogReadOnly, match="sessions are read-only"):
            reader.writer.next_start()
    assert reader.reader.tables() == ["t"]
    database.close()


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "UTF8"])
@pytest.mark.parametrize("name", ["plain", "é", "日本"])
def test_any_encoding_holds_a_name_or_says_that_it_does_not(postgres: str, encoding: str, name: str) -> None:
    """A name comes back as it was given, or its error names the catalog and the way out; then others still work."""
    database_name = f"enc_{encoding.lower()}_{abs(hash(name))}"
    admin = sa.create_engine(
        postgres.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.exec_driver_sql(
            f"CREATE DATABASE {database_name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
    admin.dispose()
    catalog = Catalog(new_database(postgres.replace("/postgres?", f"/{database_name}?")))
    catalog.ready("before")
    if encoding == "LATIN1" and name == "日本":
        with pytest.raises(CatalogUnavailable, match="encoding UTF8"):
            catalog.ready(name)
        assert catalog.reader.tables() == ["before"]
    else:
        catalog.ready(name)
        assert catalog.reader.tables() == sorted(["before", name])
    catalog.database.close()


def _turn_read_only(file: str) -> list[Any]:
    catalog = Catalog(new_database(file))
    catalog.ready("t")
    catalog.database.close()
    path = Path(file)
    path.chmod(0o444)
    path.parent.chmod(0o555)
    told: list[Any] = [catalog.reader.tables()]
    for _ in range(2):
        try:
            catalog.writer.next_start()
        except CatalogReadOnly as error:
            told.append(str(error))
    told.append(catalog.reader.tables())
    path.parent.chmod(0o755)
    return told


def test_a_disk_that_turns_read_only_under_an_open_catalog(file: Path) -> None:
    """Reading goes on, and each write is `CatalogReadOnly`."""
    first, *refused, last = apart(_turn_read_only, str(file), privileged=False)
    assert first == last == ["t"]
    assert len(refused) == 2
    assert all("reading works" in message for message in refused)


MOUNTS = (
    "22 1 0:21 / / rw,relatime - ext4 /dev/sda1 rw\n"
    "30 22 0:40 / /mnt/share rw - nfs4 server:/export rw\n"
    "31 30 0:41 / /mnt/share/local rw - xfs /dev/sdb rw\n"
    "32 22 0:42 / /mnt/with\\040space rw - cifs //server/share rw\n"
    "33 22 0:43 / /data rw - fuse.sshfs me@host: rw\n"
    "34 22 0:44 / /twice rw - nfs server:/a rw\n"
    "35 22 0:45 / /twice rw - tmpfs tmpfs rw\n"
    "garbage\n"
)


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", None),
        ("/srv/me", None),
        ("/mnt/share", "nfs4"),
        ("/mnt/share/deep/folder", "nfs4"),
        ("/mnt/shared", None),
        ("/mnt/share/local/x", None),
        ("/mnt/with space/x", "cifs"),
        ("/data", "fuse.sshfs"),
        ("/twice/x", None),
    ],
)
def test_a_file_system_of_several_machines_is_known(folder: str, kind: str | None) -> None:
    """The innermost mount decides, and of two on one place the later."""
    assert network_file_system(folder, MOUNTS) == kind


@pytest.mark.parametrize("kind", ["nfs4", "ext4"])
def test_a_catalog_on_a_shared_file_system_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """Once in a process, when it is opened for writing, with the way out; a local one is not, nor one only read."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"22 1 0:21 / / rw - ext4 /dev/sda1 rw\n30 22 0:40 / {tmp_path} rw - {kind} server:/x rw\n"
    )
    monkeypatch.setattr(sqlite_file, "_MOUNTS", mounts)
    file = tmp_path / "deep" / "catalog.db"
    for _ in range(2):
        new_database(str(file)).close()
    told = [
        record.getMessage() for record in caplog.records if "SQLite is safe there only" in record.getMessage()
    ]
    assert len(told) == (1 if kind == "nfs4" else 0)
    assert all(f"catalog {file}" in text.replace("sqlite:///", "") and "PostgreSQL" in text for text in told)


def test_a_machine_that_tells_no_mounts_is_not_warned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """macOS and Windows have no such file."""
    monkeypatch.setattr(sqlite_file, "_MOUNTS", tmp_path / "none")
    new_database(str(tmp_path / "catalog.db")).close()
    assert caplog.text == ""
