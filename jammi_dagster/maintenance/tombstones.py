"""Tombstones: what a drop leaves in the root, so that a dropped table stays dropped when its catalog is lost."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from jammi_dagster.artifacts import ArtifactRoot, artifact_path
from jammi_dagster.catalog import CatalogWriter, DroppedRows, RecoveryRows, Scope
from jammi_dagster.contract.fields import Fields
from jammi_dagster.errors import JammiError

_SUFFIX = ".dropped.json"
TOMBSTONE = re.compile(r"/[^/]+/[0-9]{20}-[0-9a-f]{32}\.dropped\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """A drop: of the table in the deployment, as of a start; `materializations` are never used again.

    Each of them is an id with the id of its attempt, whose other tables need not be dropped.
    """

    table: str
    deployment: str
    start_sequence: int
    materializations: Sequence[tuple[str, str]]

    def path(self, tenant: str) -> str:
        """Give a new path for the tombstone, beside the table's sidecars."""
        name = f"{self.start_sequence:020d}-{secrets.token_hex(16)}"
        return artifact_path(tenant or None, self.table, name).removesuffix(".parquet") + _SUFFIX

    def is_contradicted(self, rows: RecoveryRows) -> bool:
        """Tell if the catalog has the table as it was: the drop was never committed."""
        ids = [one for one, _ in self.materializations]
        return rows.stands(self.table, self.deployment, self.start_sequence, ids)

    def to_bytes(self) -> bytes:
        """Give the tombstone as JSON."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({"version": 1, **plain}).encode()

    @classmethod
    def from_bytes(cls, data: bytes, *, where: str) -> Tombstone:
        """Read a tombstone. Raises `InvalidField`, naming `where`, for anything else."""
        try:
            plain = json.loads(data)
        except (ValueError, RecursionError):
            plain = None
        fields = Fields(plain, where)
        pairs = fields.take("materializations", list)
        if not all(isinstance(pair, list) and [type(one) for one in pair] == [str, str] for pair in pairs):
            raise fields.bad("materializations", "pairs of texts")
        return cls(
            table=fields.take("table", str),
            deployment=fields.take("deployment", str),
            start_sequence=fields.take_natural("start_sequence"),
            materializations=[(pair[0], pair[1]) for pair in pairs],
        )


def read_tombstone(root: ArtifactRoot, path: str) -> Tombstone:
    """Read the tombstone at this path. Raises `ArtifactMissing` and `InvalidField`."""
    return Tombstone.from_bytes(root.fetch(path), where=root.uri(path))


def drop_with_tombstone(writer: CatalogWriter, root: ArtifactRoot, scope: Scope, table: str) -> bool:
    """Drop the table from catalog and root, both or neither; False if the deployment has no such table."""
    left = list[str]()

    def bury(dropped: DroppedRows) -> None:
        tombstone = Tombstone(
            table=table,
            deployment=scope.deployment,
            start_sequence=dropped.start_sequence,
            materializations=dropped.materializations,
        )
        left.append(tombstone.path(scope.tenant))
        root.write_bytes_durable(left[0], tombstone.to_bytes())

    try:
        return writer.drop(table, bury)
    except BaseException:
        with contextlib.suppress(JammiError):  # a drop that was not committed leaves no tombstone
            root.delete_many(left)
        raise


@dataclass(slots=True)
class Drops:
    """All drops that a root tells of: the dropped materializations, and until which start each name was taken away."""

    materializations: dict[str, str] = field(default_factory=dict)
    _until: dict[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, tombstones: Iterable[tuple[str, Tombstone]]) -> Drops:
        """Gather the drops from tombstones and their paths."""
        drops = cls()
        for path, one in tombstones:
            drops.materializations.update(one.materializations)
            name = (folder_of(path), one.deployment)
            drops._until[name] = max(one.start_sequence, drops._until.get(name, 0))
        return drops

    def took_away(self, artifact: str, deployment: str, start_sequence: int) -> bool:
        """Tell if the name of the artifact's table was taken away in the deployment after this start."""
        return start_sequence <= self._until.get((folder_of(artifact), deployment), -1)


def folder_of(path: str) -> str:
    """Give the folder of a path: that of one tenant's table."""
    return path.rpartition("/")[0]
