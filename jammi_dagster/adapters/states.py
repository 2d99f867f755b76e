"""What is known of one table that is not plainly fresh, and how to say it."""

from __future__ import annotations

from dataclasses import dataclass

from jammi_dagster.adapters.current import CurrentAsset, Inputs, NotReplayable, Unknowable
from jammi_dagster.adapters.look import Look
from jammi_dagster.adapters.replay import Replay
from jammi_dagster.contract import Difference, Staleness, explain
from jammi_dagster.errors import JammiError
from jammi_dagster.sensing import read_manifest

NO_REPLAY = Replay()
_MOST_SAID = 5


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


def differences(state: TableState) -> list[Difference]:
    """What is different between how the table was made and how it would be made now; reads its sidecar."""
    if state.inputs is None:
        return []
    try:
        record = state.asset.store.current(state.table)
        manifest = read_manifest(state.asset.store.artifacts, record)
        anchors = record.input_anchors
    except JammiError:
        return []
    if manifest is None:
        return []
    now = set(state.inputs.names)
    descriptor, env = state.asset.described(state.partition, state.replay, state.inputs)
    return explain(
        manifest.descriptor.fields,
        manifest.env.fields,
        descriptor.fields,
        env.fields,
        # what nobody declared, or was seen to be read, is no input by name
        recorded_inputs=[a.source for a in anchors if not a.is_unpinned or a.source in now],
        current_inputs=now,
    )


def reasons(state: TableState) -> list[str]:
    """Why a table is not fresh, one sentence each, the most telling first."""
    said = []
    if state.is_missing:
        said.append("never materialized")
    if state.bytes_missing:
        said.append("its bytes are gone")
    changes: list[str] = []
    for reason in state.verdict.reasons:
        if reason.reason == "definition_changed":
            changes = [str(difference) for difference in differences(state)]
            said += changes[:_MOST_SAID] or ["code, config or environment changed"]
            if len(changes) > _MOST_SAID:
                said.append(f"{len(changes) - _MOST_SAID} more differences")
        elif reason.reason == "input_advanced":
            said.append(f"{reason.source} changed")
        elif not any(str(reason.source) in change for change in changes):
            said.append(f"{reason.source} is gone")
    said += [f"{source} has no version to compare" for source in state.verdict.unpinned]
    if state.needs:
        more = " and more" if len(state.needs) > 3 else ""
        said.append(f"it needs {', '.join(state.needs[:3])}{more}, which is not there")
    said += [why for why in (state.why_undecidable, state.why_not) if why]
    if state.verdict.stale_ancestor is not None:
        said.append(f"it derives from {state.verdict.stale_ancestor}, which is stale")
    return said
