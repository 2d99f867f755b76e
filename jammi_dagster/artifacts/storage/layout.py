"""Where artifacts lie below a root: paths that are never used twice and never lead out of it."""

from __future__ import annotations

import hashlib
import re

from jammi_dagster.errors import ArtifactOutsideRoot

_READABLE = 80
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_COMPONENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
# no component may be empty, `.` or `..`; no backslash, NUL, or colon (a scheme, a Windows drive or stream)
_RELATIVE = re.compile(r"(?!\.{1,2}(?:/|\Z))[^/\\\0:]+(?:/(?!\.{1,2}(?:/|\Z))[^/\\\0:]+)*", re.DOTALL)

PARQUET = ".parquet"
SIDECAR = ".materialization.json"


def artifact_path(tenant: str | None, table: str, materialization_id: str) -> str:
    """The posix path, relative to the root, of a materialization's Parquet object.

    Tenant and table may be any strings. The id must be a plain name (`[A-Za-z0-9._-]`, no leading dot) and be
    unique, which makes the path so. Raises `ArtifactOutsideRoot` for any other id.
    """
    if _COMPONENT.fullmatch(materialization_id) is None:
        raise ArtifactOutsideRoot(path=materialization_id, why="this materialization id is not a plain name")
    return f"{tables_folder(tenant)}/{_slug(table)}/{materialization_id}{PARQUET}"


def tables_folder(tenant: str | None) -> str:
    """The folder of all artifacts of a tenant, or of the global ones for None."""
    return "tables" if tenant is None else f"tenants/{_slug(tenant)}/tables"


def sidecar_path(artifact: str) -> str:
    """The path of the manifest beside an artifact, named as the engine names it.

    Raises `ArtifactOutsideRoot` for a path that is not that of a Parquet object.
    """
    if not isinstance(artifact, str) or not artifact.endswith(PARQUET):
        raise ArtifactOutsideRoot(path=artifact, why=f"it does not end in {PARQUET}")
    return artifact.removesuffix(PARQUET) + SIDECAR


def check_relative(path: str) -> None:
    """Raises `ArtifactOutsideRoot` for a path that could name anything outside the root.

    Catalog rows and sidecars are data: whatever they say, nothing outside the root is opened. Symbolic links
    below the root are its owner's business and are followed.
    """
    if not isinstance(path, str) or _RELATIVE.fullmatch(path) is None:
        why = (
            "it is no path, or absolute, or holds `..`, `.`, an empty component, a backslash, a colon or NUL"
        )
        raise ArtifactOutsideRoot(path=path, why=why)


def _slug(name: str) -> str:
    """A folder name that people recognize and that no other name shares, on no file system.

    The digest tells apart what the readable part does not: case, length, and every character left out.
    """
    readable = _UNSAFE.sub("-", name).lstrip(".")[:_READABLE]
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{readable or '_'}-{digest[:16]}"
