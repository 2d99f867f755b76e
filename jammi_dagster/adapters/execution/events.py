"""What a materialization says in Dagster's event log, and what of it is recorded for a reuse to say again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.execution.outputs import Produced
from jammi_dagster.adapters.handoff.serialized_metadata import packed, unpacked
from jammi_dagster.adapters.recipe.replay import KEY as REPLAY
from jammi_dagster.adapters.recipe.replay import Replay
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import InputAnchor, anchor_set_key

_MOST_ANCHORS = 50


def table_metadata(
    record: MaterializationRecord, anchors: Sequence[InputAnchor], *, partitioned: bool
) -> dict[str, Any]:
    """The metadata of one materialization that follows from its record and inputs."""
    rows = metadata_keys.PARTITION_ROW_COUNT if partitioned else metadata_keys.ROW_COUNT
    metadata: dict[str, Any] = {
        rows: record.row_count,
        metadata_keys.URI: record.artifact_uri,
        metadata_keys.TABLE_NAME: record.table,
        metadata_keys.MATERIALIZATION: record.materialization_id,
        metadata_keys.DEFINITION_HASH: record.definition_hash,
        metadata_keys.ARTIFACT_DIGEST: record.artifact_digest,
        metadata_keys.INPUT_ANCHORS: _anchor_table(anchors),
        metadata_keys.INPUT_ANCHOR_COUNT: len(anchors),
        metadata_keys.INPUT_ANCHOR_SET: anchor_set_key(anchors),
    }
    if record.compute_seconds is not None:
        metadata[metadata_keys.COMPUTE_SECONDS] = record.compute_seconds
    if record.reproducibility is not None:
        metadata[metadata_keys.REPRODUCIBILITY] = record.reproducibility
    return metadata


def computed_metadata(*, is_current: bool, reasons: Sequence[str]) -> dict[str, Any]:
    """What a table that was just computed says besides: why it cannot be reused, whether a later start won."""
    metadata: dict[str, Any] = {metadata_keys.CACHE_OUTCOME: "computed"}
    if reasons:
        metadata[metadata_keys.UNPINNED] = dg.MetadataValue.md("\n".join(f"- {reason}" for reason in reasons))
    if not is_current:
        metadata[metadata_keys.IS_CURRENT] = False
    return metadata


def reused_metadata(record: MaterializationRecord, *, is_current: bool) -> dict[str, Any]:
    """What a reuse says besides."""
    metadata: dict[str, Any] = {
        metadata_keys.CACHE_OUTCOME: "reused",
        metadata_keys.REUSED_MATERIALIZATION: record.materialization_id,
    }
    return metadata if is_current else {**metadata, metadata_keys.IS_CURRENT: False}


def column_schema(schema: pa.Schema) -> dg.TableSchema:
    """The Arrow schema as Dagster shows it."""
    columns = [
        dg.TableColumn(
            name=field.name,
            type=str(field.type),
            constraints=dg.TableColumnConstraints(nullable=field.nullable),
        )
        for field in schema
    ]
    return dg.TableSchema(columns=columns)


def annotation(
    produced: Produced, schema: pa.Schema, *, added: Mapping[str, Any], replay: Replay
) -> dict[str, Any]:
    """What a reuse emits again, as JSON: the user's metadata, tags and check results, and the column schema.

    `added` is the metadata that the function gave to its context, `replay` what a sensor asks for again.
    """
    metadata = {**added, **produced.metadata, metadata_keys.COLUMN_SCHEMA: column_schema(schema)}
    return {
        REPLAY: replay.to_dict(),
        "metadata": packed(metadata),
        "tags": dict(produced.tags),
        "check_results": [
            {
                "check_name": result.check_name,
                "asset_key": None if result.asset_key is None else list(result.asset_key.path),
                "passed": bool(result.passed),
                "severity": result.severity.value,
                "description": result.description,
                "metadata": packed(result.metadata or {}),
            }
            for result in produced.check_results
        ],
    }


def recorded(annotation_json: str | None) -> Produced:
    """The inverse of `annotation`."""
    if annotation_json is None:
        return Produced()
    value = json.loads(annotation_json)
    checks = [
        dg.AssetCheckResult(
            check_name=check["check_name"],
            asset_key=None if check["asset_key"] is None else dg.AssetKey(check["asset_key"]),
            passed=check["passed"],
            severity=dg.AssetCheckSeverity(check["severity"]),
            description=check["description"],
            metadata=unpacked(check["metadata"]),
        )
        for check in value["check_results"]
    ]
    return Produced(metadata=unpacked(value["metadata"]), tags=value["tags"], check_results=checks)


def data_version(digests: Mapping[str | None, str]) -> dg.DataVersion:
    """The artifact digest; for a range the digest over its sorted (partition, digest) pairs (DESIGN 4.7)."""
    if len(digests) == 1:
        return dg.DataVersion(next(iter(digests.values())))
    pairs = sorted((str(partition), digest) for partition, digest in digests.items())
    return dg.DataVersion(hashlib.sha256(json.dumps(pairs).encode()).hexdigest())


def saved_line(record: MaterializationRecord) -> str:
    """The log line of a reuse: what was reused, from which run, and the seconds saved."""
    saved = "" if record.compute_seconds is None else f", {record.compute_seconds:.2f} s saved"
    return f"reused {record.table}: materialization {record.materialization_id} of run {record.produced_by}{saved}"


def _anchor_table(anchors: Sequence[InputAnchor]) -> dg.MetadataValue[Any]:
    columns = [dg.TableColumn(name=name, type="string") for name in ("source", "anchor", "kind")]
    records = [
        dg.TableRecord({"source": a.source, "anchor": a.anchor, "kind": a.kind.value})
        for a in anchors[:_MOST_ANCHORS]
    ]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns=columns))
