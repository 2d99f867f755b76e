"""The passes to break: each begins in a state of its own, and has a next run that must end clean."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from core_kit import make, numbers
from fault_stacks_kit import STACKS, Stack
from store_kit import attempt_on, execute, expire, killed_before_the_flip, on, output

from jammi_dagster import InputAnchor, ResultStore
from jammi_dagster.artifacts import sidecar_path
from jammi_dagster.recording import Attempt

_DAY = 24 * 3600.0
RANGE = ("p[1]", "p[2]", "p[3]")


@dataclass(frozen=True)
class Scenario:
    """A pass over a store.

    `flips` is true where its last commit alone may change the current tables. Where `recovers` is true, recovery may
    come before the next run.
    """

    name: str
    prepare: Callable[[Stack], None]
    act: Callable[[ResultStore], None]
    flips: bool = False
    recovers: bool = True
    stacks: tuple[str, ...] = STACKS


def publish(store: ResultStore, tables: Mapping[str, int], *, owner: str = "run/step", **more: Any) -> None:
    """Send tables of one row each, the number, through the funnel together."""
    attempt = attempt_on(store, *tables, owner=owner)
    with attempt:
        for table, number in tables.items():
            attempt.write(table, pa.table({"n": [number]}))
        outputs = [output(table, step=number, **more) for table, number in tables.items()]
        attempt.publish(outputs, run_id=owner.split("/")[0])


def fill(store: ResultStore) -> None:
    """Make tables that were acknowledged: a history, an input, a range, a tenant's table, another deployment's."""
    make(store, "t", numbers(1), step=1)
    made = make(store, "t", numbers(2), step=2)
    make(store, "child", numbers(3), step=1, inputs=on(made))
    publish(store, dict(zip(RANGE, (1, 2, 3), strict=True)), owner="earlier/p", annotation={"metadata": {}})
    make(store.beside(tenant="acme"), "t", numbers(4), step=4)
    branch = store.beside(deployment="branch")
    branch.writer.point(
        [("t", made.materialization_id)], start_sequence=branch.writer.next_start(), run_id="branch"
    )


def _filled(stack: Stack) -> None:
    with contextlib.closing(stack.place.open()) as store:
        fill(store)


def _nothing(stack: Stack) -> None:
    """Leave the store unmade."""


# --- the funnel ---------------------------------------------------------------------------------------------


def _write(store: ResultStore) -> None:
    inputs = [*on(store.current("child")), InputAnchor.source_version("file:x", "1")]
    publish(store, {"t": 7}, inputs=inputs, annotation={"metadata": {"n": 7}})


def _write_range(store: ResultStore) -> None:
    publish(store, dict(zip(RANGE, (11, 12, 13), strict=True)), inputs=on(store.current("t")))


def _reuse(store: ResultStore) -> None:
    old = store.history("t")[-1]
    start = store.writer.next_start()
    store.writer.point([("t", old.materialization_id)], start_sequence=start, run_id="reuse")


# --- holds --------------------------------------------------------------------------------------------------


def _held(stack: Stack) -> None:
    """Hold a table at its first materialization."""
    with contextlib.closing(stack.place.open()) as store:
        fill(store)
        _roll_back(store)


def _roll_back(store: ResultStore) -> None:
    store.rollback("t", store.history("t")[-1].materialization_id, by="me")


# --- promotion ----------------------------------------------------------------------------------------------


def _branched(stack: Stack) -> None:
    """Make other tables in a branch."""
    with contextlib.closing(stack.place.open()) as store:
        fill(store)
        branch = store.beside(deployment="branch")
        make(branch, "child", numbers(5), step=1, inputs=on(make(branch, "t", numbers(6), step=6)))


def _promote(store: ResultStore) -> None:
    branch = store.beside(deployment="branch")
    branch.promote("default", definitions={"child": "cd" * 32}, ahead_of_code=True, by="me")


# --- recovery -----------------------------------------------------------------------------------------------


def _crashed(stack: Stack) -> None:
    """Leave whatever recovery has to do with: attempts whole and in part, losses, finds, litter, wrong edges."""
    with contextlib.closing(stack.place.open()) as store:
        fill(store)
        _killed_range(store, {"x[1]": 21, "x[2]": 22, "t": 23})
        half = _killed_range(store, {"y[1]": 31, "p[1]": 32})
        store.artifacts.delete(sidecar_path(half.rows["p[1]"].artifact_path))
        killed_before_the_flip(store, "alone", step=5)
        _dropped_after_a_loss(store)
        found = make(store, "found", numbers(6), step=6)
        orphan = make(store, "litter", numbers(8), step=8)
        for table in ("found", "litter"):
            execute(store, "DELETE FROM run_results WHERE table_name = :t", t=table)
            execute(store, "DELETE FROM pointers WHERE table_name = :t", t=table)
            execute(store, "DELETE FROM materializations WHERE table_name = :t", t=table)
        assert found.artifact_path != orphan.artifact_path
        store.artifacts.delete(orphan.artifact_path)
        execute(store, "DELETE FROM anchor_edges")
        expire(store)


def _dropped_after_a_loss(store: ResultStore) -> None:
    """Make a table lost in the next pass, one that is there again, and one that a pass missed and is there."""
    gone, back, noted = (make(store, name, numbers(9), step=9) for name in ("gone", "back", "noted"))
    data = store.artifacts.read_bytes(back.artifact_path)
    store.artifacts.delete(back.artifact_path)
    store.recover(grace_seconds=0)
    store.recover(grace_seconds=0)
    store.artifacts.write_bytes_durable(back.artifact_path, data)
    store.artifacts.delete(gone.artifact_path)
    ids = f"('{gone.materialization_id}', '{noted.materialization_id}')"
    execute(store, f"UPDATE materializations SET missing_since = 1 WHERE id IN {ids}")


def _killed_range(store: ResultStore, tables: Mapping[str, int]) -> Attempt:
    from unittest import mock

    from store_kit import Killed

    from jammi_dagster.catalog import CatalogWriter

    attempt = attempt_on(store, *tables, owner=f"killed {min(tables)}/step")
    for table, number in tables.items():
        attempt.write(table, pa.table({"n": [number]}))
    with mock.patch.object(CatalogWriter, "finish", side_effect=Killed), contextlib.suppress(Killed):
        attempt.publish([output(table, step=number) for table, number in tables.items()])
    return attempt


def _recover(store: ResultStore) -> None:
    store.recover(grace_seconds=-_DAY)


def recover_all(store: ResultStore) -> None:
    """Recover, and so does the tenant: its tables are its own."""
    for one in (store, store.beside(tenant="acme")):
        one.recover(grace_seconds=-_DAY)


def _missing(stack: Stack) -> None:
    """Let an object be missing for the first time, and litter be young."""
    with contextlib.closing(stack.place.open()) as store:
        fill(store)
        store.artifacts.delete(make(store, "away", numbers(9), step=9).artifact_path)
        store.drop("child")


def _recover_at_night(store: ResultStore) -> None:
    store.recover()


# --- adoption -----------------------------------------------------------------------------------------------


def _restored(stack: Stack) -> None:
    """Restore the catalog of yesterday: a day of work has no rows."""
    _filled(stack)
    yesterday = stack.catalog.keep()
    with contextlib.closing(stack.place.open()) as store:
        _write(store)
        _write_range(store)
        make(store, "new", numbers(5), step=5)
        make(store, "dropped", numbers(6), step=6)
        store.drop("dropped")
        make(store.beside(tenant="acme"), "t", numbers(6), step=6)
        _killed_range(store, {"x[1]": 21, "x[2]": 22})
    stack.catalog.reset(yesterday)


def _adopt(store: ResultStore) -> None:
    for one in (store, store.beside(tenant="acme")):
        one.adopt()


def _without_catalog(stack: Stack) -> None:
    """Lose the catalog, and find an empty one in its place."""
    empty = stack.catalog.keep()
    _filled(stack)
    stack.catalog.reset(empty)


def _take_over(store: ResultStore) -> None:
    store.adopt(take_over=True)


# --- drops --------------------------------------------------------------------------------------------------


def _drop(store: ResultStore) -> None:
    if "p[2]" in store.tables():
        store.drop("p[2]")


def _drop_shared(store: ResultStore) -> None:
    if "t" in store.tables():
        store.drop("t")


# --- collection ---------------------------------------------------------------------------------------------


def _with_old_ones(stack: Stack) -> None:
    """Leave materializations that nothing keeps: marked ones, new ones, and one whose name was dropped."""
    with contextlib.closing(stack.place.open()) as store:
        fill(store)
        make(store, "u", numbers(1), step=1)
        store.collect({}, dry_run=False)
        make(store, "u", numbers(2), step=2)
        store.drop("child")
        execute(store, "DELETE FROM run_leases")


def _collect(store: ResultStore) -> None:
    store.collect({"grace_seconds": 0}, dry_run=False)


def _dropped(stack: Stack) -> None:
    with contextlib.closing(stack.place.open()) as store:
        fill(store)
        store.drop("child")


def _undrop(store: ResultStore) -> None:
    if "child" not in store.tables():
        store.undrop("child", by="me")


SCENARIOS = {
    one.name: one
    for one in (
        Scenario("write", _filled, _write, flips=True),
        Scenario("write a range", _filled, _write_range, flips=True),
        Scenario("first write", _nothing, lambda store: publish(store, {"t": 7}), flips=True),
        Scenario("reuse", _filled, _reuse, flips=True),
        Scenario("roll back", _filled, _roll_back, flips=True),
        Scenario("promote", _branched, _promote, flips=True),
        Scenario("write a held table", _held, _write),
        Scenario("recover", _crashed, _recover),
        # recovery without grace, as it would come before the next run, rightly loses the missing table
        Scenario("recover, default grace", _missing, _recover_at_night, recovers=False),
        Scenario("adopt", _restored, _adopt),
        Scenario("adopt, take over", _without_catalog, _take_over, recovers=False),
        Scenario("recover a lost catalog", _without_catalog, recover_all, stacks=("local + SQLite",)),
        Scenario("drop", _filled, _drop, flips=True),
        Scenario("undrop", _dropped, _undrop, flips=True),
        Scenario("drop, used elsewhere", _filled, _drop_shared, flips=True),
        Scenario("collect", _with_old_ones, _collect),
    )
}
