"""One store while its tables are judged: its catalog stands still, and findings are kept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from jammi_dagster.adapters.code_location.current_asset import CurrentAsset, NotReplayable, Unknowable
from jammi_dagster.adapters.code_location.present import Present
from jammi_dagster.adapters.judgement import extent
from jammi_dagster.adapters.judgement.extent import Extent, Place
from jammi_dagster.adapters.judgement.table_state import NO_REPLAY, TableState, clouded, state_of
from jammi_dagster.adapters.recipe.replay import Replay, recorded_replays
from jammi_dagster.contract import Staleness, TableName
from jammi_dagster.errors import JammiError
from jammi_dagster.sensing import Observations, sweep
from jammi_dagster.sensing.rows import Rows
from jammi_dagster.store import ResultStore

_log = logging.getLogger("jammi_dagster")
_NO_DEFINITION = "0" * 64

Replays = dict[tuple[str, str | None], Replay | None]
"""How tables were launched, by table and recorded definition: kept from one evaluation to the next."""

Assets = Callable[[Iterable[dg.AssetKey]], Sequence[CurrentAsset]]


@dataclass(frozen=True, slots=True)
class KnownSurface:
    """A version surface that answers with the version that was observed already."""

    source: str
    version: str | None

    def observe(self) -> str | None:
        return self.version


def known_surfaces(present: Present) -> list[KnownSurface]:
    """Return surfaces that answer with all external versions that a present has observed."""
    return [KnownSurface(source, version) for source, version in present.observed.items()]


@dataclass(slots=True, kw_only=True)
class StoreContext:
    """The tables of one store's assets under judgement.

    `recorded` holds the definition that each current table recorded, `definitions` the one that it would have now, and
    `states` the tables whose definition differs, or cannot be known.
    """

    store: ResultStore
    rows: Rows
    look: Present
    recorded: Mapping[str, str | None]
    replays: Replays
    definitions: dict[str, str] = field(default_factory=dict)
    states: dict[str, TableState] = field(default_factory=dict)

    def describe(
        self, assets: Sequence[CurrentAsset], wanted: Extent, *, is_first: bool
    ) -> tuple[dict[str, bool], bool]:
        """Find the present definition of tables until time is up.

        Return the tables that were reached, and if each is there; and True if those are all. With `is_first` some are
        reached, however late it is.
        """
        reached: dict[str, bool] = {}
        for chunk in wanted.chunks(assets):
            is_much = wanted.deadline is not None and len(self.states) > extent.MOST_STATES
            if (reached or not is_first) and (wanted.is_over() or is_much):
                return reached, False
            reached.update((table, table in self.recorded) for _, table, _ in chunk)
            self._describe(chunk, wanted.missing)
        return reached, True

    def verdicts(self) -> Iterable[tuple[str, Staleness]]:
        """Yield the verdict on each described table, over the versions that were observed already."""
        observed = Observations(known_surfaces(self.look))
        return sweep(self.rows, self.store.artifacts, self.definitions, observed, damaged=_undecidable)

    def definition_now(self, table: str) -> str | None:
        """Return the present definition of a table that was described; None where it is not known."""
        state = self.states.get(table)
        return self.definitions.get(table) if state is None else state.definition

    def state(self, table: str, verdict: Staleness, assets: Assets) -> TableState | None:
        """Return a table under its verdict; None if it is plainly fresh. `assets` looks up assets by key."""
        is_fresh = verdict.is_fresh and verdict.stale_ancestor is None
        state = self.states.get(table)
        if state is None:
            if is_fresh:
                return None
            name, recorded = TableName.parse(table), self.recorded[table]
            (asset,) = assets([dg.AssetKey(name.asset_key)])
            return TableState(
                table=table,
                asset=asset,
                partition=name.partition,
                verdict=verdict,
                definition=recorded,
                replay=self.replays.get((table, recorded)) or NO_REPLAY,
                present=self.look,
            )
        if (state.why_undecidable or state.why_not) and state.definition is None:
            verdict = clouded(verdict, state)
            is_fresh = False
        state.verdict = verdict
        return None if is_fresh and not state.needs else state

    def _describe(self, chunk: Sequence[Place], missing: bool) -> None:
        rest: list[Place] = []
        for asset, table, partition in chunk:
            if table not in self.recorded:
                if missing:
                    self.states[table] = state = state_of(asset, table, partition, NO_REPLAY, self.look)
                    state.is_missing = True
            elif self._is_as_recorded(asset, table, partition):
                self.definitions[table] = str(self.recorded[table])
            else:
                rest.append((asset, table, partition))
        replays = recorded_replays(self.store, self.rows, [table for _, table, _ in rest]) if rest else {}
        for asset, table, partition in rest:
            recorded = self.recorded[table]
            replay = self.replays[table, recorded] = replays.get(table)
            state = state_of(asset, table, partition, replay or NO_REPLAY, self.look)
            self.definitions[table] = state.definition or recorded or _NO_DEFINITION
            if state.definition is None or state.definition != recorded or state.needs:
                self.states[table] = state

    def _is_as_recorded(self, asset: CurrentAsset, table: str, partition: str | None) -> bool:
        """Tell if the definition under a known replay is the recorded one: then it is under the recorded replay too."""
        recorded = self.recorded[table]
        replay = self.replays.get((table, recorded)) or NO_REPLAY
        try:
            definition, inputs = asset.definition(partition, replay, self.look)
        except (Unknowable, NotReplayable):
            return False
        return definition == recorded and not inputs.missing


def _undecidable(table: str, error: JammiError) -> Staleness:
    """Judge a table whose recorded inputs cannot be read: the others are judged all the same."""
    _log.warning("table %s: its recorded inputs cannot be read, so it is undecidable (%s)", table, error)
    return Staleness.undecidable(["(its recorded inputs, which cannot be read)"])
