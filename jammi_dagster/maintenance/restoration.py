"""Restoration: a materialization whose bytes are gone is made again, and is the same or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from jammi_dagster.artifacts import ArtifactRoot, read_manifest
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import MaterializationManifest
from jammi_dagster.errors import ArtifactMissing, InvalidManifest, NotRecomputable
from jammi_dagster.maintenance.tombstones import manifest_of_collected
from jammi_dagster.recording import Attempt, Output
from jammi_dagster.sensing import has_bytes

# everything that a sidecar records of how its table was made; the rest is of the materialization itself
_OF_RECIPE = ("asset_key", "raw_config", "partition_span", "partition_key", "code", "unpinned", "pins")


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """The end of a restoration: `restored`, `diverged` (other bytes were made, and nothing was recorded), or `there`.

    `restored_id` is another materialization with the bytes of the old one: the new one, or one that was there from an
    earlier restoration; None where there is none.
    """

    table: str
    materialization_id: str
    outcome: Literal["restored", "diverged", "there"]
    expected_digest: str
    found_digest: str
    restored_id: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the restoration as JSON."""
        return asdict(self)


def restore_record(
    root: ArtifactRoot,
    record: MaterializationRecord,
    make: Callable[[MaterializationManifest], Any],
    begin: Callable[[], Attempt],
    lead_on: Callable[[str], object],
    *,
    copies: Iterable[MaterializationRecord],
) -> Restoration:
    """Make a materialization again and publish it if its bytes have the recorded digest; no second time.

    Args:
        root: the root of the artifacts.
        record: the materialization; its manifest is in its sidecar, or in its tombstone.
        make: computes the table from the recorded manifest: descriptor, env and input anchors.
        begin: opens the funnel for the table, under the start of the record.
        lead_on: lets a name that led to the record lead to this materialization.
        copies: other materializations of the table, of which one may be a restored copy.

    Raises:
        NotRecomputable: the manifest is gone with the bytes.
    """
    manifest, expected = _manifest(root, record), str(record.artifact_digest)
    own = manifest.own or {}
    known = {
        "table": record.table,
        "materialization_id": record.materialization_id,
        "expected_digest": expected,
    }
    if record.status == "ready" and has_bytes(root, record):
        return Restoration(**known, outcome="there", found_digest=expected)
    for copy in copies:
        if _is_copy(copy, record) and has_bytes(root, copy):
            lead_on(copy.materialization_id)
            return Restoration(
                **known, outcome="there", found_digest=expected, restored_id=copy.materialization_id
            )
    data = make(manifest)
    with begin() as attempt:
        found = str(attempt.write(record.table, data).digest)
        if found != expected:
            return Restoration(**known, outcome="diverged", found_digest=found)
        output = Output(
            table=record.table,
            descriptor=manifest.descriptor,
            env=manifest.env,
            definition=manifest.definition_hash,
            input_anchors=manifest.input_anchors,
            compute_seconds=record.compute_seconds,
            own={
                **{name: own[name] for name in _OF_RECIPE if name in own},
                "restored": record.materialization_id,
            },
            annotation=own.get("annotation"),
            answers=record.answers,
        )
        made = attempt.publish([output], moves=False)[0].record
    lead_on(made.materialization_id)
    return Restoration(**known, outcome="restored", found_digest=found, restored_id=made.materialization_id)


def _is_copy(copy: MaterializationRecord, record: MaterializationRecord) -> bool:
    """Tell whether this is the record made again: a restored one has its start, and no other one has."""
    same = ("start_sequence", "artifact_digest", "definition_hash")
    return copy.status == "ready" and all(getattr(copy, name) == getattr(record, name) for name in same)


def _manifest(root: ArtifactRoot, record: MaterializationRecord) -> MaterializationManifest:
    for read in (read_manifest, manifest_of_collected):
        try:
            manifest = read(root, record.artifact_path)
        except (ArtifactMissing, InvalidManifest):
            continue
        if manifest is not None:
            return manifest
    raise NotRecomputable(table=record.table)
