"""How a table is made: descriptor and environment, and the fold of the two into the definition hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jammi_dagster.contract.canonical import canonical_json, plain_json
from jammi_dagster.contract.fields import Fields

_DOMAIN = b"jammi.materialization.definition.v1"


class DefinitionHash(str):
    """The SHA-256 of a definition, 64 lower-case hex digits. Raises `InvalidField` for any other string."""

    __slots__ = ()

    def __new__(cls, value: str) -> DefinitionHash:
        return super().__new__(cls, Fields({"hash": value}, "definition hash").take_hex64("hash"))


@dataclass(frozen=True, slots=True)
class ProducingDescriptor:
    """The producer and its typed parameters, verbatim: what a recompute replays.

    `fields` is a JSON object with at least `producer`. It hashes and reads back exactly as given: a copy is kept,
    so that nobody can change it under its hash. Raises `InvalidField` and `NotCanonical`.
    """

    fields: Mapping[str, Any]

    def __post_init__(self) -> None:
        Fields(self.fields, "descriptor").take("producer", str)
        object.__setattr__(self, "fields", plain_json(self.fields, name="descriptor"))

    @property
    def producer(self) -> str:
        """The verb that made the table, such as `dagster_asset` or the engine's `neighbor_graph`."""
        return str(self.fields["producer"])

    @classmethod
    def from_dict(cls, value: object) -> ProducingDescriptor:
        """Raises `InvalidField` where `producer` is missing, and `NotCanonical`."""
        return cls(value)  # type: ignore[arg-type]  # validated in __post_init__

    def to_dict(self) -> dict[str, Any]:
        """The JSON object, as given."""
        return dict(self.fields)


@dataclass(frozen=True, slots=True)
class MaterializationEnv:
    """What affects the output and is not in the descriptor: libraries, Python, device, models. It keeps a copy."""

    fields: Mapping[str, Any]

    def __post_init__(self) -> None:
        Fields(self.fields, "env")
        object.__setattr__(self, "fields", plain_json(self.fields, name="env"))

    @classmethod
    def from_dict(cls, value: object) -> MaterializationEnv:
        """Raises `InvalidField` for anything that is not an object, and `NotCanonical`."""
        return cls(value)  # type: ignore[arg-type]  # validated in __post_init__

    def to_dict(self) -> dict[str, Any]:
        """The JSON object, as given."""
        return dict(self.fields)


def definition_hash(
    descriptor: Mapping[str, Any] | ProducingDescriptor, env: Mapping[str, Any] | MaterializationEnv
) -> DefinitionHash:
    """The fold of DESIGN 2.1: domain, then descriptor and env, each labelled and prefixed with its length.

    The labels and the 8-byte little-endian lengths make the fold injective. Raises `NotCanonical`.
    """
    encoded = {}
    for name, part in (("descriptor", descriptor), ("env", env)):
        fields = part.fields if isinstance(part, (ProducingDescriptor, MaterializationEnv)) else part
        encoded[name] = canonical_json(fields, name=name)
    return DefinitionHash(fold_encoded(encoded["descriptor"], encoded["env"]))


def fold_encoded(descriptor: bytes, env: bytes) -> str:
    """The same fold, in hex, over canonical JSON that whoever has many tables of one kind encodes in parts."""
    fold = hashlib.sha256(_DOMAIN)
    for label, encoded in ((b"descriptor", descriptor), (b"env", env)):
        fold.update(b"\0" + label + b"\0" + len(encoded).to_bytes(8, "little") + encoded)
    return fold.hexdigest()
