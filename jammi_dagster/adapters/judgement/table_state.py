"""What is known of one table that is not plainly fresh, and how to say it."""

from __future__ import annotations

from dataclasses import dataclass

from jammi_dagster.adapters.code_location.current_asset import CurrentAsset, Inputs, NotReplayable, Unknowable
from jammi_dagster.adapters.code_location.present import Look
from jammi_dagster.adapters.recipe.replay import Replay
from jammi_dagster.contract import Staleness

NO_REPLAY = Replay()


@dataclass(slots=True, kw_only=True)
class TableState:
    """A table that is not plainly fresh: the verdict on it, and what stands in the way of a request.

    `definition` is the current one, `replay` how it was asked for. `why_not` is the reason why it cannot be requested
    at all: a config that is not valid any more. `needs` are inputs that are not there. `bytes_missing`: its artifact is
    gone. `is_missing`: defined, and never materialized.
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

    @property
    def is_hindered(self) -> bool:
        """Whether a request would fail."""
        return self.why_not is not None or bool(self.needs)

    @property
    def kind(self) -> str:
        """The word for it: a verdict, `missing`, `bytes_missing` or `not_replayable`."""
        if self.is_missing:
            return "missing"
        if self.bytes_missing:
            return "bytes_missing"
        if self.definition is None and self.why_not is not None:
            return "not_replayable"
        return self.verdict.staleness


def state_of(
    asset: CurrentAsset, table: str, partition: str | None, replay: Replay, look: Look
) -> TableState:
    """A table with the definition that it would have now."""
    state = TableState(
        table=table, asset=asset, partition=partition, verdict=Staleness.missing_manifest(), replay=replay
    )
    try:
        state.definition, inputs = asset.definition(partition, replay, look)
    except NotReplayable as error:
        state.why_not = str(error)
    except Unknowable as error:
        state.why_undecidable = str(error)
    else:
        state.inputs = inputs
        state.needs = inputs.missing
    return state


def clouded(verdict: Staleness, state: TableState) -> Staleness:
    """The verdict where the present definition is not known: never fresh."""
    if verdict.staleness not in ("fresh", "stale"):
        return verdict
    return Staleness.undecidable(verdict.unpinned, verdict.reasons)
