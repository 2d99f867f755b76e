"""Reuses outside of a run: pointers move in one transaction, then Dagster is told by events without a run."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import dagster as dg

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.assets.data_versions import (
    InputEvent,
    LastMaterialization,
    last_materializations,
    last_of_assets,
)
from jammi_dagster.adapters.code_location.current_asset import CurrentAsset
from jammi_dagster.adapters.code_location.input_events import InputEvents, is_compared
from jammi_dagster.adapters.event_log_storage import STEPS_AT_ONCE, together
from jammi_dagster.adapters.execution.reuse import Hit, stored_hits
from jammi_dagster.adapters.execution.reused_event import ReusedAsset, check_evaluations
from jammi_dagster.adapters.execution.start import Pointed, Start
from jammi_dagster.adapters.execution.step_result import was_left_out
from jammi_dagster.adapters.judgement.decided_step import LaunchedStep
from jammi_dagster.adapters.judgement.stored_assets import StoredAssets
from jammi_dagster.errors import UnknownTable
from jammi_dagster.planning.launch_report import LaunchReport
from jammi_dagster.planning.plan import PlannedTable
from jammi_dagster.store import ResultStore

_OVERTAKEN = "a run that started later has made it"
_COLLECTED = "its stored result was collected meanwhile; plan again"

LastEvents = Mapping[str | None, LastMaterialization]


class Reuses:
    """The reuses of one launch, which counts as started when this is made."""

    def __init__(self, assets: StoredAssets, keys: Iterable[dg.AssetKey]) -> None:
        self._assets, self._instance = assets, assets.location.instance
        self._start = Start(asset.store for asset in assets.assets(keys))

    def take(
        self, steps: Sequence[LaunchedStep], rows: Mapping[str, PlannedTable], report: LaunchReport
    ) -> None:
        """Make the tables of steps current, upstream first, and tell Dagster of each that it does not know.

        A launch that died in between is made good by the next one: a table is known by its last event alone.
        """
        stayed = self._point(rows.values(), report)
        report.leave(sorted(stayed.items()))
        report.reused += [table for table in rows if table not in stayed]
        telling = _Telling(self._assets, self._instance, {step.key for step in steps})
        report.told += telling.tell([step for step in steps if stayed.keys().isdisjoint(step.tables)], rows)

    def _point(self, rows: Iterable[PlannedTable], report: LaunchReport) -> dict[str, str]:
        """Move pointers, those of one store in one transaction; return the tables that stay, each with the reason."""
        pairs: list[tuple[ResultStore, tuple[str, str]]] = []
        for row in rows:
            asset = self._assets.maker(row.table)
            assert asset is not None, "only a result table is reused"
            if not row.is_current:
                pairs.append((asset.store, (row.table, str(row.materialization))))
        stayed: dict[str, str] = {}
        for pointed in self._point_ready(pairs, stayed):
            report.moved += pointed.current
            holds = pointed.store.holds() if pointed.stayed else {}
            stayed.update({table: str(holds.get(table, _OVERTAKEN)) for table in pointed.stayed})
        return stayed

    def _point_ready(
        self, pairs: Sequence[tuple[ResultStore, tuple[str, str]]], stayed: dict[str, str]
    ) -> list[Pointed]:
        """Move pointers; a table whose materialization was collected meanwhile stays, and the others move."""
        while True:
            try:
                return self._start.point(pairs, run_id=None)
            except UnknownTable as error:
                left = [pair for pair in pairs if pair[1][0] != error.table]
                if len(left) == len(pairs):
                    raise
                pairs, stayed[error.table] = left, _COLLECTED


class _Telling:
    """The events of reuses, and Dagster's last events of everything that they are about."""

    def __init__(
        self, assets: StoredAssets, instance: dg.DagsterInstance, keys: Collection[dg.AssetKey]
    ) -> None:
        self._assets, self._instance = assets, instance
        self._last = last_of_assets(instance, sorted(keys))
        self._inputs = InputEvents(instance)
        self._inputs.look_up(
            up.dependency.asset_key for asset in assets.assets(keys) for up in asset.upstreams
        )

    def tell(self, steps: Sequence[LaunchedStep], rows: Mapping[str, PlannedTable]) -> list[str]:
        """Tell Dagster of the steps that it does not know, upstream first; return their tables."""
        told: list[str] = []
        for key, of_asset in itertools.groupby(steps, key=lambda step: step.key):
            asset, mine = self._assets.asset(key), list(of_asset)
            assert asset is not None, "only a result table is reused"
            last, before = self._last_events(asset, mine), len(told)
            for start in range(0, len(mine), STEPS_AT_ONCE):
                some = mine[start : start + STEPS_AT_ONCE]
                hits = _hits(asset, [rows[table] for step in some for table in step.tables])
                with together(self._instance.event_log_storage, ""):
                    for step in some:
                        told += self._tell(asset, step, rows, last, hits)
            if len(told) > before:
                self._inputs.look_up([key], anew=True)
        return told

    def _tell(
        self,
        asset: CurrentAsset,
        step: LaunchedStep,
        rows: Mapping[str, PlannedTable],
        last: LastEvents,
        hits: Callable[[], Mapping[str, Hit]],
    ) -> Sequence[str]:
        """Tell Dagster of one step unless its last events are of the same tables, over the present inputs."""
        inputs = self._inputs.of(asset, step.partitions)
        code_version = asset.code_version(step.replay)
        ids = [str(rows[table].materialization) for table in step.tables]
        partitions = step.partitions or (None,)
        compared = {metadata_keys.CODE_VERSION_TAG: code_version, **dict(_compared(asset, step, inputs))}
        seen = [last[partition] for partition in partitions if partition in last]
        is_same = [one.materialization for one in seen] == ids
        if (
            is_same
            and all(compared.items() <= one.tags.items() for one in seen)
            and self._is_checked(asset, seen)
        ):
            return ()
        there = hits()
        if not there.keys() >= set(ids):
            return ()  # dropped since the pointers moved: the next launch makes it
        if all(was_left_out(there[one].output.metadata) for one in ids):
            return ()  # Dagster has no materialization of it
        told = ReusedAsset(
            key=asset.key,
            partitions_def=asset.partitions_def,
            hits={key: there[one] for key, one in zip(partitions, ids, strict=True)},
            code_version=code_version,
            inputs=inputs,
        )
        for event in told.materializations():
            self._instance.report_runless_asset_event(event)
        storage_id = None
        if told.check_results or asset.key in inputs:  # else the last of the asset's steps tells
            self._inputs.look_up([asset.key], anew=True)
            storage_id = self._inputs.last(asset.key).storage_id
        self._inputs.tell(asset.key, list(told.hits), storage_id, told.data_version)
        specs = asset.assets_def.check_specs
        for result in check_evaluations(
            asset.key, specs, told.check_results, storage_id=storage_id, run_id=""
        ):
            self._instance.report_runless_asset_event(result)
        return step.tables

    def _last_events(self, asset: CurrentAsset, steps: Sequence[LaunchedStep]) -> LastEvents:
        """Return the last events of an asset's tables; look up those of all partitions that the steps read."""
        for upstream in asset.upstreams:
            compared = (step.partitions for step in steps if is_compared(upstream, step.partitions))
            read = (one for keys in compared for one, _ in upstream.tables(keys) if one is not None)
            self._inputs.look_up_partitions(upstream.dependency.asset_key, read)
        if asset.partitions_def is None:
            return {None: self._last[asset.key]} if asset.key in self._last else {}
        partitions = [partition for step in steps for partition in step.partitions or ()]
        return last_materializations(self._instance, asset.key, partitions)

    def _is_checked(self, asset: CurrentAsset, seen: Sequence[LastMaterialization]) -> bool:
        """Tell whether the asset's last materialization, if it is among these, has its check results."""
        newest = self._last[asset.key].storage_id
        if not asset.check_names or newest not in [one.storage_id for one in seen]:
            return True
        for name in asset.check_names:
            key = dg.AssetCheckKey(asset.key, name)
            record = self._instance.get_latest_asset_check_evaluation_record(key)
            event = None if record is None or record.event is None else record.event.asset_check_evaluation
            target = None if event is None else event.target_materialization_data
            if target is None or target.storage_id < newest:
                return False
        return True


def _hits(asset: CurrentAsset, rows: Sequence[PlannedTable]) -> Callable[[], Mapping[str, Hit]]:
    """Return a function that reads the hits of many tables at once, on its first call: most launches need none."""
    return functools.cache(
        lambda: stored_hits(asset.store, {str(row.materialization): row.reasons[0] for row in rows})
    )


def _compared(
    asset: CurrentAsset, step: LaunchedStep, inputs: Mapping[dg.AssetKey, InputEvent]
) -> Iterator[tuple[str, str]]:
    """Yield the tags by which Dagster tells that an input is another one."""
    for upstream in asset.upstreams:
        if is_compared(upstream, step.partitions):
            key = upstream.dependency.asset_key
            yield metadata_keys.INPUT_VERSION_TAG + key.to_user_string(), inputs[key].version
