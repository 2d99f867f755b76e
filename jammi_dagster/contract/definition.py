"""Definitions of tables: a descriptor and an environment, folded into the definition hash.

Rules: a descriptor reads back exactly as it was given; every value in it enters the hash; an input's state does not,
that is its anchor. Not done here: describing a Dagster asset (see `adapters/recipe`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jammi_dagster.contract.canonical import canonical_json, plain_json
from jammi_dagster.contract.fields import Fields

_DOMAIN = b"jammi.materialization.definition.v1"


class DefinitionHash(str):
    """The SHA-256 of a definition, 64 lower-case hex digits. Any other string raises `InvalidField`."""

    __slots__ = ()

    def __new__(cls, value: str) -> DefinitionHash:
        return super().__new__(cls, Fields({"hash": value}, "definition hash").take_hex64("hash"))


@dataclass(frozen=True, slots=True)
class ProducingDescriptor:
    """The producer and its typed parameters, verbatim: a recompute runs them again.

    `fields` is a JSON object with at least `producer`. A copy of it is kept, so that nobody can change a descriptor
    after it was hashed. The constructor raises `InvalidField` and `NotCanonical`.

    >>> ProducingDescriptor({"producer": "dagster_asset", "config": {"alpha": 0.5}}).producer
    'dagster_asset'
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
        """Read a descriptor. Raise `InvalidField` if `producer` is missing, and `NotCanonical`."""
        return cls(value)  # type: ignore[arg-type]  # validated in __post_init__

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object as it was given."""
        return dict(self.fields)


@dataclass(frozen=True, slots=True)
class MaterializationEnv:
    """The environment of a materialization: everything besides the descriptor that affects the output.

    Libraries, Python, device and models stand here. The environment keeps a copy of the given object.

    >>> MaterializationEnv({"python": "3.11", "libraries": {"polars": "1.9.0"}}).to_dict()["python"]
    '3.11'
    """

    fields: Mapping[str, Any]

    def __post_init__(self) -> None:
        Fields(self.fields, "env")
        object.__setattr__(self, "fields", plain_json(self.fields, name="env"))

    @classmethod
    def from_dict(cls, value: object) -> MaterializationEnv:
        """Read an environment. Raise `InvalidField` for anything that is not an object, and `NotCanonical`."""
        return cls(value)  # type: ignore[arg-type]  # validated in __post_init__

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object as it was given."""
        return dict(self.fields)


def definition_hash(
    descriptor: Mapping[str, Any] | ProducingDescriptor, env: Mapping[str, Any] | MaterializationEnv
) -> DefinitionHash:
    """Fold descriptor and environment into one hash (DESIGN 2.1): a domain, then each of the two with label and length.

    The labels and the 8-byte little-endian lengths make the fold injective. Raise `NotCanonical`.

    >>> str(definition_hash({"producer": "dagster_asset"}, {}))[:12]
    '2b2f47298151'
    """
    encoded = {}
    for name, part in (("descriptor", descriptor), ("env", env)):
        fields = part.fields if isinstance(part, (ProducingDescriptor, MaterializationEnv)) else part
        encoded[name] = canonical_json(fields, name=name)
    return DefinitionHash(fold_encoded(encoded["descriptor"], encoded["env"]))


def fold_encoded(descriptor: bytes, env: bytes) -> str:
    """Fold canonical JSON that is encoded already, and return hex.

    Callers with many tables of one kind encode the parts that the tables share only once.
    """
    lengths = [len(encoded).to_bytes(8, "little") for encoded in (descriptor, env)]
    folded = b"".join((_DOMAIN, b"\0descriptor\0", lengths[0], descriptor, b"\0env\0", lengths[1], env))
    return hashlib.sha256(folded).hexdigest()
