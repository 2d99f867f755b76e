"""PostgreSQL behind a pooler that hands the server's one connection from client to client after each transaction."""

import threading
from collections.abc import Iterator

import pytest
from catalog_kit import Catalog, finished, new_database
from pgbouncer_kit import pooled
from waiting_kit import MOST_SECONDS

from jammi_dagster.catalog import Database

CLIENTS, RANGES, PARTITIONS = 2, 8, 12


@pytest.fixture(scope="module")
def url(postgres: str) -> Iterator[str]:
    """A catalog's URL through the pooler."""
    with pooled(postgres) as through:
        yield through


def test_clients_that_share_a_connection_publish_their_ranges(url: str) -> None:
    """Nothing of a session is relied on: no prepared statement, no setting, no cursor that outlives its transaction."""
    errors: list[BaseException] = []

    def work(client: int) -> None:
        try:
            catalog = Catalog(new_database(url))
            for i in range(RANGES):
                rows, lease = catalog.begin(*(f"c{client}[{j:02}]" for j in range(PARTITIONS)))
                catalog.writer.renew(lease)
                with catalog.reader.frozen() as frozen:
                    list(frozen.current_rows())
                    frozen.digests()
                catalog.reader.edges(f"c{client}[00]")
                moves = catalog.writer.finish(
                    [finished(row) for row in rows], lease=lease, run_id=f"run{client}-{i}"
                )
                assert all(move.is_current for move in moves)
            catalog.database.close()
        except BaseException as error:
            errors.append(error)

    new_database(url).close()
    clients = [threading.Thread(target=work, args=(client,)) for client in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(timeout=MOST_SECONDS)
    assert errors == []
    catalog = Catalog(new_database(url))
    assert catalog.reader.tables() == sorted(
        f"c{c}[{j:02}]" for c in range(CLIENTS) for j in range(PARTITIONS)
    )
    for number in range(CLIENTS):
        assert len(catalog.reader.history(f"c{number}[00]")) == RANGES
    catalog.database.close()


def test_a_client_leaves_no_setting_behind(url: str) -> None:
    """After a write, a snapshot and a durable write, the shared connection is as the server gave it."""
    first, second = new_database(url), new_database(url)
    settings = ("jit", "synchronous_commit", "transaction_read_only", "client_encoding")

    def seen(database: Database) -> list[str]:
        with database.reading() as connection:
            return [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in settings]

    before = seen(second)
    catalog = Catalog(first)
    catalog.ready("settings")
    with catalog.reader.frozen() as frozen:
        frozen.tables()
    catalog.writer.next_start()
    assert seen(second) == before
    with second.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements").scalar_one() == 0
    first.close()
    second.close()
