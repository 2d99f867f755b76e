"""Bytes of materializations on fsspec: where they lie, how they are written once, how they are read."""

from jammi_dagster.artifacts.layout import artifact_path, check_relative, sidecar_path, tables_folder
from jammi_dagster.artifacts.profile import DEFAULT_PROFILE, WriterProfile
from jammi_dagster.artifacts.root import ArtifactRoot
from jammi_dagster.artifacts.sink import Sink
from jammi_dagster.artifacts.stream import as_stream
from jammi_dagster.artifacts.writer import WrittenArtifact, write_parquet

__all__ = [
    "DEFAULT_PROFILE",
    "ArtifactRoot",
    "Sink",
    "WriterProfile",
    "WrittenArtifact",
    "artifact_path",
    "as_stream",
    "check_relative",
    "sidecar_path",
    "tables_folder",
    "write_parquet",
]
