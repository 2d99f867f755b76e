"""The state of one table that is not plainly fresh."""

from __future__ import annotations

from dataclasses import dataclass

from jammi_dagster.adapters.code_location.current_asset import (
    CurrentAsset,
    NotReplayable,
    Outdated,
    Unknowable,
)
from jammi_dagster.adapters.code_location.present import Present
from jammi_dagster.adapters.judgement.facts import plan_of
from jammi_dagster.adapters.recipe.inputs import Inputs
from jammi_dagster.adapters.recipe.replay import Replay
from jammi_dagster.catalog import Hold
from jammi_dagster.contract import CachePolicy, Staleness
from jammi_dagster.contract.anchors import is_written
from jammi_dagster.contract.verdicts import FRESH_FOR_NOW
from jammi_dagster.planning.step_plan import StepPlan, TableFacts, decide_step

NO_REPLAY = Replay()


@dataclass(slots=True, kw_only=True)
class TableState:
    """A table that is not plainly fresh: the verdict on it, and the obstacles to a request.

    `definition` is the current one, `replay` how it was asked for. `why_not` is the reason why it cannot be requested
    at all: a config that is not valid any more. `needs` are inputs that are not there. `bytes_missing`: its artifact is
    gone. `is_missing`: defined, and never materialized. `is_outdated`: the code on disk differs from the loaded code.
    `held`: a run would record a materialization, but not make it current.
    """

    table: str
    asset: CurrentAsset
    partition: str | None
    verdict: Staleness
    definition: str | None = None
    replay: Replay = NO_REPLAY
    inputs: Inputs | None = None
    needs: tuple[str, ...] = ()
    why_not: str | None = None
    why_undecidable: str | None = None
    bytes_missing: bool = False
    is_missing: bool = False
    is_outdated: bool = False
    held: Hold | None = None
    present: Present | None = None
    _plan: StepPlan | None = None

    def plan(self) -> StepPlan | None:
        """Plan a run of the table now, or of all of its range, under the policy of its decorator and IO manager.

        The plan is made once; it is None for a state without a present. Raises any error of the catalog or the storage.
        """
        if self._plan is None and self.present is not None:
            try:
                group = self.asset.group(self.partition, self.replay)
                self._plan = plan_of(self.asset, group, self.replay, self.present)
            except NotReplayable as error:  # the range that made it is gone
                facts = TableFacts(table=self.table, definition=None, obstacles=(str(error),))
                self._plan = decide_step([facts], CachePolicy.USE)
        return self._plan

    @property
    def is_open(self) -> bool:
        """Tell whether nothing certain is known: a run that is to decide it must compute it."""
        return self.kind == "undecidable" and not self.verdict.reasons

    @property
    def is_hindered(self) -> bool:
        """Tell whether a request would fail."""
        return self.why_not is not None or bool(self.needs)

    @property
    def kind(self) -> str:
        """The word for it: a verdict, `missing`, `bytes_missing` or `not_replayable`."""
        if self.is_missing:
            return "missing"
        if self.bytes_missing or self._has_lost_its_result:
            return "bytes_missing"
        if self.definition is None and self.why_not is not None:
            return "not_replayable"
        return self.verdict.staleness

    @property
    def _has_lost_its_result(self) -> bool:
        """Tell whether a surface is gone that the table's function wrote."""
        gone = (one.source for one in self.verdict.reasons if one.reason == "input_vanished")
        return any(is_written(str(source)) for source in gone)

    @property
    def word(self) -> str:
        """The kind, but `fresh_for_now` for a fresh table below a stale one."""
        return FRESH_FOR_NOW if self.kind == "fresh" else self.kind


def state_of(
    asset: CurrentAsset, table: str, partition: str | None, replay: Replay, present: Present
) -> TableState:
    """Return the state of a table with the definition that it would have now."""
    state = TableState(
        table=table,
        asset=asset,
        partition=partition,
        verdict=Staleness.missing_manifest(),
        replay=replay,
        present=present,
    )
    try:
        state.definition, inputs = asset.definition(partition, replay, present)
    except NotReplayable as error:
        state.why_not = str(error)
    except Unknowable as error:
        state.why_undecidable = str(error)
        state.is_outdated = isinstance(error, Outdated)
    else:
        state.inputs = inputs
        state.needs = inputs.missing
    return state


def clouded(verdict: Staleness, state: TableState) -> Staleness:
    """Return the verdict where the present definition is not known: never fresh."""
    if verdict.staleness not in ("fresh", "stale"):
        return verdict
    return Staleness.undecidable(verdict.unpinned, verdict.reasons)
