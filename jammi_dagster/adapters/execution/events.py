"""The metadata of a materialization in Dagster's event log, and the part of it that is recorded for a reuse."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.execution.outputs import BodyOutput
from jammi_dagster.adapters.handoff.serialized_metadata import packed
from jammi_dagster.adapters.recipe.annotation import read_annotation
from jammi_dagster.adapters.recipe.replay import KEY as REPLAY
from jammi_dagster.adapters.recipe.replay import Replay
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import InputAnchor, anchor_set_key
from jammi_dagster.contract.anchors import once_for_each_tuple

_MOST_ANCHORS = 50


def table_metadata(
    record: MaterializationRecord, anchors: Sequence[InputAnchor], *, partitioned: bool
) -> dict[str, Any]:
    """Return the metadata of one materialization that follows from its record and inputs."""
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
    """Return the further metadata of a computed table: why it cannot be reused, whether a later start won."""
    metadata: dict[str, Any] = {metadata_keys.CACHE_OUTCOME: "computed"}
    if reasons:
        metadata[metadata_keys.UNPINNED] = dg.MetadataValue.md("\n".join(f"- {reason}" for reason in reasons))
    if not is_current:
        metadata[metadata_keys.IS_CURRENT] = False
    return metadata


def reused_metadata(record: MaterializationRecord, *, is_current: bool) -> dict[str, Any]:
    """Return the further metadata of a reused table."""
    metadata: dict[str, Any] = {
        metadata_keys.CACHE_OUTCOME: "reused",
        metadata_keys.REUSED_MATERIALIZATION: record.materialization_id,
    }
    return metadata if is_current else {**metadata, metadata_keys.IS_CURRENT: False}


def column_schema(schema: pa.Schema) -> dg.TableSchema:
    """Return an Arrow schema as Dagster shows it."""
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
    output: BodyOutput, schema: pa.Schema, *, added: Mapping[str, Any], replay: Replay
) -> dict[str, Any]:
    """Return as JSON the part that a reuse emits again: user metadata, tags, check results and column schema.

    `added` is the metadata that the function gave to its context; `replay` makes a sensor ask for the same again.
    """
    metadata = {**added, **output.metadata, metadata_keys.COLUMN_SCHEMA: column_schema(schema)}
    return {
        REPLAY: replay.to_dict(),
        "metadata": packed(metadata),
        "tags": dict(output.tags),
        "check_results": [
            {
                "check_name": result.check_name,
                "asset_key": None if result.asset_key is None else list(result.asset_key.path),
                "passed": bool(result.passed),
                "severity": result.severity.value,
                "description": result.description,
                "metadata": packed(result.metadata or {}),
            }
            for result in output.check_results
        ],
    }


def recorded_output(record: MaterializationRecord, annotation: str | None) -> BodyOutput | None:
    """Return the output that a materialization recorded, without its data: the inverse of `annotation`.

    None, with a warning, if the annotation is damaged.
    """
    found = read_annotation(record, annotation)
    if found is None:
        return None
    checks = list(found.check_results)
    return BodyOutput(metadata=dict(found.metadata), tags=dict(found.tags), check_results=checks)


def data_version(digests: Mapping[str | None, str]) -> dg.DataVersion:
    """Return the artifact digest; for a range the digest over its sorted (partition, digest) pairs (DESIGN 4.7)."""
    if len(digests) == 1:
        return dg.DataVersion(next(iter(digests.values())))
    pairs = sorted((str(partition), digest) for partition, digest in digests.items())
    return dg.DataVersion(hashlib.sha256(json.dumps(pairs).encode()).hexdigest())


def saved_line(records: Sequence[MaterializationRecord]) -> str:
    """Return the log line of a reuse: the materialization, the run that made it, and the seconds saved.

    A range has one line for all its tables.
    """
    seconds = [record.compute_seconds for record in records if record.compute_seconds is not None]
    saved = f", {sum(seconds):.2f} s saved" if seconds else ""
    first, *others = records
    if not others:
        return f"reused {first.table}: materialization {first.materialization_id} of run {first.produced_by}{saved}"
    made_by = list(dict.fromkeys(record.produced_by for record in records))
    shown = ", ".join(made_by[:3]) + (f" and {len(made_by) - 3} more" if len(made_by) > 3 else "")
    return f"reused {len(records):,} tables, {first.table} to {records[-1].table}, of run {shown}{saved}"


@once_for_each_tuple
def _anchor_table(anchors: Sequence[InputAnchor]) -> dg.MetadataValue[Any]:
    columns = [dg.TableColumn(name=name, type="string") for name in ("source", "anchor", "kind")]
    records = [
        dg.TableRecord({"source": a.source, "anchor": a.anchor, "kind": a.kind.value})
        for a in anchors[:_MOST_ANCHORS]
    ]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns=columns))
