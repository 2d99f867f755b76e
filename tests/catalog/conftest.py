"""One catalog in an SQLite file of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from catalog_kit import Catalog

from jammi_dagster.catalog import Database


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the catalog's database lies."""
    return tmp_path / "catalog.db"


@pytest.fixture
def catalog(file: Path) -> Iterator[Catalog]:
    """The catalog in the global scope and the default deployment."""
    database = Database(str(file))
    yield Catalog(database)
    database.close()
