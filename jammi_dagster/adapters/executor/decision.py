"""The decision on the steps of a run, before any of them is stepped into: the plan's own, made where the run is.

A step is reused where the plan reuses it and nothing that it depends on is left to the wrapped executor.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.system_config.objects import ResolvedRunConfig

from jammi_dagster.adapters.assets.cache_policy import longest_wait
from jammi_dagster.adapters.assets.declaration import maps_config, raw_config_of
from jammi_dagster.adapters.assets.run_tags import moves_of, pins_of, tags_of_launch
from jammi_dagster.adapters.assets.verification import effective_verification
from jammi_dagster.adapters.code_location.current_asset import CurrentAsset
from jammi_dagster.adapters.code_location.present import Present
from jammi_dagster.adapters.code_location.running_job import RunLocation
from jammi_dagster.adapters.execution.reuse import Hit, stored_hits
from jammi_dagster.adapters.execution.start import Start
from jammi_dagster.adapters.execution.step_result import was_left_out
from jammi_dagster.adapters.executor.units import Unit
from jammi_dagster.adapters.handoff.stores import by_store
from jammi_dagster.adapters.judgement.decided_step import LaunchedStep
from jammi_dagster.adapters.judgement.facts import plan_of
from jammi_dagster.adapters.judgement.forecast import Forecast
from jammi_dagster.adapters.judgement.missing_bytes import is_gone
from jammi_dagster.adapters.judgement.pinned import refusal
from jammi_dagster.adapters.judgement.stored_assets import StoredAssets
from jammi_dagster.adapters.metadata_keys import PARTITION_TAG, RANGE_TAGS
from jammi_dagster.adapters.recipe.pins import resolved_pins
from jammi_dagster.adapters.recipe.replay import Replay
from jammi_dagster.catalog import CollectionRows
from jammi_dagster.contract import Verification
from jammi_dagster.errors import UnknownTable
from jammi_dagster.planning.step_plan import StepPlan
from jammi_dagster.store import ResultStore, StoreIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class ReusedStep:
    """A step whose tables of one asset are all reused: the hit of each by partition, or one under None.

    `opened` are the steps whose events begin with those of this one, `closed` those whose events end with them: other
    steps of a graph make no asset, or are opened by the graph's first asset and closed by its last. `place` is that of
    the asset among those of the same steps, upstream first.
    """

    step: Any
    asset: CurrentAsset
    partitions: tuple[str, ...] | None
    hits: Mapping[str | None, Hit]
    code_version: str
    opened: tuple[Any, ...]
    closed: tuple[Any, ...]
    place: int = 0

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Each table with the id of the materialization that it gets."""
        ids = (hit.record.materialization_id for hit in self.hits.values())
        return list(zip(map(self.asset.table, self.hits), ids, strict=True))

    @property
    def tables(self) -> list[str]:
        """The names of its tables."""
        return [table for table, _ in self.pairs]

    @property
    def has_bytes(self) -> bool:
        """Tell whether the bytes of all tables are there now."""
        store = self.asset.store
        records = (hit.record for hit in self.hits.values())
        return not any(is_gone(store, record.artifact_path, record.size_bytes) for record in records)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reused:
    """Steps that are reused, upstream first, and the tables among theirs that a later start has moved on.

    `done` are the keys of all steps that need not run.
    """

    steps: Sequence[ReusedStep]
    done: Collection[str] = ()
    overtaken: Collection[str] = ()


Launched = dict[str, list[tuple[LaunchedStep, CurrentAsset]]]
"""The assets that each unit makes, as the plan of a launch has them."""


class RunDecision:
    """The steps of one run under decision. Opening it raises for run tags that no step would take."""

    def __init__(
        self, job: Any, run: dg.DagsterRun, instance: dg.DagsterInstance, config: ResolvedRunConfig
    ) -> None:
        self.run, self.config = run, config
        self._job = job
        self.location = RunLocation(
            job,
            instance,
            ops=config.ops,
            resource_config=config.original_config_dict.get("resources") or {},
        )
        self._assets = StoredAssets(self.location)
        self._tags = tags_of_launch(run.tags, config.original_config_dict, job.resource_defs)
        longest_wait(run.tags)
        effective_verification(tags=run.tags, decorator=None, io_manager=Verification.OFF)

    def renew(self) -> None:
        """Give the results of the run their whole time again, as roots of collections."""
        for store in self._assets.stores():
            CollectionRows(store.database, store.scope).renew_runs([self.run.run_id])

    # --- many steps ------------------------------------------------------------------------------------

    def reused(self, units: Sequence[Unit], needs: Mapping[str, Collection[str]]) -> Reused:
        """Decide units, which come upstream first, and move the pointers of those to reuse.

        `needs` are the units that each waits for.
        """
        launched = self._launched(units, needs)
        every = [one for of_unit in launched.values() for one in of_unit]
        start = Start(asset.store for _, asset in every)
        forecast = Forecast(self._assets, self._tags, explain=False)
        forecast.run([step for step, _ in every])
        plans: dict[str, list[StepPlan]] = {}
        for key, of_unit in launched.items():
            found = [(forecast.plans.get((step.key, step.partitions)), asset) for step, asset in of_unit]
            of_plan = [plan for plan, asset in found if plan is not None and not _blocks(asset, plan)]
            if len(of_plan) == len(of_unit):
                plans[key] = of_plan
        return self._pointed(self._found(units, launched, plans), units, needs, start)

    def _launched(self, units: Sequence[Unit], needs: Mapping[str, Collection[str]]) -> Launched:
        """Return the assets of units that may be decided, as the plan of a launch has them."""
        launched: Launched = {}
        for unit in units:
            if launched.keys() >= set(needs[unit.key]):
                of_unit = self._launch(unit, {})
                if of_unit is not None:
                    launched[unit.key] = of_unit
        return launched

    def _pointed(
        self,
        found: dict[str, list[ReusedStep]],
        units: Sequence[Unit],
        needs: Mapping[str, Collection[str]],
        start: Start,
    ) -> Reused:
        """Move the pointers. A table that vanished meanwhile is a miss, and so is everything below it."""
        while True:
            kept: dict[str, list[ReusedStep]] = {}
            for unit in units:
                if unit.key in found and kept.keys() >= set(needs[unit.key]):
                    kept[unit.key] = found[unit.key]
            found = kept
            every = [one for of_unit in found.values() for one in of_unit]
            try:
                overtaken = self._point(every, start)
            except UnknownTable as error:
                gone = [
                    key for key, of_unit in found.items() if any(error.table in one.tables for one in of_unit)
                ]
                if not gone:
                    raise
            else:
                read = {key for unit in units if unit.key not in found for key in needs.get(unit.key, ())}
                gone = [key for key in read & found.keys() if not all(one.has_bytes for one in found[key])]
            if not gone:
                done = {step.key for unit in units if unit.key in found for step in unit.steps}
                return Reused(steps=every, done=done, overtaken=overtaken)
            for key in gone:
                del found[key]

    # --- one unit, with everything above it done -------------------------------------------------------

    def reused_now(self, unit: Unit, attempts: Mapping[str, int]) -> Reused | None:
        """Decide a unit whose first step would be launched now, and move its pointers; None where it is not reused."""
        self.location.refresh()
        launched = self._launch(unit, attempts)
        if launched is None:
            return None
        start = Start([asset.store for _, asset in launched])
        plans: list[StepPlan] = []
        made: dict[str, str] = {}
        for one, asset in launched:
            plan = self._plan_now(one, asset, made)
            if plan.verdict != "reuse" or _blocks(asset, plan):
                return None
            plans.append(plan)
            made |= {table.table: str(table.digest) for table in plan.tables}
        found = self._found([unit], {unit.key: launched}, {unit.key: plans})
        if not found:
            return None
        return self._pointed(found, [unit], {unit.key: ()}, start)

    def _plan_now(self, one: LaunchedStep, asset: CurrentAsset, made: Mapping[str, str]) -> StepPlan:
        """Plan one asset over the tables of now; `made` are the digests of siblings that the same step reuses."""
        asset.settle(())
        read = by_store(
            (up.store or asset.store, table)
            for up in asset.upstreams
            for _, table in up.tables(one.partitions)
        )
        digests = {store.identity: self._digests(store, tables) for store, tables in read}
        own = {**digests.get(asset.store.identity, {}), **made}
        present = Present(self.location, asset.store, own, others=digests)
        return plan_of(asset, one.partitions, one.replay, present, asset.policy(self.run.tags))

    def _digests(self, store: ResultStore, tables: Sequence[str]) -> Mapping[str, str]:
        """Return the digests of tables as a step of this run gets them: pinned, else its own run's, else current."""
        records = store.reader.current_of(tables) | store.reader.of_run(self.run.run_id, tables)
        records |= resolved_pins(store, self._tags, tables)
        return {table: str(record.artifact_digest) for table, record in records.items()}

    # --- both ------------------------------------------------------------------------------------------

    def _launch(
        self, unit: Unit, attempts: Mapping[str, int]
    ) -> list[tuple[LaunchedStep, CurrentAsset]] | None:
        """Return the assets of a unit, each as the plan of a launch has it; None where the unit is left."""
        if unit.why_left(self._job, attempts) is not None:
            return None
        found = [self._launch_asset(key, step) for key, step in unit.makers.items()]
        whole = [one for one in found if one is not None]
        return whole if len(whole) == len(found) else None

    def _launch_asset(self, key: dg.AssetKey, step: Any) -> tuple[LaunchedStep, CurrentAsset] | None:
        asset = self._assets.asset(key)
        if asset is None or asset.why_run is not None:
            return None
        name = step.node_handle.path[0]
        has_config = any(
            op.config is not None
            for path, op in self.config.ops.items()
            if path == name or path.startswith(f"{name}.")
        )
        if maps_config(self._job) and has_config:
            return None
        if asset.partitions_def is None:
            partitions = None
        elif not (partitions := self._partitions(asset)):
            return None
        if refusal(asset, partitions, pins_of(self._tags)):
            return None
        span = (partitions[0], partitions[-1]) if partitions and len(partitions) > 1 else None
        replay = Replay(config=self._raw_config(name, asset.assets_def), span=span)
        return LaunchedStep(key=asset.key, partitions=partitions, replay=replay), asset

    def _raw_config(self, name: str, assets_def: dg.AssetsDefinition) -> Any:
        if maps_config(self._job):
            return None
        ops = self.config.original_config_dict.get("ops") or {}
        return raw_config_of(assets_def, ops.get(name))

    def _partitions(self, asset: CurrentAsset) -> tuple[str, ...] | None:
        """Return the partitions that the run makes of an asset; None where it has none of them."""
        assert asset.partitions_def is not None, "an asset with partitions"
        first, last = (self.run.tags.get(tag) for tag in RANGE_TAGS)
        if first is not None and last is not None:
            if isinstance(asset.partitions_def, dg.MultiPartitionsDefinition):
                return None  # a range over several dimensions is no stretch of their keys
            return self.location.span(asset.partitions_def, first, last)
        key = self.run.tags.get(PARTITION_TAG)
        return None if key not in self.location.keys_of(asset.partitions_def) else (str(key),)

    def _found(
        self, units: Sequence[Unit], launched: Launched, plans: Mapping[str, Sequence[StepPlan]]
    ) -> dict[str, list[ReusedStep]]:
        """Read the materializations that plans reuse, those of one store at once."""
        wanted = by_store(
            (asset.store, (str(table.materialization), table.why))
            for key, of_unit in plans.items()
            for (_, asset), plan in zip(launched[key], of_unit, strict=True)
            for table in plan.tables
        )
        hits = {store.identity: stored_hits(store, dict(why)) for store, why in wanted}
        found: dict[str, list[ReusedStep]] = {}
        for unit in units:
            of_plans = zip(launched[unit.key], plans[unit.key], strict=True) if unit.key in plans else ()
            steps = [_reused(unit, *one, plan, hits) for one, plan in of_plans]
            of_unit = [step for step in steps if step is not None]
            if of_unit and len(of_unit) == len(unit.makers):
                found[unit.key] = of_unit
        return found

    def _point(self, reused: Iterable[ReusedStep], start: Start) -> set[str]:
        """Move the pointers; return the tables that a later start has moved on."""
        pairs = ((one.asset.store, pair) for one in reused for pair in one.pairs)
        moved = start.point(pairs, run_id=self.run.run_id, moves=moves_of(self._tags))
        return {table for pointed in moved for table in pointed.stayed}


def _blocks(asset: CurrentAsset, plan: StepPlan) -> bool:
    """Tell whether a recorded check fails that keeps Dagster from everything below."""
    return any(asset.is_blocked_by(table.failed_checks) for table in plan.tables)


def _reused(
    unit: Unit,
    one: LaunchedStep,
    asset: CurrentAsset,
    plan: StepPlan,
    hits: Mapping[StoreIdentity, Mapping[str, Hit]],
) -> ReusedStep | None:
    """Return the step that makes an asset with the hits of its plan; None where one of them is gone."""
    of_store = hits[asset.store.identity]
    each = [of_store.get(str(table.materialization)) for table in plan.tables]
    of_step = [hit for hit in each if hit is not None]
    if len(of_step) < len(each) or any(was_left_out(hit.output.metadata) for hit in of_step):
        return None  # Dagster skips what is below an output that is left out: the step tells it so
    keys = list(unit.makers)
    first, *_, last = (*keys, *keys)
    return ReusedStep(
        step=unit.makers[asset.key],
        asset=asset,
        partitions=one.partitions,
        hits=dict(zip(one.partitions or (None,), of_step, strict=True)),
        code_version=asset.code_version(one.replay),
        opened=unit.resolved if asset.key == first else (),
        closed=unit.resolved if asset.key == last else (),
        place=keys.index(asset.key),
    )
