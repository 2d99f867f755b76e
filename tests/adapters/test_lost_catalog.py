"""A pipeline of Dagster's whose catalog is lost, or restored from a backup: every table and its history come back."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import sqlalchemy as sa
from adapters_kit import Lab, table
from postgres_kit import Postgres, running

from jammi_dagster import ResultStore, result_table
from jammi_dagster.catalog.models import METADATA
from jammi_dagster.errors import RootOfAnotherCatalog

letters = dg.StaticPartitionsDefinition(["a", "b"])


@result_table(reads=[], partitions_def=letters)
def part(context: dg.AssetExecutionContext) -> pa.Table:
    return table(context.partition_key)


@result_table
def whole(part: dict[str, pa.Table]) -> pa.Table:
    return pa.concat_tables(part.values())


class Size(dg.Config):
    rows: int = 3


@result_table(
    reads=[],
    tags={"team": "core"},
    check_specs=[dg.AssetCheckSpec("enough", asset="sized")],
)
def sized(config: Size) -> Iterator[Any]:
    yield dg.AssetCheckResult(check_name="enough", passed=config.rows > 2)
    yield dg.Output(table(*range(config.rows)), metadata={"rows": config.rows})


@dg.asset
def plain(whole: pa.Table, sized: pa.Table) -> pa.Table:
    return table(len(whole) + len(sized))


@result_table
def foot(plain: pa.Table, sized: pa.Table) -> pa.Table:
    return table(*pc.add(sized["x"], plain["x"][0]).to_pylist())


PIPELINE = [part, whole, sized, plain, foot]
_REUSED = {"part[a]", "part[b]", "whole", "sized", "foot"}


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running() as server:
        yield server


class Catalog:
    """A catalog of one kind, with the ways in which it is lost, backed up and restored."""

    def __init__(self, root: Path, place: str, server: Postgres | None = None) -> None:
        self.root, self.place, self._server = root, place, server
        self._backup: dict[str, list[Any]] = {}

    @property
    def options(self) -> dict[str, Any]:
        return {} if self.place == "default" else {"catalog": self.place}

    def lose(self) -> None:
        """Delete the file, or empty the database of every table of ours."""
        if self._server is None:
            for file in Path(self._file).parent.glob(f"{Path(self._file).name}*"):
                if file.suffix != ".key":
                    file.unlink()
            return
        with self._engine().begin() as connection:
            connection.execute(sa.text("DROP SCHEMA public CASCADE"))
            connection.execute(sa.text("CREATE SCHEMA public"))

    def back_up(self) -> None:
        """Keep a copy of everything in it."""
        if self._server is None:
            shutil.copy(self._file, f"{self._file}.backup")
            return
        with self._engine().connect() as connection:
            for one in METADATA.sorted_tables:
                self._backup[one.name] = [dict(row._mapping) for row in connection.execute(sa.select(one))]

    def restore(self) -> None:
        """Put the copy into its place."""
        if self._server is None:
            self.lose_but_backup()
            shutil.copy(f"{self._file}.backup", self._file)
            return
        with self._engine().begin() as connection:
            for one in reversed(METADATA.sorted_tables):
                connection.execute(one.delete())
            for one in METADATA.sorted_tables:
                if self._backup[one.name]:
                    connection.execute(one.insert(), self._backup[one.name])

    def lose_but_backup(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._file}{suffix}").unlink(missing_ok=True)

    @property
    def _file(self) -> str:
        return str(self.root / "catalog.db") if self.place == "default" else self.place

    def _engine(self) -> sa.Engine:
        url = self.place.replace("postgresql:", "postgresql+psycopg:")
        return sa.create_engine(url, poolclass=sa.pool.NullPool)


@pytest.fixture(params=["default", pytest.param("file", marks=pytest.mark.slow), "postgres"])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalog]:
    root = tmp_path / "store"
    if request.param != "postgres":
        yield Catalog(root, "default" if request.param == "default" else str(tmp_path / "db" / "catalog.db"))
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.new(migrated=False)
    yield Catalog(root, url, server)
    server.drop(url)


@pytest.fixture
def lab(catalog: Catalog, instance_in_memory: dg.DagsterInstance) -> Iterator[Lab]:
    instance_in_memory.wipe()
    made = Lab(catalog.root, instance_in_memory, options=catalog.options)
    yield made
    made.store.close()


def _run(lab: Lab, *, rows: int = 3) -> dict[str, Any]:
    """Run the pipeline, partition by partition and then the rest."""
    outcomes = dict[str, Any]()
    for key in letters.get_partition_keys():
        outcomes |= lab.run(part, partition=key).outcomes
    rest = [asset.key for asset in PIPELINE[1:]]
    return outcomes | lab.run(PIPELINE, select=rest, config={"sized": {"rows": rows}}).outcomes


def _told(store: ResultStore) -> dict[str, Any]:
    """Tables, their history, anchors, bytes, lineage and descriptors, as anybody can ask for them."""
    tables = store.tables()
    return {
        "current": {name: store.current(name).to_dict() for name in tables},
        "history": {name: [record.to_dict() for record in store.history(name)] for name in tables},
        "bytes": {name: store.read(name).to_pydict() for name in tables},
        "edges": [edge.to_dict() for edge in store.reader.edges()],
        "descriptors": {name: store.producing_descriptor(name).to_dict() for name in tables},
    }


def _anew(lab: Lab) -> None:
    """Go on in a process that knows nothing of the store: close it and ask for it anew."""
    lab.store.close()


@pytest.mark.slow
def test_a_lost_catalog_gives_everything_back(lab: Lab, catalog: Catalog) -> None:
    """After the loss the next maintenance adopts; then each table is as it was, and the next run reuses everything."""
    _run(lab)
    _run(lab, rows=5)
    assert {name for name, outcome in _run(lab, rows=3).items() if outcome == "reused"} == _REUSED
    _run(lab, rows=7)
    before = _told(lab.store)
    assert len(before["history"]["sized"]) == 3
    _anew(lab)
    catalog.lose()
    store = ResultStore(str(lab.root), **catalog.options)
    if catalog.place == "default":
        assert len(store.recover().adopted) == sum(map(len, before["history"].values()))
    else:
        with pytest.raises(RootOfAnotherCatalog):
            store.recover()
        assert store.adopt(take_over=True).adopted
    assert _told(store) == before
    assert store.restored() == store.tables()
    store.close()
    ran = _run(lab, rows=7)
    assert {name for name, outcome in ran.items() if outcome == "reused"} == _REUSED
    assert set(lab.store.restored()) == set()
    assert lab.store.recover(grace_seconds=0).reclaimed == []


@pytest.mark.slow
def test_the_reuse_of_an_older_table_is_repaired_by_the_next_run(lab: Lab, catalog: Catalog) -> None:
    """The last computed table is current after adoption; the run that asks for the older one reuses it again."""
    _run(lab, rows=3)
    _run(lab, rows=5)
    _run(lab, rows=3)  # a revert, which only the catalog knows
    _anew(lab)
    catalog.lose()
    store = ResultStore(str(lab.root), **catalog.options)
    store.adopt(take_over=catalog.place != "default")
    assert store.read("sized").num_rows == 5
    assert "sized" in store.restored()
    store.close()
    assert _run(lab, rows=3)["sized"] == "reused"
    assert lab.store.read("sized").num_rows == 3
    assert lab.store.restored() == []


def _adopt(store: ResultStore) -> object:
    return store.adopt()


def _recover(store: ResultStore) -> object:
    return store.recover()


@pytest.mark.slow
@pytest.mark.parametrize("way", [_adopt, _recover])
def test_backup_run_restore_run_adopt(
    lab: Lab, catalog: Catalog, way: Callable[[ResultStore], object]
) -> None:
    """The last run is current, and no table that was made between backup and restore is lost."""
    _run(lab, rows=3)
    _anew(lab)
    catalog.back_up()
    _run(lab, rows=5)
    forgotten = lab.store.current("sized")
    _anew(lab)
    catalog.restore()
    lab.run(sized, config={"sized": {"rows": 7}})
    last = lab.store.current("sized")
    assert last.start_sequence > forgotten.start_sequence
    way(lab.store)
    assert lab.store.current("sized") == last
    assert [record.row_count for record in lab.store.history("sized")] == [7, 5, 3]
    assert lab.store.read("foot").num_rows == 5
    assert _run(lab, rows=5)["foot"] == "reused"
    assert lab.store.read("sized").num_rows == 5
    assert lab.store.recover(grace_seconds=0).reclaimed == []
