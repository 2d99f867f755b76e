"""Every table of some assets, judged against the definitions of now."""

from __future__ import annotations

import hashlib
import itertools
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from jammi_dagster.adapters.code_location.current_asset import CurrentAsset, NotReplayable, Unknowable
from jammi_dagster.adapters.code_location.dry_step import first_line
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.adapters.code_location.present import Present
from jammi_dagster.adapters.handoff.store_resource import is_store_backed
from jammi_dagster.adapters.judgement.evaluation import Evaluation
from jammi_dagster.adapters.judgement.table_state import NO_REPLAY, TableState, clouded, state_of
from jammi_dagster.adapters.recipe.replay import Replay, recorded_replays
from jammi_dagster.contract import Staleness, TableName, canonical_json
from jammi_dagster.errors import InvalidTableName
from jammi_dagster.sensing import Observations, sweep
from jammi_dagster.store import StoreIdentity

_AT_ONCE = 500
# of one look that is to end in time: what follows from each takes a tenth of a millisecond
_MOST_STATES = 50_000
_NO_DEFINITION = "0" * 64


@dataclass(frozen=True, slots=True)
class Known:
    """A version surface that was asked already."""

    source: str
    version: str | None

    def observe(self) -> str | None:
        return self.version


class Evaluator:
    """Judges the tables of a code location again and again."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self.problems: dict[dg.AssetKey, str] = {}
        self._assets: dict[dg.AssetKey, CurrentAsset | None] = {}
        self._replays: dict[tuple[str, str | None], Replay | None] = {}
        self._gone: dict[str, str] = {}
        self._digests: dict[StoreIdentity, Mapping[str, str]] = {}  # at the last look
        self._process = uuid.uuid4().hex

    def asset(self, key: dg.AssetKey) -> CurrentAsset | None:
        """The asset on its result store; None where it is stored elsewhere, or cannot be sensed (`problems`)."""
        if key not in self._assets:
            try:
                self._assets[key] = self._open(key)
            except Exception as error:  # an IO manager may raise anything as it is made
                self.problems[key] = first_line(error)
                self._assets[key] = None
        return self._assets[key]

    def node(self, table: str) -> CurrentAsset | None:
        """The asset that makes a table now; None where nothing does."""
        try:
            asset = self.asset(dg.AssetKey(TableName.parse(table).asset_key))
        except InvalidTableName:
            return None
        return asset if asset is not None and table in asset.tables() else None

    def fresh(self, table: str) -> TableState | None:
        """A table of which nothing is said but that it is fresh."""
        asset = self.node(table)
        if asset is None:
            return None
        partition = asset.tables()[table]
        return TableState(table=table, asset=asset, partition=partition, verdict=Staleness.fresh())

    def token(self, assets: Sequence[CurrentAsset]) -> str:
        """A digest of all that a verdict on the assets' tables can depend on.

        Catalog revisions, versions of external inputs and partitions; and the process, for its code.
        """
        looks: dict[StoreIdentity, Present] = {}
        facts: list[Any] = [self._process, self._last_events(assets)]
        for asset in assets:
            identity = asset.store.identity
            if identity not in looks:
                if identity not in self._digests:
                    with asset.store.reader.frozen() as frozen:
                        self._digests[identity] = frozen.digests() or dict.fromkeys(frozen.tables(), "")
                looks[identity] = Present(self.location, asset.store, self._digests[identity])
                facts.append(list(asset.store.reader.state()))
            facts.append(asset.outside(looks[identity]))
        for look in looks.values():
            facts.append([sorted(look.observed.items()), sorted(look.failed)])
        return hashlib.sha256(canonical_json(facts)).hexdigest()

    def _last_events(self, assets: Sequence[CurrentAsset]) -> list[list[Any]]:
        """When what is declared and not loaded was last materialized: at times that stores nothing."""
        listed = {up.dependency.asset_key for asset in assets for up in asset.upstreams if up.is_listed}
        last = self.location.instance.get_latest_materialization_events(sorted(listed)) if listed else {}
        return [[key.to_user_string(), event and event.timestamp] for key, event in sorted(last.items())]

    def assets(self, keys: Iterable[dg.AssetKey]) -> list[CurrentAsset]:
        """Those of the assets that are on a result store."""
        return [asset for asset in map(self.asset, keys) if asset is not None]

    def evaluate(
        self,
        assets: Sequence[CurrentAsset],
        *,
        missing: bool = False,
        only: frozenset[str] | None = None,
        after: str = "",
        deadline: float | None = None,
    ) -> Evaluation:
        """Judges all tables of the assets, or `only` some. `missing`: also those that were never materialized.

        Before `deadline`, an instant of `time.monotonic()`, it stops, but never before it came to some tables. It
        begins after the table `after`, if there is one of that name. Raises what the storage and the catalog raise.
        """
        self.location.refresh()
        found = Evaluation()
        by_store: dict[StoreIdentity, list[CurrentAsset]] = {}
        for asset in assets:
            by_store.setdefault(asset.store.identity, []).append(asset)
        found.stores = {identity: of_store[0].store for identity, of_store in by_store.items()}
        stores = list(by_store.values())
        first = next((i for i, of_store in enumerate(stores) if _place_of(after, of_store) is not None), 0)
        for of_store in stores[first:]:
            if found.looked_at and _is_over(deadline):
                found.is_complete = False
            if found.is_complete:
                self._evaluate(of_store, found, missing=missing, only=only, after=after, deadline=deadline)
            if deadline is not None:
                found.cut(_MOST_STATES)
        found.count()
        return found

    def hindered(self, found: Evaluation, tables: Iterable[str]) -> set[str]:
        """Those of the tables that cannot be requested, for their config or an input; also if a look left them out."""
        by_store: dict[StoreIdentity, dict[str, CurrentAsset]] = {}
        hindered: set[str] = set()
        for table in tables:
            state = found.tables.get(table)
            if state is not None and state.is_hindered:
                hindered.add(table)
            elif table not in found.looked_at and (asset := self.node(table)) is not None:
                by_store.setdefault(asset.store.identity, {})[table] = asset
        for identity, assets in by_store.items():
            store = next(iter(assets.values())).store
            with store.reader.frozen() as frozen:
                look = found.looks.get(identity) or Present(self.location, store, frozen.digests() or {})
                replays = recorded_replays(store, frozen, assets)
            for table, asset in assets.items():
                state = state_of(asset, table, asset.tables()[table], replays.get(table) or NO_REPLAY, look)
                if state.is_hindered:
                    hindered.add(table)
        return hindered

    def _open(self, key: dg.AssetKey) -> CurrentAsset | None:
        assets_def = self.location.assets_def(key)
        if assets_def is None or not isinstance(assets_def.node_def, dg.OpDefinition):
            return None
        manager_key = assets_def.get_io_manager_key_for_asset_key(key)
        output = assets_def.node_def.output_dict[assets_def.get_output_name_for_asset_key(key)]
        manager = self.location.resource(assets_def, manager_key)
        if not is_store_backed(manager) or output.dagster_type.is_nothing:
            return None
        return CurrentAsset(self.location, key, manager.result_store)

    def _evaluate(
        self,
        assets: Sequence[CurrentAsset],
        found: Evaluation,
        *,
        missing: bool,
        only: frozenset[str] | None,
        after: str,
        deadline: float | None,
    ) -> None:
        store, started = assets[0].store, time.monotonic()
        with store.reader.frozen() as frozen:
            recorded = {row.table: row.definition_hash for row in frozen.current_rows()}
            look = Present(self.location, store, frozen.digests() or dict.fromkeys(recorded, ""))
            found.looks[store.identity] = look
            self._settle(look)
            if deadline is not None:
                # to read the inputs takes about twice as long again; to look at some tables, as long at least
                now = time.monotonic()
                deadline = max(deadline - 2 * (now - started), now + (now - started))
            definitions: dict[str, str] = {}
            states: dict[str, TableState] = {}
            for chunk in self._chunks(assets, only, after):
                if found.looked_at and (_is_over(deadline) or (deadline and len(states) > _MOST_STATES)):
                    found.is_complete = False
                    break
                found.looked_at.update((table, table in recorded) for _, table, _ in chunk)
                rest: list[tuple[CurrentAsset, str, str | None]] = []
                for asset, table, partition in chunk:
                    if table not in recorded:
                        if missing:
                            states[table] = self._missing(asset, table, partition, look)
                        continue
                    replay = self._replays.get((table, recorded[table]), NO_REPLAY) or NO_REPLAY
                    if self._is_as_recorded(asset, partition, replay, look, recorded[table]):
                        definitions[table] = str(recorded[table])
                    else:
                        rest.append((asset, table, partition))
                replays = recorded_replays(store, frozen, [table for _, table, _ in rest]) if rest else {}
                for asset, table, partition in rest:
                    said = self._replays[table, recorded[table]] = replays.get(table)
                    state = state_of(asset, table, partition, said or NO_REPLAY, look)
                    definitions[table] = state.definition or recorded[table] or _NO_DEFINITION
                    if state.definition is None or state.definition != recorded[table] or state.needs:
                        states[table] = state
            known = [Known(source, version) for source, version in look.observed.items()]
            for table, verdict in sweep(frozen, store.artifacts, definitions, Observations(known)):
                self._take(found, states, table, verdict, recorded[table])
            found.tables.update((table, state) for table, state in states.items() if state.is_missing)
            if only is None and found.is_complete:
                found.gone.update(self._left_over(recorded, assets))

    def _settle(self, look: Present) -> None:
        """Tells the assets of a store, those of an earlier look too, which tables came or went since the last one."""
        identity = look.store.identity
        changed = self._digests.get(identity, {}).keys() ^ look.digests.keys()
        self._digests[identity] = look.digests
        for asset in self._assets.values():
            if asset is not None and asset.store.identity == identity:
                asset.settle(changed)

    def _take(
        self,
        found: Evaluation,
        states: Mapping[str, TableState],
        table: str,
        verdict: Staleness,
        recorded: str | None,
    ) -> None:
        """Files the verdict on one table."""
        state = states.get(table)
        if state is not None and (state.why_undecidable or state.why_not) and state.definition is None:
            verdict = clouded(verdict, state)
        if state is None and verdict.is_fresh and verdict.stale_ancestor is None:
            return
        if state is None:
            name = TableName.parse(table)
            asset = self.asset(dg.AssetKey(name.asset_key))
            assert asset is not None, "it was asked for"
            state = TableState(
                table=table,
                asset=asset,
                partition=name.partition,
                verdict=verdict,
                definition=recorded,
                replay=self._replays.get((table, recorded)) or NO_REPLAY,
                present=found.looks[asset.store.identity],
            )
        state.verdict = verdict
        if not (verdict.is_fresh and verdict.stale_ancestor is None and not state.needs):
            found.tables[table] = state

    def _chunks(
        self,
        assets: Sequence[CurrentAsset],
        only: frozenset[str] | None,
        after: str,
    ) -> Iterator[list[tuple[CurrentAsset, str, str | None]]]:
        """The tables that the assets can have, after the one called `after`, some at once."""
        first, begin = _place_of(after, assets) or (0, 0)
        each = ((asset, *item) for asset in assets[first:] for item in asset.tables().items())
        rest = (one for one in itertools.islice(each, begin, None) if only is None or one[1] in only)
        while chunk := list(itertools.islice(rest, _AT_ONCE)):
            yield chunk

    def _is_as_recorded(
        self, asset: CurrentAsset, partition: str | None, replay: Replay, look: Present, recorded: str | None
    ) -> bool:
        """Whether the definition is the recorded one under this replay: then it is under the recorded one too."""
        try:
            definition, inputs = asset.definition(partition, replay, look)
        except (Unknowable, NotReplayable):
            return False
        return definition == recorded and not inputs.missing

    def _missing(self, asset: CurrentAsset, table: str, partition: str | None, look: Present) -> TableState:
        state = state_of(asset, table, partition, NO_REPLAY, look)
        state.is_missing = True
        return state

    def _left_over(
        self, recorded: Mapping[str, str | None], assets: Sequence[CurrentAsset]
    ) -> Iterator[tuple[str, str]]:
        """The tables that nothing in the code location makes, with the reason."""
        names = set(recorded).difference(*(asset.tables() for asset in assets))
        for table in sorted(names):
            if table not in self._gone or self._gone[table] == "partition":
                self._gone[table] = self._why_gone(table)
            if self._gone[table] == "partition":
                yield table, "its partition no longer exists"
            elif self._gone[table]:
                yield table, self._gone[table]

    def _why_gone(self, table: str) -> str:
        try:
            key = dg.AssetKey(TableName.parse(table).asset_key)
        except InvalidTableName:
            return "no asset makes a table of this name"
        asset = self.asset(key)
        if asset is None:
            return "no asset of this code location makes it"
        return "" if table in asset.tables() else "partition"


def _place_of(after: str, assets: Sequence[CurrentAsset]) -> tuple[int, int] | None:
    """The asset that has the table `after`, and which of its tables comes next; None where no asset has it."""
    for number, asset in enumerate(assets):
        if after in asset.tables():
            return number, list(asset.tables()).index(after) + 1
    return None


def _is_over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline
