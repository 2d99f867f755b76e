"""The decision on the steps of a run, before any of them is stepped into: the plan's own, made where the run is.

A step is reused where the plan reuses it and nothing that it depends on is left to the wrapped executor.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.execution.plan.step import ExecutionStep
from dagster._core.system_config.objects import ResolvedRunConfig

from jammi_dagster.adapters.assets.cache_policy import longest_wait
from jammi_dagster.adapters.assets.verification import effective_verification
from jammi_dagster.adapters.code_location.current_asset import CurrentAsset
from jammi_dagster.adapters.code_location.present import Present
from jammi_dagster.adapters.code_location.running_job import RunLocation
from jammi_dagster.adapters.execution.reuse import Hit, stored_hits
from jammi_dagster.adapters.executor.left import asset_of_step, why_left
from jammi_dagster.adapters.judgement.facts import plan_of
from jammi_dagster.adapters.judgement.forecast import Forecast, LaunchedStep
from jammi_dagster.adapters.judgement.missing_bytes import is_gone
from jammi_dagster.adapters.judgement.stored_assets import StoredAssets
from jammi_dagster.adapters.metadata_keys import PARTITION_TAG, RANGE_TAGS
from jammi_dagster.adapters.recipe.replay import Replay
from jammi_dagster.contract import Verification
from jammi_dagster.errors import UnknownTable
from jammi_dagster.planning.step_plan import StepPlan
from jammi_dagster.store import ResultStore, StoreIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class ReusedStep:
    """A step whose tables are all reused: the hit of each by partition, or one under None."""

    step: ExecutionStep
    asset: CurrentAsset
    partitions: tuple[str, ...] | None
    hits: Mapping[str | None, Hit]
    code_version: str

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Each table with the id of the materialization that it gets."""
        ids = (hit.record.materialization_id for hit in self.hits.values())
        return list(zip(map(self.asset.table, self.hits), ids, strict=True))

    @property
    def has_bytes(self) -> bool:
        """Tell whether the bytes of all tables are there now."""
        store = self.asset.store
        records = (hit.record for hit in self.hits.values())
        return not any(is_gone(store, record.artifact_path, record.size_bytes) for record in records)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reused:
    """Steps that are reused, upstream first, and the tables among theirs that a later start has moved on."""

    steps: Sequence[ReusedStep]
    overtaken: Collection[str] = ()


Launched = dict[str, tuple[LaunchedStep, CurrentAsset]]


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
            op_configs={name: op.config for name, op in config.ops.items()},
            resource_config=config.original_config_dict.get("resources") or {},
        )
        self._assets = StoredAssets(self.location)
        longest_wait(run.tags)
        effective_verification(tags=run.tags, decorator=None, io_manager=Verification.OFF)

    # --- many steps ------------------------------------------------------------------------------------

    def reused(self, steps: Sequence[Any], needs: Mapping[str, Collection[str]]) -> Reused:
        """Decide steps, which come upstream first, and move the pointers of those to reuse.

        `needs` are the steps of this plan that each waits for; a step without an entry is left.
        """
        launched = self._launched(steps, needs)
        starts = self._starts(asset for _, asset in launched.values())
        forecast = Forecast(self._assets, self.run.tags, explain=False)
        forecast.run([step for step, _ in launched.values()])
        plans: dict[str, StepPlan] = {}
        for key, (step, asset) in launched.items():
            plan = forecast.plans.get((step.key, step.partitions))
            if plan is not None and not _blocks(asset, plan):
                plans[key] = plan
        found = self._found(steps, launched, plans)
        return self._pointed(found, steps, needs, starts)

    def _launched(self, steps: Sequence[Any], needs: Mapping[str, Collection[str]]) -> Launched:
        """Return the steps that may be decided, as the plan of a launch has them."""
        launched: Launched = {}
        for step in steps:
            if step.key in needs and launched.keys() >= set(needs[step.key]):
                one = self._launch(step, {})
                if one is not None:
                    launched[step.key] = one
        return launched

    def _pointed(
        self,
        found: dict[str, ReusedStep],
        steps: Sequence[Any],
        needs: Mapping[str, Collection[str]],
        starts: Mapping[StoreIdentity, int],
    ) -> Reused:
        """Move the pointers. A table that vanished meanwhile is a miss, and so is everything below it."""
        while True:
            kept: dict[str, ReusedStep] = {}
            for step in steps:
                if step.key in found and kept.keys() >= set(needs[step.key]):
                    kept[step.key] = found[step.key]
            found = kept
            try:
                overtaken = self._point(found.values(), starts)
            except UnknownTable as error:
                gone = [key for key, one in found.items() if error.table in [table for table, _ in one.pairs]]
                if not gone:
                    raise
            else:
                read = {key for step in steps if step.key not in found for key in needs.get(step.key, ())}
                gone = [key for key in read & found.keys() if not found[key].has_bytes]
            if not gone:
                return Reused(steps=list(found.values()), overtaken=overtaken)
            for key in gone:
                del found[key]

    # --- one step, with everything above it done -------------------------------------------------------

    def reused_now(self, step: Any, attempts: Mapping[str, int]) -> Reused | None:
        """Decide a step that would be launched now, and move its pointers; None where it is not reused."""
        self.location.refresh()
        launched = self._launch(step, attempts)
        if launched is None:
            return None
        one, asset = launched
        asset.settle(())
        starts = self._starts([asset])
        tables = {up: [table for _, table in up.tables(one.partitions)] for up in asset.upstreams}
        digests: dict[StoreIdentity, dict[str, str]] = {asset.store.identity: {}}
        for up, names in tables.items():
            store = up.store or asset.store
            digests.setdefault(store.identity, {}).update(self._digests(store, names))
        present = Present(self.location, asset.store, digests[asset.store.identity], others=dict(digests))
        plan = plan_of(asset, one.partitions, one.replay, present, asset.policy(self.run.tags))
        if plan.verdict != "reuse" or _blocks(asset, plan):
            return None
        found = self._found([step], {step.key: launched}, {step.key: plan})
        if not found or not found[step.key].has_bytes:
            return None
        return self._pointed(found, [step], {step.key: ()}, starts)

    def _digests(self, store: ResultStore, tables: Sequence[str]) -> dict[str, str]:
        """Return the digests of tables as a step of this run gets them: its own run's come before current ones."""
        records = store.reader.current_of(tables) | store.reader.of_run(self.run.run_id, tables)
        return {table: str(record.artifact_digest) for table, record in records.items()}

    # --- both ------------------------------------------------------------------------------------------

    def _launch(self, step: Any, attempts: Mapping[str, int]) -> tuple[LaunchedStep, CurrentAsset] | None:
        """Return a step as the plan of a launch has it, and its asset; None where it is left."""
        if why_left(step, self._job, attempts) is not None:
            return None
        key = asset_of_step(step)
        asset = None if key is None else self._assets.asset(key)
        if asset is None or asset.is_plain:
            return None
        op = self.config.ops.get(str(step.node_handle))
        if self._has_mapped_config and op is not None and op.config is not None:
            return None
        if asset.partitions_def is None:
            partitions = None
        elif not (partitions := self._partitions(asset)):
            return None
        span = (partitions[0], partitions[-1]) if partitions and len(partitions) > 1 else None
        replay = Replay(config=self._raw_config(step), span=span)
        return LaunchedStep(key=asset.key, partitions=partitions, replay=replay), asset

    @property
    def _has_mapped_config(self) -> bool:
        mapping = self._job.config_mapping
        return mapping is not None and mapping.receive_processed_config_values is not False

    def _raw_config(self, step: Any) -> Any:
        if self._has_mapped_config:
            return None
        ops = self.config.original_config_dict.get("ops") or {}
        return (ops.get(step.node_handle.name) or {}).get("config")

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

    def _starts(self, assets: Iterable[CurrentAsset]) -> dict[StoreIdentity, int]:
        """Issue a start in each store, before anything is read."""
        stores = {asset.store.identity: asset.store for asset in assets}
        return {identity: store.writer.next_start() for identity, store in stores.items()}

    def _found(
        self, steps: Sequence[Any], launched: Launched, plans: Mapping[str, StepPlan]
    ) -> dict[str, ReusedStep]:
        """Read the materializations that plans reuse, those of one store at once."""
        ids: dict[StoreIdentity, list[str]] = {}
        stores: dict[StoreIdentity, ResultStore] = {}
        for key, plan in plans.items():
            store = launched[key][1].store
            stores[store.identity] = store
            ids.setdefault(store.identity, []).extend(str(table.materialization) for table in plan.tables)
        hits = {identity: stored_hits(stores[identity], wanted) for identity, wanted in ids.items()}
        found: dict[str, ReusedStep] = {}
        for step in steps:
            if step.key not in plans:
                continue
            one, asset = launched[step.key]
            of_store = hits[asset.store.identity]
            each = [of_store.get(str(table.materialization)) for table in plans[step.key].tables]
            of_step = [hit for hit in each if hit is not None]
            if len(of_step) == len(each):
                found[step.key] = ReusedStep(
                    step=step,
                    asset=asset,
                    partitions=one.partitions,
                    hits=dict(zip(one.partitions or (None,), of_step, strict=True)),
                    code_version=asset.spec.code_version or asset.recipe(one.replay).code.digest,
                )
        return found

    def _point(self, reused: Iterable[ReusedStep], starts: Mapping[StoreIdentity, int]) -> set[str]:
        """Move the pointers of each store in one transaction; return the tables that a later start has moved on."""
        pairs: dict[StoreIdentity, list[tuple[str, str]]] = {}
        stores: dict[StoreIdentity, ResultStore] = {}
        for one in reused:
            stores[one.asset.store.identity] = one.asset.store
            pairs.setdefault(one.asset.store.identity, []).extend(one.pairs)
        overtaken: set[str] = set()
        for identity, of_store in pairs.items():
            writer = stores[identity].writer
            moves = writer.point(of_store, start_sequence=starts[identity], run_id=self.run.run_id)
            overtaken.update(
                table for (table, _), move in zip(of_store, moves, strict=True) if not move.is_current
            )
        return overtaken


def _blocks(asset: CurrentAsset, plan: StepPlan) -> bool:
    """Tell whether a recorded check fails that keeps Dagster from everything below."""
    blocking = {spec.name for spec in asset.assets_def.check_specs if spec.blocking}
    return any(blocking & set(table.failed_checks) for table in plan.tables)
