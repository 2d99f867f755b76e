"""Reuses outside of a run: pointers move in one transaction, then Dagster is told by events without a run."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.assets.data_versions import InputEvent, LastMaterialization, last_materializations
from jammi_dagster.adapters.code_location.current_asset import CurrentAsset
from jammi_dagster.adapters.code_location.input_events import InputEvents, is_compared
from jammi_dagster.adapters.execution.reuse import stored_hits
from jammi_dagster.adapters.execution.reused_event import ReusedAsset
from jammi_dagster.adapters.judgement.forecast import LaunchedStep
from jammi_dagster.adapters.judgement.stored_assets import StoredAssets
from jammi_dagster.planning.launch_report import LaunchReport
from jammi_dagster.planning.plan import PlannedTable
from jammi_dagster.store import ResultStore, StoreIdentity

_OVERTAKEN = "a run that started later has made it"

LastEvents = Mapping[str | None, LastMaterialization]


class Reuses:
    """The reuses of one launch, which counts as started when this is made."""

    def __init__(self, assets: StoredAssets, keys: Iterable[dg.AssetKey]) -> None:
        self._assets, self._instance = assets, assets.location.instance
        stores = {asset.store.identity: asset.store for asset in assets.assets(keys)}
        self._starts = {identity: store.writer.next_start() for identity, store in stores.items()}

    def take(
        self, steps: Sequence[LaunchedStep], rows: Mapping[str, PlannedTable], report: LaunchReport
    ) -> None:
        """Make the tables of steps current, upstream first, and tell Dagster of each that it does not know.

        A launch that died in between is made good by the next one: a table is known by its last event alone.
        """
        overtaken = self._point(rows.values(), report)
        report.leave((table, _OVERTAKEN) for table in sorted(overtaken))
        report.reused += [table for table in rows if table not in overtaken]
        events = InputEvents(self._instance)
        for key, of_asset in itertools.groupby(steps, key=lambda step: step.key):
            asset = self._assets.asset(key)
            assert asset is not None, "only a result table is reused"
            mine = [step for step in of_asset if overtaken.isdisjoint(step.tables)]
            report.told += _Telling(asset, self._instance, events).tell(mine, rows)

    def _point(self, rows: Iterable[PlannedTable], report: LaunchReport) -> set[str]:
        """Move pointers, those of one store in one transaction; return the tables that a later start has moved."""
        pairs: dict[StoreIdentity, tuple[ResultStore, list[tuple[str, str]]]] = {}
        for row in rows:
            asset = self._assets.maker(row.table)
            assert asset is not None, "only a result table is reused"
            if not row.is_current:
                _, of_store = pairs.setdefault(asset.store.identity, (asset.store, []))
                of_store.append((row.table, str(row.materialization)))
        overtaken = set()
        for identity, (store, of_store) in pairs.items():
            start = self._starts[identity]
            moves = store.writer.point(of_store, start_sequence=start, run_id=None)
            for (table, _), move in zip(of_store, moves, strict=True):
                if move.is_current:
                    report.moved.append(table)
                else:
                    overtaken.add(table)
        return overtaken


class _Telling:
    """The events of one asset's reuses."""

    def __init__(self, asset: CurrentAsset, instance: dg.DagsterInstance, events: InputEvents) -> None:
        self._asset, self._instance, self._events = asset, instance, events
        reads_itself = any(one.dependency.asset_key == asset.key for one in asset.upstreams)
        self._is_read_at_once = reads_itself or bool(asset.check_names)

    def tell(self, steps: Sequence[LaunchedStep], rows: Mapping[str, PlannedTable]) -> Iterator[str]:
        """Tell Dagster of the steps that it does not know, in their order; yield their tables."""
        self._look_up(steps)
        partitions = [partition for step in steps for partition in step.partitions or ()]
        last = last_materializations(self._instance, self._asset.key, partitions or None)
        told: ReusedAsset | None = None
        for step in steps:
            inputs, code_version = self._events.of(self._asset, step.partitions), self._code_version(step)
            ids = dict(
                zip(
                    step.partitions or (None,),
                    (str(rows[t].materialization) for t in step.tables),
                    strict=True,
                )
            )
            if self._is_known(step, ids, last, self._compared(step, inputs, code_version)):
                continue
            hits = stored_hits(self._asset.store, ids.values())
            told = ReusedAsset(
                key=self._asset.key,
                partitions_def=self._asset.partitions_def,
                hits={partition: hits[one] for partition, one in ids.items()},
                code_version=code_version,
                inputs=inputs,
            )
            self._report(told)
            yield from step.tables
        if told is not None:
            self._events.tell(self._asset.key, (), self._last_event().storage_id, told.data_version)

    def _report(self, told: ReusedAsset) -> None:
        """Report the events of one step; with its checks, whose results name the materialization that they are of."""
        for event in told.materializations():
            self._instance.report_runless_asset_event(event)
        at = self._last_event() if self._is_read_at_once else None
        self._events.tell(self._asset.key, list(told.hits), at and at.storage_id, told.data_version)
        if at is not None:
            self._report_checks(told, at)

    def _report_checks(self, told: ReusedAsset, at: Any) -> None:
        *_, last = told.hits.values()
        for result in last.output.check_results:
            self._instance.report_runless_asset_event(evaluation_of(self._asset, result, at))

    def _last_event(self) -> Any:
        return self._instance.fetch_materializations(self._asset.key, limit=1).records[0]

    def _look_up(self, steps: Sequence[LaunchedStep]) -> None:
        """Ask for the versions of all partitions that the steps read, at once."""
        for upstream in self._asset.upstreams:
            compared = [step.partitions for step in steps if is_compared(upstream, step.partitions)]
            read = (one for keys in compared for one, _ in upstream.tables(keys) if one is not None)
            self._events.look_up_partitions(upstream.dependency.asset_key, read)

    def _code_version(self, step: LaunchedStep) -> str:
        return self._asset.spec.code_version or str(self._asset.recipe(step.replay).code.digest)

    def _compared(
        self, step: LaunchedStep, inputs: Mapping[dg.AssetKey, InputEvent], code_version: str
    ) -> dict[str, str]:
        """Return the tags of a step's event by which Dagster judges that it is fresh."""
        keys = (up.dependency.asset_key for up in self._asset.upstreams if is_compared(up, step.partitions))
        versions = {
            metadata_keys.INPUT_VERSION_TAG + key.to_user_string(): inputs[key].version for key in keys
        }
        return {**versions, metadata_keys.CODE_VERSION_TAG: code_version}

    def _is_known(
        self, step: LaunchedStep, ids: Mapping[str | None, str], last: LastEvents, compared: Mapping[str, str]
    ) -> bool:
        return all(
            key in last and last[key].materialization == one and compared.items() <= last[key].tags.items()
            for key, one in ids.items()
        )


def evaluation_of(asset: CurrentAsset, result: dg.AssetCheckResult, at: Any) -> dg.AssetCheckEvaluation:
    """Return the recorded result of an asset's own check as an event about the materialization event `at`."""
    specs = {spec.name: spec for spec in asset.assets_def.check_specs}
    name = result.check_name or next(iter(specs))  # the only check of an asset needs no name
    return dg.AssetCheckEvaluation(
        asset_key=asset.key,
        check_name=name,
        passed=bool(result.passed),
        metadata=result.metadata,
        target_materialization_data=AssetCheckEvaluationTargetMaterializationData(
            storage_id=at.storage_id, run_id=at.run_id, timestamp=at.timestamp
        ),
        severity=result.severity,
        description=result.description,
        blocking=specs[name].blocking,
    )
