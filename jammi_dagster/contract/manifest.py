"""The sidecar beside an artifact: the engine's manifest, version 5, plus one key of our own.

Rules: unknown keys survive a read and a write; an unknown version is a typed error; a sidecar is untrusted input.
Not done here: opening the sidecar (see `artifacts.sidecar`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from jammi_dagster.contract.anchors import (
    InputAnchor,
    anchors_from_list,
    check_distinct,
    once_for_each_tuple,
)
from jammi_dagster.contract.canonical import plain_json
from jammi_dagster.contract.definition import DefinitionHash, MaterializationEnv, ProducingDescriptor
from jammi_dagster.contract.fields import Fields
from jammi_dagster.errors import InvalidManifest, JammiError, UnknownManifestVersion

MANIFEST_VERSION = 5
OWN_KEY = "jammi_dagster"


class ArtifactDigest(str):
    """The SHA-256 of an artifact's bytes, 64 lower-case hex digits. Any other string raises `InvalidField`."""

    __slots__ = ()

    def __new__(cls, value: str) -> ArtifactDigest:
        return super().__new__(cls, Fields({"digest": value}, "artifact digest").take_hex64("digest"))

    @classmethod
    def of_bytes(cls, data: bytes) -> ArtifactDigest:
        """Return the digest of `data`."""
        return cls(hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One Parquet row group: its index, the place of its bytes in the file, and their SHA-256 (hex)."""

    index: int
    offset: int
    length: int
    digest: str
    unknown: Mapping[str, Any] = field(default_factory=dict, repr=False)
    unknown_in_key: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_dict(cls, value: object, *, path: str = "leaf") -> Leaf:
        """Read a leaf. Raise `InvalidField` for anything else, a leaf whose `kind` is not `row_group` included."""
        fields = Fields(value, "manifest", path)
        key = Fields(fields.take("key", dict), "manifest", f"{path}.key")
        if key.take("kind", str) != "row_group":
            raise key.bad("kind", "row_group")
        index, offset, length = (key.take_natural(name) for name in ("index", "offset", "length"))
        digest = fields.take_hex64("digest")
        return cls(
            index=index,
            offset=offset,
            length=length,
            digest=digest,
            unknown=fields.rest(),
            unknown_in_key=key.rest(),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the engine's JSON object."""
        place = {"index": self.index, "offset": self.offset, "length": self.length}
        key = {"kind": "row_group", **place, **self.unknown_in_key}
        return {"key": key, "digest": self.digest, **self.unknown}


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterializationManifest:
    """The full record of a materialization: its bytes, how they were made, over which inputs, by whom and when.

    `own` holds the additions of this package, under its one key; `unknown` holds the keys of a newer writer, unchanged.
    `produced_at` is an RFC 3339 instant.

    >>> manifest = MaterializationManifest(
    ...     artifact=ArtifactDigest.of_bytes(b"PAR1"),
    ...     leaves=(),
    ...     definition_hash=DefinitionHash("ab" * 32),
    ...     descriptor=ProducingDescriptor({"producer": "dagster_asset"}),
    ...     env=MaterializationEnv({}),
    ...     input_anchors=(),
    ...     produced_by="nightly",
    ...     produced_at="2026-01-04T03:00:00Z",
    ...     engine_version="0.1.0",
    ... )
    >>> MaterializationManifest.from_dict(manifest.to_dict()) == manifest
    True
    """

    artifact: ArtifactDigest
    leaves: tuple[Leaf, ...]
    definition_hash: DefinitionHash
    descriptor: ProducingDescriptor
    env: MaterializationEnv
    input_anchors: tuple[InputAnchor, ...]
    produced_by: str
    produced_at: str
    engine_version: str
    own: Mapping[str, Any] | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        check_distinct(self.input_anchors)

    @classmethod
    def from_dict(cls, value: object) -> MaterializationManifest:
        """Read a manifest. Raise `UnknownManifestVersion`, `InvalidField` or `DuplicateInput`."""
        fields = Fields(value, "manifest")
        version = fields.take("manifest_version", int)
        if version != MANIFEST_VERSION:
            raise UnknownManifestVersion(where="manifest", version=version, supported=MANIFEST_VERSION)
        leaves = fields.take("leaves", list)
        known = {
            "artifact": ArtifactDigest(fields.take_hex64("artifact")),
            "leaves": tuple(Leaf.from_dict(leaf, path=f"leaves[{i}]") for i, leaf in enumerate(leaves)),
            "definition_hash": DefinitionHash(fields.take_hex64("definition_hash")),
            "descriptor": ProducingDescriptor.from_dict(fields.take("descriptor", dict)),
            "env": MaterializationEnv.from_dict(fields.take("env", dict)),
            "input_anchors": anchors_from_list(fields.take("input_anchors", list)),
            "produced_by": fields.take("produced_by", str),
            "produced_at": fields.take("produced_at", str),
            "engine_version": fields.take("engine_version", str),
        }
        rest = fields.rest()
        own = Fields(rest.pop(OWN_KEY), "manifest", OWN_KEY).rest() if OWN_KEY in rest else None
        return cls(**known, own=own, unknown=rest)  # type: ignore[arg-type]  # typed where it is built

    def to_dict(self) -> dict[str, Any]:
        """Return the engine's JSON object, in the engine's order of keys."""
        return {
            "artifact": str(self.artifact),
            "leaves": [leaf.to_dict() for leaf in self.leaves],
            "definition_hash": str(self.definition_hash),
            "descriptor": self.descriptor.to_dict(),
            "env": self.env.to_dict(),
            "input_anchors": [anchor.to_dict() for anchor in self.input_anchors],
            "produced_by": self.produced_by,
            "produced_at": self.produced_at,
            "engine_version": self.engine_version,
            "manifest_version": MANIFEST_VERSION,
            **({} if self.own is None else {OWN_KEY: dict(self.own)}),
            **self.unknown,
        }

    @classmethod
    def from_bytes(cls, data: bytes, *, where: str) -> MaterializationManifest:
        """Read the manifest in a sidecar's bytes; `where` names the sidecar in errors.

        Raise `InvalidManifest` for anything but a manifest, however hostile, and `UnknownManifestVersion`.
        """
        try:
            value = json.loads(data, object_pairs_hook=_distinct_keys)
            plain_json(value, name="manifest")
            return cls.from_dict(value)
        except UnknownManifestVersion as error:
            raise UnknownManifestVersion(
                where=where, version=error.version, supported=MANIFEST_VERSION
            ) from None
        except (JammiError, ValueError, RecursionError) as error:
            raise InvalidManifest(where=where, why=str(error)) from error

    def to_bytes(self) -> bytes:
        """Return the sidecar's bytes: readable JSON. Raise `NotCanonical` for a value that JSON does not have."""
        value = replace(self, input_anchors=()).to_dict()
        plain_json(value, name="manifest")
        head, empty, tail = json.dumps(value, indent=2, ensure_ascii=False).partition(_NO_ANCHORS)
        assert empty, "nothing else stands at the margin of the whole"
        return b"".join((head.encode(), _anchors_text(self.input_anchors), tail.encode()))

    def check_leaves(self, artifact: bytes) -> Sequence[Leaf]:
        """Return the leaves whose bytes in `artifact` do not have the recorded digest."""
        view = memoryview(artifact)
        return [
            leaf
            for leaf in self.leaves
            if hashlib.sha256(view[leaf.offset : leaf.offset + leaf.length]).hexdigest() != leaf.digest
        ]


# the one line that begins so: within a nested value lines begin further right, and a text holds no line break
_NO_ANCHORS = '\n  "input_anchors": []'


@once_for_each_tuple
def _anchors_text(anchors: Sequence[InputAnchor]) -> bytes:
    """Return the anchors as they stand in a sidecar. Raise `NotCanonical`."""
    value = [anchor.to_dict() for anchor in anchors]
    plain_json(value, name="manifest.input_anchors")
    listed = json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\n  ")
    return (_NO_ANCHORS.removesuffix("[]") + listed).encode()


def _distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a JSON object. Raise `ValueError` for a key that occurs twice: readers differ in which one they take."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key occurs more than once in one object")
    return fields
