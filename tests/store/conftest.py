"""Stores on each kind of catalog: every test that takes `store_at` or `store` runs over all three."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from postgres_kit import Postgres, running
from store_kit import StoreAt

from jammi_dagster import ResultStore

CATALOGS = ("memory", "file", "postgres")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip fsync: the artifacts' tests prove it, and here it would take most of the time."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server, started for the first test that asks."""
    with running() as server:
        yield server


@pytest.fixture(params=["file", "postgres"])
def catalog_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A catalog that several processes can open."""
    if request.param == "file":
        yield str(tmp_path / "catalog.db")
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.new()
    yield url
    server.drop(url)


@pytest.fixture(params=CATALOGS)
def store_at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreAt]:
    """Opens the test's one catalog and root as any tenant, in any deployment; closes all in the end."""
    url = {"memory": "sqlite://", "file": str(tmp_path / "catalog.db")}.get(request.param)
    server: Postgres | None = None
    if url is None:
        server = request.getfixturevalue("postgres")
        url = server.new()
    with StoreAt(tmp_path / "root", url) as opened:
        yield opened
    if server is not None:
        server.drop(url)


@pytest.fixture
def store(store_at: Callable[..., ResultStore]) -> ResultStore:
    """The store without a tenant, in the default deployment."""
    return store_at()
