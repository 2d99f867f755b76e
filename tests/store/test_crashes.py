"""Writers killed from outside, at every named step of the funnel and at any instant: nothing wrong is ever read."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import crash_kit as steps
import pytest
import sqlalchemy as sa
from core_kit import make
from crash_kit import Forks, Step, is_whole, whole
from postgres_kit import Postgres
from store_kit import definition

from jammi_dagster import MatchVerdict, ResultStore
from jammi_dagster.artifacts import sidecar_path
from jammi_dagster.catalog.statements import LOCK
from jammi_dagster.sensing import verify_materialization

_SEED = 20261122
_KILLS = {"file": 200, "postgres": 30}
# so many on one catalog, after which another begins: recovery looks at all that there is
_ON_ONE = 10


@pytest.fixture(scope="module")
def writers() -> Iterator[Forks]:
    """Writers to kill."""
    forks = Forks(steps.write)
    yield forks
    forks.close()


@pytest.fixture(scope="module")
def readers() -> Iterator[Forks]:
    """Readers beside them."""
    forks = Forks(steps.read)
    yield forks
    forks.close()


def _recovered(store: ResultStore, root: Path) -> dict[str, list[str]]:
    """A minute later: the report of recovery. Checks that nothing is left to do, and that all there is is sound."""
    with store.database.writing() as connection:
        connection.execute(LOCK)  # a server may still be ending the dead writer's transaction
        expired = "UPDATE materializations SET lease_expires_at = 1 WHERE status = 'building'"
        connection.execute(sa.text(expired))
    done = _found(store)
    assert _found(store) == {}
    history = [record for table in _ever(store) for record in store.history(table)]
    ready = [record for record in history if record.status == "ready"]
    assert {record.status for record in history} <= {"ready", "failed"}
    for record in ready:
        assert verify_materialization(store.artifacts, record) == MatchVerdict.match()
    for table in store.tables():
        assert store.current(table) in ready
        assert is_whole(store.read(table))
    named = {path for r in ready for path in (r.artifact_path, sidecar_path(r.artifact_path))}
    assert {str(p.relative_to(root)) for p in (root / "tables").rglob("*.*") if p.is_file()} == named
    return done


def _found(store: ResultStore) -> dict[str, list[str]]:
    report = store.recover().to_dict()
    return {name: ids for name, ids in report.items() if ids and name != "dry_run"}


def _ever(store: ResultStore) -> list[str]:
    """Every table that a row was begun for."""
    with store.database.reading() as connection:
        return list(connection.execute(sa.text("SELECT DISTINCT table_name FROM materializations")).scalars())


@pytest.mark.parametrize(
    ("step", "then"),
    [
        (steps.before_the_start_commits, None),
        (steps.before_the_begin_commits, None),
        (steps.begun, "failed"),
        (steps.during_the_write, "failed"),
        (steps.bytes_durable, "failed"),
        (steps.sidecar_durable, "promoted"),
        (steps.before_the_flip_commits, "promoted"),
        (steps.after_the_flip, "ready"),
    ],
    ids=[
        "before the start commits",
        "before the begin commits",
        "begun",
        "during the write",
        "bytes durable",
        "sidecar durable",
        "before the flip commits",
        "after the flip",
    ],
)
@pytest.mark.parametrize("has_current", [True, False])
def test_a_kill_at_each_step(
    writers: Forks, catalog_url: str, tmp_path: Path, step: Step, then: str | None, has_current: bool
) -> None:
    """Until recovery nothing current moves; then a whole one is published, else nothing is left of it."""
    root = tmp_path / "root"
    store = ResultStore(str(root), catalog_url)
    store.binding.bind()
    before = make(store, "t", whole(5)) if has_current else None
    writers.start(str(root), catalog_url, 2, step)
    assert writers.told() == ("there",)
    assert writers.kill() == []

    if then != "ready":
        assert store.tables() == ([] if before is None else ["t"])
        assert store.probe_cache(definition(2), []) is None
        if before is not None:
            assert store.current("t") == before
    done = _recovered(store, root)
    others = [
        r for r in store.history("t") if before is None or r.materialization_id != before.materialization_id
    ]
    ids = [record.materialization_id for record in others]
    assert done == ({then: ids} if then in ("failed", "promoted") else {})
    assert [record.status for record in others] == (
        [] if then is None else ["failed" if then == "failed" else "ready"]
    )
    if then in ("promoted", "ready"):
        assert store.probe_cache(definition(2), []) == store.current("t").materialization_id == ids[0]
    make(store, "t", whole(7), step=2)
    assert store.read("t").num_rows == 7
    store.close()


@pytest.mark.slow
@pytest.mark.parametrize("catalog", sorted(_KILLS))
def test_a_kill_at_any_instant(
    writers: Forks, readers: Forks, request: pytest.FixtureRequest, tmp_path: Path, catalog: str
) -> None:
    """Spread evenly over all that a writer does with an open store; while another process reads all the time."""
    instants = random.Random(_SEED)
    outcomes: Counter[str] = Counter()
    for first in range(0, _KILLS[catalog], _ON_ONE):
        root, url = tmp_path / str(first), str(tmp_path / f"{first}.db")
        if catalog == "postgres":
            server: Postgres = request.getfixturevalue("postgres")
            url = server.new()
        store = ResultStore(str(root), url)
        store.binding.bind()  # no writer makes the catalog, so the one of `_unharmed` takes as long as later ones
        seconds = _unharmed(writers, root, url)
        readers.start(str(root), url)
        committed: set[str] = set()
        for turn in range(first, min(first + _ON_ONE, _KILLS[catalog])):
            after = instants.uniform(0, 1.05 * seconds)
            print(f"seed {_SEED}, kill {turn}: {after:.4f} of {seconds:.4f} s")
            writers.start(str(root), url, turn, None)
            time.sleep(after)
            told = writers.kill()
            committed.update(rest[0] for what, *rest in told if what == "made")
            outcomes.update(_recovered(store, root).keys() or ["nothing"])
            _check_usable(store, committed, turn)
        assert readers.kill() == [("read",)]
        store.close()
        if catalog == "postgres":
            server.drop(url)
    assert sum(outcomes.values()) == _KILLS[catalog], outcomes
    # in most of a writer's time a row of it is `building`; a busy machine may measure that time too long
    assert outcomes["failed"] > _KILLS[catalog] / 20, outcomes


def _unharmed(writers: Forks, root: Path, url: str) -> float:
    """The seconds that a writer takes if nobody kills it."""
    writers.start(str(root), url, 0, None)
    while (told := writers.told())[0] != "done":
        assert told[0] == "made", told
    writers.kill()
    return float(told[1])


def _check_usable(store: ResultStore, committed: set[str], turn: int) -> None:
    """No commit that a writer knew of is lost, and the next materialization works."""
    records = [store.reader.get(identifier) for identifier in committed]
    assert all(record is not None and record.status == "ready" for record in records)
    made = make(store, "next", whole(turn + 1), step=turn)
    assert store.current("next") == made
