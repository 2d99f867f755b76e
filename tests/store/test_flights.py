"""Single flight: of two who are about to compute the same, the second waits for the first and reuses its result."""

import itertools
import threading
from typing import Any

import pytest
from core_kit import numbers, race, values
from store_kit import Killed, StoreAt, attempt_on, definition, expire, output
from waiting_kit import MOST_SECONDS

from jammi_dagster import InputAnchor, ResultStore
from jammi_dagster.catalog import Busy, Flight, MaterializationRecord
from jammi_dagster.recording import POLL_SECONDS, Attempt, hit_or_attempt

INPUTS = [InputAnchor.source_version("file:a", "1")]


def _flights(*tables: str, step: int = 1) -> dict[str, Flight]:
    return {table: Flight(definition_hash=definition(step), input_anchors=INPUTS) for table in tables}


def _begin(store: ResultStore, owner: str, *tables: str, step: int = 1) -> Attempt | Busy:
    return store.begin(
        tables or ["t"],
        produced_by=owner,
        owner=f"{owner}/step",
        flights=_flights(*(tables or ["t"]), step=step),
    )


def _begin_beside(store: ResultStore, owner: str) -> Attempt:
    attempt = store.begin(["t"], produced_by=owner, owner=f"{owner}/step")
    assert isinstance(attempt, Attempt)
    return attempt


def _fly(
    store: ResultStore, owner: str, *, sleep: Any, waits: list[Busy] | None = None
) -> MaterializationRecord | Attempt:
    """A hit, or the right to compute."""
    return hit_or_attempt(
        lambda: store.probe_cache_record(definition(), INPUTS),
        lambda: _begin(store, owner),
        lambda: _begin_beside(store, owner),
        waiting=(waits if waits is not None else []).append,
        sleep=sleep,
    )


def _compute(attempt: MaterializationRecord | Attempt, count: int = 3) -> MaterializationRecord:
    assert isinstance(attempt, Attempt)
    with attempt:
        attempt.write("t", numbers(count))
        return attempt.publish([output("t", inputs=INPUTS)])[0].record


def test_who_is_in_the_way_is_told(store: ResultStore) -> None:
    """Run and step of the one that computes, and which table; and nothing was begun."""
    assert isinstance(_begin(store, "one"), Attempt)
    assert _begin(store, "two") == Busy(table="t", owner="one/step")
    assert len(store.history("t")) == 1


def test_the_second_waits_and_reuses(store: ResultStore) -> None:
    """It asks again every half second, says once for whom it waits, and gets the first's result."""
    assert POLL_SECONDS == 0.5
    first = _fly(store, "one", sleep=None)
    slept: list[float] = []
    waits: list[Busy] = []
    made: list[MaterializationRecord] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            made.append(_compute(first))

    assert _fly(store, "two", sleep=sleep, waits=waits) == made[0]
    assert slept == [0.5] * 3
    assert [busy.owner for busy in waits] == ["one/step"]


def test_it_takes_over_when_the_lease_runs_out(store: ResultStore) -> None:
    """The first died: the second computes. The first one's rows are for recovery."""
    assert isinstance(_fly(store, "one", sleep=None), Attempt)
    second = _fly(store, "two", sleep=lambda seconds: expire(store))
    record = _compute(second)
    assert store.current("t") == record
    assert len(store.recover().failed) == 1


def test_when_the_first_fails_the_second_computes(store: ResultStore) -> None:
    """An exception in the first ends its flight at once."""
    first = _fly(store, "one", sleep=None)
    assert isinstance(first, Attempt)

    def fail(seconds: float) -> None:
        with pytest.raises(Killed), first:
            raise Killed

    assert isinstance(_fly(store, "two", sleep=fail), Attempt)


def test_the_same_step_never_waits_for_itself(store: ResultStore) -> None:
    """A retry takes its own dead attempt over."""
    assert isinstance(_fly(store, "one", sleep=None), Attempt)
    assert isinstance(_fly(store, "one", sleep=None), Attempt)


def test_only_an_equal_flight_is_in_the_way(store_at: StoreAt) -> None:
    """Another definition, other inputs, another tenant, or a writer that named no flight: nobody waits."""
    store = store_at()
    assert isinstance(_begin(store, "one"), Attempt)
    assert isinstance(_begin(store, "two", step=2), Attempt)
    assert isinstance(attempt_on(store, "t", owner="three/step"), Attempt)
    assert isinstance(_begin(store_at(tenant="a"), "four"), Attempt)
    # hits cross deployments, and so does the wait for one
    assert isinstance(_begin(store_at(deployment="branch"), "five"), Busy)


def test_a_range_begins_whole_or_not_at_all(store: ResultStore) -> None:
    """All leases in one transaction: two ranges that overlap in any order cannot wait for each other."""
    assert isinstance(_begin(store, "one", "b"), Attempt)
    flights = {**_flights("a", step=2), **_flights("b")}
    begun = store.begin(["a", "b"], produced_by="two", owner="two/step", flights=flights)
    assert begun == Busy(table="b", owner="one/step")
    assert store.history("a") == []


def test_two_ranges_at_once_both_end(store_at: StoreAt) -> None:
    """One computes, the other waits; whatever order they name their tables in."""
    done: list[str] = []

    def work(owner: str, tables: list[str]) -> None:
        store = store_at()
        flights = {
            table: Flight(definition_hash=definition(i), input_anchors=INPUTS) for i, table in enumerate("ab")
        }
        for _ in itertools.count():
            begun = store.begin(tables, produced_by=owner, owner=f"{owner}/step", flights=flights)
            if isinstance(begun, Attempt):
                with begun:
                    for table in tables:
                        begun.write(table, numbers(1))
                    begun.publish([output(table) for table in tables])
                done.append(owner)
                return

    store_at()
    threads = [
        threading.Thread(target=work, args=args) for args in (("one", ["a", "b"]), ("two", ["b", "a"]))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=MOST_SECONDS)
    assert sorted(done) == ["one", "two"]


def test_a_result_between_the_look_and_the_start_is_seen(store: ResultStore) -> None:
    """The first ended just after the second had looked: it looks again before it computes, and leaves no lease."""
    first = _fly(store, "one", sleep=None)
    made: list[MaterializationRecord] = []

    def begin() -> Attempt | Busy:
        made.append(_compute(first))
        return _begin(store, "two")

    hit = hit_or_attempt(
        lambda: store.probe_cache_record(definition(), INPUTS),
        begin,
        pytest.fail,
        waiting=lambda busy: pytest.fail(busy.owner),
    )
    assert hit == made[0]
    assert [record.status for record in store.history("t")] == ["failed", "ready"]


class _Clock:
    """A clock that moves by the seconds that are slept."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("most", [0.0, 0.2, 2.0])
def test_nobody_waits_for_longer_than_the_bound(store: ResultStore, most: float) -> None:
    """After it the second computes beside the first, who is alive: both publish, and the later start is current."""
    first, clock = _begin(store, "one"), _Clock()
    second = hit_or_attempt(
        lambda: store.probe_cache_record(definition(), INPUTS),
        lambda: _begin(store, "two"),
        lambda: _begin_beside(store, "two"),
        waiting=lambda busy: None,
        most_seconds=most,
        sleep=clock.sleep,
        clock=clock,
    )
    assert clock.now == most
    assert isinstance(first, Attempt)
    made = [_compute(first), _compute(second)]
    assert [record.status for record in made] == ["ready", "ready"]
    assert store.current("t") == made[1]


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_an_interrupt_while_waiting_leaves_nothing(
    store: ResultStore, interrupt: type[BaseException]
) -> None:
    """Whoever is cancelled while it waits holds nothing: the only row is the other's, and that one publishes."""
    first = _begin(store, "one")

    def stop(seconds: float) -> None:
        raise interrupt

    with pytest.raises(interrupt):
        _fly(store, "two", sleep=stop)
    assert [record.status for record in store.history("t")] == ["building"]
    assert isinstance(first, Attempt)
    assert _compute(first).status == "ready"


def test_a_look_that_fails_after_the_start_gives_the_start_up(store: ResultStore) -> None:
    """An error of the second look leaves no live lease for others to wait for."""
    looks = iter([None])

    def probe() -> None:
        try:
            return next(looks)
        except StopIteration:
            raise OSError("no look") from None

    with pytest.raises(OSError, match="no look"):
        hit_or_attempt(
            probe, lambda: _begin(store, "one"), pytest.fail, waiting=lambda busy: pytest.fail(busy.owner)
        )
    assert [record.status for record in store.history("t")] == ["failed"]


def _fly_in_a_process(n: int, root: str, catalog: str) -> tuple[str, list[int]]:
    import time

    store = ResultStore(root, catalog)
    outcome = _fly(store, f"run{n}", sleep=lambda seconds: time.sleep(0.01))
    how = "computed" if isinstance(outcome, Attempt) else "reused"
    record = outcome if isinstance(outcome, MaterializationRecord) else _compute(outcome, count=n + 1)
    rows = values(store.artifacts.read_table(record.artifact_path))
    store.close()
    return how, rows


def test_of_several_processes_one_computes(catalog_url: str, tmp_path: Any) -> None:
    """Four that begin at once: one computes, three reuse exactly its bytes."""
    answers = race(4, _fly_in_a_process, str(tmp_path / "root"), catalog_url)
    assert sorted(how for how, _ in answers) == ["computed", "reused", "reused", "reused"]
    assert len({tuple(rows) for _, rows in answers}) == 1
