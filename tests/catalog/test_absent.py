"""A catalog that is not there yet: it is read as an empty one, nothing makes it but a write, and then it is seen."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from catalog_kit import Catalog
from core_kit import race

from jammi_dagster.catalog import Database, MoveRows
from jammi_dagster.catalog.secret import StoreKey

QUESTIONS: dict[str, Callable[[Catalog], Any]] = {
    "tables": lambda catalog: catalog.reader.tables(),
    "current": lambda catalog: catalog.reader.current("t"),
    "history": lambda catalog: catalog.reader.history("t"),
    "moves": lambda catalog: catalog.reader.moves("t"),
    "move at": lambda catalog: catalog.reader.move_at("t", 1),
    "holds": lambda catalog: catalog.reader.holds(),
    "edges": lambda catalog: catalog.reader.edges(),
    "edges of a source": lambda catalog: catalog.reader.edges("t"),
    "neighbours": lambda catalog: catalog.reader.neighbours("t", most=3),
    "sources": lambda catalog: catalog.reader.sources("t", most=3),
    "deployments": lambda catalog: catalog.reader.deployments(),
    "restored": lambda catalog: catalog.reader.restored(),
    "stored definitions": lambda catalog: catalog.reader.stored_definitions(["0" * 64]),
    "digests": lambda catalog: catalog.reader.digests(),
    "rows": lambda catalog: list(catalog.reader.current_rows()),
}


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The place of a catalog that was never made: a file in a folder that is not there, or an empty schema."""
    url: str = request.getfixturevalue("schema") if request.param == "postgres" else ""
    return url or str(tmp_path / "folder" / "catalog.db")


@pytest.fixture
def absent(place: str) -> Iterator[Catalog]:
    database = Database(place)
    yield Catalog(database)
    database.close()


def left(place: str, folder: Path) -> list[str]:
    """What there is: files and folders, or tables."""
    if "://" not in place:
        return [str(path) for path in folder.rglob("*")]
    engine = sa.create_engine(place.replace("postgresql:", "postgresql+psycopg:"))
    found = sa.inspect(engine).get_table_names(schema=place.rpartition("%3D")[2])
    engine.dispose()
    return found


def test_reading_makes_nothing(absent: Catalog, place: str, tmp_path: Path) -> None:
    """Every question has the answer of an empty catalog, also within one state, and nothing is made."""
    for name, ask in QUESTIONS.items():
        assert not ask(absent), name
        with absent.reader.frozen() as frozen:
            assert not list(frozen.tables())
    assert absent.reader.state() == absent.reader.state()
    assert left(place, tmp_path) == []


def test_there_is_nothing_to_prune(absent: Catalog, place: str, tmp_path: Path) -> None:
    """Pruning the history of a catalog that is not there makes none."""
    assert MoveRows(absent.database, absent.scope).prune(keep_last=1, keep_seconds=0) == 0
    assert left(place, tmp_path) == []


def test_the_first_write_makes_it(absent: Catalog, place: str, tmp_path: Path) -> None:
    """It is made with the folders above it, and its readers see it, those that were open before too."""
    other = Catalog(Database(place))
    before = other.reader.state()
    absent.ready("t")
    assert left(place, tmp_path)
    for catalog in (absent, other):
        assert catalog.reader.tables() == ["t"]
        assert catalog.reader.edges("t") == []
    assert other.reader.state().catalog_id == absent.reader.state().catalog_id != before.catalog_id
    other.database.close()


def test_a_frozen_reader_sees_none_to_its_end(absent: Catalog) -> None:
    """It answers every question as an empty catalog, also once the same process has made one."""
    with absent.reader.frozen() as frozen:
        assert frozen.tables() == []
        absent.ready("t")
        assert (frozen.edges("t"), frozen.sources("t", most=3), frozen.tables()) == ([], [], [])
    assert absent.reader.tables() == ["t"]


def test_a_stand_in_is_told_from_others(tmp_path: Path) -> None:
    """Two catalogs that are not there have two ids; one that is asked twice has one."""
    first, again, second = (Catalog(Database(str(tmp_path / name))) for name in ("a.db", "a.db", "b.db"))
    ids = [catalog.reader.state().catalog_id for catalog in (first, again, second)]
    assert ids[0] == ids[1] != ids[2]


def _write(n: int, place: str) -> str:
    catalog = Catalog(Database(place))
    assert catalog.reader.current(f"t{n}") is None
    catalog.ready(f"t{n}")
    catalog_id = catalog.reader.state().catalog_id
    catalog.database.close()
    return catalog_id


def test_processes_that_read_and_then_write_at_once_agree(place: str) -> None:
    """One of them makes the catalog, and no write of the others is lost."""
    assert len(set(race(4, _write, place))) == 1
    database = Database(place)
    assert Catalog(database).reader.tables() == [f"t{n}" for n in range(4)]
    database.close()


@pytest.mark.parametrize("made", [False, True])
def test_a_reader_makes_no_key(tmp_path: Path, made: bool) -> None:
    """It hashes under a draft until a process that writes makes the key, and under that from then on."""
    file = tmp_path / "catalog.db"
    if made:
        Database(str(file)).make()
    files = sorted(tmp_path.glob("*.db"))
    reader, writer = StoreKey(Database(str(file))), Database(str(file))
    assert (reader.hmac("a"), reader.draft_state) == (reader.hmac("a"), "in use")
    assert sorted(path for path in tmp_path.iterdir() if path.suffix in (".db", ".key")) == files
    drafted = reader.hmac("a")
    writer.make()
    key = StoreKey(writer)
    assert key.hmac("a") != drafted
    assert (reader.hmac("a"), reader.draft_state) == (key.hmac("a"), "over")
    assert key.draft_state == "none"
