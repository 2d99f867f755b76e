"""What every version surface has."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class VersionSurface(Protocol):
    """An external input that can be asked for its present version id."""

    @property
    def source(self) -> str:
        """The input's name in anchors, with a scheme: `file:raw/planes.csv`."""

    def observe(self) -> str | None:
        """The present version id, or None where the input does not exist. Raises `SurfaceUnavailable`."""
