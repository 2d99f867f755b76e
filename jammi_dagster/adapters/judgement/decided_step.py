"""One step of a launch, and its decision: the plan, and all that the plan was made over.

Not done here: to order the steps, and to say where the tables of one stand among the others (`forecast`).
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import dagster as dg

from jammi_dagster.adapters.code_location.current_asset import CurrentAsset, NotReplayable, Unknowable
from jammi_dagster.adapters.code_location.present import Present
from jammi_dagster.adapters.judgement.facts import Known, not_there
from jammi_dagster.adapters.judgement.families import Along
from jammi_dagster.adapters.recipe.determinants import determinants
from jammi_dagster.adapters.recipe.pins import worded
from jammi_dagster.adapters.recipe.replay import Replay
from jammi_dagster.catalog import CurrentMatch, Hold, MaterializationRecord
from jammi_dagster.contract import Acceptance, Difference
from jammi_dagster.contract.pins import PinnedInput
from jammi_dagster.contract.tables import table_names
from jammi_dagster.errors import JammiError
from jammi_dagster.planning.plan import Action, PlannedTable
from jammi_dagster.planning.step_plan import LOST, NO_MATCH, StepPlan, TablePlan
from jammi_dagster.store import ResultStore


class LaunchedStep(NamedTuple):
    """One step of a launch: an asset, the partitions that it makes together (None for the whole), and its config."""

    key: dg.AssetKey
    partitions: tuple[str, ...] | None
    replay: Replay

    @property
    def tables(self) -> list[str]:
        """The names of the tables that it makes."""
        return table_names(self.key.path, self.partitions or (None,))


@dataclass(slots=True)
class Look:
    """One store during a forecast.

    `current` are the current materializations of the launch's tables; `digests` are those that the launch leaves.
    """

    store: ResultStore
    current: Mapping[str, CurrentMatch]
    known: Known
    digests: dict[str, str]
    present: Present
    holds: Mapping[str, Hold]
    acceptances: Mapping[str, Acceptance]
    pins: Mapping[str, PinnedInput]
    _means: dict[dg.AssetKey, tuple[float, int] | tuple[None, None]] = field(default_factory=dict)

    def mean_cost(self, asset: CurrentAsset) -> tuple[float, int] | tuple[None, None]:
        """Return the mean seconds and bytes of the launch's timed tables of an asset; None where it has none."""
        if asset.key not in self._means:
            there = (self.current[table].record for table in asset.tables() if table in self.current)
            costs = [(r.compute_seconds, r.size_bytes or 0) for r in there if r.compute_seconds is not None]
            self._means[asset.key] = (None, None)
            if costs:
                seconds, sizes = zip(*costs, strict=True)
                self._means[asset.key] = sum(seconds) / len(costs), sum(sizes) // len(costs)
        return self._means[asset.key]


@dataclass(slots=True)
class Above:
    """The tables of the same launch that a step reads, by their action."""

    failing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)


class DecidedStep(NamedTuple):
    """One step with its plan, the reasons of the plan, and everything that it was made over.

    `stored` are definitions that some materialization has, over whichever inputs. `along` is the action for the sake of
    another asset of the same function.
    """

    step: LaunchedStep
    asset: CurrentAsset
    look: Look
    above: Above
    plan: StepPlan
    reasons: tuple[str, ...]
    stored: Set[str]
    along: Along | None = None

    def action(self) -> Action:
        """Return the action that the tables of the step share."""
        return self._by_itself() if self.along is None else self.along.action

    def _by_itself(self) -> Action:
        if self.plan.verdict == "undecidable":
            come = {not_there(table) for table in (*self.above.unknown, *self.above.made)}
            return "unknown until run" if self.plan.begins or come.issuperset(self.reasons) else "fail"
        if self.plan.verdict == "compute" and NO_MATCH not in self.reasons:
            return "compute"
        if self.above.unknown:
            return "unknown until run"
        if self.above.made and all(str(table.definition) in self.stored for table in self.plan.tables):
            return "compute or reuse"
        return self.plan.verdict

    def is_by_determinants(self) -> bool:
        """Tell whether the step computes because something differs, and not for its policy or a barrier."""
        if self.plan.verdict == "undecidable":
            return False
        return NO_MATCH in self.reasons or any(reason.startswith(LOST) for reason in self.reasons)

    def differences(self, partition: str | None) -> list[Difference]:
        """Compare a table's current materialization with the planned one; empty where that cannot be known."""
        asset, store = self.asset, self.look.store
        try:
            inputs = asset.inputs(self.step.partitions, self.look.present)
            now = asset.described(partition, self.step.replay, inputs)
            anchors = inputs.snapshot().anchors
            record = store.reader.current(asset.table(partition))
        except (JammiError, NotReplayable, Unknowable):
            return []
        if record is None:
            return []
        return determinants(store, record, now, inputs.names, anchors)

    def cost(self, record: MaterializationRecord | None) -> tuple[float | None, int | None]:
        """Return the recorded seconds and bytes of a table; for a new one, the mean of its asset's other partitions."""
        if record is not None and record.compute_seconds is not None:
            return record.compute_seconds, record.size_bytes
        return self.look.mean_cost(self.asset)

    def reused(self, table: TablePlan, partition: str | None) -> PlannedTable:
        """Return the outcome of one of its tables that is reused."""
        current = self.look.current.get(table.table)
        is_current = current is not None and current.record.materialization_id == table.materialization
        return PlannedTable(
            table=table.table,
            asset=self.asset.shown,
            partition=partition,
            action="reuse",
            reasons=(table.why,),
            definition=str(table.definition),
            materialization=table.materialization,
            is_current=is_current,
            deployment=current.record.answered_by if current is not None and is_current else table.deployment,
            failed_checks=table.failed_checks,
            saved_seconds=table.saved_seconds,
        )

    def worded(self, difference: Difference) -> Difference:
        """Word a changed input that the same launch makes first, or that is pinned."""
        table = table_of(difference.name)
        if table in self.look.pins:
            return replace(difference, text=worded(difference, self.look.pins))
        if difference.kind != "input" or table not in (*self.above.made, *self.above.unknown):
            return difference
        return made_first(table, difference.before)


def made_first(table: str, before: Any = None) -> Difference:
    """Return the difference that an input brings in which the launch makes first."""
    return Difference(
        kind="input", name=table, before=before, after=None, text=f"input {table} is made first"
    )


def table_of(source: str) -> str:
    """Return the name of a table that is an input, without the deployment of one outside of the store."""
    return source.partition("/")[2] if source.startswith("dagster:") else source
