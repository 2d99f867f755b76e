"""Catalogs to test on: an SQLite file of the test's own, or a schema of its own on a PostgreSQL server."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from catalog_kit import Catalog, new_database

from benchmarks.postgres import server

_schemas = itertools.count()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The place of the catalog's database."""
    return tmp_path / "catalog.db"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server that lives as long as the tests."""
    with server() as running:
        yield running.url("postgres")


@pytest.fixture
def schema(postgres: str) -> str:
    """The URL of a new schema on the server, which the connection's search path names."""
    name = f"test_{next(_schemas)}"
    engine = sa.create_engine(postgres.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(name))
    engine.dispose()
    return f"{postgres}&options=-csearch_path%3D{name}"


@pytest.fixture
def catalog(request: pytest.FixtureRequest, file: Path) -> Iterator[Catalog]:
    """The catalog in the global scope and the default deployment; on SQLite unless the test asks for `postgres`."""
    on_postgres = getattr(request, "param", "sqlite") == "postgres"
    database = new_database(request.getfixturevalue("schema") if on_postgres else str(file))
    yield Catalog(database)
    database.close()
