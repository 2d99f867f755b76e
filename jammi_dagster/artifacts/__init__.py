"""Artifacts: the bytes of materializations, under one root, on any fsspec file system.

The rooms: `storage/` has the root, the layout of paths below it, and writing once and durably; `parquet/` turns any
kind of table into one Parquet object, with the digests of its bytes; `sidecar.py` reads the manifest beside an object;
`verified.py` reads an artifact and compares it with its record.

Rules: nothing is ever overwritten; an object is durable before anyone hears of it; no path leads out of the root; equal
data under an equal writer profile gives equal bytes.

Not done here: the order of bytes, manifest and catalog (see `recording`), and removing artifacts (see `maintenance`).
"""

import importlib
from typing import TYPE_CHECKING, Any

from jammi_dagster.artifacts.sidecar import SIDECAR_LIMIT, read_manifest
from jammi_dagster.artifacts.storage.layout import (
    CATALOG_FILE,
    IDENTITY_PATH,
    artifact_path,
    check_relative,
    run_value_path,
    runs_folder,
    sidecar_path,
    tables_folder,
)
from jammi_dagster.artifacts.storage.root import ArtifactRoot, absolute_root
from jammi_dagster.artifacts.storage.sink import Sink
from jammi_dagster.artifacts.storage.storage import DELETED_AT_ONCE, StoredObject
from jammi_dagster.artifacts.verified import Recorded, VerifiedReads

if TYPE_CHECKING:
    from jammi_dagster.artifacts.parquet.stream import as_stream
    from jammi_dagster.artifacts.parquet.writer import WrittenArtifact, write_parquet
    from jammi_dagster.artifacts.parquet.writer_profile import DEFAULT_PROFILE, WriterProfile

__all__ = [
    "CATALOG_FILE",
    "DEFAULT_PROFILE",
    "DELETED_AT_ONCE",
    "IDENTITY_PATH",
    "SIDECAR_LIMIT",
    "ArtifactRoot",
    "Recorded",
    "Sink",
    "StoredObject",
    "VerifiedReads",
    "WriterProfile",
    "WrittenArtifact",
    "absolute_root",
    "artifact_path",
    "as_stream",
    "check_relative",
    "read_manifest",
    "run_value_path",
    "runs_folder",
    "sidecar_path",
    "tables_folder",
    "write_parquet",
]

# a reuse writes nothing, and needs no half of pyarrow
_WRITING = {
    "DEFAULT_PROFILE": "writer_profile",
    "WriterProfile": "writer_profile",
    "WrittenArtifact": "writer",
    "as_stream": "stream",
    "write_parquet": "writer",
}


def __getattr__(name: str) -> Any:
    if name not in _WRITING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.parquet.{_WRITING[name]}"), name)
    globals()[name] = value
    return value
