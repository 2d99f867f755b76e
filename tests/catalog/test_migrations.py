"""Catalogs of earlier revisions open and upgrade; nothing breaks an upgrade, and one that cannot be says why."""

import json
import shutil
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from unittest import mock

import pytest
import sqlalchemy as sa
from catalog_kit import Catalog, new_database
from core_kit import Child, apart, race
from databases_kit import FOLDER, answers, restore

from jammi_dagster import ResultStore
from jammi_dagster.catalog import migrations
from jammi_dagster.errors import CatalogFromNewerVersion, CatalogReadOnly

_LATER = "9001"
_SCRIPT = f'''
import sqlalchemy as sa
from alembic import op

revision, down_revision = "{_LATER}", "{migrations.HEAD}"

def upgrade():
    op.add_column("materializations", sa.Column("note", sa.Text))
    op.execute("UPDATE materializations SET note = table_name")
    after()

def after():
    pass
'''


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The migrations of a later version of this package, which adds a column."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrations._SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / f"r{_LATER}.py").write_text(_SCRIPT)
    return folder


def _become(later: Path) -> None:
    """From here on this process has the later version."""
    known = (*migrations.KNOWN, _LATER)
    mock.patch.multiple(migrations, _SCRIPTS=later, HEAD=_LATER, KNOWN=known).start()


@pytest.fixture(params=["file", "postgres"])
def older(request: pytest.FixtureRequest, file: Path) -> str:
    """A catalog of the present revision, with one table."""
    url = str(file) if request.param == "file" else str(request.getfixturevalue("schema"))
    database = new_database(url)
    Catalog(database).ready("t")
    database.close()
    return url


def _notes(url: str) -> list[str]:
    database = new_database(url)
    with database.reading() as connection:
        found = list(connection.execute(sa.text("SELECT note FROM materializations")).scalars())
    assert Catalog(database).reader.tables() == ["t"]
    database.close()
    return found


@pytest.mark.parametrize("revision", migrations.KNOWN)
def test_a_catalog_of_each_revision_gives_the_answers_it_gave(tmp_path: Path, revision: str) -> None:
    """Opened by this version: every table, record, verdict, edge and hit is as before; and it can be written to."""
    restore(revision, tmp_path / "catalog.db")
    told = answers(ResultStore(str(tmp_path / "root"), str(tmp_path / "catalog.db")))
    gave = json.loads((FOLDER / f"{revision}.json").read_text())
    for scope in gave:  # a start is never issued again
        assert told[scope].pop("next start") > gave[scope].pop("next start")
    assert json.loads(json.dumps(told)) == gave
    database = new_database(str(tmp_path / "catalog.db"))
    with database.reading() as connection:
        assert migrations.revision_of(connection) == migrations.HEAD
    catalog = Catalog(database)
    made, pointed = catalog.ready("t")
    assert (catalog.current("t"), pointed.is_current) == (made, True)
    database.close()


_WITHOUT_HISTORY = """
    DROP TABLE deployments; ALTER TABLE materializations DROP COLUMN answers_json;
    DROP TABLE run_leases; DROP TABLE read_leases; DROP TABLE collection_clocks; DROP INDEX pointers_lost;
    DROP INDEX materializations_collecting; DROP INDEX run_results_by_materialization;
    ALTER TABLE materializations DROP COLUMN marked_at; ALTER TABLE materializations DROP COLUMN mark_plan;
    DROP TABLE pointer_moves; DROP TABLE outbox; DROP TABLE acceptances; DROP INDEX pointers_held;
    ALTER TABLE pointers DROP COLUMN held_since; ALTER TABLE pointers DROP COLUMN held_by;
    ALTER TABLE pointers DROP COLUMN held_because;
    ALTER TABLE pointers DROP COLUMN held_for_definition; DROP TABLE promotions;
    UPDATE jammi_alembic_version SET version_num = '0003'
"""


def test_the_history_begins_with_the_pointers_as_they_are(older: str) -> None:
    """A catalog from before it gets one move for each table that is there, and none for a dropped one."""
    database = new_database(older)
    catalog = Catalog(database)
    (first, _), (second, _) = catalog.ready("u"), catalog.ready("u")
    catalog.writer.point([("u", first)], start_sequence=catalog.writer.next_start(), run_id=None)
    catalog.ready("dropped")
    catalog.writer.drop("dropped", lambda dropped: None)
    with database.writing() as connection:
        for statement in _WITHOUT_HISTORY.split(";"):
            connection.exec_driver_sql(statement)
    database.close()
    catalog = Catalog(new_database(older))
    told = {table: catalog.reader.moves(table) for table in ("t", "u", "dropped")}
    assert {table: [(m.outcome, m.materialization_id) for m in moves] for table, moves in told.items()} == {
        "t": [("computed", catalog.current("t"))],
        "u": [("reused", first)],
        "dropped": [],
    }
    assert {move.reason for moves in told.values() for move in moves} == {"before the history began"}
    catalog.writer.point([("u", second)], start_sequence=catalog.writer.next_start(), run_id=None)
    assert [move.materialization_id for move in catalog.reader.moves("u")] == [second, first]
    catalog.database.close()


def _upgrade_at_once(n: int, url: str, later: Path) -> list[str]:
    _become(later)
    return _notes(url)


def test_processes_that_upgrade_at_once_take_turns(older: str, later: Path) -> None:
    """One of them upgrades an older catalog, or an empty one, once; all find it upgraded."""
    assert race(4, _upgrade_at_once, older, later) == [["t"]] * 4


def test_a_catalog_that_was_upgraded_is_of_a_newer_version(older: str, later: Path) -> None:
    """To this version: it says so, names the schema and the way out, and changes nothing."""
    apart(_upgrade_at_once, 0, older, later)
    with pytest.raises(CatalogFromNewerVersion, match="upgrade jammi-dagster") as caught:
        new_database(older)
    assert caught.value.revision == _LATER
    assert apart(_upgrade_at_once, 0, older, later) == ["t"]


def _upgrade_and_stop(talk: Connection, url: str, later: Path) -> None:
    """Waits within the migration, after it has changed the schema and the rows."""
    _become(later)
    import alembic.runtime.migration as running

    def stop(*args: object, **options: object) -> None:
        talk.send("there")
        talk.recv()

    mock.patch.object(running.HeadMaintainer, "update_to_step", stop).start()
    new_database(url)


def test_a_kill_within_a_migration_leaves_the_older_catalog(older: str, later: Path) -> None:
    """All of a migration or nothing: this version goes on as before, and the later one upgrades it next time."""
    child = Child(_upgrade_and_stop, older, later)
    assert child.told() == "there"
    child.kill()
    database = new_database(older)
    assert Catalog(database).reader.tables() == ["t"]
    with database.reading() as connection:
        columns = [column["name"] for column in sa.inspect(connection).get_columns("materializations")]
        assert "note" not in columns
    database.close()
    assert apart(_upgrade_at_once, 0, older, later) == ["t"]


def _refused(file: Path, later: Path) -> str:
    _become(later)
    with pytest.raises(CatalogReadOnly) as raised:
        new_database(str(file))
    return str(raised.value)


@pytest.fixture
def locked(file: Path) -> Iterator[Path]:
    """An older catalog on a disk that cannot be written."""
    folder = file.parent / "disk"
    folder.mkdir()
    database = new_database(str(folder / file.name))
    Catalog(database).ready("t")
    database.close()
    folder.chmod(0o555)
    (folder / file.name).chmod(0o444)
    yield folder / file.name
    folder.chmod(0o755)


def test_an_older_catalog_on_a_read_only_disk_says_the_way_out(locked: Path, later: Path) -> None:
    """It names its schema, and that it has to be opened once where it can be written; that helps."""
    before = locked.read_bytes()
    said = apart(_refused, locked, later, privileged=False)
    assert f"it has the older schema {migrations.HEAD} and cannot be upgraded here" in said
    assert "open it once where it can be written" in said
    assert locked.read_bytes() == before
    locked.parent.chmod(0o755)
    locked.chmod(0o644)
    assert apart(_upgrade_at_once, 0, str(locked), later) == ["t"]
