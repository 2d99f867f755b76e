"""The layout below a root: paths of artifacts, never used twice, never leading out of the root."""

from __future__ import annotations

import hashlib
import re

from jammi_dagster.errors import ArtifactOutsideRoot

_READABLE = 80
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_COMPONENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
# no component may be empty, `.` or `..`; no backslash, NUL, or colon (a scheme, a Windows drive or stream)
_RELATIVE = re.compile(r"(?!\.{1,2}(?:/|\Z))[^/\\\0:]+(?:/(?!\.{1,2}(?:/|\Z))[^/\\\0:]+)*", re.DOTALL)

IDENTITY_PATH = "jammi-root.json"
CATALOG_FILE = "catalog.db"
PARQUET = ".parquet"
SIDECAR = ".materialization.json"


def artifact_path(tenant: str | None, table: str, materialization_id: str) -> str:
    """Return the posix path of a materialization's Parquet object, relative to the root.

    Tenant and table may be any strings. The id must be a plain name (`[A-Za-z0-9._-]`, no leading dot); since ids are
    unique, paths are too. Raise `ArtifactOutsideRoot` for any other id.
    """
    if _COMPONENT.fullmatch(materialization_id) is None:
        raise ArtifactOutsideRoot(path=materialization_id, why="this materialization id is not a plain name")
    return f"{tables_folder(tenant)}/{_slug(table)}/{materialization_id}{PARQUET}"


def tables_folder(tenant: str | None) -> str:
    """Return the folder of a tenant's artifacts; None stands for the global ones."""
    return "tables" if tenant is None else f"tenants/{_slug(tenant)}/tables"


def runs_folder(tenant: str | None) -> str:
    """Return the folder of the values that runs of a tenant hand from step to step; None stands for no tenant."""
    return "runs" if tenant is None else f"tenants/{_slug(tenant)}/runs"


def run_value_path(tenant: str | None, run_id: str, group: str, name: str) -> str:
    """Return the path of one value of a run, among those of a group. Raise `ArtifactOutsideRoot` for no plain run id.

    >>> run_value_path(None, "0190", "clean", "result")
    'runs/0190/clean-3b066804f6d1d077/result-f6a214f7a5fcda0c.pickle'
    """
    if _COMPONENT.fullmatch(run_id) is None:
        raise ArtifactOutsideRoot(path=run_id, why="this run id is not a plain name")
    return f"{runs_folder(tenant)}/{run_id}/{_slug(group)}/{_slug(name)}.pickle"


def sidecar_path(artifact: str) -> str:
    """Return the path of the manifest beside an artifact, named as the engine names it.

    Raise `ArtifactOutsideRoot` for a path that does not end like a Parquet object.

    >>> sidecar_path("tables/orders-0f/01J.parquet")
    'tables/orders-0f/01J.materialization.json'
    """
    if not isinstance(artifact, str) or not artifact.endswith(PARQUET):
        raise ArtifactOutsideRoot(path=artifact, why=f"it does not end in {PARQUET}")
    return artifact.removesuffix(PARQUET) + SIDECAR


def check_relative(path: str) -> None:
    """Raise `ArtifactOutsideRoot` for a path that could name anything outside the root.

    Catalog rows and sidecars are untrusted data: whatever path they hold, nothing outside the root is opened. Symbolic
    links below the root are followed; they are the owner's choice.
    """
    if not isinstance(path, str) or _RELATIVE.fullmatch(path) is None:
        why = "it is no relative path without `..`, `.`, empty components, backslash, colon and NUL"
        raise ArtifactOutsideRoot(path=path, why=why)


def _slug(name: str) -> str:
    """Make a folder name that people recognize and that no other name shares, on no file system.

    The digest keeps names apart that the readable part does not: by case, by length, by characters left out.
    """
    readable = _UNSAFE.sub("-", name).lstrip(".")[:_READABLE]
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{readable or '_'}-{digest[:16]}"
