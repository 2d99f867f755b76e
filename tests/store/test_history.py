"""Tables as they were: history, reading the past, rollback, and holds, on real files."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from core_kit import make, numbers, values
from engine_kit import Engine
from store_kit import child, days_later, definition, execute, expire, killed_before_the_flip

from jammi_dagster import ResultStore
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.errors import InvalidField, NotInHistory, TableHeld, UnknownTable

# rules of the catalog are proved on both databases, others on the quickest
on_both = pytest.mark.parametrize("store_at", ["file", "postgres"], indirect=True)
on_one = pytest.mark.parametrize("store_at", ["memory"], indirect=True)
NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


@pytest.fixture
def made(store: ResultStore) -> list[MaterializationRecord]:
    """Three materializations of `t`, of one, two and three rows, made at noon of three days."""
    records = [make(store, "t", numbers(count)) for count in (1, 2, 3)]
    for day, move in enumerate(reversed(store.moves("t"))):
        at = (NOON + timedelta(days=day)).timestamp()
        execute(
            store, "UPDATE pointer_moves SET moved_at = :at WHERE sequence = :one", at=at, one=move.sequence
        )
    return records


def _refusal(store: ResultStore, at: Any, table: str = "t") -> str:
    with pytest.raises(NotInHistory) as raised:
        store.read(table, at=at)
    return str(raised.value)


# --- history ----------------------------------------------------------------------------------------------


@on_both
def test_history_tells_by_which_moves_each_became_current(store: ResultStore) -> None:
    """Its act, reason, run, deployment, sequence and time; none for one that never was current."""
    first = make(store, "t")
    second = make(store, "t", numbers(2))
    branch = store.beside(deployment="branch")
    start = branch.writer.next_start()
    branch.writer.point([("t", first.materialization_id)], start_sequence=start, run_id="run")
    dead = killed_before_the_flip(store, "t", step=2).rows["t"].materialization_id
    told = {record.materialization_id: record.moves for record in store.history("t")}
    assert told[dead] == ()
    assert [(move.outcome, move.deployment) for move in told[second.materialization_id]] == [
        ("computed", "default")
    ]
    reused, computed = told[first.materialization_id]
    assert (computed.outcome, computed.deployment, computed.run_id) == ("computed", "default", None)
    assert reused.to_dict() == {
        "table": "t",
        "tenant": "",
        "deployment": "branch",
        "sequence": reused.sequence,
        "start_sequence": start,
        "materialization_id": first.materialization_id,
        "outcome": "reused",
        "reason": None,
        "run_id": "run",
        "at": reused.at,
    }
    assert reused.sequence > computed.sequence
    assert abs(datetime.fromisoformat(reused.at) - datetime.now(timezone.utc)) < timedelta(minutes=5)
    assert store.moves("t") == branch.moves("t")


@on_one
def test_what_recovery_finishes_and_adoption_finds_is_told(store: ResultStore) -> None:
    """With its run; a name that adoption resolves says so."""
    killed_before_the_flip(store, "t", own={"why": ["code changed"], "run_id": "run"})
    expire(store)
    store.recover()
    (move,) = store.moves("t")
    assert (move.outcome, move.reason, move.run_id) == ("computed", "code changed", "run")
    for table in ("pointers", "pointer_moves", "run_results", "materializations"):
        execute(store, f"DELETE FROM {table}")
    store.adopt()
    (move,) = store.moves("t")
    assert (move.outcome, move.materialization_id, move.run_id) == (
        "adopted",
        store.current("t").materialization_id,
        "run",
    )


@on_both
def test_history_is_pruned_by_its_owner(store: ResultStore, made: list[MaterializationRecord]) -> None:
    """The oldest moves go, no materialization does; a time that is no longer told is refused, and says since when."""
    assert store.prune_history(keep_last=2, keep_for_days=0) == 1
    assert [move.materialization_id for move in store.moves("t")] == [
        record.materialization_id for record in (made[2], made[1])
    ]
    assert "its history begins on 2026-03-02T12:00:00" in _refusal(store, NOON)
    assert values(store.read("t", at=made[0].materialization_id)) == [0]
    for policy in ({"keep_last": 0}, {"keep_for_days": -1}, {"keep_for_days": float("nan")}):
        with pytest.raises(InvalidField, match=next(iter(policy))):
            store.prune_history(**policy)


# --- reading the past ---------------------------------------------------------------------------------------


@on_both
def test_a_table_is_read_as_it_was(store: ResultStore, made: list[MaterializationRecord]) -> None:
    """By the id of a materialization, by a sequence or a start, and by a time, as a value or as text."""
    moves = list(reversed(store.moves("t")))
    for day, record in enumerate(made):
        rows = list(range(day + 1))
        at, until = NOON + timedelta(days=day), NOON + timedelta(days=day, hours=23)
        for past in (
            record.materialization_id,
            moves[day].sequence,
            record.start_sequence,
            at,
            until,
            str(at),
        ):
            assert values(store.read("t", at=past)) == rows, past
            assert store.dataset("t", at=past).count_rows() == len(rows)
    assert values(store.read("t", at="2026-03-02T12:00")) == [0, 1]
    assert values(store.read("t", at="2026-03-02T13:30:00+01:00")) == [0, 1]
    assert values(store.read("t", at="2026-03-02T11:59:59Z")) == [0]


@on_one
def test_a_partition_is_read_as_it_was(store: ResultStore) -> None:
    """Each partition has a history of its own."""
    first = make(store, "t[1]", numbers(1))
    make(store, "t[2]", numbers(5))
    make(store, "t[1]", numbers(2))
    assert values(store.read("t[1]", at=first.start_sequence)) == [0]
    assert "a materialization of t[1]" in _refusal(store, first.materialization_id, "t[2]")


@on_one
def test_a_deployment_reads_its_own_past(store: ResultStore, made: list[MaterializationRecord]) -> None:
    """A name that a branch never had has no past there; a materialization is read by its id from anywhere."""
    branch = store.beside(deployment="branch")
    assert "its history begins" in _refusal(branch, NOON)
    assert values(branch.read("t", at=made[0].materialization_id)) == [0]


_REFUSED: list[tuple[Any, str]] = [
    (NOON - timedelta(seconds=1), "its history begins on 2026-03-01T12:00:00"),
    (0, "its history begins on"),
    (-1, "give a materialization's id, a sequence"),
    (2**63, "give a materialization's id, a sequence"),
    (True, "give a materialization's id, a sequence"),
    (1.5, "give a materialization's id, a sequence"),
    (datetime(2026, 3, 1), "that time has no time zone"),
    ("yesterday", "it has no such materialization, and that is no sequence or time"),
    ("ab" * 16, "it has no such materialization"),
]


@on_one
def test_a_past_that_is_not_there_is_refused(store: ResultStore, made: list[MaterializationRecord]) -> None:
    """The message names the table, the past that was asked for, and the reason."""
    for at, why in _REFUSED:
        said = _refusal(store, at)
        assert said.startswith(f"table t at {at}: ")
        assert why in said


@on_one
def test_a_materialization_that_is_not_ready_is_refused(store: ResultStore) -> None:
    """One that is building or collected; and a time at which the table was dropped."""
    dead = killed_before_the_flip(store, "t").rows["t"].materialization_id
    assert "is building, not ready" in _refusal(store, dead)
    collected = make(store, "t")
    before = store.moves("t")[0].sequence
    store.drop("t")
    assert store.collect({"grace_seconds": 0}, dry_run=False).collected == [collected.materialization_id]
    assert "is collected, not ready" in _refusal(store, collected.materialization_id)
    assert "is collected, not ready" in _refusal(store, before)
    assert "it had no materialization then, it was dropped on" in _refusal(
        store, store.moves("t")[0].sequence
    )
    assert "it has no history" in _refusal(store, NOON, "other")


def test_an_engines_table_is_read_by_id_alone(tmp_path: Any) -> None:
    """Its catalog keeps no history: that is said, and the list of moves is empty."""
    store = Engine("chain", tmp_path / "engine").attach()
    assert (store.moves("docs"), store.holds()) == ([], {})
    assert "it has no history" in _refusal(store, NOON, "docs")
    store.close()


# --- rollback -----------------------------------------------------------------------------------------------


@on_both
def test_a_table_is_rolled_back_and_held(store: ResultStore, made: list[MaterializationRecord]) -> None:
    """The name resolves to the earlier one; a later one is recorded, and the first after a release is current."""
    for to in (NOON, store.moves("t")[-1].sequence, made[0].materialization_id):
        assert store.rollback("t", to, by="ada", reason="wrong units") == made[0]
        assert values(store.read("t")) == [0]
    assert store.moves("t")[0].reason == "by ada: wrong units"
    later = make(store, "t", numbers(9))
    assert later.status == "ready"
    assert values(store.read("t")) == [0]
    hold = store.holds()["t"]
    assert hold == store.release("t")
    assert (hold.by, hold.reason, hold.materialization_id) == (
        "ada",
        "wrong units",
        made[0].materialization_id,
    )
    assert store.release("t") is None
    assert values(store.read("t")) == [0]
    make(store, "t", numbers(4))
    assert values(store.read("t")) == [0, 1, 2, 3]


@on_both
def test_tables_below_a_rollback_become_stale(store: ResultStore) -> None:
    """Those that were made over another one; and fresh again by their own materialization over the earlier one."""
    first = make(store, "up")
    over_first = child(store, "down", "up")
    make(store, "up", numbers(5))
    child(store, "down", "up")
    store.rollback("up", first.materialization_id)
    verdict = store.staleness("down", definition())
    assert [(reason.reason, reason.source) for reason in verdict.reasons] == [("input_advanced", "up")]
    assert store.staleness("up", definition()).is_fresh
    hit = store.probe_cache(definition(), child(store, "down", "up").input_anchors)
    assert store.staleness("down", definition()).is_fresh
    assert hit is not None
    assert over_first.artifact_digest == store.current("down").artifact_digest


@on_one
def test_a_hold_is_by_the_user_of_the_process_unless_told(
    store: ResultStore, made: list[MaterializationRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says so where the process has none."""
    monkeypatch.setenv("LOGNAME", "grace")
    store.rollback("t", made[0].materialization_id)
    assert store.holds()["t"].by == "grace"


@on_one
def test_a_table_is_not_rolled_back_to_damaged_bytes(
    store: ResultStore, made: list[MaterializationRecord]
) -> None:
    """Neither to ones that are gone, nor to ones of another size; nothing changes."""
    store.artifacts.delete(made[0].artifact_path)
    store.artifacts.delete(made[1].artifact_path)
    store.artifacts.write_bytes_durable(made[1].artifact_path, b"x")
    for record in made[:2]:
        with pytest.raises(NotInHistory, match="are gone or altered"):
            store.rollback("t", record.materialization_id)
    assert (store.holds(), store.current("t").materialization_id) == ({}, made[2].materialization_id)


@on_one
def test_only_an_own_table_is_rolled_back_and_released(
    store: ResultStore, made: list[MaterializationRecord]
) -> None:
    """Not a global one by a tenant, nor one that this deployment never had; the refusals say so."""
    acme, branch = store.beside(tenant="acme"), store.beside(deployment="branch")
    with pytest.raises(UnknownTable, match="which no tenant rolls back"):
        acme.rollback("t", made[0].materialization_id)
    with pytest.raises(UnknownTable, match="in deployment branch"):
        branch.rollback("t", made[0].materialization_id)
    for other in (branch, store):
        with pytest.raises(UnknownTable):
            other.release("nothing")
    assert acme.release("t") is None


@on_both
def test_a_held_table_is_kept_by_drop_and_recovery(
    store: ResultStore, made: list[MaterializationRecord]
) -> None:
    """A drop of it is refused, one elsewhere and a recovery leave its materialization."""
    branch = store.beside(deployment="branch")
    make(branch, "t", numbers(7))
    store.rollback("t", made[0].materialization_id)
    with pytest.raises(TableHeld, match="release it first"):
        store.drop("t")
    branch.drop("t")
    days_later(store)
    store.recover(grace_seconds=0)
    assert values(store.read("t")) == [0]
    store.release("t")
    store.drop("t")
    assert store.tables() == []
