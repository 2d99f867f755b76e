"""Catalog rows read back from sidecars."""

from __future__ import annotations

import json
from dataclasses import dataclass

from jammi_dagster.artifacts import SIDECAR_LIMIT, ArtifactRoot, artifact_path, sidecar_path
from jammi_dagster.catalog import AbandonedRow, BuildingRow, ReadyRow, decode_answers
from jammi_dagster.contract import MaterializationManifest, canonical_json, definition_hash
from jammi_dagster.contract.fields import Fields
from jammi_dagster.contract.tables import check_source, check_table
from jammi_dagster.errors import ArtifactTooLarge, InvalidField
from jammi_dagster.sensing.why import cause

_ID_DIGITS_OF_TIME = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SidecarRow:
    """The row that a sidecar tells of: its new values, the scope it was made in, and its run and attempt."""

    ready: ReadyRow
    tenant: str
    deployment: str
    produced_by: str
    run_id: str | None
    attempt_size: int


def fetch_manifest(
    root: ArtifactRoot, artifact: str, *, listed: int | None = None
) -> MaterializationManifest:
    """Read the manifest beside an artifact, in one request; `listed` is its size, if that is known.

    Raises `ArtifactMissing`, `InvalidManifest`, `UnknownManifestVersion` and `ArtifactTooLarge`.
    """
    return parse_manifest(root, artifact, fetch_sidecar(root, artifact, listed=listed))


def fetch_sidecar(root: ArtifactRoot, artifact: str, *, listed: int | None = None) -> bytes:
    """Read the bytes of the sidecar beside an artifact. Raises `ArtifactMissing` and `ArtifactTooLarge`."""
    path = sidecar_path(artifact)
    if listed is not None and listed > SIDECAR_LIMIT:
        raise ArtifactTooLarge(uri=root.uri(path), limit=SIDECAR_LIMIT)
    return root.read_bytes(path, limit=SIDECAR_LIMIT) if listed is None else root.fetch(path)


def parse_manifest(root: ArtifactRoot, artifact: str, data: bytes) -> MaterializationManifest:
    """Parse the manifest of an artifact. Raises `InvalidManifest` and `UnknownManifestVersion`."""
    return MaterializationManifest.from_bytes(data, where=root.uri(sidecar_path(artifact)))


def row_of(manifest: MaterializationManifest, artifact: str, *, tenant: str) -> SidecarRow:
    """Read the row of an artifact from its manifest. Sidecars from before 0.2 name no tenant: then it is `tenant`.

    Raises `InvalidField` where the manifest is not the one of this artifact, or its definition not that of its
    descriptor, and `InvalidTableName`.
    """
    own = Fields(manifest.own, "manifest", "jammi_dagster")
    table, materialization = check_table(own.take("table", str)), own.take("materialization", str)
    tenant, deployment = own.rest().get("tenant", tenant), own.take("deployment", str)
    if not isinstance(tenant, str) or artifact_path(tenant or None, table, materialization) != artifact:
        raise own.bad("materialization", f"the one at {artifact}")
    if definition_hash(manifest.descriptor, manifest.env) != manifest.definition_hash:
        raise InvalidField(
            what="manifest",
            path="definition_hash",
            value=str(manifest.definition_hash),
            expected="the hash of its descriptor and env",
        )
    rest = own.rest()
    attempt = rest.get("attempt")
    attempt = attempt if isinstance(attempt, dict) else {}
    attempt_id, attempt_size = attempt.get("id"), attempt.get("size")
    start, created_at = rest.get("start_sequence"), rest.get("created_at")
    building = BuildingRow(
        materialization_id=materialization,
        table=table,
        artifact_path=artifact,
        start_sequence=_natural(start, int(materialization[:_ID_DIGITS_OF_TIME], 16)),
        created_at=created_at if isinstance(created_at, str) else manifest.produced_at,
        attempt_id=attempt_id if isinstance(attempt_id, str) else materialization,
    )
    for text in (deployment, manifest.produced_by, manifest.produced_at, building.created_at):
        check_source(text)  # which every database can hold
    ready, run_id = ready_row(building, manifest)
    return SidecarRow(
        ready=ready,
        tenant=tenant,
        deployment=deployment,
        produced_by=manifest.produced_by,
        run_id=run_id,
        attempt_size=_natural(attempt_size, 1),
    )


def row_of_abandoned(
    abandoned: AbandonedRow, manifest: MaterializationManifest
) -> tuple[ReadyRow, str | None]:
    """Read the new values of a row, and its run, from its sidecar. Raises `InvalidField` for another row's."""
    own = Fields(manifest.own, "manifest", "jammi_dagster")
    for name, expected in (("table", abandoned.table), ("materialization", abandoned.materialization_id)):
        if own.take(name, str) != expected:
            raise own.bad(name, expected)
    return ready_row(building_row(abandoned), manifest)


def building_row(abandoned: AbandonedRow) -> BuildingRow:
    """Give an abandoned row as its writer began it."""
    return BuildingRow(
        materialization_id=abandoned.materialization_id,
        table=abandoned.table,
        artifact_path=abandoned.artifact_path,
        start_sequence=abandoned.start_sequence,
        created_at=abandoned.created_at,
    )


def ready_row(building: BuildingRow, manifest: MaterializationManifest) -> tuple[ReadyRow, str | None]:
    """Read a row's new values, and its run. Raises `InvalidField` for a sidecar that says too little."""
    own = Fields(manifest.own, "manifest", "jammi_dagster")
    if "\0" in manifest.produced_at:  # which no database holds
        raise Fields(manifest.to_dict(), "manifest").bad("produced_at", "an instant")
    rest = own.rest()
    seconds, annotation, run_id = (rest.get(name) for name in ("compute_seconds", "annotation", "run_id"))
    ready = ReadyRow(
        building=building,
        definition_hash=manifest.definition_hash,
        input_anchors=manifest.input_anchors,
        artifact_digest=manifest.artifact,
        size_bytes=own.take_natural("size_bytes"),
        row_count=own.take_natural("row_count"),
        writer_profile=canonical_json(own.take("writer_profile", dict)).decode(),
        compute_seconds=seconds if isinstance(seconds, float) else None,
        completed_at=manifest.produced_at,
        annotation_json=None if annotation is None else canonical_json(annotation).decode(),
        cause=cause(manifest.own),
        answers_json=_answers(rest.get("answers")),
    )
    return ready, run_id if isinstance(run_id, str) and "\0" not in run_id else None


def _answers(recorded: object) -> str | None:
    """Give recorded answers as the catalog holds them; none for a sidecar that has other values there."""
    try:
        return json.dumps(decode_answers(recorded, where="manifest")) if recorded else None
    except InvalidField:
        return None


def _natural(value: object, otherwise: int) -> int:
    """Give a number that every database can hold, and another one instead of anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**62:
        return value
    return otherwise
