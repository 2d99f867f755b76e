"""Are a table's bytes and definition what its manifest says?"""

from __future__ import annotations

from jammi_dagster.artifacts import ArtifactRoot, read_manifest
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import DefinitionHash, MatchVerdict


def verify_materialization(
    root: ArtifactRoot, record: MaterializationRecord, expected_definition: DefinitionHash | None = None
) -> MatchVerdict:
    """Reads the table's bytes and compares: row with sidecar, bytes with sidecar, definition with the expected one.

    The first that differs is the verdict. Raises `ArtifactMissing` where the bytes are gone, and
    `InvalidManifest` or `UnknownManifestVersion` for a sidecar that says nothing.
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
