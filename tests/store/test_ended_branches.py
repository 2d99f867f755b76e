"""A branch that has ended: late writes are refused, and tables that come later under its name are kept."""

import contextlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from core_kit import make, numbers
from store_kit import (
    StoreAt,
    attempt_on,
    collected,
    execute,
    expire,
    killed_before_the_flip,
    output,
)

from jammi_dagster import ResultStore
from jammi_dagster.errors import InvalidDeployment, InvalidField, UnknownTable


@pytest.fixture
def store_at(catalog_url: str, tmp_path: Path) -> Iterator[StoreAt]:
    """Opens one catalog in a file or in PostgreSQL."""
    with StoreAt(tmp_path / "root", catalog_url) as opened:
        make(opened(deployment="prod"), "t")
        yield opened


def _branch(store_at: StoreAt, **more: Any) -> ResultStore:
    """A handle of its own, as another process has it."""
    return store_at(deployment="branch", parent="prod", **more)


def _step(store: ResultStore, table: str, run: str) -> None:
    """One step of a run that makes a table."""
    with attempt_on(store, table, owner=f"{run}/{table}") as attempt:
        attempt.write(table, numbers(3))
        attempt.publish([output(table)], run_id=run)


def _dropped(store_at: StoreAt) -> ResultStore:
    prod = store_at(deployment="prod")
    prod.drop_deployment("branch")
    return prod


def test_a_write_under_way_does_not_begin_the_branch_anew(store_at: StoreAt) -> None:
    """It is refused with the reason and the way out, also where somebody else began the branch anew meanwhile."""
    branch = _branch(store_at)
    make(branch, "u")
    attempts = [attempt_on(branch, table, owner=f"{table}/step") for table in ("a", "b")]
    for attempt, table in zip(attempts, ("a", "b"), strict=True):
        attempt.write(table, numbers(2))
    prod = _dropped(store_at)
    with pytest.raises(InvalidDeployment, match=r"this write began before that.*a new run begins it anew"):
        attempts[0].publish([output("a")])
    assert prod.deployments() == []
    make(_branch(store_at), "v")
    with pytest.raises(InvalidDeployment, match="this write began before that"):
        attempts[1].publish([output("b")])
    assert store_at(deployment="branch").tables() == ["v"]


@pytest.mark.parametrize("process", ["same", "another"])
def test_a_run_that_wrote_before_the_end_does_not_go_on(store_at: StoreAt, process: str) -> None:
    """Each later step of it is refused, a reuse too, whoever began the branch anew; another run is not."""
    branch = _branch(store_at)
    _step(branch, "a", "old")
    prod = _dropped(store_at)
    later = branch if process == "same" else _branch(store_at)
    with pytest.raises(InvalidDeployment, match="run old had written there before that"):
        _step(later, "b", "old")
    assert prod.deployments() == []
    _step(later, "c", "new")
    _step(branch, "d", "new")
    made = later.current("c").materialization_id
    with pytest.raises(InvalidDeployment, match="run old had written there"):
        later.writer.point([("c", made)], start_sequence=later.writer.next_start(), run_id="old")
    assert store_at(deployment="branch").tables() == ["c", "d"]


def test_parallel_steps_after_the_end_begin_the_branch_once(store_at: StoreAt) -> None:
    """The first that ends does not make the others late."""
    branch = _branch(store_at)
    make(branch, "u")
    _dropped(store_at)
    attempts = {table: attempt_on(branch, table, owner=f"{table}/step") for table in ("a", "b")}
    for table in ("b", "a"):
        attempts[table].write(table, numbers(2))
        attempts[table].publish([output(table)], run_id="run")
    assert store_at(deployment="branch").tables() == ["a", "b"]


def test_a_branch_of_another_parent_is_not_taken_back(store_at: StoreAt) -> None:
    """A store that knew the name with its former parent is refused; the branch keeps the present one."""
    old = _branch(store_at)
    make(old, "u")
    prod = _dropped(store_at)
    make(store_at(deployment="branch", parent="staging"), "v")
    with pytest.raises(InvalidDeployment, match="it is a branch of staging, not of prod"):
        make(old, "w")
    assert [(one.name, one.parent) for one in prod.deployments()] == [("branch", "staging")]


def _written(store_at: StoreAt) -> None:
    make(store_at(deployment="branch"), "kept")


def _promoted(store_at: StoreAt) -> None:
    other = store_at(deployment="other", parent="prod")
    make(other, "kept")
    other.promote("branch", create=True)
    store_at(deployment="prod").drop_deployment("other")


@pytest.mark.parametrize("way", [_written, _promoted])
def test_a_deployment_with_the_name_of_a_dropped_branch_keeps_its_tables(
    store_at: StoreAt, way: Callable[[StoreAt], None]
) -> None:
    """They are current, and no collection takes them, although a branch of that name has ended."""
    make(_branch(store_at), "u")
    prod = _dropped(store_at)
    way(store_at)
    assert len(collected(prod)) == 1  # that of the branch
    kept = store_at(deployment="branch")
    assert (kept.tables(), kept.read("kept").num_rows) == (["kept"], 3)
    assert [str(one).partition(": ")[2] for one in prod.why_alive("kept")] == ["current in deployment branch"]


def test_nothing_is_written_to_a_branch_whose_time_has_come_without_giving_it_time(store_at: StoreAt) -> None:
    """It would go with the branch: neither a store without its parent nor a promotion does so."""
    make(_branch(store_at, ttl_days=1.0), "u")
    prod = store_at(deployment="prod")
    execute(prod, "UPDATE deployments SET expires_at = expires_at - 172800")
    with pytest.raises(InvalidDeployment, match=r"time came on .*end it with expire_deployments\(\)"):
        make(store_at(deployment="branch"), "v")
    with pytest.raises(InvalidDeployment, match="time came on"):
        prod.promote("branch", ["t"])
    make(_branch(store_at, ttl_days=1.0), "w")
    assert store_at(deployment="branch").tables() == ["u", "w"]


@pytest.mark.parametrize("anew", [False, True])
def test_recovery_brings_no_name_back_that_went_with_a_branch(store_at: StoreAt, anew: bool) -> None:
    """A writer died before the branch ended: its result is recorded, and no name of the branch leads to it."""
    branch = _branch(store_at)
    make(branch, "u")
    killed_before_the_flip(branch, "dead")
    prod = _dropped(store_at)
    if anew:
        make(_branch(store_at), "v")
    expire(prod)
    assert len(prod.recover().promoted) == 1
    assert store_at(deployment="branch").tables() == ["v"] * anew


def test_adoption_brings_no_name_back_that_went_with_a_branch(store_at: StoreAt) -> None:
    """Also where the row of the materialization is not in the catalog, as in one from a backup."""
    branch = _branch(store_at)
    make(branch, "u")
    prod = _dropped(store_at)
    execute(prod, "DELETE FROM pointer_moves WHERE deployment = 'branch'")
    execute(prod, "DELETE FROM materializations WHERE deployment = 'branch'")
    assert len(prod.adopt().adopted) == 1
    assert store_at(deployment="branch").tables() == []


def test_a_parent_at_a_sequence_that_is_yet_to_come_is_refused(store_at: StoreAt) -> None:
    """It would be read live until then."""
    now = store_at(deployment="prod").sequence()
    with pytest.raises(InvalidDeployment, match=r"no sequence \d+ yet, the last one is \d+"):
        _branch(store_at, parent_at=now + 10**9)
    assert _branch(store_at, parent_at=now).tables() == ["t"]


def test_a_pinned_table_that_was_collected_is_told(store_at: StoreAt) -> None:
    """A branch keeps the state of its parent from its first write on; before that it may be collected."""
    prod = store_at(deployment="prod")
    first = prod.current("t").materialization_id
    branch = _branch(store_at, parent_at=prod.sequence())
    make(prod, "t", numbers(9))
    assert collected(prod) == [first]
    with pytest.raises(UnknownTable, match=f"it was {first} of prod at sequence .* collected or lost"):
        branch.read("t")
    with pytest.raises(UnknownTable, match="does not exist in deployment branch; name another"):
        branch.read("never")


class _NoSurface:
    source = 5

    def __repr__(self) -> str:
        return "a surface whose source is 5"


@pytest.mark.parametrize(
    "given",
    [
        {"ahead_of_code": "x"},
        {"ahead_of_code": None},
        {"create": 1},
        {"surfaces": 5},
        {"surfaces": [5]},
        {"surfaces": None},
        {"surfaces": "file:x"},
        {"surfaces": {"file:x": 1}},
        {"surfaces": [_NoSurface()]},
    ],
    ids=str,
)
def test_a_promotion_refuses_arguments_that_are_none(store_at: StoreAt, given: dict[str, Any]) -> None:
    """Each names the argument, and moves nothing."""
    branch = _branch(store_at)
    make(branch, "u")
    (name,) = given
    for act in (branch.promotion_plan, branch.promote):
        with pytest.raises(InvalidField, match=rf"field {name}"):
            act("prod", **given)
    assert store_at(deployment="prod").tables() == ["t"]


@pytest.mark.parametrize(
    ("act", "given"),
    [
        ("recover", {"grace_seconds": "x"}),
        ("recover", {"grace_seconds": float("nan")}),
        ("recover", {"dry_run": 0}),
        ("adopt", {"take_over": "no"}),
        ("prune_history", {"keep_last": "x"}),
        ("prune_history", {"keep_last": True}),
        ("prune_history", {"keep_for_days": None}),
    ],
    ids=str,
)
def test_upkeep_refuses_arguments_that_are_none(store_at: StoreAt, act: str, given: dict[str, Any]) -> None:
    """Each names the argument."""
    (name,) = given
    with pytest.raises(InvalidField, match=rf"field {name}"):
        getattr(store_at(deployment="prod"), act)(**given)


@pytest.mark.parametrize("seed", range(3))
def test_the_past_of_a_parent_is_the_same_for_one_table_and_for_all(store_at: StoreAt, seed: int) -> None:
    """Names that moved once, often, away and back, of a tenant and global, read one by one and at once."""
    chance = random.Random(seed)
    stores = [store_at(deployment="prod"), store_at(deployment="prod", tenant="acme")]
    names = [f"n{number}" for number in range(8)]
    then: dict[int, dict[str, dict[str, str]]] = {}
    for step in range(40):
        store, name = chance.choice(stores), chance.choice(names)
        with contextlib.suppress(UnknownTable):
            if chance.random() < 0.3:
                store.drop(name)
            else:
                make(store, name, numbers(1 + step), step=step)
        if step % 8 == 5:
            then[store.sequence()] = {one.scope.tenant: _digests(one) for one in stores}
    for at, expected in then.items():
        for tenant, digests in expected.items():
            pinned = store_at(deployment="branch", parent="prod", parent_at=at, tenant=tenant or None)
            assert _digests(pinned) == digests
            assert dict(_swept(pinned)) == {
                name: str(pinned.current(name).definition_hash) for name in digests
            }
            assert sorted(digests) == [name for name in [*names, "t"] if _is_there(pinned, name)]


def _digests(store: ResultStore) -> dict[str, str]:
    """All tables of the scope, read at once."""
    with store.reader.frozen() as rows:
        digests = dict(rows.digests() or {})
    assert sorted(digests) == sorted(store.tables())
    return digests


def _swept(store: ResultStore) -> Iterator[tuple[str, str]]:
    """The name and definition of each table, as a sweep reads them."""
    with store.reader.frozen() as rows:
        yield from ((row.table, str(row.definition_hash)) for row in rows.current_rows())


def _is_there(store: ResultStore, name: str) -> bool:
    try:
        return bool(store.current(name))
    except UnknownTable:
        return False
