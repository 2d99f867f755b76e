"""The sidecar beside an artifact: its manifest, read from the root."""

from __future__ import annotations

from jammi_dagster.artifacts.storage.layout import sidecar_path
from jammi_dagster.artifacts.storage.root import ArtifactRoot
from jammi_dagster.contract import MaterializationManifest
from jammi_dagster.errors import ArtifactMissing

# a reader of a damaged or foreign sidecar takes no more memory; a writer refuses more (2,000,000 inputs are less)
SIDECAR_LIMIT = 256 << 20


def read_manifest(root: ArtifactRoot, artifact: str) -> MaterializationManifest | None:
    """Read the manifest beside the artifact at this path below the root. Return None if there is no sidecar.

    Raise `InvalidManifest`, `UnknownManifestVersion`, `ArtifactTooLarge`, and as the storage does.
    """
    path = sidecar_path(artifact)
    try:
        data = root.read_bytes(path, limit=SIDECAR_LIMIT)
    except ArtifactMissing:
        return None
    return MaterializationManifest.from_bytes(data, where=root.uri(path))
