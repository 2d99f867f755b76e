"""Random histories with collections in between: all that is reachable is there, and all else goes within two passes."""

import contextlib
import copy
import functools
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from core_kit import make, numbers
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from store_kit import Killed, execute, on

from jammi_dagster import ResultStore, maintenance
from jammi_dagster.artifacts import ArtifactRoot, sidecar_path
from jammi_dagster.catalog import CollectionRows, MaterializationRecord
from jammi_dagster.errors import NotDropped, PlanOutdated, PromotionRefused, TableHeld, UnknownTable
from jammi_dagster.maintenance import CollectionPass

TABLES, DEPLOYMENTS = st.sampled_from("abc"), st.sampled_from(["prod", "branch"])
NUMBERS = st.integers(0, 50)
_GRACE = 1_000.0
_STEPS: tuple[tuple[type, str], ...] = (
    (CollectionRows, "mark"),
    (CollectionRows, "take"),
    (ArtifactRoot, "create"),
    (ArtifactRoot, "delete_many"),
    (CollectionRows, "finish"),
)


class Collections(RuleBasedStateMachine):
    """Drives a store, and knows what can be reached: by names, holds, pins, readers, runs and inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.made: dict[str, MaterializationRecord] = {}
        self.gone: set[str] = set()
        self.names: dict[tuple[str, str], str] = {}
        self.held: set[tuple[str, str]] = set()
        self.pins: dict[str, str] = {}
        self.readers: list[tuple[str, Any]] = []
        self.runs: dict[str, dict[str, str]] = {}
        self.past: dict[str, str] = {}
        self.of_tenant: dict[str, str] = {}
        self.promoted: Any = None
        self.clock, self.count = 0.0, 0
        self.backup: tuple[Any, ...] | None = None
        self._open()

    def _open(self) -> None:
        place = str(self.folder / "root"), str(self.folder / "catalog.db")
        self.stores = {name: ResultStore(*place, deployment=name) for name in ("prod", "branch")}
        self.tenant = self.stores["prod"].beside(tenant="acme", deployment="prod")

    def _close(self) -> None:
        for store in self.stores.values():
            store.close()

    def teardown(self) -> None:
        self._close()
        shutil.rmtree(self.folder)

    # --- what can be reached ---------------------------------------------------------------------------

    def _reachable(self) -> set[str]:
        of_runs = {one for results in self.runs.values() for one in results.values()}
        read = {one for one, _ in self.readers}
        kept = (self.names, self.pins, self.past, self.of_tenant)
        return ({one for some in kept for one in some.values()} | read | of_runs) - self.gone

    def _ready(self, table: str, number: int) -> str | None:
        """One of the table's materializations that can be read for sure."""
        ids = sorted(one for one in self._reachable() if self.made[one].table == table)
        return ids[number % len(ids)] if ids else None

    # --- writers ---------------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        """A store that is there."""
        self.materialize("a", "b", "prod")

    @rule(table=TABLES, parent=TABLES, deployment=DEPLOYMENTS)
    def materialize(self, table: str, parent: str, deployment: str) -> None:
        """Makes a table over the current one of another."""
        self.count += 1
        inputs = on(self.made[self.names[deployment, parent]]) if (deployment, parent) in self.names else []
        record = make(self.stores[deployment], table, numbers(self.count % 7), step=self.count, inputs=inputs)
        self.made[record.materialization_id] = record
        if (deployment, table) not in self.held:
            self.names[deployment, table] = record.materialization_id

    @rule(table=TABLES, number=NUMBERS, deployment=DEPLOYMENTS, run=st.sampled_from([None, "r1", "r2"]))
    def reuse(self, table: str, number: int, deployment: str, run: str | None) -> None:
        """Points a name at any materialization that is there; one that was collected is refused."""
        ids = [one for one, record in self.made.items() if record.table == table]
        if not ids:
            return
        one, store = ids[number % len(ids)], self.stores[deployment]
        start = store.writer.next_start()
        try:
            store.writer.point([(table, one)], start_sequence=start, run_id=run)
        except UnknownTable:
            assert one not in self._reachable()
            return
        assert one not in self.gone
        if run is not None:
            self.runs.setdefault(run, {})[table] = one
        if (deployment, table) not in self.held:
            self.names[deployment, table] = one

    @rule(run=st.sampled_from(["r1", "r2"]))
    def end_a_run(self, run: str) -> None:
        """The lease of a run runs out."""
        execute(self.stores["prod"], "UPDATE run_leases SET expires_at = 1 WHERE run_id = :run", run=run)
        self.runs.pop(run, None)

    @rule(table=TABLES, number=NUMBERS, deployment=DEPLOYMENTS)
    def hold(self, table: str, number: int, deployment: str) -> None:
        """Rolls a name back, or releases it."""
        if (deployment, table) in self.held:
            self.stores[deployment].release(table)
            self.held.remove((deployment, table))
            return
        one = self._ready(table, number)
        if one is not None and (deployment, table) in self.names:
            self.stores[deployment].rollback(table, one)
            self.names[deployment, table] = one
            self.held.add((deployment, table))

    @rule(table=TABLES, deployment=DEPLOYMENTS)
    def drop(self, table: str, deployment: str) -> None:
        """Takes a name away; what it named is reached no more, unless otherwise."""
        if (deployment, table) in self.held:
            with pytest.raises(TableHeld):
                self.stores[deployment].drop(table)
        elif self.names.pop((deployment, table), None) is not None:
            self.stores[deployment].drop(table)

    @rule(table=TABLES, deployment=DEPLOYMENTS)
    def undrop(self, table: str, deployment: str) -> None:
        """Gives a name back that was dropped: to one that is whole."""
        if (deployment, table) not in self.names:
            with contextlib.suppress(UnknownTable, NotDropped):
                record = self.stores[deployment].undrop(table)
                assert record.materialization_id not in self.gone
                self.names[deployment, table] = record.materialization_id

    @rule(back=st.booleans())
    def promote(self, back: bool) -> None:
        """Promotes all that the branch has, or takes the last promotion back; refused as a whole, or done."""
        source, given = self.stores["branch"], {}
        if back:
            if self.promoted is None:
                return
            source, given = self.stores["prod"], {"plan": self.promoted.undo()}
        try:
            done = source.promote("prod", **given)
        except (PlanOutdated, PromotionRefused, TableHeld):
            return
        self.promoted = None if back else done
        for row in done.plan.rows:
            assert back or row.materialization == self.names["branch", row.table]
            self.names.pop(("prod", row.table), None)
            if row.materialization is not None:
                assert row.materialization not in self.gone
                self.names["prod", row.table] = row.materialization

    @rule()
    def pin_a_branch(self) -> None:
        """Begins a branch over production as it is now, or ends it."""
        prod = self.stores["prod"]
        if self.past:
            prod.drop_deployment("pinned")
            self.past = {}
            return
        self.past = {table: one for (where, table), one in self.names.items() if where == "prod"}
        branch = prod.beside(deployment="pinned", parent="prod", parent_at=prod.sequence())
        branch.writer.next_start()

    @rule(table=TABLES, number=NUMBERS)
    def reuse_of_a_tenant(self, table: str, number: int) -> None:
        """A tenant's own name leads to a global materialization, or is dropped."""
        if self.of_tenant.pop(table, None) is not None:
            self.tenant.drop(table)
        elif (one := self._ready(table, number)) is not None:
            self.tenant.writer.point(
                [(table, one)], start_sequence=self.tenant.writer.next_start(), run_id=None
            )
            self.of_tenant[table] = one

    @rule(table=TABLES, number=NUMBERS)
    def pin(self, table: str, number: int) -> None:
        """Pins a materialization, or ends the first pin."""
        one = self._ready(table, number)
        if one is not None and len(self.pins) < 3:
            self.pins[self.stores["prod"].pin(table, one).pin_id] = one
        elif self.pins:
            pin_id = next(iter(self.pins))
            assert self.stores["branch"].unpin(pin_id)
            del self.pins[pin_id]

    @rule(table=TABLES, number=NUMBERS)
    def read(self, table: str, number: int) -> None:
        """Opens a dataset, or lets the first one go."""
        one = self._ready(table, number)
        if one is not None and len(self.readers) < 3:
            self.readers.append((one, self.stores["prod"]._leased(table, one, "read")[1]))
        elif self.readers:
            self.readers.pop(0)[1].release()

    # --- collectors, crashes, clocks, backups ----------------------------------------------------------

    def _clocked(self) -> Any:
        """Let collections read the clock of the model."""
        clocked = functools.partial(CollectionPass, clock=lambda: ("boot", self.clock))
        return mock.patch.object(maintenance, "CollectionPass", clocked)

    def _collect(self, store: ResultStore, grace: float = 0.0, **policy: Any) -> set[str]:
        with self._clocked():
            report = store.collect({"grace_seconds": grace, **policy}, dry_run=False)
        assert not report.unreadable
        assert not self._reachable() & set(report.collected)
        return set(report.collected)

    @rule(deployment=DEPLOYMENTS, keep_last=st.integers(0, 2), keep_inputs=st.booleans())
    def collect(self, deployment: str, keep_last: int, keep_inputs: bool) -> None:
        """A pass without grace, by a policy."""
        self.gone |= self._collect(self.stores[deployment], keep_last=keep_last, keep_inputs=keep_inputs)

    @rule()
    def collect_all(self) -> None:
        """All that is unreachable goes within two passes, and nothing else."""
        for _ in range(2):
            self.gone |= self._collect(self.stores["prod"])
        assert self.gone >= self.made.keys() - self._reachable()
        assert not self._collect(self.stores["branch"])

    @rule(seconds=st.sampled_from([0.0, 600.0, 1_200.0, 1e6, -1e6]), passes=st.booleans())
    def wait(self, seconds: float, passes: bool) -> None:
        """Time passes for the catalog; where it does not for the machine, the clock was set, and nothing goes."""
        store = self.stores["prod"]
        self._collect(store, _GRACE)
        execute(store, "UPDATE materializations SET marked_at = marked_at - :s", s=seconds)
        execute(store, "UPDATE collection_clocks SET database_seconds = database_seconds - :s", s=seconds)
        self.clock += seconds if passes else 0.0
        collected = self._collect(store, _GRACE)
        assert passes or abs(seconds) < 60 or not collected
        self.gone |= collected

    @rule(step=st.sampled_from(_STEPS), before=st.booleans(), deployment=DEPLOYMENTS)
    def crash(self, step: tuple[type, str], before: bool, deployment: str) -> None:
        """A pass dies before or after one of its steps; the model learns from the catalog what was begun."""
        cls, name = step
        method = getattr(cls, name)

        def die(self: Any, *given: Any, **named: Any) -> Any:
            if not before:
                method(self, *given, **named)
            raise Killed

        with contextlib.suppress(Killed), mock.patch.object(cls, name, die):
            self._collect(self.stores[deployment])
        begun = self._taken()
        assert not begun & self._reachable()
        self.gone |= begun

    def _taken(self) -> set[str]:
        """The materializations that a collection took, as the catalog knows."""
        with self.stores["prod"].database.reading() as connection:
            taken = "SELECT id FROM materializations WHERE status IN ('collecting', 'collected')"
            return set(connection.exec_driver_sql(taken).scalars())

    @rule()
    def collect_at_once(self) -> None:
        """Two passes beside each other take each materialization once."""
        taken: list[set[str]] = []

        def collect(store: ResultStore) -> None:
            taken.append(set(store.collect({"grace_seconds": 0}, dry_run=False).collected))

        with self._clocked():
            threads = [threading.Thread(target=collect, args=(one,)) for one in self.stores.values()]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        first, second = taken
        assert not first & second
        assert not (first | second) & self._reachable()
        self.gone |= first | second

    @rule()
    def recover(self) -> None:
        """Recovery touches nothing that was ever ready."""
        report = self.stores["prod"].recover(grace_seconds=-1)
        assert not [*report.lost, *report.missing, *report.adopted, *report.damaged, *report.returned]
        assert not [path for path in report.reclaimed if not path.endswith(".dropped.json")]

    @rule()
    def back_up(self) -> None:
        """Keeps a copy of the catalog, and of what is known then."""
        self._close()
        shutil.copy(self.folder / "catalog.db", self.folder / "backup.db")
        kept = (self.names, self.held, self.pins, self.runs, self.past, self.of_tenant)
        known = copy.deepcopy(kept)
        self.backup = known
        self.readers = []
        self._open()

    @rule()
    def restore(self) -> None:
        """An older catalog takes the root over: what was collected since stays gone, the rest is adopted."""
        if self.backup is None:
            return
        self._close()
        for path in self.folder.glob("catalog.db*"):
            path.unlink()
        shutil.copy(self.folder / "backup.db", self.folder / "catalog.db")
        names, held, pins, runs, past, of_tenant = copy.deepcopy(self.backup)
        self.readers, self.names, self.held, self.pins = [], names, held, pins
        self.runs, self.past, self.of_tenant, self.promoted = runs, past, of_tenant, None
        self._open()
        store = self.stores["prod"]
        report = store.adopt(take_over=True)
        with_tombstone = {path.name[:32] for path in self.folder.rglob("*.collected.json")}
        assert not with_tombstone & set(report.adopted)
        assert self._taken() >= with_tombstone & {
            one.materialization_id for t in "abc" for one in store.history(t)
        }
        # one whose tombstone was not written yet is back
        self.gone = self._taken() | (self.made.keys() & with_tombstone)
        for deployment in self.stores:
            for table in "abc":
                found = self.stores[deployment].reader.current(table)
                self.names.pop((deployment, table), None)
                if found is not None:
                    self.names[deployment, table] = found.materialization_id
        self.past = {table: one for table, one in self.past.items() if one not in self.gone}
        self.of_tenant = {table: one for table, one in self.of_tenant.items() if one not in self.gone}
        assert not self.gone & set(self.names.values())

    # --- always ----------------------------------------------------------------------------------------

    @invariant()
    def all_that_is_reachable_is_there(self) -> None:
        """Its row is ready, and its bytes and sidecar are whole."""
        store = self.stores["prod"]
        for one in self._reachable():
            record = store.reader.get(one)
            assert record is not None
            assert record.status == "ready"
            assert store.artifacts.size(record.artifact_path) == record.size_bytes
            assert store.artifacts.size(sidecar_path(record.artifact_path)) is not None

    @invariant()
    def names_agree(self) -> None:
        """Each name resolves to what the model says."""
        for deployment, store in self.stores.items():
            wanted = {table: one for (where, table), one in self.names.items() if where == deployment}
            found = store.reader.current_of("abc")
            assert {table: record.materialization_id for table, record in found.items()} == wanted
        if self.past:
            pinned = self.stores["prod"].of_deployment("pinned").reader.current_of("abc")
            assert {table: record.materialization_id for table, record in pinned.items()} == self.past
        own = self.tenant.reader.current_of("abc")
        assert {t: own[t].materialization_id for t in self.of_tenant} == self.of_tenant


def test_random_histories() -> None:
    """A few of them."""
    _run(max_examples=2, steps=20)


@pytest.mark.long
def test_many_random_histories() -> None:
    """Many, and longer ones."""
    _run(max_examples=100, steps=50)


def _run(*, max_examples: int, steps: int) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    budget = settings(
        max_examples=max_examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    run_state_machine_as_test(Collections, settings=budget)
