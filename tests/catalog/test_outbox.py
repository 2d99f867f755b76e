"""The outbox: events are kept with the moves that they belong to, and each is sent once, whoever dies in between."""

from multiprocessing.connection import Connection

import pytest
from catalog_kit import Catalog
from core_kit import Child, race

from jammi_dagster.catalog import Database, Outbox, OutgoingEvent
from jammi_dagster.errors import UnknownTable

# one suite for every catalog
pytestmark = pytest.mark.parametrize("catalog", ["sqlite", "postgres"], indirect=True)


def _outbox(catalog: Catalog) -> Outbox:
    return Outbox(catalog.database, catalog.scope)


def _told(events: list[OutgoingEvent]) -> list[tuple[str, str, int]]:
    return [(event.table, event.event_json, event.attempts) for event in events]


def _point(catalog: Catalog, *tables: str) -> None:
    """Reuse tables that are there, outside of a run, each with an event that names it."""
    pairs = [(table, str(catalog.current(table))) for table in tables]
    events = {table: f"event of {table}" for table in tables}
    catalog.writer.point(pairs, start_sequence=catalog.writer.next_start(), run_id=None, events=events)


@pytest.fixture
def pending(catalog: Catalog) -> Catalog:
    """A catalog with two events, of two transactions."""
    for table in ("t", "u"):
        catalog.ready(table)
        _point(catalog, table)
    return catalog


def test_an_event_is_kept_with_its_move_or_not_at_all(catalog: Catalog) -> None:
    """A transaction that fails leaves neither."""
    made, _ = catalog.ready("t")
    with pytest.raises(UnknownTable):
        catalog.writer.point([("t", "none")], start_sequence=2**50, run_id=None, events={"t": "event"})
    assert _outbox(catalog).pending() == []
    assert catalog.current("t") == made


def test_events_are_claimed_in_order_and_removed_once_sent(pending: Catalog) -> None:
    """The oldest first; a claimed one is nobody else's, a sent one is gone."""
    outbox = _outbox(pending)
    events = outbox.pending()
    assert _told(events) == [("t", "event of t", 0), ("u", "event of u", 0)]
    claimed = outbox.claim(events[:1], seconds=-1)
    assert _told(claimed) == [("t", "event of t", 1)]
    outbox.sent(claimed)
    assert outbox.claim(events[:1]) == []
    assert _told(outbox.claim(events)) == [("u", "event of u", 1)]
    assert outbox.claim(events) == outbox.pending() == []


def test_the_events_of_a_sender_that_died_come_again(pending: Catalog) -> None:
    """Once its claim has run out, and with the number of attempts: then they may be in the event log already."""
    outbox = _outbox(pending)
    assert len(outbox.claim(outbox.pending(), seconds=-1)) == 2
    assert _told(outbox.claim(outbox.pending())) == [("t", "event of t", 2), ("u", "event of u", 2)]


def _claim_and_wait(talk: Connection, url: str) -> None:
    catalog = Catalog(Database(url))
    outbox = _outbox(catalog)
    talk.send([event.table for event in outbox.claim(outbox.pending()[:1], seconds=-1)])
    talk.recv()


def _claim(n: int, url: str) -> list[str]:
    outbox = _outbox(Catalog(Database(url)))
    return [event.table for event in outbox.claim(outbox.pending())]


@pytest.fixture
def url(request: pytest.FixtureRequest, catalog: Catalog) -> str:
    """The URL by which another process opens the catalog."""
    on_postgres = catalog.database.url.get_backend_name() == "postgresql"
    return str(request.getfixturevalue("schema" if on_postgres else "file"))


def test_a_kill_between_claim_and_sending_loses_no_event(pending: Catalog, url: str) -> None:
    """The next sender finds the event of the one that was killed."""
    sender = Child(_claim_and_wait, url)
    assert sender.told() == ["t"]
    sender.kill()
    outbox = _outbox(pending)
    assert _told(outbox.claim(outbox.pending())) == [("t", "event of t", 2), ("u", "event of u", 1)]


def test_two_senders_share_the_events(pending: Catalog, url: str) -> None:
    """Each event is claimed by one of two processes that ask at once."""
    tables = [f"t{i}" for i in range(6)]
    for table in tables:
        pending.ready(table)
    _point(pending, *tables)
    claimed = [table for claims in race(2, _claim, url) for table in claims]
    assert sorted(claimed) == sorted(["t", "u", *tables])
