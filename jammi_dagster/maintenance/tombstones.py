"""Tombstones in the root: a table that was dropped stays dropped, and a materialization that was collected stays gone.

They outlive the catalog: adoption and recovery honour them, whatever a catalog that was lost or restored says.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from jammi_dagster.artifacts import ArtifactRoot, artifact_path
from jammi_dagster.catalog import CatalogWriter, Doomed, RecoveryRows, Scope
from jammi_dagster.contract import MaterializationManifest
from jammi_dagster.contract.fields import Fields
from jammi_dagster.errors import JammiError

_SUFFIX = ".dropped.json"
TOMBSTONE = re.compile(r"/[^/]+/[0-9]{20}-[0-9a-f]{32}\.dropped\.json")
COLLECTED = re.compile(r"/[^/]+/[0-9a-f]{32}\.collected\.json")
# of a collection that was killed while it wrote the tombstone
DRAFT = re.compile(r"/[^/]+/\.[0-9a-f]{32}\.collected\.json\.[0-9a-f]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """A drop: the table's name was taken away in the deployment, as of a start."""

    table: str
    deployment: str
    start_sequence: int

    def path(self, tenant: str) -> str:
        """Give a new path for the tombstone, beside the table's sidecars."""
        name = f"{self.start_sequence:020d}-{secrets.token_hex(16)}"
        return artifact_path(tenant or None, self.table, name).removesuffix(".parquet") + _SUFFIX

    def is_contradicted(self, rows: RecoveryRows) -> bool:
        """Tell if the catalog has the table as it was: the drop was never committed."""
        return rows.stands(self.table, self.deployment, self.start_sequence)

    def to_bytes(self) -> bytes:
        """Give the tombstone as JSON."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({"version": 1, **plain}).encode()

    @classmethod
    def from_bytes(cls, data: bytes, *, where: str) -> Tombstone:
        """Read a tombstone. Raises `InvalidField`, naming `where`, for anything else."""
        fields = Fields(_json(data), where)
        return cls(
            table=fields.take("table", str),
            deployment=fields.take("deployment", str),
            start_sequence=fields.take_natural("start_sequence"),
        )


def read_tombstone(root: ArtifactRoot, path: str) -> Tombstone:
    """Read the tombstone at this path. Raises `ArtifactMissing` and `InvalidField`."""
    return Tombstone.from_bytes(root.fetch(path), where=root.uri(path))


def drop_with_tombstone(writer: CatalogWriter, root: ArtifactRoot, scope: Scope, table: str) -> bool:
    """Take the table's name away in catalog and root, both or neither; False if the deployment has no such table."""
    left = list[str]()

    def bury(start_sequence: int) -> None:
        tombstone = Tombstone(table=table, deployment=scope.deployment, start_sequence=start_sequence)
        left.append(tombstone.path(scope.tenant))
        root.write_bytes_durable(left[0], tombstone.to_bytes())

    try:
        return writer.drop(table, bury)
    except BaseException:
        with contextlib.suppress(JammiError):  # a drop that was not committed leaves no tombstone
            root.delete_many(left)
        raise


def forget_drops(root: ArtifactRoot, scope: Scope, table: str, *, until: int) -> None:
    """Remove the tombstones of the table's drops in the deployment up to a start: its name is back.

    One that cannot be removed takes the name away again only where the catalog is lost.
    """
    folder = folder_of(artifact_path(scope.tenant or None, table, "any"))
    with contextlib.suppress(JammiError):
        paths = [stored.path for stored in root.objects(folder)]
        for path in paths:
            if TOMBSTONE.fullmatch(path.removeprefix(folder_of(folder))):
                drop = read_tombstone(root, path)
                if drop.deployment == scope.deployment and drop.start_sequence <= until:
                    root.delete(path)


@dataclass(slots=True)
class Drops:
    """All drops that a root tells of: until which start each name was taken away."""

    _until: dict[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, tombstones: Iterable[tuple[str, Tombstone]]) -> Drops:
        """Gather the drops from tombstones and their paths."""
        drops = cls()
        for path, one in tombstones:
            name = (folder_of(path), one.deployment)
            drops._until[name] = max(one.start_sequence, drops._until.get(name, 0))
        return drops

    def took_away(self, artifact: str, deployment: str, start_sequence: int) -> bool:
        """Tell if the name of the artifact's table was taken away in the deployment after this start."""
        return start_sequence <= self._until.get((folder_of(artifact), deployment), -1)


def folder_of(path: str) -> str:
    """Give the folder of a path: that of one tenant's table."""
    return path.rpartition("/")[0]


# --- collected materializations -------------------------------------------------------------------------------


def collected_path(artifact: str) -> str:
    """Give the path of the tombstone of a collected materialization: in the place of its sidecar.

    >>> collected_path("tables/orders-0f/01J.parquet")
    'tables/orders-0f/01J.collected.json'
    """
    return artifact.removesuffix(".parquet") + ".collected.json"


def collected_bytes(row: Doomed, sidecar: bytes | None, *, plan: str) -> bytes:
    """Give the tombstone of a materialization: its row, and its manifest, so that its lineage is still known."""
    plain: dict[str, Any] = {
        "version": 1,
        "materialization": row.materialization_id,
        "attempt": row.attempt,
        "plan": plan,
        **{name: getattr(row, name) for name in ("table", "deployment", "start_sequence")},
        **{name: getattr(row, name) for name in ("artifact_digest", "size_bytes")},
        "manifest": None if sidecar is None else _json(sidecar),
    }
    return json.dumps(plain).encode()


def attempt_of_collected(root: ArtifactRoot, artifact: str) -> str:
    """Read of which attempt a collected materialization was. Raises `ArtifactMissing` and `InvalidField`."""
    return _collected(root, artifact).take("attempt", str)


def manifest_of_collected(root: ArtifactRoot, artifact: str) -> MaterializationManifest | None:
    """Read the manifest that the tombstone of a collected materialization keeps; None where it keeps none.

    Raises `ArtifactMissing`, `InvalidField` and `UnknownManifestVersion`.
    """
    kept = _collected(root, artifact).rest().get("manifest")
    return None if kept is None else MaterializationManifest.from_dict(kept)


def _collected(root: ArtifactRoot, artifact: str) -> Fields:
    path = collected_path(artifact)
    return Fields(_json(root.fetch(path)), root.uri(path))


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
