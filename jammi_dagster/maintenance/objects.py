"""The objects of a root's folder, listed once for a whole pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from jammi_dagster.artifacts import ArtifactRoot, sidecar_path
from jammi_dagster.errors import ArtifactMissing
from jammi_dagster.maintenance.bulk import Progress
from jammi_dagster.maintenance.tombstones import TOMBSTONE

# the funnel's objects, below the tenant's folder: anything else there (an engine's tables) is not ours to remove
_OURS = re.compile(r"/[^/]+/[0-9a-f]{32}\.(parquet|materialization\.json)")
_TENANTS = "tenants"
_OF_A_TENANT = re.compile(r"/[^/]+/tables(?=/)")


@dataclass(slots=True, kw_only=True)
class ListedObjects:
    """Our objects below a folder: path -> size and time of the last write; of tombstones only the time."""

    sizes: dict[str, tuple[int, float | None]] = field(default_factory=dict)
    tombstones: dict[str, float | None] = field(default_factory=dict)

    @classmethod
    def below(cls, root: ArtifactRoot, folder: str, progress: Progress) -> ListedObjects:
        """List the objects below the folder of a tenant, or below `tenants` those of all. Raises `StorageFailed`."""
        listed = cls()
        try:
            for path, size, written in root.objects(folder):
                progress.step("objects listed")
                inner = path.removeprefix(folder)
                if folder == _TENANTS:
                    inner = _OF_A_TENANT.sub("", inner, count=1)
                if _OURS.fullmatch(inner) and size >= 0:  # else it is asked for by itself
                    listed.sizes[path] = size, written
                elif TOMBSTONE.fullmatch(inner):
                    listed.tombstones[path] = written
        except ArtifactMissing:  # no folder is an empty one
            pass
        return listed

    def size(self, path: str) -> int | None:
        """Give the size of an object; None if it was not listed."""
        found = self.sizes.get(path)
        return None if found is None else found[0]

    def pairs(self) -> Iterator[str]:
        """Yield every artifact that has a sidecar beside it."""
        return (path for path in self.sizes if path.endswith(".parquet") and sidecar_path(path) in self.sizes)

    def older(self, than: float) -> Iterator[str]:
        """Yield the objects that were last written before that time."""
        return (path for path, (_, written) in self.sizes.items() if written is not None and written < than)
