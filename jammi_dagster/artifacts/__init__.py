"""Bytes of materializations on fsspec: where they lie, how they are written once, how they are read."""

from jammi_dagster.artifacts.parquet.profile import DEFAULT_PROFILE, WriterProfile
from jammi_dagster.artifacts.parquet.stream import as_stream
from jammi_dagster.artifacts.parquet.writer import WrittenArtifact, write_parquet
from jammi_dagster.artifacts.sidecar import read_manifest
from jammi_dagster.artifacts.storage.layout import artifact_path, check_relative, sidecar_path, tables_folder
from jammi_dagster.artifacts.storage.root import ArtifactRoot
from jammi_dagster.artifacts.storage.sink import Sink
from jammi_dagster.artifacts.storage.storage import DELETED_AT_ONCE, StoredObject

__all__ = [
    "DEFAULT_PROFILE",
    "DELETED_AT_ONCE",
    "ArtifactRoot",
    "Sink",
    "StoredObject",
    "WriterProfile",
    "WrittenArtifact",
    "artifact_path",
    "as_stream",
    "check_relative",
    "read_manifest",
    "sidecar_path",
    "tables_folder",
    "write_parquet",
]
