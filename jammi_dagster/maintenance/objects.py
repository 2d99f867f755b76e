"""The objects of a root's folder, listed once for a whole pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from jammi_dagster.artifacts import ArtifactRoot, StoredObject, sidecar_path
from jammi_dagster.catalog.records import artifact_of
from jammi_dagster.errors import ArtifactMissing
from jammi_dagster.maintenance.bulk import Progress
from jammi_dagster.maintenance.tombstones import COLLECTED, DRAFT, TOMBSTONE

# the funnel's objects, below the tenant's folder: anything else there (an engine's tables) is not ours to remove
_OURS = re.compile(r"/[^/]+/[0-9a-f]{32}\.(parquet|materialization\.json)")
_TENANTS = "tenants"
_OF_A_TENANT = re.compile(r"/[^/]+/tables(?=/)")


@dataclass(slots=True, kw_only=True)
class ListedObjects:
    """Our objects below a folder: path -> size and time of the last write; of a drop's tombstone only the time.

    `collected` are the artifacts that have the tombstone of a collection, whether they are there or not.
    """

    sizes: dict[str, tuple[int, float | None]] = field(default_factory=dict)
    tombstones: dict[str, float | None] = field(default_factory=dict)
    collected: set[str] = field(default_factory=set)

    @classmethod
    def below(cls, root: ArtifactRoot, folder: str, progress: Progress) -> ListedObjects:
        """List the objects below the folder of a tenant, or below `tenants` those of all. Raises `StorageFailed`."""
        listed = cls()
        for kind, (path, size, written) in our_objects(root, folder, progress):
            if kind in ("object", "draft"):
                listed.sizes[path] = size, written
            elif kind == "drop":
                listed.tombstones[path] = written
            else:
                listed.collected.add(artifact_of(path))
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


def our_objects(
    root: ArtifactRoot, folder: str, progress: Progress, *, below: str | None = None
) -> Iterator[tuple[Literal["object", "drop", "collected", "draft"], StoredObject]]:
    """List the objects of materializations, and the tombstones with their drafts. Raises `StorageFailed`.

    `below` is the folder of one table, if only its objects are asked for.
    """
    try:
        for stored in root.objects(below or folder):
            progress.step("objects listed")
            inner = stored.path.removeprefix(folder)
            if folder == _TENANTS:
                inner = _OF_A_TENANT.sub("", inner, count=1)
            if _OURS.fullmatch(inner) and stored.size >= 0:  # else it is asked for by itself
                yield "object", stored
            elif TOMBSTONE.fullmatch(inner):
                yield "drop", stored
            elif COLLECTED.fullmatch(inner):
                yield "collected", stored
            elif DRAFT.fullmatch(inner):
                yield "draft", stored
    except ArtifactMissing:  # no folder is an empty one
        pass
