"""What version surfaces say of external inputs, and how old what they say is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from typing import Protocol, runtime_checkable

from jammi_dagster.contract import CurrentAnchor
from jammi_dagster.surfaces import VersionSurface


@runtime_checkable
class Dated(Protocol):
    """A version surface whose `observe()` answers from an earlier look; one without this looks when it is asked."""

    @property
    def observed_at(self) -> datetime | None:
        """When it looked, aware of its time zone; None if it has not."""


def utc_now() -> datetime:
    """The present instant by this machine's clock."""
    return datetime.now(timezone.utc)


class Observations:
    """Asks each surface once, for as long as it lives."""

    def __init__(
        self,
        surfaces: Iterable[VersionSurface] = (),
        *,
        max_age: float | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """`max_age` in seconds: past it, what a surface saw earlier says nothing of now."""
        self._surfaces = {surface.source: surface for surface in surfaces}
        self._max_age, self._clock = max_age, clock
        self._known: dict[str, CurrentAnchor] = {}

    def current_anchor(self, source: str) -> CurrentAnchor:
        """The present version of `source`; undecidable without a surface. Raises what the surface raises."""
        surface = self._surfaces.get(source)
        if surface is None:
            return CurrentAnchor.undecidable()
        if source not in self._known:
            self._known[source] = self._observe(surface)
        return self._known[source]

    def _observe(self, surface: VersionSurface) -> CurrentAnchor:
        now = self._clock()
        version = surface.observe()
        seen = surface.observed_at if isinstance(surface, Dated) else now
        if seen is None:
            return CurrentAnchor.undecidable()
        if self._max_age is not None and (now - seen).total_seconds() > self._max_age:
            return CurrentAnchor.undecidable().observed(seen)
        anchor = CurrentAnchor.vanished() if version is None else CurrentAnchor.version(version)
        return anchor.observed(seen)
