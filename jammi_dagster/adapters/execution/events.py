"""The metadata of a materialization in Dagster's event log, and the part of it that is recorded for a reuse."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
from jammi_dagster.objects import media_type_of
from jammi_dagster.store import ResultStore

_MOST_ANCHORS = 50
_SHORT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The outcome of a step for one table: why, its inputs in words, seconds spent, and why it cannot be reused.

    `pins` are the inputs that the run took from a named materialization.
    """

    outcome: Literal["computed", "reused"]
    why: str
    inputs: str
    spent: float
    is_current: bool = True
    unpinned: Sequence[str] = ()
    pins: Sequence[str] = ()


def metadata_of(
    record: MaterializationRecord,
    anchors: Sequence[InputAnchor],
    told: Told,
    of_function: Mapping[str, Any],
    *,
    partitioned: bool,
) -> dict[str, Any]:
    """Return the metadata of one materialization in the order of the page: outcome, why and cost come first.

    `of_function` is the metadata that the function gave, or gave when the table was computed.
    """
    is_reuse = told.outcome == "reused"
    metadata: dict[str, Any] = {
        metadata_keys.CACHE_OUTCOME: told.outcome,
        metadata_keys.WHY: told.why,
        metadata_keys.SECONDS_SAVED: in_few_digits(record.compute_seconds or 0.0) if is_reuse else 0.0,
        metadata_keys.SECONDS_SPENT: in_few_digits(told.spent),
        **row_count(record, of_function, partitioned=partitioned),
    }
    if record.size_bytes is not None:
        metadata[metadata_keys.BYTES] = record.size_bytes
    metadata[metadata_keys.REUSED] = int(is_reuse)
    metadata[metadata_keys.INPUTS] = told.inputs
    if told.unpinned:
        metadata[metadata_keys.UNPINNED] = dg.MetadataValue.md("\n".join(f"- {why}" for why in told.unpinned))
    if told.pins:
        metadata[metadata_keys.PINS] = dg.MetadataValue.md("\n".join(f"- {pin}" for pin in told.pins))
    if is_reuse and record.produced_by != "library":
        metadata[metadata_keys.COMPUTED_BY] = dg.MetadataValue.dagster_run(record.produced_by)
    if not told.is_current:
        metadata[metadata_keys.IS_CURRENT] = False
    if record.reproducibility is not None:
        metadata[metadata_keys.REPRODUCIBILITY] = record.reproducibility
    # the function's own stand between, and replace none of ours
    return {**metadata, **of_function, **metadata, **_identity(record, anchors, is_reuse)}


def row_count(
    record: MaterializationRecord, of_function: Mapping[str, Any], *, partitioned: bool
) -> dict[str, Any]:
    """Return the number of a table's rows under Dagster's key for it; nothing for an object."""
    if metadata_keys.MEDIA_TYPE in of_function:
        return {}
    key = metadata_keys.PARTITION_ROW_COUNT if partitioned else metadata_keys.ROW_COUNT
    return {key: record.row_count}


def _identity(
    record: MaterializationRecord, anchors: Sequence[InputAnchor], is_reuse: bool
) -> dict[str, Any]:
    """Return the metadata for whoever looks closely, and for programs: names, short hashes, full ones, inputs."""
    seconds, inputs = record.compute_seconds, anchor_set_key(anchors)
    hashes = {"definition": record.definition_hash, "inputs": inputs, "bytes": record.artifact_digest}
    return {
        metadata_keys.IDENTITY: ", ".join(f"{name} {str(full)[:_SHORT]}" for name, full in hashes.items()),
        metadata_keys.TABLE_NAME: record.table,
        metadata_keys.URI: record.artifact_uri,
        **({} if seconds is None else {metadata_keys.COMPUTE_SECONDS: in_few_digits(seconds)}),
        **({metadata_keys.REUSED_MATERIALIZATION: record.materialization_id} if is_reuse else {}),
        metadata_keys.MATERIALIZATION: record.materialization_id,
        metadata_keys.ARTIFACT_DIGEST: record.artifact_digest,
        metadata_keys.DEFINITION_HASH: record.definition_hash,
        metadata_keys.INPUT_ANCHOR_SET: inputs,
        metadata_keys.INPUT_ANCHOR_COUNT: len(anchors),
        metadata_keys.INPUT_ANCHORS: _anchor_table(anchors),
    }


def in_few_digits(value: float) -> float:
    """Return a duration in digits that are read and plotted, not those of the clock."""
    return round(value, 4)


def schema_metadata(schema: pa.Schema) -> dict[str, Any]:
    """Return the columns of a table as Dagster shows them, or the media type of an object."""
    media_type = media_type_of(schema)
    if media_type is not None:
        return {metadata_keys.MEDIA_TYPE: media_type}
    columns = [
        dg.TableColumn(
            name=field.name,
            type=str(field.type),
            constraints=dg.TableColumnConstraints(nullable=field.nullable),
        )
        for field in schema
    ]
    return {metadata_keys.COLUMN_SCHEMA: dg.TableSchema(columns=columns)}


def annotation(
    output: BodyOutput, schema: Mapping[str, Any], *, added: Mapping[str, Any], replay: Replay
) -> dict[str, Any]:
    """Return as JSON the part that a reuse emits again: user metadata, tags, check results and column schema.

    `added` is the metadata that the function gave to its context; `replay` makes a sensor ask for the same again.
    """
    metadata = {**added, **output.metadata, **schema}
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


def recorded_output(
    store: ResultStore,
    record: MaterializationRecord,
    annotation: str | None,
    *,
    in_range: bool = False,
    is_shared: bool = False,
) -> BodyOutput | None:
    """Return the output that a materialization recorded, without its data: the inverse of `annotation`.

    None, with a warning, if the annotation is damaged; of a table of a range, only if that in the sidecar is too.
    `is_shared` is for outputs that are only told to Dagster: no code of a user gets their values.
    """
    found = read_annotation(store, record, annotation, or_of_sidecar=in_range, is_shared=is_shared)
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
