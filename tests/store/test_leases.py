"""Who may finish a `building` row, and for how long nobody else may: by the database's clock alone."""

import time
from datetime import datetime, timezone
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from core_kit import make, numbers, values
from store_kit import (
    StoreAt,
    attempt_on,
    execute,
    expire,
    killed_before_the_flip,
    output,
    recovery_of,
    rows,
    status,
)
from waiting_kit import until

from jammi_dagster import ResultStore
from jammi_dagster.catalog import LEASE_SECONDS, Lease, RecoveryRows
from jammi_dagster.catalog.statements import now_by_database
from jammi_dagster.errors import LeaseLost
from jammi_dagster.recording import RENEW_SECONDS, funnel


def _expiry(store: ResultStore) -> float:
    """When the one `building` row's lease runs out, in seconds from now by the database's clock."""
    query = "SELECT lease_expires_at FROM materializations WHERE status = 'building'"
    with store.database.reading() as connection:
        return float(connection.execute(sa.text(query)).scalar_one()) - now_by_database(connection)


def test_a_lease_is_sixty_seconds_and_renewed_every_ten(store: ResultStore) -> None:
    """Six renewals may fail before anybody else takes the row."""
    assert (LEASE_SECONDS, RENEW_SECONDS) == (60, 10)
    attempt_on(store, "t")
    assert 55 < _expiry(store) <= 60


def test_a_writer_at_work_renews_its_lease(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it writes; and no longer once it has ended."""
    monkeypatch.setattr(funnel, "RENEW_SECONDS", 0.02)
    with attempt_on(store, "t") as attempt:
        execute(store, "UPDATE materializations SET lease_expires_at = 1")
        until(lambda: _expiry(store) > 0, "the lease was not renewed")
        assert 50 < _expiry(store) <= 60
        assert store.recover().to_dict()["failed"] == []
        attempt.write("t", numbers(2))
        attempt.publish([output("t")])
    assert values(store.read("t")) == [0, 1]


def test_a_beat_that_fails_is_tried_again(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away for a moment costs no lease."""
    monkeypatch.setattr(funnel, "RENEW_SECONDS", 0.02)
    renew, calls = store.writer.renew, []

    def flaky(lease: Lease) -> None:
        calls.append(lease)
        if len(calls) == 1:
            raise LeaseLost(materialization_id="m", table="t")  # any error of ours
        renew(lease)

    monkeypatch.setattr(store.writer, "renew", flaky)
    with attempt_on(store, "t"):
        execute(store, "UPDATE materializations SET lease_expires_at = 1")
        until(lambda: _expiry(store) > 0, "the lease was not renewed")
        assert _expiry(store) > 0
    assert len(calls) > 1


def test_a_live_lease_outlasts_any_clock(store_at: StoreAt, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's clock is moved ten years on and back: a live writer's row and objects are not touched."""
    store = store_at()
    attempt = attempt_on(store, "t")
    attempt.write("t", numbers(2))
    real = time.time()
    for moved in (real + 3e8, real - 3e8, 0.0):
        monkeypatch.setattr(time, "time", lambda moved=moved: moved)
        monkeypatch.setattr(
            funnel, "utc_now", lambda moved=moved: datetime.fromtimestamp(moved, timezone.utc)
        )
        report = recovery_of(store, clock=partial(float, moved)).run()
        assert {name: found for name, found in report.to_dict().items() if found} == {}
        assert {name: found for name, found in store.recover().to_dict().items() if found} == {}
        assert 0 < _expiry(store) <= 60
    attempt.publish([output("t")])
    assert values(store.read("t")) == [0, 1]


def test_a_writer_that_slept_through_recovery_publishes_nothing(store: ResultStore) -> None:
    """Its row was failed and its bytes removed: the flip fails, and leaves everything as it was."""
    make(store, "t")
    attempt = attempt_on(store, "t")
    attempt.write("t", numbers(9))
    expire(store)
    assert len(store.recover().failed) == 1
    before = rows(store)
    with attempt, pytest.raises(LeaseLost) as caught:
        attempt.publish([output("t")])
    assert caught.value.table == "t"
    assert rows(store)["materializations"] == before["materializations"]
    assert rows(store)["pointers"] == before["pointers"]
    assert values(store.read("t")) == [0, 1, 2]


def test_a_writer_whose_row_was_published_for_it_does_not_publish_again(store: ResultStore) -> None:
    """It slept between sidecar and flip, and recovery flipped: once is enough, and nothing of it is removed."""
    attempt = killed_before_the_flip(store, "t")
    expire(store)
    assert len(store.recover().promoted) == 1
    finished = [attempt._finished(output("t"), "2026-11-22T12:00:00+00:00")]
    with attempt, pytest.raises(LeaseLost):
        store.writer.finish(finished, lease=attempt.lease, run_id=None)
    assert len(store.history("t")) == 1
    assert values(store.read("t")) == [0, 1, 2]
    assert status(store, attempt, "t") == "ready"


def test_a_lease_that_ran_out_is_still_its_writers_until_somebody_takes_it(store: ResultStore) -> None:
    """A pause alone costs nothing: the token decides, not the time."""
    attempt = attempt_on(store, "t")
    attempt.write("t", numbers(2))
    expire(store)
    attempt.publish([output("t")])
    assert values(store.read("t")) == [0, 1]


def test_a_row_that_was_renewed_meanwhile_is_not_taken(store: ResultStore) -> None:
    """Between recovery's look and its grasp the writer woke up: the take is a compare-and-swap."""
    attempt = attempt_on(store, "t")
    expire(store)
    pass_ = RecoveryRows(store.database, store.scope)
    ((abandoned,),) = pass_.abandoned()
    store.writer.renew(attempt.lease)
    lease = Lease(token="recovery", owner="recovery", seconds=60)
    assert not pass_.take([abandoned.materialization_id], lease)
    attempt.write("t", numbers(2))
    attempt.publish([output("t")])
    assert not pass_.take([abandoned.materialization_id], lease)


# --- retries and rivals --------------------------------------------------------------------------------------


def test_a_retry_of_the_same_step_takes_over_at_once(store: ResultStore) -> None:
    """Same run, same step: nobody waits a minute for one's own dead attempt, which cannot publish any more."""
    dead = attempt_on(store, "t", "u", owner="run/step")
    dead.write("t", numbers(9))
    with attempt_on(store, "t", owner="run/step") as retry:
        assert status(store, dead, "t") == "failed"
        assert status(store, dead, "u") == "building"
        retry.write("t", numbers(1))
        retry.publish([output("t")])
    dead.write("u", numbers(9))
    with pytest.raises(LeaseLost):
        dead.publish([output("t"), output("u")])
    assert values(store.read("t")) == [0]
    assert store.tables() == ["t"]


def test_another_owner_takes_nothing_over(store: ResultStore) -> None:
    """Without single flight both compute, both succeed, and the later start wins, whoever ends last."""
    early = attempt_on(store, "t", owner="one/step")
    late = attempt_on(store, "t", owner="two/step")
    published: list[Any] = []
    for attempt, count in ((late, 2), (early, 1)):
        with attempt:
            attempt.write("t", numbers(count))
            published += attempt.publish([output("t")])
    assert [done.is_current for done in published] == [True, False]
    assert values(store.read("t")) == [0, 1]
    assert {record.status for record in store.history("t")} == {"ready"}


def test_a_range_is_published_all_or_none(store: ResultStore) -> None:
    """One lost row, and none of the others is flipped or moved."""
    attempt = attempt_on(store, "a", "b")
    for table in ("a", "b"):
        attempt.write(table, numbers(1))
    execute(store, "UPDATE materializations SET lease_token = 'other' WHERE table_name = 'b'")
    with pytest.raises(LeaseLost):
        attempt.publish([output("a"), output("b")])
    assert store.tables() == []
    assert [record.status for record in store.history("a")] == ["building"]
