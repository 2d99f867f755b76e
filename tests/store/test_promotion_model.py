"""Random work in a branch and in production around promotions: each is whole and fits, or changes nothing."""

import contextlib
import os
import tempfile
from typing import Any

import pytest
from core_kit import make, numbers
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from store_kit import on

from jammi_dagster import Promotion, PromotionPlan, ResultStore
from jammi_dagster.errors import NotDropped, PlanOutdated, PromotionRefused, TableHeld, UnknownTable

pytestmark = pytest.mark.slow

TABLES = st.sampled_from("abc")
SIDES = st.sampled_from(["prod", "branch"])
PARENTS = st.sets(TABLES, max_size=2)
SOME = st.sets(TABLES, min_size=1)
State = dict[str, tuple[str | None, int | None]]


class Promotions(RuleBasedStateMachine):
    """A branch and production on one catalog. A plan may be promoted long after it was made, or twice."""

    def __init__(self) -> None:
        super().__init__()
        self._fsync, os.fsync = os.fsync, lambda fd: None
        self.folder = tempfile.TemporaryDirectory()
        prod = ResultStore(self.folder.name, "sqlite://", deployment="prod")
        self.stores = {"prod": prod, "branch": prod.beside(deployment="branch")}
        self.plans: list[PromotionPlan] = []
        self.done: list[Promotion] = []

    def teardown(self) -> None:
        os.fsync = self._fsync
        self.stores["prod"].close()
        self.folder.cleanup()

    def _state(self, side: str) -> State:
        """The place of each table's name, and the sequence of its last move."""
        store = self.stores[side]
        moves = {table: [m for m in store.moves(table) if m.deployment == side] for table in "abc"}
        return {
            table: (of_table[0].materialization_id, of_table[0].sequence) if of_table else (None, None)
            for table, of_table in moves.items()
        }

    def _digest(self, side: str, table: str) -> str | None:
        record = self.stores[side].reader.current(table)
        return None if record is None else record.artifact_digest

    @initialize()
    def begin(self) -> None:
        """Tables in both."""
        for side, table in (("prod", "a"), ("branch", "a"), ("branch", "b")):
            self.materialize(side, table, {"a"}, len(side))

    @rule(side=SIDES, table=TABLES, parents=PARENTS, count=st.integers(0, 3))
    def materialize(self, side: str, table: str, parents: set[str], count: int) -> None:
        """Makes a table over the parents that the side has."""
        store = self.stores[side]
        found = [store.reader.current(parent) for parent in sorted(parents - {table})]
        make(store, table, numbers(count), inputs=on(*(one for one in found if one is not None)))

    @rule(side=SIDES, table=TABLES, back=st.booleans())
    def drop(self, side: str, table: str, back: bool) -> None:
        """Takes a name away, or gives it back."""
        store = self.stores[side]
        with contextlib.suppress(UnknownTable, TableHeld, NotDropped):
            (store.undrop if back else store.drop)(table)

    @rule(table=TABLES, held=st.booleans())
    def hold(self, table: str, held: bool) -> None:
        """Holds a table of production where it is, or releases it."""
        store = self.stores["prod"]
        record = store.reader.current(table)
        if record is not None and held:
            store.rollback(table, record.materialization_id)
        elif record is not None:
            store.release(table)

    @rule(tables=SOME, every=st.booleans())
    def plan(self, tables: set[str], every: bool) -> None:
        """Plans some tables of the branch, or all."""
        branch = self.stores["branch"]
        there = sorted(tables & set(branch.tables()))
        self.plans.append(branch.promotion_plan("prod", None if every else there))

    @rule(tables=SOME, every=st.booleans(), back=st.booleans())
    def plan_and_promote(self, tables: set[str], every: bool, back: bool) -> None:
        """Promotes at once, and takes it back."""
        self.plan(tables, every)
        self.promote(0)
        if back:
            self.undo(0)

    @rule(number=st.integers(0, 2))
    def promote(self, number: int) -> None:
        """Promotes a plan: it takes place exactly if both sides are as planned, and all of it fits production."""
        if not self.plans:
            return
        plan = self.plans[-1 - number % len(self.plans)]
        source, target = self._state("branch"), self._state("prod")
        is_as_planned = all(
            source[row.table] == (row.materialization, row.source_sequence)
            and target[row.table] == (row.target_materialization, row.target_sequence)
            for row in plan.rows
        )
        fits = is_as_planned and not (
            {row.table for row in plan.rows} & set(self.stores["prod"].holds()) or self._misfits(plan)
        )
        assert self._attempt(plan) == fits

    @rule(number=st.integers(0, 2))
    def undo(self, number: int) -> None:
        """Takes a promotion back, exactly if nothing moved its tables since; they are what they were before."""
        if not self.done:
            return
        done = self.done[-1 - number % len(self.done)]
        plan, target = done.undo(), self._state("prod")
        is_as_left = all(
            target[row.table] == (row.materialization, done.sequence) for row in done.plan.rows if row.moves
        )
        is_held = {row.table for row in plan.rows} & set(self.stores["prod"].holds())
        if plan.rows:
            assert self._attempt(plan) == (is_as_left and not is_held)

    def _misfits(self, plan: PromotionPlan) -> list[str]:
        """The inputs that production has otherwise, and that do not come along."""
        along = {row.table: self._digest("branch", row.table) for row in plan.rows}
        return [
            anchor.source
            for row in plan.rows
            for anchor in self.stores["branch"].current(row.table).input_anchors
            if along.get(anchor.source, self._digest("prod", anchor.source)) != anchor.anchor
        ]

    def _attempt(self, plan: PromotionPlan) -> bool:
        """Promote; then production has all of the plan and is otherwise as it was, or everything is as it was."""
        before: dict[str, Any] = {side: self._state(side) for side in self.stores}
        holds = self.stores["prod"].holds()
        try:
            done = self.stores["branch"].promote("prod", plan=plan)
        except (PlanOutdated, TableHeld, PromotionRefused):
            assert {side: self._state(side) for side in self.stores} == before
            return False
        for row in plan.rows:
            if row.moves:
                before["prod"][row.table] = (row.materialization, done.sequence)
        assert {side: self._state(side) for side in self.stores} == before
        assert self.stores["prod"].holds() == holds
        self.done.append(done)
        return True

    @invariant()
    def current_is_the_last_move(self) -> None:
        """Names resolve to where their last moves led."""
        for side, store in self.stores.items():
            current = {table: store.reader.current(table) for table in "abc"}
            assert {t: one and one.materialization_id for t, one in current.items()} == {
                t: id for t, (id, _) in self._state(side).items()
            }


TestPromotions = Promotions.TestCase
TestPromotions.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestPromotions.__doc__ = "Whatever happens in whatever order, a promotion is whole or not at all."
