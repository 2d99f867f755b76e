"""A PostgreSQL that may only be read: every question is answered, every write refused, and none slips through."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from core_kit import make, numbers, values
from postgres_kit import Postgres
from sqlalchemy.engine import make_url
from store_kit import attempt_on, definition, files, output, rows

from jammi_dagster import ResultStore
from jammi_dagster.errors import CatalogReadOnly, RootOfAnotherCatalog


def _sql(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _by_option(url: str) -> str:
    return f"{url}&options=-cdefault_transaction_read_only%3Don"


def _by_database(url: str) -> str:
    _sql(url, f"ALTER DATABASE {make_url(url).database} SET default_transaction_read_only = on")
    return url


def _by_role(url: str) -> str:
    _sql(url, "DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN SUPERUSER")
    _sql(url, "ALTER ROLE reader SET default_transaction_read_only = on")
    return url.replace("//postgres:", "//reader:")


def _by_rights(url: str) -> str:
    _sql(url, "DROP ROLE IF EXISTS lesser", "CREATE ROLE lesser LOGIN")
    _sql(url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO lesser")
    return url.replace("//postgres:", "//lesser:")


_WAYS: dict[str, Callable[[str], str]] = {
    "the session's option": _by_option,
    "the database's default": _by_database,
    "the role's default": _by_role,
    "a role that may only select": _by_rights,
}


@pytest.fixture(params=_WAYS)
def read_only(request: pytest.FixtureRequest, postgres: Postgres, tmp_path: Path) -> Iterator[ResultStore]:
    """A store with a table, opened so that its catalog may only be read."""
    url = postgres.new()
    store = ResultStore(str(tmp_path / "root"), url)
    make(store, "t")
    store.close()
    reader = ResultStore(str(tmp_path / "root"), _WAYS[request.param](url))
    yield reader
    reader.close()
    postgres.drop(url)
    for role in ("reader", "lesser"):
        postgres.drop_role(role)


_WRITES: dict[str, Callable[[ResultStore], object]] = {
    "materialize": lambda store: make(store, "t", numbers(9)),
    "begin": lambda store: attempt_on(store, "t"),
    "start": lambda store: store.writer.next_start(),
    "reuse": lambda store: store.writer.point(
        [("t", str(store.probe_cache(definition(), [])))], start_sequence=2**50, run_id="r"
    ),
    "drop": lambda store: store.drop("t"),
    "roll back": lambda store: store.rollback("t", store.current("t").materialization_id),
    "release": lambda store: store.release("t"),
    "prune": lambda store: store.prune_history(),
    "recover": lambda store: store.recover(),
    "take over": lambda store: store.adopt(take_over=True),
}


def test_every_write_is_refused_and_none_slips_through(read_only: ResultStore) -> None:
    """Each by its own, twice on the pool's connections, between questions; catalog and root stay as they are."""
    root = Path(str(read_only.artifacts.local_root))
    before = rows(read_only), files(root)
    for name, write in _WRITES.items():
        for _ in range(2):
            with read_only.reader.frozen() as frozen:
                assert frozen.tables() == ["t"], name
            with pytest.raises(CatalogReadOnly, match="reading works"):
                write(read_only)
    assert (rows(read_only), files(root)) == before
    assert values(read_only.read("t")) == [0, 1, 2]
    assert read_only.staleness("t", definition()).to_dict()
    assert not any(
        read_only.recover(dry_run=True).to_dict()[name] for name in ("lost", "failed", "reclaimed")
    )
    assert read_only.adopt(dry_run=True).adopted == []


@pytest.mark.parametrize("way", [_by_option, _by_rights])
@pytest.mark.parametrize("of_another", [False, True])
def test_a_root_is_not_bound_to_a_catalog_that_is_only_read(
    postgres: Postgres, tmp_path: Path, way: Callable[[str], str], of_another: bool
) -> None:
    """Neither a new one by a first write, nor another catalog's by a takeover: that one goes on."""
    url = postgres.new()
    root = tmp_path / "root"
    other = ResultStore(str(root), "sqlite://")
    if of_another:
        make(other, "theirs")
    before = files(root)
    store = ResultStore(str(root), way(url))
    for write in (lambda: make(store, "t"), lambda: store.adopt(take_over=True)):
        with pytest.raises((CatalogReadOnly, RootOfAnotherCatalog)):
            write()
    assert files(root) == before
    make(other, "theirs", numbers(4))
    for opened in (store, other):
        opened.close()
    postgres.drop(url)
    postgres.drop_role("lesser")


def test_a_session_that_turns_read_only_within_a_range(postgres: Postgres, tmp_path: Path) -> None:
    """The primary became a standby after the bytes were written: the flip is refused, and published by nobody."""
    url = postgres.new()
    store = ResultStore(str(tmp_path / "root"), url)
    make(store, "t")

    def work() -> None:
        with attempt_on(store, "t") as attempt:
            attempt.write("t", numbers(9))
            _by_database(url)
            postgres.cut(url)
            attempt.publish([output("t", step=2)])

    with pytest.raises(CatalogReadOnly, match="sessions are read-only"):
        work()
    assert values(store.read("t")) == [0, 1, 2]
    assert store.lookup_cached(definition(2), []) is None
    store.close()
    postgres.drop(url)
