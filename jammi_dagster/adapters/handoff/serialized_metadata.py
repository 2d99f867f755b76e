"""Metadata values in Dagster's own serialization."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg


def packed(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Serialize metadata values as Dagster does."""
    return {key: dg.serialize_value(_metadata_value(value)) for key, value in metadata.items()}


def unpacked(
    packed: Mapping[str, str], deserialize: Callable[[str], Any] = dg.deserialize_value
) -> dict[str, Any]:
    """Invert `packed`."""
    return {key: deserialize(value) for key, value in packed.items()}


def _metadata_value(value: Any) -> Any:
    """Return the `MetadataValue` that Dagster makes of a plain value."""
    return dg.AssetMaterialization("_", metadata={"_": value}).metadata["_"]
