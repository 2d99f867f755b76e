"""Verification of one table: compare its bytes and definition with its manifest."""

from __future__ import annotations

from jammi_dagster.artifacts import ArtifactRoot, read_manifest
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import DefinitionHash, MatchVerdict


def verify_materialization(
    root: ArtifactRoot, record: MaterializationRecord, expected_definition: DefinitionHash | None = None
) -> MatchVerdict:
    """Read the table's bytes and compare: row with sidecar, bytes with sidecar, definition with the expected one.

    The first difference is the verdict. Raise `ArtifactMissing` if the bytes are gone, `InvalidManifest` or
    `UnknownManifestVersion` for an unreadable sidecar.
    """
    manifest = None if record.definition_hash is None else read_manifest(root, record.artifact_path)
    if manifest is None:
        return MatchVerdict.missing_manifest()
    if record.artifact_digest is not None and record.artifact_digest != manifest.artifact:
        return MatchVerdict.mismatch(record.artifact_digest, manifest.artifact)
    found = root.digest(record.artifact_path)
    if found != manifest.artifact:
        return MatchVerdict.mismatch(manifest.artifact, found)
    if expected_definition is not None and manifest.definition_hash != expected_definition:
        return MatchVerdict.mismatch(expected_definition, manifest.definition_hash)
    unpinned = [anchor.source for anchor in manifest.input_anchors if anchor.is_unpinned]
    return MatchVerdict.match_with_unpinned_inputs(unpinned) if unpinned else MatchVerdict.match()
