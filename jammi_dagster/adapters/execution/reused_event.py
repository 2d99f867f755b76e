"""The materialization events of a reuse that no step carries out, as small as Dagster needs them.

A step's own event says everything. Where thousands of tables are reused at once, each event holds the outcome, the id
of the materialization, whose event has the full account, the function's metadata as far as there is room, and the
versions that Dagster compares.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.assets.data_versions import InputEvent
from jammi_dagster.adapters.execution import events
from jammi_dagster.adapters.execution.reuse import Hit
from jammi_dagster.adapters.handoff.serialized_metadata import packed

MOST_BYTES = 2_000  # of a serialized materialization with two inputs
_ROOM = 400  # for the metadata of the function
MARK: Mapping[str, str] = {metadata_keys.OUTCOME_TAG: "reused"}
"""The logging tags of the events that an executor stores for steps that no process runs: they are known by these."""

_ONLY_WHERE_COMPUTED = frozenset({metadata_keys.COLUMN_SCHEMA, "dagster/column_lineage"})


def is_marked(event: Any) -> bool:
    """Tell whether an executor stored an event of a step that was reused without being run."""
    tag = metadata_keys.OUTCOME_TAG
    return bool((event.logging_tags or {}).get(tag) == MARK[tag])


@dataclass(frozen=True, slots=True, kw_only=True)
class ReusedAsset:
    """Tables of one asset that are reused together: hits by partition, or one under None.

    `code_version` is that of the code as it is now, `inputs` are the last events of the asset's parents.
    """

    key: dg.AssetKey
    partitions_def: dg.PartitionsDefinition[Any] | None
    hits: Mapping[str | None, Hit]
    code_version: str
    inputs: Mapping[dg.AssetKey, InputEvent]

    @property
    def data_version(self) -> str:
        """The data version that Dagster gets: one for all partitions of a range."""
        return events.data_version({p: str(hit.record.artifact_digest) for p, hit in self.hits.items()}).value

    @property
    def check_results(self) -> Sequence[dg.AssetCheckResult]:
        """The recorded check results: of a range those of its last table, as the step gives them."""
        *_, last = self.hits.values()
        return last.output.check_results

    def materializations(self, overtaken: Collection[str] = ()) -> list[dg.AssetMaterialization]:
        """Return the event of each table; `overtaken` are the tables that a later start has moved on meanwhile."""
        version = self.data_version
        return [
            dg.AssetMaterialization(
                asset_key=self.key,
                partition=partition,
                metadata=_metadata(
                    hit, partition=partition, is_current=str(hit.record.table) not in overtaken
                ),
                tags={**self._tags(hit, version), **dimensions(self.partitions_def, partition)},
            )
            for partition, hit in self.hits.items()
        ]

    def _tags(self, hit: Hit, version: str) -> dict[str, str]:
        tags = {}
        for key, event in self.inputs.items():
            name = key.to_user_string()
            tags[metadata_keys.INPUT_VERSION_TAG + name] = event.version
            tags[metadata_keys.INPUT_EVENT_TAG + name] = str(event.storage_id or "NULL")
        return {
            **tags,
            metadata_keys.DATA_VERSION_TAG: version,
            metadata_keys.USER_PROVIDED_TAG: "true",
            **hit.output.tags,
            metadata_keys.CODE_VERSION_TAG: self.code_version,
            metadata_keys.OUTCOME_TAG: "reused",
        }


def dimensions(partitions_def: dg.PartitionsDefinition[Any] | None, partition: str | None) -> dict[str, str]:
    """Return the tags that Dagster finds a partition of several dimensions by."""
    if partition is None or not isinstance(partitions_def, dg.MultiPartitionsDefinition):
        return {}
    keys = partitions_def.get_partition_key_from_str(partition).keys_by_dimension
    return {f"{metadata_keys.PARTITION_TAG}/{name}": key for name, key in keys.items()}


def check_evaluations(
    key: dg.AssetKey,
    specs: Iterable[dg.AssetCheckSpec],
    results: Iterable[dg.AssetCheckResult],
    *,
    storage_id: int | None,
    run_id: str,
    partition: str | None = None,
) -> Iterator[dg.AssetCheckEvaluation]:
    """Yield the recorded results of an asset's own checks, as about a stored materialization event.

    `specs` are the asset's checks, and `partition` is that of the run, for checks that have partitions.
    """
    by_name = {spec.name: spec for spec in specs if spec.asset_key == key}
    target = None
    if storage_id is not None:
        target = AssetCheckEvaluationTargetMaterializationData(
            storage_id=storage_id, run_id=run_id, timestamp=time.time()
        )
    for result in results:
        name = result.check_name or next(iter(by_name))  # the only check of an asset needs no name
        is_partitioned = getattr(by_name[name], "partitions_def", None) is not None  # since Dagster 1.13
        yield dg.AssetCheckEvaluation(
            asset_key=key,
            check_name=name,
            passed=bool(result.passed),
            metadata=result.metadata,
            target_materialization_data=target,
            severity=result.severity,
            description=result.description,
            blocking=by_name[name].blocking,
            **({"partition": partition} if is_partitioned and partition else {}),
        )


def _metadata(hit: Hit, *, partition: str | None, is_current: bool) -> dict[str, Any]:
    """Return the metadata of one reuse. The rest of the function's stands where the table was computed."""
    record = hit.record
    metadata: dict[str, Any] = {
        metadata_keys.CACHE_OUTCOME: "reused",
        metadata_keys.WHY: f"reused: {hit.why}",
        metadata_keys.SECONDS_SAVED: events.in_few_digits(record.compute_seconds or 0.0),
        **events.row_count(record, hit.output.metadata, partitioned=partition is not None),
        metadata_keys.REUSED: 1,
        **({} if is_current else {metadata_keys.IS_CURRENT: False}),
    }
    of_function: dict[str, Any] = {}
    room = _ROOM
    for name, value in hit.output.metadata.items():
        if name not in _ONLY_WHERE_COMPUTED:
            size = len(name) + len(packed({name: value})[name])
            room -= size
            if room < 0:
                break
            of_function[name] = value
    ids = dict.fromkeys(
        (metadata_keys.REUSED_MATERIALIZATION, metadata_keys.MATERIALIZATION), record.materialization_id
    )
    # the function's own stand between, and replace none of ours
    return {**metadata, **of_function, **metadata, **ids}
