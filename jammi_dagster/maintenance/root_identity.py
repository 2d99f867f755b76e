"""The identity of a root: an object in it that says which catalog's rows name its objects."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jammi_dagster.artifacts import IDENTITY_PATH, ArtifactRoot
from jammi_dagster.contract.fields import Fields
from jammi_dagster.errors import ArtifactMissing

STAMP_PATH = "jammi-maintenance.json"
_VERSION = 1
_AGAIN_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class RootIdentity:
    """The contents of `jammi-root.json`.

    `catalog` is where the catalog lies: a path relative to the root where `is_inside`, otherwise a path or a URL
    without password. `taken_over` are the ids of catalogs that the root belonged to before.
    """

    root_id: str
    catalog_id: str
    catalog: str
    is_inside: bool
    taken_over: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Give the identity as JSON."""
        return json.dumps(
            {
                "version": _VERSION,
                "root_id": self.root_id,
                "catalog_id": self.catalog_id,
                "catalog": self.catalog,
                "is_inside": self.is_inside,
                "taken_over": list(self.taken_over),
            },
            indent=1,
        ).encode()

    @classmethod
    def from_bytes(cls, data: bytes, *, where: str) -> RootIdentity:
        """Read an identity. Raises `InvalidField`, naming `where`, for anything else."""
        fields = Fields(_json(data), where)
        return cls(
            root_id=fields.take("root_id", str),
            catalog_id=fields.take("catalog_id", str),
            catalog=fields.take("catalog", str),
            is_inside=fields.take("is_inside", bool),
            taken_over=tuple(str(one) for one in fields.take("taken_over", list)),
        )


def read_identity(root: ArtifactRoot, *, expected: bool) -> RootIdentity | None:
    """Read the root's identity; None where it has none. Where one is expected, a "not found" is asked about again."""
    waits = (_AGAIN_SECONDS, None) if expected else (None,)
    for wait in waits:
        try:
            return RootIdentity.from_bytes(root.fetch(IDENTITY_PATH), where=root.uri(IDENTITY_PATH))
        except ArtifactMissing:
            if wait is not None:
                time.sleep(wait)
    return None


def read_stamp(root: ArtifactRoot) -> str | None:
    """Read the mark that the last maintenance pass left; None where there was none."""
    try:
        data = root.fetch(STAMP_PATH)
    except ArtifactMissing:
        return None
    return Fields(_json(data), root.uri(STAMP_PATH)).take("stamp", str)


def write_stamp(root: ArtifactRoot, stamp: str) -> None:
    """Leave the mark of a maintenance pass."""
    root.replace(STAMP_PATH, json.dumps({"stamp": stamp}).encode())


def _json(data: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}
