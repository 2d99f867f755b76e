"""The interface of every version surface."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class VersionSurface(Protocol):
    """An external input that can be asked for its present version id.

    A surface of your own needs no base class:

        class Watermark:
            source = "watermark:orders"

            def observe(self) -> str | None:
                return query("select max(updated_at) from orders")
    """

    @property
    def source(self) -> str:
        """The input's name in anchors, with a scheme: `file:raw/planes.csv`."""

    def observe(self) -> str | None:
        """Return the present version id, or None if the input does not exist.

        Raise `SurfaceUnavailable` if neither is known.
        """
