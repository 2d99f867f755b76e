"""The evaluator: every table of some assets, judged against the definitions of now."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence

from jammi_dagster.adapters.code_location.current_asset import CurrentAsset
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.adapters.code_location.present import Present
from jammi_dagster.adapters.judgement import extent, observed
from jammi_dagster.adapters.judgement.context import Replays, StoreContext
from jammi_dagster.adapters.judgement.evaluation import Evaluation
from jammi_dagster.adapters.judgement.extent import Extent
from jammi_dagster.adapters.judgement.observed import Observed
from jammi_dagster.adapters.judgement.stored_assets import PARTITION_GONE, StoredAssets
from jammi_dagster.adapters.judgement.table_state import NO_REPLAY, TableState, state_of
from jammi_dagster.adapters.recipe.replay import recorded_replays
from jammi_dagster.contract import Staleness
from jammi_dagster.sensing.rows import Rows
from jammi_dagster.store import ResultStore, StoreIdentity
from jammi_dagster.surfaces import VersionSurface


class Evaluator(StoredAssets):
    """Judge of the tables of a code location, which keeps from one evaluation to the next as much as still holds."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._replays: Replays = {}
        self._gone: dict[str, str] = {}
        self._digests: dict[StoreIdentity, Mapping[str, str]] = {}  # at the last evaluation
        self._absent: dict[StoreIdentity, Mapping[str, VersionSurface]] = {}
        self._process = uuid.uuid4().hex

    def observe(self, assets: Sequence[CurrentAsset]) -> Observed:
        """Observe all that verdicts on the assets' tables can depend on, each version surface once."""
        for store in {asset.store.identity: asset.store for asset in assets}.values():
            if store.identity not in self._digests:
                with store.reader.frozen() as rows:
                    self._digests[store.identity] = _digests(rows)
                for asset in self.on(store.identity):  # its catalog was not there before, or was lost
                    asset.forget_inputs()
        return observed.observe(self.location, assets, self._digests, self._absent, self._process)

    def evaluate(
        self,
        assets: Sequence[CurrentAsset],
        *,
        missing: bool = False,
        only: frozenset[str] | None = None,
        after: str = "",
        deadline: float | None = None,
        seen: Observed | None = None,
    ) -> Evaluation:
        """Judge all tables of the assets, or some: the first four options are those of `Extent`.

        No surface that `seen` observed is asked again. Errors of the storage and the catalog pass through.
        """
        self.location.refresh()
        wanted = Extent(missing=missing, only=only, after=after, deadline=deadline)
        by_store: dict[StoreIdentity, list[CurrentAsset]] = {}
        for asset in assets:
            by_store.setdefault(asset.store.identity, []).append(asset)
        found = Evaluation(
            seen=seen or Observed(), stores={key: of_store[0].store for key, of_store in by_store.items()}
        )
        stores = list(by_store.values())
        first = next((i for i, each in enumerate(stores) if extent.place_of(wanted.after, each)), None)
        found.is_from_start = first is None
        for of_store in stores[first or 0 :]:
            if found.looked_at and wanted.is_over():
                found.is_complete = False
            if found.is_complete:
                self._evaluate(of_store, wanted, found)
            if wanted.deadline is not None:
                found.cut(extent.MOST_STATES)
        found.count()
        return found

    def fresh(self, found: Evaluation, tables: Iterable[str]) -> dict[str, TableState]:
        """Return the states of tables that were found fresh; without the tables that no asset makes."""
        by_store: dict[StoreIdentity, dict[str, CurrentAsset]] = {}
        for table in tables:
            if (asset := self.maker(table)) is not None:
                by_store.setdefault(asset.store.identity, {})[table] = asset
        states: dict[str, TableState] = {}
        for identity, assets in by_store.items():
            store = next(iter(assets.values())).store
            replays = recorded_replays(store, store.reader, assets)
            for table, asset in assets.items():
                states[table] = TableState(
                    table=table,
                    asset=asset,
                    partition=asset.tables()[table],
                    verdict=Staleness.fresh(),
                    replay=replays.get(table) or NO_REPLAY,
                    held=found.holds.get(table),
                    present=found.looks.get(identity),
                )
        return states

    def hindered(self, found: Evaluation, tables: Iterable[str]) -> set[str]:
        """Return the tables whose request would fail, for their config or an input; also beyond the evaluation."""
        by_store: dict[StoreIdentity, dict[str, CurrentAsset]] = {}
        hindered: set[str] = set()
        for table in tables:
            state = found.tables.get(table)
            if state is not None and state.is_hindered:
                hindered.add(table)
            elif table not in found.looked_at and (asset := self.maker(table)) is not None:
                by_store.setdefault(asset.store.identity, {})[table] = asset
        for assets in by_store.values():
            store = next(iter(assets.values())).store
            with store.reader.frozen() as rows:
                look = found.looks.get(store.identity) or self._look(store, rows, found.seen)
                replays = recorded_replays(store, rows, assets)
            for table, asset in assets.items():
                state = state_of(asset, table, asset.tables()[table], replays.get(table) or NO_REPLAY, look)
                if state.is_hindered:
                    hindered.add(table)
        return hindered

    def _evaluate(self, assets: Sequence[CurrentAsset], wanted: Extent, found: Evaluation) -> None:
        """Judge the tables of one store, in one state of its catalog."""
        store, started = assets[0].store, time.monotonic()
        with store.reader.frozen() as rows:
            recorded = {row.table: row.definition_hash for row in rows.current_rows()}
            look = found.looks[store.identity] = self._look(store, rows, found.seen)
            self._settle(look)
            context = StoreContext(
                store=store, rows=rows, look=look, recorded=recorded, replays=self._replays
            )
            reached, found.is_complete = context.describe(
                assets, wanted.after_reading_since(started), is_first=not found.looked_at
            )
            found.looked_at.update(reached)
            self._absent[store.identity] = look.absent
            for table, verdict in context.verdicts():
                if verdict.accepted is not None:
                    found.accepted[table] = verdict.accepted
                state = context.state(table, verdict, self.assets)
                if state is not None:
                    found.tables[table] = state
            missing = ((table, state) for table, state in context.states.items() if state.is_missing)
            found.tables.update(missing)
            agreed = found.agreed[store.identity] = []
            for table, hold in rows.holds().items():
                if hold.keeps(context.definition_now(table)):
                    found.holds[table] = hold
                else:
                    agreed.append(hold)
            for table in found.holds.keys() & found.tables.keys():
                found.tables[table].held = found.holds[table]
            if wanted.only is None and found.is_complete:
                found.gone.update(self._left_over(recorded, assets))

    def _look(self, store: ResultStore, rows: Rows, seen: Observed) -> Present:
        return seen.present(self.location, store, rows, _digests(rows))

    def _settle(self, look: Present) -> None:
        """Tell the assets of a store which of its tables came or went since the last evaluation."""
        identity = look.store.identity
        changed = self._digests.get(identity, {}).keys() ^ look.digests.keys()
        self._digests[identity] = look.digests
        for asset in self.on(identity):
            asset.settle(changed)

    def _left_over(
        self, recorded: Mapping[str, str | None], assets: Sequence[CurrentAsset]
    ) -> Iterator[tuple[str, str]]:
        """Yield the tables that nothing in the code location makes, with the reason."""
        for table in sorted(set(recorded).difference(*(asset.tables() for asset in assets))):
            if self._gone.get(table, PARTITION_GONE) == PARTITION_GONE:  # a partition may come back
                self._gone[table] = self.why_gone(table)
            if self._gone[table]:
                yield table, self._gone[table]


def _digests(rows: Rows) -> Mapping[str, str]:
    return rows.digests() or dict.fromkeys(rows.tables(), "")
